"""Runs a Python program in a forked interpreter as ``python3 main.py`` would run it.

Owns what a program can see of its interpreter: ``__main__``, ``sys.argv`` and ``sys.path``, tracebacks with
the program's frames only, exit codes, threads and exit handlers at the end. Isolation is already in place
here. What differs from a fresh interpreter: the hash seed is 0, so that a program's verdict does not change
from run to run, and runs of one fork server share the address layout and the modules already imported.
"""

from __future__ import annotations

import atexit
import builtins
import os
import signal
import sys
import types
from _imp import _fix_co_filename  # type: ignore[attr-defined]
from _signal import SIGINT, default_int_handler
from _signal import signal as set_handler
from collections.abc import Callable
from gc import collect, enable, freeze
from importlib.machinery import SourceFileLoader
from marshal import loads
from sys import getrecursionlimit, setrecursionlimit
from sys import path as sys_path
from typing import NoReturn

from verl_ext.sandbox.syscalls import exit_process

_hidden: list[object] = []
# What is the program's, but for its path: made before the forks.
_main = types.ModuleType("__main__")
_loader = SourceFileLoader("__main__", "")
_names = _main.__dict__
_argv, _orig_argv = [""], [sys.executable, ""]


def run_as_main(
    path: str, source: bytes, compiled: bytes, hand_out: Callable[[types.CodeType], None]
) -> NoReturn:
    """Runs the program as ``__main__`` and ends the process with the exit code plain Python would give.

    Args:
        path: Its absolute path; shown in tracebacks.
        source: What the file holds.
        compiled: What came of it in an earlier run; empty for none.
        hand_out: Given the code object right before it runs.
    """
    _look_started(path)
    # The program gets the depth of recursion it would have without the frames below it.
    setrecursionlimit(getrecursionlimit() + 7)
    _names["__file__"] = _loader.path = path
    code = 0
    try:
        exec(_code(path, source, compiled, hand_out), _names)
    except SystemExit as request:
        code = _exit_code(request)
    except BaseException as error:
        code = _report(error)
    finally:
        code = _finish(code)
        exit_process(code)


def _code(
    path: str, source: bytes, compiled: bytes, hand_out: Callable[[types.CodeType], None]
) -> types.CodeType:
    """No line of the program has run yet, but all limits hold: both sources are as hostile."""
    if compiled:
        code: types.CodeType = loads(compiled)
        _fix_co_filename(code, path)  # where the working directory is another one
    else:
        code = compile(source, path, "exec", dont_inherit=True)
    hand_out(code)
    return code


def prepare(*ours: object) -> None:
    """Makes this interpreter, before the forks, look as a program should find it: with another ``__main__``
    and without this package in ``sys.modules``.

    Args:
        ours: What else a forked child must not take apart, for it is dear there: with our modules, 100 page
            faults and half a millisecond of each run.
    """
    names = [name for name in sys.modules if name.split(".")[0] in ("verl_ext", "__main__")]
    _hidden.extend([*ours, *(sys.modules.pop(name) for name in names)])
    _names.update(__file__="", __builtins__=builtins, __cached__=None, __annotations__={}, __loader__=_loader)
    sys.modules["__main__"] = _main
    sys.argv, sys.orig_argv = _argv, _orig_argv
    sys.path.insert(0, "")


def _look_started(path: str) -> None:
    """Sets what the interpreter sets when it starts on a file; ``random`` reseeds itself after a fork."""
    _argv[0] = _orig_argv[1] = path
    sys_path[0] = path.rpartition("/")[0]
    set_handler(SIGINT, default_int_handler)
    freeze()  # what the fork server has made meanwhile is nothing to look through
    enable()


def _exit_code(request: SystemExit) -> int:
    if request.code is None:
        return 0
    if isinstance(request.code, int):
        return request.code & 0xFF
    sys.stdout.flush()
    print(request.code, file=sys.stderr)
    return 1


def _report(error: BaseException) -> int:
    traceback = error.__traceback__
    while traceback is not None and traceback.tb_frame.f_code.co_filename == __file__:
        traceback = traceback.tb_next
    error = error.with_traceback(traceback)
    sys.last_type, sys.last_value, sys.last_traceback = type(error), error, traceback
    sys.excepthook(type(error), error, traceback)
    if isinstance(error, KeyboardInterrupt):
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGINT)
    return 1


def _finish(code: int) -> int:
    """What interpreter finalisation does that a program can notice, without its 3 ms: waits for threads, runs
    exit handlers, drops the program's own objects (their ``__del__``, unflushed files), flushes."""
    if "threading" in sys.modules:
        sys.modules["threading"]._shutdown()
    atexit._run_exitfuncs()
    code = _flush(code)
    for private in (True, False):
        for name in list(_names):
            if name != "__builtins__" and (name[:1] == "_" and name[1:2] != "_") is private:
                _names[name] = None
    collect()
    return _flush(code)


def _flush(code: int) -> int:
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream is not None and not stream.closed:
                stream.flush()
        except Exception:
            code = 120  # plain Python's code for output that could not be written
    return code
