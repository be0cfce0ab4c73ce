"""What another reward changes: both rewards' distributions, how far they agree, and who changed sides.

Reads the records that ``regrade_run`` wrote, one at a time, earlier starts included. Keeps two numbers per
episode in memory.
"""

from __future__ import annotations

from array import array
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

_QUANTILES = {"min": 0.0, "p10": 0.1, "median": 0.5, "p90": 0.9, "max": 1.0}
_MAX_EXAMPLES = 100
_SAME = 1e-9


@dataclass(slots=True)
class RegradeSummary:
    """Counts and scores so far."""

    counts: Counter[str] = field(default_factory=Counter)
    old: array[float] = field(default_factory=lambda: array("d"))
    new: array[float] = field(default_factory=lambda: array("d"))
    new_only: array[float] = field(default_factory=lambda: array("d"))
    sums: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    flips: list[dict[str, Any]] = field(default_factory=list)

    def add(self, record: Mapping[str, Any], file: str) -> None:
        """Takes one scored record of a file in."""
        note, facts = record["regrade"], record["facts"]
        self.counts["num_episodes"] += 1
        if facts["void"]:
            self.counts["num_void"] += 1
            return
        self.counts["num_scored"] += 1
        self.counts["num_solved_old"] += note["old_solved"]
        self.counts["num_solved_new"] += facts["solved"]
        self.counts["num_other_cases"] += note["other_cases"]
        for name, value in record["reward"].items():
            if isinstance(value, int | float):
                self.sums[name] += value
        if note["old_solved"] != facts["solved"]:
            self._add_flip(record, file)
        score = record["reward"]["score"]
        old_score = note["old_reward"].get("score")
        if old_score is None:
            self.new_only.append(score)
        else:
            self.old.append(old_score)
            self.new.append(score)

    def _add_flip(self, record: Mapping[str, Any], file: str) -> None:
        direction = "unsolved_to_solved" if record["facts"]["solved"] else "solved_to_unsolved"
        self.counts[direction] += 1
        if len(self.flips) < _MAX_EXAMPLES:
            verdicts = Counter(record["final_verdicts"])
            self.flips.append(
                {
                    "file": file,
                    "line": record["regrade"]["line"],
                    "query_id": record["query_id"],
                    "direction": direction,
                    "verdicts": dict(verdicts),
                }
            )

    def result(self) -> dict[str, Any]:
        """Everything as plain values.

        ``old``, ``new`` and ``agreement`` are over the episodes that have both scores (``new`` over all where
        none has): ``same_score`` is the share that has the same, ``correlation`` Pearson's r, None where one
        of them does not vary. ``means`` are over all that were scored.
        """
        old, new = np.asarray(self.old), np.asarray(self.new)
        num_scored = self.counts["num_scored"]
        return {
            **{name: self.counts[name] for name in ("num_episodes", "num_scored", "num_void")},
            "num_without_old_score": len(self.new_only),
            "num_other_cases": self.counts["num_other_cases"],
            "old": _distribution(old),
            "new": _distribution(new if len(new) else np.asarray(self.new_only)),
            "agreement": {
                "num": len(old),
                "same_score": float(np.mean(np.abs(old - new) <= _SAME)) if len(old) else None,
                "correlation": _correlation(old, new),
            },
            "solved": {
                "old": self.counts["num_solved_old"],
                "new": self.counts["num_solved_new"],
                "solved_to_unsolved": self.counts["solved_to_unsolved"],
                "unsolved_to_solved": self.counts["unsolved_to_solved"],
                "examples": self.flips,
            },
            "means": {name: total / num_scored for name, total in sorted(self.sums.items())},
        }


def summary_text(result: Mapping[str, Any]) -> str:
    """The result for a terminal."""
    lines = [
        f"{result['num_episodes']} episodes: {result['num_scored']} scored, {result['num_void']} void "
        "(they have no reward)"
    ]
    if result["old"] and result["new"]:
        lines.append(f"{'reward':10}{'old':>12}{'new':>12}")
        lines += [f"{name:10}{old:12.4f}{result['new'][name]:12.4f}" for name, old in result["old"].items()]
        agreement, correlation = result["agreement"], result["agreement"]["correlation"]
        shown = "-" if correlation is None else f"{correlation:.4f}"
        lines.append(f"same score {agreement['same_score']:.1%}, correlation {shown}")
    elif result["new"]:
        lines.append(f"new mean reward {result['new']['mean']:.4f}; the records have no old one")
    solved = result["solved"]
    lines.append(
        f"solved {solved['old']} -> {solved['new']}: {solved['solved_to_unsolved']} no longer, "
        f"{solved['unsolved_to_solved']} now"
    )
    if result["num_other_cases"]:
        lines.append(f"{result['num_other_cases']} were graded on other cases than before")
    return "\n".join(lines)


def _distribution(scores: np.ndarray) -> dict[str, float] | None:
    if not len(scores):
        return None
    quantiles = np.quantile(scores, list(_QUANTILES.values()))
    return {
        "mean": float(scores.mean()),
        "std": float(scores.std()),
        **{name: float(value) for name, value in zip(_QUANTILES, quantiles, strict=True)},
    }


def _correlation(old: np.ndarray, new: np.ndarray) -> float | None:
    if len(old) < 2 or old.std() == 0 or new.std() == 0:
        return None
    return float(np.corrcoef(old, new)[0, 1])
