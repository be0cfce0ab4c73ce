"""Short problems about two integers on one line."""

from __future__ import annotations

from random import Random

from recipe.code_agentic.problems.short_form import JOINERS, UNITS, pair, short, starting
from recipe.code_agentic.problems.template import Choice, Params, ProblemTemplate

_OPERATIONS = (Choice("plus", "+"), Choice("minus", "-"), Choice("times", "*"))
_YES = ("yes", "win", "big", "up")
_NO = ("no", "low", "off")
_TWO_DIGITS = pair(1, 40)
_UNEQUAL = pair(2, 40, accept=lambda a, b: a != b)


def _equal_or_near(rng: Random, params: Params) -> str:
    a = rng.randint(1, 40)
    return f"{a} {max(0, a + rng.choice((0, 0, 0, -1, 1, -5, 7)))}"


def _often_dividing(rng: Random, params: Params) -> str:
    b = rng.randint(2, 9)
    return f"{b * rng.randint(1, 9) + rng.choice((0, 0, 1))} {b}"


def _sum_near_bound(rng: Random, params: Params) -> str:
    a = rng.randint(1, int(params["k"]) - 1)
    return f"{a} {max(0, int(params['k']) - a + rng.choice((0, 0, 1, -1, 5, -5)))}"


_ARITHMETIC = (
    short(
        "pair_op_plus", "pair_arithmetic", "a and b", "a $op b, then plus $k", "(a${op}b)+$k", _TWO_DIGITS,
        [("2 3", "9"), ("10 1", "15")], params={"op": _OPERATIONS, "k": starting(4, range(2, 21))},
        edges=["0 0"],
    ),
    short(
        "pair_op_times", "pair_arithmetic", "a and b", "a $op b, then times $k", "(a${op}b)*$k", _TWO_DIGITS,
        [("2 3", "20"), ("10 1", "44")], params={"op": _OPERATIONS, "k": starting(4, range(2, 21))},
        edges=["0 0"],
    ),
    short(
        "weighted_pair", "pair_arithmetic", "a and b", "$j times a plus $k times b", "$j*a+$k*b", _TWO_DIGITS,
        [("2 3", "13"), ("10 1", "23")], params={"j": range(2, 9), "k": starting(3, range(2, 9))},
        edges=["0 0"],
    ),
    short(
        "pair_floor_plus", "pair_arithmetic", "a and b", "a divided by b, rounded down, plus $k", "a//b+$k",
        pair(2, 60), [("7 2", "8"), ("10 5", "7")], params={"k": starting(5, range(2, 21))}, edges=["0 4"],
    ),
    short(
        "pair_rest_times", "pair_arithmetic", "a and b", "the rest of a divided by b, times $k", "a%b*$k",
        pair(2, 60), [("7 2", "3"), ("11 7", "12")], params={"k": starting(3, range(2, 21))}, edges=["0 4"],
    ),
    short(
        "pair_op_vague", "pair_arithmetic", "a and b", "a and b put together, then plus $k", "(a${op}b)+$k",
        pair(3, 12), [("2 3", "7"), ("10 1", "13")], params={"op": ("+", "-", "*"), "k": range(2, 21)},
        vague=True,
    ),
)  # fmt: skip

_CHOOSE = (
    short(
        "larger_plus", "pair_choose", "a and b", "the larger of a and b, plus $k", "max(a,b)+$k", _UNEQUAL,
        [("2 3", "6"), ("10 1", "13")], params={"k": starting(3, range(2, 31))}, edges=["5 5"],
    ),
    short(
        "smaller_plus", "pair_choose", "a and b", "the smaller of a and b, plus $k", "min(a,b)+$k", _UNEQUAL,
        [("2 3", "5"), ("10 1", "4")], params={"k": starting(3, range(2, 31))}, edges=["5 5"],
    ),
    short(
        "gap_times", "pair_choose", "a and b", "how far a is from b, times $k", "abs(a-b)*$k", _UNEQUAL,
        [("2 3", "3"), ("10 1", "27")], params={"k": starting(3, range(2, 31))}, edges=["5 5"],
    ),
    short(
        "pair_in_order", "pair_choose", "a and b", "the smaller, then the larger, joined by '$s'",
        "min(a,b),max(a,b),sep='$s'", _UNEQUAL, [("2 3", "2-3"), ("10 1", "1-10")], params={"s": JOINERS},
        edges=["5 5"],
    ),
    short(
        "one_of_pair_vague", "pair_choose", "a and b", "one of a and b, a space and '$unit'", "$f,'$unit'",
        _UNEQUAL,
        [("2 3", "2 kg"), ("10 1", "10 kg")],
        params={"f": ("a", "b", "min(a,b)", "max(a,b)"), "unit": UNITS}, vague=True,
    ),
)  # fmt: skip

_PRINT = (
    short(
        "pair_joined", "pair_print", "a and b", "a and b joined by '$s'", "a,b,sep='$s'", _TWO_DIGITS,
        [("2 3", "2-3"), ("10 1", "10-1")], params={"s": JOINERS}, edges=["0 0"],
    ),
    short(
        "pair_swapped", "pair_print", "a and b", "b and then a joined by '$s'", "b,a,sep='$s'", _UNEQUAL,
        [("2 3", "3-2"), ("10 1", "1-10")], params={"s": JOINERS}, edges=["0 0"],
    ),
    short(
        "pair_and_sum", "pair_print", "a and b", "a, b and a plus b joined by '$s'", "a,b,a+b,sep='$s'",
        _TWO_DIGITS, [("2 3", "2-3-5"), ("10 1", "10-1-11")], params={"s": JOINERS}, edges=["0 0"],
    ),
    short(
        "pair_units", "pair_print", "a and b", "a, '$unit' and b with spaces", "a,'$unit',b", _TWO_DIGITS,
        [("2 3", "2 kg 3"), ("10 1", "10 kg 1")], params={"unit": UNITS}, edges=["0 0"],
    ),
    short(
        "pair_joined_vague", "pair_print", "a and b", "a and b joined", "a,b,sep='$s'", _TWO_DIGITS,
        [("2 3", "2-3"), ("10 1", "10-1")], params={"s": JOINERS}, vague=True,
    ),
    short(
        "pair_order_vague", "pair_print", "a and b", "the two numbers joined by '$s'", "$order,sep='$s'",
        _UNEQUAL,
        [("2 3", "3-2"), ("10 1", "1-10")], params={"order": ("b,a", "a,b"), "s": JOINERS}, vague=True,
    ),
    short(
        "pair_and_sum_vague", "pair_print", "a and b", "a, b and a plus b joined", "a,b,a+b,sep='$s'",
        _TWO_DIGITS,
        [("2 3", "2-3-5"), ("10 1", "10-1-11")], params={"s": JOINERS}, vague=True,
    ),
)  # fmt: skip

_TEST = (
    short(
        "pair_over", "pair_test", "a and b", "'$y' if a is over b, else '$z'", "'$y' if a>b else '$z'",
        _equal_or_near, [("3 2", "yes"), ("2 3", "no"), ("4 4", "no")], params={"y": _YES, "z": _NO},
        edges=["5 5"],
    ),
    short(
        "pair_divides", "pair_test", "a and b", "'$y' if a is a multiple of b, else '$z'",
        "'$y' if a%b==0 else '$z'", _often_dividing, [("6 3", "yes"), ("7 3", "no")],
        params={"y": _YES, "z": _NO}, edges=["0 5"],
    ),
    short(
        "pair_sum_over", "pair_test", "a and b", "'$y' if a plus b is over $k, else '$z'",
        "'$y' if a+b>$k else '$z'", _sum_near_bound, [("7 4", "yes"), ("5 5", "no")],
        params={"k": (10, 12, 20, 25, 40), "y": _YES, "z": _NO}, edges=["0 0"],
    ),
    short(
        "pair_over_vague", "pair_test", "a and b", "'$y' if a wins over b, else '$z'",
        "'$y' if a>${eq}b else '$z'",
        _equal_or_near, [("3 2", "yes"), ("2 3", "no"), ("4 4", "yes")],
        params={"eq": ("=", ""), "y": _YES, "z": _NO}, vague=True,
    ),
    short(
        "pair_sum_over_vague", "pair_test", "a and b", "'$y' if a plus b is past the limit $k, else '$z'",
        "'$y' if a+b>${eq}$k else '$z'", _sum_near_bound, [("7 4", "yes"), ("5 5", "yes"), ("2 3", "no")],
        params={"eq": ("=", ""), "k": (10, 20, 30), "y": _YES, "z": _NO}, vague=True,
    ),
)  # fmt: skip

TEMPLATES: tuple[ProblemTemplate, ...] = (*_ARITHMETIC, *_CHOOSE, *_PRINT, *_TEST)
