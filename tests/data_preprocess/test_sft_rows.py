"""How conversations are shared out over the problems."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_preprocess.sft_rows import shared_out


@pytest.mark.parametrize(
    ("total", "weights", "parts"),
    [
        (6, [1, 1, 1], [2, 2, 2]),
        (4, [1, 3], [1, 3]),
        (2, [1, 1, 1, 1], [0, 1, 1, 0]),
        (0, [1, 1], [0, 0]),
        (5, [], []),
    ],
)
def test_parts_are_proportional(total: int, weights: list[int], parts: list[int]) -> None:
    assert shared_out(total, weights) == parts


@given(st.integers(0, 500), st.lists(st.integers(1, 9), min_size=1, max_size=40))
def test_nothing_is_lost_and_no_part_is_off_by_more_than_one(total: int, weights: list[int]) -> None:
    parts = shared_out(total, weights)
    assert sum(parts) == total
    for part, weight in zip(parts, weights, strict=True):
        assert abs(part - total * weight / sum(weights)) <= 1
