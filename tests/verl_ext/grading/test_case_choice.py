"""Which cases are graded, and when an expected value may be wrapped."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from verl_ext.grading import Case, Grader, Verdict, accept_unwrapped, sample_cases
from verl_ext.grading.case_choice import POLICIES

CASES = [Case("x" * length, str(length), fn_name="f") for length in (3, 1, 9, 9, 2)]


def inputs(cases: tuple[Case, ...]) -> list[int]:
    return [int(case.expected) for case in cases]


def test_the_longest_inputs_are_taken_in_their_own_order() -> None:
    assert inputs(sample_cases(CASES, "longest_input", 3)) == [3, 9, 9]
    assert sample_cases(CASES, num_cases=1) == (CASES[2],)


def test_deepcoder_grades_fifteen() -> None:
    many = [Case(str(10**number), "1") for number in range(40)]
    assert sample_cases(many) == tuple(many[-15:])


def test_the_hardest_are_those_that_failed_most() -> None:
    assert inputs(sample_cases(CASES, "hardest", 2, {1: 5, 4: 7})) == [1, 2]
    assert inputs(sample_cases(CASES, "hardest", 3, {1: 5})) == [1, 9, 9]
    assert sample_cases(CASES, "hardest", 3) == sample_cases(CASES, "longest_input", 3)


@settings(max_examples=80, deadline=None)
@given(
    st.lists(
        st.builds(Case, st.text(max_size=5), st.text(max_size=3), st.just("f")), min_size=1, max_size=12
    ),
    st.sampled_from(POLICIES),
    st.integers(1, 15),
    st.dictionaries(st.integers(0, 11), st.integers(0, 5)),
)
def test_a_choice_is_whole_cases_in_order_and_the_same_every_time(
    cases: list[Case], policy: str, num_cases: int, failures: dict[int, int]
) -> None:
    known = {index: count for index, count in failures.items() if index < len(cases)}
    given_failures = known if policy == "hardest" else None
    chosen = sample_cases(cases, policy, num_cases, given_failures)
    assert chosen == sample_cases(list(cases), policy, num_cases, given_failures)
    assert len(chosen) == (len(cases) if policy == "all" else min(num_cases, len(cases)))
    rest = iter(cases)
    assert all(any(case is other for other in rest) for case in chosen)
    assert all(case.fn_name == "f" for case in chosen)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([],), "no cases"),
        ((CASES, "shortest"), "not one of all, longest_input, hardest"),
        ((CASES, "all", 0), "at least 1"),
        ((CASES, "hardest", 2, {9: 1}), "names case 9"),
        ((CASES, "all", 2, {0: 1}), "policy hardest"),
    ],
)
def test_a_choice_that_makes_no_sense_is_refused(arguments: tuple, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        sample_cases(*arguments)


@pytest.mark.parametrize(
    ("expected", "wrapped"),
    [
        (["[1]", "[2]"], True),
        (["[[1, 2]]"], True),
        (["[1]", "[1, 2]"], False),
        (["[1]", "2"], False),
        (["[]"], False),
    ],
)
def test_only_one_element_lists_throughout_may_be_wrapping(expected: list[str], wrapped: bool) -> None:
    cases = accept_unwrapped([Case("[]", text, "f") for text in expected])
    assert all(case.wrapped is wrapped for case in cases)


def test_stdin_cases_are_never_wrapped() -> None:
    assert not accept_unwrapped([Case("1", "[1]")])[0].wrapped


@pytest.mark.parametrize(
    ("returned", "passed"), [("7", True), ("[7]", True), ("[[7]]", False), ("8", False), ("True", False)]
)
async def test_a_wrapped_value_counts_with_and_without_its_list(
    grader: Grader, returned: str, passed: bool
) -> None:
    case = Case("[]", "[7]", "f", wrapped=True)
    [result] = (await grader.grade(f"def f():\n    return {returned}", [case])).results
    assert result.verdict is (Verdict.PASSED if passed else Verdict.WRONG_ANSWER)


async def test_the_same_case_wrapped_and_not_are_two_runs(grader: Grader) -> None:
    program = "def f():\n    return 7"
    verdicts = [
        (await grader.grade(program, [Case("[]", "[7]", "f", wrapped=wrapped)])).all_passed
        for wrapped in (True, False, True)
    ]
    assert verdicts == [True, False, True]
