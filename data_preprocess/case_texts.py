"""From a record's inputs and outputs to the texts of ``Case``, for stdin and for call problems."""

from __future__ import annotations

import json
from typing import Any

from data_preprocess.rows import BadRow
from verl_ext.grading.problem import Case


def make_cases(inputs: Any, outputs: Any, fn_name: str | None, column: str) -> tuple[Case, ...]:
    """Cases of two parallel lists, none of them public yet.

    Args:
        inputs: stdin: texts, or lists of lines. call: lists of arguments, or JSON texts of such lists.
        outputs: stdin: likewise. call: the expected value, or its JSON text where the input was one.
        fn_name: Function to call; None or empty for stdin.
        column: Named in the reject.

    Raises:
        BadRow: When the lists are missing, empty, of different length or hold something else.
    """
    for name, items in (("inputs", inputs), ("outputs", outputs)):
        if items is None:
            raise BadRow(f"{column}.{name}", "missing: give the lists inputs and outputs, of equal length")
        if not isinstance(items, list | tuple):
            raise BadRow(f"{column}.{name}", f"must be a list, not {_kind(items)}")
    if not inputs:
        raise BadRow(f"{column}.inputs", "no tests: a problem without tests can't earn a reward")
    if len(inputs) != len(outputs):
        raise BadRow(
            f"{column}.outputs", f"{len(outputs)} outputs for {len(inputs)} inputs; every input needs one"
        )
    if fn_name:
        return tuple(
            _call_case(given, expected, fn_name, column, index)
            for index, (given, expected) in enumerate(zip(inputs, outputs, strict=True))
        )
    return tuple(
        Case(_stdin_text(given, f"{column}.inputs", index), _stdin_text(expected, f"{column}.outputs", index))
        for index, (given, expected) in enumerate(zip(inputs, outputs, strict=True))
    )


def _stdin_text(item: Any, column: str, index: int) -> str:
    if isinstance(item, str):
        return item
    if isinstance(item, list | tuple) and all(isinstance(line, str) for line in item):
        return "\n".join(item)
    raise BadRow(f"{column}[{index}]", f"must be text or a list of lines, not {_kind(item)}")


def _call_case(given: Any, expected: Any, fn_name: str, column: str, index: int) -> Case:
    arguments, value = given, expected
    as_text = isinstance(given, str)
    if as_text:
        try:
            arguments = json.loads(given)
            value = json.loads(expected) if isinstance(expected, str) else expected
        except ValueError as error:
            raise BadRow(
                f"{column}.inputs[{index}]", f"a call case given as text must be JSON: {error}"
            ) from error
    if not isinstance(arguments, list | tuple):
        raise BadRow(f"{column}.inputs[{index}]", f"must be the list of arguments, not {_kind(arguments)}")
    if as_text and isinstance(expected, str):
        return Case(given, expected, fn_name)
    try:
        return Case(_json(arguments), _json(value), fn_name)
    except (TypeError, ValueError) as error:
        raise BadRow(f"{column}.inputs[{index}]", f"has no JSON form: {error}") from error


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _kind(value: Any) -> str:
    return "null" if value is None else type(value).__name__
