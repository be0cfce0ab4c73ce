"""From a record's inputs and outputs to the texts of ``Case``, for stdin and for call problems."""

from __future__ import annotations

from typing import Any

from data_preprocess.json_text import read_json
from data_preprocess.rows import BadRow
from verl_ext.grading.problem import Case
from verl_ext.grading.values import value_text

NO_TESTS = "no tests: a problem without tests can't earn a reward"


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
            raise BadRow(f"{column}.{name}", f"must be a list, not {kind_of(items)}")
    if not inputs:
        raise BadRow(f"{column}.inputs", NO_TESTS)
    if len(inputs) != len(outputs):
        raise BadRow(
            f"{column}.outputs", f"{len(outputs)} outputs for {len(inputs)} inputs; every input needs one"
        )
    if fn_name:
        return tuple(
            call_case(given, expected, fn_name, f"{column}.inputs[{index}]")
            for index, (given, expected) in enumerate(zip(inputs, outputs, strict=True))
        )
    if {*map(type, inputs), *map(type, outputs)} == {str}:
        return tuple(map(Case, inputs, outputs))
    return tuple(
        Case(
            stdin_text(given, f"{column}.inputs[{index}]"), stdin_text(expected, f"{column}.outputs[{index}]")
        )
        for index, (given, expected) in enumerate(zip(inputs, outputs, strict=True))
    )


def stdin_text(item: Any, column: str) -> str:
    """Standard input or output as one text, from a text or a list of lines.

    Raises:
        BadRow: When it is neither.
    """
    if isinstance(item, str):
        return item
    if isinstance(item, list | tuple) and all(isinstance(line, str) for line in item):
        return "\n".join(item)
    raise BadRow(column, f"must be text or a list of lines, not {kind_of(item)}")


def call_case(given: Any, expected: Any, fn_name: str, column: str, public: bool = False) -> Case:
    """A call from its arguments and expected value, or from the JSON texts of both.

    Raises:
        BadRow: When a text is not JSON, the arguments are no list, or a value can't be written down.
    """
    arguments, value = given, expected
    as_text = isinstance(given, str)
    if as_text:
        try:
            arguments = read_json(given)
            value = read_json(expected) if isinstance(expected, str) else expected
        except ValueError as error:
            raise BadRow(column, f"a call case given as text must be JSON: {error}") from error
    if not isinstance(arguments, list | tuple):
        raise BadRow(column, f"must be the list of arguments, not {kind_of(arguments)}")
    if as_text and isinstance(expected, str):
        return Case(given, expected, fn_name, public)
    try:
        return Case(value_text(list(arguments)), value_text(value), fn_name, public)
    except (TypeError, ValueError, RecursionError) as error:
        raise BadRow(column, f"can't be written down: {error}") from error


def kind_of(value: Any) -> str:
    """The name of a value's type, for a message."""
    return "null" if value is None else type(value).__name__
