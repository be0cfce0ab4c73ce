"""Random arguments for call problems: numbers, lists, words and dicts that probe a template's parameters.

Owns the input generators that several ``call_*`` modules share. Every ``near`` names parameters of the
template: values close to (or equal to) theirs are drawn often, because that is where programs go wrong.
Owns no problem; a generator that only one problem needs stays beside that problem.
"""

from __future__ import annotations

from random import Random

from recipe.code_agentic.problems.template import InputGenerator, Params

LETTERS = "abcdefghijklmnoprstu"
NEAR_SHARE = 0.3


def draw_int(rng: Random, params: Params, low: int, high: int, near: tuple[str, ...] = ()) -> int:
    """One integer from ``low`` to ``high``, or within 1 of a parameter named in ``near``."""
    if near and rng.random() < NEAR_SHARE:
        return max(low, params[rng.choice(near)] + rng.randint(-1, 1))
    return rng.randint(low, high)


def draw_word(
    rng: Random,
    params: Params,
    shortest: int,
    longest: int,
    near: tuple[str, ...] = (),
    alphabet: str = LETTERS,
) -> str:
    """Lower-case letters (or those of ``alphabet``) and the characters of the ``near`` parameters."""
    length = rng.randint(shortest, longest)
    return "".join(
        params[rng.choice(near)] if near and rng.random() < NEAR_SHARE else rng.choice(alphabet)
        for _ in range(length)
    )


def one_int(low: int, high: int, *near: str) -> InputGenerator:
    """``f(a)`` with one integer."""
    return lambda rng, params: [draw_int(rng, params, low, high, near)]


def two_ints(low: int, high: int, *near: str) -> InputGenerator:
    """``f(a, b)`` with two integers."""
    return lambda rng, params: [draw_int(rng, params, low, high, near) for _ in range(2)]


def int_list(low: int, high: int, *near: str, shortest: int = 2, longest: int = 5) -> InputGenerator:
    """``f(a)`` with one list of integers."""
    return lambda rng, params: [
        [draw_int(rng, params, low, high, near) for _ in range(rng.randint(shortest, longest))]
    ]


def list_with(low: int, high: int, name: str, shortest: int = 2, longest: int = 5) -> InputGenerator:
    """``f(a)`` with one list of integers that surely holds the value of parameter ``name``."""

    def draw(rng: Random, params: Params) -> list[list[int]]:
        numbers = [draw_int(rng, params, low, high) for _ in range(rng.randint(shortest, longest) - 1)]
        numbers.insert(rng.randint(0, len(numbers)), params[name])
        return [numbers]

    return draw


def one_word(shortest: int, longest: int, *near: str, alphabet: str = LETTERS) -> InputGenerator:
    """``f(s)`` with one word."""
    return lambda rng, params: [draw_word(rng, params, shortest, longest, near, alphabet)]


def word_with(shortest: int, longest: int, name: str) -> InputGenerator:
    """``f(s)`` with one word that surely holds the character of parameter ``name``."""

    def draw(rng: Random, params: Params) -> list[str]:
        word = draw_word(rng, params, shortest - 1, longest - 1)
        cut = rng.randint(0, len(word))
        return [word[:cut] + params[name] + word[cut:]]

    return draw


def word_list(shortest: int, longest: int, *near: str, words: tuple[int, int] = (2, 4)) -> InputGenerator:
    """``f(a)`` with a list of words; ``words`` is the smallest and largest number of them."""
    return lambda rng, params: [
        [draw_word(rng, params, shortest, longest, near) for _ in range(rng.randint(*words))]
    ]


def number_dict(keys: str, low: int, high: int, *near: str) -> InputGenerator:
    """``f(d)`` with a dict from some of the one-letter ``keys`` to integers."""

    def draw(rng: Random, params: Params) -> list[dict[str, int]]:
        chosen = rng.sample(keys, rng.randint(2, 4))
        return [{key: draw_int(rng, params, low, high, near) for key in chosen}]

    return draw
