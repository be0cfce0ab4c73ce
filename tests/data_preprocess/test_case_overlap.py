"""The overlap report: duplicates of public cases are not hidden, and what leaks is counted and named."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from data_preprocess.case_overlap import OverlapReport, input_key, look_at
from verl_ext.grading.problem import Case, Problem


def _problem(*cases: Case, name: str = "p", question: str = "Add three to the number.") -> Problem:
    return Problem(name, question, cases)


def _add(report: OverlapReport, problem: Problem, split: str) -> None:
    report.add(problem.query_id, look_at(problem), split)


def _found(report: OverlapReport) -> dict[str, int]:
    found = report.to_dict()
    return {
        name: found[name]["count"]
        for name in found
        if isinstance(found[name], dict) and "count" in found[name]
    }


def test_a_hidden_case_with_a_public_input_is_taken_out() -> None:
    report = OverlapReport()
    problem = report.distinct(
        _problem(Case("4", "7", public=True), Case("4 \n", "7\n"), Case("5", "8"), Case("5", "8"))
    )
    assert problem.cases == (Case("4", "7", public=True), Case("5", "8"))
    assert _found(report)["hidden_case_was_public"] == _found(report)["duplicate_hidden_cases"] == 1
    counts = report.to_dict()["cases"]
    assert counts["hidden_case_was_public_taken_out"] == counts["duplicate_hidden_cases_taken_out"] == 1


def test_two_answers_to_one_input_are_named_and_left_to_the_reader() -> None:
    report = OverlapReport()
    given_problem = _problem(Case("4", "7", public=True), Case("4", "8"))
    assert report.distinct(given_problem) == given_problem
    assert report.to_dict()["one_input_two_answers"] == {"count": 1, "first": ["p"]}
    assert any("two answers" in line for line in report.warnings())


def test_arguments_are_the_same_however_they_are_spaced_and_views_are_different_tests() -> None:
    call = [Case('[{"a": 1, "b": [2]}]', "[1]", "f"), Case('[{"b":[2],"a":1}]', "[ 1 ]", "f")]
    assert input_key(call[0]) == input_key(call[1])
    assert len(OverlapReport().distinct(_problem(*call)).cases) == 1
    views = [Case("[1]", "[1]", "f"), Case("[1]", "1", "f", compare_as="len")]
    assert len(OverlapReport().distinct(_problem(*views)).cases) == 2


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 1), st.booleans()), min_size=1, max_size=8))
def test_what_is_hidden_afterwards_is_no_public_case(drawn: list[tuple[int, int, bool]]) -> None:
    cases = sorted(
        (Case(str(i), str(o), public=public) for i, o, public in drawn), key=lambda c: not c.public
    )
    left = OverlapReport().distinct(_problem(*cases)).cases
    pairs = [(case.input, case.expected) for case in left]
    assert len(set(pairs)) == len(pairs)
    assert set(pairs) == {(case.input, case.expected) for case in cases}
    # Where a case was public and hidden, it is public now.
    public = {(case.input, case.expected) for case in cases if case.public}
    assert {(case.input, case.expected) for case in left if case.public} == public
    assert [case.public for case in left] == sorted((case.public for case in left), reverse=True)


def test_cases_in_the_question_and_problems_without_hidden_ones_are_named() -> None:
    report = OverlapReport()
    question = "Sum the list. Example: [10, 20, 30] gives 60. For nums = [7, 8, 9] print 24."
    _add(
        report,
        _problem(
            Case("[[10,20,30]]", "60", "f", public=True),
            Case("[[7,8,9]]", "24", "f"),
            Case("[[1,2,3]]", "6", "f"),
            name="told",
            question=question,
        ),
        "train",
    )
    _add(report, _problem(Case("1", "4", public=True), name="open", question="In 1 line: 4 words."), "train")
    found = report.to_dict()
    assert found["public_case_in_question"]["first"] == found["hidden_case_in_question"]["first"] == ["told"]
    assert found["no_hidden_case"] == {"count": 1, "first": ["open"]}
    assert len(report.warnings()) == 2


def test_the_same_problem_in_two_splits_is_a_leak_that_is_named() -> None:
    report = OverlapReport()
    _add(report, _problem(Case("4", "7"), name="a"), "train")
    _add(report, _problem(Case("4", "7"), name="b", question="add three  to THE number."), "test")
    _add(report, _problem(Case("4", "7"), name="c", question="Another one."), "train")
    _add(report, _problem(Case("4", "9"), name="d", question="A third."), "test")
    across = report.to_dict()["across_splits"]
    assert across["same_question"] == {"test/train": {"count": 1, "first": ["b = a"]}}
    assert across["same_cases"] == {
        "test/train": {"count": 1, "first": ["b = a"]},
        "train/train": {"count": 1, "first": ["c = a"]},
    }
    assert sum("test/train" in line for line in report.warnings()) == 2


_WORDS = st.text(st.sampled_from("01aB'\"-é\u00b2\0 \n"), max_size=6)


@given(_WORDS, _WORDS, st.lists(st.tuples(_WORDS, _WORDS), max_size=2), _WORDS, _WORDS)
def test_no_case_that_the_question_spells_out_is_passed_over(
    given: str, expected: str, others: list[tuple[str, str]], before: str, after: str
) -> None:
    expected = f"{expected} 4Ab"
    cases = [Case(f"{given}123", expected), *(Case(*other) for other in others)]
    question = f"{before} {given}\t 1 2 3 gives {expected.lower()} {after}"
    assert "hidden_case_in_question" in look_at(_problem(*cases, question=question)).findings


@given(
    st.text(st.characters(max_codepoint=0x250), min_size=1),
    st.sampled_from("\t\n\v\f\r\x1c\x1d\x1e\x1f \x85\xa0"),
)
def test_blanks_capitals_and_kinds_of_quotes_do_not_tell_questions_apart(text: str, blank: str) -> None:
    same = blank.join(text.replace('"', "'")).casefold()
    keys = {look_at(_problem(Case("1", "2"), question=f"q{one}")).question_key for one in (text, same)}
    assert len(keys) == 1
