"""Programs that really failed: read from every kind of file and from the records' own column."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from data_preprocess.failed_programs import RealBug, failed_programs_of, read_failed_programs
from data_preprocess.rows import BadRow
from verl_ext.grading.problem import Case, Problem

DEBUGBENCH = {"slug": "a", "buggy_code": "\nbad\n", "oracle_code": "good", "category": "condition error"}
SEED = {"task_id": "a", "solution": "bad", "is_solved": False, "test": ""}


@pytest.mark.parametrize(
    ("row", "bug"),
    [
        (DEBUGBENCH, RealBug("condition error", "bad\n", "good\n")),
        (SEED, RealBug("attempt", "bad\n")),
        ({"query_id": "a", "program": "bad"}, RealBug("attempt", "bad\n")),
        (
            {"query_id": "a", "program": "bad", "category": "typo", "repair": "good"},
            RealBug("typo", "bad\n", "good\n"),
        ),
    ],
)
def test_every_kind_of_file_is_read(records: Callable[..., Path], row: dict, bug: RealBug) -> None:
    assert read_failed_programs([records(row)]) == ({"a": [bug]}, [])


def test_files_add_up_in_their_order_and_an_integer_id_is_text(records: Callable[..., Path]) -> None:
    first = records({"query_id": 7, "program": "x"}, name="first.jsonl")
    second = records({"query_id": "7", "program": "y"}, name="second.jsonl")
    bugs, rejects = read_failed_programs([first, second])
    assert [bug.program for bug in bugs["7"]] == ["x\n", "y\n"] and not rejects


def test_a_seed_that_is_solved_is_no_failed_program(records: Callable[..., Path]) -> None:
    path = records({**SEED, "is_solved": True}, {**SEED, "task_id": "b"})
    assert set(read_failed_programs([path])[0]) == {"b"}


@pytest.mark.parametrize(
    ("row", "column"),
    [
        ({**DEBUGBENCH, "oracle_code": None}, "oracle_code"),
        ({**SEED, "solution": 1}, "solution"),
        ({"program": "x"}, "query_id"),
        ({"query_id": True, "program": "x"}, "query_id"),
        ({"query_id": "a", "program": " "}, "program"),
        ({"query_id": "a", "program": "x", "repair": 1}, "repair"),
        ("{broken", ""),
    ],
)
def test_a_bad_row_is_rejected_by_file_row_and_column(
    records: Callable[..., Path], row: object, column: str
) -> None:
    path = records(DEBUGBENCH, row)
    bugs, (reject,) = read_failed_programs([path])
    assert len(bugs) == 1
    assert (reject.file, reject.row, reject.column) == (str(path), 2, column)


def test_a_file_without_failed_programs_is_refused(records: Callable[..., Path]) -> None:
    with pytest.raises(ValueError, match=r"records\.jsonl: no row with a failed program"):
        read_failed_programs([records({"number": 1})])


def _problem(value: object) -> Problem:
    return Problem("p", "q", (Case("1", "1", public=True),), extra={"failed_programs": value})


@pytest.mark.parametrize(
    ("value", "bugs"),
    [
        (None, []),
        ([], []),
        (["bad"], [RealBug("attempt", "bad\n")]),
        (json.dumps(["bad"]), [RealBug("attempt", "bad\n")]),
        ([{"program": "bad", "category": "c", "repair": "good"}], [RealBug("c", "bad\n", "good\n")]),
    ],
)
def test_the_column_holds_programs_or_objects(value: object, bugs: list[RealBug]) -> None:
    assert failed_programs_of(_problem(value)) == bugs


@pytest.mark.parametrize(
    ("value", "column"),
    [
        (3, "failed_programs"),
        ("not json", "failed_programs"),
        ({"program": "x"}, "failed_programs"),
        ([3], "failed_programs[0]"),
        (["x", ""], "failed_programs[1].program"),
        ([{"program": "x", "category": 1}], "failed_programs[0].category"),
    ],
)
def test_a_bad_column_is_named(value: object, column: str) -> None:
    with pytest.raises(BadRow) as caught:
        failed_programs_of(_problem(value))
    assert caught.value.column == column


def test_a_record_with_a_bad_column_is_rejected(
    tmp_path: Path, run: Callable[..., int], records: Callable[..., Path], make_record: Callable[..., dict]
) -> None:
    path = records(make_record("good"), make_record("bad", failed_programs=[1]))
    nothing = ("verify=false", "sft.num_conversations=0", "sft.num_val_conversations=0")
    assert run(f"input={path}", *nothing, f"output_dir={tmp_path}/out") == 0
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    (reject,) = manifest["rejects"]
    assert (reject["row"], reject["column"]) == (2, "failed_programs[0]")
