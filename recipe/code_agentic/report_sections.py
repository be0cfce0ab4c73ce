"""The report's sections as plain values for the template: cards, headline, charts, mixes and tables.

Reads the result of an evaluation (``evaluation.json``) and nothing else. Wording and order of the page's
numbers live here; looks live in the template.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from recipe.code_agentic.report_charts import Series, line_chart

Evaluation = Mapping[str, Any]
Metrics = Mapping[str, Sequence[tuple[int, float]]]

# (label, subset of the problems, rate)
HEADLINE = (
    ("Solved at the first attempt", "all", "solved_within_1"),
    ("Solved within 3 attempts", "all", "solved_within_3"),
    ("Final program is right", "all", "solved"),
    ("Recovered after a failed first attempt", "all", "error_recovery"),
    ("Verdict-only problems, first attempt", "verdict_only", "solved_within_1"),
    ("Verdict-only problems, within 3 attempts", "verdict_only", "solved_within_3"),
)
CARDS = (
    ("First attempt", "sampled", "all", "solved_within_1"),
    ("Within 3 attempts", "sampled", "all", "solved_within_3"),
    ("First attempt", "greedy", "all", "solved_within_1"),
    ("Verdict-only, within 3", "sampled", "verdict_only", "solved_within_3"),
)
# (title, metric names of which the first that is there is drawn, per cent)
CURVES = (
    ("Solved, episodes in training", ("reward/solved",), True),
    ("Solved at the first attempt, in training", ("reward/solved_first",), True),
    ("Reward", ("reward/score", "critic/score/mean"), False),
    ("Response length, tokens", ("response_length/mean",), False),
    ("Attempts per episode", ("episode/num_attempts",), False),
    (
        "Agreement of rollout and trainer (Pearson r of token probabilities)",
        ("training/rollout_actor_probs_pearson_corr",),
        False,
    ),
    ("Entropy, nats per token", ("actor/entropy",), False),
    ("SFT loss, training", ("train/loss",), False),
    ("SFT loss, validation", ("val/loss",), False),
)
VERDICTS = (
    "passed",
    "wrong_answer",
    "runtime_error",
    "compile_error",
    "time_limit",
    "memory_limit",
    "output_limit",
    "no_program",
)
STOPS = ("final_answer", "max_turns", "max_response_tokens", "overlong_prompt", "sandbox_failure")


def slices(evaluation: Evaluation) -> list[tuple[str, str]]:
    """(split, decoding) pairs that any model has: the split called test first, sampled before greedy."""
    pairs = {
        (split, decoding)
        for model in evaluation["models"]
        for decoding, of_split in model["summary"].items()
        for split in of_split
    }
    return sorted(pairs, key=lambda pair: (pair[0] != "test", pair[0], pair[1] != "sampled"))


def slice_title(evaluation: Evaluation, decoding: str) -> str:
    """How a decoding is called on the page."""
    settings = next(entry for entry in evaluation["decodings"] if entry["name"] == decoding)
    if decoding == "greedy":
        return "greedy"
    samples = settings["num_samples"]
    return f"sampled, T = {settings['temperature']:g}, {samples} episode{'s' * (samples > 1)} per problem"


def cards(evaluation: Evaluation) -> list[dict[str, Any]]:
    """The numbers to see first, of the first split."""
    found = slices(evaluation)
    if not found:
        return []
    split = found[0][0]
    result = []
    for label, decoding, subset, rate in CARDS:
        values = [_rate(model, decoding, split, subset, rate) for model in evaluation["models"]]
        if any(values):
            names = [model["name"] for model in evaluation["models"]]
            steps = [
                {"name": name, "value": value["value"] if value else None, "color": color}
                for color, (name, value) in enumerate(zip(names, values, strict=True))
            ]
            result.append({"label": label, "note": f"{split} · {decoding}", "steps": steps})
    return result


def headline(evaluation: Evaluation) -> list[dict[str, Any]]:
    """One group of rows per (split, decoding), with the paired differences."""
    groups = []
    for split, decoding in slices(evaluation):
        rows = []
        for label, subset, rate in HEADLINE:
            estimates = [_rate(model, decoding, split, subset, rate) for model in evaluation["models"]]
            if not any(estimates):
                continue
            differences = [
                pair["differences"].get(decoding, {}).get(split, {}).get(subset, {}).get(rate)
                for pair in evaluation["comparisons"]
            ]
            rows.append(
                {"label": label, "cells": estimates, "differences": differences, "sub": subset != "all"}
            )
        counts = [_all(model, decoding, split) for model in evaluation["models"]]
        groups.append(
            {
                "split": split,
                "decoding": slice_title(evaluation, decoding),
                "problems": max((found["num_problems"] for found in counts if found), default=0),
                "rows": rows,
            }
        )
    return groups


def headline_text(evaluation: Evaluation) -> str:
    """The headline for a terminal: rates with intervals, differences of neighbours, one block per slice."""
    names = [model["name"] for model in evaluation["models"]]
    neighbours = [
        index
        for index, pair in enumerate(evaluation["comparisons"])
        if names.index(pair["after"]) == names.index(pair["before"]) + 1
    ]
    titles = [evaluation["comparisons"][index] for index in neighbours]
    columns = [*names, *(f"{pair['after']} - {pair['before']}" for pair in titles)]
    lines = []
    for group in headline(evaluation):
        title = f"{group['split']}, {group['decoding']}, {group['problems']} problems"
        lines += ["", title, " " * 42 + "".join(f"{column:>24}" for column in columns)]
        for row in group["rows"]:
            rates = [_text(found, "{:.1f}", " % [{:.1f}, {:.1f}]") for found in row["cells"]]
            changes = [
                _text(row["differences"][index], "{:+.1f}", " [{:+.1f}, {:+.1f}]") for index in neighbours
            ]
            lines.append(f"  {row['label']:<40}" + "".join(f"{text:>24}" for text in [*rates, *changes]))
    return "\n".join(lines).lstrip("\n")


def _text(found: Mapping[str, Any] | None, value: str, interval: str) -> str:
    if found is None:
        return "-"
    return value.format(100 * found["value"]) + interval.format(100 * found["low"], 100 * found["high"])


def within_charts(evaluation: Evaluation) -> Iterator[dict[str, Any]]:
    """Solve rate against the number of attempts allowed, one chart per (split, decoding)."""
    for split, decoding in slices(evaluation):
        lines = []
        for color, model in enumerate(evaluation["models"]):
            summary = _all(model, decoding, split)
            found = [summary["rates"][f"solved_within_{k}"] for k in range(1, 6)] if summary else []
            if found and all(found):
                points = [(float(k), estimate["value"]) for k, estimate in enumerate(found, start=1)]
                band = [(estimate["low"], estimate["high"]) for estimate in found]
                lines.append(Series(model["name"], color, points, band))
        if lines:
            chart = line_chart(lines, percent=True, x_label="attempts", y_range=(0.0, 1.0), whole_x=True)
            yield {"split": split, "decoding": decoding, "chart": chart}


def curve_charts(evaluation: Evaluation, metrics: Mapping[str, Metrics]) -> Iterator[dict[str, Any]]:
    """Learning curves: for each wanted metric the runs that logged it, a run in its model's colour."""
    models = [model["name"].lower() for model in evaluation["models"]]
    others = [label.lower() for label in metrics if label.lower() not in models]
    for title, names, percent in CURVES:
        lines = []
        for label, logged in metrics.items():
            color = (models + others).index(label.lower())
            name = next((name for name in names if logged.get(name)), None)
            if name is not None:
                lines.append(Series(label, color, [(float(step), value) for step, value in logged[name]]))
        if lines:
            chart = line_chart(lines, percent=percent, x_label="step", smooth=True)
            yield {
                "title": title,
                "chart": chart,
                "runs": [
                    {"label": line.label, "color": line.color, "last": line.points[-1][1]} for line in lines
                ],
                "percent": percent,
            }


def mixes(evaluation: Evaluation) -> Iterator[dict[str, Any]]:
    """Stacked bars per (split, decoding): what the final program did, and why the episode ended."""
    for split, decoding in slices(evaluation):
        for title, key, names, prefix in (
            ("Final program on the hidden cases", "final_verdicts", VERDICTS, "v-"),
            ("Attempts on the public cases", "tool_verdicts", VERDICTS, "v-"),
            ("Why the episode ended", "stop_reasons", STOPS, "e-"),
        ):
            bars = []
            seen: set[str] = set()
            for model in evaluation["models"]:
                summary = _all(model, decoding, split)
                counts = (
                    {name: summary[key][name] for name in names if name in summary[key]} if summary else {}
                )
                total = sum(counts.values())
                if total:
                    pieces = [
                        {"name": name, "css": prefix + name, "count": count, "share": count / total}
                        for name, count in counts.items()
                    ]
                    bars.append({"model": model["name"], "pieces": pieces})
                    seen.update(counts)
            if bars:
                legend = [
                    {"name": name.replace("_", " "), "css": prefix + name} for name in names if name in seen
                ]
                yield {"split": split, "decoding": decoding, "title": title, "bars": bars, "legend": legend}


def behaviour(evaluation: Evaluation) -> Iterator[dict[str, Any]]:
    """Means, latency and counts per model and (split, decoding)."""
    for split, decoding in slices(evaluation):
        for color, model in enumerate(evaluation["models"]):
            summary = _all(model, decoding, split)
            if summary:
                errors = sorted(summary["errors"].items(), key=lambda pair: -pair[1])[:4]
                yield {
                    "split": split,
                    "decoding": decoding,
                    "model": model["name"],
                    "color": color,
                    "summary": summary,
                    "errors": ", ".join(f"{name} {count}" for name, count in errors),
                }


def group_tables(evaluation: Evaluation) -> Iterator[dict[str, Any]]:
    """Rates per difficulty and per family, hardest for the last model first."""
    for split, decoding in slices(evaluation):
        for key in ("difficulty", "family"):
            of_model = [
                model["summary"].get(decoding, {}).get(split, {}).get(key, {})
                for model in evaluation["models"]
            ]
            names = [
                name for name in dict.fromkeys(name for found in of_model for name in found) if name != "None"
            ]
            rows = [
                {
                    "name": name,
                    "problems": max(found[name]["num_problems"] for found in of_model if name in found),
                    "cells": [
                        [found.get(name, {}).get("rates", {}).get(f"solved_within_{k}") for k in (1, 3)]
                        for found in of_model
                    ],
                }
                for name in names
            ]
            if key == "difficulty":
                order = {name: place for place, name in enumerate(("easy", "medium", "hard"))}
                rows.sort(key=lambda row: order.get(row["name"], len(order)))
            else:
                rows.sort(key=_last_value)
            if rows:
                yield {"split": split, "decoding": decoding, "key": key, "rows": rows}


def _last_value(row: Mapping[str, Any]) -> tuple[float, str]:
    first_attempt = row["cells"][-1][0]
    return (first_attempt["value"] if first_attempt else 2.0, row["name"])


def _all(model: Mapping[str, Any], decoding: str, split: str) -> dict[str, Any] | None:
    found: dict[str, Any] | None = model["summary"].get(decoding, {}).get(split, {}).get("all")
    return found if found and found["num_episodes"] else None


def _rate(
    model: Mapping[str, Any], decoding: str, split: str, subset: str, rate: str
) -> dict[str, Any] | None:
    found = model["summary"].get(decoding, {}).get(split, {}).get(subset)
    return found["rates"][rate] if found else None
