"""Longer stdin problems about whole numbers: divisors, primes, bases, sequences and clock times."""

from __future__ import annotations

from functools import partial
from random import Random

from recipe.code_agentic.problems.input_draws import one_number
from recipe.code_agentic.problems.short_form import JOINERS
from recipe.code_agentic.problems.template import Choice, Params, ProblemTemplate

_medium = partial(ProblemTemplate, difficulty="medium")
_hard = partial(ProblemTemplate, difficulty="hard")


def _range(rng: Random, params: Params) -> str:
    low = rng.randint(1, 60)
    return f"{low} {low + rng.randint(0, 50)}"


def _smooth(rng: Random, params: Params) -> str:
    """A product of small primes, so that its factorisation has powers."""
    number = 1
    for _ in range(rng.randint(1, 6)):
        number *= rng.choice((2, 2, 3, 3, 5, 7, 11))
    return str(max(2, number))


def _clock(rng: Random) -> str:
    return f"{rng.randint(0, 23):02}:{rng.randint(0, 59):02}"


def _date(rng: Random, params: Params) -> str:
    return f"{rng.randint(1999, 2028)}-{rng.randint(1, 12):02}-{rng.randint(1, 28):02}"


TEMPLATES: tuple[ProblemTemplate, ...] = (
    _medium(
        name="gcd_and_lcm",
        family="number_theory",
        wordings=(
            "Read a line of positive integers. Print their greatest common divisor and their least common"
            " multiple, joined by '$s'.",
        ),
        reference="""from math import gcd, lcm
numbers = list(map(int, input().split()))
print(gcd(*numbers), lcm(*numbers), sep='$s')""",
        make_input=lambda rng, params: " ".join(
            str(rng.choice((1, 2, 3)) * rng.randint(1, 20)) for _ in range(rng.randint(2, 4))
        ),
        examples=[("4 6", "2-12"), ("5", "5-5"), ("3 5 15", "1-15")],
        params={"s": JOINERS},
        edge_inputs=["1", "7 7"],
    ),
    _hard(
        name="primes_by_digit",
        family="number_theory",
        wordings=(
            "Read two integers a and b. Print the primes from a to b, both included, that end with the "
            "digit $d, joined by '$s', or 'none'.",
        ),
        reference="""a, b = map(int, input().split())
found = [n for n in range(max(a, 2), b + 1) if n % 10 == $d and all(n % d for d in range(2, int(n**0.5) + 1))]
print(*found, sep='$s') if found else print('none')""",
        make_input=_range,
        examples=[("1 25", "3-13-23"), ("14 22", "none"), ("3 3", "3")],
        params={"d": (3, 1, 7, 9), "s": JOINERS},
        edge_inputs=["1 1", "1 120"],
    ),
    _hard(
        name="prime_factors",
        family="number_theory",
        wordings=(
            "Read an integer n of at least 2. Print its prime factors from small to large, joined by "
            "'$times'; a prime p that divides n e times, e over 1, is written as p${power}e.",
        ),
        reference="""n, p, parts = int(input()), 2, []
while n > 1:
    e = 0
    while n % p == 0:
        n //= p
        e += 1
    if e:
        parts.append(f'{p}$power{e}' if e > 1 else str(p))
    p += 1
print('$times'.join(parts))""",
        make_input=_smooth,
        examples=[("360", "2^3*3^2*5"), ("7", "7"), ("4", "2^2")],
        params={"times": ("*", "x", "+", " * "), "power": ("^", "**", "_")},
        edge_inputs=["2", "97"],
    ),
    _medium(
        name="divisors_of_kind",
        family="number_theory",
        wordings=(
            "Read a positive integer n. Among its divisors (1 and n included) take those that are "
            "multiples of $k. Print how many there are and their sum, with a space.",
        ),
        reference="""n = int(input())
divisors = [d for d in range(1, n + 1) if n % d == 0 and d % $k == 0]
print(len(divisors), sum(divisors))""",
        make_input=_smooth,
        examples=[("12", "4 24"), ("9", "0 0"), ("2", "1 2")],
        params={"k": (2, 3, 4, 5, 6)},
        edge_inputs=["1", "60"],
    ),
    _medium(
        name="divisor_class",
        family="number_theory",
        wordings=(
            "Read an integer n of at least 2. Compare $k times n with the sum of the divisors of n that "
            "are smaller than n: print 'less' if the sum is smaller, 'more' if it is larger, else "
            "'equal'.",
        ),
        reference="""n = int(input())
total = sum(d for d in range(1, n) if n % d == 0)
print('less' if total < $k * n else 'more' if total > $k * n else 'equal')""",
        make_input=lambda rng, params: str(
            rng.choice((6, 28, 120, 496, 12, 24, 36, 180, 240, 360, 672, rng.randint(2, 400)))
        ),
        examples=[("6", "equal"), ("8", "less"), ("12", "more")],
        params={"k": (1, 2)},
        edge_inputs=["2"],
    ),
    _medium(
        name="collatz_steps",
        family="number_sequences",
        wordings=(
            "Read a positive integer n. As long as n is over $k, replace it by n / 2 if it is even, else "
            "by 3 * n + 1. Print the number of steps and the largest n on the way, the first one "
            "included, joined by '$s'.",
        ),
        reference="""n = top = int(input())
steps = 0
while n > $k:
    n = n // 2 if n % 2 == 0 else 3 * n + 1
    top = max(top, n)
    steps += 1
print(steps, top, sep='$s')""",
        make_input=one_number(2, 60),
        examples=[("6", "8-16"), ("1", "0-1"), ("4", "2-4")],
        params={"k": (1, 2, 4, 6, 10), "s": JOINERS[:5]},
        edge_inputs=["1", "27"],
    ),
    _medium(
        name="digit_square_walk",
        family="number_sequences",
        wordings=(
            "Read an integer n. Replace it $k times by the sum of the squares of its digits and print the"
            " $k values one after the other, joined by '$s'.",
        ),
        reference="""n, values = int(input()), []
for _ in range($k):
    n = sum(int(d) ** 2 for d in str(n))
    values.append(str(n))
print('$s'.join(values))""",
        make_input=one_number(2, 200),
        examples=[("19", "82-68-100"), ("10", "1-1-1")],
        params={"k": (3, 2, 4, 5), "s": JOINERS[:6]},
        edge_inputs=["0", "1"],
    ),
    _medium(
        name="fibonacci_modulo",
        family="number_sequences",
        wordings=(
            "A sequence begins with $a and $b; every further number is the sum of the two before it. Read"
            " n and print the n-th number, counted from 1, modulo $m.",
        ),
        reference="""a, b = $a, $b
for _ in range(int(input()) - 1):
    a, b = b, a + b
print(a % $m)""",
        make_input=one_number(2, 60),
        examples=[("10", "55"), ("1", "1"), ("12", "44")],
        params={"m": (100, 10, 7, 50), "a": (1, 2, 3), "b": (1, 3, 4)},
        edge_inputs=["1", "2"],
    ),
    _medium(
        name="power_modulo",
        family="number_theory",
        wordings=("Read a and b on one line and print a to the power b, modulo $m.",),
        reference="""a, b = map(int, input().split())
print(pow(a, b, $m))""",
        make_input=lambda rng, params: f"{rng.randint(2, 30)} {rng.randint(0, 200)}",
        examples=[("2 10", "2"), ("3 4", "4"), ("5 0", "1")],
        params={"m": (7, 9, 11, 13, 17, 19, 23, 97)},
        edge_inputs=["1 1000", "2 100000"],
    ),
    _medium(
        name="to_base",
        family="number_bases",
        wordings=(
            "Read an integer n of at least 0 and print it in base $b, with the digits 0 to 9 and then the"
            " letters a to z.",
        ),
        reference="""n, out = int(input()), ''
while n:
    n, digit = divmod(n, $b)
    out = '0123456789abcdefghijklmnopqrstuvwxyz'[digit] + out
print(out or '0')""",
        make_input=one_number(1, 2000),
        examples=[("10", "101"), ("0", "0"), ("26", "222")],
        params={"b": (3, 4, 5, 6, 7, 9, 11, 12, 13, 20, 24, 36)},
        edge_inputs=["0", "1"],
    ),
    _medium(
        name="base_sum",
        family="number_bases",
        wordings=(
            "Read a line of numbers written in base $b and print their sum, written in base 10, plus $k.",
        ),
        reference="print(sum(int(x, $b) for x in input().split()) + $k)",
        make_input=lambda rng, params: " ".join(
            "".join(rng.choice("0123456789abcdef"[: params["b"]]) for _ in range(rng.randint(1, 4)))
            for _ in range(rng.randint(1, 4))
        ),
        examples=[("101 1", "8"), ("0", "2")],
        params={"b": (2, 3, 5, 7, 12, 16), "k": (2, 5, 9)},
    ),
    _hard(
        name="roman_plus",
        family="number_bases",
        wordings=(
            "Read an integer n from 0 to 3000 and print n plus $k in Roman numerals (4 is IV, 9 is IX, 40"
            " is XL and so on).",
        ),
        reference="""n, out = int(input()) + $k, ''
values = [1000, 900, 500, 400, 100, 90, 50, 40, 10, 9, 5, 4, 1]
for value, sign in zip(values, 'M CM D CD C XC L XL X IX V IV I'.split()):
    out += sign * (n // value)
    n %= value
print(out)""",
        make_input=lambda rng, params: str(rng.choice((rng.randint(0, 100), rng.randint(0, 3000)))),
        examples=[("3", "IV"), ("8", "IX"), ("1993", "MCMXCIV")],
        params={"k": range(1, 20)},
        edge_inputs=["0", "3000"],
    ),
    _medium(
        name="time_later",
        family="clock_times",
        wordings=(
            "Read a time of day as hh:mm and print the time $k minutes later in the same form (after "
            "23:59 comes 00:00).",
        ),
        reference="""h, m = map(int, input().split(':'))
total = (h * 60 + m + $k) % 1440
print(f'{total // 60:02}:{total % 60:02}')""",
        make_input=lambda rng, params: _clock(rng),
        examples=[("23:50", "00:15"), ("09:05", "09:30")],
        params={"k": (25, 10, 45, 70, 90, 125, 240, 600, 1000, 2000)},
        edge_inputs=["00:00", "23:59"],
    ),
    _medium(
        name="time_between",
        family="clock_times",
        wordings=(
            "Read two times of day as hh:mm on one line. Print how long it is from the first to the "
            "second, which is on the next day if it is earlier, as hours, '$s' and minutes with two "
            "digits. $same",
        ),
        reference="""first, second = (int(t[:2]) * 60 + int(t[3:]) for t in input().split())
minutes = (second - first) % 1440 $same
print(f'{minutes // 60}$s{minutes % 60:02}')""",
        make_input=lambda rng, params: f"{_clock(rng)} {_clock(rng)}",
        examples=[("10:00 13:25", "3h25"), ("23:30 00:05", "0h35"), ("08:00 08:00", "0h00")],
        params={
            "s": ("h", ":", "-", "/"),
            "same": (
                Choice("Equal times are 0 minutes apart.", "or 0"),
                Choice("Equal times are a whole day apart.", "or 1440"),
            ),
        },
        edge_inputs=["12:34 12:34", "00:00 23:59"],
    ),
    _medium(
        name="seconds_as_clock",
        family="clock_times",
        wordings=(
            "Read a number of seconds and print it as hours, minutes and seconds joined by '$s', the "
            "minutes and the seconds with two digits. Add $k seconds first.",
        ),
        reference="""t = int(input()) + $k
print(t // 3600, f'{t // 60 % 60:02}', f'{t % 60:02}', sep='$s')""",
        make_input=one_number(0, 20000),
        examples=[("3656", "1:01:01"), ("0", "0:00:05")],
        params={"k": (5, 30, 60, 100), "s": (":", "-", ".", "/", " ")},
        edge_inputs=["0", "86395"],
    ),
    _hard(
        name="date_later",
        family="calendar_dates",
        wordings=(
            "Read a date as yyyy-mm-dd and print the date $k days $way in the same form. Leap years count.",
        ),
        reference="""from datetime import date, timedelta
print(date.fromisoformat(input()) ${way} timedelta($k))""",
        make_input=_date,
        examples=[("2024-02-28", "2024-03-01"), ("2023-12-31", "2024-01-02")],
        params={"k": (2, 1, 7, 30, 100, 365, 1000), "way": (Choice("later", "+"), Choice("earlier", "-"))},
        edge_inputs=["2000-02-29", "2027-01-01"],
    ),
    _hard(
        name="leap_days",
        family="calendar_dates",
        wordings=(
            "Read two years a and b with a at most b. Print how many leap years there are from a to b, "
            "both included, that end with the digit $d, and the first of them or 'none', joined by '$s'. "
            "A year is a leap year if 4 divides it, unless 100 divides it and 400 does not.",
        ),
        reference="""a, b = map(int, input().split())
leap = [y for y in range(a, b + 1) if (y % 400 == 0 or y % 4 == 0 and y % 100) and y % 10 == $d]
print(len(leap), leap[0] if leap else 'none', sep='$s')""",
        make_input=lambda rng, params: f"{(low := rng.randint(1880, 2020))} {low + rng.randint(0, 120)}",
        examples=[("1996 2000", "1-2000"), ("1900 1900", "0-none"), ("2000 2021", "2-2000")],
        params={"d": (0, 4, 8), "s": JOINERS[:5]},
        edge_inputs=["1900 1900", "1600 2400"],
    ),
)
