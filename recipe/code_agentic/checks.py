"""Checks of a composed configuration before anything is started: one line each, naming key, value, remedy.

Shared by training and evaluation; a dry run does all of them. What a single value may be is in
``value_rules``, what data must be in ``data_checks``.
"""

from __future__ import annotations

import asyncio
import importlib
import re
from collections.abc import Callable, Mapping
from contextlib import aclosing
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from recipe.code_agentic import reward, value_rules
from recipe.code_agentic.quality import missing_packages
from verl_ext.agent_loop.reward_function import RewardFunction, load_reward_function
from verl_ext.cli import warn
from verl_ext.config_values import check_values
from verl_ext.grading.grader import Grader
from verl_ext.sandbox.backends import RAY, sandbox_from_endpoint
from verl_ext.sandbox.memory import InMemorySandbox
from verl_ext.tools.registry import load_tools

_HOST_AND_PORT = re.compile(r"\S+:\d+")


def check_ppo(config: DictConfig) -> None:
    """Values of an RL run, and how they fit each other.

    Raises:
        ValueError: For the first that can't work.
    """
    check_values(config, value_rules.PPO)
    mode = config.trainer.v1.trainer_mode
    if config.scale.device == "cpu" and mode != "sync":
        raise ValueError(
            f"trainer.v1.trainer_mode={mode} samples from half-loaded weights on the CPU; "
            "use trainer_mode=sync"
        )
    if config.scale.nodes > 1 and config.code_agentic.sandbox.endpoint is None:
        raise ValueError(
            f"scale.nodes={config.scale.nodes}: the embedded sandbox serves this machine only; start "
            "scripts/serve_sandbox.sh --host where every node reaches it, and give "
            "code_agentic.sandbox.endpoint=URL"
        )
    for key, enabled in (
        ("algorithm.filter_groups.enable", config.algorithm.filter_groups.enable),
        ("trainer.v1.sampler.sync_refill_failed_groups", config.trainer.v1.sampler.sync_refill_failed_groups),
    ):
        if enabled:
            raise ValueError(
                f"{key}={enabled} has no effect: verl leaves groups to the replay buffer, and this project's "
                "(which counts void episodes) neither filters nor refills them; set it to false"
            )
    sandbox = config.code_agentic.sandbox
    if sandbox.endpoint == RAY and sandbox.num_workers is None:
        raise ValueError(
            "code_agentic.sandbox.num_workers=null: give the cores of each node that its sandbox gets"
        )
    batch, mini = config.data.train_batch_size, config.actor_rollout_ref.actor.ppo_mini_batch_size
    processes = config.scale.nodes * config.scale.gpus_per_node
    samples = config.actor_rollout_ref.rollout.n
    if batch % mini:
        raise ValueError(
            f"data.train_batch_size={batch} is not a multiple of "
            f"actor_rollout_ref.actor.ppo_mini_batch_size={mini}"
        )
    if mini * samples % processes:
        raise ValueError(
            f"actor_rollout_ref.actor.ppo_mini_batch_size={mini} times actor_rollout_ref.rollout.n={samples} "
            f"does not divide over {processes} training processes (scale.nodes * scale.gpus_per_node)"
        )
    if config.algorithm.adv_estimator == "grpo" and samples < 2:
        raise ValueError(
            f"actor_rollout_ref.rollout.n={samples}: GRPO compares the episodes of a group, use 2 or more"
        )
    longest = config.data.max_prompt_length + config.data.max_response_length
    if config.scale.max_tokens_per_gpu < longest:
        raise ValueError(
            f"scale.max_tokens_per_gpu={config.scale.max_tokens_per_gpu} is less than one episode of "
            f"{longest} tokens (data.max_prompt_length + data.max_response_length)"
        )


def check_sft(config: DictConfig) -> None:
    """Values of an SFT run, and how they fit each other.

    Raises:
        ValueError: For the first that can't work.
    """
    check_values(config, value_rules.SFT)
    nodes, node_rank, endpoint = config.scale.nodes, config.torchrun.node_rank, config.torchrun.endpoint
    if nodes > 1 and not (endpoint and _HOST_AND_PORT.fullmatch(endpoint)):
        raise ValueError(
            f"scale.nodes={nodes} and torchrun.endpoint={endpoint}: run the same command on every node with "
            f"torchrun.endpoint=HOST:PORT of the first and torchrun.node_rank=0 to {nodes - 1}"
        )
    if node_rank >= nodes:
        raise ValueError(f"torchrun.node_rank={node_rank} must be below scale.nodes={nodes}")
    batch, micro = config.data.train_batch_size, config.data.micro_batch_size_per_gpu
    processes = nodes * config.scale.gpus_per_node
    if batch % (micro * processes):
        raise ValueError(
            f"data.train_batch_size={batch} is not a multiple of data.micro_batch_size_per_gpu={micro} times "
            f"{processes} training processes (scale.nodes * scale.gpus_per_node)"
        )


def check_episode(config: DictConfig) -> None:
    """The tools and the loop's texts must be there and take their settings; what a reward needs is measured.

    Raises:
        ValueError: When one can't be made, or the reward compares times that nobody takes.
    """
    episode = config.code_agentic.episode
    bonus = OmegaConf.select(config, f"{value_rules.WEIGHTS}.efficiency_bonus", default=0)
    if bonus and not episode.time_reference:
        raise ValueError(
            f"{value_rules.WEIGHTS}.efficiency_bonus={bonus} has no effect with "
            "code_agentic.episode.time_reference=False: leave that key out or set it to true"
        )
    load_tools(episode.tools, grader=Grader(InMemorySandbox()))
    module, _, name = episode.texts.rpartition(".")
    try:
        getattr(importlib.import_module(module), name)(episode.style)
    except (ImportError, AttributeError, TypeError, ValueError) as error:
        raise ValueError(f"code_agentic.episode.texts={episode.texts}: can't be used: {error}") from error


def load_reward(config: DictConfig) -> RewardFunction:
    """The configured reward function with its arguments.

    Raises:
        ValueError: When none is configured, it can't be loaded, fails when it is tried out, or is the
            project's own and its weights can't work.
    """
    chosen = load_reward_function(config.reward.custom_reward_function)
    if _is_own_reward(chosen.function):
        check_values(config, value_rules.REWARD)
        _check_weights(chosen.arguments)
    solved, unsolved = chosen.try_out()
    if solved <= unsolved:
        warn(
            f"{chosen.where}: an episode that is solved at once earns {solved:g}, one that is not solved "
            f"{unsolved:g}"
        )
    return chosen


def _is_own_reward(function: Callable[..., Any]) -> bool:
    """Whether it is this recipe's, by whatever path it was loaded."""
    code = getattr(function, "__code__", None)
    return (
        code is not None
        and code.co_name == "compute_score"
        and Path(code.co_filename).resolve() == Path(reward.__file__).resolve()
    )


def _check_weights(arguments: Mapping[str, Any]) -> None:
    """The weights of the project's own reward, of which each is allowed, must keep its promise together."""
    weights = {name: value for name, value in arguments.items() if name != "kind"}
    try:
        reward.ShapedWeights(**weights)
    except TypeError as error:
        raise ValueError(f"{value_rules.WEIGHTS}: {error}") from error
    except ValueError as error:
        raise ValueError(f"{value_rules.WEIGHTS}.{error}") from error
    if weights["quality_bonus"] > 0 and (missing := missing_packages()):
        raise ValueError(
            f"{value_rules.WEIGHTS}.quality_bonus={weights['quality_bonus']} needs {' and '.join(missing)}: "
            "pip install 'code-agentic[quality]', or set it to 0"
        )


def check_device(device: str, num_gpus: int, key: str, *, dry_run: bool) -> None:
    """The chosen scale must fit the machine; a dry run, which may be on another one, only warns.

    Args:
        device: ``cpu`` or ``cuda``.
        num_gpus: GPUs needed on this machine; 0 where they are other machines'.
        key: Where that number comes from.
        dry_run: Warn instead.

    Raises:
        ValueError: When GPUs are missing, or the CPU was chosen beside one.
    """
    import torch

    there = torch.cuda.device_count()
    if device == "cpu" and there:
        problem = (
            "scale=cpu, but this machine has a GPU, which verl and vLLM would choose; use scale=gpu1, or "
            "hide the GPU with CUDA_VISIBLE_DEVICES="
        )
    elif device == "cuda" and there < num_gpus:
        problem = (
            f"{key}={num_gpus}, but this machine has {there} GPUs; choose scale=cpu model=tiny or a machine "
            "with GPUs"
        )
    else:
        return
    if not dry_run:
        raise ValueError(problem)
    warn(f"{problem} (only a warning in a dry run)")


def check_sandbox(settings: DictConfig) -> None:
    """A sandbox service that is named must answer; none is fine, the embedded one is started with the run.

    Args:
        settings: The section ``code_agentic.sandbox``.

    Raises:
        ValueError: When the settings don't fit each other.
        SandboxError: When it does not answer.
    """

    async def ping() -> None:
        opened = sandbox_from_endpoint(settings.endpoint, hedge_after=settings.hedge_after)
        async with aclosing(opened) as sandbox:
            await sandbox.ping()

    if settings.endpoint is not None:
        asyncio.run(ping())
    elif settings.hedge_after is not None:
        raise ValueError(
            f"code_agentic.sandbox.hedge_after={settings.hedge_after} needs several endpoints; the embedded "
            "sandbox is one"
        )
