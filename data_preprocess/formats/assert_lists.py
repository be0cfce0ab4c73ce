"""Problems whose tests are lists of Python asserts: AceCode (``test_cases``) and MBPP (``test_list``)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from data_preprocess.assert_tests.python import AssertReader, called_function, parameters_of
from data_preprocess.case_texts import NO_TESTS, kind_of
from data_preprocess.formats.case_shapes import parsed
from data_preprocess.formats.format import Format, FormatOptions, extra_columns, named_by, optional_text
from data_preprocess.formats.shared_columns import first_python
from data_preprocess.rows import BadRow, Row
from verl_ext.grading.problem import Case, Problem

_QUESTIONS = ("question", "text", "prompt")
_REFERENCES = ("code", "solution", "reference")
_TESTS = ("test_list", "test_cases")
_TAKEN = (*_QUESTIONS, *_REFERENCES, *_TESTS, "challenge_test_list", "test_setup_code", "task_id", "id")


def read_assert_row(row: Row, options: FormatOptions) -> Problem:
    """One problem; asserts become calls, and ``test_setup_code`` runs before the program.

    Raises:
        BadRow: When a column is missing, or an assert says something that is no case.
    """
    values = row.values
    question = next(filter(None, (optional_text(values, name) for name in _QUESTIONS)), "")
    if not question.strip():
        raise BadRow(_QUESTIONS[0], "missing")
    reference = first_python([values.get(name) for name in _REFERENCES])
    column = next((name for name in _TESTS if values.get(name) is not None), _TESTS[0])
    cases = assert_cases(values.get(column), column, reference=reference)
    if values.get("challenge_test_list"):
        more = values["challenge_test_list"]
        cases += assert_cases(more, "challenge_test_list", fn_name=cases[0].fn_name, reference=reference)
    return Problem(
        query_id=named_by(values, ("task_id", "id"), "asserts", question),
        question=question,
        cases=cases,
        prelude=optional_text(values, "test_setup_code") or "",
        reference=reference,
        source="asserts",
        extra=extra_columns(values, _TAKEN),
    )


def assert_cases(
    tests: Any, column: str, *, fn_name: Any = None, reference: str | None = None
) -> tuple[Case, ...]:
    """Cases of a list of asserts, or of one text of them.

    Args:
        tests: The asserts.
        column: Named in the reject.
        fn_name: The function under test; None to find it in the asserts.
        reference: Tells the order of the parameters for calls with keywords.

    Raises:
        BadRow: When there are none, or one says something that is no case.
    """
    if isinstance(tests, str) and tests.lstrip().startswith("["):
        tests = parsed(tests, column)
    sources = [tests] if isinstance(tests, str) else tests
    if not isinstance(sources, list | tuple) or not all(isinstance(source, str) for source in sources):
        raise BadRow(column, f"must be a list of asserts, not {kind_of(tests)}")
    if not any(source.strip() for source in sources):
        raise BadRow(column, NO_TESTS)
    name = fn_name if isinstance(fn_name, str) and fn_name else called_function(sources, column)
    reader = AssertReader(name, parameters=parameters_of(reference, name))
    for index, source in enumerate(sources):
        reader.read(source, f"{column}[{index}]")
    if not reader.cases:
        raise BadRow(column, NO_TESTS)
    return tuple(reader.cases)


def _has_asserts(values: Mapping[str, Any]) -> bool:
    tests = next((values[name] for name in _TESTS if values.get(name) is not None), None)
    if isinstance(tests, str):
        return "assert" in tests[:1000]
    return isinstance(tests, list | tuple) and any(
        isinstance(test, str) and "assert" in test for test in tests[:3]
    )


FORMAT = Format((), read_assert_row, fits=_has_asserts)
