"""Short problems about one integer."""

from __future__ import annotations

from recipe.code_agentic.problems.short_form import (
    FILLERS,
    JOINERS,
    MARKS,
    UNITS,
    number,
    number_near,
    short,
    starting,
)
from recipe.code_agentic.problems.template import Choice, ProblemTemplate

_YES = ("yes", "big", "hot", "up")
_NO = ("no", "low", "off")
_BASES = (Choice("2", "b"), Choice("8", "o"), Choice("16", "x"))

_SHIFT = (
    short(
        "number_plus", "number_shift", "n", "n plus $k", "n+$k", number(1, 99),
        [("4", "11"), ("90", "97")], params={"k": starting(7, range(2, 41))}, edges=["0", "-30"],
    ),
    short(
        "number_minus", "number_shift", "n", "n minus $k", "n-$k", number(1, 99),
        [("20", "15"), ("2", "-3")], params={"k": starting(5, range(2, 41))}, edges=["0", "-30"],
    ),
    short(
        "minus_number", "number_shift", "n", "$k minus n", "$k-n", number(1, 99),
        [("4", "6"), ("25", "-15")], params={"k": starting(10, range(2, 41))}, edges=["0", "-30"],
    ),
    short(
        "number_and_neighbour", "number_shift", "n", "n and n plus $k with a space", "n,n+$k", number(1, 99),
        [("4", "4 6"), ("98", "98 100")], params={"k": range(2, 30)}, edges=["0", "-30"],
    ),
    short(
        "number_step_vague", "number_shift", "n", "n moved by a step", "n${step}", number(12, 99),
        [("14", "15"), ("20", "21")], params={"step": ("+1", "-1", "+2", "-2", "+10", "-10")}, vague=True,
    ),
)  # fmt: skip

_SCALE = (
    short(
        "number_times", "number_scale", "n", "n times $k", "n*$k", number(1, 40),
        [("4", "12"), ("11", "33")], params={"k": starting(3, range(2, 41))}, edges=["0", "-3"],
    ),
    short(
        "number_times_plus", "number_scale", "n", "n times $k plus $j", "n*$k+$j", number(1, 40),
        [("4", "13"), ("10", "25")], params={"k": range(2, 9), "j": starting(5, range(2, 10))},
        edges=["0", "-3"],
    ),
    short(
        "number_times_minus", "number_scale", "n", "n times $k minus $j", "n*$k-$j", number(1, 40),
        [("4", "9"), ("10", "27")], params={"k": starting(3, range(2, 9)), "j": starting(3, range(2, 10))},
        edges=["0", "-3"],
    ),
    short(
        "square_plus", "number_scale", "n", "n times n plus $k", "n*n+$k", number(1, 30),
        [("4", "20"), ("9", "85")], params={"k": starting(4, range(2, 31))}, edges=["0", "-3"],
    ),
)  # fmt: skip

_DIVIDE = (
    short(
        "divide_down", "number_divide", "n", "n divided by $k, rounded down", "n//$k", number(1, 99),
        [("20", "6"), ("21", "7")], params={"k": starting(3, range(2, 21))}, edges=["0"],
    ),
    short(
        "divide_up", "number_divide", "n", "n divided by $k, rounded up", "-(-n//$k)", number(1, 99),
        [("20", "7"), ("21", "7")], params={"k": starting(3, range(2, 21))}, edges=["0"],
    ),
    short(
        "remainder", "number_divide", "n", "the rest of n divided by $k", "n%$k", number(1, 99),
        [("20", "2"), ("21", "0")], params={"k": starting(3, range(3, 31))}, edges=["0"],
    ),
    short(
        "divide_and_rest", "number_divide", "n", "n divided by $k, rounded down, a space and the rest",
        "n//$k,n%$k",
        number(1, 99), [("20", "6 2"), ("21", "7 0")], params={"k": starting(3, range(2, 21))}, edges=["0"],
    ),
    short(
        "divide_vague", "number_divide", "n", "n divided by $k, rounded", "${sign}(${sign}n//$k)",
        number(1, 99),
        [("20", "6"), ("21", "7")], params={"k": starting(3, range(2, 21)), "sign": ("", "-")}, vague=True,
    ),
)  # fmt: skip

_TEXT = (
    short(
        "number_unit", "number_text", "n", "n, a space and '$unit'", "n,'$unit'", number(1, 99),
        [("4", "4 kg"), ("70", "70 kg")], params={"unit": UNITS}, edges=["0"],
    ),
    short(
        "unit_number", "number_text", "n", "'$unit', a space and n", "'$unit',n", number(1, 99),
        [("4", "kg 4"), ("70", "kg 70")], params={"unit": UNITS}, edges=["0"],
    ),
    short(
        "number_plus_unit", "number_text", "n", "n plus $k, a space and '$unit'", "n+$k,'$unit'",
        number(1, 99),
        [("4", "6 kg"), ("70", "72 kg")], params={"k": range(2, 8), "unit": UNITS}, edges=["0"],
    ),
    short(
        "number_between", "number_text", "n", "n between two '$c'", "'$c'+str(n)+'$c'", number(1, 99),
        [("4", "!4!"), ("70", "!70!")], params={"c": MARKS}, edges=["0"],
    ),
    short(
        "number_unit_vague", "number_text", "n", "n, a space and its unit", "n,'$unit'", number(1, 99),
        [("4", "4 kg"), ("70", "70 kg")], params={"unit": UNITS}, vague=True,
    ),
    short(
        "number_plus_unit_vague", "number_text", "n", "n plus $k, a space and its unit", "n+$k,'$unit'",
        number(1, 99), [("4", "6 kg"), ("70", "72 kg")], params={"k": range(2, 8), "unit": UNITS}, vague=True,
    ),
    short(
        "number_between_vague", "number_text", "n", "n between two signs", "'$c'+str(n)+'$c'", number(1, 99),
        [("4", "!4!"), ("70", "!70!")], params={"c": MARKS}, vague=True,
    ),
)  # fmt: skip

_PAD = (
    short(
        "pad_left", "number_pad", "n", "n padded with '$c' on the left to $w signs", "str(n).rjust($w,'$c')",
        number(1, 999), [("42", "***42"), ("7", "****7")],
        params={"w": starting(5, range(4, 9)), "c": FILLERS}, edges=["0", "123456789"],
    ),
    short(
        "pad_right", "number_pad", "n", "n padded with '$c' on the right to $w signs",
        "str(n).ljust($w,'$c')",
        number(1, 999), [("42", "42***"), ("7", "7****")],
        params={"w": starting(5, range(4, 9)), "c": FILLERS}, edges=["0", "123456789"],
    ),
    short(
        "pad_left_vague", "number_pad", "n", "n padded on the left to $w signs", "str(n).rjust($w,'$c')",
        number(1, 999), [("42", "***42"), ("7", "****7")],
        params={"w": starting(5, range(4, 9)), "c": FILLERS}, vague=True,
    ),
    short(
        "pad_right_vague", "number_pad", "n", "n padded on the right to $w signs", "str(n).ljust($w,'$c')",
        number(1, 999), [("42", "42***"), ("7", "7****")],
        params={"w": starting(5, range(4, 9)), "c": FILLERS}, vague=True,
    ),
)  # fmt: skip

_DIGITS = (
    short(
        "digit_sum_times", "number_digits", "n", "$k times the sum of the digits of n",
        "sum(map(int,str(n)))*$k", number(1, 999), [("123", "12"), ("40", "8")],
        params={"k": range(2, 21)}, edges=["0"],
    ),
    short(
        "digit_count", "number_digits", "n", "how many digits $d are in n", "str(n).count('$d')",
        lambda rng, params: "".join(rng.choice(f"{params['d']}123456789") for _ in range(rng.randint(2, 6))),
        [("141", "2"), ("20", "0")], params={"d": range(1, 10)}, edges=["0", "1123456789"],
        difficulty="medium",
    ),
    short(
        "digits_joined", "number_digits", "n", "the digits of n joined by '$s'", "*str(n),sep='$s'",
        number(10, 9999), [("123", "1-2-3"), ("40", "4-0")], params={"s": JOINERS}, edges=["0"],
    ),
    short(
        "digits_back_plus", "number_digits", "n", "n read backwards plus $k", "int(str(n)[::-1])+$k",
        number(10, 999), [("123", "323"), ("40", "6")], params={"k": range(2, 21)}, edges=["0"],
        difficulty="medium",
    ),
    short(
        "digits_joined_vague", "number_digits", "n", "the digits of n joined", "*str(n),sep='$s'",
        number(10, 9999), [("123", "1-2-3"), ("40", "4-0")], params={"s": JOINERS}, vague=True,
    ),
)  # fmt: skip

_TEST = (
    short(
        "over_bound", "number_test", "n", "'$y' if n is over $k, else '$z'", "'$y' if n>$k else '$z'",
        number_near("k"), [("8", "yes"), ("5", "no"), ("3", "no")],
        params={"y": _YES, "z": _NO, "k": (5, 10, 12, 20, 40)}, edges=["0", "99"],
    ),
    short(
        "under_bound", "number_test", "n", "'$y' if n is under $k, else '$z'", "'$y' if n<$k else '$z'",
        number_near("k"), [("3", "yes"), ("5", "no"), ("8", "no")],
        params={"y": _YES, "z": _NO, "k": (5, 10, 12, 20, 40)}, edges=["0", "99"],
    ),
    short(
        "multiple_of", "number_test", "n", "'$y' if n is a multiple of $k, else '$z'",
        "'$y' if n%$k==0 else '$z'",
        lambda rng, params: str(rng.choice((int(params["k"]) * rng.randint(1, 9), rng.randint(1, 60)))),
        [("9", "yes"), ("10", "no")], params={"y": _YES, "z": _NO, "k": starting(3, range(2, 7))},
        edges=["0"],
    ),
    short(
        "bound_vague", "number_test", "n", "'$y' if n is past the limit $k, else '$z'",
        "'$y' if n>${eq}$k else '$z'", number_near("k"), [("8", "yes"), ("5", "no"), ("3", "no")],
        params={"eq": ("", "="), "y": _YES, "z": _NO, "k": (5, 10, 20)}, vague=True,
    ),
)  # fmt: skip

_CLIP = (
    short(
        "at_most", "number_clip", "n", "n but at most $k", "min(n,$k)", number_near("k", 9),
        [("8", "8"), ("30", "20")], params={"k": starting(20, range(10, 41))}, edges=["0", "99"],
    ),
    short(
        "at_least", "number_clip", "n", "n but at least $k", "max(n,$k)", number_near("k", 9),
        [("8", "20"), ("30", "30")], params={"k": starting(20, range(10, 41))}, edges=["0", "99"],
    ),
    short(
        "distance_to", "number_clip", "n", "how far n is from $k", "abs(n-$k)", number(1, 60),
        [("8", "12"), ("30", "10")], params={"k": starting(20, range(10, 41))}, edges=["0", "99"],
    ),
    short(
        "held_vague", "number_clip", "n", "n held at $k", "$f(n,$k)", number_near("k", 9),
        [("8", "8"), ("30", "20")], params={"f": ("min", "max"), "k": starting(20, range(10, 41))},
        vague=True,
    ),
)  # fmt: skip

_COUNT_UP = (
    short(
        "one_to_n", "number_range", "n", "the numbers from 1 to n joined by '$s'", "*range(1,n+1),sep='$s'",
        number(2, 9), [("3", "1-2-3"), ("5", "1-2-3-4-5")], params={"s": JOINERS}, edges=["1"],
    ),
    short(
        "down_to", "number_range", "n", "the numbers from n down to $k on one line", "*range(n,$k-1,-1)",
        lambda rng, params: str(params["k"] + rng.randint(1, 8)), [("6", "6 5 4"), ("4", "4")],
        params={"k": starting(4, range(1, 11))}, difficulty="medium",
    ),
    short(
        "steps_from", "number_range", "n", "the numbers from $a to n in steps of $k on one line",
        "*range($a,n+1,$k)",
        lambda rng, params: str(params["a"] + rng.randint(4, 20)), [("9", "1 4 7"), ("10", "1 4 7 10")],
        params={"a": range(1, 8), "k": range(3, 9)}, edges=["7"], difficulty="medium",
    ),
    short(
        "one_to_n_vague", "number_range", "n", "the numbers from 1 to n joined", "*range(1,n+1),sep='$s'",
        number(2, 9), [("3", "1-2-3"), ("5", "1-2-3-4-5")], params={"s": JOINERS}, vague=True,
    ),
    short(
        "up_to_vague", "number_range", "n", "the numbers from $a up to n on one line", "*range($a,n$end)",
        lambda rng, params: str(params["a"] + rng.randint(1, 8)), [("3", "1 2 3"), ("5", "1 2 3 4 5")],
        params={"end": ("+1", ""), "a": range(1, 10)}, vague=True,
    ),
)  # fmt: skip

_BASE = (
    short(
        "in_base", "number_base", "n", "n in base $f with $w digits", "f'{n:0$w$f}'", number(1, 60),
        [("5", "0101"), ("12", "1100")], params={"w": range(4, 10), "f": _BASES}, edges=["0", "255"],
        difficulty="medium",
    ),
    short(
        "plus_in_base", "number_base", "n", "n plus $k in base $f", "f'{n+$k:$f}'", number(1, 60),
        [("5", "111"), ("10", "1100")], params={"k": range(2, 16), "f": _BASES}, edges=["0", "255"],
        difficulty="medium",
    ),
    short(
        "in_base_vague", "number_base", "n", "n plus $k in its base", "f'{n+$k:$f}'", number(9, 60),
        [("9", "1011"), ("10", "1100")],
        params={"k": range(2, 16), "f": tuple(base.code for base in _BASES)}, vague=True, difficulty="medium",
    ),
)  # fmt: skip

TEMPLATES: tuple[ProblemTemplate, ...] = (
    *_SHIFT, *_SCALE, *_DIVIDE, *_TEXT, *_PAD, *_DIGITS, *_TEST, *_CLIP, *_COUNT_UP, *_BASE,
)  # fmt: skip
