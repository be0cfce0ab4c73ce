"""The shapes in which data sets write tests, whatever column they stand in.

Two parallel lists (``{"inputs", "outputs"[, "fn_name"]}``) or a list of objects (``{"input", "output"}``), as
objects or as text, JSON or a Python literal. Owns the rules that several formats share: wrapped expected
values, newline-separated arguments. Does not know any format.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from data_preprocess.case_texts import NO_TESTS, call_case, kind_of, make_cases, stdin_text
from data_preprocess.json_text import read_json
from data_preprocess.rows import BadRow
from verl_ext.grading.case_choice import accept_unwrapped
from verl_ext.grading.problem import Case
from verl_ext.grading.values import parse_literal

_STDIN = ("stdin", "stdin_stdout", "stdio", "standard_input")
_CALL = ("functional", "function_call", "call", "call_based")
_LIST_TYPE = re.compile(r"\s*(?:typing\.)?(?:List|list|Sequence|Iterable|Tuple|tuple)\b\s*(\[)?")


def parsed(value: Any, column: str) -> Any:
    """What a column holds: the value itself, or what its text says in JSON or as a Python literal.

    Raises:
        BadRow: When it is text and neither of the two.
    """
    if not isinstance(value, str):
        return value
    if not value.strip():
        raise BadRow(column, NO_TESTS)
    try:
        return read_json(value)
    except ValueError as json_error:
        try:
            return parse_literal(value)
        except ValueError as error:
            reason = f"neither JSON ({json_error}) nor a Python literal ({error})"
            raise BadRow(column, reason) from error


def list_cases(tests: Any, column: str, sources: Iterable[str | None] = ()) -> tuple[Case, ...]:
    """Cases of ``{"inputs", "outputs"}``; calls where ``fn_name`` is given and not empty.

    Args:
        tests: The object, or a text of it.
        column: Named in the reject.
        sources: Starter code and reference, whose signature tells whether expected values are wrapped.

    Raises:
        BadRow: When it is no such object or has no usable tests.
    """
    tests = parsed(tests, column)
    if not isinstance(tests, Mapping):
        raise BadRow(column, f"must be an object with inputs and outputs, not {kind_of(tests)}")
    fn_name = tests.get("fn_name")
    if fn_name is not None and not isinstance(fn_name, str):
        raise BadRow(f"{column}.fn_name", "must be text")
    if tests.get("remote"):
        raise BadRow(f"{column}.remote", "remote files are read in the user format only (format=user)")
    inputs, outputs = tests.get("inputs"), tests.get("outputs")
    if not (fn_name and isinstance(inputs, list) and isinstance(outputs, list)):
        return make_cases(inputs, outputs, fn_name, column)
    depth = returned_depth(sources, fn_name)
    cases = make_cases(inputs, unwrapped(outputs, depth), fn_name, column)
    return accept_unwrapped(cases) if depth is None else cases


def item_cases(
    items: Any,
    column: str,
    *,
    fn_name: str | None = None,
    sources: Iterable[str | None] = (),
    public: bool = False,
) -> tuple[Case, ...]:
    """Cases of a list of ``{"input", "output" | "expected_output"[, "type" | "testtype"][, "fn_name"]}``.

    Args:
        items: The list, or a text of it; may be empty.
        column: Named in the reject.
        fn_name: Function to call where an item names none.
        sources: As in ``list_cases``.
        public: Whether the source calls these cases public.

    Raises:
        BadRow: When it is no such list.
    """
    items = parsed(items, column) if items not in ("", None) else []
    if not isinstance(items, list):
        raise BadRow(column, f"must be a list of tests, not {kind_of(items)}")
    shaped = [_item(item, f"{column}[{index}]", fn_name) for index, item in enumerate(items)]
    called = {name for _, _, name in shaped}
    if len(called) > 1:
        raise BadRow(column, "tests of different kinds or functions")
    name = called.pop() if called else None
    if name is None:
        return tuple(
            Case(
                stdin_text(given, f"{column}[{index}].input"),
                stdin_text(expected, f"{column}[{index}].output"),
                public=public,
            )
            for index, (given, expected, _) in enumerate(shaped)
        )
    outputs = [expected for _, expected, _ in shaped]
    may_be_wrapped = not any(isinstance(given, str) for given, _, _ in shaped)
    depth = returned_depth(sources, name)
    if may_be_wrapped:
        outputs = unwrapped(outputs, depth)
    cases = tuple(
        call_case(_arguments(given, f"{column}[{index}].input"), expected, name, f"{column}[{index}]", public)
        for index, ((given, _, _), expected) in enumerate(zip(shaped, outputs, strict=True))
    )
    return accept_unwrapped(cases) if may_be_wrapped and depth is None else cases


def unwrapped(outputs: Sequence[Any], depth: int | None) -> list[Any]:
    """Expected values without the list of one item that many data sets put around each.

    They are wrapped when all of a problem's are lists of one item, and deeper than what the function returns.
    Where that is not known they stay as they are, and the grader accepts both (``accept_unwrapped``).

    Args:
        outputs: Of one problem.
        depth: How many lists deep the function's value is at least; None when that is not known.
    """
    if depth is None or not all(isinstance(value, list) and len(value) == 1 for value in outputs):
        return list(outputs)
    if depth and max(map(_depth, outputs), default=0) <= depth:
        return list(outputs)
    return [value[0] for value in outputs]


def returned_depth(sources: Iterable[str | None], fn_name: str) -> int | None:
    """How many lists deep the annotated value of a function is; None where no source annotates it."""
    name = re.escape(fn_name.rpartition(".")[2])
    signature = re.compile(rf"def\s+{name}\s*\([^)]*\)\s*->\s*([^:\n]+):")
    for source in sources:
        if source and (found := signature.search(source)):
            depth, annotation = 0, found[1]
            while head := _LIST_TYPE.match(annotation):
                depth, annotation = depth + 1, annotation[head.end() :]
                if not head[1]:
                    break
            return depth
    return None


def newline_arguments(text: str, column: str) -> str:
    """LiveCodeBench's input of a call, one JSON value per line -> JSON text of the list of arguments.

    Raises:
        BadRow: When a line is not JSON.
    """
    lines = [line for line in text.split("\n") if line.strip()]
    for number, line in enumerate(lines, start=1):
        try:
            read_json(line)
        except ValueError as error:
            raise BadRow(column, f"line {number} is not JSON: {error}") from error
    return f"[{', '.join(lines)}]"


def _item(item: Any, column: str, fn_name: str | None) -> tuple[Any, Any, str | None]:
    """Input, expected value, and the function to call (None for stdin) of one test."""
    if not isinstance(item, Mapping):
        raise BadRow(column, f"must be an object with input and output, not {kind_of(item)}")
    output = "output" if "output" in item else "expected_output"
    for name in ("input", output):
        if item.get(name) is None and (name != "input" or "input" not in item):
            raise BadRow(f"{column}.{name}", "missing")
    kind = item.get("type") or item.get("testtype") or item.get("test_type")
    metadata = item.get("metadata")
    named = item.get("fn_name") or (metadata.get("func_name") if isinstance(metadata, Mapping) else None)
    called = named or fn_name
    if called is not None and not isinstance(called, str):
        raise BadRow(f"{column}.fn_name", "must be text")
    if kind is None or kind == "":
        return item["input"], item[output], called or None
    if kind in _STDIN:
        return item["input"], item[output], None
    if kind in _CALL:
        if not called:
            raise BadRow(column, f"a test of type {kind} names no function (fn_name or metadata.func_name)")
        return item["input"], item[output], called
    raise BadRow(column, f"type {kind!r} is not one of {', '.join((*_STDIN, *_CALL))}")


def _arguments(given: Any, column: str) -> Any:
    return newline_arguments(given, column) if isinstance(given, str) else given


def _depth(value: Any) -> int:
    depth = 0
    while isinstance(value, list) and value:
        depth, value = depth + 1, value[0]
    return depth + isinstance(value, list)
