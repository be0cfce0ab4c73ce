"""DeepMind's CodeContests: public, private and generated tests as ``{"input": [...], "output": [...]}``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from data_preprocess.case_texts import NO_TESTS, make_cases
from data_preprocess.formats.case_shapes import parsed
from data_preprocess.formats.format import (
    Format,
    FormatOptions,
    extra_columns,
    named_by,
    required_text,
)
from data_preprocess.formats.shared_columns import first_python, megabytes, positive_number
from data_preprocess.rows import BadRow, Row
from verl_ext.grading.problem import Case, Problem

_TESTS = (("public_tests", True), ("private_tests", False), ("generated_tests", False))
_PYTHON_3 = 3
_TAKEN = (
    "description",
    "name",
    "incorrect_solutions",
    "time_limit",
    "memory_limit_bytes",
    *(column for column, _ in _TESTS),
)


def read_codecontests_row(row: Row, options: FormatOptions) -> Problem:
    """One problem; the public tests stay public, all the others are hidden.

    Raises:
        BadRow: When a column is missing or the tests are unusable.
    """
    values = row.values
    question = required_text(values, "description")
    cases: list[Case] = []
    for column, public in _TESTS:
        cases += _cases(values.get(column), column, public)
    if not cases:
        raise BadRow("public_tests", NO_TESTS)
    return Problem(
        query_id=named_by(values, ("name",), "codecontests", question),
        question=question,
        cases=tuple(cases),
        reference=_reference(values.get("solutions")),
        time_limit_s=_seconds(values.get("time_limit")),
        memory_limit_mb=_mebibytes(values.get("memory_limit_bytes")),
        source="codecontests",
        extra=extra_columns(values, _TAKEN),
    )


def _cases(tests: Any, column: str, public: bool) -> list[Case]:
    tests = None if tests in (None, "") else parsed(tests, column)
    if tests is None:
        return []
    if not isinstance(tests, Mapping):
        raise BadRow(column, f"must be an object with input and output, not {type(tests).__name__}")
    inputs, outputs = tests.get("input"), tests.get("output")
    if inputs == [] and outputs == []:
        return []
    made = make_cases(inputs, outputs, None, column)
    return [Case(case.input, case.expected, public=public) for case in made]


def _reference(solutions: Any) -> str | None:
    """The first solution that is marked as Python 3 and is."""
    if not isinstance(solutions, Mapping):
        return None
    programs, languages = solutions.get("solution"), solutions.get("language")
    if not isinstance(programs, list) or not isinstance(languages, list):
        return None
    marked = zip(programs, languages, strict=False)
    return first_python([program for program, language in marked if language in (_PYTHON_3, "PYTHON3")])


def _seconds(limit: Any) -> float | None:
    if not isinstance(limit, Mapping):
        return positive_number(limit)
    seconds, nanoseconds = positive_number(limit.get("seconds")), positive_number(limit.get("nanos"))
    return (seconds or 0) + (nanoseconds or 0) / 1e9 or None


def _mebibytes(limit_bytes: Any) -> int | None:
    number = positive_number(limit_bytes)
    return None if number is None else megabytes(number / (1 << 20))


FORMAT = Format(("description", "public_tests"), read_codecontests_row, also_kept=("solutions",))
