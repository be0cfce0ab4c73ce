"""Runs candidates for bugs: which really fail, and how.

Owns the statistics about bugs that go into the manifest. Runs everything through a ``Grader``; a failure of
the sandbox is an exception that ends the preprocessing, never a verdict.
"""

from __future__ import annotations

import itertools
from collections import Counter, defaultdict, deque
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any

from data_preprocess.bugs import GROUPS, WRONG_FIX, Bug, wrong_fixes
from data_preprocess.error_kinds import error_kind, expected_error_kind
from data_preprocess.mutations import compiles
from verl_ext.grading.grader import Grader
from verl_ext.grading.problem import Case, Problem
from verl_ext.grading.verdict import CaseResult, Grade

# Candidates run for each wanted bug before the group is given up.
_TRIES_PER_BUG = 3


@dataclass(slots=True)
class BugStatistics:
    """What became of the candidates; each one that was looked at is in exactly one of the four.

    Attributes:
        verdicts: Kind -> verdict of the first failing public case -> programs kept.
        equivalent: Kind -> candidates that pass every case, public and hidden.
        public_only: Kind -> candidates that pass the public cases and fail a hidden one.
        broken: Kind -> mutations of a Python program that are no program any more, though their kind says
            nothing of syntax; not run.
    """

    verdicts: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    equivalent: Counter[str] = field(default_factory=Counter)
    public_only: Counter[str] = field(default_factory=Counter)
    broken: Counter[str] = field(default_factory=Counter)

    def to_dict(self) -> dict[str, Any]:
        """Plain values in a fixed order."""
        num_kept = sum(counts.total() for counts in self.verdicts.values())
        dropped = [self.equivalent, self.public_only, self.broken]
        return {
            "looked_at": num_kept + sum(counts.total() for counts in dropped),
            "num_kept": num_kept,
            "num_equivalent": self.equivalent.total(),
            "num_passing_public_cases_only": self.public_only.total(),
            "kept": {kind: dict(sorted(self.verdicts[kind].items())) for kind in sorted(self.verdicts)},
            "dropped": {
                "equivalent": dict(sorted(self.equivalent.items())),
                "passes_public_cases_only": dict(sorted(self.public_only.items())),
                "does_not_parse": dict(sorted(self.broken.items())),
            },
        }


def tried_cases(problem: Problem) -> tuple[Case, ...]:
    """The cases that an attempt of a conversation is run on: the public ones, all where no tool shows any."""
    return problem.public_cases or problem.cases


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


@dataclass(frozen=True, slots=True)
class FailingBug:
    """A bug that was run and fails.

    Attributes:
        bug: The program and where it comes from.
        error: Kind of its first failing public case, of ``error_kinds.ERROR_KINDS``.
    """

    bug: Bug
    error: str


class BugSupply:
    """The wrong programs of one problem, run only when a conversation asks for one.

    A problem has at most ``wanted[group]`` different programs per group (and, where error kinds are asked
    for, per error kind), so that few runs serve many conversations. Draws of one problem must follow one
    another, or they are not reproducible.
    """

    def __init__(
        self,
        grader: Grader,
        problem: Problem,
        candidates: Mapping[str, Sequence[Bug]],
        wanted: Mapping[str, int],
        statistics: BugStatistics,
        *,
        explained: bool = False,
    ) -> None:
        """Runs nothing yet.

        Args:
            grader: Runs candidates on the public cases.
            problem: What they are wrong programs of.
            candidates: Per group, in the order to try.
            wanted: Different programs per group.
            statistics: Counts what becomes of the candidates.
            explained: Whether words go with a repair, so that it has to follow from what the verdict showed.
        """
        self._explained = explained
        self._grader = grader
        self._problem = problem
        self._wanted = wanted
        self._statistics = statistics
        self._slips = [bug.slip for bug in candidates["one_slip"] if bug.slip is not None]
        self._limits = {group: wanted[group] * _TRIES_PER_BUG for group in GROUPS}
        self._untried = {group: deque(candidates[group]) for group in GROUPS}
        self._kept: dict[str, list[FailingBug]] = {group: [] for group in GROUPS}
        self._shown: Counter[str] = Counter()

    async def draw(
        self, group: str, used: Collection[str], rng: Random, *, base: str | None = None
    ) -> FailingBug | None:
        """A program that really fails.

        Args:
            group: Of ``GROUPS``.
            used: Programs that must not come again.
            rng: Chooses.
            base: Only bugs made from this right program; None for any.

        Returns:
            None when there is none left.
        """
        kept = self._kept[group]
        slot = rng.randrange(self._wanted[group]) if self._wanted[group] else 0
        if slot < len(kept) and _fits(kept[slot], used, base):
            return kept[slot]
        while len(kept) < self._wanted[group] and (candidate := self._next(group)) is not None:
            found = await self._tried(candidate)
            if found is not None:
                kept.append(found)
                if _fits(found, used, base):
                    return found
        left = [found for found in kept if _fits(found, used, base)]
        return rng.choice(left) if left else None

    async def draw_error(
        self, group: str, error: str, used: Collection[str], rng: Random, *, base: str | None = None
    ) -> FailingBug | None:
        """A program that fails in a given way (of ``ERROR_KINDS``); otherwise as ``draw``.

        One that was shown less often comes first, and what came with the data before what was made.
        """
        language = self._problem.language
        kept = self._kept[group]
        of_kind = [found for found in kept if found.error == error]
        left = [found for found in of_kind if _fits(found, used, base)]
        if (
            not any(self._shown[found.bug.program] == 0 for found in left)
            and len(of_kind) < self._wanted[group]
        ):
            fitting = (
                bug for bug in self._untried[group] if expected_error_kind(bug.kind, language) == error
            )
            for bug in list(itertools.islice(fitting, _TRIES_PER_BUG)):
                if self._limits[group] == 0:
                    break
                self._limits[group] -= 1
                self._untried[group].remove(bug)
                found = await self._tried(bug)
                if found is not None:
                    kept.append(found)
                    if found.error == error and _fits(found, used, base):
                        left.append(found)
                        break
        if not left:
            return None
        fewest = min(self._shown[found.bug.program] for found in left)
        chosen = rng.choice([found for found in left if self._shown[found.bug.program] == fewest])
        self._shown[chosen.bug.program] += 1
        return chosen

    async def draw_wrong_fix(self, bug: Bug, used: Collection[str], rng: Random) -> Bug | None:
        """A repair of a bug that changes the right line and is still wrong; None when none is found."""
        for fix in wrong_fixes(bug, self._slips, self._problem.language, rng):
            if fix.program not in used and await self._tried(fix) is not None:
                return fix
        return None

    async def joined(self, bug: Bug, other: Bug) -> Bug | None:
        """The program with both mistakes, failing as ``bug`` does; ``other`` shows once that is mended.

        None when they can't be made together, or the first one does not hide the second.
        """
        one, two = bug.slip, other.slip
        if one is None or two is None or bug.base != other.base or one.overlaps(two):
            return None
        first, last = (one, two) if one.start < two.start else (two, one)
        program = first.apply(last.apply(bug.base))
        both = Bug(program, "two_slips", f"{bug.kind}+{other.kind}", bug.base)
        if await self._tried(both) is None:
            return None
        failures = [await self._first_failure(text) for text in (both.program, bug.program, other.program)]
        shown = [failure and _symptom(failure) for failure in failures]
        return both if shown[0] == shown[1] != shown[2] else None

    def _next(self, group: str) -> Bug | None:
        if not self._untried[group] or not self._limits[group]:
            return None
        self._limits[group] -= 1
        return self._untried[group].popleft()

    async def _tried(self, bug: Bug) -> FailingBug | None:
        """The candidate if it fails: with at most one half, which fails too, and a ``base`` that passes."""
        kind = bug.kind if bug.group != "two_slips" or bug.kind == WRONG_FIX else bug.group
        made_in_python = bug.slip is not None and self._problem.language == "python"
        if made_in_python and not bug.kind.startswith("syntax") and not compiles(bug.program):
            self._statistics.broken[kind] += 1
            return None
        failure = await self._first_failure(bug.program)
        if failure is None:
            right = await self._passes(bug.program, self._problem.hidden_cases)
            (self._statistics.equivalent if right else self._statistics.public_only)[kind] += 1
            return None
        if bug.base != self._problem.reference and not await self._passes(bug.base, self._problem.cases):
            assert self._problem.reference is not None
            bug = replace(bug, base=self._problem.reference, halves=())
        bug = replace(bug, halves=await self._failing_half(bug, failure))
        self._statistics.verdicts[kind][str(failure.verdict)] += 1
        return FailingBug(bug, error_kind(failure))

    async def _failing_half(self, bug: Bug, failure: CaseResult) -> tuple[Bug, ...]:
        """The half to go on with, if it fails: where words go with a repair, one without what was shown."""
        halves = bug.halves if self._explained else bug.halves[:1]
        failing: list[Bug] = []
        for half in halves:
            left = await self._first_failure(half.program)
            if left is None:
                continue
            if _symptom(left) != _symptom(failure):
                return (half,)
            failing.append(half)
        # An error names its place: a repair somewhere else would not follow from it.
        return () if self._explained and failure.error is not None else tuple(failing[:1])

    async def _passes(self, program: str, cases: Sequence[Case]) -> bool:
        grade = await grade_cases(self._grader, self._problem, program, cases, stop_early=True)
        return grade.all_passed

    async def _first_failure(self, program: str) -> CaseResult | None:
        problem = self._problem
        grade = await grade_cases(self._grader, problem, program, tried_cases(problem), stop_early=True)
        return grade.first_failure


def _symptom(failure: CaseResult) -> tuple[object, ...]:
    """What a model sees of a failure: two programs with the same one look the same to it."""
    error = failure.error
    return failure.verdict, failure.actual, error and (error.category, error.message, error.source_line)


def _fits(found: FailingBug, used: Collection[str], base: str | None) -> bool:
    return found.bug.program not in used and base in (None, found.bug.base)
