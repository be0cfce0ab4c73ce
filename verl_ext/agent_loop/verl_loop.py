"""The adapter between verl's agent-loop workers and this project's episode loop.

verl makes a new ``AgentLoopBase`` object for every episode; what an episode shares with others (sandbox
client, grader, chat format) is therefore kept per process in ``_runtime``. A void episode is returned as
no output at all: verl's V1 trainer then fills the batch with masked padding, so the episode has neither a
gradient nor a part in its group's baseline.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, ClassVar
from uuid import uuid4

from hydra.utils import get_class
from omegaconf import DictConfig
from verl.experimental.agent_loop.agent_loop import AgentLoopBase, AgentLoopMetrics, AgentLoopOutput

from verl_ext.agent_loop.chat import ChatFormat
from verl_ext.agent_loop.episode import Episode, StopReason
from verl_ext.agent_loop.loop import EpisodeRunner, LoopLimits, Rollout
from verl_ext.agent_loop.policy import Generation
from verl_ext.agent_loop.reward_function import RewardFunction, load_reward_function
from verl_ext.agent_loop.trajectory import EpisodeOrigin, TrajectoryWriter, trajectory_record
from verl_ext.grading.cache_meter import CacheMeter
from verl_ext.grading.grader import Grader, Limits
from verl_ext.grading.problem import Problem
from verl_ext.sandbox.backends import sandbox_from_endpoint
from verl_ext.tools.registry import load_schemas, load_tools


@dataclass(slots=True)
class ServerPolicy:
    """verl's rollout servers as a ``Policy``; remembers the weight versions it was answered with."""

    client: Any
    sampling_params: dict[str, Any]
    request_id: str
    min_global_steps: int | None = None
    max_global_steps: int | None = None
    num_preempted: int = 0

    async def generate(self, prompt_ids: Sequence[int], *, max_tokens: int) -> Generation:
        """One turn from verl's load-balanced vLLM servers, sticky per episode for prefix caching."""
        output = await self.client.generate(
            request_id=self.request_id,
            prompt_ids=list(prompt_ids),
            sampling_params={**self.sampling_params, "max_tokens": max_tokens},
        )
        if self.min_global_steps is None:
            self.min_global_steps = output.extra_fields.get("min_global_steps")
        self.max_global_steps = output.extra_fields.get("max_global_steps")
        self.num_preempted += max(output.num_preempted or 0, 0)
        return Generation(output.token_ids, output.log_probs)


@dataclass(frozen=True, slots=True)
class _Runtime:
    """What all episodes of one worker process share."""

    runner: EpisodeRunner
    trajectories: TrajectoryWriter
    reward: RewardFunction
    cache: CacheMeter
    mask_truncated: bool


def build_runtime(config: DictConfig, tokenizer: Any) -> _Runtime:
    """Builds tools, grader, runner and writer from a run's resolved configuration.

    Args:
        config: verl's configuration with this project's section ``code_agentic`` (configs/ppo.yaml).
        tokenizer: The model's.
    """
    ours, rollout = config.code_agentic, config.actor_rollout_ref.rollout
    sandbox = sandbox_from_endpoint(
        ours.sandbox.endpoint,
        max_concurrency=ours.sandbox.max_concurrency,
        hedge_after=ours.sandbox.hedge_after,
    )
    limits = Limits(time_s=ours.sandbox.time_limit_s, memory_limit_mb=ours.sandbox.memory_limit_mb)
    grader = Grader(sandbox, limits, cache_size=ours.sandbox.cache_size)
    tools = load_tools(ours.episode.tools, grader=grader)
    runner = EpisodeRunner(
        ChatFormat(tokenizer, load_schemas(ours.episode.tools)),
        tools,
        grader,
        LoopLimits(
            max_turns=ours.episode.max_turns,
            max_calls_per_turn=ours.episode.max_calls_per_turn,
            max_prompt_tokens=rollout.prompt_length,
            max_response_tokens=rollout.response_length,
            min_turn_tokens=ours.episode.min_turn_tokens,
        ),
        get_class(ours.episode.texts)(ours.episode.style),
        time_reference=ours.episode.time_reference,
    )
    writer = TrajectoryWriter(Path(ours.trajectories_dir) / f"{os.getpid()}.jsonl")
    reward = load_reward_function(config.reward.custom_reward_function)
    return _Runtime(runner, writer, reward, CacheMeter(grader), ours.episode.mask_truncated)


def loss_mask(rollout: Rollout, *, mask_truncated: bool) -> list[int]:
    """Which tokens are trained on: those the model sampled, or none of an episode cut at the length limit.

    A masked episode keeps its reward, and so its part in the group's baseline.
    """
    if mask_truncated and rollout.facts.stop_reason is StopReason.MAX_RESPONSE_TOKENS:
        return [0] * len(rollout.response_mask)
    return rollout.response_mask


class CodeAgentLoop(AgentLoopBase):
    """Runs one episode; registered as ``code_agentic`` through ``agent_loop_config_path``.

    Reads the section ``code_agentic`` of the run's configuration (configs/ppo.yaml) and the row's problem
    from ``reward_model.ground_truth``.
    """

    _runtime: ClassVar[_Runtime | None] = None  # one run, one configuration per worker process

    async def run(self, sampling_params: dict[str, Any], **kwargs: Any) -> Any:
        """Runs one episode.

        Returns:
            An ``AgentLoopOutput`` with the episode's tokens, mask, log-probabilities and score; an empty
            list when it is void.
        """
        if CodeAgentLoop._runtime is None:
            CodeAgentLoop._runtime = build_runtime(self.config, self.tokenizer)
        runtime = CodeAgentLoop._runtime
        problem = Problem.from_json(kwargs["reward_model"]["ground_truth"])
        policy = ServerPolicy(self.server_manager, sampling_params, uuid4().hex)
        rollout = await runtime.runner.run(Episode(problem), kwargs["raw_prompt"], policy)
        facts = rollout.facts.to_dict()
        reward: dict[str, Any] = {}
        if not rollout.facts.void and rollout.response_ids:
            reward = await runtime.reward.score(
                rollout.facts,
                source=problem.source,
                answer=rollout.answer,
                program=rollout.episode.final_program,
                language=problem.language,
            )
        origin = EpisodeOrigin(
            run="rl",
            split=kwargs["extra_info"]["split"],
            step=int(kwargs["global_steps"]),
            sample=int(kwargs["session_id"]),
        )
        runtime.trajectories.write(trajectory_record(rollout, origin, reward))
        if not reward:
            return []
        response_mask = loss_mask(rollout, mask_truncated=runtime.mask_truncated)
        return AgentLoopOutput(
            prompt_ids=rollout.prompt_ids,
            response_ids=rollout.response_ids,
            response_mask=response_mask,
            response_logprobs=rollout.logprobs,
            reward_score=reward["score"],
            num_turns=rollout.facts.num_turns,
            metrics=AgentLoopMetrics(
                generate_sequences=rollout.generate_s,
                tool_calls=rollout.tool_s,
                num_preempted=policy.num_preempted,
            ),
            extra_fields={
                "reward_extra_info": reward,
                "episode": facts,
                "masked": not any(response_mask),
                "tool_s": rollout.tool_s,
                "cache": asdict(runtime.cache.take()),
                "min_global_steps": policy.min_global_steps,
                "max_global_steps": policy.max_global_steps,
                "turn_scores": [],
                "tool_rewards": [],
            },
        )
