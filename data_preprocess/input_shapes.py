"""What the parts of an input look like, inferred from examples: types, ranges, lengths, order, fields.

A shape admits what the examples show and little more: numbers within their range, lengths between the
shortest and the longest, letters of the kinds that occur; sorted stays sorted and distinct stays distinct. So
an input of that shape is likely to keep to the constraints that the question states in words. Text with a
structure of its own (times, expressions, brackets) is never made up, only taken from the examples.
"""

from __future__ import annotations

import string
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal

from data_preprocess.input_relations import Relation, common_width, find_relations, mend, width_of

Order = Literal["rising", "strictly rising", "falling", "strictly falling"]
_ORDERS: dict[Order, Callable[[Any, Any], bool]] = {
    "strictly rising": lambda left, right: left < right,
    "rising": lambda left, right: left <= right,
    "strictly falling": lambda left, right: left > right,
    "falling": lambda left, right: left >= right,
}
_SEPARATORS = (" ", ",", ";", ":", "-", "/", ".", "|")
_LETTER_KINDS = (string.ascii_lowercase, string.ascii_uppercase, string.digits)
# So many letters of a kind in the examples stand for all of that kind.
_MANY_LETTERS = 8
_MAX_FIELDS = 4
_MAX_VARIANTS = 8


@dataclass(frozen=True, slots=True)
class Number:
    """An int, or a float with so many decimals (or an int in its place), from ``low`` to ``high``."""

    low: int | float
    high: int | float
    decimals: int | None = None

    def fits(self, value: Any) -> bool:
        types = (int,) if self.decimals is None else (int, float)
        return type(value) in types and self.low <= value <= self.high


@dataclass(frozen=True, slots=True)
class Letters:
    """A text of letters of an alphabet; ``first`` are those that it may begin with."""

    alphabet: str
    first: str
    shortest: int
    longest: int

    def fits(self, value: Any) -> bool:
        return (
            isinstance(value, str)
            and self.shortest <= len(value) <= self.longest
            and set(value) <= set(self.alphabet)
            and (not value or value[0] in self.first)
        )


@dataclass(frozen=True, slots=True)
class OneOf:
    """One of the values that occur."""

    values: tuple[Any, ...]

    def fits(self, value: Any) -> bool:
        return any(type(value) is type(other) and value == other for other in self.values)


@dataclass(frozen=True, slots=True)
class Joined:
    """A text of pieces with a separator between them; the pieces are a list of texts and ints."""

    separator: str
    pieces: Items
    may_be_empty: bool = False

    def fits(self, value: Any) -> bool:
        if value == "":
            return self.may_be_empty
        return isinstance(value, str) and self.pieces.fits(self.split(value))

    def split(self, value: str) -> list[Any]:
        return [_piece(piece) for piece in value.split(self.separator)] if value else []

    def join(self, pieces: Sequence[Any]) -> str:
        return self.separator.join(map(str, pieces))


@dataclass(frozen=True, slots=True)
class Items:
    """A list of things of one shape.

    Attributes:
        item: Their shape.
        shortest: Least number of them.
        longest: Greatest number.
        order: How neighbours follow each other; None for any.
        distinct: No two are equal.
        even: All rows have the same width.
    """

    item: Shape
    shortest: int
    longest: int
    order: Order | None = None
    distinct: bool = False
    even: bool = False

    def fits(self, value: Any) -> bool:
        return (
            isinstance(value, list)
            and self.shortest <= len(value) <= self.longest
            and all(map(self.item.fits, value))
            and (self.order is None or _is_ordered(value, self.order))
            and (not self.distinct or _is_distinct(value))
            and (not self.even or not value or common_width(value) is not None)
        )


@dataclass(frozen=True, slots=True)
class Entries:
    """A dict, as the list of its pairs."""

    pairs: Items

    def fits(self, value: Any) -> bool:
        return isinstance(value, dict) and self.pairs.fits(self.split(value))

    def split(self, value: dict[str, Any]) -> list[list[Any]]:
        return [[key, item] for key, item in value.items()]

    def join(self, pairs: Sequence[Any]) -> dict[str, Any]:
        return dict(pairs)


@dataclass(frozen=True, slots=True)
class Fields:
    """A list of fixed length, each place with its own shape and meaning, and what holds between them."""

    shapes: tuple[Shape, ...]
    relations: tuple[Relation, ...] = ()

    def fits(self, value: Any) -> bool:
        return (
            isinstance(value, list)
            and len(value) == len(self.shapes)
            and all(shape.fits(part) for shape, part in zip(self.shapes, value, strict=True))
            and all(relation.holds(value) for relation in self.relations)
        )


@dataclass(frozen=True, slots=True)
class Either:
    """A list of one of several layouts, such as commands with different numbers of operands."""

    variants: tuple[Fields, ...]

    def fits(self, value: Any) -> bool:
        return any(variant.fits(value) for variant in self.variants)


Shape = Number | Letters | OneOf | Joined | Items | Entries | Fields | Either


def infer_fields(values: Sequence[list[Any]], *, are_lines: bool = False) -> Fields:
    """The shape of some lists of the same length, with the relations between their places.

    Args:
        values: At least one.
        are_lines: The places are lines of text: a few tokens, as many in all the examples, are fields.

    Raises:
        ValueError: When there is none, or lengths differ.
    """
    if len({len(value) for value in values}) != 1:
        raise ValueError("values of different lengths have no common fields")
    places = zip(*values, strict=True)
    return Fields(tuple(infer_shape(place, is_row=are_lines) for place in places), find_relations(values))


def tidy(value: Any, shape: Shape) -> Any:
    """The value with order, rows, counts and bounds put right where that is simple; may still not fit."""
    match shape:
        case Items() if isinstance(value, list):
            value = [tidy(item, shape.item) for item in value]
            if shape.distinct:
                value = list({repr(item): item for item in value}.values())
            if shape.order is not None:
                value.sort(reverse="falling" in shape.order)
            if shape.even:
                value = _evened(value)
        case Fields(shapes) if isinstance(value, list) and len(value) == len(shapes):
            value = [tidy(part, part_shape) for part, part_shape in zip(value, shapes, strict=True)]
            mend(value, shape.relations)
        case Either(variants):
            fitting = (variant for variant in variants if len(variant.shapes) == len(value))
            value = tidy(value, next(fitting, variants[0]))
        case Joined() if isinstance(value, str):
            value = shape.join(tidy(shape.split(value), shape.pieces))
        case Entries(pairs) if isinstance(value, dict):
            value = shape.join(tidy(shape.split(value), pairs))
    return value


def infer_shape(samples: Sequence[Any], *, is_row: bool = False) -> Shape:
    """The shape of the values that were seen at one place of an input.

    Args:
        samples: At least one.
        is_row: They are items of a list, of which there tend to be many.
    """
    types = {type(sample) for sample in samples}
    if types == {int}:
        return Number(min(samples), max(samples))
    if types <= {int, float}:
        decimals = max(len(repr(float(sample)).partition(".")[2]) for sample in samples)
        return Number(float(min(samples)), float(max(samples)), decimals)
    if types == {bool}:
        return OneOf((False, True))
    if types == {str}:
        return _text_shape(samples)
    if types == {list}:
        return _list_shape(samples, is_row=is_row)
    if types == {dict} and any(samples):
        pairs = [[[key, item] for key, item in sample.items()] for sample in samples]
        keys, items = zip(*(pair for sample in pairs for pair in sample), strict=True)
        lengths = [len(sample) for sample in pairs]
        pair = Fields((infer_shape(keys, is_row=True), infer_shape(items, is_row=True)))
        return Entries(Items(pair, min(lengths), max(lengths)))
    return _one_of(samples)


def _list_shape(samples: Sequence[list[Any]], *, is_row: bool) -> Shape:
    items = [item for sample in samples for item in sample]
    lengths = {len(sample) for sample in samples}
    types = {type(item) for item in items}
    numbers = types <= {int, float}
    if is_row and len(samples) >= 2 and (lengths <= set(range(1, _MAX_FIELDS + 1))) and len(lengths) == 1:
        return infer_fields(samples)
    if len(types) > 1 and not numbers:
        return infer_fields(samples) if len(lengths) == 1 and not is_row else _either(samples)
    if not items:
        return OneOf(([],))
    return Items(
        infer_shape(items, is_row=True),
        min(lengths),
        max(lengths),
        order=_common_order(samples) if numbers or types == {str} else None,
        distinct=any(len(sample) > 1 for sample in samples) and all(map(_is_distinct, samples)),
        even=types <= {str, list}
        and any(len(sample) > 1 for sample in samples)
        and all(common_width(sample) is not None for sample in samples if sample)
        and max(filter(None, map(width_of, items)), default=0) > 1,
    )


def _either(samples: Sequence[list[Any]]) -> Shape:
    layouts: dict[tuple[Any, ...], list[list[Any]]] = {}
    for sample in samples:
        command = sample[0] if sample and isinstance(sample[0], str) else None
        layouts.setdefault((command, *map(type, sample)), []).append(sample)
    if len(layouts) > _MAX_VARIANTS or not all(sample for sample in samples):
        return _one_of(samples)
    return Either(tuple(infer_fields(alike) for alike in layouts.values()))


def _text_shape(samples: Sequence[str]) -> Shape:
    distinct = set(samples)
    letters = "".join(sorted(set("".join(samples))))
    if len(samples) >= 8 and len(distinct) <= min(6, len(samples) // 3) and max(map(len, distinct)) > 1:
        return _one_of(samples)
    alphabet = _alphabet(letters)
    if alphabet is not None:
        zero_first = any(sample[:1] == "0" and len(sample) > 1 for sample in samples)
        first = alphabet if zero_first or not alphabet.isdigit() else alphabet.replace("0", "")
        lengths = [len(sample) for sample in samples]
        if all(sample == "" or sample[0] in first for sample in samples):
            return Letters(alphabet, first, min(lengths), max(lengths))
        return Letters(alphabet, alphabet, min(lengths), max(lengths))
    for separator in _SEPARATORS:
        if any(separator in sample for sample in samples):
            pieces = [sample.split(separator) for sample in samples if sample]
            if all(piece for row in pieces for piece in row):
                shape = infer_shape([[_piece(piece) for piece in row] for row in pieces])
                if isinstance(shape, Items) and isinstance(shape.item, Number | Letters):
                    return Joined(separator, shape, may_be_empty="" in samples)
    return _one_of(samples)


def _alphabet(letters: str) -> str | None:
    """The letters that may occur where these were seen; None for text with a structure of its own."""
    kinds = [kind for kind in _LETTER_KINDS if set(kind) & set(letters)]
    others = [letter for letter in letters if not any(letter in kind for kind in kinds)]
    if not letters:
        return None
    if not kinds:
        plain = len(others) <= 4 and not set(others) & set("()[]{}<> \n\t")
        return letters if plain else None
    if others or (string.digits in kinds and len(kinds) > 1):
        return None
    seen = {kind: set(kind) & set(letters) for kind in kinds}
    return "".join(
        kind if len(seen[kind]) >= min(_MANY_LETTERS, len(kind) - 3) else "".join(sorted(seen[kind]))
        for kind in kinds
    )


def _piece(text: str) -> Any:
    is_int = text.isascii() and (text.isdigit() or (text[:1] == "-" and text[1:].isdigit()))
    return int(text) if is_int and str(int(text)) == text else text


def _one_of(samples: Sequence[Any]) -> OneOf:
    distinct: list[Any] = []
    for sample in samples:
        if not any(type(sample) is type(other) and sample == other for other in distinct):
            distinct.append(sample)
    return OneOf(tuple(distinct))


def _common_order(samples: Sequence[list[Any]]) -> Order | None:
    if not any(len(sample) > 1 for sample in samples):
        return None
    return next((o for o in _ORDERS if all(_is_ordered(sample, o) for sample in samples)), None)


def _evened(rows: list[Any]) -> list[Any]:
    """The rows cut to the width of the narrowest."""
    width = min((w for w in map(width_of, rows) if w is not None), default=0)
    cut: list[Any] = []
    for row in rows:
        word = isinstance(row, list) and len(row) == 1 and isinstance(row[0], str)
        cut.append([row[0][:width]] if word else row[:width])
    return cut


def _is_ordered(value: Sequence[Any], order: Order) -> bool:
    follows = _ORDERS[order]
    return all(follows(left, right) for left, right in pairwise(value))


def _is_distinct(value: Sequence[Any]) -> bool:
    return len({repr(item) for item in value}) == len(value)
