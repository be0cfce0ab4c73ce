"""What an episode's attempts are worth: every one on the hidden cases, after the conversation.

Used by the loop and by whoever grades stored episodes again. Runs nothing while the model speaks, and shows
nothing to it.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from verl_ext.agent_loop.episode import Attempt
from verl_ext.grading.grader import Grader
from verl_ext.grading.problem import Problem
from verl_ext.grading.verdict import Grade

logger = logging.getLogger(__name__)
_said: set[str] = set()


@dataclass(frozen=True, slots=True)
class HiddenGrades:
    """How the attempts did on the hidden cases.

    Attributes:
        final: Verdicts of the final program; None when there is none.
        first_solved_attempt: 1-based position of the first attempt that passed them all, or None.
        program_cpu_s: CPU seconds of the final program per case; None where it fails one or the sandbox does
            not say.
        reference_cpu_s: The same of the problem's reference, where it was timed as well.
    """

    final: Grade | None = None
    first_solved_attempt: int | None = None
    program_cpu_s: tuple[float, ...] | None = None
    reference_cpu_s: tuple[float, ...] | None = None


async def grade_attempts(
    grader: Grader, problem: Problem, attempts: Sequence[Attempt], *, time_reference: bool
) -> HiddenGrades:
    """Grades the final program on all hidden cases, earlier attempts only until their first failure.

    An earlier attempt that failed a public case is no solution and is not run again.

    Args:
        grader: Runs them.
        problem: Brings the cases and the reference.
        attempts: In order; the last is the final program.
        time_reference: Also run the reference where the final program solves. Without one, or with one that
            fails a case, or on a sandbox that does not tell CPU times, there is no ``reference_cpu_s``; each
            of these is said in the log once.

    Raises:
        SandboxError: When our side failed.
    """
    if not attempts:
        return HiddenGrades()
    first_solved = None
    for position, attempt in enumerate(attempts[:-1], start=1):
        if first_solved is None and not attempt.failed:
            grade = await _grade(grader, problem, attempt.program, stop_at_first_failure=True)
            first_solved = position if grade.all_passed else None
    final = await _grade(grader, problem, attempts[-1].program)
    if not final.all_passed:
        return HiddenGrades(final, first_solved)
    first_solved = first_solved or len(attempts)
    program_cpu_s = _cpu_seconds(final)
    reference_cpu_s = await _time_reference(grader, problem) if time_reference and program_cpu_s else None
    if time_reference and program_cpu_s is None:
        _say_once(
            "no times", "the sandbox does not tell CPU times: no program is compared with its reference"
        )
    return HiddenGrades(final, first_solved, program_cpu_s, reference_cpu_s)


async def _grade(
    grader: Grader, problem: Problem, program: str, *, stop_at_first_failure: bool = False
) -> Grade:
    return await grader.grade(
        program,
        problem.hidden_cases,
        prelude=problem.prelude,
        language=problem.language,
        time_limit_s=problem.time_limit_s,
        memory_limit_mb=problem.memory_limit_mb,
        stop_at_first_failure=stop_at_first_failure,
    )


async def _time_reference(grader: Grader, problem: Problem) -> tuple[float, ...] | None:
    if problem.reference is None:
        _say_once("no reference", f"problem {problem.query_id}, maybe others: no reference to time")
        return None
    grade = await _grade(grader, problem, problem.reference)
    if not grade.all_passed:
        _say_once("wrong", f"problem {problem.query_id}, maybe others: its reference fails a case, not timed")
        return None
    return _cpu_seconds(grade)


def _cpu_seconds(grade: Grade) -> tuple[float, ...] | None:
    seconds = [result.cpu_time_s for result in grade.results]
    return None if None in seconds else tuple(round(value, 6) for value in seconds if value is not None)


def _say_once(kind: str, line: str) -> None:
    if kind not in _said:
        _said.add(kind)
        logger.warning(line)
