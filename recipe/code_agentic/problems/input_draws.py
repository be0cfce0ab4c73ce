"""Pieces of input that the longer stdin problems draw. Short problems have theirs in ``short_form``."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from recipe.code_agentic.problems.template import InputGenerator

NAMES = ("ann", "bob", "cid", "dan", "eva", "fay", "gus", "hal", "ida", "jon", "kim", "leo")
ITEMS = ("apple", "bread", "lemon", "milk", "rice", "salt", "tea")


def letters(rng: Random, alphabet: str, fewest: int, most: int) -> str:
    """A word of letters of the alphabet."""
    return "".join(rng.choice(alphabet) for _ in range(rng.randint(fewest, most)))


def spaced(values: Sequence[object]) -> str:
    """The values on one line."""
    return " ".join(map(str, values))


def integers(rng: Random, low: int, high: int, fewest: int, most: int) -> list[int]:
    """Integers of the range, both ends included."""
    return [rng.randint(low, high) for _ in range(rng.randint(fewest, most))]


def one_line(low: int, high: int, fewest: int = 1, most: int = 10) -> InputGenerator:
    """Integers on one line."""
    return lambda rng, params: spaced(integers(rng, low, high, fewest, most))


def one_number(low: int, high: int) -> InputGenerator:
    """One integer."""
    return lambda rng, params: str(rng.randint(low, high))


def counted(lines: Sequence[str]) -> str:
    """The number of lines, then the lines."""
    return "\n".join([str(len(lines)), *lines])


def grid(rng: Random, cells: str, fewest: int, most: int) -> list[list[str]]:
    """A grid of characters; a character that is repeated in ``cells`` is drawn more often."""
    rows, columns = rng.randint(fewest, most), rng.randint(fewest, most)
    return [[rng.choice(cells) for _ in range(columns)] for _ in range(rows)]


def grid_text(rows: Sequence[Sequence[str]]) -> str:
    """The number of rows, then the rows."""
    return counted(["".join(row) for row in rows])


def intervals(rng: Random, *, last: int, longest: int, most: int) -> list[str]:
    """Lines with a start and an end, start before end."""
    starts = [rng.randint(0, last) for _ in range(rng.randint(1, most))]
    return [f"{start} {start + rng.randint(1, longest)}" for start in starts]
