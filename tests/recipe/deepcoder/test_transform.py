"""The recipe's own problems: right by their own tests, and made from the raw file by the command."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from recipe.deepcoder.prompts import STYLES, build_messages
from recipe.deepcoder.reward import deepcoder_code_reward
from recipe.deepcoder.transform import RAW, TRANSFORMED, failing_reference, problem_of, read_raw, task_row

PROBLEMS, FAULTS = read_raw(RAW)
BY_NAME = {problem.query_id: problem for problem in PROBLEMS}


def test_there_are_enough_problems_of_both_kinds_with_names_of_their_own():
    assert FAULTS == [] and 40 <= len(PROBLEMS) == len(BY_NAME)
    assert min(sum(p.fn_name is None for p in PROBLEMS), sum(p.fn_name is not None for p in PROBLEMS)) >= 15


def test_every_solution_earns_the_reward_on_its_tests():
    assert {name: why for name, p in BY_NAME.items() if (why := failing_reference(p)) is not None} == {}


def test_a_solution_of_another_problem_earns_nothing():
    row = task_row(BY_NAME["sum_of_line"], "full")
    answer = f"```python\n{BY_NAME['reverse_words'].reference}```"
    assert deepcoder_code_reward(answer, row["ground_truth"]).score == 0.0


def test_the_transformed_file_is_what_the_command_makes_of_the_raw_one(tmp_path: Path):
    made = tmp_path / "made.jsonl"
    command = [sys.executable, "-m", "recipe.deepcoder.transform", str(made)]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    assert made.read_text() == TRANSFORMED.read_text()


def test_texts_of_the_raw_file_become_arguments_and_values():
    raw = {json.loads(line)["name"]: json.loads(line) for line in RAW.read_text().splitlines()}
    tests = raw["rotate_left"]["tests"]
    assert tests[0]["input"] == "[1, 2, 3, 4, 5]\n2"
    cases = json.loads(task_row(BY_NAME["rotate_left"], "full")["ground_truth"])
    assert cases[0] == {"input": [[1, 2, 3, 4, 5], 2], "output": [3, 4, 5, 1, 2]}
    assert raw["count_vowels"]["tests"][4]["input"] == "12345"
    vowels = json.loads(task_row(BY_NAME["count_vowels"], "full")["ground_truth"])
    assert vowels[4] == {"input": ["12345"], "output": 0}


@pytest.mark.parametrize(
    ("starter", "signature"),
    [
        ("# your code", None),
        ("", None),
        ("import math", None),
        ("def f(x: str):", "def f(x: str):"),
        ("class Node:\n    def __init__(self, value):\n        self.value = value", None),
    ],
)
def test_a_task_has_the_signature_that_its_starter_code_holds(starter, signature):
    record = {
        "name": "a",
        "question": "q",
        "tests": [{"input": "1", "output": "1"}],
        "fn_name": "f",
        "starter_code": starter,
    }
    assert task_row(problem_of(record), "full")["signature"] == signature


@pytest.mark.parametrize("style", STYLES)
def test_prompts_ask_for_a_function_or_a_program_and_show_no_case(style):
    for problem in PROBLEMS:
        system, user = build_messages(problem, style)
        assert (system["role"], user["role"]) == ("system", "user")
        assert problem.question in user["content"]
        if problem.fn_name:
            assert problem.fn_name in user["content"]
    call = build_messages(BY_NAME["rotate_left"], "full")[1]["content"]
    program = build_messages(BY_NAME["sum_of_line"], "full")[1]["content"]
    assert "only the function definition" in call and "standard input" in program


@pytest.mark.parametrize(
    ("record", "message"),
    [
        ({"name": "a", "question": "q", "tests": []}, "no test cases"),
        ({"name": "a", "question": "", "tests": [{"input": "1", "output": "1"}]}, "question"),
        ({"name": 3, "question": "q", "tests": [{"input": "1", "output": "1"}]}, "name"),
        ([], "object"),
        (
            {"name": "a", "question": "q", "tests": {"inputs": ["1"], "outputs": ["1"], "fn_name": 5}},
            "^test cases: fn_name must be text, not 5$",
        ),
        (
            {"name": "a", "question": "q", "tests": "["},
            "^test cases given as text: broken JSON: .* at character 2$",
        ),
        ({"question": "q", "tests": [{"input": "1", "output": "1"}]}, "^name is missing"),
        ({"name": "", "question": "q", "tests": [{"input": "1", "output": "1"}]}, "^name is missing"),
    ],
)
def test_a_raw_record_that_can_not_be_used_is_refused(record, message):
    with pytest.raises(ValueError, match=message):
        problem_of(record)


def call_record(header: str, *inputs: object, **fields: str) -> dict:
    """A record that calls ``g``."""
    tests = [{"input": given, "output": "1"} for given in inputs]
    return {"name": "a", "question": "q", "tests": tests, "fn_name": "g", "starter_code": header} | fields


@pytest.mark.parametrize(
    ("starter", "others"),
    [
        ("def h(a: int) -> int:", "h"),
        ("def h(a):\n    return a\n\nasync def k(a):", "h, k"),
        ("class Solution:\n    def h(self, a: int) -> int:", "Solution.h"),
        ("class Other:\n    def g(self, a: int) -> int:", "Other.g"),
    ],
)
def test_starter_code_of_another_function_is_refused(starter, others):
    with pytest.raises(ValueError, match=f"^starter_code defines {others}, but the tests call g: "):
        problem_of(call_record(starter, "1"))


def test_starter_code_may_give_helpers_where_the_solution_has_the_function():
    solution = "def g(a):\n    return h(a)"
    assert problem_of(call_record("def h(a):\n    return a", "1", solution=solution)).starter_code
    with pytest.raises(ValueError, match="not an identifier"):
        problem_of(call_record("class Foo:\n    def g(self): pass", "1", fn_name="Foo.g"))


@pytest.mark.parametrize(
    ("header", "given", "message"),
    [
        ("def g(a: int, b: int):", "1", "g takes 2 arguments, but the input is read as 1: [1]"),
        (
            "def g(a: int, b: int = 0):",
            [1, 2, 3],
            "g takes 1 to 2 arguments, but the input is read as 3: [1, 2, 3]",
        ),
        ("def g(a, b, *rest):", [1], "g takes 2 or more arguments, but the input is read as 1: [1]"),
        ("def g():", "5", "g takes 0 arguments, but the input is read as 1: [5]"),
        (
            "class Solution:\n    def g(self, a, b):",
            "1",
            "g takes 2 arguments, but the input is read as 1: [1]",
        ),
    ],
)
def test_a_case_that_the_function_can_not_be_called_with_is_refused(header, given, message):
    with pytest.raises(ValueError, match=re.escape(f"test case 0: {message}")):
        problem_of(call_record(header, given))


def test_the_solution_says_how_many_arguments_there_are_where_the_starter_code_does_not():
    with pytest.raises(ValueError, match="g takes 2 arguments, but"):
        problem_of(call_record("# yours", "1", solution="def g(a, b):\n    return 1"))
    assert len(problem_of(call_record("# yours", [1, 2])).cases) == 1


@pytest.mark.parametrize(
    ("header", "given", "wanted"),
    [
        ("def g(a, b=0):", "1", "[1]"),
        ("def g(a, b=0):", "1\n2", "[1, 2]"),
        ("def g(*numbers):", "1\n2\n3", "[1, 2, 3]"),
        ("def g(a, b, *rest):", "[1, 2, 3]", "[1, 2, 3]"),
        ("def g():", "", "[]"),
        ("class Solution:\n    @staticmethod\n    def g(a, b):", "[1, 2]", "[1, 2]"),
    ],
)
def test_a_case_that_the_function_can_be_called_with_is_taken(header, given, wanted):
    assert problem_of(call_record(header, given)).cases[0].input == wanted


def transform(raw: Path, output: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "recipe.deepcoder.transform", str(raw), str(output)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120)


def test_a_case_that_can_not_be_graded_is_refused():
    with pytest.raises(ValueError, match="is not an identifier"):
        problem_of(call_record("", "1", fn_name="g h"))


def test_the_command_names_every_bad_record_and_writes_nothing(tmp_path: Path):
    raw = tmp_path / "raw.jsonl"
    half = b'{"name": "h", "question": "\\ud800", "tests": [{"input": "1", "output": "1"}]}'
    good = RAW.read_bytes().splitlines()[0]
    raw.write_bytes(
        b"\n".join(
            [good, b'{"name": ', b"", b'{"name": "x"}', b'{"name": "\xff"}', good, b"[" * 100_000, half]
        )
    )
    done = transform(raw, tmp_path / "out.jsonl")
    name = json.loads(good)["name"]
    assert done.stderr.splitlines() == [
        f"{raw} line 2: broken JSON: Expecting value at character 10",
        f"{raw} line 4: no test cases: a program without tests can't earn a reward",
        f"{raw} line 5: not UTF-8: byte 0xff at position 11",
        f"{raw} line 6: name '{name}' is that of line 1 too",
        f"{raw} line 7: broken JSON: nested too deeply",
        f"{raw} line 8: holds text that is no Unicode: surrogates not allowed",
        f"error: {raw}: records that can't be used: 6; nothing is written",
    ]
    assert done.returncode == 2 and [path.name for path in tmp_path.iterdir()] == ["raw.jsonl"]


def test_of_many_bad_records_the_first_are_shown_and_all_are_counted(tmp_path: Path):
    raw = tmp_path / "raw.jsonl"
    raw.write_text("{}\n" * 30)
    *shown, last = transform(raw, tmp_path / "out.jsonl").stderr.splitlines()
    assert len(shown) == 20 and "line 20: name is missing" in shown[-1]
    assert "can't be used: 30 (the first 20 are shown)" in last
