"""All rows of the conformance table."""

from __future__ import annotations

from verl_ext.grading.conformance import call_rows, gamed_rows, message_rows, stdin_rows, wrong_rows
from verl_ext.grading.conformance.row import Row

ROWS: tuple[Row, ...] = (
    *stdin_rows.ROWS,
    *call_rows.ROWS,
    *message_rows.ROWS,
    *wrong_rows.ROWS,
    *gamed_rows.ROWS,
)
