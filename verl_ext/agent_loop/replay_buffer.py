"""Between rollout and trainer: keeps count of void episodes and reports what the episodes were like.

verl's V1 trainer fills a batch that lacks rows with masked padding, so a void episode is simply absent: it
has no token in the loss and no part in its group's baseline. This subclass counts the absent ones, stops the
run when there are too many, and turns the episodes' reward parts and facts into training metrics, which verl
itself logs only for validation.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Any

import transfer_queue as tq
from verl.trainer.ppo.v1.replay_buffer import ReplayBuffer

from verl_ext.grading.cache_meter import CacheCounts
from verl_ext.sandbox.errors import SandboxError


class TooManySandboxFailures(SandboxError):
    """More episodes were lost to our own failures than the run allows."""


class NothingToTrainOn(ValueError):
    """Every episode of a step was cut at the length limit, and such episodes are masked."""


class EpisodeReplayBuffer(ReplayBuffer):
    """verl's replay buffer with episode metrics and a limit on void episodes.

    ``trainer.v1.sampler.sampler_kwargs`` must hold ``num_samples`` (episodes per problem in training),
    ``max_void_share`` (0 to 1, share of a step's episodes that may be void) and ``poll_interval_s``
    (seconds between looks for finished episodes; verl's own 2 s are most of a small model's step).
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.poll_interval = float(self.sampler_kwargs.poll_interval_s)

    def sample(self, global_steps: int, partition_id: str, batch_size: int) -> tuple[Any, dict[str, Any]]:
        """Samples a batch; adds ``episode/*``, ``reward/*``, ``stop/*``, ``sandbox/*`` to verl's metrics.

        Raises:
            TooManySandboxFailures: When more than ``max_void_share`` of the episodes are void.
            NothingToTrainOn: When all of them are masked.
        """
        void_share_limit = float(self.sampler_kwargs.max_void_share)
        expected = batch_size * int(self.sampler_kwargs.num_samples)
        try:
            batch, metrics = super().sample(global_steps, partition_id, batch_size)
        except RuntimeError as error:
            if "no materializable trajectories" not in str(error):
                raise
            raise TooManySandboxFailures(_failure_line(global_steps, expected, expected)) from error
        if partition_id == "val":
            return batch, metrics
        num_void = expected - len(batch.keys)
        if num_void > void_share_limit * expected:
            raise TooManySandboxFailures(_failure_line(global_steps, num_void, expected))
        fields = _extra_fields(batch)
        check_trainable(global_steps, fields)
        metrics = {
            **metrics,
            "episode/void_share": num_void / expected,
            "episode/masked_share": sum(of_episode["masked"] for of_episode in fields) / len(fields),
            **episode_metrics(fields),
        }
        return batch, metrics


def check_trainable(step: int, extra_fields: list[dict[str, Any]]) -> None:
    """Checks that something is left to train on; verl fails on a batch without a single token.

    Raises:
        NothingToTrainOn: When every episode is masked.
    """
    if all(fields["masked"] for fields in extra_fields):
        raise NothingToTrainOn(
            f"step {step}: all {len(extra_fields)} episodes were cut at the length limit and masked "
            "(code_agentic.episode.mask_truncated): raise data.max_response_length, or start from a model "
            "that ends its answers"
        )


def _failure_line(step: int, num_void: int, expected: int) -> str:
    return (
        f"step {step}: {num_void} of {expected} episodes were lost to sandbox failures, more than "
        "code_agentic.sandbox.max_void_share allows; is the sandbox up? (the trajectory files name each "
        "failure)"
    )


def _extra_fields(batch: Any) -> list[dict[str, Any]]:
    data = tq.kv_batch_get(keys=batch.keys, partition_id=batch.partition_id, select_fields=["extra_fields"])
    return [getattr(value, "data", value) for value in data["extra_fields"]]


def episode_metrics(extra_fields: list[dict[str, Any]]) -> dict[str, float]:
    """Means over episodes of reward parts and facts, the share of each stop reason, the cache's hit rate.

    Args:
        extra_fields: Per episode ``{"reward_extra_info": {...}, "episode": EpisodeFacts.to_dict(),
            "cache": CacheCounts as a dict, ...}``; the cache's counts are those of the worker process since
            its episode before, so that they only mean something as a sum.
    """
    sums: dict[str, float] = defaultdict(float)
    stops: Counter[str] = Counter()
    cache: Counter[str] = Counter()
    for fields in extra_fields:
        for name, value in fields["reward_extra_info"].items():
            sums[f"reward/{name}"] += float(value)
        facts = fields["episode"]
        stops[facts["stop_reason"]] += 1
        for name in (
            "num_attempts",
            "num_tool_calls",
            "num_refused_calls",
            "num_malformed_calls",
            "num_surplus_calls",
            "num_turns",
        ):
            sums[f"episode/{name}"] += facts[name]
        sums["episode/tool_s"] += fields["tool_s"]
        cache.update(fields["cache"])
    total = len(extra_fields)
    metrics = {name: value / total for name, value in sums.items()}
    metrics |= {f"stop/{reason}": count / total for reason, count in stops.items()}
    counts = CacheCounts(**cache)
    if counts.hit_rate is not None:
        metrics["sandbox/cache_hit_rate"] = counts.hit_rate
    metrics["sandbox/num_runs"] = counts.misses
    return metrics
