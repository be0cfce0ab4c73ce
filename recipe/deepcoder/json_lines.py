"""JSON lines that a user wrote: whatever is wrong with one is a ``ValueError`` that says where in the line.

File and line number are named by who reads: some end at the first bad line, others report all of them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any


def numbered_lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """The lines of a file that hold anything, without the line end, and their numbers from 1.

    Raises:
        OSError: When it can't be read.
    """
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            if line.strip():
                yield number, line.rstrip(b"\r\n")


def parse_line(line: bytes) -> Any:
    """The value of one line.

    Raises:
        ValueError: When it is not UTF-8 or not JSON.
    """
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError as error:
        byte = f"byte 0x{line[error.start]:02x} at position {error.start + 1}"
        raise ValueError(f"not UTF-8: {byte}") from error
    return parse_text(text)


def parse_text(text: str) -> Any:
    """The value of a JSON text.

    Raises:
        ValueError: When it is none. Python's own words for that count lines, which a line of a file has not.
    """
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise ValueError(f"broken JSON: {error.msg} at character {error.pos + 1}") from error
    except RecursionError as error:
        raise ValueError("broken JSON: nested too deeply") from error
