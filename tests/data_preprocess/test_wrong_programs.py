"""Candidates are run: what fails is kept with its verdict, what does not is dropped and counted."""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest

from data_preprocess.attempt_plan import AttemptMix, ErrorSteering, draw_attempts
from data_preprocess.bugs import (
    ALL_KINDS,
    GROUPS,
    WRONG_FIX,
    Bug,
    ProgramPool,
    RealBug,
    candidate_bugs,
    wrong_fixes,
)
from data_preprocess.error_kinds import ERROR_KINDS, expected_error_kind
from data_preprocess.mutations import KINDS
from data_preprocess.wrong_programs import BugStatistics, BugSupply
from verl_ext.grading.grader import Grader
from verl_ext.grading.problem import Case, Problem

REFERENCE = """\
def solve(values, limit):
    total = 0
    for index in range(1, len(values)):
        step = values[index] - values[index - 1]
        if step > limit:
            total += step
    return total
"""
PROBLEM = Problem(
    "steps",
    "Add up the steps above the limit.",
    (
        Case("[[1, 5, 6, 9], 2]", "7", "solve", public=True),
        Case("[[], 0]", "0", "solve"),
        Case("[[3, 3, 4, 9], 0]", "6", "solve"),
    ),
    reference=REFERENCE,
)
WANTED = dict.fromkeys(GROUPS, 40)
PER_GROUP = {"one_slip": 0.7, "two_slips": 0.3, "other_program": 0.0}


def _candidates(*bugs: Bug) -> dict[str, list[Bug]]:
    return {"one_slip": list(bugs), "two_slips": [], "other_program": []}


def _bug(old: str, new: str, kind: str = "operator_swap", **changed: object) -> Bug:
    assert old in REFERENCE
    return Bug(REFERENCE.replace(old, new, 1), "one_slip", kind, REFERENCE, **changed)


async def test_each_candidate_is_kept_or_dropped_for_one_reason(grader: Grader) -> None:
    fails = _bug("total += step", "total -= step")
    equal = _bug("total = 0", "total = 0 + 0", "equal")
    public_only = _bug(
        "step > limit", "step > limit and len(values) != 4 or step == 3 or step == 4", "hidden"
    )
    slip = candidate_bugs(PROBLEM, ProgramPool([]), seed=0, kinds=KINDS)["one_slip"][0].slip
    broken = Bug("def (", "one_slip", "number", REFERENCE, slip=slip)
    statistics = BugStatistics()
    supply = BugSupply(grader, PROBLEM, _candidates(equal, public_only, broken, fails), WANTED, statistics)
    found = await supply.draw("one_slip", (), Random(0))
    assert found is not None and found.bug.program == fails.program and found.error == "wrong_answer"
    assert await supply.draw("one_slip", (fails.program,), Random(0)) is None
    counted = statistics.to_dict()
    assert counted["kept"] == {"operator_swap": {"wrong_answer": 1}}
    assert counted["dropped"] == {
        "equivalent": {"equal": 1},
        "passes_public_cases_only": {"hidden": 1},
        "does_not_parse": {"number": 1},
    }


async def test_the_numbers_add_up(grader: Grader) -> None:
    candidates = candidate_bugs(PROBLEM, ProgramPool([]), seed=3, kinds=set(KINDS) - {"time_limit"})
    statistics = BugStatistics()
    supply = BugSupply(grader, PROBLEM, candidates, {**WANTED, "one_slip": 8}, statistics)
    used: set[str] = set()
    while (found := await supply.draw("one_slip", used, Random(0))) is not None:
        used.add(found.bug.program)
    counted = statistics.to_dict()
    dropped = sum(sum(kinds.values()) for kinds in counted["dropped"].values())
    assert (
        counted["num_kept"]
        == sum(sum(verdicts.values()) for verdicts in counted["kept"].values())
        == len(used)
    )
    assert counted["looked_at"] == counted["num_kept"] + dropped
    assert counted["num_equivalent"] + counted["num_passing_public_cases_only"] <= dropped


async def test_an_error_kind_that_is_asked_for_is_what_comes(grader: Grader) -> None:
    kinds = set(KINDS) - {"time_limit"}
    candidates = candidate_bugs(PROBLEM, ProgramPool([]), seed=0, kinds=kinds)
    supply = BugSupply(grader, PROBLEM, candidates, WANTED, BugStatistics())
    came = {}
    for error in ("compile_error", "name_error", "index_error", "wrong_answer", "type_error"):
        found = await supply.draw_error("one_slip", error, (), Random(1))
        came[error] = found and found.error
    assert came == {error: error for error in came}
    assert await supply.draw_error("one_slip", "zero_division", (), Random(1)) is None


async def test_a_program_that_was_shown_comes_again_only_after_the_others(grader: Grader) -> None:
    real = [_bug("> limit", "< limit", "real: a"), _bug("total = 0", "total = 1", "real: b")]
    supply = BugSupply(grader, PROBLEM, _candidates(*real), WANTED, BugStatistics())
    drawn = [await supply.draw_error("one_slip", "wrong_answer", (), Random(n)) for n in range(4)]
    shown = Counter(found.bug.kind for found in drawn if found is not None)
    assert shown == {"real: a": 2, "real: b": 2}


async def test_a_repair_that_fails_is_replaced_by_the_reference(grader: Grader) -> None:
    bad = RealBug(
        "wrong", REFERENCE.replace("> limit", "< limit"), REFERENCE.replace("total = 0", "total = 9")
    )
    good = bad._replace(repair=REFERENCE.replace("step > limit", "limit < step"))
    for bug, base in ((bad, REFERENCE), (good, good.repair)):
        candidates = candidate_bugs(PROBLEM, ProgramPool([]), seed=0, kinds=("real",), real_bugs=[bug])
        supply = BugSupply(grader, PROBLEM, candidates, WANTED, BugStatistics())
        found = await supply.draw("one_slip", (), Random(0))
        assert found is not None and found.bug.base == base


async def test_the_half_to_go_on_with_has_lost_what_the_verdict_showed(grader: Grader) -> None:
    both = REFERENCE.replace("return total", "return totals").replace("> limit", "< limit")
    halves = [_bug("> limit", "< limit"), _bug("return total", "return totals")]
    for order in (halves, halves[::-1]):
        bug = Bug(both, "two_slips", "a+b", REFERENCE, tuple(order))
        candidates = {**_candidates(), "two_slips": [bug]}
        supply = BugSupply(grader, PROBLEM, candidates, WANTED, BugStatistics(), explained=True)
        found = await supply.draw("two_slips", (), Random(0))
        assert found is not None and found.error == "name_error"
        assert [half.program for half in found.bug.halves] == [halves[0].program]


async def test_a_half_that_still_shows_the_same_error_is_no_repair(grader: Grader) -> None:
    both = REFERENCE.replace("return total", "return totals").replace("> limit", "< limit")
    bug = Bug(both, "two_slips", "a+b", REFERENCE, (_bug("return total", "return totals"),))
    for explained, num_halves in ((True, 0), (False, 1)):
        candidates = {**_candidates(), "two_slips": [bug]}
        supply = BugSupply(grader, PROBLEM, candidates, WANTED, BugStatistics(), explained=explained)
        found = await supply.draw("two_slips", (), Random(0))
        assert found is not None and len(found.bug.halves) == num_halves


def test_a_real_bug_in_several_places_can_be_mended_by_halves() -> None:
    wrong = REFERENCE.replace("total = 0", "total = 1").replace("> limit", "< limit")
    bug = RealBug("double", wrong, REFERENCE)
    (made,) = candidate_bugs(PROBLEM, ProgramPool([]), seed=0, kinds=("real",), real_bugs=[bug])["one_slip"]
    assert {half.program for half in made.halves} == {
        REFERENCE.replace("total = 0", "total = 1"),
        REFERENCE.replace("> limit", "< limit"),
    }
    single = RealBug("single", REFERENCE.replace("> limit", "< limit"), REFERENCE)
    (made,) = candidate_bugs(PROBLEM, ProgramPool([]), seed=0, kinds=("real",), real_bugs=[single])[
        "one_slip"
    ]
    assert made.halves == ()


def test_a_wrong_fix_changes_only_the_line_of_the_bug() -> None:
    bugs = candidate_bugs(PROBLEM, ProgramPool([]), seed=0, kinds=KINDS)["one_slip"]
    slips = [bug.slip for bug in bugs if bug.slip is not None]
    seen = 0
    for bug in bugs[:60]:
        for fix in wrong_fixes(bug, slips, "python", Random(0)):
            lines = [text.splitlines() for text in (REFERENCE, bug.program, fix.program)]
            if len(set(map(len, lines))) == 1:
                changed = [
                    number for number, texts in enumerate(zip(*lines, strict=True)) if len(set(texts)) > 1
                ]
                assert len(changed) == 1
            assert fix.kind == WRONG_FIX and fix.program not in (bug.program, REFERENCE)
            seen += 1
    assert seen > 30


async def test_a_second_mistake_was_there_before_the_first_was_mended(grader: Grader) -> None:
    bugs = candidate_bugs(PROBLEM, ProgramPool([]), seed=0, kinds=("comparison_flip", "name_error"))[
        "one_slip"
    ]
    typo = next(bug for bug in bugs if bug.kind == "name_error" and "totla = " not in bug.program)
    flip = next(bug for bug in bugs if "step < limit" in bug.program or "step <= limit" in bug.program)
    supply = BugSupply(grader, PROBLEM, _candidates(), WANTED, BugStatistics())
    both = await supply.joined(typo, flip)
    assert both is not None and both.kind == "name_error+comparison_flip"
    grade = await grader.grade(both.program, PROBLEM.public_cases)
    assert grade.first_failure is not None and grade.first_failure.error is not None
    assert grade.first_failure.error.category == "NameError"
    assert await supply.joined(flip, typo) is None
    assert await supply.joined(typo, typo) is None


def test_an_error_that_says_what_to_do_has_no_wrong_fix() -> None:
    bugs = candidate_bugs(PROBLEM, ProgramPool([]), seed=0, kinds=KINDS)["one_slip"]
    slips = [bug.slip for bug in bugs if bug.slip is not None]
    typos = [bug for bug in bugs if bug.kind in ("name_error", "syntax_bracket")]
    assert typos and not any(wrong_fixes(bug, slips, "python", Random(0)) for bug in typos)


async def test_attempts_fail_differ_and_lead_to_the_right_program(grader: Grader) -> None:
    mix = AttemptMix((1.0, 1.0, 1.0), PER_GROUP, "none", 0.9, None)
    kinds = set(KINDS) - {"time_limit"}
    shown: Counter[str] = Counter()
    for seed in range(4):
        candidates = candidate_bugs(PROBLEM, ProgramPool([]), seed=seed, kinds=kinds)
        supply = BugSupply(grader, PROBLEM, candidates, WANTED, BugStatistics(), explained=True)
        weights = {"wrong_answer": 1.0}
        plan = await draw_attempts(supply, REFERENCE, mix, Random(seed), weights)
        programs = [attempt.program for attempt in plan.wrong]
        assert plan.right == REFERENCE and len(set(programs)) == len(programs) >= 1
        for program in programs:
            assert not (await grader.grade(program, PROBLEM.public_cases)).all_passed
        shown.update(attempt.kind for attempt in plan.wrong)
    assert shown[WRONG_FIX] > 0 and shown.total() >= 8


def test_steering_makes_up_for_what_came_out() -> None:
    steering = ErrorSteering({"wrong_answer": 3, "name_error": 1, "key_error": 0})
    assert steering.asked == {"wrong_answer": 0.75, "name_error": 0.25}
    first = steering.weights(100)
    assert first["wrong_answer"] == pytest.approx(3 * first["name_error"])
    steering.got.update({"wrong_answer": 100})
    second = steering.weights(100)
    assert second["wrong_answer"] == pytest.approx(second["name_error"])
    steering.got.update({"wrong_answer": 500})
    assert 0 < steering.weights(10)["wrong_answer"] < steering.weights(10)["name_error"]


@pytest.mark.parametrize(
    ("kind", "language", "error"),
    [
        ("syntax_colon", "python", "compile_error"),
        ("slice_bound+key_error", "python", "key_error"),
        ("name_error+syntax_bracket", "python", "compile_error"),
        ("real: missing colons", "python", "compile_error"),
        ("real: condition error", "python", "wrong_answer"),
        ("name_error", "cpp", "compile_error"),
        ("name_error", "nodejs", "other_error"),
        ("comparison_flip", "cpp", "wrong_answer"),
    ],
)
def test_what_a_mistake_mostly_leads_to(kind: str, language: str, error: str) -> None:
    assert expected_error_kind(kind, language) == error


def test_every_kind_leads_to_a_known_error() -> None:
    expected = {expected_error_kind(kind, "python") for kind in ALL_KINDS}
    assert expected <= set(ERROR_KINDS)
    assert set(ERROR_KINDS) - expected <= {"other_error", "memory_limit", "output_limit"}


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"wrong_fix_share": 1.5}, "wrong_fix_share"),
        ({"error_shares": {"typo": 1}}, "unknown typo"),
        ({"error_shares": {"wrong_answer": -1}}, "at least 0"),
        ({"error_shares": {"wrong_answer": 0}}, "not all 0"),
        ({"error_shares": {}}, "not all 0"),
    ],
)
def test_a_mix_that_makes_no_sense_is_refused(changed: dict, said: str) -> None:
    fields = {"wrong_fix_share": 0.0, "error_shares": None, **changed}
    with pytest.raises(ValueError, match=said):
        AttemptMix((0.5,), PER_GROUP, "none", **fields)
