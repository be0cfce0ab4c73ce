"""Problems as ``Problem.to_json`` writes them; the ``ground_truth`` of an RL row is one."""

from __future__ import annotations

import json

from data_preprocess.formats.format import Format, FormatOptions
from data_preprocess.rows import Row
from verl_ext.grading.problem import Problem


def read_stored_row(row: Row, options: FormatOptions) -> Problem:
    """The problem itself.

    Raises:
        ValueError: When the row is none.
    """
    return Problem.from_json(json.dumps(row.values, default=str))


FORMAT = Format(("query_id", "question", "cases"), read_stored_row, decides_public=True)
