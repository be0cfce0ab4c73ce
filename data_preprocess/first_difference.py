"""Where an answer first differs from the expected one, in one line, with every cut said."""

from __future__ import annotations

from itertools import zip_longest

from verl_ext.grading.compare import compare_stdout

_BEFORE_CHARS, _AFTER_CHARS = 20, 60


def first_difference(actual: str, expected: str, *, is_call: bool) -> str:
    """What was expected and what came, at the first place where they differ.

    stdout: the first line that counts as different. Returned values: the first character of their texts.
    """
    if is_call:
        return _between(actual, expected)
    got, want = actual.strip("\n").split("\n"), expected.strip("\n").split("\n")
    for number, (came, wanted) in enumerate(zip_longest(got, want), 1):
        if came is None or wanted is None:
            left = f"expected {_window(wanted, 0)}, got nothing" if came is None else _too_much(came)
            return f"line {number} of {len(want)}: {left}"
        if not compare_stdout(came, wanted):
            place = f"line {number} of {len(want)}: " if len(want) > 1 or len(got) > 1 else ""
            return place + _between(came, wanted)
    return _between(actual, expected)


def _too_much(came: str) -> str:
    return f"expected nothing, got {_window(came, 0)}"


def _between(actual: str, expected: str) -> str:
    pairs = enumerate(zip(actual, expected, strict=False))
    at = next((i for i, (a, b) in pairs if a != b), min(len(actual), len(expected)))
    return f"expected {_window(expected, at)}, got {_window(actual, at)}"


def _window(text: str, at: int) -> str:
    """The text around a place; what is left out before and after is counted."""
    start, end = max(0, at - _BEFORE_CHARS), at + _AFTER_CHARS
    before = f"[{start} characters] " if start else ""
    after = f" [{len(text) - end} more characters]" if len(text) > end else ""
    return f"{before}{text[start:end]!r}{after}"
