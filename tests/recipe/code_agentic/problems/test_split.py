"""The held-out split: deterministic, complete, without overlap."""

from __future__ import annotations

from random import Random

import pytest
from msgspec.structs import replace

from recipe.code_agentic.problems.catalogue import all_templates
from recipe.code_agentic.problems.generate import generate_problems, split_problems

TEMPLATES = [
    t for t in all_templates() if t.family in {"words_join", "list_slice", "pair_print", "number_pad"}
]
PROBLEMS = tuple(generate_problems(seed=1, templates=TEMPLATES, variations_per_template=12))


def test_every_problem_is_in_exactly_one_part() -> None:
    parts = split_problems(PROBLEMS, ["list_slice"], 0.2, seed=4)
    ids = [problem.query_id for part in parts for problem in part]
    assert sorted(ids) == sorted(problem.query_id for problem in PROBLEMS)


def test_held_out_families_hold_all_problems_of_those_families_and_no_others() -> None:
    parts = split_problems(PROBLEMS, ["list_slice", "pair_print"], 0.2, seed=4)
    assert {p.family for p in parts.held_out_families} == {"list_slice", "pair_print"}
    assert {p.family for p in (*parts.train, *parts.held_out_params)} == {"words_join", "number_pad"}


def test_no_held_out_program_is_a_training_answer() -> None:
    parts = split_problems(PROBLEMS, ["list_slice"], 0.3, seed=4)
    held_out = {p.reference for p in (*parts.held_out_params, *parts.held_out_families)}
    assert held_out.isdisjoint(p.reference for p in parts.train)


def test_a_program_held_out_with_its_family_is_not_trained_on_in_another() -> None:
    twin = replace(PROBLEMS[0], query_id="twin", family="another")
    parts = split_problems([*PROBLEMS, twin], [str(PROBLEMS[0].family)], 0.0, seed=4)
    assert twin in parts.held_out_params


def test_the_side_of_a_problem_does_not_depend_on_order_or_neighbours() -> None:
    shuffled = Random(1).sample(PROBLEMS, len(PROBLEMS) // 2)
    whole = {p.query_id for p in split_problems(PROBLEMS, [], 0.3, seed=4).train}
    half = {p.query_id for p in split_problems(shuffled, [], 0.3, seed=4).train}
    assert half == whole & {p.query_id for p in shuffled}


def test_the_share_is_about_what_was_asked_for() -> None:
    parts = split_problems(PROBLEMS, [], 0.3, seed=4)
    assert 0.2 < len(parts.held_out_params) / len(PROBLEMS) < 0.4


@pytest.mark.parametrize(("share", "held_out"), [(0.0, 0), (1.0, len(PROBLEMS))])
def test_the_extreme_shares_hold_out_nothing_and_everything(share: float, held_out: int) -> None:
    assert len(split_problems(PROBLEMS, [], share, seed=4).held_out_params) == held_out


def test_another_seed_holds_out_other_variations() -> None:
    one, other = (split_problems(PROBLEMS, [], 0.3, seed=seed) for seed in (1, 2))
    assert one.held_out_params != other.held_out_params


def test_an_unknown_family_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="no_such_family"):
        split_problems(PROBLEMS, ["no_such_family"], 0.2, seed=4)


@pytest.mark.parametrize("share", [-0.1, 1.1])
def test_a_share_out_of_range_is_refused(share: float) -> None:
    with pytest.raises(ValueError, match="held_out_param_share"):
        split_problems(PROBLEMS, [], share, seed=4)
