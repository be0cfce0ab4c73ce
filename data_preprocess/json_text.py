"""JSON as records hold it: read fast where that gives the same value, exactly where it does not."""

from __future__ import annotations

from typing import Any

import msgspec

from verl_ext.grading.compare import parse_json


def read_json(text: str) -> Any:
    """The value of a JSON text, also with NaN, Infinity, and integers of any length (these as ``Decimal``).

    Raises:
        ValueError: When the text is not JSON, or nested too deeply.
    """
    try:
        return msgspec.json.decode(text)
    except (msgspec.MsgspecError, UnicodeEncodeError, RecursionError):
        return parse_json(text)
