"""SYNTHETIC-1 and PrimeIntellect's verifiable problems: tests in ``verification_info``."""

from __future__ import annotations

from collections.abc import Mapping

from data_preprocess.formats.case_shapes import item_cases, parsed
from data_preprocess.formats.format import Format, FormatOptions, extra_columns, named_by
from data_preprocess.formats.shared_columns import chat_texts, first_python, language_name
from data_preprocess.rows import BadRow, Row
from verl_ext.grading.problem import Problem

_TAKEN = ("prompt", "verification_info", "gold_standard_solution", "problem_id")


def read_synthetic1_row(row: Row, options: FormatOptions) -> Problem:
    """One problem; its reference is the gold standard solution where that is Python.

    Raises:
        BadRow: When a column is missing, the row is no code problem, or the tests are unusable.
    """
    values = row.values
    for column in ("prompt", "verification_info"):
        if values.get(column) is None:
            raise BadRow(column, "missing")
    info = parsed(values["verification_info"], "verification_info")
    if not isinstance(info, Mapping) or "test_cases" not in info:
        raise BadRow("verification_info", "has no test_cases: not a code problem")
    language = language_name(info.get("language"))
    system_prompt, question = chat_texts(values["prompt"], "prompt")
    if not question.strip():
        raise BadRow("prompt", "empty")
    reference = first_python(values.get("gold_standard_solution")) if language == "python" else None
    return Problem(
        query_id=named_by(values, ("problem_id",), "synthetic1", question),
        question=question,
        cases=item_cases(info["test_cases"], "verification_info.test_cases", sources=(reference, question)),
        language=language,
        system_prompt=system_prompt,
        reference=reference,
        source="synthetic1",
        extra=extra_columns(values, _TAKEN),
    )


FORMAT = Format(("prompt", "verification_info"), read_synthetic1_row)
