"""Typed mutations of an example input: numbers move to their bounds, lists grow, shrink and reorder.

Every mutation keeps to the shape that the examples have; what it can't be made to fit is given up.
"""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from random import Random
from typing import Any

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

_MAX_STEPS = 3
_TRIES = 4


def mutate_value(value: Any, shape: Shape, rng: Random) -> Any | None:
    """A value of the same shape that differs in one to three places; None when the tries fail."""
    for _ in range(_TRIES):
        changed = [deepcopy(value)]
        for _ in range(rng.randint(1, _MAX_STEPS)):
            places = list(_places(changed, 0, shape))
            holder, index, place_shape = rng.choice(places)
            holder[index] = _changed(holder[index], place_shape, rng)
        tidied = tidy(changed[0], shape)
        if tidied != value and shape.fits(tidied):
            return tidied
    return None


def _places(holder: list[Any], index: int, shape: Shape) -> Iterator[tuple[list[Any], int, Shape]]:
    """Everything in a value that can be changed, with where it stands and its shape."""
    value = holder[index]
    match shape:
        case Fields(shapes):
            for place, part in enumerate(shapes):
                yield from _places(value, place, part)
            return
        case Either(variants):
            fitting = next((variant for variant in variants if variant.fits(value)), None)
            if fitting is not None:
                yield from _places(value, len(value) - 1, fitting.shapes[-1])
        case Items(item):
            for place in range(len(value)):
                yield from _places(value, place, item)
    yield holder, index, shape


def _changed(value: Any, shape: Shape, rng: Random) -> Any:
    match shape:
        case Number():
            return _number(value, shape, rng)
        case Letters():
            letters = _rearranged(list(value), lambda: rng.choice(shape.alphabet), shape.longest, rng)
            return "".join(letters)
        case Joined(_, pieces):
            return shape.join(_changed(shape.split(value), pieces, rng))
        case Entries(pairs):
            return shape.join(_changed(shape.split(value), pairs, rng))
        case OneOf(values):
            return deepcopy(rng.choice(values))
        case Items(item):
            if value and rng.random() < 0.3:
                place = rng.randrange(len(value))
                value[place] = _changed(value[place], item, rng)
                return value
            made = [deepcopy(rng.choice(value)) for _ in range(1) if value] or [_smallest(item, rng)]
            fresh = _changed(made[0], item, rng)
            return _rearranged(value, lambda: fresh, shape.longest, rng)
    return value


def _number(value: int | float, shape: Number, rng: Random) -> int | float:
    step = 1 if shape.decimals is None else 10.0**-shape.decimals
    bounds = [shape.low, shape.high, shape.low + step, shape.high - step]
    near = [value - step, value + step, -value, value * 2, value // 2, 0, 1]
    inside = [shape.low + rng.random() * (shape.high - shape.low) for _ in range(2)]
    choice = min(max(rng.choice([*bounds, *near, *inside]), shape.low), shape.high)
    return round(choice) if shape.decimals is None else round(float(choice), shape.decimals)


def _rearranged(items: list[Any], fresh: Any, longest: int, rng: Random) -> list[Any]:
    """The items after one of the usual changes to a sequence; ``fresh`` makes one more item."""
    if not items:
        return [fresh()] if longest else items
    first, second = rng.randrange(len(items)), rng.randrange(len(items))
    kind = rng.randrange(9)
    if kind in (0, 1) and len(items) < longest:
        items.insert(rng.randint(0, len(items)), fresh())
    elif kind == 2:
        del items[first]
    elif kind == 3:
        items[first], items[second] = items[second], items[first]
    elif kind == 4:
        items[first] = deepcopy(items[second])
    elif kind == 5:
        items.reverse()
    elif kind == 6:
        items[:] = [deepcopy(items[first]) for _ in items]
    elif kind == 7:
        del items[rng.randint(1, len(items)) :]
    else:
        items[first] = fresh()
    return items


def _smallest(shape: Shape, rng: Random) -> Any:
    """Some value of the shape, for a list that has no item to start from."""
    match shape:
        case Number(low):
            return low
        case Letters():
            letters = (rng.choice(shape.alphabet) for _ in range(max(shape.shortest - 1, 0)))
            return rng.choice(shape.first) + "".join(letters)
        case OneOf(values):
            return deepcopy(rng.choice(values))
        case Joined(_, pieces):
            return shape.join([_smallest(pieces.item, rng) for _ in range(max(pieces.shortest, 1))])
        case Entries(pairs):
            return shape.join([_smallest(pairs.item, rng) for _ in range(pairs.shortest)])
        case Items(item):
            return [_smallest(item, rng) for _ in range(shape.shortest)]
        case Fields(shapes):
            return [_smallest(part, rng) for part in shapes]
        case Either(variants):
            return _smallest(rng.choice(variants), rng)
