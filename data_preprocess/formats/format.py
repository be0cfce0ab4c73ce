"""What a record format is, and how its readers take values out of columns.

Owns the boundary between formats and the rest: a reader gets one ``Row`` and gives one ``Problem`` or raises
``BadRow``. Does not know any format (each has a module here, ``catalogue`` lists them), nor which cases
become public: a reader flags a case as public only where its source does.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa

from data_preprocess.rows import BadRow, Row
from verl_ext.grading.problem import DIFFICULTIES, Problem

NUM_PUBLIC = "num_public"


class FormatOptions(NamedTuple):
    """What a reader may need besides the row.

    Attributes:
        remote_root: Folder that ``remote: true`` rows may read files from; None refuses such rows.
    """

    remote_root: Path | None = None


@dataclass(frozen=True, slots=True)
class Format:
    """One record format.

    Attributes:
        columns: A record that has them all (and that ``fits`` takes) is of this format.
        read: Makes a problem of a record; raises ``BadRow`` with the column at fault.
        fits: Tells formats with the same columns apart by their values; None where the columns say enough.
        check_schema: Refuses a parquet file whose columns can't be such records.
        decides_public: The record says of every case whether it is public, and nothing else decides.
        also_kept: Columns that are read and nevertheless kept in ``Problem.extra``.
    """

    columns: tuple[str, ...]
    read: Callable[[Row, FormatOptions], Problem]
    fits: Callable[[Mapping[str, Any]], bool] | None = None
    check_schema: Callable[[pa.Schema, Path], None] | None = None
    decides_public: bool = False
    also_kept: tuple[str, ...] = ()

    def matches(self, values: Mapping[str, Any]) -> bool:
        """Whether a record looks like this format."""
        return all(values.get(column) is not None for column in self.columns) and (
            self.fits is None or self.fits(values)
        )


def required_text(values: Mapping[str, Any], column: str) -> str:
    """The text of a column.

    Raises:
        BadRow: When it is missing, no text or blank.
    """
    text = optional_text(values, column)
    if text is None:
        raise BadRow(column, "missing")
    if not text.strip():
        raise BadRow(column, "empty")
    return text


def optional_text(values: Mapping[str, Any], column: str) -> str | None:
    """The text of a column, None when it is missing or null.

    Raises:
        BadRow: When it is something else.
    """
    value = values.get(column)
    if value is not None and not isinstance(value, str):
        raise BadRow(column, f"must be text, not {type(value).__name__}")
    return value


def identifier(value: Any, column: str) -> str:
    """A ``query_id`` from text or an integer.

    Raises:
        BadRow: When it is something else, or blank.
    """
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise BadRow(column, f"must be text or an integer, not {type(value).__name__}")
    if not str(value).strip():
        raise BadRow(column, "empty")
    return str(value)


def named_by(values: Mapping[str, Any], columns: Iterable[str], prefix: str, question: str) -> str:
    """The first of ``columns`` that holds an id, else a name made of the question's hash.

    A hash stays the same wherever the row stands, and a repeated question is seen as the duplicate it is.
    """
    for column in columns:
        value = values.get(column)
        if isinstance(value, str | int) and not isinstance(value, bool) and str(value).strip():
            return str(value)
    return f"{prefix}-{hashlib.sha256(question.encode('utf-8', 'replace')).hexdigest()[:16]}"


def known_difficulty(value: Any) -> str | None:
    """``easy``, ``medium`` or ``hard`` however it is capitalised; None for anything else."""
    said = value.strip().lower() if isinstance(value, str) else None
    return said if said in DIFFICULTIES else None


def extra_columns(values: Mapping[str, Any], taken: Collection[str]) -> dict[str, Any]:
    """The columns that a problem has no field for, as a stored problem can hold them."""
    return {name: _plain(value) for name, value in values.items() if name not in taken and name != NUM_PUBLIC}


def _plain(value: Any) -> Any:
    """The value when JSON can hold it; parquet knows more types (dates, bytes) than a stored problem."""
    if isinstance(value, str) and value.isascii():
        return value
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except (TypeError, ValueError):
        return str(value)
    return value
