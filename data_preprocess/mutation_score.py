"""How many injected bugs the cases of a problem catch, before and after cases were generated.

``python -m data_preprocess.mutation_score [FILE] [key=value ...]``: FILE holds records of any known format, or
is a parquet file that ``preprocess.py`` wrote; without it the project's own problems are scored.
``configs/mutation_score.yaml`` explains the keys. The bugs are the candidates of ``bugs.candidate_bugs``; one that
no case catches is a survivor. A survivor may be a mutation that changes nothing (an equivalent mutant): no
run can tell, so the score is a lower bound of what the cases catch, and the survivors are listed to be read.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from typing import Any

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


@dataclass(slots=True)
class MutationScore:
    """Counts over the problems scored so far.

    Attributes:
        problems: One entry per problem with a reference that mutants were made of.
        without_mutants: Problems with no reference in Python, or nothing in it to mutate.
        tried: Kind of bug -> mutants.
        caught_before: Kind -> mutants that a case of the record's own catches.
        caught_after: Kind -> mutants that any case catches.
        survivors: The first mutants that no case catches, each with its kind and the line it changes.
    """

    problems: list[dict[str, Any]] = field(default_factory=list)
    without_mutants: int = 0
    tried: Counter[str] = field(default_factory=Counter)
    caught_before: Counter[str] = field(default_factory=Counter)
    caught_after: Counter[str] = field(default_factory=Counter)
    survivors: list[dict[str, str]] = field(default_factory=list)

    async def add(
        self,
        grader: Grader,
        problem: Problem,
        *,
        max_mutants: int,
        seed: int,
        time_limit_s: float,
        kinds: Collection[str] | None = None,
    ) -> None:
        """Runs the mutants of one problem on its cases, those of the record first.

        Args:
            grader: Runs them; best with one case at a time, as nothing runs after the first failure.
            problem: With a reference that passes its cases.
            max_mutants: Mutants at most, of all kinds in turn.
            seed: Chooses among them.
            time_limit_s: CPU seconds per case; an endless loop costs so much.
            kinds: Of ``bugs.ALL_KINDS``; None for ``scored_kinds``.

        Raises:
            SandboxError: When our side failed.
        """
        mutants = mutants_of(problem, seed=seed, kinds=kinds)[:max_mutants]
        if not mutants:
            self.without_mutants += 1
            return
        limited = replace(problem, time_limit_s=time_limit_s)
        own = [case for case in problem.cases if not case.generated]
        generated = [case for case in problem.cases if case.generated]
        entry = {"query_id": problem.query_id, "mutants": len(mutants), "caught_before": 0, "caught_after": 0}
        for bug in mutants:
            self.tried[bug.kind] += 1
            caught = not (await grade_cases(grader, limited, bug.program, own, stop_early=True)).all_passed
            if caught:
                entry["caught_before"] += 1
                self.caught_before[bug.kind] += 1
            elif generated:
                grade = await grade_cases(grader, limited, bug.program, generated, stop_early=True)
                caught = not grade.all_passed
            if caught:
                entry["caught_after"] += 1
                self.caught_after[bug.kind] += 1
            elif len(self.survivors) < _LISTED:
                self.survivors.append(_described(problem, bug))
        self.problems.append(entry)

    def to_dict(self) -> dict[str, Any]:
        """What the manifest says."""
        total = self.tried.total()
        before, after = self.caught_before.total(), self.caught_after.total()
        return {
            "mutants": total,
            "caught_before": before,
            "caught_after": after,
            "score_before": round(before / total, 4) if total else None,
            "score_after": round(after / total, 4) if total else None,
            "note": "survivors may be equivalent mutants, which no case can catch: scores are lower bounds",
            "problems_without_mutants": self.without_mutants,
            "by_kind": {
                kind: {
                    "mutants": self.tried[kind],
                    "caught_before": self.caught_before[kind],
                    "caught_after": self.caught_after[kind],
                }
                for kind in sorted(self.tried)
            },
            "problems": sorted(self.problems, key=lambda entry: entry["query_id"]),
            "survivors": {
                "count": total - after,
                "first": sorted(self.survivors, key=lambda survivor: tuple(survivor.values())),
            },
        }


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
