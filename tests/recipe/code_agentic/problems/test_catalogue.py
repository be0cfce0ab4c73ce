"""The authored templates: right, distinct, and as many as promised."""

from __future__ import annotations

import functools
import itertools
import json
from collections import Counter

import pytest

from recipe.code_agentic.problems.catalogue import all_templates
from recipe.code_agentic.problems.generate import make_problem
from recipe.code_agentic.problems.reference_run import run_reference
from recipe.code_agentic.problems.template import ProblemTemplate
from recipe.code_agentic.problems.variations import questions_of, reference_of, variations
from verl_ext.grading.problem import Problem

TEMPLATES = all_templates()
STDIN = tuple(template for template in TEMPLATES if template.fn_name is None)
VAGUE = tuple(template for template in TEMPLATES if template.verdict_only)


def _input_text(template: ProblemTemplate, given: object) -> str:
    return str(given) if template.fn_name is None else json.dumps(given)


def _other_problem(template: ProblemTemplate) -> Problem:
    """The second variation, or the default where there is no other."""
    *_, params = itertools.islice(variations(template), 2)
    return make_problem(template, params, seed=5)


@functools.cache
def _default_problems() -> dict[str, Problem]:
    return {t.name: make_problem(t, next(variations(t)), seed=5) for t in TEMPLATES}


def _default_problem(template: ProblemTemplate) -> Problem:
    return _default_problems()[template.name]


def _is_short(template: ProblemTemplate) -> bool:
    return all(
        len(reference_of(template, params)) <= 90 and len(reference_of(template, params).splitlines()) <= 3
        for params in variations(template)
    ) and all(
        len(question) <= 110 for params in variations(template) for question in questions_of(template, params)
    )


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda template: template.name)
def test_hand_written_examples_agree_with_the_reference(template: ProblemTemplate) -> None:
    program = reference_of(template, next(variations(template)))
    for given, expected in template.examples:
        answer = run_reference(program, _input_text(template, given), template.fn_name)
        assert (answer if template.fn_name is None else json.loads(answer)) == expected


def test_every_template_has_at_least_two_examples_with_different_inputs() -> None:
    for template in TEMPLATES:
        assert len({_input_text(template, given) for given, _ in template.examples}) >= 2, template.name


def test_every_variation_tried_gives_at_least_six_distinct_cases() -> None:
    for template in TEMPLATES:
        for problem in (_default_problem(template), _other_problem(template)):
            cases = problem.cases
            assert len({case.input for case in cases}) == len(cases) >= 6, template.name


def test_edge_inputs_are_among_the_hidden_cases() -> None:
    for template in TEMPLATES:
        problem = _default_problem(template)
        hidden = {case.input for case in problem.hidden_cases}
        assert {_input_text(template, edge) for edge in template.edge_inputs} <= hidden, template.name


def test_every_value_of_a_parameter_gives_another_program() -> None:
    for template in TEMPLATES:
        default = next(variations(template))
        for name, values in template.params.items():
            programs = {reference_of(template, {**default, name: value}) for value in values}
            assert len(programs) == len(values), f"{template.name}: {name}"


def test_no_two_templates_share_reference_and_wording() -> None:
    pairs = Counter((template.reference, wording) for template in TEMPLATES for wording in template.wordings)
    assert [pair for pair, count in pairs.items() if count > 1] == []


def test_no_clear_question_is_asked_twice_with_different_programs() -> None:
    programs: dict[str, str] = {}
    for template in TEMPLATES:
        if template.verdict_only:
            continue
        for params in itertools.islice(variations(template), 60):
            program = reference_of(template, params)
            for question in questions_of(template, params):
                assert programs.setdefault(question, program) == program, question


def test_the_set_has_the_promised_size() -> None:
    assert len(TEMPLATES) >= 200
    assert len({template.family for template in TEMPLATES}) >= 30
    assert {template.difficulty for template in TEMPLATES} == {"easy", "medium", "hard"}
    assert {template.fn_name is None for template in TEMPLATES} == {True, False}
    assert len(STDIN) >= 120
    assert len({template.family for template in STDIN}) >= 25


def test_enough_templates_are_short_enough_for_the_tiny_model() -> None:
    short = [template for template in STDIN if _is_short(template)]
    assert len(short) >= 80
    assert sum(len(list(variations(template))) for template in short) >= 1500
    assert sum(template.verdict_only for template in short) >= len(short) / 4


def test_vague_templates_share_their_family_with_clear_ones() -> None:
    clear = {template.family for template in STDIN if not template.verdict_only}
    assert {template.family for template in STDIN if template.verdict_only} <= clear


@pytest.mark.parametrize("template", VAGUE, ids=lambda template: template.name)
def test_a_verdict_only_question_hides_what_its_public_cases_show(template: ProblemTemplate) -> None:
    default = next(variations(template))
    problem = _default_problem(template)
    asked_alike = [
        sibling
        for name, values in template.params.items()
        for value in values
        if value != default[name]
        and questions_of(template, sibling := {**default, name: value}) == questions_of(template, default)
    ]
    assert asked_alike
    for sibling in asked_alike:
        program = reference_of(template, sibling)
        answers = [run_reference(program, case.input, case.fn_name) for case in problem.public_cases]
        assert answers != [case.expected for case in problem.public_cases]


def test_a_clear_question_names_every_parameter() -> None:
    for template in STDIN:
        if not template.verdict_only:
            for wording in template.wordings:
                named = wording.replace("{", "").replace("}", "")
                assert all(f"${name}" in named for name in template.params), template.name
