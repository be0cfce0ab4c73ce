"""DeepCoder-Preview: ``problem`` and ``tests``, whose shape depends on the subset.

TACO rows hold ``{"inputs", "outputs"[, "fn_name"]}``, PrimeIntellect and LiveCodeBench rows lists of
``{"input", "output", "type" | "testtype"}`` with the function in the test or in ``metadata``, Codeforces rows
lists of ``{"input", "output"}``.
"""

from __future__ import annotations

from collections.abc import Mapping

from data_preprocess.formats.case_shapes import item_cases, list_cases, parsed
from data_preprocess.formats.format import (
    Format,
    FormatOptions,
    extra_columns,
    named_by,
    optional_text,
    required_text,
)
from data_preprocess.formats.livecodebench import function_of
from data_preprocess.formats.shared_columns import first_python
from data_preprocess.rows import BadRow, Row
from verl_ext.grading.problem import Problem

_TAKEN = ("problem", "tests", "starter_code", "metadata")


def read_deepcoder_row(row: Row, options: FormatOptions) -> Problem:
    """One problem of any subset.

    Raises:
        BadRow: When a column is missing or the tests are unusable.
    """
    values = row.values
    question = required_text(values, "problem")
    if values.get("tests") is None:
        raise BadRow("tests", "missing")
    tests = parsed(values["tests"], "tests")
    starter_code = optional_text(values, "starter_code") or ""
    reference = first_python(values.get("solutions"))
    sources = (starter_code, reference)
    if isinstance(tests, Mapping):
        cases = list_cases(tests, "tests", sources)
    else:
        cases = item_cases(tests, "tests", fn_name=function_of(values.get("metadata")), sources=sources)
    return Problem(
        query_id=named_by(values, ("problem_id", "id"), "deepcoder", question),
        question=question,
        cases=cases,
        starter_code=starter_code,
        reference=reference,
        source="deepcoder",
        extra=extra_columns(values, (*_TAKEN, "problem_id", "id")),
    )


FORMAT = Format(("problem", "tests"), read_deepcoder_row, also_kept=("solutions",))
