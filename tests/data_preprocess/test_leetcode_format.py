"""LeetCodeDataset rows: keyword inputs become positional arguments, JSON and Python names both count."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from data_preprocess.formats.format import FormatOptions
from data_preprocess.formats.leetcode import read_leetcode_row
from data_preprocess.rows import BadRow, Row

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"

REFERENCE = "class Solution:\n    def pick(self, nums: List[int], k: int) -> int:\n        return nums[k]\n"


def _row(**changed: object) -> Row:
    values = {
        "task_id": "pick",
        "query": "Return the k-th number.",
        "prompt": "from typing import *\n",
        "completion": REFERENCE,
        "entry_point": "Solution().pick",
        "input_output": [
            {"input": "nums = [1,2], k = 1", "output": "2"},
            {"input": "nums = [5], k = 0", "output": "5"},
        ],
        "meta": {"difficulty": "Meidum", "question_id": 1},
    }
    return Row("file", 1, {**values, **changed})


def _case(given: str, expected: str = "2") -> list[dict]:
    return [{"input": given, "output": expected}]


def test_a_row_becomes_a_call_problem_with_its_imports_as_prelude() -> None:
    problem = read_leetcode_row(_row(), FormatOptions())
    assert [(case.input, case.expected, case.fn_name) for case in problem.cases] == [
        ("[[1, 2], 1]", "2", "pick"),
        ("[[5], 0]", "5", "pick"),
    ]
    assert problem.prelude == "from typing import *\n"
    assert (problem.difficulty, problem.reference) == ("medium", REFERENCE)


@pytest.mark.parametrize(
    ("given", "arguments"),
    [
        ("nums = [1], k = 0", [[1], 0]),
        ("k = 0, nums = [1]", [[1], 0]),
        ("[1], 0", [[1], 0]),
        (" nums = [null, true, False], k = -1 ", [[None, True, False], -1]),
        ('nums = ["a,b", "c = d"], k = 1e3', [["a,b", "c = d"], 1000.0]),
        ("nums = (1, 2), k = {'a': None}", [[1, 2], {"a": None}]),
    ],
)
def test_arguments_come_in_the_order_of_the_parameters(given: str, arguments: list) -> None:
    problem = read_leetcode_row(_row(input_output=_case(given)), FormatOptions())
    assert json.loads(problem.cases[0].input) == arguments


def test_tests_may_be_a_python_literal_string() -> None:
    problem = read_leetcode_row(_row(input_output=repr(_case("nums = [7], k = 0", "7"))), FormatOptions())
    assert problem.cases[0].expected == "7"


@pytest.mark.parametrize(
    ("changed", "column"),
    [
        ({"completion": "def other(): pass"}, "completion"),
        ({"completion": "class Solution"}, "completion"),
        ({"completion": None}, "completion"),
        ({"query": 3}, "query"),
        ({"input_output": []}, "input_output"),
        ({"input_output": "what?"}, "input_output"),
        ({"input_output": [{"input": "k = 1"}]}, "input_output[0]"),
        ({"input_output": _case("nums = [1]")}, "input_output[0].input"),
        ({"input_output": _case("nums = [1], z = 2")}, "input_output[0].input"),
        ({"input_output": _case("nums = [1, k = 2")}, "input_output[0].input"),
        ({"input_output": _case("nums = open('x'), k = 2")}, "input_output[0]"),
        ({"input_output": _case("nums = [1], k = 0", "1 2")}, "input_output[0].output"),
    ],
)
def test_a_bad_row_names_its_column(changed: dict, column: str) -> None:
    with pytest.raises(BadRow) as caught:
        read_leetcode_row(_row(**changed), FormatOptions())
    assert caught.value.column == column


@pytest.mark.skipif(not SHARED.is_dir(), reason=f"no real data at {SHARED}")
def test_every_row_of_the_real_files_is_read() -> None:
    from data_preprocess.case_policy import PublicPolicy
    from data_preprocess.parallel_reading import read_problems
    from data_preprocess.reading import ReadOptions
    from verl_ext.grading.problem import Problem

    paths = [SHARED / f"leetcode_v0.2.0_{part}.jsonl.gz" for part in ("train", "test")]
    found = list(read_problems(paths, ReadOptions("auto", PublicPolicy(first_k=1), None)))
    assert len(found) == 2090
    assert all(isinstance(item, Problem) for item in found)
