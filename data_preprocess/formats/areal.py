"""AReaL's code data: question in ``prompt``, ``input_output`` with ``fn_name: ""`` for stdin, and limits."""

from __future__ import annotations

from data_preprocess.formats.case_shapes import list_cases
from data_preprocess.formats.format import (
    Format,
    FormatOptions,
    extra_columns,
    identifier,
    known_difficulty,
    optional_text,
)
from data_preprocess.formats.shared_columns import (
    chat_texts,
    first_python,
    language_name,
    megabytes,
    positive_number,
)
from data_preprocess.rows import BadRow, Row
from verl_ext.grading.problem import Problem

_TAKEN = (
    "prompt",
    "question",
    "query_id",
    "input_output",
    "language",
    "timeout",
    "memory",
    "starter_code",
    "difficulty",
)


def read_areal_row(row: Row, options: FormatOptions) -> Problem:
    """One problem; ``timeout`` is seconds per case and ``memory`` MiB, 0 meaning the configured limit.

    Raises:
        BadRow: When a column is missing or the tests are unusable.
    """
    values = row.values
    for column in ("query_id", "input_output"):
        if values.get(column) is None:
            raise BadRow(column, "missing")
    prompt = values.get("question") or values.get("prompt")
    if prompt is None:
        raise BadRow("prompt", "missing")
    system_prompt, question = chat_texts(prompt, "prompt")
    if not question.strip():
        raise BadRow("prompt", "empty")
    starter_code = optional_text(values, "starter_code") or ""
    reference = first_python(values.get("solutions"))
    return Problem(
        query_id=identifier(values["query_id"], "query_id"),
        question=question,
        cases=list_cases(values["input_output"], "input_output", (starter_code, reference)),
        language=language_name(values.get("language")),
        system_prompt=system_prompt,
        starter_code=starter_code,
        reference=reference,
        difficulty=known_difficulty(values.get("difficulty")),
        time_limit_s=positive_number(values.get("timeout")),
        memory_limit_mb=megabytes(values.get("memory")),
        source="areal",
        extra=extra_columns(values, _TAKEN),
    )


FORMAT = Format(
    ("prompt", "query_id", "input_output"),
    read_areal_row,
    fits=lambda values: values.get("question") is None,
    also_kept=("solutions",),
)
