"""Attempts are graded on the hidden cases, and a reference is timed only where that says something."""

from __future__ import annotations

import pytest

from verl_ext.agent_loop import hidden_grading
from verl_ext.agent_loop.episode import Attempt
from verl_ext.agent_loop.hidden_grading import HiddenGrades, grade_attempts
from verl_ext.grading.grader import Grader
from verl_ext.grading.problem import Case, Problem
from verl_ext.grading.verdict import CaseResult, Grade, Verdict
from verl_ext.sandbox.errors import SandboxUnreachable
from verl_ext.sandbox.memory import InMemorySandbox, finished

RIGHT, SLOW, WRONG, DOWN = "right", "slow", "wrong", "down"
CASES = (Case("1", "4", public=True), Case("2", "5"), Case("3", "6"))


def problem(reference: str | None = RIGHT) -> Problem:
    return Problem("add-3", "Print a plus 3.", CASES, reference=reference)


def answer(request):
    """Our side fails on the program ``down``; ``slow`` takes longer, and longer with every input."""
    program, value = request.files["program.py"].decode(), int(request.stdin)
    if program == DOWN:
        return SandboxUnreachable("connection refused")
    shown = value if program == WRONG else value + 3
    return finished(f"{shown}\n", cpu_time_s=0.1 * value if program == SLOW else 0.1)


def attempt(program: str, *, failed: bool = False) -> Attempt:
    verdict = Verdict.WRONG_ANSWER if failed else Verdict.PASSED
    return Attempt(program, "tool", 0, Grade((CaseResult(0, verdict),), total=1))


async def graded(attempts: list[Attempt], of: Problem, *, time_reference: bool = True, script=answer):
    sandbox = InMemorySandbox(script)
    grades = await grade_attempts(Grader(sandbox), of, attempts, time_reference=time_reference)
    return grades, [request.files["program.py"].decode() for request in sandbox.requests]


async def test_both_times_are_those_of_the_hidden_cases():
    grades, programs = await graded([attempt(WRONG, failed=True), attempt(SLOW)], problem())
    assert (grades.program_cpu_s, grades.reference_cpu_s) == ((0.2, 0.3), (0.1, 0.1))
    assert grades.first_solved_attempt == 2
    assert programs == [SLOW] * 2 + [RIGHT] * 2


async def test_the_reference_is_not_run_unless_that_is_asked_for():
    grades, programs = await graded([attempt(SLOW)], problem(), time_reference=False)
    assert (grades.program_cpu_s, grades.reference_cpu_s) == ((0.2, 0.3), None)
    assert programs == [SLOW] * 2


async def test_an_unsolved_episode_has_no_times():
    grades, programs = await graded([attempt(RIGHT), attempt(WRONG)], problem())
    assert (grades.program_cpu_s, grades.reference_cpu_s) == (None, None)
    assert (grades.first_solved_attempt, grades.final.num_passed) == (1, 0)
    assert programs == [RIGHT] * 2 + [WRONG] * 2


async def test_no_attempt_has_no_grade():
    assert await graded([], problem()) == (HiddenGrades(), [])


@pytest.mark.parametrize(
    ("of", "script", "said"),
    [
        (problem(reference=None), answer, "problem add-3, maybe others: no reference"),
        (problem(reference=WRONG), answer, "problem add-3, maybe others: its reference fails a case"),
        (problem(), lambda request: finished(f"{int(request.stdin) + 3}"), "does not tell CPU times"),
    ],
)
async def test_why_nothing_is_compared_is_said_once(of, script, said, caplog, monkeypatch):
    monkeypatch.setattr(hidden_grading, "_said", set())
    for _ in range(2):
        grades, _ = await graded([attempt(RIGHT)], of, script=script)
        assert grades.reference_cpu_s is None
        assert grades.first_solved_attempt == 1
    assert [said in record.message for record in caplog.records] == [True]


async def test_a_sandbox_that_fails_on_the_reference_is_our_failure():
    with pytest.raises(SandboxUnreachable):
        await graded([attempt(RIGHT)], problem(reference=DOWN))
