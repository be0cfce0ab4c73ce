"""Makes problems of authored templates: parameter variations, inputs, expected values, splits.

Everything here is a pure function of its arguments: the same templates and seed give the same problems, in
the same order, on every machine. Does not own the templates (``catalogue``),
how problems become conversations, or any file format other than the JSON lines of ``__main__``.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import partial
from random import Random
from typing import Any, NamedTuple

from recipe.code_agentic.problems.case_choice import most_telling, siblings_told_apart
from recipe.code_agentic.problems.catalogue import all_templates
from recipe.code_agentic.problems.reference_run import run_reference
from recipe.code_agentic.problems.template import Params, ProblemTemplate
from recipe.code_agentic.problems.variations import query_id_of, questions_of, reference_of, variations
from verl_ext.grading.problem import Case, Problem

MIN_CASES = 6
# Draws per wanted case before a generator that repeats itself is reported as a mistake in the template.
_DRAWS_PER_CASE = 40
# How many inputs compete to be public.
_PUBLIC_CANDIDATES = 16


class ProblemSplit(NamedTuple):
    """Problems to train on and two kinds of problems kept away from training."""

    train: tuple[Problem, ...]
    held_out_params: tuple[Problem, ...]
    held_out_families: tuple[Problem, ...]


def make_problem(
    template: ProblemTemplate, params: Params, *, seed: int, num_cases: int = 8, num_public: int = 2
) -> Problem:
    """One problem with distinct cases, the public ones first.

    Public are the inputs that tell this variation best from the template's other variations and whose
    answers differ, so that one failing verdict shows what a vague question leaves out. The template's edge
    inputs are always among the hidden cases.

    Args:
        template: The authored problem.
        params: One of its ``variations``.
        seed: Chooses the inputs (with the query id) and the wording.
        num_cases: Cases wanted, at least ``MIN_CASES``; more when the edge inputs need the room.
        num_public: How many the tool may show, at least 1.

    Raises:
        ValueError: When a number is out of range or the generator repeats itself too much.
    """
    if num_cases < MIN_CASES or not 1 <= num_public < num_cases:
        raise ValueError(f"num_cases must be at least {MIN_CASES} and num_public between 1 and num_cases - 1")
    query_id = query_id_of(template, params)
    program = reference_of(template, params)
    rng = Random(f"{seed}:{query_id}")
    edges = list(dict.fromkeys(_input_text(template, edge) for edge in template.edge_inputs))
    wanted = max(num_cases, num_public + len(edges))
    drawn = _draw_inputs(template, params, rng, at_least=wanted - len(edges), excluded=edges)
    answers = {text: run_reference(program, text, template.fn_name) for text in (*drawn, *edges)}
    told_apart = siblings_told_apart(template, params, answers, rng)
    choose = partial(most_telling, drawn, answers=answers, told_apart=told_apart)
    shown = choose(num_public, taken=())
    hidden = edges + choose(wanted - num_public - len(edges), taken=[*shown, *edges])
    cases = [Case(text, answers[text], template.fn_name, public=True) for text in shown]
    cases += [Case(text, answers[text], template.fn_name) for text in hidden]
    return Problem(
        query_id=query_id,
        question=rng.choice(questions_of(template, params)),
        cases=tuple(cases),
        starter_code=_signature(program, template.fn_name),
        reference=program,
        difficulty=template.difficulty,
        family=template.family,
        verdict_only=template.verdict_only,
    )


def generate_problems(
    num_problems: int | None = None,
    *,
    seed: int,
    num_cases: int = 8,
    num_public: int = 2,
    templates: Sequence[ProblemTemplate] | None = None,
    variations_per_template: int | None = None,
) -> Iterator[Problem]:
    """Problems, lazily: all authored defaults first, then one more variation of each template per round.

    Args:
        num_problems: How many; None means all that the templates have.
        seed: Chooses order, variations, inputs and wordings.
        num_cases: See ``make_problem``.
        num_public: See ``make_problem``.
        templates: None means the whole catalogue.
        variations_per_template: At most so many of each template; None means no limit.
    """
    ordered = list(all_templates() if templates is None else templates)
    Random(f"order:{seed}").shuffle(ordered)
    chosen = itertools.islice(_rounds(ordered, seed, variations_per_template), num_problems)
    for template, params in chosen:
        yield make_problem(template, params, seed=seed, num_cases=num_cases, num_public=num_public)


def split_problems(
    problems: Iterable[Problem], held_out_families: Collection[str], held_out_param_share: float, seed: int
) -> ProblemSplit:
    """Splits by family and by parameters, each problem's side decided by a hash, not by its neighbours.

    The hash is of the reference (of ``query_id`` where there is none): a clear and a vague question with the
    same answer always land on the same side, so no program of a held-out problem is a training answer.

    Args:
        problems: Any problems; their order is kept.
        held_out_families: Families no problem of which is trained on.
        held_out_param_share: Share of the other families' variations that is held out, 0 to 1.
        seed: Another seed holds out other variations.

    Raises:
        ValueError: When the share is out of range or a family to hold out has no problem.
    """
    if not 0 <= held_out_param_share <= 1:
        raise ValueError(f"held_out_param_share must be between 0 and 1, not {held_out_param_share}")
    problems = list(problems)
    unknown = set(held_out_families) - {problem.family for problem in problems}
    if unknown:
        raise ValueError(f"held_out_families not among the problems: {', '.join(sorted(unknown))}")
    families = tuple(p for p in problems if p.family in held_out_families)
    # A program may belong to several families; it is kept out of training wherever it is held out.
    held_out_programs = {p.reference for p in families if p.reference is not None}
    train: list[Problem] = []
    params: list[Problem] = []
    for problem in problems:
        if problem.family in held_out_families:
            continue
        held_out = _hash_share(f"{seed}:{problem.reference or problem.query_id}") < held_out_param_share
        (params if held_out or problem.reference in held_out_programs else train).append(problem)
    return ProblemSplit(tuple(train), tuple(params), families)


def select(
    problems: Iterable[Problem],
    *,
    difficulties: Collection[str] | None = None,
    max_reference_chars: int | None = None,
) -> Iterator[Problem]:
    """The problems of these difficulties with a reference no longer than this; None means any."""
    for problem in problems:
        if difficulties is not None and problem.difficulty not in difficulties:
            continue
        if max_reference_chars is not None and len(problem.reference or "") > max_reference_chars:
            continue
        yield problem


def _input_text(template: ProblemTemplate, drawn: Any) -> str:
    return drawn if template.fn_name is None else json.dumps(drawn)


def _signature(program: str, fn_name: str | None) -> str:
    if fn_name is None:
        return ""
    found = re.search(rf"^def {re.escape(fn_name)}\(.*:$", program, re.MULTILINE)
    return f"{found.group(0)}\n" if found else ""


def _draw_inputs(
    template: ProblemTemplate, params: Params, rng: Random, *, at_least: int, excluded: Collection[str]
) -> list[str]:
    """Distinct inputs: more than ``at_least`` where the generator has them, to choose public ones from."""
    drawn: dict[str, None] = {}
    wanted = max(at_least, _PUBLIC_CANDIDATES)
    for _ in range(_DRAWS_PER_CASE * at_least):
        text = _input_text(template, template.make_input(rng, params))
        if text not in excluded:
            drawn[text] = None
        if len(drawn) == wanted:
            break
    if len(drawn) < at_least:
        raise ValueError(f"{query_id_of(template, params)}: only {len(drawn)} distinct inputs of {at_least}")
    return list(drawn)


def _rounds(
    templates: Sequence[ProblemTemplate], seed: int, per_template: int | None
) -> Iterator[tuple[ProblemTemplate, dict[str, Any]]]:
    live = [(t, itertools.islice(variations(t, seed=seed), per_template)) for t in templates]
    while live:
        still_live = []
        for template, combinations in live:
            params = next(combinations, None)
            if params is not None:
                yield template, params
                still_live.append((template, combinations))
        live = still_live


def _hash_share(text: str) -> float:
    """A number from 0 to 1 that depends on the text alone."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") / 2**64
