"""The table of formats: their names (``format=NAME``) and the order in which a record is tried on them.

To add a format, write a module with a ``FORMAT`` and add a line here; one whose columns are a subset of
another's comes after it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from data_preprocess.formats import leetcode, stored, user
from data_preprocess.formats.format import Format

FORMATS: dict[str, Format] = {
    "leetcode": leetcode.FORMAT,
    "problems": stored.FORMAT,
    "user": user.FORMAT,
}


def format_of(values: Mapping[str, Any]) -> str | None:
    """The name of the first format that a record looks like."""
    return next((name for name, known in FORMATS.items() if known.matches(values)), None)
