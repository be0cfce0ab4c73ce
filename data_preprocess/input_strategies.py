"""Hypothesis strategies for inputs of an inferred shape, and draws from them that depend on a seed alone."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from functools import cached_property
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from hypothesis.internal.conjecture.providers import AVAILABLE_PROVIDERS, HypothesisProvider
from hypothesis.internal.constants_ast import Constants

from data_preprocess.input_shapes import (
    Either,
    Entries,
    Fields,
    Items,
    Joined,
    Letters,
    Number,
    OneOf,
    Shape,
    tidy,
)

# Longer lists and texts than this are left to mutations of the examples.
_MAX_LENGTH = 40
_MAX_DECIMALS = 6
_BACKEND = "code_agentic_seeded"


class _SeededProvider(HypothesisProvider):
    """Hypothesis's own draws without the constants of whatever modules happen to be loaded.

    Those are drawn now and then by Hypothesis, and would make the cases depend on who imports us.
    """

    @cached_property
    def _local_constants(self) -> Constants:
        return Constants()


def strategy_of(shape: Shape) -> st.SearchStrategy[Any]:
    """Values of the shape, but for what holds between its parts: ``draw_values`` sees to that."""
    match shape:
        case Number(low, high, None):
            assert isinstance(low, int) and isinstance(high, int)
            return st.integers(low, high) | st.sampled_from((low, high))
        case Number(low, high, decimals):
            scale = 10 ** min(decimals or 0, _MAX_DECIMALS)
            return st.integers(round(low * scale), round(high * scale)).map(lambda number: number / scale)
        case Letters():
            return _letters(shape)
        case OneOf(values):
            return st.sampled_from(values).map(deepcopy)
        case Joined(_, pieces):
            return strategy_of(pieces).map(shape.join)
        case Entries(pairs):
            return strategy_of(pairs).map(shape.join)
        case Items(item, shortest, longest):
            most = max(shortest, min(longest, _MAX_LENGTH))
            unique = repr if shape.distinct else None
            return st.lists(strategy_of(item), min_size=shortest, max_size=most, unique_by=unique)
        case Fields(shapes):
            return st.tuples(*map(strategy_of, shapes)).map(list)
        case Either(variants):
            return st.one_of(*map(strategy_of, variants))


def draw_values(shape: Shape, count: int, *, seed_number: int) -> list[Any]:
    """At most ``count`` values that fit the shape; the same for the same arguments."""
    drawn: list[Any] = []

    def keep(value: Any) -> None:
        value = tidy(value, shape)
        if shape.fits(value):
            drawn.append(value)

    _run(keep, strategy_of(shape), count, seed_number)
    return drawn


def _run(keep: Callable[[Any], None], strategy: st.SearchStrategy[Any], count: int, seed_number: int) -> None:
    AVAILABLE_PROVIDERS.setdefault(_BACKEND, _SeededProvider)
    quiet = settings(
        max_examples=count,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
        backend=_BACKEND,
    )
    quiet(seed(seed_number)(given(strategy)(keep)))()


def _letters(shape: Letters) -> st.SearchStrategy[str]:
    most = max(shape.shortest, min(shape.longest, _MAX_LENGTH))
    letter = st.sampled_from(shape.alphabet)
    if most == 0:
        return st.just("")
    rest = st.lists(letter, min_size=max(shape.shortest - 1, 0), max_size=most - 1).map("".join)
    text = st.tuples(st.sampled_from(shape.first or shape.alphabet), rest).map("".join)
    return text if shape.shortest else st.just("") | text
