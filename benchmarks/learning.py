"""What docs/RESULTS.md quotes: rates of base, SFT and RL over several seeds, as a Markdown table.

    for seed in 0 1 2; do bash scripts/quickstart.sh outputs/results/$seed $seed; done
    python benchmarks/learning.py outputs/results/*/evaluation/evaluation.json

Each cell is the mean over seeds with its 95 % interval (Student's t over seeds: the seed moves data, weights
and sampling), then the seeds' own values.
"""

from __future__ import annotations

import json
import math
import statistics
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

# (title, decoding, split, subset, rate)
ROWS = (
    ("held-out parameters, sampled, 1st attempt", "sampled", "test", "all", "solved_within_1"),
    ("held-out parameters, sampled, within 3", "sampled", "test", "all", "solved_within_3"),
    ("held-out parameters, greedy, 1st attempt", "greedy", "test", "all", "solved_within_1"),
    ("held-out parameters, greedy, within 3", "greedy", "test", "all", "solved_within_3"),
    ("verdict-only problems, sampled, 1st attempt", "sampled", "test", "verdict_only", "solved_within_1"),
    ("verdict-only problems, sampled, within 3", "sampled", "test", "verdict_only", "solved_within_3"),
    ("verdict-only problems, greedy, 1st attempt", "greedy", "test", "verdict_only", "solved_within_1"),
    ("verdict-only problems, greedy, within 3", "greedy", "test", "verdict_only", "solved_within_3"),
    ("held-out families, sampled, 1st attempt", "sampled", "held_out_families", "all", "solved_within_1"),
    ("held-out families, sampled, within 3", "sampled", "held_out_families", "all", "solved_within_3"),
    ("held-out families, greedy, 1st attempt", "greedy", "held_out_families", "all", "solved_within_1"),
    ("held-out families, greedy, within 3", "greedy", "held_out_families", "all", "solved_within_3"),
    ("error recovery, held-out parameters, sampled", "sampled", "test", "all", "error_recovery"),
)
# two-sided 95 % quantiles of Student's t for 1, 2, ... degrees of freedom
STUDENT_T = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262)


def rate(summary: dict[str, Any], decoding: str, split: str, subset: str, name: str) -> float | None:
    """One rate of one model in percent; None where it applies to no episode."""
    estimate = summary[decoding][split][subset]["rates"][name]
    return None if estimate is None else 100 * estimate["value"]


def cell(values: Sequence[float | None]) -> str:
    """Mean, interval and the seeds' values."""
    known = [value for value in values if value is not None]
    if not known:
        return "n/a"
    mean = statistics.fmean(known)
    each = "/".join(f"{value:.0f}" for value in known)
    if len(known) < 2:
        return f"{mean:.1f}"
    half = STUDENT_T[len(known) - 2] * statistics.stdev(known) / math.sqrt(len(known))
    return f"{mean:.1f} ± {half:.1f} ({each})"


def main(paths: Sequence[str]) -> None:
    """Prints the table of the given evaluation files, one per seed."""
    evaluations = [json.loads(Path(path).read_text(encoding="utf-8")) for path in paths]
    names = [model["name"] for model in evaluations[0]["models"]]
    print(f"| %, mean of {len(evaluations)} seeds | {' | '.join(names)} |")
    print(f"|---|{'---|' * len(names)}")
    for title, *key in ROWS:
        cells = [
            cell([rate(evaluation["models"][index]["summary"], *key) for evaluation in evaluations])
            for index in range(len(names))
        ]
        print(f"| {title} | {' | '.join(cells)} |")


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit("usage: python benchmarks/learning.py EVALUATION.json ...")
    main(sys.argv[1:])
