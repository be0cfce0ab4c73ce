"""Scores stored episodes again with another reward, offline: no model, and without ``rerun=true`` no sandbox.

``python -m recipe.code_agentic.regrade trajectories=FILE|DIR output=DIR reward=NAME [key=value ...]``;
configs/regrade.yaml says what there is to set. Writes the records with their new reward under the names of
their files, ``regrade.json`` (old against new) and ``provenance.json`` to ``output``; a run that was stopped
goes on where it was. Exit codes: 0 when every record was scored, 1 when some rows can't be (each is named),
2 for a mistake in the command, when no row could be scored, or when the sandbox failed for too many.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import ExitStack, asynccontextmanager, nullcontext
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf
from tqdm import tqdm

from recipe.code_agentic import value_rules
from recipe.code_agentic.checks import load_reward
from recipe.code_agentic.problem_store import ProblemStore
from recipe.code_agentic.regrade_run import FileOutcome, Rerun, score_file
from recipe.code_agentic.regrade_summary import RegradeSummary, summary_text
from verl_ext.agent_loop.trajectory import read_trajectories
from verl_ext.cli import RunFailed, compose, exit_without, run_main, warn
from verl_ext.config_values import check_values
from verl_ext.grading.grader import Grader
from verl_ext.grading.harness import Limits
from verl_ext.run_files import file_sha256, write_json, write_provenance
from verl_ext.sandbox.protocol import Sandbox
from verl_ext.sandbox.session import open_sandbox

RESULT_FILE = "regrade.json"
_MAX_NAMED = 20


def main() -> None:
    """Scores, says what changed, and fails when rows were left out."""
    config = compose("regrade", sys.argv[1:])
    if config.rerun is True:
        exit_without("pyarrow", "data")
    result = asyncio.run(regrade(config))
    print(summary_text(result))
    print(f"result: {Path(config.output) / RESULT_FILE}", flush=True)
    if bad := result["bad_rows"]:
        raise RunFailed(
            f"{len(bad)} rows could not be scored, see bad_rows in {RESULT_FILE}; the others were"
        )


async def regrade(config: DictConfig, sandbox: Sandbox | None = None) -> dict[str, Any]:
    """Runs a whole re-grading.

    Args:
        config: configs/regrade.yaml, composed.
        sandbox: Where programs run; None means the configured one. Not used without ``rerun``.

    Returns:
        What is written to ``regrade.json``.

    Raises:
        ValueError: For a mistake in the configuration or the data.
        SandboxError: When the sandbox can't be reached or failed for too many episodes.
    """
    check_values(config, value_rules.REGRADE)
    reward = load_reward(config)
    output = Path(config.output)
    sources = trajectory_files(Path(config.trajectories), output)
    problem_files = _problem_files(config)
    settings = _settings_hash(config, problem_files)
    write_provenance(output, config, [*sources, *problem_files])
    (output / RESULT_FILE).unlink(missing_ok=True)  # it says what is beside it
    outcomes: dict[str, FileOutcome] = {}
    async with _rerun(config, problem_files, sandbox) as rerun:
        size = sum(source.stat().st_size for source in sources)
        with tqdm(total=size, unit="B", unit_scale=True, mininterval=1) as bar:
            for source in sources:
                target = output / source.name
                if not config.resume:
                    target.unlink(missing_ok=True)
                outcomes[source.name] = await score_file(
                    source,
                    target,
                    reward=reward,
                    rerun=rerun,
                    settings=settings,
                    concurrency=config.concurrency,
                    max_failure_share=config.code_agentic.sandbox.max_void_share,
                    bar=bar,
                )
    summary = RegradeSummary()
    for source in sources:
        for record in read_trajectories(output / source.name):
            summary.add(record, source.name)
    result = {
        **summary.result(),
        "num_known": sum(outcome.num_known for outcome in outcomes.values()),
        "num_cut_lines": sum(outcome.num_cut for outcome in outcomes.values()),
        "bad_rows": _listed({name: outcome.bad_rows for name, outcome in outcomes.items()}),
        "sandbox_failures": _listed({name: outcome.failures for name, outcome in outcomes.items()}),
    }
    if result["bad_rows"] and not result["num_episodes"]:
        first = result["bad_rows"][0]
        raise ValueError(
            f"{config.trajectories}: none of {len(result['bad_rows'])} rows could be scored; the first: "
            f"{first['file']}: line {first['line']}: {first['reason']}"
        )
    write_json(output / RESULT_FILE, result)
    _warn_of(config, result)
    return result


def trajectory_files(place: Path, output: Path) -> list[Path]:
    """The files that are meant: one, or those of a folder.

    Of an evaluation's folder the ``*.trajectories.jsonl``, of an RL run's what is in ``trajectories/``, of
    any other all ``*.jsonl``.

    Raises:
        ValueError: When there is none, or ``output`` is where they are.
    """
    if place.is_file():
        files = [place]
    elif place.is_dir():
        patterns = ("*.trajectories.jsonl", "trajectories/*.jsonl", "*.jsonl")
        files = next((found for pattern in patterns if (found := sorted(place.glob(pattern)))), [])
    else:
        raise ValueError(f"trajectories={place}: no such file or folder")
    if not files:
        raise ValueError(f"trajectories={place}: no *.jsonl file there")
    if output.resolve() in {file.parent.resolve() for file in files}:
        raise ValueError(f"output={output}: the trajectories are in that folder; give another one")
    return files


def _problem_files(config: DictConfig) -> list[Path]:
    files = [Path(file) for file in config.data_files]
    if bool(files) != config.rerun:
        raise ValueError(
            f"rerun={config.rerun}, data_files={list(config.data_files)}: give rerun=true and the RL files "
            "with the problems, or neither"
        )
    for file in files:
        if not file.is_file():
            raise ValueError(f"data_files: {file}: no such file")
    return files


@asynccontextmanager
async def _rerun(
    config: DictConfig, files: Sequence[Path], sandbox: Sandbox | None
) -> AsyncIterator[Rerun | None]:
    if not config.rerun:
        yield None
        return
    settings = config.code_agentic.sandbox
    with ExitStack() as stack:
        problems = stack.enter_context(ProblemStore(files))
        async with open_sandbox(settings) if sandbox is None else nullcontext(sandbox) as opened:
            limits = Limits(time_s=settings.time_limit_s, memory_limit_mb=settings.memory_limit_mb)
            grader = Grader(opened, limits, cache_size=settings.cache_size)
            yield Rerun(problems, grader, config.code_agentic.episode.time_reference)


def _settings_hash(config: DictConfig, problem_files: Sequence[Path]) -> str:
    """A short hash of what the new rewards depend on, but for the records themselves."""
    chosen = config.reward.custom_reward_function
    file = Path(str(chosen.path).removeprefix("file://"))
    sandbox = config.code_agentic.sandbox
    settings = {
        "reward": OmegaConf.to_container(chosen, resolve=True),
        "reward_file": file_sha256(file) if file.is_file() else None,
        "problems": [file_sha256(file) for file in problem_files],
        "limits": [sandbox.time_limit_s, sandbox.memory_limit_mb, config.code_agentic.episode.time_reference]
        if config.rerun
        else None,
    }
    return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:16]


def _listed(of_file: Mapping[str, Mapping[int, str]]) -> list[dict[str, Any]]:
    return [
        {"file": name, "line": line, "reason": reason}
        for name, rows in of_file.items()
        for line, reason in sorted(rows.items())
    ]


def _warn_of(config: DictConfig, result: dict[str, Any]) -> None:
    """Names what was left out, and a part of the reward that nothing was recorded for."""
    for kind in ("bad_rows", "sandbox_failures"):
        for row in result[kind][:_MAX_NAMED]:
            warn(f"{row['file']}:{row['line']}: {row['reason']}")
        if len(result[kind]) > _MAX_NAMED:
            warn(f"{len(result[kind]) - _MAX_NAMED} more, see {kind} in {RESULT_FILE}")
    if result["num_cut_lines"]:
        warn(f"{result['num_cut_lines']} last lines were cut by a kill and left out")
    bonus = OmegaConf.select(config, f"{value_rules.WEIGHTS}.efficiency_bonus", default=0)
    if bonus and result["solved"]["new"] and result["means"].get("efficiency_measured") == 0:
        warn(
            f"efficiency_bonus={bonus}: no episode was measured; with rerun=true the programs and references "
            "are run again for their CPU times (on a sandbox that tells them)"
        )


if __name__ == "__main__":
    run_main(main, __doc__)
