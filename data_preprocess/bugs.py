"""Candidates for wrong programs of a problem, in the order in which they are to be tried.

Three groups: ``one_slip`` (a mutation, a real bug that came with the data, or the program of the same
template with another parameter), ``two_slips`` (two mutations, so that a repair may mend one and miss the
other) and ``other_program`` (the right program of another problem). A candidate may turn out to pass;
running them is ``wrong_programs``. Deterministic by seed and ``query_id``. Needs no recipe.
"""

from __future__ import annotations

import difflib
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from random import Random

from data_preprocess.error_kinds import expected_error_kind
from data_preprocess.failed_programs import RealBug
from data_preprocess.mutations import KINDS, LANGUAGES, find_mutations
from data_preprocess.source_edits import Slip
from verl_ext.grading.problem import Problem

GROUPS = ("one_slip", "two_slips", "other_program")
SIBLING, OTHER_PROGRAM, REAL, WRONG_FIX = "sibling", "other_program", "real", "wrong_fix"
ALL_KINDS = (*KINDS, SIBLING, OTHER_PROGRAM, REAL)
_MAX_TRIES = 12
# Wrong repairs of one mistake that are thought of, and the mistakes that come of a repair on the right line.
_MAX_FIXES = 4
_NEAR_MISSES = frozenset(
    ("argument_order", "comparison_flip", "comparison_operator", "initial_value", "loop_bound", "number",
     "off_by_one", "operator_swap", "slice_bound", "swapped_arguments", "wrong_branch", "wrong_constant",
     "wrong_function", "wrong_level", "wrong_update")
)  # fmt: skip
# Errors after which nobody repairs something else.
_SAYS_WHAT_TO_DO = frozenset(("attribute_error", "compile_error", "name_error"))


@dataclass(frozen=True, slots=True)
class Bug:
    """A program that is believed to be wrong.

    Attributes:
        program: Source text.
        group: One of ``GROUPS``.
        kind: What was done: a kind of ``mutations.KINDS`` (two joined by ``+``), ``sibling``,
            ``other_program``, ``wrong_fix``, or ``real: <category of the data set>``.
        base: The right program that it was made from, at which a repair arrives.
        halves: The program with one of its mistakes mended and one left (two slips, or a real bug in several
            places); empty where there is just one.
        slip: The mutation, where it is a single one.
    """

    program: str
    group: str
    kind: str
    base: str
    halves: tuple[Bug, ...] = ()
    slip: Slip | None = None


# Programs of one form to draw from; more of them would only take memory.
_POOL_SIZE = 10_000


class ProgramPool:
    """The right programs of the problems that are trained on: where siblings and other programs come from."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self._by_form: dict[tuple[str, str | None], list[str]] = defaultdict(list)
        self._by_template: dict[tuple[str, str], list[tuple[str, str]]] = defaultdict(list)
        self._rng = Random("program pool")
        self._num_seen: Counter[tuple[str, str | None]] = Counter()
        for problem in problems:
            if problem.reference is not None:
                self._keep((problem.language, problem.fn_name), problem.reference)
                if "?" in problem.query_id:  # what siblings are asked for
                    item = (problem.question, problem.reference)
                    self._by_template[_template(problem)].append(item)

    def _keep(self, form: tuple[str, str | None], program: str) -> None:
        """Adds a program to its form's sample, in which each that was ever added has the same chance."""
        self._num_seen[form] += 1
        programs = self._by_form[form]
        if len(programs) < _POOL_SIZE:
            programs.append(program)
        elif (slot := self._rng.randrange(self._num_seen[form])) < _POOL_SIZE:
            programs[slot] = program

    def siblings(self, problem: Problem, rng: Random) -> list[str]:
        """Programs of the same template; for a vague question first those that it fits just as well."""
        if "?" not in problem.query_id:
            return []
        found = [item for item in self._by_template[_template(problem)] if item[1] != problem.reference]
        rng.shuffle(found)
        if problem.verdict_only:
            found.sort(key=lambda item: item[0] != problem.question)
        return list(dict.fromkeys(program for _, program in found))[:_MAX_TRIES]

    def others(self, problem: Problem, rng: Random) -> list[str]:
        """Programs of other templates that have the same form (language; stdin, or the same function)."""
        programs = self._by_form[problem.language, problem.fn_name]
        same = {program for _, program in self._by_template[_template(problem)]} | {problem.reference}
        drawn = rng.sample(programs, min(len(programs), 3 * _MAX_TRIES))
        return [program for program in dict.fromkeys(drawn) if program not in same][:_MAX_TRIES]


def candidate_bugs(
    problem: Problem,
    pool: ProgramPool,
    *,
    seed: int,
    kinds: Collection[str],
    real_bugs: Sequence[RealBug] = (),
) -> Mapping[str, list[Bug]]:
    """What to try, per group of ``GROUPS``, in the order to try.

    Args:
        problem: With a reference; mutations are made of references in ``mutations.LANGUAGES`` only.
        pool: Programs of other problems.
        seed: Another seed gives other bugs.
        kinds: Of ``ALL_KINDS``; what is not named is not made.
        real_bugs: Bugs that came with the data; tried first.

    Raises:
        ValueError: When the problem has no reference.
    """
    if problem.reference is None:
        raise ValueError(f"{problem.query_id}: bugs are made of a reference, and there is none")
    rng = Random(f"bugs:{seed}:{problem.query_id}")
    slips: dict[str, list[Slip]] = defaultdict(list)
    if problem.language in LANGUAGES:
        for slip in find_mutations(problem.reference, problem.language, kinds):
            slips[slip.kind].append(slip)
    singles = _by_turns(slips, rng)
    siblings = pool.siblings(problem, rng) if SIBLING in kinds else []
    base = problem.reference
    one_slip = [Bug(slip.apply(base), "one_slip", slip.kind, base, slip=slip) for slip in singles]
    sibling_bugs = [Bug(program, "one_slip", SIBLING, base) for program in siblings]
    real = [_real_bug(bug, base) for bug in (real_bugs if REAL in kinds else ())]
    # A vague question invites the sibling's program; elsewhere it is one kind of slip among many.
    first, second = (sibling_bugs, one_slip) if problem.verdict_only else (one_slip[:2], sibling_bugs[:1])
    others = pool.others(problem, rng) if OTHER_PROGRAM in kinds else []
    return {
        "one_slip": _distinct([*real, *first, *second, *one_slip]),
        "two_slips": _two_slips(problem.reference, singles, rng),
        "other_program": [Bug(program, "other_program", OTHER_PROGRAM, base) for program in others],
    }


def wrong_fixes(bug: Bug, slips: Sequence[Slip], language: str, rng: Random) -> list[Bug]:
    """Repairs of a bug that somebody might try first: something else that is wrong, on the same line.

    Args:
        bug: Made by a single mutation; none are known for others.
        slips: Mutations of the same right program.
        language: Of the program.
        rng: Chooses.
    """
    if bug.slip is None or expected_error_kind(bug.slip.kind, language) in _SAYS_WHAT_TO_DO:
        return []
    here = _line_span(bug.base, bug.slip)
    near = [
        slip
        for slip in slips
        if slip != bug.slip
        and here[0] <= slip.start
        and slip.end <= here[1]
        and (slip.kind in _NEAR_MISSES or (slip.kind == bug.slip.kind and slip.overlaps(bug.slip)))
    ]
    chosen = rng.sample(near, min(len(near), _MAX_FIXES))
    return [Bug(slip.apply(bug.base), bug.group, WRONG_FIX, bug.base) for slip in chosen]


def _line_span(program: str, slip: Slip) -> tuple[int, int]:
    end = program.find("\n", slip.end)
    return program.rfind("\n", 0, slip.start) + 1, len(program) if end < 0 else end


def _real_bug(bug: RealBug, reference: str) -> Bug:
    kind = f"{REAL}: {bug.category}"
    base = bug.repair or reference
    halves = _half_mended(bug.program, bug.repair) if bug.repair else []
    return Bug(
        bug.program, "one_slip", kind, base, tuple(Bug(half, "one_slip", kind, base) for half in halves)
    )


def _half_mended(program: str, repair: str) -> list[str]:
    """The program with one of several places mended, for each of them; none when there is only one."""
    old, new = program.splitlines(keepends=True), repair.splitlines(keepends=True)
    blocks = difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
    changed = [block for block in blocks if block[0] != "equal"]
    if len(changed) < 2:
        return []
    return [
        "".join([*old[:old_start], *new[new_start:new_end], *old[old_end:]])
        for _, old_start, old_end, new_start, new_end in changed
    ]


def _by_turns(slips: Mapping[str, list[Slip]], rng: Random) -> list[Slip]:
    """One slip of each kind per round, in shuffled order, so that no kind crowds out the others."""
    queues = [rng.sample(slips[kind], len(slips[kind])) for kind in sorted(slips)]
    rng.shuffle(queues)
    rounds = max(map(len, queues), default=0)
    return [queue[turn] for turn in range(rounds) for queue in queues if turn < len(queue)]


def _two_slips(reference: str, singles: Sequence[Slip], rng: Random) -> list[Bug]:
    bugs: list[Bug] = []
    for _ in range(2 * _MAX_TRIES):
        if len(singles) < 2 or len(bugs) == _MAX_TRIES:
            break
        left, right = rng.sample(singles, 2)
        if left.overlaps(right):
            continue
        first, last = (left, right) if left.start < right.start else (right, left)
        both = first.apply(last.apply(reference))
        kind = "+".join((left.kind, right.kind))
        halves = (
            Bug(slip.apply(reference), "two_slips", slip.kind, reference, slip=slip) for slip in (right, left)
        )
        bugs.append(Bug(both, "two_slips", kind, reference, tuple(halves)))
    return _distinct(bugs)


def _distinct(bugs: Iterable[Bug]) -> list[Bug]:
    return list({bug.program: bug for bug in reversed(list(bugs))}.values())[::-1]


def _template(problem: Problem) -> tuple[str, str]:
    return problem.language, problem.query_id.partition("?")[0]
