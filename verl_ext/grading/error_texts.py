"""Reading a program's error out of what node, g++ and the C++ runtime write to standard error.

Owns those formats; Python's is in ``traceback_text``. Decides no verdict.
"""

from __future__ import annotations

import re
import signal

from verl_ext.grading.traceback_text import ReadError, exit_error, program_error
from verl_ext.grading.verdict import ProgramError

# Where a program may have written anything, expressions that could try many ways look at the end only.
_READ_CHARS = 20_000
_JS_PLACE = re.compile(r"^(?:.*/)?(?:program|main)\.js:([0-9]{1,9})$", re.MULTILINE)
_JS_FRAME = re.compile(r"^    at .*?\b(?:program|main)\.js:([0-9]{1,9}):[0-9]+\)?$", re.MULTILINE)
_JS_ERROR = re.compile(
    r"^(?P<category>(?:[A-Za-z_$][\w$]*)?(?:Error|Exception))(?: \[[^\]\n]*\])?(?:: (?P<message>.*))?$",
    re.MULTILINE,
)
_JS_THROWN = re.compile(r"^Uncaught (?P<message>.*)$", re.MULTILINE)
_CPP_ERROR = re.compile(
    r"^(?P<file>[^\s:]+):(?P<line>[0-9]{1,9}):(?:[0-9]+:)? (?:fatal )?error: (?P<message>.*)$", re.MULTILINE
)
# As in traceback_text: the recipes make their own guess. This one may name a part of the driver.
_CPP_GUESS = re.compile(r"; did you mean '[^']*'\?", re.MULTILINE)
_LINKER = re.compile(r"undefined reference to `(?P<name>[^']*)'")
_CPP_THROWN = re.compile(
    r"^terminate called after throwing an instance of '(?P<category>[^']*)'$", re.MULTILINE
)
_CPP_WHAT = re.compile(r"^  what\(\):  (?P<message>.*)$", re.MULTILINE)
_CPP_ASSERT = re.compile(
    r"^\S+: (?P<file>[^\s:]+):(?P<line>[0-9]{1,9}): .*: (?P<message>Assertion `.*' failed)\.$", re.MULTILINE
)


def read_javascript_error(stderr: str, program: str) -> ReadError:
    """Takes node's report of the error that ended the program off ``stderr``.

    Args:
        stderr: Standard error of a run that ended with a non-zero exit status.
        program: The program as the model wrote it, for the text of the line.
    """
    found = list(_JS_ERROR.finditer(stderr)) or list(_JS_THROWN.finditer(stderr))
    if not found:
        return ReadError(None, False, stderr)
    report = found[-1]
    frame = _JS_FRAME.search(stderr, report.end())
    place = next(reversed([*_JS_PLACE.finditer(stderr, 0, report.start())]), None)
    where = frame or place
    category = report["category"] if report.re is _JS_ERROR else "Uncaught"
    error = program_error(category, report["message"] or "", int(where[1]) if where else None, program)
    at_compile = category == "SyntaxError" and frame is None and place is not None
    return ReadError(error, at_compile, stderr[: place.start() if place else report.start()])


def read_cpp_compile_error(stderr: str, program: str) -> ProgramError | None:
    """The first error of g++ in the program, else the first one elsewhere; None when there is none.

    Args:
        stderr: Of the compile stage.
        program: The program as the model wrote it.
    """
    text = _CPP_GUESS.sub("", stderr.replace("‘", "'").replace("’", "'"))
    errors = list(_CPP_ERROR.finditer(text))
    # What does not fit the driver's call shows in the file that makes it: "main.cpp" beside "program.cpp".
    name = "program.cpp" if "program.cpp" in text or "call_driver.hpp" in text else "main.cpp"
    inside = [error for error in errors if error["file"].rpartition("/")[2] == name]
    if inside:
        first = inside[0]
        return program_error("CompileError", first["message"], int(first["line"]), program)
    if errors:
        return program_error("CompileError", errors[0]["message"], None, program)
    if missing := _LINKER.search(text[-_READ_CHARS:]):
        return program_error("CompileError", f"undefined reference to '{missing['name']}'", None, program)
    return None


def read_cpp_error(stderr: str, return_code: int, program: str) -> ReadError:
    """What ended a C++ program: an exception, a failed assertion, or a signal.

    Args:
        stderr: Standard error of a run that ended with a non-zero exit status.
        return_code: Its exit status, negative for a signal.
        program: The program as the model wrote it.
    """
    if return_code == -signal.SIGABRT:
        if failed := _CPP_ASSERT.search(stderr, max(len(stderr) - _READ_CHARS, 0)):
            error = program_error("AssertionError", failed["message"], int(failed["line"]), program)
            return ReadError(error, False, stderr[: failed.start()])
        if thrown := _CPP_THROWN.search(stderr):
            what = _CPP_WHAT.search(stderr, thrown.end())
            message = what["message"] if what else ""
            error = program_error(thrown["category"].removeprefix("std::"), message, None, program)
            return ReadError(error, False, stderr[: thrown.start()])
    return ReadError(exit_error(return_code), False, stderr)
