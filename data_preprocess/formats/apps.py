"""APPS, TACO, and what is derived from them: ``question``, ``solutions``, ``input_output``.

``input_output`` and ``solutions`` are texts: JSON, or a Python literal in some rows.
"""

from __future__ import annotations

from typing import Any

from data_preprocess.formats.case_shapes import list_cases
from data_preprocess.formats.format import (
    Format,
    FormatOptions,
    extra_columns,
    known_difficulty,
    named_by,
    optional_text,
    required_text,
)
from data_preprocess.formats.shared_columns import first_python, megabytes, positive_number
from data_preprocess.rows import BadRow, Row
from verl_ext.grading.problem import Problem

_DIFFICULTIES = {
    "introductory": "easy",
    "interview": "medium",
    "competition": "hard",
    "medium_hard": "hard",
    "very_hard": "hard",
}
_TAKEN = ("question", "input_output", "starter_code", "difficulty", "time_limit", "memory_limit")


def read_apps_row(row: Row, options: FormatOptions) -> Problem:
    """One problem; its reference is the first of the solutions that is Python 3.

    Raises:
        BadRow: When a column is missing or the tests are unusable.
    """
    values = row.values
    question = required_text(values, "question")
    if values.get("input_output") is None:
        raise BadRow("input_output", "missing")
    starter_code = optional_text(values, "starter_code") or ""
    reference = first_python(values.get("solutions"))
    return Problem(
        query_id=named_by(values, ("problem_id", "id"), "apps", question),
        question=question,
        cases=list_cases(values["input_output"], "input_output", (starter_code, reference)),
        starter_code=starter_code,
        reference=reference,
        difficulty=apps_difficulty(values.get("difficulty")),
        time_limit_s=positive_number(values.get("time_limit")),
        memory_limit_mb=megabytes(values.get("memory_limit")),
        source="apps",
        extra=extra_columns(values, (*_TAKEN, "problem_id", "id")),
    )


def apps_difficulty(value: Any) -> str | None:
    """One of ours for the names that APPS and TACO use."""
    said = value.strip().lower() if isinstance(value, str) else ""
    return _DIFFICULTIES.get(said) or known_difficulty(value)


FORMAT = Format(("question", "solutions", "input_output"), read_apps_row, also_kept=("solutions",))
