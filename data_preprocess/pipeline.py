"""One run from records, or the project's own problems, to published files.

Thin wiring: reading is in ``parallel_reading``, formats in ``formats``, splits in ``splits``, running in
``wrong_programs``, conversations in ``sft_rows``, files in ``parquet_files``, closing words in ``summary``.
"""

from __future__ import annotations

import asyncio
import json
import signal
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NoReturn

from omegaconf import DictConfig

from data_preprocess.bugs import ProgramPool
from data_preprocess.case_stage import CaseStage, case_lines
from data_preprocess.entries import Entry, RowForm
from data_preprocess.failed_programs import (
    COLUMN,
    RealBug,
    failed_programs_of,
    read_failed_programs,
    repairs_by_problem,
)
from data_preprocess.manifest import make_manifest
from data_preprocess.parallel_reading import read_entries
from data_preprocess.parquet_files import OutputFolder
from data_preprocess.reading import AUTO, detect_format
from data_preprocess.rejects import Rejects
from data_preprocess.rows import Reject
from data_preprocess.run_store import RunStore
from data_preprocess.sandbox_session import SandboxOnDemand
from data_preprocess.settings import Settings, plain_config, read_settings
from data_preprocess.sft_rows import ConversationWriter, SftStatistics
from data_preprocess.solutions import SOLUTIONS
from data_preprocess.source_hashes import start_hashing
from data_preprocess.spilled import SpilledProblems
from data_preprocess.splits import TRAIN, VAL, chunks, own_problems, split_chunk
from data_preprocess.summary import named, say, tool_warnings
from data_preprocess.toolchains import missing_toolchains
from data_preprocess.verification import Verification, Verified
from recipe.code_agentic.prompts import TOOL_NAME
from verl_ext.cli import exit_without
from verl_ext.grading.grader import Grader
from verl_ext.tools.registry import load_schemas, load_tools

_CHUNK = 512


def run(config: DictConfig) -> None:
    """One run, as the composed config says."""
    # asyncio would only cancel the task, which reading does not see because it awaits nothing.
    signal.signal(signal.SIGINT, _interrupt)
    asyncio.run(preprocess(read_settings(config), plain_config(config)))


def _interrupt(*_: object) -> NoReturn:
    raise KeyboardInterrupt


async def preprocess(settings: Settings, config: object) -> None:
    """One run from input to published files.

    Raises:
        OSError: When an input can't be read.
        ValueError: When an input is no known format, nothing is left, or ``strict`` and rows were rejected.
        SandboxError: When the sandbox can't be reached or failed for good.
    """
    started = time.perf_counter()
    if settings.generate.max_cases:
        exit_without("hypothesis", "data")
    load_schemas(settings.tools_file)
    real_bugs, bad_programs = read_failed_programs(settings.failed_programs)
    with ExitStack() as stack:
        output = stack.enter_context(OutputFolder(settings.output_dir))
        rejects = stack.enter_context(Rejects(output.rejects_path))
        runs = stack.enter_context(
            RunStore(settings.output_dir.with_name(f"{settings.output_dir.name}.runs"))
        )
        for reject in bad_programs:
            rejects.append(reject)
        if runs.num_earlier:
            print(f"going on where an earlier start was: {runs.num_earlier} runs of programs are known")
        async with SandboxOnDemand(settings, runs) as sandbox:
            problems = await _write_rl(settings, sandbox, rejects, output, real_bugs)
            _check_rest(settings, rejects, problems)
            sft = await _write_sft(settings, sandbox, problems, real_bugs, output)
        output.finish_rows()
        rejects.finish()
        verification = problems.verification.to_dict() if settings.verify else None
        manifest = make_manifest(
            settings,
            config,
            problems.source_hashes,
            output,
            problems.splits,
            rejects,
            problems.columns_not_read,
            missing_toolchains(problems.languages) if settings.endpoint is None else {},
            verification,
            problems.cases,
            problems.programs_without_problem,
            sft,
        )
        output.publish(manifest)
        runs.finish()
    say(settings, manifest, time.perf_counter() - started)
    notes = [
        *problems.case_warnings,
        *tool_warnings(settings.tools_file, problems.naming_our_tool),
    ]
    if settings.inputs and not settings.verify and problems.with_reference:
        notes.append(f"references that were not run, because of verify=false: {problems.with_reference}")
    for line in (*case_lines(manifest["cases"]), *(f"note: {line}" for line in notes)):
        print(line)
    if runs.num_run or runs.num_reused:
        print(f"runs of programs: {runs.num_run} in this start, {runs.num_reused} known from an earlier one")


@dataclass(slots=True)
class _Problems:
    """What is left of the problems once their RL rows are written.

    Attributes:
        splits: Split -> problems.
        to_converse: ``train`` and ``val`` -> problems with a reference that is not known to fail, kept only
            for conversations that are asked for (those of ``val`` are also shown programs of ``train``).
        without_reference: Problems of those splits that have none.
        with_reference: Problems of any split that have one.
        languages: Language -> problems.
        naming_our_tool: Problems whose prompt names the recipe's own tool.
        columns_not_read: Column -> records that have it and where nobody reads it.
        verification: What became of the references.
        source_hashes: Files that were read, with their SHA-256.
        cases: What the manifest says about cases.
        case_warnings: One line each.
        programs_without_problem: ``query_id`` in ``failed_programs`` that no problem has -> its programs.
    """

    splits: Counter[str] = field(default_factory=Counter)
    to_converse: dict[str, SpilledProblems] = field(
        default_factory=lambda: {TRAIN: SpilledProblems(), VAL: SpilledProblems()}
    )
    without_reference: int = 0
    with_reference: int = 0
    languages: Counter[str] = field(default_factory=Counter)
    naming_our_tool: int = 0
    columns_not_read: Counter[str] = field(default_factory=Counter)
    verification: Verification = field(default_factory=Verification)
    source_hashes: list[tuple[Path, str]] = field(default_factory=list)
    cases: dict[str, Any] = field(default_factory=dict)
    case_warnings: list[str] = field(default_factory=list)
    programs_without_problem: dict[str, int] = field(default_factory=dict)


async def _write_rl(
    settings: Settings,
    sandbox: SandboxOnDemand,
    rejects: Rejects,
    output: OutputFolder,
    real_bugs: Mapping[str, Sequence[RealBug]],
) -> _Problems:
    """Writes every problem that is read, some at a time; rejected rows are added to ``rejects``."""
    problems = _Problems(verification=Verification(settings.verify_solutions))
    stage = CaseStage(settings, sandbox)
    repairs = repairs_by_problem(real_bugs)
    kept = {
        TRAIN: settings.num_conversations or settings.num_val_conversations,
        VAL: settings.num_val_conversations,
    }
    unknown = {query_id: len(programs) for query_id, programs in real_bugs.items()}
    read_later = {COLUMN, SOLUTIONS} if settings.verify and settings.verify_solutions else {COLUMN}
    columns: Counter[tuple[str, ...]] = Counter()
    hashes: Future[list[tuple[Path, str]]] | None = None
    for chunk in _chunks(settings, rejects):
        # Here and not before, because the processes that read are forked before there is a thread.
        hashes = hashes or start_hashing([*settings.inputs, *settings.failed_programs])
        for _, entry in chunk:
            stage.overlap.count(entry.query_id, entry.duplicates)
            unknown.pop(entry.query_id, None)
        run = await _run_programs(settings, sandbox, problems.verification, stage, repairs, chunk)
        for (split, read), (entry, failed) in zip(chunk, run, strict=True):
            columns[read.columns_not_read] += 1
            if settings.drop_unverified and failed:
                continue
            stage.overlap.add(entry.query_id, entry.look, split)
            stem = f"rl_{split if split in (TRAIN, VAL) else 'test'}"
            output.add(stem, entry.row(split, problems.splits[split]))
            problems.splits[split] += 1
            problems.languages[entry.language] += 1
            problems.with_reference += entry.has_reference
            problems.naming_our_tool += TOOL_NAME in entry.prompt
            if split in problems.to_converse:
                if not entry.has_reference:
                    problems.without_reference += 1
                elif kept[split] and not failed:
                    problems.to_converse[split].append(entry.text)
    problems.source_hashes = hashes.result() if hashes else []
    for names, num_records in columns.items():
        problems.columns_not_read.update({name: num_records for name in names if name not in read_later})
    problems.verification.finish()
    stage.finish()
    problems.cases = stage.to_dict()
    problems.case_warnings = stage.overlap.warnings()
    problems.programs_without_problem = unknown
    return problems


async def _run_programs(
    settings: Settings,
    sandbox: SandboxOnDemand,
    verification: Verification,
    stage: CaseStage,
    repairs: Mapping[str, Sequence[str]],
    chunk: Sequence[tuple[str, Entry]],
) -> list[tuple[Entry, bool]]:
    """The entries after verification and case generation, and whether their reference failed."""
    verify = settings.verify and any(
        entry.has_reference or (verification.max_solutions > 0 and entry.has_solutions) for _, entry in chunk
    )
    if not verify and not stage.runs_programs:
        return [(entry, False) for _, entry in chunk]
    decoded = [entry.problem for _, entry in chunk]
    verified = [Verified(problem, None) for problem in decoded]
    if verify:
        grader = Grader(await sandbox.get(), settings.limits, cache_size=0)
        verified = await verification.check(grader, decoded, max_parallel=settings.num_parallel)
    extended = await stage.extend(verified, repairs)
    return [
        (entry if new is old else Entry.of(new, _form(settings)), item.passed is False)
        for (_, entry), old, item, new in zip(chunk, decoded, verified, extended, strict=True)
    ]


async def _write_sft(
    settings: Settings,
    sandbox: SandboxOnDemand,
    problems: _Problems,
    real_bugs: Mapping[str, Sequence[RealBug]],
    output: OutputFolder,
) -> dict[str, Any] | None:
    """Writes the conversations; returns what the manifest says about them, None when none were asked for."""
    totals = {TRAIN: settings.num_conversations, VAL: settings.num_val_conversations}
    if not any(totals.values()):
        return None
    if not any(problems.to_converse.values()):
        return SftStatistics(without_reference=problems.without_reference).to_dict()
    limits = replace(settings.limits, time_s=settings.bugs.time_limit_s)
    # One case at a time, so that nothing runs after the first that fails.
    grader = Grader(await sandbox.get(), limits, cache_size=settings.cache_size, max_parallel=1)
    tools = load_tools(settings.tools_file, grader=grader)
    tool = tools[0] if settings.task.uses_tool else None
    tools_json = json.dumps(load_schemas(settings.tools_file), ensure_ascii=False)
    known = {
        problem.query_id: found
        for split in totals
        for problem in problems.to_converse[split]
        if (found := [*failed_programs_of(problem), *real_bugs.get(problem.query_id, ())])
    }
    pool = ProgramPool(problems.to_converse[TRAIN])
    writer = ConversationWriter(settings, pool, known, grader, tool, tools_json)
    for split, total in totals.items():
        await writer.write(split, problems.to_converse[split], total, output)
    writer.statistics.without_reference = problems.without_reference
    return writer.statistics.to_dict()


def _chunks(settings: Settings, rejects: Rejects) -> Iterator[list[tuple[str, Entry]]]:
    """Problems with their splits, some at a time; rejected rows are added to ``rejects``."""
    form = _form(settings)
    if not settings.inputs:
        owned = own_problems(
            settings.problem_set, settings.splits, public=settings.read.public, seed=settings.seed
        )
        for start in range(0, len(owned), _CHUNK):
            yield [(split, Entry.of(problem, form)) for split, problem in owned[start : start + _CHUNK]]
        return

    def accepted() -> Iterator[Entry]:
        for item in read_entries(
            settings.inputs, settings.read, form, num_processes=settings.num_read_processes
        ):
            if isinstance(item, Reject):
                rejects.append(item)
            else:
                yield item

    for chunk in chunks(accepted(), _CHUNK):
        yield split_chunk(chunk, settings.splits, seed=settings.seed)


def _form(settings: Settings) -> RowForm:
    return RowForm(settings.task, settings.style, settings.max_graded_cases)


def _check_rest(settings: Settings, rejects: Rejects, problems: _Problems) -> None:
    """Refuses to go on with nothing, or with less than everything where that is asked for."""
    first = f"; the first: {rejects.first[0]}" if rejects.count else ""
    failures = problems.verification.failures
    if not problems.splits.total():
        failing = f" and {len(failures)} references failed: {named(failures)}" if failures else ""
        hint = _other_format(settings) if rejects.count else ""
        raise ValueError(f"no problem is left, {rejects.count} rows were rejected{first}{failing}{hint}")
    if settings.strict and rejects.count:
        raise ValueError(f"strict=true and {rejects.count} rows were rejected{first}")


def _other_format(settings: Settings) -> str:
    """Advice where a file looks like another format than the one that was asked for."""
    try:
        found = detect_format(settings.inputs[0])
    except ValueError:
        return ""
    if settings.read.format in (AUTO, found):
        return ""
    return f"; the file looks like format {found}: give format={found}, or format=auto"
