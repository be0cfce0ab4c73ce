"""Calls one function of ``program.py`` and answers with what it returned. Sent into the sandbox as text.

Standard input carries three parts, each on a line of its own: a nonce, the function's name, the JSON list of
arguments. The answer is the JSON of the returned value between two nonces, written to a private copy of file
descriptor 1; what the program itself prints goes to standard error. The process ends right after the answer,
so nothing that the program left behind (threads, ``atexit``, children) can add to it.

No expected value is here, so a program that forges an answer has to know the right one. The nonce keeps
the program's bytes apart from ours; it is no secret that anything hangs on.
"""

from __future__ import annotations

import json
import os
import sys
from json.encoder import encode_basestring_ascii as quote

TYPE_CHECKING = False  # the name that type checkers know, without importing typing for every run
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_MAX_NODES = 1_000_000
_MAX_DEPTH = 200


class ListNode:
    """Stands in when the annotations name it and neither prelude nor program defines it."""

    def __init__(self, val: Any = 0, next: ListNode | None = None) -> None:
        self.val, self.next = val, next


class TreeNode:
    """Stands in when the annotations name it and neither prelude nor program defines it."""

    def __init__(self, val: Any = 0, left: TreeNode | None = None, right: TreeNode | None = None) -> None:
        self.val, self.left, self.right = val, left, right


class _Unsupported(Exception):
    """A returned value that has no JSON form."""


def _load(name: str, namespace: dict[str, Any]) -> None:
    with open(name, encoding="utf-8") as file:  # noqa: PTH123  fewer imports, faster runs
        source = file.read()
    try:
        code = compile(source, name, "exec", dont_inherit=True)
    except (ValueError, RecursionError) as error:
        raise SyntaxError(str(error), (name, 1, None, None)) from None
    exec(code, namespace)


def _find(namespace: dict[str, Any], fn_name: str) -> Callable[..., Any] | None:
    """The method of ``class Solution``, else the function, else None."""
    solution = namespace.get("Solution")
    if isinstance(solution, type) and hasattr(solution, fn_name):
        return getattr(solution(), fn_name)
    function = namespace.get(fn_name)
    return function if callable(function) else None


def _signature(function: Any) -> tuple[list[str], str]:
    """Annotations as text: one per positional parameter, and that of the returned value."""
    while hasattr(function, "__wrapped__"):
        function = function.__wrapped__
    code = getattr(function, "__code__", None)
    notes = getattr(function, "__annotations__", None)
    if code is None or not notes:
        return [], ""
    names = code.co_varnames[: code.co_argcount]
    texts = [_text(notes.get(name, "")) for name in (names[1:] if hasattr(function, "__self__") else names)]
    return texts, _text(notes.get("return", ""))


def _text(annotation: Any) -> str:
    if isinstance(annotation, str):
        return annotation
    return annotation.__name__ if isinstance(annotation, type) else repr(annotation)


def _read(value: Any, note: str, namespace: dict[str, Any]) -> Any:
    """The argument in the form its annotation asks for."""
    for name, build in (("ListNode", _list_nodes), ("TreeNode", _tree_nodes)):
        if name in note:
            cls = namespace.get(name) or globals()[name]
            # "ist[" is the end of List[ and list[: a list of nodes.
            if "ist[" in note and isinstance(value, list):
                return [build(item, cls) for item in value]
            return build(value, cls)
    return value


def _list_nodes(values: list[Any] | None, cls: Any) -> Any:
    head = None
    for value in reversed(values or []):
        node = cls(value)
        node.next = head
        head = node
    return head


def _tree_nodes(values: list[Any] | None, cls: Any) -> Any:
    """Level order, None for a missing child, as LeetCode writes trees."""
    if not values:
        return None
    root = cls(values[0])
    root.left = root.right = None
    level, rest = [root], iter(values[1:])
    for parent in level:
        for side in ("left", "right"):
            value = next(rest, None)
            if value is not None:
                node = cls(value)
                node.left = node.right = None
                setattr(parent, side, node)
                level.append(node)
    return root


def _write(value: Any, note: str) -> Any:
    """The returned value with linked lists and trees as plain lists."""
    in_list = "ist[" in note
    if value is None and not in_list and ("ListNode" in note or "TreeNode" in note):
        return []
    if type(value) is list and in_list and ("ListNode" in note or "TreeNode" in note):
        return [[] if item is None else _write(item, "") for item in value]
    if hasattr(value, "val") and hasattr(value, "next"):
        return _list_values(value)
    if hasattr(value, "val") and hasattr(value, "left") and hasattr(value, "right"):
        return _tree_values(value)
    return value


def _list_values(node: Any) -> list[Any]:
    values = []
    while node is not None:
        values.append(node.val)
        if len(values) > _MAX_NODES:
            raise _Unsupported("a linked list that never ends")
        node = node.next
    return values


def _tree_values(root: Any) -> list[Any]:
    values: list[Any] = []
    level = [root]
    for node in level:
        if len(values) > _MAX_NODES:
            raise _Unsupported("a tree that never ends")
        values.append(None if node is None else node.val)
        if node is not None:
            level += (node.left, node.right)
    while values and values[-1] is None:
        values.pop()
    return values


def _encode(value: Any, depth: int = 0) -> str:
    """JSON made from exact builtin types; a subclass counts as the builtin that it extends."""
    if depth > _MAX_DEPTH:
        raise _Unsupported("a value nested too deeply")
    if value is None or value is True or value is False:
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, int):
        return int.__repr__(value)
    if isinstance(value, float):
        text = float.__repr__(value)
        return {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}.get(text, text)
    if isinstance(value, str):
        return quote(str.__str__(value))
    if isinstance(value, list | tuple):
        items = list.__iter__(value) if isinstance(value, list) else tuple.__iter__(value)
        return "[" + ",".join([_encode(item, depth + 1) for item in items]) + "]"
    if isinstance(value, dict):
        pairs = [f"{_encode_key(key)}:{_encode(item, depth + 1)}" for key, item in dict.items(value)]
        return "{" + ",".join(pairs) + "}"
    numpy = sys.modules.get("numpy")
    if numpy is not None and isinstance(value, numpy.generic):
        return _encode(value.item(), depth + 1)
    raise _Unsupported(type(value).__name__)


def _encode_key(key: Any) -> str:
    text = _encode(key)
    return text if text.startswith('"') else quote(text)


def _answer(value: Any, note: str) -> str:
    try:
        return '{"value":' + _encode(_write(value, note)) + "}"
    except _Unsupported as reason:
        return '{"unsupported":' + quote(str(reason)) + ',"repr":' + quote(repr(value)[:1000]) + "}"


def _report(error: BaseException) -> None:
    """Prints what plain Python would, from the program's own frames on."""
    traceback = error.__traceback__
    while traceback and traceback.tb_frame.f_code.co_filename not in ("program.py", "prelude.py"):
        traceback = traceback.tb_next
    error.__traceback__ = traceback
    at_compile = isinstance(error, SyntaxError) and error.filename in ("program.py", "prelude.py")
    if traceback is None and not at_compile:
        sys.stderr.write("Traceback (most recent call last):\n")
    sys.__excepthook__(type(error), error, traceback)


def _main() -> None:
    getpid, write, leave, flush = os.getpid, os.write, os._exit, sys.stdout.flush
    own_pid = getpid()
    with open(0, "rb", closefd=False) as file:
        nonce, fn_name, arguments_text = file.read().decode("utf-8").split("\n", 2)
    answer_fd = os.dup(1)
    os.dup2(2, 1)
    sys.set_int_max_str_digits(0)
    arguments = json.loads(arguments_text)
    module = type(sys)("program")
    sys.modules["program"] = module
    namespace = module.__dict__
    status = 1
    try:
        _load("prelude.py", namespace)
        stub = _find(namespace, fn_name)
        if stub is not None:
            # The record's signature: good for its annotations, never the program's answer.
            namespace.pop("Solution" if hasattr(stub, "__self__") else fn_name)
        try:
            _load("program.py", namespace)
        except SystemExit as end:
            # A program for a judge may well end in exit(0); its function is defined all the same.
            if end.code not in (None, 0):
                raise
        function = _find(namespace, fn_name)
        if function is None:
            raise NameError(f"name {fn_name!r} is not defined")
        notes, return_note = _signature(function)
        asked_notes, asked_return = _signature(stub)
        spare = [""] * len(arguments)
        arguments = [
            _read(value, note or asked, namespace)
            for value, note, asked in zip(arguments, notes + spare, asked_notes + spare, strict=False)
        ]
        value = function(*arguments)
        if getpid() != own_pid:
            leave(0)
        answer = f"{nonce}{_answer(value, return_note or asked_return)}{nonce}".encode()
        status = 0
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
        answer = b""
    except BaseException as error:
        _report(error)
        answer = b""
    try:  # noqa: SIM105  contextlib is one more import for every run
        flush()
    except Exception:
        pass  # The program closed its own output; the answer does not go that way.
    while answer:
        answer = answer[write(answer_fd, answer) :]
    leave(status & 255)


_main()
