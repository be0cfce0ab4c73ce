"""What docs/RESULTS.md quotes: rates of base, SFT and RL over several seeds, as a Markdown table.

    for seed in 0 1 2; do bash scripts/quickstart.sh outputs/results/$seed $seed; done
    python benchmarks/learning.py outputs/results/*/evaluation/evaluation.json

Each cell is the mean over seeds with its 95 % interval (Student's t over seeds: the seed moves data, held-out
families, weights and sampling), then the seeds' own values; the last column is the last model minus the one
before it, seed by seed. Below the table: how well the sampled and the trained policy agreed in every RL step.
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
AGREEMENT = "training/rollout_actor_probs_pearson_corr"
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


def difference(after: float | None, before: float | None) -> float | None:
    """Points gained; None where either rate applies to no episode."""
    return None if after is None or before is None else after - before


def agreement(evaluation: Path) -> list[float]:
    """Correlation of sampled and trained token probabilities, one for each RL step of the run."""
    lines = (
        line
        for file in sorted(evaluation.parents[1].glob("rl/metrics/*.jsonl"))
        for line in file.read_text(encoding="utf-8").splitlines()
    )
    return [data[AGREEMENT] for data in (json.loads(line)["data"] for line in lines) if AGREEMENT in data]


def main(paths: Sequence[str]) -> None:
    """Prints the table of the given evaluation files, one per seed."""
    evaluations = [json.loads(Path(path).read_text(encoding="utf-8")) for path in paths]
    names = [model["name"] for model in evaluations[0]["models"]]
    print(f"| %, mean of {len(evaluations)} seeds | {' | '.join([*names, f'{names[-1]} - {names[-2]}'])} |")
    print(f"|---|{'---|' * (len(names) + 1)}")
    for title, *key in ROWS:
        rates = [
            [rate(evaluation["models"][index]["summary"], *key) for evaluation in evaluations]
            for index in range(len(names))
        ]
        gained = [difference(after, before) for before, after in zip(*rates[-2:], strict=True)]
        print(f"| {title} | {' | '.join(map(cell, [*rates, gained]))} |")
    steps = [correlation for path in paths for correlation in agreement(Path(path))]
    print(f"\nlowest {AGREEMENT} of {len(steps)} RL steps: {min(steps, default=math.nan):.7f}")


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit("usage: python benchmarks/learning.py EVALUATION.json ...")
    main(sys.argv[1:])
