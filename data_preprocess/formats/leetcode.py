"""LeetCodeDataset records: ``class Solution`` problems with keyword inputs written as text.

``input_output`` is a list (or a Python-literal or JSON string of one) of objects like
``{"input": "nums = [2,7], target = 9", "output": "[0,1]"}``. Inputs become the JSON list of arguments in the
order of the method's parameters.
"""

from __future__ import annotations

import ast
import json
from typing import Any

from data_preprocess.formats.format import Format, FormatOptions, extra_columns, known_difficulty
from data_preprocess.rows import BadRow, Row
from verl_ext.grading.problem import Case, Problem

REQUIRED = ("task_id", "query", "prompt", "completion", "entry_point", "input_output")
_JSON_NAMES = {"null": None, "true": True, "false": False}


def read_leetcode_row(row: Row, options: FormatOptions) -> Problem:
    """One problem, its imports as prelude and its reference from ``completion``.

    Raises:
        BadRow: When a column is missing, has the wrong type, or the tests can't be read.
    """
    values = row.values
    for column in REQUIRED:
        if values.get(column) is None:
            raise BadRow(column, "missing")
        if column != "input_output" and not isinstance(values[column], str):
            raise BadRow(column, f"must be text, not {type(values[column]).__name__}")
    for column in ("task_id", "query"):
        if not values[column].strip():
            raise BadRow(column, "empty")
    fn_name = values["entry_point"].rpartition(".")[2]
    parameters = _parameters(values["completion"], fn_name)
    cases = [
        _case(item, fn_name, parameters, f"input_output[{index}]")
        for index, item in enumerate(_items(values["input_output"]))
    ]
    if not cases:
        raise BadRow("input_output", "no tests: a problem without tests can't earn a reward")
    return Problem(
        query_id=values["task_id"],
        question=values["query"],
        cases=tuple(cases),
        prelude=values["prompt"],
        reference=values["completion"],
        difficulty=_difficulty(values.get("meta")),
        source="leetcode",
        extra=extra_columns(values, REQUIRED),
    )


def _difficulty(meta: Any) -> str | None:
    """The record's difficulty; 'Meidum', which occurs 21 times, counts as medium."""
    said = meta.get("difficulty") if isinstance(meta, dict) else None
    return "medium" if said == "Meidum" else known_difficulty(said)


def _parameters(source: str, fn_name: str) -> list[str]:
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError) as error:
        raise BadRow("completion", f"not a Python program: {error}") from error
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and node.name == fn_name:
            return [
                argument.arg
                for argument in (*node.args.posonlyargs, *node.args.args)
                if argument.arg != "self"
            ]
    raise BadRow("completion", f"does not define {fn_name!r}, which entry_point names")


def _items(value: Any) -> list[Any]:
    if isinstance(value, str):
        try:
            value = ast.literal_eval(value)
        except (SyntaxError, ValueError, MemoryError, RecursionError):
            try:
                value = json.loads(value)
            except ValueError as error:
                raise BadRow("input_output", "neither a Python literal nor JSON") from error
    if not isinstance(value, list):
        raise BadRow("input_output", f"must be a list of tests, not {type(value).__name__}")
    return value


def _case(item: Any, fn_name: str, parameters: list[str], column: str) -> Case:
    if not isinstance(item, dict) or not {"input", "output"} <= set(item):
        raise BadRow(column, "must be an object with input and output")
    given, expected = item["input"], item["output"]
    if not isinstance(given, str) or not isinstance(expected, str):
        raise BadRow(column, "input and output must be text")
    try:
        call = ast.parse(f"f({given.strip()})", mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
        raise BadRow(f"{column}.input", f"not a list of arguments: {given[:60]!r}") from error
    if not isinstance(call, ast.Call) or len(call.args) + len(call.keywords) != len(parameters):
        raise BadRow(f"{column}.input", f"{given[:60]!r} does not fit the parameters {', '.join(parameters)}")
    arguments = dict(zip(parameters, (_value(node, column) for node in call.args), strict=False))
    for keyword in call.keywords:
        if keyword.arg not in parameters or keyword.arg in arguments:
            raise BadRow(f"{column}.input", f"{keyword.arg!r} is not one of {', '.join(parameters)}")
        arguments[keyword.arg] = _value(keyword.value, column)
    try:
        value = _value(ast.parse(expected.strip(), mode="eval").body, column)
    except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
        raise BadRow(f"{column}.output", f"not a value: {expected[:60]!r}") from error
    return Case(
        json.dumps([arguments[name] for name in parameters], ensure_ascii=False),
        json.dumps(value, ensure_ascii=False),
        fn_name,
    )


def _value(node: ast.expr, column: str) -> Any:
    """A Python literal in which JSON's ``null``, ``true`` and ``false`` may stand too."""
    match node:
        case ast.Name(id=name) if name in _JSON_NAMES:
            return _JSON_NAMES[name]
        case ast.List(elts=items) | ast.Tuple(elts=items):
            return [_value(item, column) for item in items]
        case ast.Dict(keys=keys, values=values):
            pairs = zip(keys, values, strict=True)
            return {_value(k, column): _value(v, column) for k, v in pairs if k is not None}
    try:
        value = ast.literal_eval(node)
    except ValueError as error:
        raise BadRow(column, f"not a literal: {ast.unparse(node)[:60]!r}") from error
    if not isinstance(value, bool | int | float | str | type(None)):
        raise BadRow(column, f"has no JSON form: {ast.unparse(node)[:60]!r}")
    return value


FORMAT = Format(REQUIRED, read_leetcode_row, also_kept=("meta",))
