"""Short problems about a list of integers on one line."""

from __future__ import annotations

from random import Random

from recipe.code_agentic.problems.short_form import (
    JOINERS,
    UNITS,
    multiples_of,
    numbers,
    numbers_near,
    short,
    starting,
)
from recipe.code_agentic.problems.template import Choice, Params, ProblemTemplate

_PLACES = (
    Choice("largest", "max(l)"),
    Choice("smallest", "min(l)"),
    Choice("first", "l[0]"),
    Choice("last", "l[-1]"),
)
_COMPARISONS = (Choice("over", ">"), Choice("under", "<"))
_OPERATIONS = (Choice("plus", "+"), Choice("minus", "-"), Choice("times", "*"))
_HIDDEN_COMPARISONS = (">", ">=")
_FEW = numbers(1, 30)
_SEVERAL = numbers(1, 30, fewest=6, most=7)


def _with_repeats(rng: Random, params: Params) -> str:
    pool = (int(params["k"]), rng.randint(1, 30), rng.randint(1, 30))
    return " ".join(str(rng.choice(pool)) for _ in range(rng.randint(4, 7)))


_TOTAL = (
    short(
        "sum_plus", "list_total", "numbers", "their sum plus $k", "sum(l)+$k", _FEW,
        [("1 2 3", "11"), ("10", "15")], params={"k": starting(5, range(2, 31))}, edges=["0", "-3 3"],
    ),
    short(
        "sum_times", "list_total", "numbers", "their sum times $k", "sum(l)*$k", _FEW,
        [("1 2 3", "30"), ("10", "50")], params={"k": starting(5, range(2, 31))}, edges=["0", "-3 3"],
    ),
    short(
        "sum_compared", "list_total", "numbers", "the sum of those $cmp $k", "sum(x for x in l if x$cmp$k)",
        numbers_near("k"), [("5 10 12 20", "32"), ("1 2", "0")],
        params={"cmp": _COMPARISONS, "k": starting(10, range(8, 28))}, edges=["0"],
    ),
    short(
        "sum_multiples", "list_total", "numbers", "the sum of the multiples of $k",
        "sum(x for x in l if x%$k==0)", multiples_of("k"), [("3 4 9", "12"), ("1 2", "0")],
        params={"k": starting(3, range(2, 10))}, edges=["0", "1"],
    ),
    short(
        "sum_compared_vague", "list_total", "numbers", "the sum of those past the limit $k",
        "sum(x for x in l if x$cmp$k)", numbers_near("k"), [("5 10 12 20", "32"), ("1 2", "0")],
        params={"cmp": _HIDDEN_COMPARISONS, "k": starting(10, range(8, 33, 2))}, vague=True,
    ),
)  # fmt: skip

_COUNT = (
    short(
        "count_compared", "list_count", "numbers", "how many are $cmp $k", "sum(x$cmp$k for x in l)",
        numbers_near("k"), [("5 10 12 20", "2"), ("1 2", "0")],
        params={"cmp": _COMPARISONS, "k": starting(10, range(8, 28))}, edges=["0"],
    ),
    short(
        "count_equal", "list_count", "numbers", "how many of them are $k", "l.count($k)", _with_repeats,
        [("3 4 3", "2"), ("1 2", "0")], params={"k": starting(3, range(1, 30))}, edges=["0"],
    ),
    short(
        "count_multiples", "list_count", "numbers", "how many are multiples of $k", "sum(x%$k==0 for x in l)",
        multiples_of("k"), [("3 4 9", "2"), ("1 2", "0")], params={"k": starting(3, range(2, 10))},
        edges=["0"],
    ),
    short(
        "size_plus", "list_count", "numbers", "how many there are, plus $k", "len(l)+$k",
        numbers(1, 30, fewest=1, most=8), [("3 4 9", "5"), ("1", "3")], params={"k": range(2, 31)},
        edges=["0"],
    ),
    short(
        "count_compared_vague", "list_count", "numbers", "how many are past the limit $k",
        "sum(x$cmp$k for x in l)", numbers_near("k"), [("5 10 12 20", "2"), ("1 2", "0")],
        params={"cmp": _HIDDEN_COMPARISONS, "k": starting(10, range(8, 33, 2))}, vague=True,
    ),
)  # fmt: skip

_PICK = (
    short(
        "one_plus", "list_pick", "numbers", "the $which one plus $k", "$which+$k", _FEW,
        [("4 9 2", "12"), ("7", "10")], params={"which": _PLACES, "k": starting(3, range(2, 17))},
        edges=["0", "-3 -9"],
    ),
    short(
        "one_times", "list_pick", "numbers", "the $which one times $k", "$which*$k", _FEW,
        [("4 9 2", "27"), ("7", "21")], params={"which": _PLACES, "k": starting(3, range(2, 17))},
        edges=["0", "-3 -9"],
    ),
    short(
        "spread_times", "list_pick", "numbers", "the largest minus the smallest, times $k",
        "(max(l)-min(l))*$k", _FEW, [("4 9 2", "21"), ("7", "0")], params={"k": starting(3, range(2, 31))},
        edges=["0", "-3 -9"],
    ),
    short(
        "place_from_zero", "list_pick", "numbers", "the one at place $i, counted from 0, a space and '$unit'",
        "l[$i],'$unit'", _SEVERAL, [("4 9 2 8 7 1", "9 kg"), ("1 2 3 4 5 6", "2 kg")],
        params={"i": starting(1, range(6)), "unit": UNITS},
    ),
    short(
        "place_from_one", "list_pick", "numbers", "the one at place $i, counted from 1, a space and '$unit'",
        "l[$i-1],'$unit'", _SEVERAL, [("4 9 2 8 7 1", "9 kg"), ("1 2 3 4 5 6", "2 kg")],
        params={"i": starting(2, range(1, 7)), "unit": UNITS},
    ),
    short(
        "place_vague", "list_pick", "numbers", "the one at place $i, a space and '$unit'",
        "l[$i$off],'$unit'",
        _SEVERAL,
        [("4 9 2 8 7 1", "9 kg"), ("1 2 3 4 5 6", "2 kg")],
        params={"off": ("-1", ""), "i": (2, 4), "unit": UNITS}, vague=True,
    ),
    short(
        "which_vague", "list_pick", "numbers", "one of them, a space and '$unit'", "$which,'$unit'", _FEW,
        [("4 9 2", "9 kg"), ("7", "7 kg")],
        params={"which": ("max(l)", "min(l)", "l[0]", "l[-1]"), "unit": UNITS}, vague=True,
    ),
)  # fmt: skip

_ORDER = (
    short(
        "sorted_joined", "list_order", "numbers", "them from small to large joined by '$s'",
        "*sorted(l),sep='$s'", _FEW, [("4 9 2", "2-4-9"), ("7", "7")], params={"s": JOINERS}, edges=["5 5 1"],
    ),
    short(
        "sorted_down_joined", "list_order", "numbers", "them from large to small joined by '$s'",
        "*sorted(l)[::-1],sep='$s'", _FEW, [("4 9 2", "9-4-2"), ("7", "7")], params={"s": JOINERS},
        edges=["5 5 1"],
    ),
    short(
        "backwards_joined", "list_order", "numbers", "them backwards joined by '$s'", "*l[::-1],sep='$s'",
        _FEW,
        [("4 9 2", "2-9-4"), ("7", "7")], params={"s": JOINERS}, edges=["5 5 1"],
    ),
    short(
        "sorted_first", "list_order", "numbers", "the $k smallest, joined by '$s'",
        "*sorted(l)[:$k],sep='$s'", _SEVERAL, [("4 9 2 8 7 1", "1-2"), ("5 5 6 7 8 9", "5-5")],
        params={"k": range(2, 6), "s": JOINERS}, edges=["5"],
        difficulty="medium",
    ),
    short(
        "sorted_vague", "list_order", "numbers", "them sorted and joined by '$s'", "*sorted(l)$turn,sep='$s'",
        _FEW, [("4 9 2", "9-4-2"), ("7", "7")], params={"turn": ("[::-1]", ""), "s": JOINERS}, vague=True,
    ),
    short(
        "backwards_joined_vague", "list_order", "numbers", "them backwards and joined", "*l[::-1],sep='$s'",
        _FEW,
        [("4 9 2", "2-9-4"), ("7", "7")], params={"s": JOINERS}, vague=True,
    ),
)  # fmt: skip

_MAP = (
    short(
        "each_op", "list_map", "numbers", "each $op $k on one line", "*[x$op$k for x in l]", _FEW,
        [("4 9 2", "9 14 7"), ("7", "12")], params={"op": _OPERATIONS, "k": starting(5, range(2, 20))},
        edges=["0", "-4 4"],
    ),
    short(
        "each_rest", "list_map", "numbers", "the rest of each divided by $k on one line",
        "*[x%$k for x in l]", _FEW,
        [("4 9 2", "1 0 2"), ("7", "1")], params={"k": starting(3, range(3, 13))}, edges=["0"],
    ),
    short(
        "each_at_most", "list_map", "numbers", "each but at most $k on one line", "*[min(x,$k) for x in l]",
        numbers_near("k"),
        [("4 19 2", "4 10 2"), ("7", "7")], params={"k": starting(10, range(8, 28))}, edges=["0"],
    ),
    short(
        "each_times_joined", "list_map", "numbers", "each times $k joined by '$s'",
        "*[x*$k for x in l],sep='$s'",
        numbers(1, 9), [("4 9 2", "8-18-4"), ("7", "14")], params={"k": range(2, 8), "s": JOINERS},
        edges=["0"],
    ),
    short(
        "each_times_vague", "list_map", "numbers", "each times $k, joined", "*[x*$k for x in l],sep='$s'",
        numbers(1, 9), [("4 9 2", "8-18-4"), ("7", "14")], params={"k": range(2, 8), "s": JOINERS},
        vague=True,
    ),
)  # fmt: skip

_FILTER = (
    short(
        "keep_compared", "list_filter", "numbers", "those $cmp $k on one line", "*[x for x in l if x$cmp$k]",
        numbers_near("k"), [("5 10 12 20", "12 20"), ("11 2", "11")],
        params={"cmp": _COMPARISONS, "k": starting(10, range(8, 28))}, edges=["0"],
    ),
    short(
        "keep_multiples", "list_filter", "numbers", "the multiples of $k on one line",
        "*[x for x in l if x%$k==0]",
        multiples_of("k"), [("3 4 9", "3 9"), ("1 6", "6")], params={"k": starting(3, range(2, 10))},
        edges=["1"],
    ),
    short(
        "drop_equal", "list_filter", "numbers", "those that are not $k on one line",
        "*[x for x in l if x!=$k]",
        _with_repeats,
        [("3 4 3", "4"), ("1 2", "1 2")], params={"k": starting(3, range(1, 30))}, edges=["0"],
    ),
    short(
        "keep_compared_vague", "list_filter", "numbers", "those past the limit $k on one line",
        "*[x for x in l if x$cmp$k]",
        numbers_near("k"), [("5 10 12 20", "12 20"), ("11 2", "11")],
        params={"cmp": _HIDDEN_COMPARISONS, "k": starting(10, range(8, 33, 2))}, vague=True,
    ),
)  # fmt: skip

_SLICE = (
    short(
        "first_joined", "list_slice", "numbers", "the first $k joined by '$s'", "*l[:$k],sep='$s'", _SEVERAL,
        [("4 9 2 8 7 1", "4-9"), ("7", "7")], params={"k": range(2, 6), "s": JOINERS}, edges=["3"],
    ),
    short(
        "last_joined", "list_slice", "numbers", "the last $k joined by '$s'", "*l[-$k:],sep='$s'", _SEVERAL,
        [("4 9 2 8 7 1", "7-1"), ("7", "7")], params={"k": range(2, 6), "s": JOINERS}, edges=["3"],
    ),
    short(
        "all_but_first", "list_slice", "numbers", "all but the first $k joined by '$s'", "*l[$k:],sep='$s'",
        _SEVERAL, [("4 9 2 8 7 1", "2-8-7-1"), ("1 2 3", "3")], params={"k": range(2, 6), "s": JOINERS},
    ),
    short(
        "part_vague", "list_slice", "numbers", "$k of them joined by '$s'", "*l[$part],sep='$s'", _SEVERAL,
        [("4 9 2 8 7 1", "4-9"), ("7", "7")],
        params={"part": (":2", "-2:"), "k": (2,), "s": JOINERS}, vague=True,
    ),
    short(
        "first_joined_vague", "list_slice", "numbers", "the first $k, joined", "*l[:$k],sep='$s'", _SEVERAL,
        [("4 9 2 8 7 1", "4-9"), ("7", "7")], params={"k": range(2, 6), "s": JOINERS}, vague=True,
    ),
)  # fmt: skip

TEMPLATES: tuple[ProblemTemplate, ...] = (*_TOTAL, *_COUNT, *_PICK, *_ORDER, *_MAP, *_FILTER, *_SLICE)
