"""Runs the cells of a notebook in one interpreter; a program of ours that is executed inside the jail.

Started by ``jupyter`` with ``.cells.json`` {cells, cell_timeout_s, mark} in the working directory. Cells
share one ``__main__``; the value of a last expression is displayed; an error ends its cell, and the next one
runs. What a cell prints goes straight to standard output and error, where ``mark`` is written after each
cell; values and errors are appended to ``.cells.jsonl``, a line per cell, so that they survive the process.
"""

from __future__ import annotations

import ast
import asyncio
import base64
import contextlib
import inspect
import io
import json
import linecache
import os
import signal
import sys
import traceback
import types
from pathlib import Path
from typing import Any

REQUEST, REPORT = ".cells.json", ".cells.jsonl"
_RICH = {
    "_repr_html_": "text/html",
    "_repr_markdown_": "text/markdown",
    "_repr_latex_": "text/latex",
    "_repr_json_": "application/json",
    "_repr_svg_": "image/svg+xml",
    "_repr_png_": "image/png",
    "_repr_jpeg_": "image/jpeg",
}
_GRACE_S = 0.5


class CellTimeout(BaseException):
    """A cell ran out of its time."""


class Notebook:
    """The state that cells share."""

    def __init__(self, cell_timeout_s: float | None) -> None:
        self.cell_timeout_s = cell_timeout_s
        self.displayed: list[dict[str, Any]] = []
        self.overdue = 0
        self.main = types.ModuleType("__main__")
        self.names = self.main.__dict__
        self.names.update(__builtins__=__builtins__, display=self.display)
        self.loop: asyncio.AbstractEventLoop | None = None

    def display(self, *values: object) -> None:
        """What Jupyter calls by this name: shows values in the middle of a cell."""
        self.displayed += [_shown(value) for value in values]

    def run(self, number: int, source: str) -> dict[str, Any]:
        """Runs a cell; the line of the report about it."""
        self.displayed = []
        errors = []
        name = f"<cell {number}>"
        linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
        self._start_clock()
        try:
            value = self._execute(source, name)
            if value is not None:
                self.names["_"] = value
                self.display(value)
        except BaseException as error:
            errors = [_described(error)]
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
        return {"display": self.displayed, "error": errors}

    def _start_clock(self) -> None:
        if self.cell_timeout_s:
            self.overdue = 0
            signal.signal(signal.SIGALRM, self._on_alarm)
            signal.setitimer(signal.ITIMER_REAL, self.cell_timeout_s, _GRACE_S)

    def _on_alarm(self, *_: object) -> None:
        self.overdue += 1
        if self.overdue > 1:  # it went on after the exception: the whole notebook ends
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
            os.kill(os.getpid(), signal.SIGALRM)
        raise CellTimeout(f"the cell ran longer than {self.cell_timeout_s:g} s")

    def _execute(self, source: str, name: str) -> object:
        """Executes all statements; the value of the last one when it is an expression that is to be shown."""
        tree = ast.parse(source, name)
        last = None
        statement = tree.body[-1] if tree.body else None
        if isinstance(statement, ast.Expr) and not source.rstrip().endswith(";"):
            tree.body.pop()
            last = ast.Expression(statement.value)
        self._evaluate(tree, name, "exec")
        return None if last is None else self._evaluate(last, name, "eval")

    def _evaluate(self, tree: ast.Module | ast.Expression, name: str, mode: str) -> Any:
        code = compile(tree, name, mode, ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
        value = eval(code, self.names)
        if not code.co_flags & inspect.CO_COROUTINE:
            return value
        self.loop = self.loop or asyncio.new_event_loop()
        return self.loop.run_until_complete(value)


def _shown(value: object) -> dict[str, Any]:
    """MIME type -> representation, as in Jupyter's messages."""
    shown = {"text/plain": repr(value)}
    if isinstance(value, type):
        return shown
    for method, kind in _RICH.items():
        with contextlib.suppress(Exception):
            rich = getattr(value, method)()
            if isinstance(rich, bytes):
                rich = base64.b64encode(rich).decode()
            if rich is not None and json.dumps(rich):
                shown[kind] = rich
    return shown


def _described(error: BaseException) -> dict[str, Any]:
    told = traceback.TracebackException.from_exception(error)
    told.stack = traceback.StackSummary.from_list([f for f in told.stack if f.filename != __file__])
    lines = [line for part in told.format() for line in part.rstrip("\n").split("\n")]
    return {"ename": type(error).__name__, "evalue": _text(error), "traceback": lines}


def _text(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:
        return ""


def main() -> None:
    request = json.loads(Path(REQUEST).read_bytes())
    Path(REQUEST).unlink()
    mark = request["mark"].encode()
    notebook = Notebook(request["cell_timeout_s"])
    sys.modules["__main__"] = notebook.main
    sys.argv = [""]
    sys.path[0] = ""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(line_buffering=True)  # what was printed survives a time limit
    report = os.open(REPORT, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC)
    for number, source in enumerate(request["cells"], start=1):
        line = json.dumps(notebook.run(number, source))
        os.write(report, line.encode() + b"\n")
        for stream, fd in ((sys.stdout, 1), (sys.stderr, 2)):
            with contextlib.suppress(Exception):
                stream.flush()
            os.write(fd, mark)


main()
