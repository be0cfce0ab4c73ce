"""Splits: shares are exact, held-out families stay out, and nothing of a split depends on chance."""

from __future__ import annotations

from collections import Counter

import pytest

from data_preprocess.case_policy import PublicPolicy
from data_preprocess.settings import ProblemSetSettings, SplitSettings
from data_preprocess.splits import own_problems, split_chunk
from verl_ext.grading.problem import Case, Problem

SPLITS = SplitSettings(val_share=0.05, test_share=0.1, held_out_family_share=0.125, held_out_families=None)


def _problems(count: int) -> list[Problem]:
    return [Problem(query_id=str(i), question="q", cases=(Case("1", "1"),)) for i in range(count)]


@pytest.mark.parametrize(
    ("count", "val", "test"), [(100, 5, 10), (512, 26, 51), (10, 1, 1), (3, 1, 1), (2, 0, 0)]
)
def test_shares_are_exact_and_small_data_keeps_every_split(count: int, val: int, test: int) -> None:
    sides = Counter(side for side, _ in split_chunk(_problems(count), SPLITS, seed=0))
    assert (sides["val"], sides["test"], sides["train"]) == (val, test, count - val - test)


def test_another_seed_holds_out_other_problems() -> None:
    assert split_chunk(_problems(100), SPLITS, seed=0) == split_chunk(_problems(100), SPLITS, seed=0)
    assert split_chunk(_problems(100), SPLITS, seed=0) != split_chunk(_problems(100), SPLITS, seed=1)


def test_the_own_set_holds_out_families_and_programs() -> None:
    selection = ProblemSetSettings(None, 2, 6, None, None, 60, verdict_only=True)
    split = own_problems(selection, SPLITS, public=PublicPolicy(first_k=2), seed=0)
    sides: dict[str, list[Problem]] = {}
    for side, problem in split:
        sides.setdefault(side, []).append(problem)
    assert set(sides) == {"train", "val", "test", "held_out_families"}
    held_out = {problem.family for problem in sides["held_out_families"]}
    assert not held_out & {problem.family for problem in sides["train"] + sides["val"] + sides["test"]}
    known = {problem.family for _, problem in split}
    assert len(held_out) == round(len(known) / 8)
    trained = {problem.reference for problem in sides["train"] + sides["val"]}
    assert not trained & {problem.reference for problem in sides["test"]}
    assert all(len(problem.reference or "") <= 60 for _, problem in split)


@pytest.mark.parametrize("name", ["val_share", "test_share", "held_out_family_share"])
@pytest.mark.parametrize("value", [-0.1, 1.0])
def test_a_share_out_of_range_is_refused_by_name(name: str, value: float) -> None:
    shares = {"val_share": 0.1, "test_share": 0.1, "held_out_family_share": 0.1, name: value}
    with pytest.raises(ValueError, match=name):
        SplitSettings(**shares, held_out_families=None)
