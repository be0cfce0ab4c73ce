"""KodCode: tests in a pytest file. Asserts about the one function become call cases.

A file with fixtures, parametrised or raising tests, several functions or classes is rejected with the reason:
a test that is left out would make wrong programs pass, and a pytest run inside the sandbox would hold the
expected values.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from data_preprocess.assert_tests.python import AssertReader, called_function, parameters_of
from data_preprocess.case_texts import NO_TESTS
from data_preprocess.formats.case_shapes import parsed
from data_preprocess.formats.format import (
    Format,
    FormatOptions,
    extra_columns,
    known_difficulty,
    named_by,
    optional_text,
    required_text,
)
from data_preprocess.formats.shared_columns import first_python
from data_preprocess.rows import BadRow, Row
from verl_ext.grading.problem import Problem

_TAKEN = ("question", "solution", "test", "test_code", "test_info", "question_id", "gpt_difficulty")


def read_kodcode_row(row: Row, options: FormatOptions) -> Problem:
    """One problem.

    Raises:
        BadRow: When a column is missing, or a statement of the tests is no case.
    """
    values = row.values
    question = required_text(values, "question")
    column = "test" if values.get("test") is not None else "test_code"
    tests = required_text(values, column)
    reference = first_python(values.get("solution"))
    function, declaration = _declared(values.get("test_info"))
    fn_name = function or called_function(tests, column)
    reader = AssertReader(fn_name, parameters=parameters_of(reference, fn_name))
    reader.read(tests, column)
    if not reader.cases:
        raise BadRow(column, NO_TESTS)
    return Problem(
        query_id=named_by(values, ("question_id",), "kodcode", question),
        question=question,
        cases=tuple(reader.cases),
        starter_code=declaration or optional_text(values, "starter_code") or "",
        reference=reference,
        difficulty=known_difficulty(values.get("gpt_difficulty")),
        source="kodcode",
        extra=extra_columns(values, (*_TAKEN, "starter_code")),
    )


def _declared(info: Any) -> tuple[str | None, str | None]:
    """Name and declaration of the function under test, where ``test_info`` describes just one."""
    info = parsed(info, "test_info") if isinstance(info, str) and info.strip() else info
    if not isinstance(info, list | tuple) or len(info) != 1 or not isinstance(info[0], Mapping):
        return None, None
    name, declaration = info[0].get("function_name"), info[0].get("function_declaration")
    return (
        name if isinstance(name, str) and name else None,
        declaration if isinstance(declaration, str) else None,
    )


def _has_pytest(values: Mapping[str, Any]) -> bool:
    tests = values.get("test") if values.get("test") is not None else values.get("test_code")
    return isinstance(tests, str) and "def test" in tests


FORMAT = Format(("question", "solution"), read_kodcode_row, fits=_has_pytest)
