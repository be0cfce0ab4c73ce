"""``python -m recipe.code_agentic.problems``."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from recipe.code_agentic.problems.__main__ import main, user_record
from recipe.code_agentic.problems.generate import generate_problems


def test_it_writes_one_record_per_problem_in_the_users_format(tmp_path: Path) -> None:
    output = tmp_path / "problems.jsonl"
    assert main(["--num", "20", "--seed", "3", "--output", str(output)]) == 0
    records = [json.loads(line) for line in output.read_text().splitlines()]
    assert len(records) == 20
    for record in records:
        tests = record["input_output"]
        assert {"prompt", "question", "query_id", "difficulty", "family", "reference"} <= record.keys()
        assert len(tests["inputs"]) == len(tests["outputs"]) >= 6
        assert tests["remote"] is False
        assert tests.get("fn_name") == record["fn_name"]


def test_a_record_holds_the_cases_of_its_problem_public_ones_first() -> None:
    for problem in generate_problems(20, seed=3):
        record = user_record(problem)
        cases = list(zip(record["input_output"]["inputs"], record["input_output"]["outputs"], strict=True))
        assert cases == [(case.input, case.expected) for case in problem.cases]
        assert [case.public for case in problem.cases].index(False) == record["num_public"]


@pytest.mark.parametrize(
    "arguments",
    [["--num-cases", "3"], ["--num-public", "0"], ["--num", "0"], ["--num", "-2"], ["--output", "{folder}"]],
)
def test_impossible_numbers_end_with_one_line_and_no_file(
    arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = [argument.format(folder=tmp_path) for argument in arguments]
    assert main(["--num", "2", "--output", str(tmp_path / "out.jsonl"), *given]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_does_not_exist_ends_with_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--num", "1", "--output", str(tmp_path / "none" / "out.jsonl")]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_the_problem_set_needs_neither_torch_nor_verl() -> None:
    program = (
        "import sys, recipe.code_agentic.problems.__main__\n"
        "from recipe.code_agentic.problems.catalogue import all_templates\n"
        "all_templates()\n"
        "print([name for name in ('torch', 'verl', 'ray', 'vllm', 'numpy') if name in sys.modules])"
    )
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "[]"
