"""Longer stdin problems for dynamic programming: counting, cheapest and longest choices, alignments."""

from __future__ import annotations

from functools import partial
from random import Random

from recipe.code_agentic.problems.input_draws import counted, letters, one_line, one_number, spaced
from recipe.code_agentic.problems.template import Choice, Params, ProblemTemplate

_hard = partial(ProblemTemplate, difficulty="hard")
_medium = partial(ProblemTemplate, difficulty="medium")


def _knapsack(rng: Random, params: Params) -> str:
    items = [f"{rng.randint(1, 6)} {rng.randint(1, 15)}" for _ in range(rng.randint(1, 5))]
    return f"{rng.randint(3, 14)}\n{counted(items)}"


def _two_words(rng: Random, params: Params) -> str:
    return f"{letters(rng, 'abce', 1, 6)} {letters(rng, 'abce', 1, 6)}"


def _costs(rng: Random, params: Params) -> str:
    columns = rng.randint(2, 4)
    return counted([spaced([rng.randint(1, 9) for _ in range(columns)]) for _ in range(rng.randint(2, 4))])


TEMPLATES: tuple[ProblemTemplate, ...] = (
    _hard(
        name="knapsack",
        family="dynamic_choice",
        wordings=(
            "The first line holds the weight that a bag can carry, the second line a count, every further"
            " line the weight and the value of an item. Print the largest total value that the bag can "
            "carry if each item can be taken at most $k.",
        ),
        reference="""room = int(input())
best = [0] * (room + 1)
for _ in range(int(input())):
    weight, value = map(int, input().split())
    for _ in range($k):
        for w in range(room, weight - 1, -1):
            best[w] = max(best[w], best[w - weight] + value)
print(best[room])""",
        make_input=_knapsack,
        examples=[("5\n3\n2 3\n3 4\n4 6", "7"), ("1\n1\n2 9", "0")],
        params={"k": (Choice("once", "1"), Choice("2 times", "2"), Choice("3 times", "3"))},
        edge_inputs=["12\n1\n2 3"],
    ),
    _hard(
        name="fewest_coins",
        family="dynamic_coins",
        wordings=(
            "There are coins of 1, $b and $c. Read an amount and print the smallest number of coins that "
            "make exactly this amount.",
        ),
        reference="""amount = int(input())
best = [0]
for n in range(1, amount + 1):
    best.append(1 + min(best[n - coin] for coin in (1, $b, $c) if coin <= n))
print(best[amount])""",
        make_input=one_number(1, 60),
        examples=[("6", "2"), ("13", "3"), ("0", "0")],
        params={"b": (3, 4, 5), "c": (7, 8, 10, 11, 13)},
        edge_inputs=["0", "1", "100"],
    ),
    _hard(
        name="ways_to_pay",
        family="dynamic_coins",
        wordings=(
            "There are coins of $a, $b and $c, as many as needed. Read an amount and print in how many "
            "ways it can be paid exactly; the order of the coins does not matter.",
        ),
        reference="""amount = int(input())
ways = [1] + [0] * amount
for coin in ($a, $b, $c):
    for n in range(coin, amount + 1):
        ways[n] += ways[n - coin]
print(ways[amount])""",
        make_input=one_number(1, 60),
        examples=[("5", "4"), ("3", "2"), ("0", "1")],
        params={"a": (1, 3), "b": (2, 4), "c": (5, 7, 9, 10)},
        edge_inputs=["0", "1"],
    ),
    _medium(
        name="climb_stairs",
        family="dynamic_counting",
        wordings=(
            "Read n and print in how many ways one can climb n stairs if every step takes from 1 to $k "
            "stairs$rule. Ways with another order of steps are different.",
        ),
        reference="""n = int(input())
ways = [1]
for stair in range(1, n + 1):
    ways.append(sum(ways[max(0, stair - $k) : stair])$rule)
print(ways[n])""",
        make_input=one_number(1, 20),
        examples=[("4", "5"), ("1", "1"), ("5", "8")],
        params={
            "k": (2, 3, 4, 5, 6),
            "rule": (
                Choice("", ""),
                Choice(" and the 3rd stair is broken, so that no step may end on it", " * (stair != 3)"),
            ),
        },
        edge_inputs=["0", "1", "3"],
    ),
    _hard(
        name="longest_growing",
        family="dynamic_longest",
        wordings=(
            "Read a line of integers. Some of them may be left out; the rest keep their order. Print how "
            "many can stay at most if each that stays has to be at least $k $than the one before it that "
            "stays.",
        ),
        reference="""l = list(map(int, input().split()))
best = []
for i, x in enumerate(l):
    best.append(1 + max([best[j] for j in range(i) if $than >= $k], default=0))
print(max(best))""",
        make_input=one_line(0, 20, 3, 10),
        examples=[("3 1 2 5", "3"), ("4 4", "1"), ("9", "1")],
        params={
            "k": (1, 2, 3, 5),
            "than": (Choice("larger than", "x - l[j]"), Choice("smaller than", "l[j] - x")),
        },
        edge_inputs=["5", "1 2 3 4 5 6", "9 7 5 3 1"],
    ),
    _hard(
        name="edit_cost",
        family="dynamic_alignment",
        wordings=(
            "Read two words on one line. Print the smallest cost of turning the first into the second, "
            "where inserting or deleting a letter costs $d and replacing a letter by another costs $r.",
        ),
        reference="""a, b = input().split()
cost = [j * $d for j in range(len(b) + 1)]
for i, x in enumerate(a, 1):
    new = [i * $d]
    for j, y in enumerate(b, 1):
        change = cost[j - 1] + (x != y) * $r
        new.append(min(change, cost[j] + $d, new[j - 1] + $d))
    cost = new
print(cost[-1])""",
        make_input=_two_words,
        examples=[("kitten sitting", "6"), ("ab ba", "4"), ("a a", "0")],
        params={"d": (2, 3, 4), "r": (2, 1, 3)},
        edge_inputs=["a b", "abc abc", "a bcbcbc"],
    ),
    _hard(
        name="common_letters",
        family="dynamic_alignment",
        wordings=(
            "Read two words on one line. A common subsequence is a word that remains of both when letters"
            " are left out. It scores $v for every 'a' or 'e' and $c for every other letter. Print the "
            "largest possible score.",
        ),
        reference="""a, b = input().split()
best = [0] * (len(b) + 1)
for x in a:
    new = [0]
    for j, y in enumerate(b):
        score = best[j] + ($v if x in 'ae' else $c) if x == y else 0
        new.append(max(score, best[j + 1], new[j]))
    best = new
print(best[-1])""",
        make_input=_two_words,
        examples=[("abcde ace", "5"), ("xyz abc", "0"), ("ba ab", "2")],
        params={"v": (2, 3, 5), "c": (1, 4, 7)},
        edge_inputs=["a b", "b b", "e e"],
    ),
    _hard(
        name="cheapest_path",
        family="dynamic_paths",
        wordings=(
            "The first line holds a count of rows, then the rows of a table of costs follow. A path goes "
            "from the top left to the bottom right cell by steps to the right, down, or both at once, and"
            " pays for all cells on it and $k more for every step that goes both ways at once. Print the "
            "smallest cost of a path.",
        ),
        reference="""m = [list(map(int, input().split())) for _ in range(int(input()))]
best = {}
for i, row in enumerate(m):
    for j, cost in enumerate(row):
        before = [((i - 1, j), 0), ((i, j - 1), 0), ((i - 1, j - 1), $k)]
        best[i, j] = cost + min([best[p] + extra for p, extra in before if p in best], default=0)
print(best[len(m) - 1, len(m[0]) - 1])""",
        make_input=_costs,
        examples=[("2\n1 2\n3 4", "7"), ("1\n5", "5"), ("2\n1 9\n1 1", "3")],
        params={"k": (2, 0, 1, 3, 4, 6)},
        edge_inputs=["1\n0", "3\n1\n1\n1"],
    ),
    _hard(
        name="apart_sum",
        family="dynamic_choice",
        wordings=(
            "Read a line of integers. Choose some of them, or none, so that the places of any two chosen "
            "ones differ by at least $k, and print the largest possible sum.",
        ),
        reference="""best = []
for i, x in enumerate(map(int, input().split())):
    with_x = x + (best[i - $k] if i >= $k else 0)
    best.append(max(with_x, best[-1] if best else 0))
print(best[-1])""",
        make_input=one_line(-9, 20, 3, 9),
        examples=[("3 2 5", "8"), ("4 9 4", "9"), ("-1", "0")],
        params={"k": (2, 3, 4)},
        edge_inputs=["0", "-5 -6", "1 1 1 1 1 1"],
    ),
)
