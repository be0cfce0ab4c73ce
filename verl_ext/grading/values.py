"""The values of call cases as text: what JSON holds as JSON, all else as a Python literal.

Also the tagged form in which values that JSON can't hold travel to and from the drivers. In it a list is a
list, a scalar a scalar, and every object has one key that says what it is: ``{"dict": [[key, value], ...]}``,
``{"set": [...]}``, ``{"complex": [real, imag]}`` or ``{"bytes": [...]}``. Nothing here evaluates anything.
"""

from __future__ import annotations

import ast
import json
import math
from collections import Counter
from collections.abc import Hashable, Sequence
from decimal import Decimal
from typing import Any

# A literal is parsed into a syntax tree many times its size; what is longer than this has to be JSON.
_MAX_LITERAL_CHARS = 1_000_000
_MAX_EQUAL_HASHES = 1000


def parse_literal(text: str) -> Any:
    """Reads a Python literal: also tuples, sets, bytes, complex numbers, and keys that are no text.

    Raises:
        ValueError: When the text is none, or too long or too deep to be read as one.
    """
    if len(text) > _MAX_LITERAL_CHARS:
        raise ValueError(f"longer than the {_MAX_LITERAL_CHARS} characters that a literal may have")
    try:
        return ast.literal_eval(text.strip())
    except (SyntaxError, ValueError, TypeError, MemoryError, RecursionError) as error:
        raise ValueError(f"not a literal: {text[:60]!r}") from error


def value_text(value: Any) -> str:
    """The text of a value that ``verl_ext.grading.compare.parse_value`` reads back.

    Raises:
        ValueError: When it holds something else than plain data.
    """
    return json.dumps(value, ensure_ascii=False) if _is_json(value) else _literal(value)


def to_tagged(value: Any) -> Any:
    """The value in tagged form, for ``json.dumps``; a tuple becomes a list.

    Raises:
        ValueError: When it holds something else than plain data.
    """
    match value:
        case None | bool() | int() | float() | str():
            return value
        case list() | tuple():
            return [to_tagged(item) for item in value]
        case dict():
            return {"dict": [[to_tagged(key), to_tagged(item)] for key, item in value.items()]}
        case set() | frozenset():
            return {"set": [to_tagged(item) for item in value]}
        case complex():
            return {"complex": [value.real, value.imag]}
        case bytes():
            return {"bytes": list(value)}
    raise ValueError(f"a {type(value).__name__} is no plain data")


def from_tagged(tagged: Any) -> Any:
    """The value of a tagged form that a driver sent.

    Raises:
        ValueError: When it is no such form.
    """
    try:
        return _untagged(tagged)
    except (TypeError, AttributeError, RecursionError) as error:
        raise ValueError("not a tagged value") from error


def check_hashes(items: Sequence[Hashable]) -> Sequence[Hashable]:
    """The items, of which a set can be made in time that grows with their number.

    Numbers can be chosen so that all have one hash; a set of 40,000 such takes minutes to make.

    Raises:
        ValueError: When too many have the same hash.
    """
    if len(items) > _MAX_EQUAL_HASHES and max(Counter(map(hash, items)).values()) > _MAX_EQUAL_HASHES:
        raise ValueError(f"more than {_MAX_EQUAL_HASHES} items with one hash")
    return items


def _untagged(tagged: Any) -> Any:
    match tagged:
        case list():
            return [_untagged(item) for item in tagged]
        case {"dict": [*pairs], **rest} if not rest:
            keys = check_hashes([_frozen(_untagged(key)) for key, _ in pairs])
            return dict(zip(keys, (_untagged(value) for _, value in pairs), strict=True))
        case {"set": [*items], **rest} if not rest:
            if len(values := frozenset(check_hashes([_frozen(_untagged(item)) for item in items]))) == len(
                items
            ):
                return values
        case {"complex": [real, imag], **rest} if not rest:
            return complex(real, imag)
        case {"bytes": [*codes], **rest} if not rest:
            return bytes(codes)
        case None | bool() | int() | float() | str() | Decimal():
            return tagged
    raise ValueError("not a tagged value")


def _frozen(value: Any) -> Any:
    """The value in a form that a set can hold."""
    if isinstance(value, list):
        return tuple(_frozen(item) for item in value)
    if isinstance(value, dict):
        return frozenset((_frozen(key), _frozen(item)) for key, item in value.items())
    return value


def _is_json(value: Any) -> bool:
    """Whether JSON gives back the very same value."""
    if isinstance(value, list):
        return all(_is_json(item) for item in value)
    if isinstance(value, dict):
        return all(isinstance(key, str) and _is_json(item) for key, item in value.items())
    return isinstance(value, bool | int | float | str | None)


def _literal(value: Any) -> str:
    match value:
        case list():
            return f"[{_joined(value)}]"
        case tuple():
            return f"({_joined(value)}{',' if len(value) == 1 else ''})"
        case set() | frozenset():
            return f"{{{_joined(sorted(value, key=repr))}}}" if value else "set()"
        case dict():
            return f"{{{', '.join(f'{_literal(key)}: {_literal(item)}' for key, item in value.items())}}}"
        case float() if math.isinf(value):
            return "1e999" if value > 0 else "-1e999"
        case float() if math.isnan(value):
            raise ValueError("NaN has no literal")
        case Decimal():
            return str(value)
        case None | bool() | int() | float() | str() | complex() | bytes():
            return repr(value)
    raise ValueError(f"a {type(value).__name__} is no plain data")


def _joined(items: Any) -> str:
    return ", ".join(_literal(item) for item in items)
