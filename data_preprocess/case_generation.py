"""More cases for a problem with a reference: new inputs of the shape that its own inputs have.

Half of the inputs are typed mutations of the examples (``input_mutations``), half are drawn by Hypothesis
from the inferred shape (``input_strategies``). The reference says whether an input is valid, by running on it
twice without a failure and with the same answer, and what the expected output is. New cases are hidden and
marked as generated. Deterministic by seed and ``query_id``.
"""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

from msgspec.structs import replace

from data_preprocess.case_overlap import input_key
from data_preprocess.input_forms import Form, find_form
from data_preprocess.input_mutations import mutate_value
from data_preprocess.input_relations import is_tree_like
from data_preprocess.input_shapes import Fields, infer_fields
from data_preprocess.wrong_programs import grade_cases
from verl_ext.grading.compare import parse_value
from verl_ext.grading.grader import Grader
from verl_ext.grading.problem import Case, Problem
from verl_ext.grading.verdict import CaseResult, Verdict

# The reference has to be this much faster than the limit, or a right but slower program would fail.
_TIME_SHARE = 0.5
# Inputs made for each that is run: many are no new ones.
_MADE_PER_TRY = 3
# What the values of such problems mean is not in their JSON: level order, cycles.
_NODES = re.compile(r"\bTreeNode\b|\bNode\b")
# A right program may then answer otherwise than the reference.
_MANY_ANSWERS = re.compile(
    r"\bany (?:\w+ )?order\b|\b(?:return|print|output|find|choose) any\b|\bany (?:of them|one of|valid)\b"
    r"|\b(?:multiple|several|many|more than one) (?:\w+ )?(?:answers|solutions|ways|orders?)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class GenerateSettings:
    """How much is generated per problem; see ``generate`` in ``configs/preprocess.yaml``."""

    max_cases: int
    max_tries: int
    max_input_chars: int


@dataclass(slots=True)
class GenerationStatistics:
    """What became of the inputs that were made.

    Attributes:
        problems: Problems by outcome: ``extended``, ``no_new_case``, ``unknown_form``, ``many_answers`` (the
            question says so), ``without_reference``.
        made: Inputs made, by ``mutation`` and ``strategy``.
        duplicate: Of these, inputs that the problem had already.
        too_long: Of these, inputs above ``max_input_chars``.
        tried: Inputs that the reference was run on.
        invalid: Verdict of the reference (or ``no_output``, ``no_plain_value``, ``output_too_long``) ->
            inputs.
        nondeterministic: Inputs with another answer in the second run.
        disputed: Inputs to which another right program gives another answer.
        kept: New cases, by ``mutation`` and ``strategy``.
    """

    problems: Counter[str] = field(default_factory=Counter)
    made: Counter[str] = field(default_factory=Counter)
    duplicate: int = 0
    too_long: int = 0
    tried: int = 0
    invalid: Counter[str] = field(default_factory=Counter)
    nondeterministic: int = 0
    disputed: int = 0
    kept: Counter[str] = field(default_factory=Counter)

    def to_dict(self) -> dict[str, Any]:
        """Plain values in a fixed order."""
        return {
            "problems": dict(sorted(self.problems.items())),
            "inputs_made": dict(sorted(self.made.items())),
            "duplicate": self.duplicate,
            "too_long": self.too_long,
            "tried": self.tried,
            "invalid": dict(sorted(self.invalid.items())),
            "nondeterministic": self.nondeterministic,
            "disputed": self.disputed,
            "kept": dict(sorted(self.kept.items())),
        }


async def generate_cases(
    grader: Grader,
    problem: Problem,
    settings: GenerateSettings,
    *,
    seed: int,
    statistics: GenerationStatistics,
    witnesses: Sequence[str] = (),
    more_witnesses: Sequence[str] = (),
    public: bool = False,
) -> Problem:
    """The problem with at most ``max_cases`` more cases; itself when there are none.

    Args:
        grader: Runs the reference; its limits are those that programs will be graded with.
        problem: Its reference is believed to be right.
        settings: How much.
        seed: Another seed makes other inputs.
        statistics: Counts what becomes of the inputs.
        witnesses: Other programs known to pass all cases, which have to agree on every new one.
        more_witnesses: Programs of which those that pass all cases are witnesses too.
        public: Whether the new cases may be shown (where everything is shown).

    Raises:
        SandboxError: When our side failed.
    """
    if problem.reference is None:
        statistics.problems["without_reference"] += 1
        return problem
    if _MANY_ANSWERS.search(problem.question):
        statistics.problems["many_answers"] += 1
        return problem
    shaped = shape_of(problem)
    if shaped is None:
        statistics.problems["unknown_form"] += 1
        return problem
    agreeing = [*witnesses]
    for program in more_witnesses:
        grade = await grade_cases(grader, problem, program, problem.cases, stop_early=True)
        if grade.all_passed:
            agreeing.append(program)
    made = _new_inputs(problem, shaped, settings, seed, statistics)
    valid: list[tuple[str, Case]] = []
    while len(valid) < settings.max_cases:
        batch = list(itertools.islice(made, settings.max_cases))
        if not batch:
            break
        valid += await _valid_cases(grader, problem, batch, agreeing, statistics)
    chosen = _most_varied(problem, valid, settings.max_cases)
    statistics.problems["extended" if chosen else "no_new_case"] += 1
    statistics.kept.update(how for how, _ in chosen)
    new = [replace(case, public=public) for _, case in chosen]
    if not new:
        return problem
    cases = sorted((*problem.cases, *new), key=lambda case: not case.public)
    return replace(problem, cases=tuple(cases))


def shape_of(problem: Problem) -> tuple[Form, Fields, list[Any]] | None:
    """How the inputs of a problem are written, what they look like, and their values; None when unknown."""
    if _NODES.search(problem.reference or ""):
        return None
    inputs = [case.input for case in problem.cases if not case.generated]
    form = find_form(inputs, is_call=problem.fn_name is not None)
    if form is None:
        return None
    values = [form.read(text) for text in inputs]
    if is_tree_like(values):
        return None
    try:
        shape = infer_fields(values, are_lines=problem.fn_name is None)
    except ValueError:
        return None
    return form, shape, values


def _new_inputs(
    problem: Problem,
    shaped: tuple[Form, Fields, list[Any]],
    settings: GenerateSettings,
    seed: int,
    statistics: GenerationStatistics,
) -> Iterator[tuple[str, str]]:
    """(how it was made, input), at most ``max_tries``, none of which the problem has."""
    from data_preprocess.input_strategies import draw_values  # Hypothesis, which only generating needs

    form, shape, values = shaped
    rng = Random(f"cases:{seed}:{problem.query_id}")
    number = _MADE_PER_TRY * settings.max_tries // 2
    mutated = (mutate_value(rng.choice(values), shape, rng) for _ in range(number))
    drawn = draw_values(shape, number, seed_number=rng.getrandbits(32))
    seen = {input_key(case) for case in problem.cases}
    num_tried = 0
    for pair in itertools.zip_longest(mutated, drawn):
        for how, value in zip(("mutation", "strategy"), pair, strict=True):
            if value is None or num_tried == settings.max_tries:
                continue
            text = form.write(value)
            statistics.made[how] += 1
            key = input_key(Case(text, "", problem.fn_name))
            if len(text) > settings.max_input_chars:
                statistics.too_long += 1
            elif key in seen:
                statistics.duplicate += 1
            else:
                seen.add(key)
                num_tried += 1
                yield how, text


async def _valid_cases(
    grader: Grader,
    problem: Problem,
    batch: Sequence[tuple[str, str]],
    witnesses: Sequence[str],
    statistics: GenerationStatistics,
) -> list[tuple[str, Case]]:
    """The inputs that the reference answers twice in the same way, with its answer as the expected output."""
    assert problem.reference is not None
    limit_s = _TIME_SHARE * (problem.time_limit_s or grader.limits.time_s)
    strict = replace(problem, time_limit_s=limit_s)
    # With some expected output: whether that is the answer does not matter yet.
    like = replace(problem.cases[0], public=False, generated=True)
    asked = [replace(like, input=text) for _, text in batch]
    may_be_empty = any(not case.expected.strip() for case in problem.cases)
    statistics.tried += len(asked)
    first = await grade_cases(grader, strict, problem.reference, asked)
    answered: list[tuple[str, Case]] = []
    for (how, _), case, result in zip(batch, asked, first.results, strict=True):
        refused = _why_not(result, is_call=problem.fn_name is not None, may_be_empty=may_be_empty)
        if refused:
            statistics.invalid[refused] += 1
        else:
            answered.append((how, replace(case, expected=result.actual)))
    if not answered:
        return []
    # Under the limits themselves: another request, which no store of runs takes for the first one.
    again = await grade_cases(grader, problem, problem.reference, [case for _, case in answered])
    same = [item for item, result in zip(answered, again.results, strict=True) if result.passed]
    statistics.nondeterministic += len(answered) - len(same)
    for program in witnesses:
        if not same:
            break
        grade = await grade_cases(grader, problem, program, [case for _, case in same])
        agreed = [item for item, result in zip(same, grade.results, strict=True) if result.passed]
        statistics.disputed += len(same) - len(agreed)
        same = agreed
    return same


def _why_not(result: CaseResult, *, is_call: bool, may_be_empty: bool) -> str:
    """Why an input is no case by what the reference did with it; empty when it is one."""
    if result.verdict not in (Verdict.PASSED, Verdict.WRONG_ANSWER):
        return str(result.verdict)
    if result.output_truncated:
        return "output_too_long"
    if not is_call:
        return "" if result.actual.strip() or may_be_empty else "no_output"
    try:
        parse_value(result.actual)
    except ValueError:
        return "no_plain_value"
    return ""


def _most_varied(
    problem: Problem, valid: Sequence[tuple[str, Case]], max_cases: int
) -> list[tuple[str, Case]]:
    """First those with an answer that no case has yet, then the others, in the order in which they came."""
    answers = Counter(case.expected.strip() for case in problem.cases)
    left = list(valid)
    chosen: list[tuple[str, Case]] = []
    while left and len(chosen) < max_cases:
        best = min(left, key=lambda item: answers[item[1].expected.strip()])
        left.remove(best)
        chosen.append(best)
        answers[best[1].expected.strip()] += 1
    return chosen
