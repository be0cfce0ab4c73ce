"""The user's own records: ``question``, ``query_id``, ``input_output``, and optionally ``prompt``.

``input_output`` is an object, or a JSON string of one: ``{"inputs", "outputs", "remote", "fn_name"}``. With
``remote: true`` the items are paths of files under a configured root. Optional columns with a meaning are
``language``, ``reference``, ``difficulty``, ``family``, ``starter_code``, ``verdict_only``, ``num_public``
and ``fn_name`` (like the one in ``input_output``); every other column is kept in ``Problem.extra``. What
``python -m recipe.code_agentic.problems`` writes comes back unchanged.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

from data_preprocess.case_texts import make_cases
from data_preprocess.formats.format import Format, FormatOptions, extra_columns, identifier
from data_preprocess.json_text import read_json
from data_preprocess.rows import BadRow, Row
from verl_ext.grading.problem import DIFFICULTIES, Problem

REQUIRED = ("question", "query_id", "input_output")
_OPTIONAL_TEXTS = ("prompt", "language", "reference", "family", "starter_code", "fn_name")
_TAKEN = frozenset((*REQUIRED, *_OPTIONAL_TEXTS, "verdict_only", "difficulty"))


def read_user_row(row: Row, options: FormatOptions) -> Problem:
    """One problem.

    Raises:
        BadRow: When a column is missing, has the wrong type, or the tests are unusable.
    """
    values = row.values
    for column in REQUIRED:
        if values.get(column) is None:
            raise BadRow(column, "missing")
    question, query_id = _text(values, "question"), identifier(values["query_id"], "query_id")
    texts = {name: _text(values, name) for name in _OPTIONAL_TEXTS if values.get(name) is not None}
    tests = _tests(values["input_output"])
    fn_name = _fn_name(tests.get("fn_name"), texts.get("fn_name"))
    remote = tests.get("remote", False)
    if remote is not None and not isinstance(remote, bool):
        raise BadRow("input_output.remote", f"must be true or false, not {remote!r}")
    inputs, outputs = tests.get("inputs"), tests.get("outputs")
    if remote:
        inputs = _fetched(inputs, "input_output.inputs", options.remote_root)
        outputs = _fetched(outputs, "input_output.outputs", options.remote_root)
    difficulty = values.get("difficulty")
    known_difficulty = difficulty if difficulty in DIFFICULTIES else None
    taken = _TAKEN if known_difficulty or difficulty is None else _TAKEN - {"difficulty"}
    return Problem(
        query_id=query_id,
        question=question,
        cases=make_cases(inputs, outputs, fn_name, "input_output"),
        language=texts.get("language", "python"),
        system_prompt=texts.get("prompt") or None,
        starter_code=texts.get("starter_code", ""),
        reference=texts.get("reference"),
        difficulty=known_difficulty,
        family=texts.get("family"),
        verdict_only=_flag(values, "verdict_only"),
        extra=extra_columns(values, taken),
    )


def check_user_schema(schema: pa.Schema, path: Path) -> None:
    """Refuses a parquet file whose columns can't be such records.

    Raises:
        ValueError: Naming the column, its type and the types that are read.
    """
    for column in REQUIRED:
        if column not in schema.names:
            raise ValueError(f"{path}: no column {column!r}; found {', '.join(schema.names)}")
        kind = schema.field(column).type
        is_text = pa.types.is_string(kind) or pa.types.is_large_string(kind)
        also = {
            "question": False,
            "query_id": pa.types.is_integer(kind),
            "input_output": pa.types.is_struct(kind),
        }[column]
        if not (is_text or also):
            wanted = {
                "question": "string",
                "query_id": "string or integer",
                "input_output": "struct or string",
            }
            raise ValueError(f"{path}: column {column!r} has the type {kind}; it must be {wanted[column]}")


def _text(values: Mapping[str, Any], column: str) -> str:
    value = values[column]
    if not isinstance(value, str):
        raise BadRow(column, f"must be text, not {type(value).__name__}")
    if column == "question" and not value.strip():
        raise BadRow(column, "empty")
    return value


def _fn_name(in_tests: Any, of_row: str | None) -> str | None:
    """The function to call, wherever the row names it; None for stdin."""
    if in_tests is not None and not isinstance(in_tests, str):
        raise BadRow("input_output.fn_name", "must be text")
    if in_tests and of_row and in_tests != of_row:
        raise BadRow("fn_name", f"{of_row!r} is not {in_tests!r}, which input_output.fn_name says")
    return in_tests or of_row or None


def _flag(values: Mapping[str, Any], column: str) -> bool:
    value = values.get(column)
    if value is not None and not isinstance(value, bool):
        raise BadRow(column, f"must be true or false, not {value!r}")
    return bool(value)


def _tests(value: Any) -> Mapping[str, Any]:
    if isinstance(value, str):
        try:
            value = read_json(value)
        except ValueError as error:
            raise BadRow("input_output", f"broken JSON: {error}") from error
    if not isinstance(value, dict):
        raise BadRow("input_output", f"must be an object with inputs and outputs, not {type(value).__name__}")
    return value


def _fetched(items: Any, column: str, root: Path | None) -> list[str]:
    if not isinstance(items, list | tuple):
        raise BadRow(column, "must be a list of paths")
    return [_read_remote(item, f"{column}[{index}]", root) for index, item in enumerate(items)]


def _read_remote(item: Any, column: str, root: Path | None) -> str:
    """The text of one file under ``root``; everything else is refused by name."""
    if not isinstance(item, str):
        raise BadRow(column, f"must be a path, not {type(item).__name__}")
    if "://" in item:
        raise BadRow(column, f"{item!r} is a URL; only files under remote_root are read")
    if root is None:
        raise BadRow(column, f"{item!r} is remote and remote_root is not set")
    base = root.resolve()
    path = (base / item).resolve()
    if not path.is_relative_to(base):
        raise BadRow(column, f"{item!r} leads outside remote_root")
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadRow(column, f"{item!r} can't be read: {error}") from error


FORMAT = Format(REQUIRED, read_user_row, check_schema=check_user_schema)
