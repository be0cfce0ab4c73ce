"""Cases through the whole command: generated ones are graded, shown nowhere, counted, the same each time."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from data_preprocess.mutation_score import main as score_main
from verl_ext.grading.problem import Problem

SMALL = (
    "data=user", "splits.val_share=0", "splits.test_share=0.3", "sft.num_conversations=6",
    "sft.num_val_conversations=0", "generate.max_cases=3", "generate.max_tries=6",
    "mutation_score.max_mutants=3",
)  # fmt: skip


def _record(make_record: Callable[..., dict], name: str, **changed: object) -> dict:
    # Of one length, so that no new input is part of a public one.
    inputs = ["qazwsx", "plokij", "mnbvcx", "qazwsx"]
    tests = {"inputs": inputs, "outputs": [f"{text.upper()}!" for text in inputs]}
    program = "word = input()\nprint(word.upper() + '!')"
    return make_record(name, question="Shout the word.", input_output=tests, reference=program, **changed)


def _rows(folder: Path, *names: str) -> list[dict]:
    return [row for name in names for row in pq.read_table(folder / f"{name}.parquet").to_pylist()]


@pytest.fixture
def output(
    tmp_path: Path,
    sandbox_endpoint: str,
    run: Callable[..., int],
    records: Callable[..., Path],
    make_record: Callable[..., dict],
) -> Callable[..., Path]:
    """Runs the command on a few records and returns the folder."""
    path = records(*(_record(make_record, f"p{number}") for number in range(4)))

    def made(name: str, *arguments: str) -> Path:
        folder = tmp_path / name
        endpoint = f"code_agentic.sandbox.endpoint={sandbox_endpoint}"
        assert run(*SMALL, f"input={path}", f"output_dir={folder}", endpoint, *arguments) == 0
        return folder

    return made


def test_generated_cases_are_graded_shown_nowhere_and_the_same_each_time(
    output: Callable[..., Path],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    sandbox_endpoint: str,
) -> None:
    folder = output("first")
    printed = capsys.readouterr().out
    rows = _rows(folder, "rl_train", "rl_val", "rl_test")
    problems = [Problem.from_json(row["reward_model"]["ground_truth"]) for row in rows]
    texts = [row["prompt"] for row in rows] + [
        row["messages"] for row in _rows(folder, "sft_train", "sft_val")
    ]
    hidden = {
        text
        for problem in problems
        for case in problem.hidden_cases
        for text in (case.input, case.expected.strip())
    }
    assert hidden and not [secret for secret in hidden if any(secret in text for text in texts)]
    for problem in problems:
        new = [case for case in problem.cases if case.generated]
        assert len(new) == 3 and all(case.expected.strip() == f"{case.input.upper()}!" for case in new)
        assert set(new) <= set(problem.hidden_cases)
        # The record's fourth case is its first once more, which is public.
        assert len(problem.cases) == 3 + 3
    cases = json.loads((folder / "manifest.json").read_text())["cases"]
    assert cases["generation"]["kept"] and sum(cases["generation"]["kept"].values()) == 3 * len(problems)
    assert cases["overlap"]["hidden_case_was_public"]["count"] == len(problems)
    assert cases["overlap"]["cases"]["hidden"] == sum(len(problem.hidden_cases) for problem in problems)
    found = cases["mutation_score"]
    assert found["caught_before"] <= found["caught_after"] <= found["mutants"] == 3 * len(problems)
    assert "generated cases: 12 in 4 problems" in printed and "mutation score: the cases catch" in printed
    score = ("mutation_score.max_mutants=2", f"code_agentic.sandbox.endpoint={sandbox_endpoint}")
    # The file that was written is scored as it is.
    monkeypatch.setattr("sys.argv", ["mutation_score", f"{folder}/rl_train.parquet", *score])
    score_main()
    assert f"problems: {len(_rows(folder, 'rl_train'))}, with a reference" in capsys.readouterr().out
    again, other = output("again"), output("other", "seed=1")
    assert (again / "rl_train.parquet").read_bytes() == (folder / "rl_train.parquet").read_bytes()
    assert json.loads((again / "manifest.json").read_text())["cases"] == cases
    assert (other / "rl_train.parquet").read_bytes() != (folder / "rl_train.parquet").read_bytes()


def test_where_everything_is_shown_everything_is_graded(output: Callable[..., Path]) -> None:
    folder = output("all", "public_cases.policy=all", "mutation_score.max_mutants=0")
    for row in _rows(folder, "rl_train", "rl_test"):
        problem = Problem.from_json(row["reward_model"]["ground_truth"])
        assert problem.public_cases == problem.hidden_cases == problem.cases
        assert any(case.generated for case in problem.cases)
    cases = json.loads((folder / "manifest.json").read_text())["cases"]
    assert cases["overlap"]["no_hidden_case"]["count"] == 4 and cases["mutation_score"] is None


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["public_cases.policy=secret"], "public_cases.policy=secret is not one of"),
        (["public_cases.share=1"], "public_cases.share must be above 0 and below 1"),
        (["public_cases.first_k=0"], "public_cases.first_k must be at least 1"),
        (["generate.max_cases=-1"], "generate.max_cases=-1 must be a whole number of at least 0"),
        (["input=x.jsonl", "generate.max_cases=2"], "generate.max_cases=2 needs verify=true"),
        (["input=x.jsonl", "mutation_score.max_mutants=2"], "mutation_score.max_mutants=2 needs verify=true"),
    ],
)
def test_a_mistake_in_the_config_is_one_line(
    tmp_path: Path,
    run: Callable[..., int],
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    said: str,
) -> None:
    assert run(f"output_dir={tmp_path}/out", "verify=false", "drop_unverified=false", *arguments) == 2
    printed = capsys.readouterr().err
    assert printed.startswith("error: ") and printed.count("\n") == 1 and said in printed
