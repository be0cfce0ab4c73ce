"""Scoring stored episodes again: what a record must hold, one episode, and a file, some episodes at a time.

Owns promise 1 for stored episodes: a void one stays void, and one whose programs could not be run again gets
no record, so that the next start tries it again. Does not know where reward, problems and sandbox come from
(``regrade``), nor what the results mean (``regrade_summary``).
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tqdm import tqdm

from recipe.code_agentic.problem_store import ProblemStore
from verl_ext.agent_loop.episode import Attempt, EpisodeFacts
from verl_ext.agent_loop.hidden_grading import grade_attempts
from verl_ext.agent_loop.reward_function import RewardFunction
from verl_ext.agent_loop.trajectory import (
    TrajectoryWriter,
    drop_partial_line,
    hidden_sha256,
    parse_record,
    read_trajectories,
)
from verl_ext.grading.grader import Grader
from verl_ext.grading.verdict import CaseResult, Grade, Verdict
from verl_ext.sandbox.errors import SandboxError

# So many failures are looked at before their share is.
_FEW_FAILURES = 20


@dataclass(frozen=True, slots=True)
class StoredEpisode:
    """What a trajectory record says about an episode, checked.

    Attributes:
        query_id: Of its problem.
        source: The problem's data set.
        language: The program's; empty in records that do not say.
        facts: As they were recorded.
        attempts: Likewise; the last is the final program.
        answer: The model's last message.
    """

    query_id: str
    source: str
    language: str
    facts: EpisodeFacts
    attempts: tuple[Attempt, ...]
    answer: str

    @property
    def program(self) -> str | None:
        """The final program."""
        return self.attempts[-1].program if self.attempts else None


@dataclass(frozen=True, slots=True)
class Rerun:
    """What it takes to grade attempts again.

    Attributes:
        problems: With the cases.
        grader: Runs the programs.
        time_reference: See ``grade_attempts``.
    """

    problems: ProblemStore
    grader: Grader
    time_reference: bool


@dataclass(slots=True)
class FileOutcome:
    """What happened to one file's episodes in this start.

    Attributes:
        num_known: Episodes that were scored in an earlier start.
        num_scored: Episodes that were scored now, void ones included.
        num_cut: 1 when the last line was cut by a kill and left out.
        bad_rows: Line number -> why it can't be scored.
        failures: Line number -> what went wrong on our side.
    """

    num_known: int = 0
    num_scored: int = 0
    num_cut: int = 0
    bad_rows: dict[int, str] = field(default_factory=dict)
    failures: dict[int, str] = field(default_factory=dict)


class UnscorableRecord(ValueError):
    """A record, or the problem it is about, makes no sense; says why in one line."""


def read_episode(record: Mapping[str, Any]) -> StoredEpisode:
    """Reads and checks a trajectory record.

    Raises:
        ValueError: When it lacks something or makes no sense, in one line.
    """
    try:
        facts = EpisodeFacts.from_dict(dict(record["facts"]))
        attempts = tuple(_read_attempt(attempt) for attempt in record["attempts"])
        messages = record["messages"]
        last = messages[-1] if messages else {"role": ""}
        episode = StoredEpisode(
            query_id=str(record["query_id"]),
            source=str(record["source"]),
            language=str(record.get("language") or ""),
            facts=facts,
            attempts=attempts,
            answer=str(last["content"]) if last["role"] == "assistant" else "",
        )
        old = record["reward"].get("score")
    except KeyError as error:
        raise ValueError(f"the record has no {error.args[0]!r}") from error
    except (TypeError, ValueError, AttributeError, IndexError) as error:
        raise ValueError(f"the record makes no sense: {error}") from error
    counts = {name: getattr(facts, name) for name in ("hidden_passed", "hidden_total", "num_failed_attempts")}
    if bad := [f"{name}={value!r}" for name, value in counts.items() if type(value) is not int or value < 0]:
        raise ValueError(f"facts: {', '.join(bad)} must be a whole number of at least 0")
    if not facts.hidden_passed <= facts.hidden_total or facts.hidden_total == 0:
        raise ValueError(f"facts: {facts.hidden_passed} of {facts.hidden_total} hidden cases passed")
    if old is not None and type(old) not in (int, float):
        raise ValueError(f"reward: score={old!r} is not a number")
    return episode


def _read_attempt(attempt: Mapping[str, Any]) -> Attempt:
    results = tuple(CaseResult(index, Verdict(name)) for index, name in enumerate(attempt["verdicts"]))
    if not isinstance(attempt["program"], str):
        raise ValueError("a program that is no text")
    grade = Grade(results, total=len(results)) if results else None
    return Attempt(attempt["program"], attempt["source"], attempt["turn"], grade)


async def score_again(
    record: Mapping[str, Any], reward: RewardFunction, rerun: Rerun | None
) -> dict[str, Any]:
    """The record with its new reward and, after a rerun, its new facts.

    Raises:
        UnscorableRecord: When it can't be scored.
        ValueError: When the reward function returned nonsense.
        SandboxError: When our side failed.
    """
    try:
        episode = read_episode(record)
    except ValueError as error:
        raise UnscorableRecord(str(error)) from error
    note = {"old_reward": record["reward"], "old_solved": episode.facts.solved, "other_cases": False}
    if episode.facts.void:
        return {**record, "reward": {}, "regrade": note}
    facts, language = episode.facts, episode.language
    changed: dict[str, Any] = {}
    if rerun is not None:
        problem = rerun.problems.get(episode.query_id)
        if problem is None:
            raise UnscorableRecord(f"no problem {episode.query_id!r} in data_files")
        try:
            grades = await grade_attempts(
                rerun.grader, problem, episode.attempts, time_reference=rerun.time_reference
            )
        except ValueError as error:
            raise UnscorableRecord(f"problem {episode.query_id!r} can't be graded: {error}") from error
        final = grades.final
        facts = replace(
            facts,
            hidden_passed=final.num_passed if final else 0,
            hidden_total=len(problem.hidden_cases),
            first_solved_attempt=grades.first_solved_attempt,
            program_cpu_s=grades.program_cpu_s,
            reference_cpu_s=grades.reference_cpu_s,
        )
        language, cases = problem.language, hidden_sha256(problem)
        note["other_cases"] = record.get("hidden_sha256") not in (None, cases)
        changed = {
            "facts": facts.to_dict(),
            "language": language,
            "hidden_sha256": cases,
            "final_verdicts": [str(result.verdict) for result in final.results] if final else [],
        }
    parts = await reward.score(
        facts, source=episode.source, answer=episode.answer, program=episode.program, language=language
    )
    return {**record, **changed, "reward": parts, "regrade": note}


async def score_file(
    source: Path,
    target: Path,
    *,
    reward: RewardFunction,
    rerun: Rerun | None,
    settings: str,
    concurrency: int,
    max_failure_share: float,
    bar: tqdm[Any],
) -> FileOutcome:
    """Scores a file's episodes, as far as ``target`` does not have them, and appends each as it is done.

    Args:
        source: Trajectories.
        target: The same records with their new reward; each says which line it came from.
        reward: The new reward.
        rerun: Grades again; None takes the recorded facts.
        settings: What the new reward depends on, hashed; records with another are not mixed with these.
        concurrency: Episodes at a time.
        max_failure_share: Share of the episodes that may fail on our side.
        bar: Moved on by the bytes read.

    Raises:
        ValueError: When ``target`` was made with other settings or from another file.
        SandboxError: When too many episodes failed on our side; what was scored is kept.
    """
    known = _known_lines(target, settings)
    outcome = FileOutcome(num_known=len(known))
    writer = TrajectoryWriter(target)
    lines = _due_lines(source, known, outcome, bar)

    async def work() -> None:
        for number, line, digest in lines:
            try:
                record = await score_again(_parse(line), reward, rerun)
            except SandboxError as error:
                outcome.failures[number] = f"{type(error).__name__}: {error}"
                _check_failures(source, outcome, max_failure_share, at_least=_FEW_FAILURES)
            except UnscorableRecord as error:
                outcome.bad_rows[number] = str(error)
            else:
                note = {"line": number, "line_sha256": digest, "settings": settings, **record["regrade"]}
                writer.write({**record, "regrade": note})
                outcome.num_scored += 1

    workers = [asyncio.create_task(work()) for _ in range(concurrency)]
    try:
        await asyncio.gather(*workers)
    finally:
        for worker in workers:
            worker.cancel()
        await asyncio.gather(*workers, return_exceptions=True)
        writer.close()
    _check_failures(source, outcome, max_failure_share, at_least=0)
    return outcome


def _due_lines(
    source: Path, known: Mapping[int, str], outcome: FileOutcome, bar: tqdm[Any]
) -> Iterator[tuple[int, bytes, str]]:
    """Line number, line and hash of what is to be scored."""
    seen = set()
    with source.open("rb") as file:
        for number, line in enumerate(file, start=1):
            bar.update(len(line))
            if not line.endswith(b"\n"):
                try:
                    parse_record(line)
                except ValueError:
                    outcome.num_cut = 1
                    break
            digest = hashlib.sha256(line.rstrip(b"\n")).hexdigest()[:16]
            seen.add(number)
            if number not in known:
                yield number, line, digest
            elif known[number] != digest:
                raise ValueError(
                    f"{source}:{number}: is another record than the one that was scored before; give another "
                    "output, or resume=false to start over"
                )
    if gone := set(known) - seen:
        raise ValueError(
            f"{source}: line {min(gone)} was scored before and is gone; give another output, or resume=false"
        )


def _parse(line: bytes) -> dict[str, Any]:
    try:
        return parse_record(line)
    except ValueError as error:
        raise UnscorableRecord(str(error)) from error


def _known_lines(target: Path, settings: str) -> dict[int, str]:
    if not target.exists():
        return {}
    drop_partial_line(target)
    known: dict[int, str] = {}
    for record in read_trajectories(target):
        note = record.get("regrade") or {}
        if note.get("settings") != settings:
            raise ValueError(
                f"{target} holds other episodes, or such scored with another reward or data; give another "
                "output, or resume=false to start over"
            )
        known[note["line"]] = note["line_sha256"]
    return known


def _check_failures(source: Path, outcome: FileOutcome, max_share: float, *, at_least: int) -> None:
    failed = len(outcome.failures)
    total = failed + outcome.num_known + outcome.num_scored
    if failed > at_least and failed > max_share * total:
        raise SandboxError(
            f"{failed} of {total} episodes of {source} could not be graded again, the last with "
            f"{list(outcome.failures.values())[-1]!r}; the same command tries only those again (limit: "
            "code_agentic.sandbox.max_void_share)"
        )
