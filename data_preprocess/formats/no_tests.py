"""Data sets that look like code problems and bring no tests, so that the reject can say so."""

from __future__ import annotations

from typing import NoReturn

from data_preprocess.formats.format import Format, FormatOptions
from data_preprocess.rows import BadRow, Row


def refuse_row(row: Row, options: FormatOptions) -> NoReturn:
    """Says why the row can't be taken.

    Raises:
        BadRow: Always.
    """
    raise BadRow(
        "output",
        "OpenCodeReasoning rows hold solutions and no tests: join them by id with a data set that has tests",
    )


OPEN_CODE_REASONING = Format(("input", "output", "solution"), refuse_row)
