"""Call problems of dynamic programming, medium and hard."""

from __future__ import annotations

from functools import partial
from random import Random

from recipe.code_agentic.problems.argument_draws import int_list
from recipe.code_agentic.problems.template import Params, ProblemTemplate

_medium = partial(ProblemTemplate, difficulty="medium")
_hard = partial(ProblemTemplate, difficulty="hard")


def _two_words(rng: Random, params: Params) -> list[str]:
    return ["".join(rng.choices("abcd", k=rng.randint(1, 8))) for _ in range(2)]


def _coins_and_total(rng: Random, params: Params) -> list[list[int] | int]:
    return [sorted(rng.sample(range(2, 12), rng.randint(1, 4))), rng.randint(1, 40)]


TEMPLATES: tuple[ProblemTemplate, ...] = (
    _medium(
        name="call_stair_ways",
        family="dp",
        wordings=(
            "Write stair_ways(n) that returns in how many ways n stairs (an int, 0 or more) can be climbed "
            "with steps of 1 to $k stairs, where the order of the steps counts. There is 1 way to climb 0 "
            "stairs.",
        ),
        reference="""\
def stair_ways(n):
    ways = [1]
    for stair in range(1, n + 1):
        ways.append(sum(ways[max(0, stair - $k):stair]))
    return ways[n]
""",
        make_input=lambda rng, params: [rng.randint(0, 30)],
        examples=(([3], 3), ([4], 5), ([0], 1), ([1], 1)),
        params={"k": (2, 3, 4, 5, 6)},
        fn_name="stair_ways",
        edge_inputs=([0], [1]),
    ),
    _medium(
        name="call_coin_ways",
        family="dp",
        wordings=(
            "Write coin_ways(coins, total) that returns in how many ways the int total can be paid with "
            "coins of the different values in the list coins, each as often as wanted and in no order, "
            "modulo $m.",
        ),
        reference="""\
def coin_ways(coins, total):
    ways = [1] + [0] * total
    for coin in coins:
        for amount in range(coin, total + 1):
            ways[amount] += ways[amount - coin]
    return ways[total] % $m
""",
        make_input=_coins_and_total,
        examples=(([[1, 2, 5], 5], 4), ([[2], 3], 0), ([[7], 0], 1), ([[2, 3], 6], 2)),
        params={"m": (1000, 3, 5, 7)},
        fn_name="coin_ways",
        edge_inputs=([[3], 0], [[5, 9], 4]),
    ),
    _medium(
        name="call_fewest_coins",
        family="dp",
        wordings=(
            "Write fewest_coins(coins, total) that returns the smallest number of coins with values from "
            "the list coins (each as often as wanted) that add up to the int total. Return $none if it is "
            "impossible.",
        ),
        reference="""\
def fewest_coins(coins, total):
    best = [0] + [total + 1] * total
    for amount in range(1, total + 1):
        for coin in coins:
            if coin <= amount:
                best[amount] = min(best[amount], best[amount - coin] + 1)
    return best[total] if best[total] <= total else $none
""",
        make_input=_coins_and_total,
        examples=(([[1, 3, 4], 6], 2), ([[2], 3], -1), ([[5], 0], 0), ([[2, 5], 11], 4)),
        params={"none": (-1, "None", "'impossible'")},
        fn_name="fewest_coins",
        edge_inputs=([[3], 0], [[5, 9], 4]),
    ),
    _medium(
        name="call_best_apart",
        family="dp",
        wordings=(
            "Write best_apart(values) that chooses numbers from the list of ints values so that the "
            "positions of any two chosen numbers differ by more than $gap, and returns the largest possible "
            "sum. Choosing nothing gives 0.",
        ),
        reference="""\
def best_apart(values):
    best = []
    for i, value in enumerate(values):
        before = best[i - $gap - 1] if i > $gap else 0
        best.append(max(best[i - 1] if i else 0, before + value))
    return best[-1] if best else 0
""",
        make_input=int_list(-5, 20, shortest=1, longest=9),
        examples=(([[2, 7, 9, 3, 1]], 12), ([[]], 0), ([[-3]], 0), ([[5, 1, 1, 5]], 10)),
        params={"gap": (1, 2, 3)},
        fn_name="best_apart",
        edge_inputs=([[]], [[-4, -2]]),
    ),
    _hard(
        name="call_common_subsequence",
        family="dp",
        wordings=(
            "Write common_length(a, b) that returns the length of the longest common subsequence of the "
            "strings a and b: characters that appear in both in the same order, not necessarily side by "
            "side.",
        ),
        reference="""\
def common_length(a, b):
    row = [0] * (len(b) + 1)
    for x in a:
        previous = 0
        for j, y in enumerate(b):
            above = row[j + 1]
            row[j + 1] = previous + 1 if x == y else max(above, row[j])
            previous = above
    return row[-1]
""",
        make_input=_two_words,
        examples=((["abcde", "ace"], 3), (["", "abc"], 0), (["abc", "def"], 0), (["aab", "azb"], 2)),
        fn_name="common_length",
        edge_inputs=(["", ""], ["a", ""]),
    ),
    _hard(
        name="call_edit_cost",
        family="dp",
        wordings=(
            "Write edit_cost(a, b) that returns the lowest cost of turning the string a into the string b, "
            "where inserting or deleting one letter costs $gap and replacing one letter by another costs "
            "$swap.",
        ),
        reference="""\
def edit_cost(a, b):
    row = [j * $gap for j in range(len(b) + 1)]
    for i, x in enumerate(a, 1):
        previous, row[0] = row[0], i * $gap
        for j, y in enumerate(b, 1):
            replaced = previous + (0 if x == y else $swap)
            previous = row[j]
            row[j] = min(replaced, row[j] + $gap, row[j - 1] + $gap)
    return row[-1]
""",
        make_input=_two_words,
        examples=((["kitten", "sitting"], 3), (["", "abc"], 3), (["abc", "abc"], 0), (["ab", "b"], 1)),
        params={"gap": (1, 2, 3), "swap": (1, 2, 3)},
        fn_name="edit_cost",
        edge_inputs=(["", ""], ["a", ""]),
    ),
    _hard(
        name="call_knapsack",
        family="dp",
        wordings=(
            "Write best_load(weights, values, limit). Thing i weighs weights[i] (at least 1) and is worth "
            "values[i]. Return the largest total value of things, each taken at most once, whose total "
            "weight is at most limit. All are ints; the two lists are equally long.",
        ),
        reference="""\
def best_load(weights, values, limit):
    best = [0] * (limit + 1)
    for weight, value in zip(weights, values):
        for room in range(limit, weight - 1, -1):
            best[room] = max(best[room], best[room - weight] + value)
    return best[limit]
""",
        make_input=lambda rng, params: [
            *([rng.randint(1, top) for _ in range(5)] for top in (9, 30)),
            rng.randint(4, 20),
        ],
        examples=(
            ([[1, 3, 4], [15, 20, 30], 4], 35),
            ([[5], [10], 4], 0),
            ([[], [], 7], 0),
            ([[2, 2], [3, 3], 3], 3),
        ),
        fn_name="best_load",
        edge_inputs=([[], [], 5], [[3], [9], 0]),
    ),
    _hard(
        name="call_longest_rising",
        family="dp",
        wordings=(
            "Write longest_rising(numbers) that returns the length of the longest subsequence of the list "
            "of ints numbers (in order, not necessarily side by side) in which each number is at least "
            "$step more than the one before. An empty list gives 0.",
        ),
        reference="""\
def longest_rising(numbers):
    lengths = []
    for i, x in enumerate(numbers):
        before = [lengths[j] for j in range(i) if x - numbers[j] >= $step]
        lengths.append(1 + max(before, default=0))
    return max(lengths, default=0)
""",
        make_input=int_list(0, 20, shortest=3, longest=10),
        examples=(([[3, 1, 2, 5]], 3), ([[]], 0), ([[4, 4, 4]], 1), ([[9, 1, 8, 2, 3]], 3)),
        params={"step": (1, 2, 3, 0)},
        fn_name="longest_rising",
        edge_inputs=([[]], [[7, 7]]),
    ),
    _hard(
        name="call_grid_paths",
        family="dp",
        wordings=(
            "Write grid_paths(grid) that returns in how many ways one can go from the top left to the "
            "bottom right cell of grid, a list of equally long strings, moving only right or down and never "
            "through a cell marked '$wall'. If the first or the last cell is marked, return 0.",
        ),
        reference="""\
def grid_paths(grid):
    ways = [1] + [0] * (len(grid[0]) - 1)
    for row in grid:
        for j, cell in enumerate(row):
            if cell == '$wall':
                ways[j] = 0
            elif j:
                ways[j] += ways[j - 1]
    return ways[-1]
""",
        make_input=lambda rng, params: [
            (
                lambda width: [
                    "".join(rng.choices(".." + "." * 4 + params["wall"], k=width)) for _ in range(4)
                ]
            )(rng.randint(2, 5))
        ],
        examples=(([["..", ".."]], 2), ([["...", ".#.", "..."]], 2), ([["#."]], 0), ([["."]], 1)),
        params={"wall": ("#", "x", "*")},
        fn_name="grid_paths",
        edge_inputs=([["."]], [["..."]]),
    ),
    _hard(
        name="call_word_break",
        family="dp",
        wordings=(
            "Write can_split(text, words) that returns True if the string text can be cut into pieces that "
            "are all in the list of strings words (each may be used again), else False. The empty text can "
            "always be cut.",
        ),
        reference="""\
def can_split(text, words):
    reachable = [True] + [False] * len(text)
    for end in range(1, len(text) + 1):
        reachable[end] = any(
            len(w) <= end and reachable[end - len(w)] and text[end - len(w):end] == w for w in words
        )
    return reachable[-1]
""",
        make_input=lambda rng, params: [
            "".join(rng.choice(("ab", "a", "cab", "bc", "c")) for _ in range(rng.randint(1, 4))),
            rng.sample(["ab", "a", "cab", "bc", "b", "ca", "abc"], 4),
        ],
        examples=(
            (["catdog", ["dog", "cat"]], True),
            (["cats", ["cat"]], False),
            (["", ["a"]], True),
            (["aab", ["a", "ab"]], True),
        ),
        fn_name="can_split",
        edge_inputs=(["", []], ["a", []]),
    ),
)
