"""Columns that several data sets have in common: solutions, limits, names of languages, chat messages."""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Iterable
from typing import Any

from data_preprocess.formats.case_shapes import parsed
from data_preprocess.rows import BadRow

# Solutions looked at for one that is Python 3.
_MAX_SOLUTIONS = 8
_FENCED = re.compile(r"```[\w+#-]*\n(.*?)```", re.DOTALL)
_NUMBER = re.compile(r"\d+(?:\.\d+)?")
_LANGUAGES = {
    "python3": "python",
    "py": "python",
    "py3": "python",
    "c++": "cpp",
    "javascript": "nodejs",
    "js": "nodejs",
    "node": "nodejs",
    "golang": "go",
    "c#": "csharp",
}


def language_name(value: Any) -> str:
    """The sandbox's name of a language, as far as the data set's is a known other spelling of it.

    Raises:
        BadRow: When it is no text.
    """
    if value is None or value == "":
        return "python"
    if not isinstance(value, str):
        raise BadRow("language", f"must be text, not {type(value).__name__}")
    name = value.strip().lower()
    return _LANGUAGES.get(name, name if name in ("python", "cpp", "java", "rust", "go") else value.strip())


def first_python(solutions: Any) -> str | None:
    """The first of some solutions that is Python 3, without the fence that may stand around it.

    Args:
        solutions: A program, a list of programs, or the JSON text of such a list.
    """
    if isinstance(solutions, str) and solutions.lstrip().startswith("["):
        try:
            solutions = parsed(solutions, "solutions")
        except BadRow:
            return None
    listed: Iterable[Any] = solutions if isinstance(solutions, list | tuple) else [solutions]
    for program in list(listed)[:_MAX_SOLUTIONS]:
        if not isinstance(program, str) or not program.strip():
            continue
        fenced = _FENCED.search(program)
        source = fenced[1] if fenced else program
        try:
            ast.parse(source)
        except (SyntaxError, ValueError, MemoryError, RecursionError):
            continue
        return source
    return None


def positive_number(value: Any) -> float | None:
    """A number above 0, from a number or from text such as ``2.0 seconds``; None for anything else."""
    if isinstance(value, str) and (found := _NUMBER.search(value)):
        value = float(found[0])
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) and number > 0 else None


def megabytes(value: Any) -> int | None:
    """A memory limit in MiB, at least 1; None where there is none."""
    number = positive_number(value)
    return None if number is None else max(1, round(number))


def chat_texts(prompt: Any, column: str) -> tuple[str | None, str]:
    """System message and last user message of a prompt that is a list of chat messages, or text.

    Raises:
        BadRow: When it is neither, or holds no user message.
    """
    if isinstance(prompt, str):
        if not prompt.lstrip().startswith("[{"):
            return None, prompt
        prompt = parsed(prompt, column)
    if not isinstance(prompt, list | tuple):
        raise BadRow(column, f"must be text or a list of messages, not {type(prompt).__name__}")
    texts: dict[str, str] = {}
    for message in prompt:
        if isinstance(message, dict) and isinstance(message.get("content"), str):
            texts[str(message.get("role"))] = message["content"]
    if not texts.get("user", "").strip():
        raise BadRow(column, "holds no user message")
    return texts.get("system") or None, texts["user"]
