"""How many injected bugs the cases of a problem catch, before and after cases were generated.

The bugs are the candidates of ``bugs.candidate_bugs``; one that no case catches is a survivor. A survivor may
be a mutation that changes nothing (an equivalent mutant): no run can tell, so a score is a lower bound of
what the cases catch, and the survivors are listed to be read. The command is ``mutation_score``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Any

from msgspec.structs import replace

from data_preprocess.bugs import ALL_KINDS, Bug, ProgramPool, candidate_bugs
from data_preprocess.wrong_programs import grade_cases
from verl_ext.grading.grader import Grader
from verl_ext.grading.problem import Problem

# Survivors that are listed; the counts are of all.
_LISTED = 500
_LINE_CHARS = 120


def scored_kinds() -> tuple[str, ...]:
    """The kinds that say something about cases: what does not even parse fails on any."""
    return tuple(kind for kind in ALL_KINDS if not kind.startswith("syntax"))


@dataclass(frozen=True, slots=True)
class ProblemScore:
    """What became of the mutants of one problem.

    Attributes:
        query_id: Of the problem.
        tried: Kinds of the mutants.
        caught_before: Kinds of those that a case of the record's own catches.
        caught_after: Kinds of those that any case catches.
        survivors: The others, each with its kind and the line it changes.
    """

    query_id: str
    tried: Counter[str]
    caught_before: Counter[str]
    caught_after: Counter[str]
    survivors: tuple[dict[str, str], ...]


async def score_problem(
    grader: Grader,
    problem: Problem,
    *,
    max_mutants: int,
    seed: int,
    time_limit_s: float,
    kinds: Collection[str] | None = None,
) -> ProblemScore | None:
    """Runs the mutants of one problem on its cases, those of the record first.

    Args:
        grader: Runs them; best with one case at a time, as nothing runs after the first failure.
        problem: With a reference that passes its cases.
        max_mutants: Mutants at most, of all kinds in turn.
        seed: Chooses among them.
        time_limit_s: CPU seconds per case; an endless loop costs so much.
        kinds: Of ``bugs.ALL_KINDS``; None for ``scored_kinds``.

    Returns:
        None when there is nothing to mutate.

    Raises:
        SandboxError: When our side failed.
    """
    mutants = mutants_of(problem, seed=seed, kinds=kinds)[:max_mutants]
    if not mutants:
        return None
    limited = replace(problem, time_limit_s=time_limit_s)
    own = [case for case in problem.cases if not case.generated]
    generated = [case for case in problem.cases if case.generated]
    before: Counter[str] = Counter()
    after: Counter[str] = Counter()
    survivors: list[dict[str, str]] = []
    for bug in mutants:
        if not (await grade_cases(grader, limited, bug.program, own, stop_early=True)).all_passed:
            before[bug.kind] += 1
            after[bug.kind] += 1
            continue
        if generated:
            grade = await grade_cases(grader, limited, bug.program, generated, stop_early=True)
            if not grade.all_passed:
                after[bug.kind] += 1
                continue
        survivors.append(_described(problem, bug))
    tried = Counter(bug.kind for bug in mutants)
    return ProblemScore(problem.query_id, tried, before, after, tuple(survivors))


@dataclass(slots=True)
class MutationScore:
    """The scores of many problems together.

    Attributes:
        scores: One per problem that mutants were made of.
        without_mutants: Problems with no reference in Python, or nothing in it to mutate.
    """

    scores: list[ProblemScore] = field(default_factory=list)
    without_mutants: int = 0

    def add(self, score: ProblemScore | None) -> None:
        """Takes the score of one more problem; None for one that there is nothing to mutate in."""
        if score is None:
            self.without_mutants += 1
        else:
            self.scores.append(score)

    def to_dict(self) -> dict[str, Any]:
        """What the manifest says; survivors are listed up to a number and counted beyond it."""
        tried = _sum(score.tried for score in self.scores)
        before = _sum(score.caught_before for score in self.scores)
        after = _sum(score.caught_after for score in self.scores)
        total = tried.total()
        survivors = [survivor for score in self.scores for survivor in score.survivors]
        return {
            "mutants": total,
            "caught_before": before.total(),
            "caught_after": after.total(),
            "score_before": round(before.total() / total, 4) if total else None,
            "score_after": round(after.total() / total, 4) if total else None,
            "note": "survivors may be equivalent mutants, which no case can catch: scores are lower bounds",
            "problems_without_mutants": self.without_mutants,
            "by_kind": {
                kind: {"mutants": tried[kind], "caught_before": before[kind], "caught_after": after[kind]}
                for kind in sorted(tried)
            },
            "problems": [
                {
                    "query_id": score.query_id,
                    "mutants": score.tried.total(),
                    "caught_before": score.caught_before.total(),
                    "caught_after": score.caught_after.total(),
                }
                for score in self.scores
            ],
            "survivors": {"count": len(survivors), "first": survivors[:_LISTED]},
        }


def _sum(counters: Iterable[Counter[str]]) -> Counter[str]:
    return sum(counters, Counter())


def mutants_of(problem: Problem, *, seed: int, kinds: Collection[str] | None = None) -> list[Bug]:
    """Programs that differ from the reference by one mutation, all kinds in turn; may be equivalent to it."""
    if problem.reference is None:
        return []
    bugs = candidate_bugs(problem, ProgramPool(()), seed=seed, kinds=kinds or scored_kinds())
    return bugs["one_slip"]


def _described(problem: Problem, bug: Bug) -> dict[str, str]:
    before, after = (problem.reference or "").splitlines(), bug.program.splitlines()
    changed = next((i for i, (old, new) in enumerate(zip(before, after, strict=False)) if old != new), None)
    if changed is None:
        changed = min(len(before), len(after)) - 1
    return {
        "query_id": problem.query_id,
        "kind": bug.kind,
        "line": before[changed].strip()[:_LINE_CHARS],
        "became": after[changed].strip()[:_LINE_CHARS] if changed < len(after) else "",
    }
