"""reward-kit's code rows: ``[{"input", "expected_output"}]`` and, for calls, ``target_function``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from data_preprocess.case_texts import NO_TESTS, call_case, kind_of
from data_preprocess.formats.case_shapes import item_cases, parsed
from data_preprocess.formats.format import Format, FormatOptions, extra_columns, named_by, optional_text
from data_preprocess.formats.shared_columns import chat_texts, first_python
from data_preprocess.json_text import read_json
from data_preprocess.rows import BadRow, Row
from verl_ext.grading.problem import Case, Problem

_PROMPTS = ("prompt", "messages", "question")
_TESTS = ("test_cases", "ground_truth", "tests")
_TAKEN = (*_PROMPTS, *_TESTS, "target_function", "id", "solution")


def read_reward_kit_row(row: Row, options: FormatOptions) -> Problem:
    """One problem.

    Raises:
        BadRow: When a column is missing or the tests are unusable.
    """
    values = row.values
    prompt = next((name for name in _PROMPTS if values.get(name) is not None), None)
    if prompt is None:
        raise BadRow(_PROMPTS[0], "missing")
    system_prompt, question = chat_texts(values[prompt], prompt)
    column = next((name for name in _TESTS if values.get(name) is not None), _TESTS[0])
    tests = parsed(values.get(column), column)
    fn_name = optional_text(values, "target_function")
    if not isinstance(tests, list):
        raise BadRow(column, f"must be a list of tests, not {kind_of(tests)}")
    if not tests:
        raise BadRow(column, NO_TESTS)
    reference = first_python(values.get("solution"))
    if fn_name:
        cases = _call_cases(tests, column, fn_name, _num_parameters((reference, question), fn_name))
    else:
        cases = item_cases(tests, column)
    return Problem(
        query_id=named_by(values, ("id",), "reward_kit", question),
        question=question,
        cases=cases,
        system_prompt=system_prompt,
        reference=reference,
        source="reward_kit",
        extra=extra_columns(values, _TAKEN),
    )


def _call_cases(tests: list[Any], column: str, fn_name: str, num_parameters: int) -> tuple[Case, ...]:
    """Cases of calls; an input is the one argument, or the list of all where the function takes several."""
    cases = []
    for index, test in enumerate(tests):
        where = f"{column}[{index}]"
        if not isinstance(test, Mapping) or "input" not in test or "expected_output" not in test:
            raise BadRow(where, "must be an object with input and expected_output")
        given, expected = _value(test["input"]), _value(test["expected_output"])
        if num_parameters > 1 and not (isinstance(given, list) and len(given) == num_parameters):
            raise BadRow(f"{where}.input", f"must be the list of the {num_parameters} arguments of {fn_name}")
        cases.append(call_case(given if num_parameters > 1 else [given], expected, fn_name, where))
    return tuple(cases)


def _num_parameters(sources: Iterable[str | None], fn_name: str) -> int:
    """How many arguments the function takes where a source shows its signature, else 1."""
    signature = re.compile(rf"def\s+{re.escape(fn_name)}\s*\(([^)]*)\)")
    for source in sources:
        if source and (found := signature.search(source)):
            names = re.sub(r"\[[^\[\]]*\]", "", re.sub(r"\[[^\[\]]*\]", "", found[1])).split(",")
            return len([name for name in names if name.strip() not in ("", "self", "*", "/")])
    return 1


def _value(item: Any) -> Any:
    """The value that a text is the JSON of; any other text is itself."""
    if not isinstance(item, str):
        return item
    try:
        return read_json(item)
    except ValueError:
        return item


def _has_expected_output(values: Mapping[str, Any]) -> bool:
    tests = next((values[name] for name in _TESTS if values.get(name) is not None), None)
    if isinstance(tests, str):
        return '"expected_output"' in tests[:100_000]
    return isinstance(tests, list | tuple) and any(
        isinstance(test, Mapping) and "expected_output" in test for test in tests[:3]
    )


FORMAT = Format((), read_reward_kit_row, fits=_has_expected_output)
