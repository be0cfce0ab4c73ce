"""Runs an authored reference program in this process to learn what it answers.

Only for the project's own references, which are trusted: there is no isolation and no time limit here.
Programs of a model or of a data set go through ``verl_ext.sandbox``. Not thread safe: standard input and
output of the process are replaced while a stdin program runs.
"""

from __future__ import annotations

import contextlib
import functools
import io
import json
import sys
from collections.abc import Iterator
from types import CodeType
from typing import Any


def run_reference(source: str, case_input: str, fn_name: str | None) -> str:
    """What the program answers to one input, in the form of ``Case.expected``.

    Args:
        source: A right program of our own.
        case_input: In the form of ``Case.input``: whole stdin, or JSON text of the list of arguments.
        fn_name: Function, or method of ``class Solution``, to call; None for a stdin program.

    Returns:
        Standard output without trailing whitespace, or the JSON text of the returned value.
    """
    if fn_name is None:
        return _printed_by(_compiled(source), case_input)
    return json.dumps(_returned_by(source, json.loads(case_input), fn_name), allow_nan=False)


@functools.lru_cache(maxsize=512)
def _compiled(source: str) -> CodeType:
    return compile(source, "<reference>", "exec")


def _fresh_namespace() -> dict[str, Any]:
    return {"__name__": "__main__"}


def _printed_by(code: CodeType, stdin: str) -> str:
    printed = io.StringIO()
    with _stdin_replaced(stdin), contextlib.redirect_stdout(printed):
        exec(code, _fresh_namespace())
    return printed.getvalue().rstrip()


def _returned_by(source: str, arguments: list[Any], fn_name: str) -> Any:
    namespace = _fresh_namespace()
    exec(_compiled(source), namespace)
    if fn_name in namespace:
        return namespace[fn_name](*arguments)
    return getattr(namespace["Solution"](), fn_name)(*arguments)


@contextlib.contextmanager
def _stdin_replaced(text: str) -> Iterator[None]:
    kept = sys.stdin
    # A wrapper over bytes, because references may read sys.stdin.buffer.
    sys.stdin = io.TextIOWrapper(io.BytesIO(text.encode()), encoding="utf-8")
    try:
        yield
    finally:
        sys.stdin = kept
