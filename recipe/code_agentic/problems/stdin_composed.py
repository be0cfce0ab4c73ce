"""Short problems composed of two parts: a value taken from the input, and the way it is printed.

Every pair of a value and a finish is a family of its own (``composed_VALUE_FINISH``). A held-out family
is therefore a new combination of two parts that are both known from others, which a model can solve when
it has learned the parts instead of the pairs. Two finishes of each value are asked a second time as
verdict-only problems, which keep the sign to print to themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from recipe.code_agentic.problems.short_form import (
    FILLERS,
    MARKS,
    UNITS,
    around_letter,
    number,
    numbers,
    short,
    starting,
    word,
)
from recipe.code_agentic.problems.template import InputGenerator, ProblemTemplate

_LETTERS = tuple("aeiorstn")


@dataclass(frozen=True, slots=True)
class _Value:
    """What is computed.

    Attributes:
        name: Part of the names of its templates.
        given: Key of ``short_form.READERS``.
        words: What a question calls it.
        code: Its expression.
        is_text: Whether the expression is a str already.
        draw: Draws the line that is read.
        examples: Hand-written pairs of line and value, for the first value of every parameter.
        params: Parameter values, default first.
    """

    name: str
    given: str
    words: str
    code: str
    is_text: bool
    draw: InputGenerator
    examples: Sequence[tuple[str, str]]
    params: Mapping[str, Sequence[Any]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Finish:
    """How the value is printed.

    Attributes:
        name: Part of the names of its templates.
        words: Question, ``{}`` is the value.
        vague_words: The same without the parameter.
        code: Arguments of ``print`` with the value as ``{value}`` (any type) or ``{text}`` (str).
        shown: From the text of a value to what is printed, for the first value of every parameter.
        params: Parameter values, default first.
    """

    name: str
    words: str
    vague_words: str
    code: str
    shown: Callable[[str], str]
    params: Mapping[str, Sequence[Any]]


_N, _FEW, _FIVE = number(1, 99), numbers(1, 30), word(5, 5)
_K, _SMALL = range(2, 41), range(2, 5)
# Of ten unit words the tiny model had not begun to copy any when it had learned all the rest.
_FEW_UNITS = UNITS[:4]
# fmt: off
_VALUES = (
    _Value("plus", "n", "n plus $k", "n+$k", False, _N, [("4", "11"), ("9", "16")],
           {"k": starting(7, _K)}),
    _Value("minus", "n", "n minus $k", "n-$k", False, _N, [("9", "2"), ("3", "-4")],
           {"k": starting(7, _K)}),
    _Value("times", "n", "n times $k", "n*$k", False, _N, [("4", "28"), ("11", "77")],
           {"k": starting(7, _K)}),
    _Value("from", "n", "$k minus n", "$k-n", False, _N, [("4", "3"), ("9", "-2")], {"k": starting(7, _K)}),
    _Value("down", "n", "n divided by $k", "n//$k", False, _N, [("20", "2"), ("6", "0")],
           {"k": starting(7, _K)}),
    _Value("rest", "n", "the rest of n divided by $k", "n%$k", False, _N, [("20", "6"), ("21", "0")],
           {"k": starting(7, range(3, 41))}),
    _Value("total", "numbers", "their sum", "sum(l)", False, _FEW, [("1 2 3", "6"), ("10", "10")]),
    _Value("largest", "numbers", "the largest", "max(l)", False, _FEW, [("1 9 3", "9"), ("10", "10")]),
    _Value("smallest", "numbers", "the smallest", "min(l)", False, _FEW, [("4 2 3", "2"), ("10", "10")]),
    _Value("first_of", "numbers", "the first", "l[0]", False, _FEW, [("4 2 3", "4"), ("10", "10")]),
    _Value("length", "a word", "its length", "len(s)", False, word(), [("cat", "3"), ("moon", "4")]),
    _Value("count", "a word", "how many '$c' it has", "s.count('$c')", False, around_letter,
           [("cat", "1"), ("moon", "0")], {"c": _LETTERS}),
    _Value("word", "a word", "it", "s", True, word(), [("cat", "cat"), ("moon", "moon")]),
    _Value("back", "a word", "it backwards", "s[::-1]", True, word(),
           [("cat", "tac"), ("moon", "noom")]),
    _Value("capitals", "a word", "it in capitals", "s.upper()", True, word(),
           [("cat", "CAT"), ("sun", "SUN")]),
    _Value("copies", "a word", "it $k times", "(s*$k)", True, word(3, 4), [("cat", "catcat"), ("a", "aa")],
           {"k": _SMALL}),
    _Value("head", "a word", "its first $k letters", "s[:$k]", True, _FIVE,
           [("cat", "ca"), ("moon", "mo")], {"k": _SMALL}),
    _Value("tail", "a word", "its last $k letters", "s[-$k:]", True, _FIVE,
           [("cat", "at"), ("moon", "on")], {"k": _SMALL}),
    _Value("without", "a word", "it without '$c'", "s.replace('$c','')", True, around_letter,
           [("cat", "ct"), ("moon", "moon")], {"c": _LETTERS}),
)
# fmt: on
_FINISHES = (
    _Finish(
        "end",
        "{} followed by '$m'",
        "{} followed by a sign",
        "{text}+'$m'",
        lambda text: f"{text}!",
        {"m": MARKS},
    ),
    _Finish(
        "start",
        "{} preceded by '$m'",
        "{} preceded by a sign",
        "'$m'+{text}",
        lambda text: f"!{text}",
        {"m": MARKS},
    ),
    _Finish(
        "between",
        "{} between two '$m'",
        "{} between two signs",
        "'$m'+{text}+'$m'",
        lambda text: f"!{text}!",
        {"m": MARKS},
    ),
    _Finish(
        "unit",
        "{} and the unit '$unit'",
        "{} and its unit",
        "{value},'$unit'",
        lambda text: f"{text} kg",
        {"unit": _FEW_UNITS},
    ),
    _Finish(
        "padded",
        "{} padded with '$p' to $w signs",
        "{} padded to $w signs",
        "{text}.rjust($w,'$p')",
        lambda text: text.rjust(8, "*"),
        {"w": range(8, 12), "p": FILLERS},
    ),
)  # fmt: skip


def _template(value: _Value, finish: _Finish, *, vague: bool) -> ProblemTemplate:
    text = value.code if value.is_text else f"str({value.code})"
    name = f"composed_{value.name}_{finish.name}"
    return short(
        f"{name}_vague" if vague else name,
        name,
        value.given,
        (finish.vague_words if vague else finish.words).format(value.words),
        finish.code.format(value=value.code, text=text),
        value.draw,
        [(line, finish.shown(shown)) for line, shown in value.examples],
        params={**value.params, **finish.params},
        vague=vague,
    )


TEMPLATES: tuple[ProblemTemplate, ...] = tuple(
    _template(value, finish, vague=vague)
    for number_of_value, value in enumerate(_VALUES)
    for number_of_finish, finish in enumerate(_FINISHES)
    for vague in (False, True)
    if not vague or (number_of_finish - number_of_value) % len(_FINISHES) < 2
)
