"""Codeforces problems: a statement in parts, examples, and tests as lists of ``{"input", "output"}``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from data_preprocess.formats.case_shapes import item_cases
from data_preprocess.formats.format import Format, FormatOptions, extra_columns, named_by, optional_text
from data_preprocess.formats.shared_columns import first_python, megabytes, positive_number
from data_preprocess.rows import BadRow, Row
from verl_ext.grading.problem import Case, Problem

_TESTS = ("official_tests", "test_cases", "tests")
_PARTS = (
    ("description", ""),
    ("input_format", "Input"),
    ("output_format", "Output"),
    ("interaction_format", "Interaction"),
    ("note", "Note"),
)
_TAKEN = (
    *_TESTS,
    *(column for column, _ in _PARTS),
    "examples",
    "id",
    "title",
    "time_limit",
    "memory_limit",
    "code",
)


def read_codeforces_row(row: Row, options: FormatOptions) -> Problem:
    """One problem; the examples are public, the tests hidden.

    Raises:
        BadRow: When a column is missing, the tests are unusable, or only a checker of its own can grade it.
    """
    values = row.values
    if values.get("generated_checker"):
        raise BadRow("generated_checker", "several answers are right, and the row's own checker is not run")
    if values.get("interaction_format"):
        raise BadRow("interaction_format", "interactive problems can't be graded")
    question = _statement(values)
    examples = item_cases(values.get("examples"), "examples", public=True)
    column = next((name for name in _TESTS if values.get(name)), _TESTS[0])
    tests = item_cases(values.get(column), column)
    known = {case.input for case in examples}
    cases: tuple[Case, ...] = (*examples, *(case for case in tests if case.input not in known))
    if not cases:
        raise BadRow(column, "no tests: neither examples nor official tests")
    return Problem(
        query_id=named_by(values, ("id",), "codeforces", question),
        question=question,
        cases=cases,
        reference=first_python(values.get("solutions") or values.get("code")),
        time_limit_s=positive_number(values.get("time_limit")),
        memory_limit_mb=megabytes(values.get("memory_limit")),
        source="codeforces",
        extra=extra_columns(values, _TAKEN),
    )


def _statement(values: Mapping[str, Any]) -> str:
    parts = []
    for column, heading in _PARTS:
        text = optional_text(values, column)
        if text and text.strip():
            parts.append(f"{heading}\n{text.strip()}" if heading else text.strip())
    if not parts:
        raise BadRow("description", "missing")
    title = optional_text(values, "title")
    return "\n\n".join([title.strip(), *parts] if title and title.strip() else parts)


def _is_codeforces(values: Mapping[str, Any]) -> bool:
    return any(values.get(column) is not None for column in (*_TESTS, "examples"))


FORMAT = Format(
    ("description",), read_codeforces_row, fits=_is_codeforces, also_kept=("solutions", "generated_checker")
)
