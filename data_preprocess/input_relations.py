"""What holds between the parts of an input in every example: counts, equal lengths, bounds.

A count before a list, two lists of one length, an index below a length, a start before an end. What holds by
chance in the few examples is taken for a rule too: that makes inputs poorer, and no less valid. Owns finding,
mending and checking; the parts themselves are in ``input_shapes``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, permutations
from typing import Any, Literal

Path = tuple[int, ...]
# The number itself; length of a list or text; common width of the rows of a list; largest number inside.
Measure = Literal["value", "length", "width", "largest"]
# More parts than this and what holds between two of them is chance.
_MAX_MEASURES = 40
# Longer lists are many of a kind rather than fields with a meaning each.
_MAX_FIELDS = 4


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number that a value has: a measure of one of its parts."""

    measure: Measure
    path: Path

    def of(self, value: Any) -> int | float | None:
        """The number, None where the value has none."""
        part = at_path(value, self.path)
        if self.measure == "value":
            return part if _is_number(part) else None
        if self.measure == "length":
            return len(part) if isinstance(part, list | str) else None
        if self.measure == "width":
            return common_width(part)
        return max(_numbers(part), default=None) if isinstance(part, list) else None


@dataclass(frozen=True, slots=True)
class Relation:
    """``left`` equals, or is at most, or is below ``right``."""

    left: Quantity
    kind: Literal["=", "<=", "<"]
    right: Quantity

    def holds(self, value: Any) -> bool:
        """Whether it does; also where a side has no number."""
        left, right = self.left.of(value), self.right.of(value)
        if left is None or right is None:
            return True
        return {"=": left == right, "<=": left <= right, "<": left < right}[self.kind]


def find_relations(values: Sequence[Any]) -> tuple[Relation, ...]:
    """The relations between parts of a list value that hold in all the values."""
    numbers = {
        quantity: [quantity.of(value) for value in values]
        for quantity in _quantities(values)
        if all(_has_part(quantity, value) for value in values)
    }
    quantities = [quantity for quantity, known in numbers.items() if any(n is not None for n in known)]
    if len(quantities) > _MAX_MEASURES:
        return ()

    def pairs_of(left: Quantity, right: Quantity) -> list[tuple[int | float, int | float]]:
        pairs = zip(numbers[left], numbers[right], strict=True)
        return [(low, high) for low, high in pairs if low is not None and high is not None]

    found: list[Relation] = []
    for left, right in combinations(quantities, 2):
        measures = {left.measure, right.measure}
        if measures == {"value"} or "largest" in measures or _contains(left, right):
            continue
        pairs = pairs_of(left, right)
        # Where both never vary, their ranges say as much.
        if len(set(pairs)) > 1 and all(one == other for one, other in pairs):
            counted = right.measure == "value"
            found.append(Relation(right, "=", left) if counted else Relation(left, "=", right))
    equal = {frozenset((relation.left, relation.right)) for relation in found}
    for left, right in permutations(quantities, 2):
        if left.measure not in ("value", "largest") or right.measure not in ("value", "length"):
            continue
        # The numbers of a list may be positions in that same list.
        unlike = left.path != right.path and _contains(left, right)
        if unlike or frozenset((left, right)) in equal:
            continue
        pairs = pairs_of(left, right)
        if not pairs:
            continue
        lows, highs = zip(*pairs, strict=True)
        # Where even the largest is below the smallest, their ranges say as much.
        if max(lows) >= min(highs) and all(low < high for low, high in pairs):
            found.append(Relation(left, "<", right))
        elif max(lows) > min(highs) and all(low <= high for low, high in pairs):
            found.append(Relation(left, "<=", right))
    return tuple(found)


def is_tree_like(values: Sequence[Any]) -> bool:
    """Whether a part lists one pair or triple less than there are nodes: edges, not any of which will do."""
    numbers = {
        quantity: [quantity.of(value) for value in values]
        for quantity in _quantities(values)
        if quantity.measure in ("value", "length")
    }
    for edges, counts in numbers.items():
        rows = [at_path(value, edges.path) for value in values]
        if edges.measure == "length" and all(map(_are_pairs, rows)) and any(rows):
            for nodes, totals in numbers.items():
                if nodes != edges and totals == [None if c is None else c + 1 for c in counts]:
                    return True
    return False


def mend(value: Any, relations: Sequence[Relation]) -> None:
    """Changes a value so that the relations hold, where that is simple: cuts, counts again, wraps around."""
    for relation in relations:
        if relation.kind == "=" and relation.left.measure == relation.right.measure == "length":
            _cut_to_shorter(value, relation.left.path, relation.right.path)
    for relation in relations:
        right = relation.right.of(value)
        if relation.kind == "=" and relation.left.measure == "value" and right is not None:
            _put(value, relation.left.path, right)
    for relation in relations:
        right = relation.right.of(value)
        if relation.kind != "=" and right is not None and not relation.holds(value):
            top = right - 1 if relation.kind == "<" else right
            if relation.left.measure == "value":
                _put(value, relation.left.path, top)
            elif isinstance(top, int):
                _lower(at_path(value, relation.left.path), top)


def at_path(value: Any, path: Path) -> Any:
    """The part at a path, None where there is none."""
    for index in path:
        if not isinstance(value, list) or index >= len(value):
            return None
        value = value[index]
    return value


def common_width(rows: Any) -> int | None:
    """The length that all rows of a list have; None when they differ or are no rows."""
    if not isinstance(rows, list) or not rows:
        return None
    widths = {width_of(row) for row in rows}
    return widths.pop() if len(widths) == 1 else None


def width_of(row: Any) -> int | None:
    """Tokens of a row, or characters where it is a text or a single word."""
    if isinstance(row, list) and len(row) == 1 and isinstance(row[0], str):
        row = row[0]
    return len(row) if isinstance(row, list | str) else None


def _quantities(values: Sequence[Any]) -> Iterator[Quantity]:
    """Of the parts, and of the parts of those lists that have the same few parts in all values."""
    for index, part in enumerate(values[0]):
        yield from _quantities_of(part, (index,))
        alike = [at_path(value, (index,)) for value in values]
        if not isinstance(part, list) or len(part) > _MAX_FIELDS:
            continue
        if all(isinstance(other, list) and len(other) == len(part) for other in alike):
            for inner_index, inner in enumerate(part):
                if not isinstance(inner, list):
                    yield from _quantities_of(inner, (index, inner_index))


def _quantities_of(part: Any, path: Path) -> Iterator[Quantity]:
    if _is_number(part):
        yield Quantity("value", path)
    elif isinstance(part, list | str):
        yield Quantity("length", path)
        if isinstance(part, list):
            yield Quantity("width", path)
            yield Quantity("largest", path)


def _are_pairs(rows: Any) -> bool:
    return isinstance(rows, list) and all(isinstance(row, list) and len(row) in (2, 3) for row in rows)


def _has_part(quantity: Quantity, value: Any) -> bool:
    part = at_path(value, quantity.path)
    return _is_number(part) if quantity.measure == "value" else isinstance(part, list | str)


def _contains(left: Quantity, right: Quantity) -> bool:
    """Whether one is of a part of the other's part."""
    return all(one == other for one, other in zip(left.path, right.path, strict=False))


def _is_number(part: Any) -> bool:
    return type(part) in (int, float)


def _numbers(part: Any) -> Iterator[int | float]:
    if _is_number(part):
        yield part
    elif isinstance(part, list):
        for item in part:
            yield from _numbers(item)


def _put(value: Any, path: Path, part: Any) -> None:
    holder = at_path(value, path[:-1])
    if isinstance(holder, list) and path[-1] < len(holder):
        holder[path[-1]] = part


def _cut_to_shorter(value: Any, left: Path, right: Path) -> None:
    parts = at_path(value, left), at_path(value, right)
    if all(isinstance(part, list | str) for part in parts):
        length = min(map(len, parts))
        _put(value, left, parts[0][:length])
        _put(value, right, parts[1][:length])


def _lower(part: Any, top: int) -> None:
    """Numbers of a list above ``top`` become ``top`` or the numbers below it, in turn."""
    if isinstance(part, list):
        for index, item in enumerate(part):
            if type(item) is int and item > top:
                part[index] = max(0, top - (item - top) % (top + 1)) if top >= 0 else top
            else:
                _lower(item, top)
