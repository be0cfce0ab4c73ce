"""Short call problems that decide something: limits, choices and yes/no questions.

References stay within 80 characters with one space of indentation (see ``call_numbers``).
"""

from __future__ import annotations

from functools import partial

from recipe.code_agentic.problems.argument_draws import int_list, one_int, two_ints
from recipe.code_agentic.problems.template import ProblemTemplate

_easy = partial(ProblemTemplate, difficulty="easy", fn_name="f")

TEMPLATES: tuple[ProblemTemplate, ...] = (
    _easy(
        name="call_clamp",
        family="compare",
        wordings=("Write f(a) that returns a kept between $lo and $hi.",),
        reference="def f(a):\n return max($lo,min(a,$hi))",
        make_input=one_int(-10, 40, "lo", "hi"),
        examples=(([4], 4), ([0], 1), ([30], 10)),
        params={"lo": range(1, 7), "hi": range(10, 18)},
        edge_inputs=([-5], [40]),
    ),
    _easy(
        name="call_smaller_times",
        family="compare",
        wordings=("Write f(a) that returns $m times the smaller of a and $k.",),
        reference="def f(a):\n return min(a,$k)*$m",
        make_input=one_int(-5, 30, "k"),
        examples=(([3], 6), ([5], 10), ([9], 10)),
        params={"k": range(5, 13), "m": range(2, 7)},
        edge_inputs=([0], [50]),
    ),
    _easy(
        name="call_larger_plus",
        family="compare",
        wordings=("Write f(a,b) that returns the larger of a and b plus $k.",),
        reference="def f(a,b):\n return max(a,b)+$k",
        make_input=two_ints(-20, 40),
        examples=(([3, 8], 9), ([5, 2], 6), ([-4, -4], -3)),
        params={"k": range(1, 31)},
        edge_inputs=([0, 0],),
    ),
    _easy(
        name="call_add_when_over",
        family="compare",
        wordings=("Write f(a) that returns a plus $m if a is over $k, else a.",),
        reference="def f(a):\n return a+$m if a>$k else a",
        make_input=one_int(-5, 30, "k"),
        examples=(([6], 7), ([5], 5), ([0], 0)),
        params={"k": range(5, 13), "m": range(1, 7)},
        edge_inputs=([0], [40]),
    ),
    _easy(
        name="call_times_when_under",
        family="compare",
        wordings=("Write f(a) that returns a times $m if a is under $k, else a.",),
        reference="def f(a):\n return a*$m if a<$k else a",
        make_input=one_int(-5, 30, "k"),
        examples=(([4], 8), ([5], 5), ([9], 9)),
        params={"k": range(5, 13), "m": range(2, 8)},
        edge_inputs=([1], [40]),
    ),
    _easy(
        name="call_one_of_two",
        family="compare",
        wordings=("Write f(a) that returns $p if a is under $k, else $q.",),
        reference="def f(a):\n return $p if a<$k else $q",
        make_input=one_int(-5, 40, "k"),
        examples=(([4], 1), ([5], 6), ([30], 6)),
        params={"k": (5, 10, 15, 20), "p": (1, 2, 3), "q": (6, 7, 8, 9)},
        edge_inputs=([0], [50]),
    ),
    _easy(
        name="call_in_range",
        family="predicate",
        wordings=("Write f(a) that returns True if a is at least $lo and at most $hi, else False.",),
        reference="def f(a):\n return $lo<=a<=$hi",
        make_input=one_int(0, 25, "lo", "hi"),
        examples=(([2], True), ([10], True), ([1], False), ([11], False)),
        params={"lo": range(2, 8), "hi": range(10, 18)},
        edge_inputs=([0], [40]),
    ),
    _easy(
        name="call_sum_over",
        family="predicate",
        wordings=("Write f(a,b) that returns True if a plus b is over $k, else False.",),
        reference="def f(a,b):\n return a+b>$k",
        make_input=lambda rng, params: [
            first := rng.randint(0, 20),
            params["k"] - first + rng.randint(-3, 4),
        ],
        examples=(([5, 6], True), ([5, 5], False), ([0, 0], False)),
        params={"k": range(10, 40)},
        edge_inputs=([0, 0], [50, 50]),
    ),
    _easy(
        name="call_divides_both",
        family="predicate",
        wordings=("Write f(a) that returns True if a is a multiple of $k and of $m, else False.",),
        reference="def f(a):\n return a%$k==0 and a%$m==0",
        make_input=lambda rng, params: [
            rng.randint(1, 9) * rng.choice((1, params["k"], params["m"], params["k"] * params["m"]))
        ],
        examples=(([10], True), ([4], False), ([15], False), ([0], True)),
        params={"k": (2, 3, 4), "m": (5, 7, 9, 11)},
        edge_inputs=([0], [1]),
    ),
    _easy(
        name="call_remainder_is",
        family="predicate",
        wordings=("Write f(a) that returns True if the remainder of a by $k is $r, else False.",),
        reference="def f(a):\n return a%$k==$r",
        make_input=lambda rng, params: [
            rng.randint(0, 8) * params["k"] + rng.choice((0, params["r"], params["r"], 2))
        ],
        examples=(([6], True), ([1], True), ([5], False)),
        params={"k": range(5, 12), "r": (1, 3, 4)},
        edge_inputs=([0],),
    ),
    _easy(
        name="call_all_over",
        family="predicate",
        wordings=("Write f(a) that returns True if all numbers in the list a are over $k, else False.",),
        reference="def f(a):\n return all(x>$k for x in a)",
        make_input=lambda rng, params: [
            [params["k"] + rng.choice((0, 1, 1, 2, 3, 5, 9)) for _ in range(rng.randint(1, 4))]
        ],
        examples=(([[3, 4]], True), ([[2, 9]], False), ([[]], True)),
        params={"k": range(2, 22)},
        edge_inputs=([[]],),
    ),
    _easy(
        name="call_any_of_two",
        family="predicate",
        wordings=("Write f(a) that returns True if $k or $m is in the list a, else False.",),
        reference="def f(a):\n return $k in a or $m in a",
        make_input=lambda rng, params: [
            [
                rng.choice((1, 9, params["k"], params["m"], rng.randint(10, 40)))
                for _ in range(rng.randint(1, 3))
            ]
        ],
        examples=(([[2, 9]], True), ([[1, 5]], True), ([[3, 4]], False)),
        params={"k": (2, 3, 4, 8), "m": (5, 6, 7)},
        edge_inputs=([[]],),
    ),
    _easy(
        name="call_pair_gap_limit",
        family="predicate",
        wordings=("Write f(a,b) that returns True if a and b differ by at most $k, else False.",),
        reference="def f(a,b):\n return abs(a-b)<=$k",
        make_input=lambda rng, params: [
            first := rng.randint(0, 30),
            first + rng.choice((-1, 1)) * max(0, params["k"] + rng.randint(-2, 2)),
        ],
        examples=(([4, 6], True), ([4, 7], False), ([9, 7], True)),
        params={"k": range(2, 22)},
        edge_inputs=([0, 0], [0, 50]),
    ),
    _easy(
        name="call_length_in_range",
        family="predicate",
        wordings=("Write f(a) that returns True if the list a has $lo to $hi numbers, else False.",),
        reference="def f(a):\n return $lo<=len(a)<=$hi",
        make_input=int_list(0, 9, shortest=1, longest=9),
        examples=(([[1, 2]], True), ([[7]], False), ([[1, 2, 3, 4, 5, 6]], False)),
        params={"lo": (2, 3, 4), "hi": (5, 6, 7, 8)},
        edge_inputs=([[]],),
    ),
)
