"""Reading a program's error out of what the interpreter wrote to standard error.

Owns the format of Python tracebacks as the two drivers print them. Decides no verdict. What a program wrote
may be anything: no text takes more time than its length is worth, or breaks anything here.
"""

from __future__ import annotations

import re
import signal
from dataclasses import dataclass

from verl_ext.grading.verdict import ProgramError

_HEADER = "Traceback (most recent call last):"
_LINKS = (
    "\nDuring handling of the above exception, another exception occurred:\n\n",
    "\nThe above exception was the direct cause of the following exception:\n\n",
)
_PROGRAM_LINE = re.compile(r'^[ \t]*File "program\.py", line ([0-9]{1,9})(?![0-9])', re.MULTILINE)
_SOURCE_LINE = re.compile(r'^ {0,2}File "(?P<file>program|prelude)\.py", line (?P<line>[0-9]{1,9})$')
_SOURCE_ERROR = re.compile(r"^(?P<category>SyntaxError|IndentationError|TabError)(?:: (?P<message>.*))?$")
# The interpreter's own guess depends on its version; the recipes make their own.
_GUESS = re.compile(r"\. (?:Did you mean|Did you forget|Perhaps you forgot)\b.*$")
_LAST_LINE = re.compile(r"^(?P<category>[A-Za-z_][\w.<>]*)(?:: (?P<message>.*))?$")


@dataclass(frozen=True, slots=True)
class ReadError:
    """What standard error says.

    Attributes:
        error: The exception the program ended with; None when there is no traceback.
        at_compile: True when the source itself could not be compiled.
        printed: Standard error without the interpreter's final report.
    """

    error: ProgramError | None
    at_compile: bool
    printed: str


def read_python_error(stderr: str, program: str) -> ReadError:
    """Takes the final traceback (or the report on unreadable source) off ``stderr``.

    Args:
        stderr: Standard error of a run that ended with a non-zero exit status.
        program: The program as the model wrote it, for the text of the line.
    """
    start = stderr.rfind(_HEADER)
    if start < 0:
        return _read_source_error(stderr, program)
    report = stderr[start + len(_HEADER) :].splitlines()
    # Frames are indented; the first line that is not names the exception.
    frames: list[str] = []
    for text in report[1:]:
        if text[:1].isspace() or not text:
            frames.append(text)
            continue
        match = _LAST_LINE.match(text)
        if match is None:
            break
        lines = _PROGRAM_LINE.findall("\n".join(frames))
        error = program_error(
            match["category"].rpartition(".")[2],
            match["message"] or "",
            int(lines[-1]) if lines else None,
            program,
        )
        return ReadError(error, False, _without_chained(stderr[:start]))
    return ReadError(None, False, stderr)


def _read_source_error(stderr: str, program: str) -> ReadError:
    """The report on bad source: the place, indented text, and the error on the last line."""
    lines = stderr.rstrip("\n").split("\n")
    category = _SOURCE_ERROR.match(lines[-1])
    place = None
    first = len(lines) - 1
    while category is not None and place is None and first > 0 and lines[first - 1][:1] in (" ", "\t"):
        first -= 1
        place = _SOURCE_LINE.match(lines[first])
    if category is None or place is None:
        return ReadError(None, False, stderr)
    line = int(place["line"]) if place["file"] == "program" else None
    error = program_error(category["category"], category["message"] or "", line, program)
    return ReadError(error, True, "".join(f"{text}\n" for text in lines[:first]))


def exit_error(return_code: int) -> ProgramError:
    """The error of a program that ended without a traceback."""
    if return_code >= 0:
        return ProgramError("ExitCode", f"the program ended with exit code {return_code}")
    try:
        name = signal.Signals(-return_code).name
    except ValueError:
        name = f"signal {-return_code}"
    return ProgramError("Signal", f"the program was killed by {name}")


def program_error(category: str, message: str, line: int | None, program: str) -> ProgramError:
    """An error with the text of its line in the program as the model wrote it."""
    source = program.split("\n")
    known = line is not None and 1 <= line <= len(source)
    return ProgramError(
        category=category[:100],
        message=_GUESS.sub("", message.strip())[:500],
        line=line,
        source_line=source[line - 1].strip()[:200] if line is not None and known else "",
    )


def _without_chained(printed: str) -> str:
    """Also takes off the tracebacks of the exceptions that led to the last one."""
    end = len(printed)
    while any(printed.endswith(link, 0, end) for link in _LINKS):
        earlier = printed.rfind(_HEADER, 0, end)
        if earlier < 0:
            break
        end = earlier
    return printed[:end]
