"""Runs every reference program on all cases of its problem and reports those that fail (promise 6)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from tqdm import tqdm

from data_preprocess.in_order import run_in_order
from data_preprocess.wrong_programs import grade_cases
from verl_ext.grading.grader import Grader
from verl_ext.grading.problem import Problem
from verl_ext.grading.verdict import CaseResult


@dataclass(slots=True)
class Verification:
    """What became of the references so far.

    Attributes:
        num_references: Problems that had one.
        failures: What the manifest says about each that fails.
    """

    num_references: int = 0
    failures: list[dict[str, Any]] = field(default_factory=list)
    _progress: tqdm[Any] | None = None

    async def check(self, grader: Grader, problems: Sequence[Problem], *, max_parallel: int) -> set[str]:
        """Runs the references of some problems.

        Returns:
            ``query_id`` of those that fail.

        Raises:
            SandboxError: When our side failed.
        """
        if self._progress is None:
            self._progress = tqdm(desc="references", unit="problem", mininterval=1)
        progress = self._progress

        async def run(problem: Problem) -> dict[str, Any] | None:
            failure = await _failure_of(grader, problem)
            progress.update()
            return failure

        having = [problem for problem in problems if problem.reference is not None]
        results = run_in_order(having, run, max_parallel=max_parallel)
        found = [failure async for failure in results if failure is not None]
        self.num_references += len(having)
        self.failures += found
        return {failure["query_id"] for failure in found}

    def finish(self) -> None:
        """Closes the progress bar."""
        if self._progress is not None:
            self._progress.close()

    def to_dict(self) -> dict[str, Any]:
        """What the manifest says."""
        passed = self.num_references - len(self.failures)
        verdicts = Counter(failure["verdict"] for failure in self.failures)
        return {
            "references": self.num_references,
            "passed": passed,
            "share": round(passed / self.num_references, 4) if self.num_references else None,
            "failed_by_verdict": dict(sorted(verdicts.items())),
            "failures": self.failures,
        }


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
        return f"{failure.error.category}: {failure.error.message}"[:300]
    expected = problem.cases[failure.case_index].expected
    return f"expected {expected[:120]!r}, got {failure.actual[:120]!r}"
