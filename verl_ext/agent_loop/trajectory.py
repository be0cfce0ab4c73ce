"""Trajectory records: one JSON line per episode, enough to read, count and re-grade it later."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from verl_ext.agent_loop.loop import Rollout
from verl_ext.grading.problem import Problem
from verl_ext.grading.verdict import Grade

SCHEMA_VERSION = 1


@dataclass(frozen=True, slots=True)
class EpisodeOrigin:
    """Where an episode belongs.

    Attributes:
        run: Name of the run or of the evaluated model (``base``, ``sft``, ``rl``, ...).
        split: ``train``, ``val``, ``test``, or the name of a held-out split.
        step: Training step; None outside training.
        sample: 0-based index of the sample within its problem's group.
    """

    run: str
    split: str
    step: int | None
    sample: int


def trajectory_record(rollout: Rollout, origin: EpisodeOrigin, reward: Mapping[str, Any]) -> dict[str, Any]:
    """The record of one finished episode.

    Returns:
        ``query_id, family, difficulty, verdict_only, source, language, hidden_sha256, run, split, step,
        sample, facts, reward, messages [{role, content}], attempts [{program, source, turn, verdicts, error,
        first_solved}], final_verdicts, failure, generate_s, tool_s, num_prompt_tokens``. The last attempt is
        the final program. A void episode has ``reward`` empty.
    """
    episode = rollout.episode
    problem = episode.problem
    first_solved = rollout.facts.first_solved_attempt
    return {
        "schema": SCHEMA_VERSION,
        "query_id": problem.query_id,
        "family": problem.family,
        "difficulty": problem.difficulty,
        "verdict_only": problem.verdict_only,
        "source": problem.source,
        "language": problem.language,
        "hidden_sha256": hidden_sha256(problem),
        "run": origin.run,
        "split": origin.split,
        "step": origin.step,
        "sample": origin.sample,
        "facts": rollout.facts.to_dict(),
        "reward": {} if rollout.facts.void else dict(reward),
        "messages": [dict(message) for message in rollout.messages],
        "attempts": [
            {
                "program": attempt.program,
                "source": attempt.source,
                "turn": attempt.turn,
                "verdicts": _verdicts(attempt.grade),
                "error": _first_error(attempt.grade),
                "first_solved": position == first_solved,
            }
            for position, attempt in enumerate(episode.attempts, start=1)
        ],
        "final_verdicts": _verdicts(rollout.final_grade),
        "failure": rollout.failure,
        "generate_s": round(rollout.generate_s, 4),
        "tool_s": round(rollout.tool_s, 4),
        "num_prompt_tokens": len(rollout.prompt_ids),
    }


def hidden_sha256(problem: Problem) -> str:
    """Short hash of what a program is graded on: tells whether two grades are about the same cases."""
    cases = [(case.fn_name, case.input, case.expected) for case in problem.hidden_cases]
    return hashlib.sha256(json.dumps([cases, problem.prelude]).encode()).hexdigest()[:16]


def _verdicts(grade: Grade | None) -> list[str]:
    return [str(result.verdict) for result in grade.results] if grade else []


def _first_error(grade: Grade | None) -> str | None:
    failure = grade.first_failure if grade else None
    return failure.error.category if failure and failure.error else None


class TrajectoryWriter:
    """Appends records to one JSON-lines file; each record is one ``write``, so a kill leaves whole lines.

    Args:
        path: File to append to; its folder is made. One writer per process and file.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        # As JSON escapes: lone surrogates of a data set.
        self._file = path.open("a", encoding="utf-8", errors="backslashreplace", buffering=1 << 20)

    def write(self, record: Mapping[str, Any]) -> None:
        """Writes one record and flushes it."""
        self._file.write(json.dumps(record, ensure_ascii=False) + "\n")
        self._file.flush()

    def close(self) -> None:
        self._file.close()


def read_trajectories(path: Path) -> Iterator[dict[str, Any]]:
    """Records of one file; a last line cut by a kill is left out.

    Raises:
        ValueError: When another line can't be read, naming file and line.
    """
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            try:
                record = parse_record(line)
            except ValueError as error:
                if not line.endswith(b"\n"):
                    return
                raise ValueError(f"{path}:{number}: {error}") from error
            yield record


def parse_record(line: bytes) -> dict[str, Any]:
    """One line of a trajectory file.

    Raises:
        ValueError: When it is no JSON object.
    """
    try:
        record = json.loads(line)
    except (ValueError, RecursionError) as error:
        reason = error.msg if isinstance(error, json.JSONDecodeError) else str(error)
        raise ValueError(f"not a trajectory record: {reason}") from error
    if not isinstance(record, dict):
        raise ValueError(f"not a trajectory record: a {type(record).__name__} instead of an object")
    return record


def drop_partial_line(path: Path) -> None:
    """Takes a last line cut by a kill off a file, so that the next record starts on a line of its own."""
    with path.open("rb+") as file:
        end = file.seek(0, 2)
        while end > 0:
            start = max(0, end - _BLOCK)
            file.seek(start)
            newline = file.read(end - start).rfind(b"\n")
            if newline >= 0:
                file.truncate(start + newline + 1)
                return
            end = start
        file.truncate(0)


_BLOCK = 1 << 16
