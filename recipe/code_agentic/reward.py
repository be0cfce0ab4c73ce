"""The debugging recipe's rewards: arithmetic on an episode's facts, nothing else.

    reward = scale * ( base                       1.0 when every hidden case passes, else 0
                     + test_case_bonus * passed / total
                     + tool_bonus * used_tool     a call that really ran, once
                     - debug_penalty * extra      failed attempts after the first, capped )

Grading happens in the episode (``verl_ext.agent_loop``); this module runs no program and imports neither
torch nor verl. ``compute_score`` is the function verl calls.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from verl_ext.agent_loop.episode import EpisodeFacts

KINDS = ("shaped", "all_pass")


@dataclass(frozen=True, slots=True)
class ShapedWeights:
    """Weights of the shaped reward; see the module docstring for the formula.

    Raises:
        ValueError: When a weight is out of range, or an unsolved episode could earn as much as a solved one.
    """

    scale: float
    test_case_bonus: float
    tool_bonus: float
    debug_penalty: float
    max_debug_attempts: int

    def __post_init__(self) -> None:
        if self.scale <= 0:
            raise ValueError(f"reward.scale must be above 0, got {self.scale}")
        for name in ("test_case_bonus", "tool_bonus", "debug_penalty", "max_debug_attempts"):
            if getattr(self, name) < 0:
                raise ValueError(f"reward.{name} must not be negative, got {getattr(self, name)}")
        # worst solved: 1 + bonus - penalty * cap; best unsolved: below bonus + tool
        worst_gap = 1.0 - self.debug_penalty * self.max_debug_attempts - self.tool_bonus
        if worst_gap <= 0:
            raise ValueError(
                "reward.debug_penalty * reward.max_debug_attempts + reward.tool_bonus must stay below 1, got "
                f"{1.0 - worst_gap:g}: an unsolved episode could earn as much as a solved one"
            )


@dataclass(frozen=True, slots=True)
class Reward:
    """A score and the parts it is made of, already scaled; the parts add up to the score."""

    score: float
    parts: Mapping[str, float]


def shaped_reward(facts: EpisodeFacts, weights: ShapedWeights) -> Reward:
    """The shaped reward of one episode.

    Raises:
        ValueError: For a void episode, which has no reward at all.
    """
    if facts.void:
        raise ValueError("a void episode has no reward")
    extra_attempts = min(max(facts.num_failed_attempts - 1, 0), weights.max_debug_attempts)
    parts = {
        "base": 1.0 if facts.solved else 0.0,
        "test_case_bonus": weights.test_case_bonus * facts.hidden_passed / facts.hidden_total,
        "tool_bonus": weights.tool_bonus if facts.num_tool_calls else 0.0,
        "debug_penalty": -weights.debug_penalty * extra_attempts,
    }
    scaled = {name: weights.scale * value for name, value in parts.items()}
    return Reward(sum(scaled.values()), scaled)


def compute_score(
    data_source: str,
    solution_str: str,
    ground_truth: str,
    extra_info: Mapping[str, Any],
    *,
    kind: str,
    scale: float,
    test_case_bonus: float,
    tool_bonus: float,
    debug_penalty: float,
    max_debug_attempts: int,
) -> dict[str, float]:
    """verl's ``reward.custom_reward_function`` for the debugging recipe.

    Args:
        data_source: Not used.
        solution_str: Not used; the episode was graded where it ran.
        ground_truth: Not used.
        extra_info: ``extra_info["episode"]`` holds ``EpisodeFacts.to_dict()``, put there by the agent loop.
        kind: ``shaped``, or ``all_pass`` for 1.0 when every hidden case passes and 0.0 otherwise.
        scale: See ``ShapedWeights``, as the other weights.

    Returns:
        ``score``, ``solved``, ``solved_first`` and every part as ``part_<name>``; all floats.

    Raises:
        KeyError: When the rollout did not run in this project's agent loop.
        ValueError: When ``kind`` is not one of ``KINDS``.
    """
    if kind not in KINDS:
        raise ValueError(f"reward kind {kind!r} is not one of {', '.join(KINDS)}")
    facts = EpisodeFacts.from_dict(dict(extra_info["episode"]))
    weights = ShapedWeights(scale, test_case_bonus, tool_bonus, debug_penalty, max_debug_attempts)
    reward = shaped_reward(facts, weights)
    score = reward.score if kind == "shaped" else float(facts.solved)
    return {
        "score": score,
        "solved": float(facts.solved),
        "solved_first": float(facts.first_solved_attempt == 1),
        **{f"part_{name}": value for name, value in reward.parts.items()},
    }
