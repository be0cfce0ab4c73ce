"""The evaluation as one HTML file that opens anywhere, without a network.

``python -m recipe.code_agentic.report EVALUATION_JSON [--metrics LABEL=PATH ...]`` makes it again from what
``evaluate`` wrote. Owns reading and putting together; numbers are ``metrics``', sections
``report_sections``', episodes ``report_episodes``'. Needs neither torch nor verl.
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from recipe.code_agentic import report_sections as sections
from recipe.code_agentic.report_episodes import choose_episodes, episodes_json, outcome
from verl_ext.agent_loop.trajectory import read_trajectories
from verl_ext.cli import HelpFormatter, run_main

SCHEMA_VERSION = 1
DEFAULT_MAX_EPISODES = 200


def main(arguments: Sequence[str] | None = None) -> None:
    """Writes the page and says where it is, or prints the numbers."""
    parser = argparse.ArgumentParser(
        prog="python -m recipe.code_agentic.report", description=__doc__, formatter_class=HelpFormatter
    )
    parser.add_argument("evaluation", type=Path, help="evaluation.json, its trajectory files beside it")
    parser.add_argument(
        "--metrics",
        action="append",
        metavar="LABEL=PATH",
        help="training metrics for the learning curves instead of those the evaluation names",
    )
    parser.add_argument("--max-episodes", type=int, default=DEFAULT_MAX_EPISODES, help="episodes per model")
    parser.add_argument("--summary", action="store_true", help="print the numbers instead; writes no page")
    parser.add_argument("--output", type=Path, help="default: report.html beside the evaluation")
    given = parser.parse_args(arguments)
    if given.summary:
        print(sections.headline_text(_read_evaluation(given.evaluation)))
        return
    metrics = None
    if given.metrics is not None:
        metrics = dict(entry.partition("=")[::2] for entry in given.metrics)
    path = write_report(
        given.evaluation, metrics=metrics, max_episodes=given.max_episodes, output=given.output
    )
    print(f"report: {path}")


def write_report(
    evaluation_file: Path,
    *,
    max_episodes: int,
    metrics: Mapping[str, str] | None = None,
    output: Path | None = None,
) -> Path:
    """Writes the page of one evaluation.

    Args:
        evaluation_file: What ``evaluate`` wrote; trajectory files lie beside it.
        max_episodes: Episodes per model that the page carries.
        metrics: Label -> training metrics, see ``read_metrics``; None means those the evaluation names.
        output: None means ``report.html`` beside the evaluation.

    Returns:
        Path of the page.

    Raises:
        ValueError: When a file is missing or can't be read.
    """
    evaluation = _read_evaluation(evaluation_file)
    folder = evaluation_file.parent
    shown: list[Mapping[str, Any]] = []
    totals: dict[str, int] = {}
    for model in evaluation["models"]:
        latest = {
            (record["decoding"], record["split"], record["query_id"], record["sample"]): record
            for record in read_trajectories(folder / model["trajectories"])
        }
        totals[model["name"]] = len(latest)
        shown += choose_episodes(list(latest.values()), max_episodes, evaluation["seed"])
    sources = evaluation["metrics"] if metrics is None else metrics
    page = render_page(
        evaluation,
        shown,
        totals,
        {label: read_metrics(Path(path)) for label, path in sources.items()},
        _provenance(folder / "provenance.json"),
    )
    path = output or folder / "report.html"
    partial = path.with_name(path.name + ".partial")
    # A model may have produced half a surrogate pair, which UTF-8 can't hold.
    partial.write_text(page, encoding="utf-8", errors="replace")
    partial.replace(path)
    return path


def render_page(
    evaluation: Mapping[str, Any],
    episodes: Sequence[Mapping[str, Any]],
    episode_totals: Mapping[str, int],
    metrics: Mapping[str, sections.Metrics],
    provenance: Mapping[str, Any],
) -> str:
    """The page's HTML.

    Args:
        evaluation: What ``evaluate`` wrote.
        episodes: Records to carry.
        episode_totals: Model -> episodes there are, carried or not.
        metrics: Run -> metric -> (step, value).
        provenance: The last start of the evaluation; may be empty.
    """
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["percent"] = lambda value: f"{100 * value:.1f}"
    environment.filters["signed"] = _signed_points
    return environment.get_template("report_page.html.jinja").render(
        evaluation=evaluation,
        models=[model["name"] for model in evaluation["models"]],
        provenance=provenance,
        slices=sections.slices(evaluation),
        cards=sections.cards(evaluation),
        headline=sections.headline(evaluation),
        within=list(sections.within_charts(evaluation)),
        curves=list(sections.curve_charts(evaluation, metrics)),
        mixes=list(sections.mixes(evaluation)),
        behaviour=list(sections.behaviour(evaluation)),
        groups=list(sections.group_tables(evaluation)),
        num_shown=len(episodes),
        num_total=sum(episode_totals.values()),
        outcomes=sorted({outcome(record) for record in episodes}),
        episodes=Markup(episodes_json(episodes)),
    )


def read_metrics(path: Path) -> dict[str, list[tuple[int, float]]]:
    """Metric -> (step, value), ascending, of one run.

    Args:
        path: A JSON-lines file of ``{"step": n, "data": {...}}`` (verl's file logger), a folder of such
            parts in the order of their names (one per start of a resumed run; later parts win for repeated
            steps), or a TensorBoard folder.

    Raises:
        ValueError: When there is nothing of the kind or a line can't be read.
    """
    if path.is_dir():
        parts = sorted(path.glob("*.jsonl"))
        if not parts and any(path.rglob("events.out.tfevents*")):
            return _read_tensorboard(path)
    else:
        parts = [path]
    if not parts or not parts[0].is_file():
        raise ValueError(f"{path}: no metrics there (a .jsonl file, a folder of them or TensorBoard events)")
    values: dict[str, dict[int, float]] = {}
    for part in parts:
        lines = part.read_text(encoding="utf-8").splitlines(keepends=True)
        for number, line in enumerate(lines, start=1):
            try:
                entry = json.loads(line)
                step, data = int(entry["step"]), entry["data"].items()
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                if number == len(lines) and not line.endswith("\n"):
                    break  # cut by a kill
                raise ValueError(f"{part}:{number}: not a line of metrics") from error
            for name, value in data:
                if isinstance(value, int | float) and math.isfinite(value):
                    values.setdefault(name, {})[step] = float(value)
    return {name: sorted(by_step.items()) for name, by_step in values.items()}


def _read_evaluation(path: Path) -> dict[str, Any]:
    try:
        evaluation = json.loads(path.read_text(encoding="utf-8"))
        if evaluation["schema"] != SCHEMA_VERSION:
            raise ValueError(f"schema {evaluation['schema']}, this version reads {SCHEMA_VERSION}")
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{path}: not the result of an evaluation: {error!r}") from error
    return evaluation


def _read_tensorboard(path: Path) -> dict[str, list[tuple[int, float]]]:
    try:
        from tensorboard.backend.event_processing.event_multiplexer import EventMultiplexer
    except ImportError as error:
        raise ValueError(f"{path}: reading TensorBoard events needs `pip install tensorboard`") from error
    events = EventMultiplexer().AddRunsFromDirectory(str(path)).Reload()
    values: dict[str, dict[int, float]] = {}
    for run, tags in sorted(events.Runs().items()):
        for tag in tags["scalars"]:
            for event in events.Scalars(run, tag):
                if math.isfinite(event.value):
                    values.setdefault(tag, {})[event.step] = event.value
    return {name: sorted(by_step.items()) for name, by_step in values.items()}


def _signed_points(value: float) -> str:
    points = round(100 * value, 1)
    return f"{points:+.1f}".replace("-", "−") if points else "0.0"


def _provenance(path: Path) -> Mapping[str, Any]:
    if not path.exists():
        return {}
    return dict(json.loads(path.read_text(encoding="utf-8"))["starts"][-1])


if __name__ == "__main__":
    run_main(main)
