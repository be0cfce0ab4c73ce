"""Runs reference programs and candidates for bugs: what really passes, what really fails, and how.

Owns verification and the statistics about bugs that go into the manifest. Runs everything through a
``Grader``; a failure of the sandbox is an exception that ends the preprocessing, never a verdict.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from data_preprocess.bugs import GROUPS, Bug
from verl_ext.grading.grader import Grader
from verl_ext.grading.problem import Case, Problem
from verl_ext.grading.verdict import CaseResult, Grade

# Candidates run for each wanted bug before the group is given up.
_TRIES_PER_BUG = 3


@dataclass(slots=True)
class BugStatistics:
    """What became of the candidates.

    Attributes:
        verdicts: Kind -> verdict of the first failing case -> programs kept.
        passed: Kind -> candidates that passed the public cases and were dropped.
    """

    verdicts: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    passed: Counter[str] = field(default_factory=Counter)

    def to_dict(self) -> dict[str, Any]:
        """Plain values in a fixed order."""
        return {
            "kept": {kind: dict(sorted(self.verdicts[kind].items())) for kind in sorted(self.verdicts)},
            "dropped_because_they_pass": dict(sorted(self.passed.items())),
        }


async def grade_cases(
    grader: Grader, problem: Problem, program: str, cases: Sequence[Case], *, stop_early: bool = False
) -> Grade:
    """Grades a program under the limits of its problem."""
    return await grader.grade(
        program,
        cases,
        prelude=problem.prelude,
        language=problem.language,
        stop_at_first_failure=stop_early,
        time_limit_s=problem.time_limit_s,
        memory_limit_mb=problem.memory_limit_mb,
    )


async def verify_reference(grader: Grader, problem: Problem) -> dict[str, Any] | None:
    """Runs the reference on every case; None when all pass, else what the manifest says about it."""
    assert problem.reference is not None
    grade = await grade_cases(grader, problem, problem.reference, problem.cases)
    failure = grade.first_failure
    if failure is None:
        return None
    return {
        "query_id": problem.query_id,
        "verdict": str(failure.verdict),
        "case_index": failure.case_index,
        "passed": grade.num_passed,
        "cases": grade.total,
        "error": _described(failure, problem),
    }


def _described(failure: CaseResult, problem: Problem) -> str:
    if failure.error is not None:
        return f"{failure.error.category}: {failure.error.message}"[:300]
    expected = problem.cases[failure.case_index].expected
    return f"expected {expected[:120]!r}, got {failure.actual[:120]!r}"


async def keep_failing(
    grader: Grader,
    problem: Problem,
    candidates: Mapping[str, Sequence[Bug]],
    wanted: Mapping[str, int],
    statistics: BugStatistics,
) -> list[Bug]:
    """The first candidates of each group that fail a public case, as many as wanted.

    A two-slip bug whose half-mended program passes is kept without its ``halfway``.
    """
    cases = problem.public_cases
    kept: list[Bug] = []
    for group in GROUPS:
        found = 0
        for bug in candidates[group][: wanted[group] * _TRIES_PER_BUG]:
            if found == wanted[group]:
                break
            failure = (await grade_cases(grader, problem, bug.program, cases, stop_early=True)).first_failure
            if failure is None:
                statistics.passed[bug.kind] += 1
                continue
            if bug.halfway is not None and await _passes(grader, problem, bug.halfway):
                bug = Bug(bug.program, bug.group, bug.kind)
            statistics.verdicts[bug.kind if group != "two_slips" else group][str(failure.verdict)] += 1
            kept.append(bug)
            found += 1
    return kept


async def _passes(grader: Grader, problem: Problem, program: str) -> bool:
    grade = await grade_cases(grader, problem, program, problem.public_cases, stop_early=True)
    return grade.all_passed
