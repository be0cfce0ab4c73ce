"""What a test looks at when it does not compare the returned value itself: ``set(f(x)) == {1, 2}``.

A view is a name, with numbers behind colons where it needs them: ``set``, ``sorted``, ``list``, ``len``,
``bool``, ``abs``, ``float``, ``round:2`` or ``close:RELATIVE:ABSOLUTE``. It is applied outside the sandbox,
to plain data that has left it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from verl_ext.grading.compare import compare_values
from verl_ext.grading.values import check_hashes

_VIEWS: dict[str, Callable[[Any], Any]] = {
    "set": frozenset,
    "sorted": sorted,
    "list": list,
    "len": len,
    "bool": bool,
    "abs": abs,
    "float": float,
}
VIEWS = (*_VIEWS, "round", "close")


def check_view(view: str) -> None:
    """Checks that there is such a view.

    Raises:
        ValueError: When there is none, or its numbers are missing or no numbers.
    """
    name, *numbers = view.split(":")
    count = {"round": 1, "close": 2}.get(name, 0)
    try:
        right = len(numbers) == count and all(math.isfinite(float(number)) for number in numbers)
    except ValueError:
        right = False
    if name not in VIEWS or not right:
        raise ValueError(f"compare_as {view!r} is not one of {', '.join(VIEWS)} (round:N, close:REL:ABS)")


def same_in_view(actual: Any, expected: Any, view: str) -> bool:
    """Whether a returned value is right as the test looks at it; an empty view is the value itself.

    A value that can't be looked at in that way (``len`` of a number) is wrong.
    """
    if not view:
        return compare_values(actual, expected)
    name, *numbers = view.split(":")
    try:
        if name == "close":
            return _close(actual, expected, *map(float, numbers))
        if name == "round":
            return compare_values(round(actual, int(numbers[0])), expected)
        seen = check_hashes(_hashable(actual)) if name == "set" else actual
        return compare_values(_VIEWS[name](seen), expected)
    except (TypeError, ValueError, OverflowError, RecursionError):
        return False


def _close(actual: Any, expected: Any, relative: float, absolute: float) -> bool:
    """The test of ``math.isclose`` on numbers, and item by item on lists of them."""
    if isinstance(expected, list | tuple):
        return (
            isinstance(actual, list | tuple)
            and len(actual) == len(expected)
            and all(_close(*pair, relative, absolute) for pair in zip(actual, expected, strict=True))
        )
    return not isinstance(actual, str) and math.isclose(actual, expected, rel_tol=relative, abs_tol=absolute)


def _hashable(value: Any) -> Any:
    """Items as a set holds them: what was a tuple has come out of the sandbox as a list."""
    if isinstance(value, list | tuple):
        return tuple(_hashable(item) for item in value)
    return value
