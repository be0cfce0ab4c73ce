"""The mutation score: more telling cases catch more bugs, survivors are listed, and the command says so."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from data_preprocess.case_generation import GenerateSettings, GenerationStatistics, generate_cases
from data_preprocess.mutants import MutationScore, ProblemScore, mutants_of, score_problem
from data_preprocess.mutation_score import main
from verl_ext.cli import run_main
from verl_ext.grading.grader import Grader
from verl_ext.grading.problem import Case, Problem

CLAMP = Problem(
    "clamp",
    "Clamp x to the range from 0 to 9.",
    (Case("[5, 0]", "5", "clamp", public=True), Case("[3, 2]", "3", "clamp"), Case("[12, 1]", "9", "clamp")),
    reference=(
        "def clamp(x, unused):\n    if x < 0:\n        return 0\n    if x > 9:\n        return 9\n"
        "    return x"
    ),
)
NEGATIVE = Case("[-5, 7]", "0", "clamp")


async def _score(grader: Grader, problem: Problem, seed: int = 0) -> ProblemScore:
    kinds = ("comparison_flip", "missing_return")
    score = await score_problem(grader, problem, max_mutants=40, seed=seed, time_limit_s=1.0, kinds=kinds)
    assert score is not None
    return score


async def test_a_case_for_a_branch_that_none_takes_catches_more(grader: Grader) -> None:
    weak = await _score(grader, CLAMP)
    strong = await _score(grader, replace(CLAMP, cases=(*CLAMP.cases, NEGATIVE)))
    assert weak.tried == strong.tried
    assert weak.caught_before.total() < strong.caught_before.total() < strong.tried.total()
    assert len(weak.survivors) == weak.tried.total() - weak.caught_after.total()
    assert {survivor["line"] for survivor in weak.survivors} >= {"return 0"}
    # x < 0 or x <= 0 is all the same: an equivalent mutant, which survives whatever the cases.
    assert "if x <= 0:" in {survivor["became"] for survivor in strong.survivors}


async def test_before_and_after_are_told_apart_by_the_mark_of_the_cases(grader: Grader) -> None:
    marked = replace(CLAMP, cases=(*CLAMP.cases, replace(NEGATIVE, generated=True)))
    score, weak = await _score(grader, marked), await _score(grader, CLAMP)
    assert score.caught_before == weak.caught_before == weak.caught_after
    assert score.caught_after.total() > score.caught_before.total()


async def test_generated_cases_catch_bugs_that_the_records_own_do_not(grader: Grader) -> None:
    problem = Problem(
        "parity",
        "Is x odd?",
        tuple(Case(f"[{number}]", '"even"', "parity") for number in (2, 8, 14)),
        reference="def parity(x):\n    if x % 2:\n        return 'odd'\n    return 'even'",
    )
    extended = await generate_cases(
        grader, problem, GenerateSettings(6, 12, 100), seed=0, statistics=GenerationStatistics()
    )
    score = await _score(grader, extended)
    assert score.caught_after.total() > score.caught_before.total()


async def test_totals_add_up_and_say_what_they_can_not_tell(grader: Grader) -> None:
    total = MutationScore()
    scores = [await _score(grader, CLAMP), await _score(grader, CLAMP, seed=1)]
    for score in (*scores, None):
        total.add(score)
    result = total.to_dict()
    assert result["mutants"] == sum(score.tried.total() for score in scores)
    assert result["mutants"] == sum(kind["mutants"] for kind in result["by_kind"].values())
    assert result["survivors"]["count"] == result["mutants"] - result["caught_after"]
    assert [entry["query_id"] for entry in result["problems"]] == ["clamp", "clamp"]
    assert result["problems_without_mutants"] == 1 and "equivalent" in result["note"]


def test_mutants_are_programs_that_parse_and_nothing_without_a_reference() -> None:
    assert mutants_of(replace(CLAMP, reference=None), seed=0) == []
    mutants = mutants_of(CLAMP, seed=0)
    assert len({bug.program for bug in mutants}) == len(mutants) > 10
    assert not [bug.kind for bug in mutants if bug.kind.startswith("syntax")]


def _run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr("sys.argv", ["mutation_score", *arguments])
    with pytest.raises(SystemExit) as end:
        run_main(main)
    return end.value.code


def test_the_command_scores_a_file_and_keeps_its_problems(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    sandbox_endpoint: str,
    records: Callable[..., Path],
    make_record: Callable[..., dict],
) -> None:
    path = records(make_record("one"), make_record("wrong", reference="print(7)"), make_record("two"))
    output, report = tmp_path / "problems.jsonl", tmp_path / "report.json"
    small = (
        f"code_agentic.sandbox.endpoint={sandbox_endpoint}", "generate.max_cases=3", "generate.max_tries=4",
        "mutation_score.max_mutants=4", f"problems_output={output}", f"report={report}",
    )  # fmt: skip
    assert _run(monkeypatch, str(path), *small) == 0
    printed = capsys.readouterr().out
    assert "problems: 3, with a reference 3, of which fail 1" in printed
    assert "mutation score: the cases catch" in printed and "generated cases: 6 in 2 problems" in printed
    result = json.loads(report.read_text())
    assert [entry["query_id"] for entry in result["mutation_score"]["problems"]] == ["one", "two"]
    kept = [Problem.from_json(line) for line in output.read_text().splitlines()]
    assert [sum(case.generated for case in problem.cases) for problem in kept] == [3, 0, 3]
    # What was kept is read again, and scored with its generated cases.
    small = tuple("generate.max_cases=0" if "max_cases" in part else part for part in small)
    assert _run(monkeypatch, str(output), *small) == 0
    assert json.loads(report.read_text())["mutation_score"] == result["mutation_score"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["absent.jsonl"], "absent.jsonl: No such file"),
        (["mutation_score.max_mutants=0"], "nothing would be scored"),
        (["num_problems=0"], "num_problems=0 must be a whole number of at least 1"),
        (["survivors_shown=-1"], "survivors_shown=-1 must be"),
        (["--loud"], "unknown option --loud"),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_2(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    assert _run(monkeypatch, *arguments) == 2
    printed = capsys.readouterr().err
    assert printed.startswith("error: ") and printed.count("\n") == 1 and said in printed
