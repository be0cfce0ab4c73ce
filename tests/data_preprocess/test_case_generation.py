"""Generated cases: the reference gives each of them again, nobody sees them, and every loss is counted."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from msgspec.structs import replace

from data_preprocess.case_generation import GenerateSettings, GenerationStatistics, generate_cases
from data_preprocess.case_overlap import input_key
from data_preprocess.run_store import RememberingSandbox, RunStore
from verl_ext.grading.grader import Grader
from verl_ext.grading.problem import Case, Problem
from verl_ext.sandbox.client import HttpSandbox

SOME = GenerateSettings(max_cases=6, max_tries=16, max_input_chars=200)
SUM = Problem(
    "sum",
    "Read n and n numbers. Print their sum and the largest.",
    tuple(
        Case(given, expected, public=index == 0)
        for index, (given, expected) in enumerate(
            [("3\n5 1 9", "15 9"), ("2\n4 4", "8 4"), ("5\n1 2 3 4 0", "10 4"), ("1\n8", "8 8")]
        )
    ),
    reference=(
        "n = int(input())\na = list(map(int, input().split()))\nassert len(a) == n\nprint(sum(a), max(a))"
    ),
)
COUNT = Problem(
    "count",
    "Count the letters that occur at least k times.",
    (
        Case('["hello world", 2]', '{"l": 3, "o": 2}', "count", public=True),
        Case('["abba cd", 1]', '{"a": 2, "b": 2, "c": 1, "d": 1}', "count"),
        Case('["aaa bc", 3]', '{"a": 3}', "count"),
    ),
    reference=(
        "from collections import Counter\n"
        "def count(s, k):\n    return {c: n for c, n in Counter(s.replace(' ', '')).items() if n >= k}"
    ),
)


async def _generated(
    grader: Grader,
    problem: Problem,
    *,
    seed: int = 0,
    witnesses: tuple[str, ...] = (),
    limits: GenerateSettings = SOME,
) -> tuple[Problem, GenerationStatistics]:
    statistics = GenerationStatistics()
    made = await generate_cases(
        grader, problem, limits, seed=seed, statistics=statistics, more_witnesses=witnesses
    )
    return made, statistics


def _new(problem: Problem) -> list[Case]:
    return [case for case in problem.cases if case.generated]


@pytest.mark.parametrize("problem", [SUM, COUNT], ids=lambda problem: problem.query_id)
async def test_the_reference_passes_every_generated_case_and_all_are_new_hidden_and_marked(
    grader: Grader, problem: Problem
) -> None:
    made, statistics = await _generated(grader, problem)
    new = _new(made)
    assert new and len(new) <= SOME.max_cases
    assert problem.reference is not None
    assert (await grader.grade(problem.reference, made.cases)).all_passed
    assert len({input_key(case) for case in made.cases}) == len(made.cases)
    assert made.cases[: len(problem.cases)] == problem.cases
    assert not [case for case in new if case.public] and made.public_cases == problem.public_cases
    assert statistics.kept.total() == len(new)
    assert set(statistics.kept) <= {"mutation", "strategy"}
    assert Problem.from_json(made.to_json()) == made


async def test_a_problem_stored_before_cases_were_generated_is_still_read() -> None:
    stored = json.loads(SUM.to_json())
    assert not any("generated" in case for case in stored["cases"])
    assert Problem.from_json(json.dumps(stored)) == SUM


async def test_the_same_seed_gives_the_same_cases_and_another_one_others(grader: Grader) -> None:
    first, again = (await _generated(grader, SUM))[0], (await _generated(grader, SUM))[0]
    assert first == again
    assert first != (await _generated(grader, SUM, seed=1))[0]
    renamed, _ = await _generated(grader, replace(SUM, query_id="other"))
    assert renamed.cases != first.cases


async def test_inputs_that_the_reference_fails_on_are_no_cases_and_are_counted(grader: Grader) -> None:
    picky = "n = int(input())\na = list(map(int, input().split()))\nprint(sum(a) // (n % 2), max(a))"
    made, statistics = await _generated(grader, replace(SUM, reference=picky))
    assert statistics.invalid["runtime_error"] > 0
    assert not [case for case in _new(made) if case.input[0] in "24"]
    assert (await grader.grade(picky, _new(made))).all_passed
    silent = replace(SUM, reference="print()")
    made, statistics = await _generated(grader, silent)
    assert made == silent and statistics.invalid == {"no_output": statistics.tried}
    assert statistics.problems == {"no_new_case": 1}


async def test_a_reference_with_another_answer_each_time_makes_no_case(
    grader: Grader, sandbox: HttpSandbox, tmp_path: Path
) -> None:
    loose = replace(SUM, reference="import os\nprint(int.from_bytes(os.urandom(8)))")
    with RunStore(tmp_path / "runs") as runs:
        # What preprocessing remembers of a run must not pass for a second run.
        remembering = Grader(RememberingSandbox(sandbox, runs), grader.limits, cache_size=0)
        for one in (grader, remembering):
            made, statistics = await _generated(one, loose)
            assert made == loose and statistics.kept.total() == 0
            assert statistics.nondeterministic == statistics.tried > 0


async def test_other_right_programs_have_to_agree(grader: Grader) -> None:
    # Passes all cases of the record; not right for sums above 15, as the reference says.
    disagreeing = "input()\na = list(map(int, input().split()))\nprint(min(sum(a), 15), max(a))"
    made, statistics = await _generated(grader, SUM, witnesses=(disagreeing, "print('wrong')"))
    assert statistics.disputed > 0
    assert (await grader.grade(disagreeing, made.cases)).all_passed


async def test_effort_is_bounded_and_everything_made_is_accounted_for(grader: Grader) -> None:
    limits = GenerateSettings(max_cases=4, max_tries=5, max_input_chars=9)
    made, statistics = await _generated(grader, SUM, limits=limits)
    assert statistics.tried <= 5 and len(_new(made)) <= 4
    assert all(len(case.input) <= 9 for case in _new(made))
    assert statistics.too_long > 0
    left = statistics.tried - statistics.invalid.total() - statistics.nondeterministic - statistics.disputed
    assert len(_new(made)) == min(left, 4)


@pytest.mark.parametrize(
    ("changed", "outcome"),
    [
        ({"reference": None}, "without_reference"),
        ({"question": "Print the numbers in any order."}, "many_answers"),
        ({"cases": (Case("1\n2 3", "5"), Case("\n\n4   5", "5"), Case("x y", "5"))}, "unknown_form"),
        ({"reference": "def f(root: TreeNode): return 1"}, "unknown_form"),
    ],
)
async def test_a_problem_that_nothing_can_be_made_for_stays_as_it_is(
    grader: Grader, changed: dict, outcome: str
) -> None:
    problem = replace(SUM, **changed)
    made, statistics = await _generated(grader, problem)
    assert made == problem and statistics.problems == {outcome: 1}
    assert statistics.tried == 0
