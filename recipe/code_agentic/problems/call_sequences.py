"""Call problems on sequences with a stack, two pointers, windows and bits; medium and hard."""

from __future__ import annotations

from functools import partial
from random import Random

from recipe.code_agentic.problems.argument_draws import int_list
from recipe.code_agentic.problems.template import Params, ProblemTemplate

_medium = partial(ProblemTemplate, difficulty="medium")
_hard = partial(ProblemTemplate, difficulty="hard")


def _postfix(rng: Random, params: Params) -> list[list[str]]:
    parts = [[str(rng.randint(0, 9))] for _ in range(rng.randint(2, 5))]
    while len(parts) > 1:
        i = rng.randrange(len(parts) - 1)
        parts[i : i + 2] = [[*parts[i], *parts[i + 1], rng.choice("+-*")]]
    return parts


TEMPLATES: tuple[ProblemTemplate, ...] = (
    _medium(
        name="call_balanced",
        family="stack",
        wordings=(
            "Write balanced(text) that returns True if the brackets $kinds in the string text are correctly "
            "opened, nested and closed, else False. All other characters are ignored.",
        ),
        reference="""\
def balanced(text):
    pairs = '$kinds'.split()
    closing = {pair[1]: pair[0] for pair in pairs}
    stack = []
    for c in text:
        if c in closing.values():
            stack.append(c)
        elif c in closing and (not stack or stack.pop() != closing[c]):
            return False
    return not stack
""",
        make_input=lambda rng, params: [
            "".join(
                rng.choice(("()", "[x]", "{}", "([])", "[{}]", "(", "]", "{"))
                for _ in range(rng.randint(1, 3))
            )
        ],
        examples=((["(a[b])"], True), (["([)]"], False), ([""], True), (["("], False), (["}"], True)),
        params={"kinds": ("() []", "()", "[] {}", "() {}")},
        fn_name="balanced",
        edge_inputs=([""], ["([)]"], ["{]"], ["([])"]),
    ),
    _medium(
        name="call_postfix",
        family="stack",
        wordings=(
            "Write postfix(tokens) that evaluates an expression in postfix notation, a list of strings: "
            "whole numbers and the operators +, - and *, each applied to the two values before it. Return "
            "the value modulo $m.",
        ),
        reference="""\
def postfix(tokens):
    stack = []
    for token in tokens:
        if token in ('+', '-', '*'):
            b, a = stack.pop(), stack.pop()
            stack.append(a + b if token == '+' else a - b if token == '-' else a * b)
        else:
            stack.append(int(token))
    return stack.pop() % $m
""",
        make_input=_postfix,
        examples=(([["2", "3", "+"]], 5), ([["5", "1", "2", "-", "*"]], 95), ([["7"]], 7)),
        params={"m": (100, 50, 31, 10)},
        fn_name="postfix",
        edge_inputs=([["7"]], [["1", "9", "-"]]),
    ),
    _medium(
        name="call_next_larger",
        family="stack",
        wordings=(
            "Write next_larger(numbers) that returns a list with, for every number of the list of ints "
            "numbers, the first later number that is larger, or $none if there is none.",
        ),
        reference="""\
def next_larger(numbers):
    return [
        next((later for later in numbers[i + 1:] if later > number), $none)
        for i, number in enumerate(numbers)
    ]
""",
        make_input=int_list(0, 20, shortest=2, longest=8),
        examples=(([[2, 1, 5]], [5, 5, -1]), ([[]], []), ([[3, 3]], [-1, -1]), ([[1, 2, 3]], [2, 3, -1])),
        params={"none": (-1, 0, "None")},
        fn_name="next_larger",
        edge_inputs=([[]], [[4, 4]]),
    ),
    _hard(
        name="call_remove_runs",
        family="stack",
        wordings=(
            "Write remove_runs(text) that removes $k equal letters side by side from the string text, again "
            "and again until there are no $k such letters left, and returns the rest.",
        ),
        reference="""\
def remove_runs(text):
    stack = []
    for c in text:
        if stack and stack[-1][0] == c:
            stack[-1][1] += 1
        else:
            stack.append([c, 1])
        if stack[-1][1] == $k:
            stack.pop()
    return ''.join(c * count for c, count in stack)
""",
        make_input=lambda rng, params: [
            "".join(
                c * rng.choice((1, params["k"] - 1, params["k"]))
                for c in rng.choices("abc", k=rng.randint(2, 6))
            )
        ],
        examples=((["abba"], ""), ([""], ""), (["aaa"], "a"), (["abc"], "abc")),
        params={"k": (2, 3, 4)},
        fn_name="remove_runs",
        edge_inputs=([""], ["aabbbaacccc"]),
    ),
    _medium(
        name="call_pair_sum",
        family="two_pointers",
        wordings=(
            "Write pair_sum(numbers, target). numbers is a list of different ints in ascending order. "
            "Return the two numbers (smaller first) at different positions that add up to the int target, "
            "the pair with the $which first number if there are several, or an empty list if there is none.",
        ),
        reference="""\
def pair_sum(numbers, target):
    pairs = [[a, target - a] for a in numbers if a < target - a and target - a in numbers]
    if not pairs:
        return []
    return pairs[0 if '$which' == 'smallest' else -1]
""",
        make_input=lambda rng, params: [
            sorted(rng.sample(range(-5, 16), rng.randint(3, 9))),
            rng.randint(0, 20),
        ],
        examples=(([[1, 3, 4, 6], 7], [1, 6]), ([[], 3], []), ([[2, 5], 4], []), ([[-2, 2, 9], 0], [-2, 2])),
        params={"which": ("smallest", "largest")},
        fn_name="pair_sum",
        edge_inputs=([[], 3], [[2, 5], 4]),
    ),
    _hard(
        name="call_longest_window",
        family="two_pointers",
        wordings=(
            "Write longest_window(text) that returns the length of the longest part of the string text, "
            "side by side, in which no character appears more than $most.",
        ),
        reference="""\
def longest_window(text):
    limit = {'once': 1, 'twice': 2, '3 times': 3}['$most']
    best = start = 0
    for end in range(1, len(text) + 1):
        while text[start:end].count(text[end - 1]) > limit:
            start += 1
        best = max(best, end - start)
    return best
""",
        make_input=lambda rng, params: ["".join(rng.choices("abcd", k=rng.randint(1, 14)))],
        examples=((["abcab"], 3), ([""], 0), (["aaaa"], 1), (["abba"], 2)),
        params={"most": ("once", "twice", "3 times")},
        fn_name="longest_window",
        edge_inputs=([""], ["aaaaa"]),
    ),
    _medium(
        name="call_window_sum",
        family="two_pointers",
        wordings=(
            "Write best_window(numbers) that returns the largest sum of $k numbers side by side in the list "
            "of ints numbers, or None if the list is shorter.",
        ),
        reference="""\
def best_window(numbers):
    sums = [sum(numbers[i:i + $k]) for i in range(len(numbers) - $k + 1)]
    return max(sums, default=None)
""",
        make_input=int_list(-9, 20, shortest=1, longest=10),
        examples=(([[1, 4, 2, 3]], 6), ([[5]], None), ([[-1, -2]], -3), ([[]], None)),
        params={"k": (2, 3, 4, 5)},
        fn_name="best_window",
        edge_inputs=([[]], [[1, 2, 3, 4, 5]]),
    ),
    _hard(
        name="call_trapped_water",
        family="two_pointers",
        wordings=(
            "Write trapped(heights). heights is a list of ints, 0 or more: the heights of walls of width 1 "
            "side by side. Return how many units of water stay between the walls after rain, if at most "
            "$deep units can stand on any one wall.",
        ),
        reference="""\
def trapped(heights):
    total = 0
    for i, height in enumerate(heights):
        level = min(max(heights[:i + 1]), max(heights[i:]))
        total += min(level - height, $deep)
    return total
""",
        make_input=int_list(0, 8, shortest=3, longest=10),
        examples=(([[3, 0, 2]], 2), ([[]], 0), ([[1, 2, 3]], 0), ([[4, 0, 0, 4]], 4)),
        params={"deep": (2, 3, 4, 1)},
        fn_name="trapped",
        edge_inputs=([[]], [[5, 0, 5]]),
    ),
    _medium(
        name="call_reverse_bits",
        family="bit_tricks",
        wordings=(
            "Write reverse_bits(n) for an int n from 0 to 255: return the number whose $width-bit binary "
            "form is that of n modulo 2 to the power $width, read backwards.",
        ),
        reference="""\
def reverse_bits(n):
    result = 0
    for _ in range($width):
        result = result * 2 + n % 2
        n //= 2
    return result
""",
        make_input=lambda rng, params: [rng.randint(0, 255)],
        examples=(([1], 128), ([0], 0), ([6], 96), ([255], 255)),
        params={"width": (8, 6, 7, 10)},
        fn_name="reverse_bits",
        edge_inputs=([0], [255]),
    ),
    _medium(
        name="call_odd_one_out",
        family="bit_tricks",
        wordings=(
            "Write odd_ones(numbers) that returns the sorted list of the different ints in the list numbers "
            "that appear $kind number of times.",
        ),
        reference="""\
def odd_ones(numbers):
    rest = 1 if '$kind' == 'an odd' else 0
    return sorted(x for x in set(numbers) if numbers.count(x) % 2 == rest)
""",
        make_input=int_list(0, 4, shortest=1, longest=9),
        examples=(([[3, 1, 3]], [1]), ([[]], []), ([[2, 2]], []), ([[5, 4, 5, 5]], [4, 5])),
        params={"kind": ("an odd", "an even")},
        fn_name="odd_ones",
        edge_inputs=([[]], [[2, 2]]),
    ),
)
