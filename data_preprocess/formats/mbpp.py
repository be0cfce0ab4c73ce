"""MBPP's own records, and AceCode's: a question and a list of asserts about one function.

MBPP: ``text`` (or ``prompt``), ``code``, ``test_list``, ``challenge_test_list``, and setup in
``test_setup_code`` or ``test_imports``. AceCode: ``question`` and ``test_cases``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from data_preprocess.assert_tests.python import AssertReader, called_function, called_functions, parameters_of
from data_preprocess.formats.format import (
    Format,
    FormatOptions,
    extra_columns,
    identifier,
    named_by,
    optional_text,
    required_text,
)
from data_preprocess.rows import BadRow, Row
from verl_ext.grading.problem import Case, Problem

_MBPP_COLUMNS = (
    "task_id",
    "text",
    "prompt",
    "code",
    "test_list",
    "challenge_test_list",
    "test_setup_code",
    "test_imports",
)
_ACECODE_COLUMNS = ("id", "question", "test_cases")


def read_mbpp_row(row: Row, options: FormatOptions) -> Problem:
    """One problem; challenge tests follow the others, and setup becomes prelude and names of constants.

    Raises:
        BadRow: When a column is missing, has the wrong type, or an assert is no case.
    """
    values = row.values
    question = required_text(values, "text" if values.get("text") is not None else "prompt")
    reference = optional_text(values, "code")
    imports = "\n".join(_texts(values, "test_imports"))
    setup = "\n".join(part for part in (imports, optional_text(values, "test_setup_code") or "") if part)
    asserts = {name: _texts(values, name) for name in ("test_list", "challenge_test_list")}
    return Problem(
        query_id=f"MBPP/{identifier(values['task_id'], 'task_id')}",
        question=question,
        cases=_cases(asserts, setup, reference),
        prelude=f"{setup}\n" if setup else "",
        reference=reference,
        source="mbpp",
        extra=extra_columns(values, _MBPP_COLUMNS),
    )


def read_acecode_row(row: Row, options: FormatOptions) -> Problem:
    """One problem; it has no reference.

    Raises:
        BadRow: When a column is missing, has the wrong type, or an assert is no case.
    """
    values = row.values
    question = required_text(values, "question")
    return Problem(
        query_id=named_by(values, ("id",), "acecode", question),
        question=question,
        cases=_cases({"test_cases": _texts(values, "test_cases")}, "", None),
        source="acecode",
        extra=extra_columns(values, _ACECODE_COLUMNS),
    )


def _texts(values: Mapping[str, Any], column: str) -> list[str]:
    """A column that is a list of texts; an absent one is an empty list."""
    found = values.get(column)
    found = [] if found is None else found
    if not _are_texts(found):
        raise BadRow(column, "must be a list of texts")
    return list(found)


def _cases(asserts: Mapping[str, list[str]], setup: str, reference: str | None) -> tuple[Case, ...]:
    first, sources = next(iter(asserts.items()))
    if not sources:
        raise BadRow(first, "no tests: a problem without tests can't earn a reward")
    for index, source in enumerate(sources):  # names the assert that is no Python
        called_functions(source, f"{first}[{index}]")
    fn_name = called_function("\n".join(sources), first)
    reader = AssertReader(fn_name, parameters=parameters_of(reference, fn_name))
    reader.read(setup, "test_setup_code")
    for column, texts in asserts.items():
        for index, text in enumerate(texts):
            reader.read(text, f"{column}[{index}]")
    if not reader.cases:
        raise BadRow(first, "no tests: a problem without tests can't earn a reward")
    return tuple(reader.cases)


def _is_asserts(values: Mapping[str, Any], column: str) -> bool:
    found: Any = values.get(column)
    return _are_texts(found) and all(text.lstrip().startswith("assert") for text in found)


def _are_texts(value: Any) -> bool:
    is_list = isinstance(value, Sequence) and not isinstance(value, str | bytes)
    return is_list and all(isinstance(text, str) for text in value)


MBPP = Format(("task_id", "test_list"), read_mbpp_row)
ACECODE = Format(
    ("question", "test_cases"), read_acecode_row, fits=lambda values: _is_asserts(values, "test_cases")
)
