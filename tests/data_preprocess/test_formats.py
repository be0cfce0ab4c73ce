"""Every format of the wild gives the cases it means, is told by its columns, and names what it rejects."""

from __future__ import annotations

import base64
import importlib.util
import json
import zlib
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from data_preprocess.case_policy import PublicPolicy
from data_preprocess.entries import Entry, RowForm
from data_preprocess.formats.catalogue import FORMATS
from data_preprocess.formats.format import FormatOptions
from data_preprocess.formats.packed_text import MAX_UNPACKED_BYTES
from data_preprocess.parallel_reading import read_problems
from data_preprocess.reading import AUTO, ReadOptions, detect_format
from data_preprocess.rows import Reject, Row
from data_preprocess.tasks import TASKS
from verl_ext.grading.problem import Problem

_spec = importlib.util.spec_from_file_location(
    "format_samples", Path(__file__).with_name("format_samples.py")
)
assert _spec is not None and _spec.loader is not None
_module = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_module)
SAMPLES, packed = _module.SAMPLES, _module.packed
NAMES = [f"{sample.format}: {sample.name}" for sample in SAMPLES]


def _read(path: Path, format_name: str = AUTO) -> list[Problem | Reject]:
    return list(read_problems([path], ReadOptions(format_name, PublicPolicy(first_k=1), None)))


def test_there_is_a_sample_of_every_format_that_has_tests() -> None:
    assert {sample.format for sample in SAMPLES} == set(FORMATS) - {"opencodereasoning"}


@pytest.mark.parametrize("sample", SAMPLES, ids=NAMES)
def test_a_record_is_told_by_its_columns_and_gives_its_cases(
    records: Callable[..., Path], sample: object
) -> None:
    path = records(sample.record)
    assert detect_format(path) == sample.format
    (problem,) = _read(path)
    assert isinstance(problem, Problem), problem
    # A value that may be wrapped counts with and without its list.
    values = [case.expected[1:-1] if case.wrapped else case.expected for case in problem.cases]
    found = [(case.input, value, case.fn_name) for case, value in zip(problem.cases, values, strict=True)]
    assert found == [case[:3] for case in sample.cases]
    # What the source flags stays so; else the first is public, and one of several is hidden.
    flags = [case[3] for case in sample.cases]
    assert [case.public for case in problem.cases] == (flags if any(flags) else [True, *flags[1:]])
    assert problem.question.strip()
    assert _read(path, sample.format) == [problem]
    assert Problem.from_json(problem.to_json()) == problem


@pytest.mark.parametrize("sample", SAMPLES, ids=NAMES)
def test_parquet_gives_the_same_problem_and_unknown_columns_are_kept(
    tmp_path: Path, records: Callable[..., Path], sample: object
) -> None:
    record = {**sample.record, "my_note": "mine"}
    if sample.format == "problems":
        record = {**sample.record, "extra": {"my_note": "mine"}}
    for column in ("input_output", "verification_info"):  # lists of mixed types, which no column can hold
        if isinstance(record.get(column), dict):
            record[column] = json.dumps(record[column])
    path = tmp_path / "records.parquet"
    pq.write_table(pa.Table.from_pylist([record]), path)
    (problem,) = _read(path)
    assert isinstance(problem, Problem), problem
    assert problem.extra["my_note"] == "mine"
    assert [problem] == _read(records(record))


def test_references_limits_and_difficulties_are_read() -> None:
    problems = {
        f"{sample.format}: {sample.name}": FORMATS[sample.format].read(Row("f", 1, sample.record), None)
        for sample in SAMPLES
        if sample.format in ("apps", "codecontests", "areal", "synthetic1", "codeforces", "mbpp")
    }
    apps, taco = problems["apps: JSON text"], problems["apps: TACO limits"]
    assert (apps.query_id, apps.reference, apps.difficulty) == ("7", "print(int(input()) * 2)", "medium")
    assert set(apps.extra) == {"source_url", "solutions"}
    assert (taco.time_limit_s, taco.memory_limit_mb) == (2.0, 64)
    contest = problems["codecontests: all three kinds of tests"]
    assert (contest.reference, contest.time_limit_s, contest.memory_limit_mb) == ("print(2)", 2.5, 244)
    areal = problems["areal: call"]
    assert (areal.language, areal.time_limit_s, areal.memory_limit_mb) == ("python", 4, None)
    assert problems["synthetic1: stdin, dict"].reference == "print(2)\n"
    assert "Input\nA number." in problems["codeforces: examples and tests"].question
    assert problems["mbpp: asserts"].prelude == "import math\n"


class _Evil:
    def __reduce__(self):
        return eval, ("open('evil', 'w')",)


_LCB = {"question_content": "q", "public_test_cases": "[]"}
_BOMB = base64.b64encode(zlib.compress(bytes(MAX_UNPACKED_BYTES + 1), 9)).decode()
_CALL_TYPE = {"input": "1", "output": "2", "type": "function_call"}
_KOD = {"question": "q", "solution": "def f(x): pass"}


@pytest.mark.parametrize(
    ("format_name", "record", "column", "reason"),
    [
        ("livecodebench", {**_LCB, "private_test_cases": packed(_Evil())}, "private_test_cases", "asks for"),
        (
            "livecodebench",
            {**_LCB, "private_test_cases": packed([1])},
            "private_test_cases",
            "must hold text",
        ),
        ("livecodebench", {**_LCB, "private_test_cases": _BOMB}, "private_test_cases", "more than 512 MiB"),
        ("livecodebench", {**_LCB, "private_test_cases": "???"}, "private_test_cases", "neither JSON nor"),
        ("livecodebench", {**_LCB, "private_test_cases": "AAAA"}, "private_test_cases", "damaged zlib"),
        ("livecodebench", _LCB, "private_test_cases", "no tests"),
        ("apps", {"question": "q", "input_output": "{broken"}, "input_output", "neither JSON"),
        ("apps", {"question": "q", "input_output": ""}, "input_output", "no tests"),
        ("apps", {"question": "q", "input_output": "[1]"}, "input_output", "must be an object"),
        ("apps", {"question": "q", "input_output": "{}"}, "input_output.inputs", "missing"),
        ("apps", {"question": " ", "input_output": "{}"}, "question", "empty"),
        (
            "apps",
            {"question": "q", "input_output": {"inputs": ["1"], "outputs": []}},
            "input_output.outputs",
            "0 outputs for 1 inputs",
        ),
        ("areal", {"prompt": "q", "input_output": {}}, "query_id", "missing"),
        (
            "synthetic1",
            {"prompt": "q", "verification_info": "{}"},
            "verification_info",
            "not a code problem",
        ),
        (
            "synthetic1",
            {"prompt": "q", "verification_info": {"test_cases": [_CALL_TYPE]}},
            "verification_info.test_cases[0]",
            "names no function",
        ),
        ("deepcoder", {"problem": "q", "tests": "[5]"}, "tests[0]", "must be an object"),
        (
            "deepcoder",
            {"problem": "q", "tests": [{"input": "1", "output": "2", "type": "odd"}]},
            "tests[0]",
            "'odd'",
        ),
        ("deepcoder", {"problem": "q", "tests": [{"input": "1"}]}, "tests[0].expected_output", "missing"),
        ("deepcoder", {"problem": "q", "tests": [{"input": 1, "output": "2"}]}, "tests[0].input", "not int"),
        (
            "verl",
            {"prompt": "q", "reward_model": {"ground_truth": "42"}},
            "reward_model.ground_truth",
            "not a code problem",
        ),
        ("verl", {"prompt": [], "reward_model": {"ground_truth": "{}"}}, "prompt", "no user message"),
        (
            "codeforces",
            {"description": "q", "generated_checker": "code"},
            "generated_checker",
            "several answers are right",
        ),
        ("acecode", {"question": "q", "test_cases": []}, "test_cases", "no tests"),
        (
            "verl",
            {"prompt": "q", "reward_model": {"ground_truth": {"assert_case": ["assert f(1) == g(1)"]}}},
            "reward_model.ground_truth.assert_case",
            "one function",
        ),
        (
            "kodcode",
            {
                **_KOD,
                "test": "def test_a():\n    with pytest.raises(E):\n        f(1)\n    assert f(2) == 2",
            },
            "test",
            "is neither an assert nor a constant",
        ),
        ("reward_kit", {"prompt": "q", "test_cases": []}, "test_cases", "no tests"),
        ("opencodereasoning", {"input": "q", "output": "x", "solution": "y"}, "output", "no tests"),
        ("problems", {"query_id": "a", "question": "q", "cases": []}, "", "no cases"),
    ],
)
def test_a_row_that_cannot_be_taken_is_named_with_file_row_and_column(
    tmp_path: Path, records: Callable[..., Path], format_name: str, record: dict, column: str, reason: str
) -> None:
    path = records({"other": 1}, record)
    _, reject = _read(path, format_name)
    assert isinstance(reject, Reject), reject
    assert (reject.file, reject.row, reject.column) == (str(path), 2, column), reject
    assert reason in reject.reason
    assert not Path("evil").exists()


def test_our_own_rl_rows_come_back_as_the_problems_they_are(records: Callable[..., Path]) -> None:
    stored = Problem.from_json(json.dumps(next(s.record for s in SAMPLES if s.format == "problems")))
    row = {"prompt": "[]", "reward_model": {"style": "rule", "ground_truth": stored.to_json()}}
    assert _read(records(row)) == [stored]


_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["", "[]", "{}"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


def _mutated(draw: st.DrawFn, value: object) -> object:
    """The value with one place in it, at any depth and also inside of JSON text, exchanged or left out."""
    if isinstance(value, str) and value[:1] in ("[", "{") and draw(st.booleans()):
        try:
            return json.dumps(_mutated(draw, json.loads(value)))
        except ValueError:
            return draw(_VALUES)
    if isinstance(value, dict) and value and draw(st.integers(0, 5)):
        key = draw(st.sampled_from(sorted(value, key=str)))
        rest = {name: item for name, item in value.items() if name != key}
        return {**rest, key: _mutated(draw, value[key])} if draw(st.integers(0, 5)) else rest
    if isinstance(value, list) and value and draw(st.integers(0, 5)):
        index = draw(st.integers(0, len(value) - 1))
        return [*value[:index], _mutated(draw, value[index]), *value[index + 1 :]]
    if isinstance(value, str) and value and draw(st.booleans()):
        cut = draw(st.integers(0, len(value)))
        return value[:cut] + draw(st.text(max_size=3)) + value[cut + draw(st.integers(0, 3)) :]
    return draw(_VALUES)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_a_mutated_record_is_a_whole_problem_or_a_named_reject(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    sample = data.draw(st.sampled_from(SAMPLES))
    record = sample.record
    for _ in range(data.draw(st.integers(1, 3))):
        column = data.draw(st.sampled_from(sorted(sample.record)))
        record = {**record, column: _mutated(data.draw, record[column])}
    path = tmp_path_factory.getbasetemp() / "mutated.jsonl"
    path.write_text(json.dumps(record, default=str) + "\n", encoding="utf-8")
    (read,) = _read(path, sample.format)
    if isinstance(read, Reject):
        assert (read.file, read.row) == (str(path), 1) and read.reason
        return
    assert read.cases and read.query_id and read.question.strip()
    assert read.hidden_cases and len({case.fn_name for case in read.cases}) == 1
    assert Problem.from_json(read.to_json()).cases == read.cases


class _Watched(dict):
    """A record that notes which of its columns are read."""

    def __init__(self, values: dict) -> None:
        super().__init__(values)
        self.read: set[str] = set()

    def get(self, column: str, default: object = None) -> object:
        self.read.add(column)
        return super().get(column, default)

    def __getitem__(self, column: str) -> object:
        self.read.add(column)
        return super().__getitem__(column)


@pytest.mark.parametrize("sample", SAMPLES, ids=NAMES)
def test_no_column_that_its_format_reads_counts_as_not_read(sample: object) -> None:
    format_ = FORMATS[sample.format]
    # Columns that some records of a format have and the samples need not.
    more = {"solutions": [], "meta": {}, "generated_checker": None, "id": "x"}
    record = _Watched({**more, **sample.record} if sample.format != "problems" else sample.record)
    problem = format_.read(Row("f", 1, record), FormatOptions())
    entry = Entry.of(problem, RowForm(TASKS["debugging"], "brief"), format_.also_kept)
    assert not record.read & set(entry.columns_not_read)
