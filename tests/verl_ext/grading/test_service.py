"""Grading in one call, with and without ``await``."""

from __future__ import annotations

import asyncio
import json
import os

import pytest

from verl_ext.grading import Case, Verdict, grade, grade_async
from verl_ext.sandbox.errors import SandboxError

PROGRAM = "print(2 * int(input()))"
CASES = [Case("1", "2"), Case("2", "5"), Case("3", "6")]
VERDICTS = [Verdict.PASSED, Verdict.WRONG_ANSWER, Verdict.PASSED]


def test_a_plain_call_grades(sandbox_endpoint: str) -> None:
    done = grade(PROGRAM, CASES, endpoint=sandbox_endpoint)
    assert [result.verdict for result in done.results] == VERDICTS
    stopped = grade(PROGRAM, CASES, endpoint=sandbox_endpoint, stop_at_first_failure=True)
    assert (len(stopped.results), stopped.total) == (2, 3)


async def test_it_also_works_where_a_loop_is_running(sandbox_endpoint: str) -> None:
    done = grade("def f(x):\n    return x", [Case("[1]", "1", "f")], endpoint=sandbox_endpoint)
    awaited = await grade_async(PROGRAM, CASES, endpoint=sandbox_endpoint)
    assert done.all_passed
    assert [result.verdict for result in awaited.results] == VERDICTS


def test_loops_that_come_and_go_share_it(sandbox_endpoint: str) -> None:
    for _ in range(2):
        assert asyncio.run(grade_async(PROGRAM, CASES[:1], endpoint=sandbox_endpoint)).all_passed


def test_nothing_to_grade_is_an_error(sandbox_endpoint: str) -> None:
    with pytest.raises(ValueError, match="no cases"):
        grade(PROGRAM, [], endpoint=sandbox_endpoint)
    with pytest.raises(ValueError, match="time_s"):
        grade(PROGRAM, CASES, endpoint=sandbox_endpoint, time_limit_s=-1)
    with pytest.raises(ValueError, match="list of arguments"):
        grade("def f(x): ...", [Case("1", "1", "f")], endpoint=sandbox_endpoint)
    with pytest.raises(ValueError, match="case 0: must be a Case"):
        grade(PROGRAM, [Case(1, 2)], endpoint=sandbox_endpoint)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="case 0: must be a Case"):
        grade(PROGRAM, [{"input": "1", "output": "2"}], endpoint=sandbox_endpoint)  # type: ignore[list-item]
    with pytest.raises(ValueError, match="not NoneType"):
        grade(None, CASES, endpoint=sandbox_endpoint)  # type: ignore[arg-type]


def test_the_folder_of_a_case_is_fresh_and_holds_only_what_the_run_is_made_of(sandbox_endpoint: str) -> None:
    look = "import os\nfound = sorted(os.listdir())\nopen('left', 'w').close()\n"
    files = ["main.py", "prelude.py", "program.py"]
    program = f"{look}print(*found)"
    assert grade(program, [Case(n, " ".join(files)) for n in "12"], endpoint=sandbox_endpoint).all_passed
    calls = [Case(f"[{n}]", json.dumps(files), "f") for n in "12"]
    assert grade(f"{look}def f(n):\n    return found", calls, endpoint=sandbox_endpoint).all_passed


def test_what_a_child_prints_counts_if_the_program_waits_for_it(sandbox_endpoint: str) -> None:
    program = (
        "import os, time\nif os.fork() == 0:\n    time.sleep(0.1)\n    os.write(1, b'7')\n    os._exit(0)\n"
    )
    assert grade(f"{program}os.wait()", [Case("", "7")], endpoint=sandbox_endpoint).all_passed
    late = program.replace("0.1", "60")
    done = grade(late, [Case("", "7")], endpoint=sandbox_endpoint)
    assert (done.results[0].verdict, done.results[0].actual) == (Verdict.WRONG_ANSWER, "")


async def test_a_language_that_the_embedded_sandbox_does_not_know_is_the_callers_error(
    sandbox_endpoint: str,
) -> None:
    with pytest.raises(ValueError, match=r"language='cobol' is not one of python, .*\bcpp\b"):
        grade(PROGRAM, CASES, language="cobol")
    with pytest.raises(ValueError, match="language='cobol' is not one of"):
        await grade_async(PROGRAM, CASES, language="cobol")
    with pytest.raises(SandboxError, match="cobol"):  # what a service knows, it says itself
        await grade_async(PROGRAM, CASES, language="cobol", endpoint=sandbox_endpoint)


def test_a_forked_child_makes_its_own(sandbox_endpoint: str) -> None:
    assert grade(PROGRAM, CASES[:1], endpoint=sandbox_endpoint).all_passed
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            code = 0 if grade(PROGRAM, CASES[:1], endpoint=sandbox_endpoint).all_passed else 1
        finally:
            os._exit(code)
    assert os.waitpid(pid, 0)[1] == 0
