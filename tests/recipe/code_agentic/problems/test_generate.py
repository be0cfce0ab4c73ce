"""Generation: deterministic, distinct, lazy, and with cases that tell nearly right programs apart."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from random import Random

import pytest

from recipe.code_agentic.problems.catalogue import all_templates
from recipe.code_agentic.problems.generate import generate_problems, make_problem, select
from recipe.code_agentic.problems.reference_run import run_reference
from recipe.code_agentic.problems.template import Choice, ProblemTemplate
from recipe.code_agentic.problems.variations import (
    query_id_of,
    questions_of,
    reference_of,
    variations,
)

SOME = tuple(Random(3).sample(all_templates(), 60))


def _adder(**changes: object) -> ProblemTemplate:
    fields: dict[str, object] = {
        "name": "adder",
        "family": "adding",
        "difficulty": "easy",
        "wordings": ("Print n $op $k.",),
        "reference": "print(int(input()) $op $k)",
        "make_input": lambda rng, params: str(rng.randint(0, 99)),
        "examples": [("1", "2"), ("2", "3")],
        "params": {"k": range(1, 6), "op": (Choice("plus", "+"), Choice("minus", "-"))},
    }
    return ProblemTemplate(**{**fields, **changes})  # type: ignore[arg-type]


def test_the_same_seed_gives_the_same_problems() -> None:
    first = [problem.to_json() for problem in generate_problems(40, seed=7, templates=SOME)]
    assert first == [problem.to_json() for problem in generate_problems(40, seed=7, templates=SOME)]


def test_another_seed_gives_other_inputs_for_the_same_problem() -> None:
    template = _adder()
    params = next(variations(template))
    one, other = (make_problem(template, params, seed=seed) for seed in (1, 2))
    assert one.query_id == other.query_id
    assert one.cases != other.cases


def test_a_problem_does_not_depend_on_what_is_generated_beside_it() -> None:
    alone = list(generate_problems(1, seed=7, templates=[SOME[0]]))
    among = {problem.query_id: problem for problem in generate_problems(len(SOME), seed=7, templates=SOME)}
    assert among[alone[0].query_id] == alone[0]


def test_authored_defaults_come_before_other_variations() -> None:
    problems = list(generate_problems(len(SOME), seed=7, templates=SOME))
    assert {problem.query_id for problem in problems} == {
        query_id_of(template, {name: values[0] for name, values in template.params.items()})
        for template in SOME
    }


def test_query_ids_are_unique() -> None:
    ids = [
        query_id_of(template, params)
        for template in all_templates()
        for params in itertools.islice(variations(template), 200)
    ]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("seed", range(4))
def test_variations_are_all_combinations_each_once(seed: int) -> None:
    template = _adder()
    made = [tuple(params.values()) for params in variations(template, seed=seed)]
    assert made[0] == (1, ("plus", "+"))
    assert sorted(made) == sorted(itertools.product(range(1, 6), (("plus", "+"), ("minus", "-"))))


def test_a_variation_with_the_program_of_another_is_skipped() -> None:
    template = _adder(params={"k": (1, 2), "op": (Choice("plus", "+"), Choice("and", "+"))})
    programs = [reference_of(template, params) for params in variations(template)]
    assert sorted(programs) == ["print(int(input()) + 1)", "print(int(input()) + 2)"]


def test_variations_are_lazy() -> None:
    huge = _adder(params={"k": range(10**9), "op": range(10**9)})
    assert len(list(itertools.islice(variations(huge), 5))) == 5


@pytest.mark.parametrize("template", SOME, ids=lambda template: template.name)
def test_two_variations_are_not_the_same_program_in_disguise(template: ProblemTemplate) -> None:
    problems = [
        make_problem(template, params, seed=2) for params in itertools.islice(variations(template), 4)
    ]
    inputs = [case.input for problem in problems for case in problem.cases]
    for one, other in itertools.combinations(problems, 2):
        assert any(
            _answer(one.reference, i, one.fn_name) != _answer(other.reference, i, one.fn_name) for i in inputs
        )


def _answer(program: str | None, text: str, fn_name: str | None) -> str:
    try:
        return run_reference(program or "", text, fn_name)
    except Exception as error:
        return type(error).__name__


def test_a_choice_is_said_in_words_and_run_as_code() -> None:
    params = {"k": 3, "op": Choice("minus", "-")}
    assert questions_of(_adder(), params) == ("Print n minus 3.",)
    assert reference_of(_adder(), params) == "print(int(input()) - 3)"


def test_public_cases_come_first_and_differ_in_their_answers() -> None:
    template = _adder(
        wordings=("Is n over $k?",),
        reference="print(int(input()) > $k)",
        params={"k": (50, 51)},
    )
    cases = make_problem(template, {"k": 50}, seed=1, num_public=2).cases
    assert [case.public for case in cases] == [True, True] + [False] * 6
    assert {case.expected for case in cases[:2]} == {"True", "False"}


def test_a_rare_input_that_tells_variations_apart_becomes_public() -> None:
    template = _adder(
        wordings=("Is n past the limit?",),
        reference="print(int(input()) $op 5)",
        make_input=lambda rng, params: str(rng.randint(0, 9)),
        params={"op": (">", ">=")},
        verdict_only=True,
    )
    assert make_problem(template, {"op": ">"}, seed=1, num_public=1).public_cases[0].input == "5"


def test_expected_values_of_call_cases_are_json_and_arguments_are_not_changed_for_the_next() -> None:
    template = _adder(
        reference="def grow(l):\n    l.append($k)\n    return tuple(l)",
        make_input=lambda rng, params: [[rng.randint(0, 99)]],
        params={"k": (1,)},
        fn_name="grow",
        wordings=("Write grow.",),
    )
    problem = make_problem(template, {"k": 1}, seed=1)
    assert problem.starter_code == "def grow(l):\n"
    assert all(case.expected == case.input[1:-2] + ", 1]" for case in problem.cases)


def test_a_generator_that_repeats_itself_is_reported_by_name() -> None:
    template = _adder(make_input=lambda rng, params: str(rng.randint(0, 2)))
    with pytest.raises(ValueError, match=r"adder\?k=1.*only 3 distinct inputs"):
        make_problem(template, next(variations(template)), seed=1)


@pytest.mark.parametrize(("num_cases", "num_public"), [(5, 1), (8, 0), (8, 8)])
def test_numbers_of_cases_out_of_range_are_refused(num_cases: int, num_public: int) -> None:
    with pytest.raises(ValueError, match="num_cases"):
        make_problem(_adder(), next(variations(_adder())), seed=1, num_cases=num_cases, num_public=num_public)


def test_variations_per_template_is_a_limit() -> None:
    assert len(list(generate_problems(seed=1, templates=[_adder()], variations_per_template=3))) == 3


def test_select_keeps_the_difficulty_and_the_length_asked_for() -> None:
    problems = list(generate_problems(60, seed=1, templates=SOME))
    chosen = list(select(problems, difficulties=["easy"], max_reference_chars=80))
    assert 0 < len(chosen) < len(problems)
    assert all(p.difficulty == "easy" and len(p.reference or "") <= 80 for p in chosen)
    assert list(select(problems)) == problems


def test_problems_are_made_one_at_a_time() -> None:
    def broken(rng: Random, params: object) -> str:
        raise AssertionError("drawn too early")

    made: Iterator[object] = generate_problems(seed=1, templates=[_adder(make_input=broken)])
    assert made is not None
