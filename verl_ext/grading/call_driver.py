"""Calls one function of ``program.py`` and answers with what it returned. Sent into the sandbox as text.

Standard input carries three parts, each on a line of its own: a nonce, the function's name, the list of
arguments (JSON, else a Python literal). The answer is the JSON of the returned value between two nonces, in
tagged form (``verl_ext.grading.values``) where it holds sets and the like, written to a private copy of file
descriptor 1; what the program itself prints goes to standard error. The process ends right after the answer,
so nothing that the program left behind (threads, ``atexit``, children) can add to it.

This is a courier, not a judge: it shares its process with the program, so a program can find and change
anything in it, and nothing hangs on that. No expected value is here and no verdict is made here; a program
that forges an answer has to know the right one. The nonce keeps the program's bytes apart from ours. Only
plain data leaves: the operators, ``__eq__`` and ``__repr__`` that a program defines stay behind. What the
driver itself needs it takes before the program's first line runs, so that a program which moves to another
folder or tidies up modules does not break it by mistake.

Kept short because every run compiles it; what linked lists and trees need is in ``node_driver.py``.
"""

from __future__ import annotations

import json
import os
import sys

TYPE_CHECKING = False  # the name that type checkers know, without importing typing for every run
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

# How deep arguments and results may be nested whatever the program's own recursion may be.
_JSON_DEPTH = 5000


def _load(name: str, namespace: dict[str, Any]) -> None:
    with open(name, encoding="utf-8") as file:  # noqa: PTH123  fewer imports, faster runs
        source = file.read()
    try:
        code = compile(source, name, "exec", dont_inherit=True)
    except (SyntaxError, ValueError, RecursionError) as error:
        if getattr(error, "filename", None):
            raise
        # Null bytes and the like come without a place.
        raise SyntaxError(str(error), (name, 1, None, None)) from None
    exec(code, namespace)


def _owner(namespace: dict[str, Any], fn_name: str) -> str:
    """The name under which the function is found: ``Solution`` where that class has it, else its own."""
    solution = namespace.get("Solution")
    return "Solution" if isinstance(solution, type) and hasattr(solution, fn_name) else fn_name


def _find(namespace: dict[str, Any], fn_name: str) -> Callable[..., Any] | None:
    """The method of ``class Solution``, else the function, else None."""
    found = namespace.get(_owner(namespace, fn_name))
    if isinstance(found, type) and hasattr(found, fn_name):
        return getattr(found(), fn_name)
    return found if callable(found) else None


def _plain(value: Any) -> Any:
    """What the JSON encoder asks for types it does not know: arrays are lists, numbers are numbers."""
    numpy = sys.modules.get("numpy")
    if numpy is not None and isinstance(value, (numpy.generic, numpy.ndarray)):
        return value.tolist()
    for module_name, name in (("decimal", "Decimal"), ("fractions", "Fraction")):
        module = sys.modules.get(module_name)
        if module is not None and isinstance(value, getattr(module, name)):
            try:
                whole = int(value)
            except (ValueError, OverflowError):
                return float(value)  # NaN or infinite
            return whole if whole == value else float(value)
    raise TypeError(type(value).__name__)


def _tagged(value: Any) -> Any:
    """The value in the form that holds what JSON can't: sets, keys that are no text, complex numbers."""
    if isinstance(value, (list, tuple)):
        return [_tagged(item) for item in value]
    if isinstance(value, dict):
        return {"dict": [[_tagged(key), _tagged(item)] for key, item in value.items()]}
    if isinstance(value, (set, frozenset)):
        return {"set": [_tagged(item) for item in value]}
    if isinstance(value, complex):
        return {"complex": [value.real, value.imag]}
    if isinstance(value, (bytes, bytearray)):
        return {"bytes": list(value)}
    return value


def _shown(value: Any) -> str:
    """What the program calls a value that is no answer, for whoever debugs it."""
    try:
        return str(repr(value))[:1000]
    except Exception:
        return type(value).__name__


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


def _call(fn_name: str, arguments: list[Any]) -> Any:
    """Loads prelude and program, and returns what the function does."""
    module = type(sys)("program")
    sys.modules["program"] = module
    namespace = module.__dict__
    converter: dict[str, Any] = {"__name__": "node_driver"}
    if os.path.exists("node_driver.py"):  # noqa: PTH110
        _load("node_driver.py", converter)
    _load("prelude.py", namespace)
    stub = _find(namespace, fn_name)
    if stub is not None:
        # The record's signature: good for its annotations, never the program's answer.
        del namespace[_owner(namespace, fn_name)]
    try:
        _load("program.py", namespace)
    except SystemExit as end:
        # A program for a judge may well end in exit(0); its function is defined all the same.
        if end.code not in (None, 0):
            raise
    function = _find(namespace, fn_name)
    if function is None:
        raise NameError(f"name {fn_name!r} is not defined")
    if "call_with_nodes" not in converter:
        return function(*arguments)
    return converter["call_with_nodes"](function, stub, arguments, namespace)


def _main() -> None:
    getpid, write, leave, flush = os.getpid, os.write, os._exit, sys.stdout.flush
    set_depth, depth = sys.setrecursionlimit, sys.getrecursionlimit()
    encode = json.JSONEncoder(default=_plain).encode
    own_pid = getpid()
    with open(0, "rb", closefd=False) as file:
        nonce, fn_name, arguments_text = file.read().decode("utf-8").split("\n", 2)
    answer_fd = os.dup(1)
    os.dup2(2, 1)
    sys.set_int_max_str_digits(0)
    set_depth(_JSON_DEPTH)
    try:
        arguments = json.loads(arguments_text)
    except ValueError:
        import ast

        arguments = ast.literal_eval(arguments_text)
    # The program gets the depth of recursion it would have without the frames below it.
    set_depth(depth + 3)
    status, answer = 1, b""
    try:
        value = _call(fn_name, arguments)
        if getpid() != own_pid:
            leave(0)  # a child that the program forked: the parent answers
        set_depth(_JSON_DEPTH)
        try:
            text = encode({"value": value})
        except (TypeError, ValueError, RecursionError):
            try:
                text = encode({"tagged": _tagged(value)})
            except (TypeError, ValueError, RecursionError) as reason:
                text = encode({"unsupported": str(reason), "repr": _shown(value)})
        status, answer = 0, f"{nonce}{text}{nonce}".encode()
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException as error:
        _report(error)
    try:  # noqa: SIM105  contextlib is one more import for every run
        flush()
    except Exception:
        pass  # The program closed its own output; the answer does not go that way.
    while answer:
        answer = answer[write(answer_fd, answer) :]
    leave(status & 255)


_main()
