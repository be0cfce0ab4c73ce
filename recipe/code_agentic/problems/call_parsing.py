"""Call problems on text that means something: parsing, dates and times."""

from __future__ import annotations

from functools import partial
from random import Random

from recipe.code_agentic.problems.template import Params, ProblemTemplate

_easy = partial(ProblemTemplate, difficulty="easy")
_medium = partial(ProblemTemplate, difficulty="medium")
_hard = partial(ProblemTemplate, difficulty="hard")


def _clock(rng: Random) -> str:
    return f"{rng.randint(0, 23):02d}:{rng.randint(0, 59):02d}"


def _date(rng: Random, params: Params) -> list[int]:
    return [
        rng.choice((1900, 2000, 2023, 2024, rng.randint(1901, 2099))),
        rng.randint(1, 12),
        rng.randint(1, 28),
    ]


def _sum_text(rng: Random) -> str:
    text = str(rng.randint(0, 30))
    for _ in range(rng.randint(0, 4)):
        text += rng.choice("+-*") + str(rng.randint(0, 12))
    return text


TEMPLATES: tuple[ProblemTemplate, ...] = (
    _medium(
        name="call_parse_pairs",
        family="parsing",
        wordings=(
            "Write parse_pairs(text) for a string such as 'a=1${sep}b=2' that returns a dict from each name "
            "(string) to its int. A name that comes again gets the last value; the empty string gives an "
            "empty dict.",
        ),
        reference="""\
def parse_pairs(text):
    pairs = {}
    for part in text.split('$sep'):
        if part:
            name, value = part.split('=')
            pairs[name] = int(value)
    return pairs
""",
        make_input=lambda rng, params: [
            params["sep"].join(
                f"{rng.choice('abcx')}={rng.randint(-9, 40)}" for _ in range(rng.randint(1, 4))
            )
        ],
        examples=((["a=1&b=2"], {"a": 1, "b": 2}), ([""], {}), (["x=3&x=-4"], {"x": -4})),
        params={"sep": ("&", ";", ",", "|")},
        fn_name="parse_pairs",
        edge_inputs=([""], ["a=0"]),
    ),
    _hard(
        name="call_evaluate",
        family="parsing",
        wordings=(
            "Write evaluate(text) that returns the value (int) of an expression given as a string of whole "
            "numbers joined by +, - and *, without spaces or brackets. $rule",
        ),
        reference="""\
def evaluate(text):
    tokens = text.replace('+', ' + ').replace('-', ' - ').replace('*', ' * ').split()
    if '$rule'.startswith('Multiplication'):
        terms = [int(tokens[0])]
        for sign, number in zip(tokens[1::2], map(int, tokens[2::2])):
            if sign == '*':
                terms[-1] *= number
            else:
                terms.append(number if sign == '+' else -number)
        return sum(terms)
    value = int(tokens[0])
    for sign, number in zip(tokens[1::2], map(int, tokens[2::2])):
        value = value + number if sign == '+' else value - number if sign == '-' else value * number
    return value
""",
        make_input=lambda rng, params: [_sum_text(rng)],
        examples=((["2+3*4"], 14), (["7"], 7), (["2*3-1"], 5), (["1-2-3"], -4)),
        params={
            "rule": (
                "Multiplication binds more strongly.",
                "Operators are applied strictly from left to right.",
            )
        },
        fn_name="evaluate",
        edge_inputs=(["0"], ["1-2*3+4"]),
    ),
    _medium(
        name="call_run_length_decode",
        family="parsing",
        wordings=(
            "Write decode(text) that expands a string such as '3a2b' to 'aaabb': each letter is repeated as "
            "often as the number before it says (it may have several digits); a letter without a number "
            "appears $plain.",
        ),
        reference="""\
def decode(text):
    result = count = ''
    for c in text:
        if c.isdigit():
            count += c
        else:
            result += c * int(count or {'once': 1, 'twice': 2, 'not at all': 0}['$plain'])
            count = ''
    return result
""",
        make_input=lambda rng, params: [
            "".join(
                rng.choice(("", str(rng.randint(1, 4)), "11")) + rng.choice("abcd")
                for _ in range(rng.randint(1, 4))
            )
        ],
        examples=((["3a2b"], "aaabb"), ([""], ""), (["a10b"], "abbbbbbbbbb"), (["xyz"], "xyz")),
        params={"plain": ("once", "twice", "not at all")},
        fn_name="decode",
        edge_inputs=([""], ["a12b"]),
    ),
    _medium(
        name="call_roman",
        family="parsing",
        wordings=(
            "Write roman(text) that returns the int value of a Roman number given as a string of the "
            "letters I=1, V=5, X=10, L=50, C=$c: a letter before a larger one is subtracted, every other is "
            "added.",
        ),
        reference="""\
def roman(text):
    values = [{'I': 1, 'V': 5, 'X': 10, 'L': 50, 'C': $c}[letter] for letter in text]
    total = 0
    for value, following in zip(values, values[1:] + [0]):
        total += -value if value < following else value
    return total
""",
        make_input=lambda rng, params: [
            rng.choice(("", "C", "CC", "XC", "XL", "L", "X"))
            + rng.choice(("I", "IV", "VI", "IX", "XIX", "XXV"))
        ],
        examples=((["XIV"], 14), (["I"], 1), (["XC"], 90), (["CCXLIX"], 249)),
        params={"c": (100, 99, 60)},
        fn_name="roman",
        edge_inputs=(["C"], ["XC"]),
    ),
    _medium(
        name="call_page_ranges",
        family="parsing",
        wordings=(
            "Write pages(text) that turns a string such as '1-3${sep}7' into the sorted list of the "
            "different ints it names; a range includes both ends. The empty string gives an empty list.",
        ),
        reference="""\
def pages(text):
    found = set()
    for part in text.split('$sep') if text else []:
        first, _, last = part.partition('-')
        found.update(range(int(first), int(last or first) + 1))
    return sorted(found)
""",
        make_input=lambda rng, params: [
            params["sep"].join(
                str(a) if rng.random() < 0.5 else f"{a}-{a + rng.randint(0, 4)}"
                for a in (rng.randint(1, 30) for _ in range(rng.randint(1, 4)))
            )
        ],
        examples=((["1-3,7"], [1, 2, 3, 7]), ([""], []), (["9,2-3,3"], [2, 3, 9])),
        params={"sep": (",", ";", "+", "/")},
        fn_name="pages",
        edge_inputs=([""], ["4-4"]),
    ),
    _hard(
        name="call_split_quoted",
        family="parsing",
        wordings=(
            "Write split_quoted(line) that cuts the string line at every '$sep' that is not inside double "
            "quotes and returns the list of pieces without the quote characters. Quotes come in pairs; the "
            "empty string gives a list with one empty string.",
        ),
        reference="""\
def split_quoted(line):
    pieces = ['']
    quoted = False
    for c in line:
        if c == '"':
            quoted = not quoted
        elif c == '$sep' and not quoted:
            pieces.append('')
        else:
            pieces[-1] += c
    return pieces
""",
        make_input=lambda rng, params: [
            params["sep"].join(
                rng.choice(("", "ab", "x y", f'"c{params["sep"]}d"', '"q"', f'e"{params["sep"]}"'))
                for _ in range(rng.randint(1, 4))
            )
        ],
        examples=(
            (['a,"b,c",d'], ["a", "b,c", "d"]),
            ([""], [""]),
            ([",x"], ["", "x"]),
            (['""'], [""]),
        ),
        params={"sep": (",", ";", "|")},
        fn_name="split_quoted",
        edge_inputs=([""], ['"a"']),
    ),
    _medium(
        name="call_newest_version",
        family="parsing",
        wordings=(
            "Write pick_version(versions) that returns the $which of a list of at least one version string "
            "such as '1.10.2': parts are compared as numbers from left to right, and missing parts count as "
            "0. Of equal versions return the first in the list.",
        ),
        reference="""\
def pick_version(versions):
    def parts(version):
        numbers = [int(part) for part in version.split('.')]
        return numbers + [0] * (4 - len(numbers))

    return max(versions, key=parts) if '$which' == 'newest' else min(versions, key=parts)
""",
        make_input=lambda rng, params: [
            [
                ".".join(str(rng.choice((0, 1, 2, 9, 10))) for _ in range(rng.randint(1, 4)))
                for _ in range(rng.randint(2, 5))
            ]
        ],
        examples=(([["1.9", "1.10"]], "1.10"), ([["2", "2.0"]], "2"), ([["0.1"]], "0.1")),
        params={"which": ("newest", "oldest")},
        fn_name="pick_version",
        edge_inputs=([["1.0", "1"]], [["3"]]),
    ),
    _easy(
        name="call_leap_year",
        family="dates",
        wordings=(
            "Write days_in_february(year) for an int year: 29 in leap years, else 28. Leap years are the "
            "multiples of 4, but not the multiples of 100, unless they are multiples of $cycle.",
        ),
        reference="""\
def days_in_february(year):
    leap = year % 4 == 0 and (year % 100 != 0 or year % $cycle == 0)
    return 29 if leap else 28
""",
        make_input=lambda rng, params: [
            rng.choice((rng.randint(1, 50) * 100, rng.randint(1, 999) * 4, rng.randint(1, 4000)))
        ],
        examples=(([2024], 29), ([1900], 28), ([2000], 29), ([2023], 28)),
        params={"cycle": (400, 300, 500, 900)},
        fn_name="days_in_february",
        edge_inputs=([1900], [1200], [2023]),
    ),
    _medium(
        name="call_day_of_year",
        family="dates",
        wordings=(
            "Write day_number(year, month, day) that returns which day of its year a date of the usual "
            "(Gregorian) calendar is, 1 January being day $first.",
        ),
        reference="""\
def day_number(year, month, day):
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    lengths = [31, 29 if leap else 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
    return sum(lengths[:month - 1]) + day - 1 + $first
""",
        make_input=_date,
        examples=(([2023, 1, 1], 1), ([2024, 3, 1], 61), ([1900, 3, 1], 60), ([2023, 12, 31], 365)),
        params={"first": (1, 0)},
        fn_name="day_number",
        edge_inputs=([2000, 12, 31], [2023, 1, 1]),
    ),
    _medium(
        name="call_minutes_between",
        family="dates",
        wordings=(
            "Write minutes_between(start, end) for two times of day, strings 'HH:MM' from 00:00 to 23:59. "
            "Return the minutes from start until the clock next shows end; equal times give $same.",
        ),
        reference="""\
def minutes_between(start, end):
    first, last = (int(t[:2]) * 60 + int(t[3:]) for t in (start, end))
    return (last - first) % 1440 or $same
""",
        make_input=lambda rng, params: [_clock(rng), _clock(rng)],
        examples=((["08:30", "10:00"], 90), (["23:50", "00:10"], 20), (["07:00", "07:00"], 0)),
        params={"same": (0, 1440)},
        fn_name="minutes_between",
        edge_inputs=(["12:00", "12:00"], ["23:59", "00:00"]),
    ),
    _easy(
        name="call_clock_plus",
        family="dates",
        wordings=(
            "Write later(time) that returns the time of day $m minutes after time, both strings 'HH:MM' on "
            "a 24-hour clock.",
        ),
        reference="""\
def later(time):
    minutes = (int(time[:2]) * 60 + int(time[3:]) + $m) % 1440
    return f'{minutes // 60:02d}:{minutes % 60:02d}'
""",
        make_input=lambda rng, params: [_clock(rng)],
        examples=((["08:30"], "09:15"), (["23:30"], "00:15"), (["00:00"], "00:45")),
        params={"m": (45, 30, 75, 90, 100, 20)},
        fn_name="later",
        edge_inputs=(["23:59"], ["00:00"]),
    ),
    _medium(
        name="call_duration_text",
        family="dates",
        wordings=(
            "Write duration(seconds) that turns an int of 0 or more into hours, minutes and seconds as a "
            "string such as '2h 5m 9s'. Parts that are 0 are left out; 0 seconds give '$zero'.",
        ),
        reference="""\
def duration(seconds):
    parts = [(seconds // 3600, 'h'), (seconds // 60 % 60, 'm'), (seconds % 60, 's')]
    return ' '.join(f'{n}{unit}' for n, unit in parts if n) or '$zero'
""",
        make_input=lambda rng, params: [
            rng.choice((0, 1, 2)) * 3600
            + rng.choice((0, rng.randint(1, 59))) * 60
            + rng.choice((0, rng.randint(1, 59)))
        ],
        examples=(([7509], "2h 5m 9s"), ([0], "0s"), ([60], "1m"), ([3601], "1h 1s")),
        params={"zero": ("0s", "now", "none")},
        fn_name="duration",
        edge_inputs=([0], [3600]),
    ),
)
