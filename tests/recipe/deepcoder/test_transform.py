"""The recipe's own problems: right by their own tests, and made from the raw file by the command."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from recipe.deepcoder.prompts import STYLES, build_messages
from recipe.deepcoder.reward import deepcoder_code_reward
from recipe.deepcoder.transform import RAW, TRANSFORMED, failing_reference, problem_of, read_raw, task_row

PROBLEMS = list(read_raw(RAW))
BY_NAME = {problem.query_id: problem for problem in PROBLEMS}


def test_there_are_enough_problems_of_both_kinds_with_names_of_their_own():
    assert 40 <= len(PROBLEMS) == len(BY_NAME)
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
    [("# your code", None), ("", None), ("def f(x: str):", "def f(x: str):"), ("def g(x: str):", None)],
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
    ],
)
def test_a_raw_record_that_can_not_be_used_is_refused(record, message):
    with pytest.raises(ValueError, match=message):
        problem_of(record)


def test_the_command_names_file_and_line_of_a_bad_record(tmp_path: Path):
    raw = tmp_path / "raw.jsonl"
    raw.write_text(RAW.read_text().splitlines()[0] + '\n{"name": "x"}\n')
    command = [sys.executable, "-m", "recipe.deepcoder.transform", str(raw), str(tmp_path / "out.jsonl")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 2 and done.stderr.startswith(f"error: {raw} line 2: ")
    assert not (tmp_path / "out.jsonl").exists()
