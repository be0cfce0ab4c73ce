"""RL rows of verl, Eurus-2 among them: tests in ``reward_model.ground_truth``; also the rows we write."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from data_preprocess.assert_tests.python import AssertReader, called_function
from data_preprocess.case_texts import NO_TESTS, kind_of
from data_preprocess.formats.case_shapes import list_cases, parsed
from data_preprocess.formats.format import Format, FormatOptions, extra_columns, named_by
from data_preprocess.formats.shared_columns import chat_texts
from data_preprocess.rows import BadRow, Row
from verl_ext.grading.problem import Case, Problem

_TAKEN = ("prompt", "reward_model", "data_source", "ability", "agent_name", "extra_info")


def read_verl_row(row: Row, options: FormatOptions) -> Problem:
    """One problem; the ground truth is a stored problem, ``{"inputs", "outputs"}`` or ``{"assert_case"}``.

    Raises:
        BadRow: When a column is missing, the row is no code problem, or the tests are unusable.
        ValueError: When a stored problem breaks a rule of its class.
    """
    values = row.values
    model = values.get("reward_model")
    model = parsed(model, "reward_model") if isinstance(model, str) else model
    if not isinstance(model, Mapping) or model.get("ground_truth") is None:
        raise BadRow("reward_model.ground_truth", "missing")
    column = "reward_model.ground_truth"
    tests = _tests(model["ground_truth"], column)
    if "cases" in tests and "query_id" in tests:
        return Problem.from_json(json.dumps(tests, default=str))
    if values.get("prompt") is None:
        raise BadRow("prompt", "missing")
    system_prompt, question = chat_texts(values["prompt"], "prompt")
    if not question.strip():
        raise BadRow("prompt", "empty")
    if tests.get("assert_case"):
        cases = _assert_cases(tests["assert_case"], f"{column}.assert_case", tests.get("fn_name"))
    else:
        cases = list_cases(tests, column, (question,))
    source = values.get("data_source")
    extra_info = values.get("extra_info")
    named = extra_info if isinstance(extra_info, Mapping) else {}
    return Problem(
        query_id=named_by({**named, **values}, ("query_id", "id"), "verl", question),
        question=question,
        cases=cases,
        system_prompt=system_prompt,
        source=source if isinstance(source, str) and source else "verl",
        extra={**extra_columns(named, ("query_id", "id")), **extra_columns(values, _TAKEN)},
    )


def _assert_cases(asserts: Any, column: str, fn_name: Any) -> tuple[Case, ...]:
    sources = [asserts] if isinstance(asserts, str) else asserts
    if not isinstance(sources, list) or not all(isinstance(source, str) for source in sources):
        raise BadRow(column, f"must be a list of asserts, not {kind_of(asserts)}")
    named = isinstance(fn_name, str) and fn_name
    reader = AssertReader(fn_name if named else called_function("\n".join(sources), column))
    for index, source in enumerate(sources):
        reader.read(source, f"{column}[{index}]")
    if not reader.cases:
        raise BadRow(column, NO_TESTS)
    return tuple(reader.cases)


def _tests(truth: Any, column: str) -> Mapping[str, Any]:
    try:
        tests = parsed(truth, column)
    except BadRow:
        tests = None
    if not isinstance(tests, Mapping):
        raise BadRow(column, "not an object with tests: not a code problem")
    return tests


FORMAT = Format(("reward_model", "prompt"), read_verl_row, also_kept=("query_id", "id"))
