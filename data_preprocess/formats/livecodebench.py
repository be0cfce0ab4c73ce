"""LiveCodeBench: public tests as JSON, private ones as JSON or packed; functions named in ``metadata``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from data_preprocess.formats.case_shapes import item_cases, parsed
from data_preprocess.formats.format import (
    Format,
    FormatOptions,
    extra_columns,
    known_difficulty,
    named_by,
    optional_text,
    required_text,
)
from data_preprocess.formats.packed_text import unpacked_text
from data_preprocess.rows import BadRow, Row
from verl_ext.grading.problem import Case, Problem

_TAKEN = (
    "question_content",
    "question_id",
    "public_test_cases",
    "private_test_cases",
    "metadata",
    "starter_code",
    "difficulty",
)


def read_livecodebench_row(row: Row, options: FormatOptions) -> Problem:
    """One problem; the public tests stay public and the private ones hidden.

    Raises:
        BadRow: When a column is missing or the tests are unusable.
    """
    values = row.values
    question = required_text(values, "question_content")
    fn_name = function_of(values.get("metadata"))
    cases: list[Case] = []
    for column, public in (("public_test_cases", True), ("private_test_cases", False)):
        tests = values.get(column)
        if isinstance(tests, str) and tests.strip() and tests.lstrip()[0] not in "[{":
            tests = unpacked_text(tests.strip(), column)
        cases += item_cases(tests, column, fn_name=fn_name, public=public)
    if not cases:
        raise BadRow("private_test_cases", "no tests: neither public nor private ones")
    return Problem(
        query_id=named_by(values, ("question_id",), "livecodebench", question),
        question=question,
        cases=tuple(cases),
        starter_code=optional_text(values, "starter_code") or "",
        difficulty=known_difficulty(values.get("difficulty")),
        source="livecodebench",
        extra=extra_columns(values, _TAKEN),
    )


def function_of(metadata: Any) -> str | None:
    """``func_name`` of a ``metadata`` column; None for stdin problems.

    Raises:
        BadRow: When the column is text and no JSON.
    """
    if metadata is None or metadata == "":
        return None
    metadata = parsed(metadata, "metadata")
    name = metadata.get("func_name") if isinstance(metadata, Mapping) else None
    if name is not None and not isinstance(name, str):
        raise BadRow("metadata.func_name", "must be text")
    return name or None


FORMAT = Format(("question_content", "public_test_cases"), read_livecodebench_row)
