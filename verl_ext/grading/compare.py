"""When an answer is right: comparison of printed output and of returned values.

Owns the tolerance and the equivalences of FORMATS.md. Works on plain text and on values made of exact
builtin types only, outside the sandbox, so nothing a program defines takes part in the comparison.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Collection
from decimal import Decimal
from typing import Any

from verl_ext.grading.values import parse_literal

TOLERANCE = 1e-6
"""Absolute or relative, whichever allows more."""

_MAX_INT_DIGITS = 4000  # Python refuses to read integers above 4,300 digits
# Each digit can be matched in one way only: what a program prints must not cost more than its length.
_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_BRACKETS = "[](){}<>,;:\"'"
_SPACE = " \t\r\f\v"


def compare_stdout(actual: str, expected: str) -> bool:
    """Whether printed output is right.

    CRLF equals LF; whitespace at the end of lines and blank lines at the start and the end do not count.
    Lines, and tokens within a line, have to agree in order; case matters. A token with a point or an exponent
    on either side compares as a float (``TOLERANCE``), every other token as text, so integers are exact
    however long. The amount of space between tokens does not matter, except in a line without any letter
    or digit: that is a picture, and its spaces are its content.
    """
    actual_lines, expected_lines = _lines(actual), _lines(expected)
    if actual_lines == expected_lines:
        return True
    if len(actual_lines) != len(expected_lines):
        return False
    return all(map(_same_line, actual_lines, expected_lines))


def compare_values(actual: Any, expected: Any) -> bool:
    """Whether a returned value is right.

    Both sides consist of None, bool, int, float, complex, str, bytes, list, tuple, dict and sets (and
    ``Decimal`` for the huge integers of ``parse_value``); anything else is unequal. A tuple equals a list; a
    set equals only a set; keys compare by their JSON spelling, so an int-keyed dict equals a string-keyed
    one; ``True`` is not 1; integers compare exactly; floats within ``TOLERANCE``, also with an int on the
    other side; NaN equals NaN.
    """
    # An explicit stack: how deep a value is nested is the program's choice.
    pairs = [(actual, expected)]
    while pairs:
        left, right = pairs.pop()
        if isinstance(left, list | tuple) and isinstance(right, list | tuple):
            if len(left) != len(right):
                return False
            pairs.extend(zip(left, right, strict=True))
        elif isinstance(left, dict) and isinstance(right, dict):
            left_items = {_key(key): value for key, value in left.items()}
            right_items = {_key(key): value for key, value in right.items()}
            if left_items.keys() != right_items.keys() or len(left) != len(right):
                return False
            pairs.extend((value, right_items[key]) for key, value in left_items.items())
        elif isinstance(left, set | frozenset) and isinstance(right, set | frozenset):
            if not _same_set(left, right):
                return False
        elif not _same_scalar(left, right):
            return False
    return True


def parse_value(text: str) -> Any:
    """Reads JSON (see ``parse_json``), or the Python literal of what JSON can't hold, such as a set.

    Raises:
        ValueError: When the text is neither or nested too deeply.
    """
    try:
        return parse_json(text)
    except ValueError as error:
        try:
            return parse_literal(text)
        except ValueError:
            raise error from None


def parse_json(text: str) -> Any:
    """Reads JSON (with NaN and Infinity); integers that Python refuses to read become ``Decimal``.

    Raises:
        ValueError: When the text is not JSON or nested too deeply.
    """
    try:
        return json.loads(text, parse_int=_parse_int)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def _parse_int(digits: str) -> int | Decimal:
    return int(digits) if len(digits) <= _MAX_INT_DIGITS else Decimal(digits)


def _lines(text: str) -> list[str]:
    lines = [line.rstrip(_SPACE) for line in text.replace("\r\n", "\n").split("\n")]
    first, last = 0, len(lines)
    while first < last and not lines[first]:
        first += 1
    while last > first and not lines[last - 1]:
        last -= 1
    return lines[first:last]


def _same_line(actual: str, expected: str) -> bool:
    if actual == expected:
        return True
    if not any(map(str.isalnum, expected)):
        return False
    actual_tokens, expected_tokens = actual.split(), expected.split()
    return len(actual_tokens) == len(expected_tokens) and all(
        map(_same_token, actual_tokens, expected_tokens)
    )


def _same_token(actual: str, expected: str) -> bool:
    if actual == expected:
        return True
    # "[0.5," against "[0.50,": the same brackets around two numbers.
    actual_core, expected_core = actual.strip(_BRACKETS), expected.strip(_BRACKETS)
    if not (_NUMBER.fullmatch(actual_core) and _NUMBER.fullmatch(expected_core)):
        return False
    if actual.partition(actual_core)[::2] != expected.partition(expected_core)[::2]:
        return False
    if not any(mark in core for mark in ".eE" for core in (actual_core, expected_core)):
        return False
    actual_number, expected_number = float(actual_core), float(expected_core)
    # Beyond the range of doubles only the same text is the same number.
    return math.isfinite(actual_number) and _close(actual_number, expected_number)


def _close(actual: float, expected: float) -> bool:
    if math.isnan(actual) or math.isnan(expected):
        return math.isnan(actual) and math.isnan(expected)
    if math.isinf(actual) or math.isinf(expected):
        return actual == expected
    return abs(actual - expected) <= TOLERANCE * max(1.0, abs(expected))


def _same_set(actual: Collection[Any], expected: Collection[Any]) -> bool:
    """Whether every item has a partner of its own; 1 and True are two items here."""
    if len(actual) != len(expected):
        return False
    left = {repr(item): item for item in expected}
    without_twin = [item for item in actual if left.pop(repr(item), left) is left]
    rest = list(left.values())
    for item in without_twin:
        partner = next((index for index, other in enumerate(rest) if compare_values(item, other)), None)
        if partner is None:
            return False
        rest.pop(partner)
    return True


def _same_scalar(actual: Any, expected: Any) -> bool:
    kinds = {type(actual), type(expected)}
    if complex in kinds and kinds <= {complex, float, int}:
        try:
            left, right = complex(actual), complex(expected)
        except OverflowError:
            return False
        return _close(left.real, right.real) and _close(left.imag, right.imag)
    if float in kinds and kinds <= {float, int}:
        try:
            return _close(float(actual), float(expected))
        except OverflowError:
            return False
    return len(kinds) == 1 and kinds <= {type(None), bool, int, str, bytes, Decimal} and actual == expected


def _key(key: Any) -> str:
    """The key's spelling in JSON."""
    return key if isinstance(key, str) else json.dumps(key, default=repr)
