"""Runs every reference program on all cases of its problem and reports those that fail (promise 6).

Where a record has several programs said to be right (``solutions``), some of them are run too: the first that
passes takes the place of a reference that fails or is missing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from msgspec.structs import replace
from tqdm import tqdm

from data_preprocess.first_difference import first_difference
from data_preprocess.in_order import run_in_order
from data_preprocess.progress import progress_bar
from data_preprocess.solutions import solutions_of
from data_preprocess.wrong_programs import grade_cases
from verl_ext.grading.grader import Grader
from verl_ext.grading.problem import Problem
from verl_ext.grading.verdict import CaseResult

_ERROR_CHARS = 300


@dataclass(frozen=True, slots=True)
class Verified:
    """One problem after its programs were run.

    Attributes:
        problem: With the reference that passes, where one does.
        passed: The reference passes all cases; None when there is none.
        witnesses: Other programs of the record that pass all cases.
    """

    problem: Problem
    passed: bool | None
    witnesses: tuple[str, ...] = ()


@dataclass(slots=True)
class Verification:
    """What became of the references so far.

    Attributes:
        max_solutions: Further programs of a record that are run at most.
        num_references: Problems that had a reference, or got one from their solutions.
        failures: What the manifest says about each that fails.
        replaced: Problems whose reference is now one of their solutions.
        solutions: ``run``, ``passed`` and ``not_run`` solutions, and ``problems`` that have some.
    """

    max_solutions: int = 0
    num_references: int = 0
    failures: list[dict[str, Any]] = field(default_factory=list)
    replaced: list[str] = field(default_factory=list)
    solutions: Counter[str] = field(default_factory=Counter)
    _progress: tqdm[Any] | None = None

    async def check(
        self, grader: Grader, problems: Sequence[Problem], *, max_parallel: int
    ) -> list[Verified]:
        """Runs the references, and some solutions, of some problems; one result per problem, in order.

        Raises:
            SandboxError: When our side failed.
        """
        if self._progress is None:
            self._progress = progress_bar("references", "problem")
        progress = self._progress

        async def run(problem: Problem) -> tuple[Verified, dict[str, Any] | None, Counter[str]]:
            result = await _verify(grader, problem, self.max_solutions)
            progress.update(result[0].passed is not None)
            return result

        checked: list[Verified] = []
        async for verified, failure, solutions in run_in_order(problems, run, max_parallel=max_parallel):
            checked.append(verified)
            self.solutions += solutions
            self.num_references += verified.passed is not None
            if failure is not None:
                self.failures.append(failure)
            elif solutions["used"]:
                self.replaced.append(verified.problem.query_id)
        return checked

    def has_program(self, problem: Problem) -> bool:
        """Whether there is a program to run on the problem's cases."""
        return problem.reference is not None or (self.max_solutions > 0 and bool(solutions_of(problem)))

    def finish(self) -> None:
        """Closes the progress bar."""
        if self._progress is not None:
            self._progress.close()

    def to_dict(self) -> dict[str, Any]:
        """What the manifest says."""
        passed = self.num_references - len(self.failures)
        verdicts = Counter(failure["verdict"] for failure in self.failures)
        num_run = self.solutions["run"]
        return {
            "references": self.num_references,
            "passed": passed,
            "share": round(passed / self.num_references, 4) if self.num_references else None,
            "failed_by_verdict": dict(sorted(verdicts.items())),
            "failures": self.failures,
            "solutions": {
                "problems": self.solutions["problems"],
                "run": num_run,
                "passed": self.solutions["passed"],
                "share": round(self.solutions["passed"] / num_run, 4) if num_run else None,
                "not_run": self.solutions["not_run"],
                "became_the_reference": self.replaced,
            },
        }


async def _verify(
    grader: Grader, problem: Problem, max_solutions: int
) -> tuple[Verified, dict[str, Any] | None, Counter[str]]:
    """(what is left of the problem, what the manifest says of a failure, counts about the solutions)."""
    solutions = solutions_of(problem) if max_solutions else []
    counts: Counter[str] = Counter()
    right: list[str] = []
    for program in solutions[:max_solutions]:
        grade = await grade_cases(grader, problem, program, problem.cases, stop_early=True)
        counts.update(run=1, passed=grade.all_passed)
        if grade.all_passed:
            right.append(program)
    if solutions:
        counts.update(problems=1, not_run=len(solutions[max_solutions:]))
    failure = None if problem.reference is None else await _failure_of(grader, problem)
    if right and (failure is not None or problem.reference is None):
        counts["used"] = 1
        return Verified(replace(problem, reference=right[0]), True, tuple(right[1:])), None, counts
    passed = None if problem.reference is None else failure is None
    return Verified(problem, passed, tuple(right)), failure, counts


async def _failure_of(grader: Grader, problem: Problem) -> dict[str, Any] | None:
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
        text = f"{failure.error.category}: {failure.error.message}"
        left = len(text) - _ERROR_CHARS
        return f"{text[:_ERROR_CHARS]} [{left} more characters]" if left > 0 else text
    expected = problem.cases[failure.case_index].expected
    described = first_difference(failure.actual, expected, is_call=problem.fn_name is not None)
    return f"{described} (output was cut)" if failure.output_truncated else described
