"""Call problems that are told recursively: nested lists, enumerations, choices, medium and hard."""

from __future__ import annotations

from functools import partial
from random import Random

from recipe.code_agentic.problems.template import ProblemTemplate

_medium = partial(ProblemTemplate, difficulty="medium")
_hard = partial(ProblemTemplate, difficulty="hard")


def _nested(rng: Random, depth: int) -> list[object]:
    return [
        _nested(rng, depth - 1) if depth and rng.random() < 0.45 else rng.randint(-9, 20)
        for _ in range(rng.randint(0 if depth < 3 else 1, 4))
    ]


TEMPLATES: tuple[ProblemTemplate, ...] = (
    _medium(
        name="call_nested_sum",
        family="recursion",
        wordings=(
            "Write nested_sum(items): items is a list of ints and further such lists. Return the sum of all "
            "the ints, each multiplied by its depth; ints directly in items have depth $base.",
        ),
        reference="""\
def nested_sum(items, depth=$base):
    total = 0
    for item in items:
        total += nested_sum(item, depth + 1) if isinstance(item, list) else item * depth
    return total
""",
        make_input=lambda rng, params: [_nested(rng, 3)],
        examples=(([[1, [2, [3]]]], 14), ([[]], 0), ([[4, 5]], 9), ([[[[]], 1]], 1)),
        params={"base": (1, 2, 0)},
        fn_name="nested_sum",
        edge_inputs=([[]], [[[]]]),
    ),
    _medium(
        name="call_flatten",
        family="recursion",
        wordings=(
            "Write flatten(items): items is a list of ints and further such lists. Return a new list in "
            "which the $levels outermost levels of nested lists inside items are opened and deeper lists "
            "stay as they are.",
        ),
        reference="""\
def flatten(items, levels=$levels):
    flat = []
    for item in items:
        if isinstance(item, list) and levels:
            flat += flatten(item, levels - 1)
        else:
            flat.append(item)
    return flat
""",
        make_input=lambda rng, params: [_nested(rng, 4)],
        examples=(([[1, [2, [3]]]], [1, 2, [3]]), ([[]], []), ([[[], 4]], [4]), ([[[[5]]]], [[5]])),
        params={"levels": (1, 2, 3)},
        fn_name="flatten",
        edge_inputs=([[]], [[[[1]], 2]]),
    ),
    _medium(
        name="call_collatz",
        family="recursion",
        wordings=(
            "Write steps_to_one(n) for an int n of at least 1: while n is not 1, halve n if it is even, "
            "otherwise replace it by 3 times n plus 1. Return the number of replacements plus $start.",
        ),
        reference="""\
def steps_to_one(n):
    if n == 1:
        return $start
    return 1 + steps_to_one(n // 2 if n % 2 == 0 else 3 * n + 1)
""",
        make_input=lambda rng, params: [rng.randint(1, 60)],
        examples=(([1], 0), ([2], 1), ([3], 7), ([8], 3)),
        params={"start": (0, 1, 5, 10)},
        fn_name="steps_to_one",
        edge_inputs=([1], [27]),
    ),
    _hard(
        name="call_hanoi",
        family="recursion",
        wordings=(
            "Write hanoi(n, start, spare, goal) that returns the shortest list of moves that brings a tower "
            "of n discs from peg start to peg goal: only the top disc of a peg moves and no disc may lie on "
            "a smaller one. Pegs are one-letter strings; a move from A to C is the string 'A${sep}C'.",
        ),
        reference="""\
def hanoi(n, start, spare, goal):
    if n == 0:
        return []
    before = hanoi(n - 1, start, goal, spare)
    return before + [start + '$sep' + goal] + hanoi(n - 1, spare, start, goal)
""",
        make_input=lambda rng, params: [rng.randint(0, 4), *rng.sample("ABCXYZ", 3)],
        examples=(
            ([1, "A", "B", "C"], ["A-C"]),
            ([2, "A", "B", "C"], ["A-B", "A-C", "B-C"]),
            ([0, "X", "Y", "Z"], []),
        ),
        params={"sep": ("-", ">", ":")},
        fn_name="hanoi",
        edge_inputs=([0, "A", "B", "C"],),
    ),
    _hard(
        name="call_bracket_words",
        family="recursion",
        wordings=(
            "Write bracket_words(n, depth) that returns the sorted list of all strings of n opening '(' and "
            "n closing ')' brackets that are correctly nested, never more than depth deep (both ints, depth "
            "at least 1).",
        ),
        reference="""\
def bracket_words(n, depth):
    words = []

    def extend(word, opened, closed):
        if closed == n:
            words.append(word)
            return
        if opened < n and opened - closed < depth:
            extend(word + '(', opened + 1, closed)
        if closed < opened:
            extend(word + ')', opened, closed + 1)

    extend('', 0, 0)
    return words
""",
        make_input=lambda rng, params: [rng.randint(0, 4), rng.randint(1, 5)],
        examples=(([1, 1], ["()"]), ([2, 2], ["(())", "()()"]), ([0, 1], [""]), ([2, 1], ["()()"])),
        fn_name="bracket_words",
        edge_inputs=([0, 2], [3, 2]),
    ),
    _hard(
        name="call_subset_sums",
        family="recursion",
        wordings=(
            "Write subset_count(numbers, target) that returns how many choices of positions in the list of "
            "ints numbers, of at least $least positions, have numbers that add up to the int target.",
        ),
        reference="""\
def subset_count(numbers, target):
    def count(i, left, taken):
        if i == len(numbers):
            return int(left == 0 and taken >= $least)
        return count(i + 1, left, taken) + count(i + 1, left - numbers[i], taken + 1)

    return count(0, target, 0)
""",
        make_input=lambda rng, params: [
            [rng.randint(-2, 6) for _ in range(rng.randint(1, 8))],
            rng.randint(0, 8),
        ],
        examples=(([[1, 2, 3], 3], 2), ([[], 0], 0), ([[0, 0], 0], 3), ([[5], 4], 0)),
        params={"least": (1, 2, 3)},
        fn_name="subset_count",
        edge_inputs=([[], 0], [[4], 4]),
    ),
)
