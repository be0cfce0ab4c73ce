"""Runs candidates for bugs: which really fail, and how.

Owns the statistics about bugs that go into the manifest. Runs everything through a ``Grader``; a failure of
the sandbox is an exception that ends the preprocessing, never a verdict.
"""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from random import Random
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


class BugSupply:
    """The wrong programs of one problem, run only when a conversation asks for one.

    A problem has at most ``wanted[group]`` different programs per group, so that few runs serve many
    conversations. Draws of one problem must follow one another, or they are not reproducible.
    """

    def __init__(
        self,
        grader: Grader,
        problem: Problem,
        candidates: Mapping[str, Sequence[Bug]],
        wanted: Mapping[str, int],
        statistics: BugStatistics,
    ) -> None:
        """Runs nothing yet.

        Args:
            grader: Runs candidates on the public cases.
            problem: What they are wrong programs of.
            candidates: Per group, in the order to try.
            wanted: Different programs per group.
            statistics: Counts what becomes of the candidates.
        """
        self._grader = grader
        self._problem = problem
        self._wanted = wanted
        self._statistics = statistics
        self._untried = {
            group: deque(candidates[group][: wanted[group] * _TRIES_PER_BUG]) for group in GROUPS
        }
        self._kept: dict[str, list[Bug]] = {group: [] for group in GROUPS}

    async def draw(
        self, group: str, used: Collection[str], rng: Random, *, base: str | None = None
    ) -> Bug | None:
        """A program that really fails.

        Args:
            group: Of ``GROUPS``.
            used: Programs that must not come again.
            rng: Chooses.
            base: Only bugs made from this right program; None for any.

        Returns:
            None when there is none left.
        """

        def fits(bug: Bug) -> bool:
            return bug.program not in used and base in (None, bug.base)

        kept = self._kept[group]
        slot = rng.randrange(self._wanted[group]) if self._wanted[group] else 0
        if slot < len(kept) and fits(kept[slot]):
            return kept[slot]
        while len(kept) < self._wanted[group] and self._untried[group]:
            bug = await self._tried(self._untried[group].popleft())
            if bug is not None:
                kept.append(bug)
                if fits(bug):
                    return bug
        left = [bug for bug in kept if fits(bug)]
        return rng.choice(left) if left else None

    async def _tried(self, bug: Bug) -> Bug | None:
        """The candidate if it fails; without a ``halfway`` that passes, and with a ``base`` that does."""
        failure = await self._first_failure(bug.program)
        if failure is None:
            self._statistics.passed[bug.kind if bug.group != "two_slips" else bug.group] += 1
            return None
        if bug.base != self._problem.reference and not await self._is_right(bug.base):
            assert self._problem.reference is not None
            bug = replace(bug, base=self._problem.reference)
        if bug.halfway is not None and await self._first_failure(bug.halfway) is None:
            bug = replace(bug, halfway=None, halfway_kind="")
        kind = bug.kind if bug.group != "two_slips" else bug.group
        self._statistics.verdicts[kind][str(failure.verdict)] += 1
        return bug

    async def _is_right(self, program: str) -> bool:
        grade = await grade_cases(self._grader, self._problem, program, self._problem.cases, stop_early=True)
        return grade.all_passed

    async def _first_failure(self, program: str) -> CaseResult | None:
        problem = self._problem
        grade = await grade_cases(self._grader, problem, program, problem.public_cases, stop_early=True)
        return grade.first_failure
