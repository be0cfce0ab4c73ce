"""Verification: which programs pass, what the manifest says of those that fail, and where texts are cut."""

from __future__ import annotations

import json

import pytest
from msgspec.structs import replace

from data_preprocess.first_difference import first_difference
from data_preprocess.solutions import solutions_of
from data_preprocess.verification import Verification
from verl_ext.grading.grader import Grader
from verl_ext.grading.problem import Case, Problem

RIGHT, ALSO_RIGHT, WRONG = "print(int(input()) + 3)", "print(3 + int(input()))", "print(7)"
PROBLEM = Problem("p", "Add three.", (Case("4", "7", public=True), Case("10", "13")), reference=RIGHT)


def _with(reference: str | None, *solutions: str, name: str = "p") -> Problem:
    return replace(PROBLEM, query_id=name, reference=reference, extra={"solutions": json.dumps(solutions)})


async def test_a_failure_is_named_with_verdict_case_and_difference(grader: Grader) -> None:
    verification = Verification()
    problems = [PROBLEM, _with(WRONG, name="wrong"), _with("1 / 0", name="broken"), _with(None, name="none")]
    checked = await verification.check(grader, problems, max_parallel=4)
    verification.finish()
    assert [item.passed for item in checked] == [True, False, False, None]
    assert [item.problem for item in checked] == problems
    said = verification.to_dict()
    assert (said["references"], said["passed"]) == (3, 1)
    assert said["failures"] == [
        {
            "query_id": "wrong", "verdict": "wrong_answer", "case_index": 1, "passed": 1, "cases": 2,
            "error": "expected '13', got '7'",
        },
        {
            "query_id": "broken", "verdict": "runtime_error", "case_index": 0, "passed": 0, "cases": 2,
            "error": "ZeroDivisionError: division by zero",
        },
    ]  # fmt: skip


async def test_several_solutions_are_run_and_one_replaces_a_reference_that_fails(grader: Grader) -> None:
    verification = Verification(max_solutions=2)
    problems = [
        _with(WRONG, WRONG, RIGHT, ALSO_RIGHT, name="mended"),
        _with(None, ALSO_RIGHT, WRONG, name="found"),
        _with(RIGHT, ALSO_RIGHT, name="kept"),
        _with(WRONG, "print()", name="hopeless"),
    ]
    checked = await verification.check(grader, problems, max_parallel=2)
    verification.finish()
    assert [item.passed for item in checked] == [True, True, True, False]
    assert [item.problem.reference for item in checked] == [RIGHT, ALSO_RIGHT, RIGHT, WRONG]
    assert [item.witnesses for item in checked] == [(ALSO_RIGHT,), (), (ALSO_RIGHT,), ()]
    said = verification.to_dict()
    assert said["solutions"] == {
        "problems": 4,
        "run": 6,
        "passed": 4,
        "share": 0.6667,
        "not_run": 0,
        "became_the_reference": ["mended", "found"],
    }
    assert [failure["query_id"] for failure in said["failures"]] == ["hopeless"]


async def test_without_leave_no_solution_is_run(grader: Grader) -> None:
    verification = Verification()
    (checked,) = await verification.check(grader, [_with(WRONG, RIGHT)], max_parallel=1)
    verification.finish()
    assert checked.passed is False and verification.to_dict()["solutions"]["run"] == 0


@pytest.mark.parametrize(
    ("stored", "programs"),
    [
        (["a", "b", "a", "", 3, "print 7"], ["a", "b"]),
        (json.dumps(["```python\na\n```"]), ["a\n"]),
        ({"language": [1, 3, 3, 2], "solution": ["old", "a", "b", "c++"]}, ["a", "b"]),
        ([RIGHT, "a"], ["a"]),
        ("no json", []),
        ({"language": 3}, []),
        (7, []),
    ],
)
def test_solutions_are_found_in_the_shapes_that_records_have(stored: object, programs: list[str]) -> None:
    assert solutions_of(replace(PROBLEM, extra={"solutions": stored})) == programs


@pytest.mark.parametrize(
    ("actual", "expected", "is_call", "said"),
    [
        ("7", "13", False, "expected '13', got '7'"),
        ("1\n2 \n4\n", "1\n2\n3\n4", False, "line 3 of 4: expected '3', got '4'"),
        ("1\n2", "1", False, "line 2 of 1: expected nothing, got '2'"),
        ("", "", False, "expected '', got ''"),
        ("1", "1\n2", False, "line 2 of 2: expected '2', got nothing"),
        ("[1, 2]", "[1, 3]", True, "expected '[1, 3]', got '[1, 2]'"),
    ],
)
def test_the_first_difference_is_shown(actual: str, expected: str, is_call: bool, said: str) -> None:
    assert first_difference(actual, expected, is_call=is_call) == said


def test_a_long_answer_is_cut_around_the_difference_and_the_cut_is_said() -> None:
    said = first_difference("a" * 500 + "b" + "c" * 900, "a" * 500 + "d", is_call=False)
    assert said == (
        f"expected [480 characters] '{'a' * 20}d', "
        f"got [480 characters] '{'a' * 20}b{'c' * 59}' [841 more characters]"
    )
