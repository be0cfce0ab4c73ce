"""The common form of the short problems: one line is read, one expression is printed.

A small model can learn these: two-line programs made of a reader and an expression, questions of one
sentence in a small shared vocabulary, inputs and outputs of a few tokens, and a parameter that has to be
copied from the question (or, in a verdict-only problem, found in a verdict). Owns the readers, the two
wordings, the input draws and the parameter values that the ``stdin_short_*`` modules share.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import Any

from recipe.code_agentic.problems.template import InputGenerator, Params, ProblemTemplate

# What is given -> how a question says so, and the line that reads it.
READERS: Mapping[str, tuple[str, str]] = {
    "n": ("n", "n=int(input())"),
    "a and b": ("a and b on one line", "a,b=map(int,input().split())"),
    "numbers": ("a line of numbers", "l=list(map(int,input().split()))"),
    "a word": ("a word", "s=input()"),
    "words": ("a line of words", "w=input().split()"),
}

JOINERS = ("-", "+", ",", ":", "/", ";", "=", "_", "|", "&")
MARKS = ("!", "?", ".", "*", "#", "+", "-", "=", "~", "@", "%", "$")
FILLERS = ("*", "#", "-", ":", "+", "=", "_", "~")
UNITS = ("kg", "cm", "km", "min", "pts", "cats", "days", "cups", "bags", "eggs")
# fmt: off
WORDS = (
    "cat", "dog", "sun", "map", "red", "hat", "cup", "pen", "box", "fox", "key", "egg", "ice",
    "jam", "kit", "leg", "mud", "net", "oak", "pig", "rug", "sea", "tea", "van", "web", "yak",
    "zoo", "ant", "bee", "cow", "blue", "tree", "bird", "fish", "moon", "star", "rain", "snow",
    "lamp", "road", "ship", "door", "book", "ball", "apple", "bread", "chair", "river", "house",
    "grape", "lemon", "stone", "tiger", "water",
)
# fmt: on


def short(
    name: str,
    family: str,
    given: str,
    wanted: str,
    expression: str,
    draw: InputGenerator,
    examples: Sequence[tuple[str, str]],
    *,
    params: Mapping[str, Sequence[Any]] | None = None,
    vague: bool = False,
    difficulty: str = "easy",
    edges: Sequence[str] = (),
) -> ProblemTemplate:
    """A problem that reads one line and prints one expression.

    Args:
        name: Template name.
        family: Template family.
        given: Key of ``READERS``.
        wanted: What is to be printed, in words.
        expression: What is to be printed, in Python; the arguments of ``print``.
        draw: Draws the line.
        examples: Hand-written pairs of the default variation.
        params: Parameter values, default first.
        vague: The wording leaves out a parameter that only a verdict reveals.
        difficulty: Of ``DIFFICULTIES``.
        edges: Inputs that every variation must contain.
    """
    said, reader = READERS[given]
    return ProblemTemplate(
        name=name,
        family=family,
        difficulty=difficulty,
        wordings=(f"Given {said}, print {wanted}.", f"Read {said} and print {wanted}."),
        reference=f"{reader}\nprint({expression})",
        make_input=draw,
        examples=examples,
        params=params or {},
        verdict_only=vague,
        edge_inputs=edges,
    )


def number(low: int, high: int) -> InputGenerator:
    """One integer of the range, both ends included."""
    return lambda rng, params: str(rng.randint(low, high))


def number_near(name: str, spread: int = 4) -> InputGenerator:
    """One integer near the parameter ``name``, every third time equal to it, to show where a bound lies."""

    def draw(rng: Random, params: Params) -> str:
        bound = int(params[name])
        return str(bound if rng.random() < 0.34 else max(0, bound + rng.randint(-spread, spread + 6)))

    return draw


def pair(low: int, high: int, *, accept: Callable[[int, int], bool] = lambda a, b: True) -> InputGenerator:
    """Two integers of the range for which ``accept`` holds."""

    def draw(rng: Random, params: Params) -> str:
        while True:
            a, b = rng.randint(low, high), rng.randint(low, high)
            if accept(a, b):
                return f"{a} {b}"

    return draw


def numbers(low: int, high: int, *, fewest: int = 3, most: int = 6) -> InputGenerator:
    """A few integers of the range."""

    def draw(rng: Random, params: Params) -> str:
        return " ".join(str(rng.randint(low, high)) for _ in range(rng.randint(fewest, most)))

    return draw


def numbers_near(name: str, *, spread: int = 6) -> InputGenerator:
    """Four to six integers around the parameter ``name``, at least one of them equal to it."""

    def draw(rng: Random, params: Params) -> str:
        bound = int(params[name])
        drawn = [max(0, bound + rng.randint(-spread, spread)) for _ in range(rng.randint(3, 5))]
        drawn.insert(rng.randint(0, len(drawn)), bound)
        return " ".join(map(str, drawn))

    return draw


def multiples_of(name: str) -> InputGenerator:
    """Four to six integers, about half of them multiples of the parameter ``name``."""

    def draw(rng: Random, params: Params) -> str:
        step = int(params[name])
        drawn = [rng.choice((step * rng.randint(1, 6), rng.randint(1, 40))) for _ in range(rng.randint(4, 6))]
        return " ".join(map(str, drawn))

    return draw


def word(shortest: int = 3, longest: int = 5) -> InputGenerator:
    """One lowercase word."""
    fitting = [w for w in WORDS if shortest <= len(w) <= longest]
    return lambda rng, params: rng.choice(fitting)


def words(fewest: int = 2, most: int = 4, *, repeated: bool = False) -> InputGenerator:
    """A few lowercase words, all different unless ``repeated``."""

    def draw(rng: Random, params: Params) -> str:
        count = rng.randint(fewest, most)
        if repeated:
            return " ".join(rng.choices(rng.sample(WORDS, 2), k=count))
        return " ".join(rng.sample(WORDS, count))

    return draw


def around_letter(rng: Random, params: Params) -> str:
    """One to three of the letter ``c`` among others, so that no program can miss it."""
    letter = str(params["c"])
    others = [other for other in "aeiorstnbdm" if other != letter]
    letters = [letter] * rng.randint(1, 3) + rng.choices(others, k=rng.randint(2, 4))
    rng.shuffle(letters)
    return "".join(letters)


def starting(default: int, values: range) -> tuple[int, ...]:
    """The values of the range with ``default`` moved to the front."""
    return (default, *(value for value in values if value != default))
