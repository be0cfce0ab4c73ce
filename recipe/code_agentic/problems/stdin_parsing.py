"""Longer stdin problems about parsing text and about its layout."""

from __future__ import annotations

from functools import partial
from random import Random

from recipe.code_agentic.problems.input_draws import letters, spaced
from recipe.code_agentic.problems.short_form import JOINERS, WORDS
from recipe.code_agentic.problems.template import Choice, Params, ProblemTemplate

_medium = partial(ProblemTemplate, difficulty="medium")
_hard = partial(ProblemTemplate, difficulty="hard")


def _key_values(rng: Random, params: Params) -> str:
    pairs = [f"{rng.choice('abcde')}{params['eq']}{rng.randint(-9, 30)}" for _ in range(rng.randint(1, 7))]
    return str(params["sep"]).join(pairs)


def _table(rng: Random, params: Params) -> str:
    columns = ["qty", "cost", "age", "size"]
    rng.shuffle(columns)
    rows = [",".join(str(rng.randint(0, 40)) for _ in columns) for _ in range(rng.randint(1, 5))]
    return "\n".join([",".join(columns), *rows])


def _text_with_numbers(rng: Random, params: Params) -> str:
    parts = [
        rng.choice((rng.choice(WORDS), str(rng.randint(0, 120)), "-", " ")) for _ in range(rng.randint(3, 9))
    ]
    return "x" + "".join(parts)


def _two_texts(rng: Random, params: Params) -> str:
    first = letters(rng, "abc", 3, 9)
    second = "".join(rng.choice((c, c, rng.choice("abc"))) for c in first)
    return f"{first}\n{second}"


TEMPLATES: tuple[ProblemTemplate, ...] = (
    _medium(
        name="key_value_sums",
        family="text_parsing",
        wordings=(
            "Read a line of entries separated by '$sep', each a key, '$eq' and an integer. Add up the "
            "integers of each key and print the keys from a to z, one per line as key, space and sum.",
        ),
        reference="""sums = {}
for entry in input().split('$sep'):
    key, value = entry.split('$eq')
    sums[key] = sums.get(key, 0) + int(value)
for key in sorted(sums):
    print(key, sums[key])""",
        make_input=_key_values,
        examples=[("a=1;b=2;a=5", "a 6\nb 2"), ("z=-3", "z -3")],
        params={"sep": (";", "&", ",", "|", "/"), "eq": ("=", ":", ">")},
    ),
    _medium(
        name="column_total",
        family="text_parsing",
        wordings=(
            "Read a table: a line of column names separated by commas, then rows of integers separated by"
            " commas, up to the end of the input. Print the $what of the column '$column'.",
        ),
        reference="""import sys
header, *rows = sys.stdin.read().split()
at = header.split(',').index('$column')
print($what(int(row.split(',')[at]) for row in rows))""",
        make_input=_table,
        examples=[("age,qty\n30,2\n40,5", "7"), ("qty\n9", "9")],
        params={
            "what": (Choice("sum", "sum"), Choice("largest number", "max"), Choice("smallest number", "min")),
            "column": ("qty", "cost", "age", "size"),
        },
    ),
    _medium(
        name="numbers_in_text",
        family="text_parsing",
        wordings=(
            "Read a line. Every longest run of digits in it is a number (there are no signs). Print the "
            "$what of the numbers, or '$none' if there is no number.",
        ),
        reference="""import re
found = [int(x) for x in re.findall('[0-9]+', input())]
print($what(found) if found else '$none')""",
        make_input=_text_with_numbers,
        examples=[("a12b3-4", "19"), ("none here", "none"), ("007", "7")],
        params={
            "what": (
                Choice("sum", "sum"),
                Choice("largest", "max"),
                Choice("smallest", "min"),
                Choice("count", "len"),
            ),
            "none": ("none", "empty", "x", "-"),
        },
        edge_inputs=["x", "0"],
    ),
    _hard(
        name="wrap_words",
        family="text_layout",
        wordings=(
            "Read a line of words, none longer than $w letters. Print them in order on lines of at most "
            "$w characters, words on a line joined by '$s', each line as full as possible before the next"
            " one begins.",
        ),
        reference="""line = ''
for word in input().split():
    if line and len(line) + 1 + len(word) > $w:
        print(line)
        line = word
    else:
        line = line + '$s' + word if line else word
print(line)""",
        make_input=lambda rng, params: spaced(rng.sample(WORDS, rng.randint(2, 8))),
        examples=[("red cat sun box", "red-cat\nsun-box"), ("apple tea", "apple\ntea"), ("sun", "sun")],
        params={"w": (8, 7, 10, 12), "s": JOINERS[:5]},
        edge_inputs=["a"],
    ),
    _medium(
        name="differing_places",
        family="text_layout",
        wordings=(
            "Read two lines of equal length. Print the places, counted from $base, at which they differ, "
            "joined by '$s', or 'same' if they are equal.",
        ),
        reference="""first, second = input(), input()
places = [str(i + $base) for i in range(len(first)) if first[i] != second[i]]
print('$s'.join(places) or 'same')""",
        make_input=_two_texts,
        examples=[("abc\nabd", "3"), ("abca\nbbcb", "1-4"), ("aa\naa", "same")],
        params={"base": (1, 0), "s": JOINERS},
        edge_inputs=["a\na"],
    ),
)
