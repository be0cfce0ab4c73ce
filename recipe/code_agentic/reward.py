"""The debugging recipe's rewards: arithmetic on an episode's facts and the text of its final program.

    reward = scale * ( base                       1.0 when every hidden case passes, else 0
                     + test_case_bonus * passed / total
                     + tool_bonus * used_tool     a call that really ran, once
                     - debug_penalty * extra      failed attempts after the first, capped
                     + quality_bonus * quality          solved episodes only, off by default
                     + efficiency_bonus * efficiency )  solved episodes only, off by default

Grading happens in the episode (``verl_ext.agent_loop``); this module runs no program and imports neither
torch nor verl. ``compute_score`` is the function verl calls.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from recipe.code_agentic.quality import program_quality
from verl_ext.agent_loop.episode import EpisodeFacts

KINDS = ("shaped", "all_pass")

SCALE_RANGE = (0.001, 1000.0)
MAX_BONUS = 100.0
FLOOR_RANGE_S = (0.001, 60.0)
# Least that a solved episode earns more than an unsolved one, in units of ``scale``: within the ranges above
# far more than what rounding to 32 bits, which verl does, can take away.
_LEAST_LEAD = 0.01


@dataclass(frozen=True, slots=True)
class ShapedWeights:
    """Weights of the shaped reward; see the module docstring for the formula.

    Attributes:
        scale: Factor on the sum, 0.001 to 1000.
        test_case_bonus: For the share of hidden cases that pass, 0 to 100.
        tool_bonus: For a call that really ran, 0 to 100.
        debug_penalty: Per failed attempt after the first, 0 to 100.
        max_debug_attempts: Failed attempts after the first that are penalised at most.
        quality_bonus: For the quality (0 to 1) of a program that solves, 0 to 100.
        efficiency_bonus: For the efficiency (0 to 1) of a program that solves, 0 to 100.
        efficiency_floor_s: CPU seconds, 0.001 to 60; a shorter run counts as this long.

    Raises:
        ValueError: When a weight is out of range, or an unsolved episode could earn as much as a solved one.
    """

    scale: float
    test_case_bonus: float
    tool_bonus: float
    debug_penalty: float
    max_debug_attempts: int
    quality_bonus: float
    efficiency_bonus: float
    efficiency_floor_s: float

    def __post_init__(self) -> None:
        ranges = {
            "scale": SCALE_RANGE,
            "efficiency_floor_s": FLOOR_RANGE_S,
            **dict.fromkeys(
                ("test_case_bonus", "tool_bonus", "debug_penalty", "quality_bonus", "efficiency_bonus"),
                (0.0, MAX_BONUS),
            ),
        }
        for name, (low, high) in ranges.items():
            value = getattr(self, name)
            if type(value) not in (int, float) or not low <= value <= high:  # not a number is in no range
                raise ValueError(f"{name}={value} must be a number at least {low:g} and at most {high:g}")
        if type(self.max_debug_attempts) is not int or self.max_debug_attempts < 0:
            raise ValueError(
                f"max_debug_attempts={self.max_debug_attempts} must be a whole number of at least 0"
            )
        # Worst solved: 1 + test_case_bonus - penalties. Best unsolved: below test_case_bonus + tool_bonus.
        given_away = self.debug_penalty * self.max_debug_attempts + self.tool_bonus
        if given_away > 1.0 - _LEAST_LEAD:
            raise ValueError(
                f"debug_penalty={self.debug_penalty:g} times max_debug_attempts={self.max_debug_attempts} "
                f"plus tool_bonus={self.tool_bonus:g} is {given_away:g}, with which an unsolved episode can "
                f"earn as much as a solved one; lower them until it is at most {1.0 - _LEAST_LEAD:g}"
            )


@dataclass(frozen=True, slots=True)
class Reward:
    """A score and the parts it is made of, already scaled; the parts add up to the score."""

    score: float
    parts: Mapping[str, float]


def shaped_reward(facts: EpisodeFacts, weights: ShapedWeights, quality: float | None = None) -> Reward:
    """The shaped reward of one episode.

    Args:
        facts: Of the episode.
        weights: Of the parts.
        quality: Of the final program, 0 to 1; None when it has none.

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
        # Only on top of a solution: nothing that fails a case can make up for it by looks or by speed.
        "quality_bonus": weights.quality_bonus * (quality or 0.0) if facts.solved else 0.0,
        "efficiency_bonus": weights.efficiency_bonus * (efficiency(facts, weights.efficiency_floor_s) or 0.0),
    }
    scaled = {name: weights.scale * value for name, value in parts.items()}
    return Reward(sum(scaled.values()), scaled)


def efficiency(facts: EpisodeFacts, floor_s: float) -> float | None:
    """CPU time of the reference over that of the final program, 0 to 1.

        efficiency = min(1, median over the hidden cases of max(reference, floor) / max(program, floor))

    Not above 1, so that nothing is gained by being lucky in the measurement or faster than asked. The median
    does without the cases that were disturbed, and below the floor the start of the interpreter and the noise
    of the machine are all there is to compare.

    Args:
        facts: Of the episode.
        floor_s: CPU seconds; a shorter run counts as this long.

    Returns:
        The number, or None for an episode that is not solved or was not measured.
    """
    if not facts.solved or facts.program_cpu_s is None or facts.reference_cpu_s is None:
        return None
    ratios = [
        max(reference_s, floor_s) / max(program_s, floor_s)
        for reference_s, program_s in zip(facts.reference_cpu_s, facts.program_cpu_s, strict=True)
    ]
    return min(1.0, statistics.median(ratios))


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
    quality_bonus: float,
    efficiency_bonus: float,
    efficiency_floor_s: float,
) -> dict[str, float]:
    """verl's ``reward.custom_reward_function`` for the debugging recipe.

    Args:
        data_source: Not used.
        solution_str: Not used.
        ground_truth: Not used; the episode was graded where it ran.
        extra_info: ``episode`` holds ``EpisodeFacts.to_dict()``, ``program`` the final program and
            ``language`` its language, put there by the agent loop.
        kind: ``shaped``, or ``all_pass`` for 1.0 when every hidden case passes and 0.0 otherwise.
        scale: See ``ShapedWeights``, as the other weights.

    Returns:
        ``score``, ``solved``, ``solved_first``, ``quality_measured``, ``efficiency_measured`` and every part
        as ``part_<name>``; all floats.

    Raises:
        KeyError: When the rollout did not run in this project's agent loop.
        ValueError: When ``kind`` is not one of ``KINDS``.
    """
    if kind not in KINDS:
        raise ValueError(f"reward kind {kind!r} is not one of {', '.join(KINDS)}")
    facts = EpisodeFacts.from_dict(dict(extra_info["episode"]))
    weights = ShapedWeights(
        scale,
        test_case_bonus,
        tool_bonus,
        debug_penalty,
        max_debug_attempts,
        quality_bonus,
        efficiency_bonus,
        efficiency_floor_s,
    )
    wants_quality = quality_bonus > 0 and facts.solved and extra_info["language"] == "python"
    quality = program_quality(extra_info["program"]) if wants_quality else None
    reward = shaped_reward(facts, weights, quality)
    score = reward.score if kind == "shaped" else float(facts.solved)
    return {
        "score": score,
        "solved": float(facts.solved),
        "solved_first": float(facts.first_solved_attempt == 1),
        **{f"part_{name}": value for name, value in reward.parts.items()},
        # Without them the mean of a part does not tell a bad program from one that was not measured.
        "quality_measured": float(quality is not None),
        "efficiency_measured": float(efficiency(facts, efficiency_floor_s) is not None),
    }
