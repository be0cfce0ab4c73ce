"""The user's format: what is read, and which rows are rejected with which column."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from data_preprocess.case_policy import PublicPolicy
from data_preprocess.parallel_reading import read_problems
from data_preprocess.reading import ReadOptions, detect_format
from data_preprocess.rows import Reject
from recipe.code_agentic.problems.__main__ import user_record
from recipe.code_agentic.problems.generate import generate_problems
from verl_ext.grading.problem import Case, Problem

MISSING = object()


def _read(path: Path, remote_root: Path | None = None, first_k: int = 2) -> list[Problem | Reject]:
    return list(read_problems([path], ReadOptions("user", PublicPolicy(first_k=first_k), remote_root)))


def _tests(**changed: object) -> dict:
    return {"inputs": ["1", "2"], "outputs": ["3", "4"], "remote": False, **changed}


def test_a_record_becomes_a_problem_with_everything_in_it(
    records: Callable[..., Path], make_record: Callable[..., dict]
) -> None:
    (problem,) = _read(records(make_record("one")))
    assert isinstance(problem, Problem)
    assert problem.query_id == "one"
    assert problem.system_prompt == "You are a careful programmer."
    assert problem.cases == (
        Case("4", "7", public=True),
        Case("10", "13", public=True),
        Case("48151623", "48151626"),
    )
    assert problem.extra == {"origin": "unit test"}


def test_input_output_may_be_a_json_string(
    records: Callable[..., Path], make_record: Callable[..., dict]
) -> None:
    record = make_record("one")
    as_text = {**record, "input_output": json.dumps(record["input_output"])}
    assert _read(records(record)) == _read(records(as_text))


def test_a_parquet_file_gives_what_json_lines_give(
    tmp_path: Path, records: Callable[..., Path], make_record: Callable[..., dict]
) -> None:
    rows = [make_record("one"), make_record("two")]
    path = tmp_path / "records.parquet"
    pq.write_table(pa.Table.from_pylist(rows), path)
    assert _read(path) == _read(records(*rows))


@pytest.mark.parametrize(
    ("tests", "case"),
    [
        (_tests(inputs=[["a", "b"], "c"]), Case("a\nb", "3", public=True)),
        (
            _tests(inputs=[[1, [2]], [3, []]], outputs=[5, {"a": 1}], fn_name="f"),
            Case("[1, [2]]", "5", "f", True),
        ),
        (
            _tests(inputs=["[1, 2]", "[2, 2]"], outputs=["3", "4"], fn_name="f"),
            Case("[1, 2]", "3", "f", True),
        ),
        (_tests(inputs=[["x"], ["y"]], outputs=["3", "4"], fn_name="f"), Case('["x"]', '"3"', "f", True)),
        (_tests(fn_name=""), Case("1", "3", public=True)),
    ],
)
def test_cases_of_every_shape_are_read(
    records: Callable[..., Path], make_record: Callable[..., dict], tests: dict, case: Case
) -> None:
    (problem,) = _read(records(make_record("one", input_output=tests)))
    assert isinstance(problem, Problem), problem
    assert problem.cases[0] == case


@pytest.mark.parametrize(
    ("changed", "column", "reason"),
    [
        ({"question": MISSING}, "question", "missing"),
        ({"query_id": MISSING}, "query_id", "missing"),
        ({"input_output": MISSING}, "input_output", "missing"),
        ({"question": "  "}, "question", "empty"),
        ({"question": 5}, "question", "must be text"),
        ({"query_id": ["a"]}, "query_id", "must be text or an integer"),
        ({"query_id": "good"}, "query_id", "duplicate of 'good'"),
        ({"prompt": 5}, "prompt", "must be text"),
        ({"reference": ["print()"]}, "reference", "must be text"),
        ({"input_output": "{'inputs'"}, "input_output", "broken JSON"),
        ({"input_output": [1]}, "input_output", "must be an object"),
        ({"input_output": {}}, "input_output.inputs", "missing: give the lists inputs and outputs"),
        ({"input_output": _tests(inputs=[], outputs=[])}, "input_output.inputs", "no tests"),
        ({"input_output": _tests(outputs=["3"])}, "input_output.outputs", "1 outputs for 2 inputs"),
        ({"input_output": _tests(outputs=["3", "4", "5"])}, "input_output.outputs", "3 outputs for 2 inputs"),
        (
            {"input_output": _tests(inputs=["1", 2])},
            "input_output.inputs[1]",
            "must be text or a list of lines",
        ),
        ({"input_output": _tests(outputs=["1", None])}, "input_output.outputs[1]", "not null"),
        ({"input_output": _tests(fn_name=3)}, "input_output.fn_name", "must be text"),
        ({"input_output": _tests(remote="yes")}, "input_output.remote", "must be true or false"),
        ({"input_output": _tests(remote=True)}, "input_output.inputs[0]", "remote_root is not set"),
        ({"input_output": _tests(fn_name="f")}, "input_output.inputs[0]", "must be the list of arguments"),
        (
            {"input_output": _tests(fn_name="f", inputs=["[1", "[2]"])},
            "input_output.inputs[0]",
            "must be JSON",
        ),
        ({"input_output": _tests(fn_name="a b", inputs=[[1], [2]])}, "case 0", "not an identifier"),
        (
            {"input_output": _tests(fn_name="f", inputs=[[1], [2]]), "language": "java"},
            "language",
            "functions can be called in python, nodejs, cpp only",
        ),
        (
            {"language": "cobol"},
            "language",
            "'cobol' is not one of those that the sandbox runs: R, bash, cpp",
        ),
        ({"verdict_only": "yes"}, "verdict_only", "must be true or false"),
        ({"num_public": 0}, "num_public", "must be a whole number of at least 1"),
        ({"starter_code": 5}, "starter_code", "must be text"),
        ({"input_output": _tests(fn_name="f"), "fn_name": "g"}, "fn_name", "'g' is not 'f'"),
    ],
)
def test_a_bad_row_is_rejected_with_row_column_and_reason_and_the_rest_goes_on(
    records: Callable[..., Path], make_record: Callable[..., dict], changed: dict, column: str, reason: str
) -> None:
    bad = {name: value for name, value in make_record("bad", **changed).items() if value is not MISSING}
    path = records(make_record("good"), bad, make_record("also good"))
    first, reject, last = _read(path)
    assert isinstance(first, Problem) and isinstance(last, Problem)
    assert isinstance(reject, Reject)
    assert (reject.file, reject.row, reject.column) == (str(path), 2, column)
    assert reason in reject.reason


def test_any_language_is_taken_where_a_service_by_url_runs_the_programs(
    records: Callable[..., Path], make_record: Callable[..., dict]
) -> None:
    options = ReadOptions("user", PublicPolicy(), None, languages=None)
    (problem,) = read_problems([records(make_record("one", language="java"))], options)
    assert isinstance(problem, Problem) and problem.language == "java"


def test_a_function_may_be_named_beside_the_tests(
    records: Callable[..., Path], make_record: Callable[..., dict]
) -> None:
    tests = _tests(inputs=[[1], [2]], outputs=[1, 2])
    (problem,) = _read(records(make_record("one", input_output=tests, fn_name="f")))
    assert isinstance(problem, Problem) and problem.fn_name == "f"
    assert problem.extra == {"origin": "unit test"}


@pytest.mark.parametrize("container", ["json lines", "parquet"])
def test_the_problem_set_comes_back_as_it_was_written(
    tmp_path: Path, records: Callable[..., Path], container: str
) -> None:
    problems = list(generate_problems(60, seed=1, num_public=3))
    assert {problem.cases[0].kind for problem in problems} == {"stdin", "call"}
    assert any(problem.verdict_only for problem in problems)
    rows = [user_record(problem) for problem in problems]
    path = tmp_path / "problems.parquet"
    if container == "parquet":
        pq.write_table(pa.Table.from_pylist(rows), path)
    else:
        path = records(*rows)
    assert _read(path) == problems


def test_a_problem_keeps_a_hidden_case_when_it_has_more_than_one(
    records: Callable[..., Path], make_record: Callable[..., dict]
) -> None:
    one = {"inputs": ["1"], "outputs": ["4"]}
    several, single = _read(
        records(make_record("several"), make_record("single", input_output=one)), first_k=5
    )
    assert isinstance(several, Problem) and isinstance(single, Problem)
    assert [case.public for case in several.cases] == [True, True, False]
    assert [case.public for case in single.cases] == [True]


def test_remote_tests_are_read_under_the_root(
    tmp_path: Path, records: Callable[..., Path], make_record: Callable[..., dict]
) -> None:
    root = tmp_path / "root"
    root.mkdir()
    (root / "in").write_text("4\n")
    (root / "out").write_text("7\n")
    tests = {"inputs": ["in"], "outputs": ["out"], "remote": True}
    (problem,) = _read(records(make_record("one", input_output=tests)), remote_root=root)
    assert isinstance(problem, Problem)
    assert problem.cases[0].input == "4\n"


@pytest.mark.parametrize("item", ["../secret", "/etc/passwd", "link", "http://host/in", "absent"])
def test_remote_tests_elsewhere_are_refused_by_name(
    tmp_path: Path, records: Callable[..., Path], make_record: Callable[..., dict], item: str
) -> None:
    root = tmp_path / "root"
    root.mkdir()
    (tmp_path / "secret").write_text("4")
    (root / "link").symlink_to(tmp_path / "secret")
    tests = {"inputs": [item], "outputs": [item], "remote": True}
    (reject,) = _read(records(make_record("one", input_output=tests)), remote_root=root)
    assert isinstance(reject, Reject)
    assert repr(item) in reject.reason


@pytest.mark.parametrize(
    ("columns", "complaint"),
    [
        ({"question": ["q"], "query_id": ["a"]}, "no column 'input_output'"),
        ({"question": ["q"], "query_id": ["a"], "input_output": [3]}, "'input_output' has the type int64"),
        ({"question": [3.5], "query_id": ["a"], "input_output": ["{}"]}, "'question' has the type double"),
        ({"question": ["q"], "query_id": [1.5], "input_output": ["{}"]}, "'query_id' has the type double"),
    ],
)
def test_a_parquet_file_with_wrong_columns_is_refused_as_a_whole(
    tmp_path: Path, columns: dict, complaint: str
) -> None:
    path = tmp_path / "records.parquet"
    pq.write_table(pa.table(columns), path)
    with pytest.raises(ValueError, match=complaint):
        _read(path)


def test_a_format_is_found_behind_a_few_bad_rows(
    records: Callable[..., Path], make_record: Callable[..., dict]
) -> None:
    assert detect_format(records("{", {"question": "q"}, make_record("one"))) == "user"


def test_stored_problems_come_back_unchanged(
    records: Callable[..., Path], make_record: Callable[..., dict]
) -> None:
    (problem,) = _read(records(make_record("one")))
    assert isinstance(problem, Problem)
    path = records(problem.to_json(), name="problems.jsonl")
    assert list(read_problems([path], ReadOptions("auto", PublicPolicy(), None))) == [problem]
