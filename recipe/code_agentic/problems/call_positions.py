"""Short call problems on places in a list: slice, index and sort.

References stay within 80 characters with one space of indentation (see ``call_numbers``).
"""

from __future__ import annotations

from functools import partial

from recipe.code_agentic.problems.argument_draws import int_list, word_list
from recipe.code_agentic.problems.template import ProblemTemplate

_easy = partial(ProblemTemplate, difficulty="easy", fn_name="f")

TEMPLATES: tuple[ProblemTemplate, ...] = (
    _easy(
        name="call_cut_both_ends",
        family="slice",
        wordings=("Write f(a) that returns the list a without its first $k and its last $m numbers.",),
        reference="def f(a):\n return a[$k:-$m]",
        make_input=int_list(0, 30, shortest=5, longest=8),
        examples=(([[3, 2, 6]], [2]), ([[4]], []), ([[1, 0, 7, 9]], [0, 7])),
        params={"k": range(1, 4), "m": range(1, 5)},
        edge_inputs=([[]],),
    ),
    _easy(
        name="call_rotate_and_end",
        family="slice",
        wordings=("Write f(a) that moves the first $k numbers of the list a to the end and adds $m after.",),
        reference="def f(a):\n return a[$k:]+a[:$k]+[$m]",
        make_input=int_list(0, 30, shortest=3, longest=6),
        examples=(([[3, 2, 6]], [2, 6, 3, 0]), ([[]], [0]), ([[1, 0, 7, 9]], [0, 7, 9, 1, 0])),
        params={"k": range(1, 5), "m": range(9)},
        edge_inputs=([[]],),
    ),
    _easy(
        name="call_every_from",
        family="slice",
        wordings=("Write f(a) that returns the numbers of the list a from index $k on in steps of $m.",),
        reference="def f(a):\n return a[$k::$m]",
        make_input=int_list(0, 30, shortest=4, longest=9),
        examples=(([[3, 2, 6, 8]], [3, 6]), ([[]], []), ([[1, 0, 7, 9, 5]], [1, 7, 5])),
        params={"k": range(4), "m": range(2, 5)},
        edge_inputs=([[]],),
    ),
    _easy(
        name="call_insert_at",
        family="slice",
        wordings=("Write f(a) that returns the list a with $m put in at index $k.",),
        reference="def f(a):\n return a[:$k]+[$m]+a[$k:]",
        make_input=int_list(0, 30, shortest=3, longest=6),
        examples=(([[3, 2, 6]], [3, 5, 2, 6]), ([[]], [5]), ([[1, 0]], [1, 5, 0])),
        params={"k": range(1, 5), "m": range(5, 15)},
        edge_inputs=([[]],),
    ),
    _easy(
        name="call_last_then_first",
        family="slice",
        wordings=("Write f(a) that returns the last $k numbers of the list a, then its first $m numbers.",),
        reference="def f(a):\n return a[-$k:]+a[:$m]",
        make_input=int_list(0, 30, shortest=4, longest=7),
        examples=(([[3, 2, 6]], [6, 3, 2]), ([[]], []), ([[1, 0]], [0, 1, 0])),
        params={"k": range(1, 5), "m": range(2, 5)},
        edge_inputs=([[]],),
    ),
    _easy(
        name="call_pick_plus",
        family="index",
        wordings=("Write f(a) that returns the number at index $k of the list a plus $m.",),
        reference="def f(a):\n return a[$k]+$m",
        make_input=int_list(-9, 30, shortest=5, longest=7),
        examples=(([[3, 2, 6, 4, 5]], 3), ([[1, 0, 7, 9, 5]], 1), ([[8, -8, 1, 1, 1]], -7)),
        params={"k": range(1, 5), "m": range(1, 9)},
        edge_inputs=([[0, 0, 0, 0, 0]],),
    ),
    _easy(
        name="call_pick_product",
        family="index",
        wordings=("Write f(a) that multiplies the numbers at index $k and index $m of the list a.",),
        reference="def f(a):\n return a[$k]*a[$m]",
        make_input=int_list(-5, 12, shortest=6, longest=8),
        examples=(([[3, 2, 6, 4, 5, 9]], 12), ([[1, 0, 7, 9, 5, 9]], 9), ([[2, 0, 0, -3, 5, 9]], -6)),
        params={"k": (0, 1, 2), "m": (3, 4, 5, 2)},
        edge_inputs=([[0, 0, 0, 0, 0, 0]],),
    ),
    _easy(
        name="call_pick_circular",
        family="index",
        wordings=("Write f(a) that goes $k steps round the list a from index 0 and returns that number.",),
        reference="def f(a):\n return a[$k%len(a)]",
        make_input=int_list(0, 30, shortest=2, longest=6),
        examples=(([[3, 2, 6]], 2), ([[7]], 7), ([[1, 0, 5, 8, 9]], 9)),
        params={"k": range(4, 24)},
        edge_inputs=([[0]],),
    ),
    _easy(
        name="call_pick_difference",
        family="index",
        wordings=("Write f(a) that takes the number $k from the end of the list a minus that at index $m.",),
        reference="def f(a):\n return a[-$k]-a[$m]",
        make_input=int_list(0, 30, shortest=5, longest=7),
        examples=(([[3, 2, 6, 4, 5]], 2), ([[1, 0, 7, 9, 5]], 4), ([[9, 9, 9, 9, 2]], -7)),
        params={"k": range(1, 5), "m": range(4)},
        edge_inputs=([[0, 0, 0, 0, 0]],),
    ),
    _easy(
        name="call_index_after",
        family="index",
        wordings=("Write f(a) that returns the index of the first $k in the list a plus $m.",),
        reference="def f(a):\n return a.index($k)+$m",
        make_input=lambda rng, params: [
            [rng.randint(10, 40) for _ in range(rng.randint(0, 4))]
            + [params["k"], rng.randint(10, 40), params["k"]]
        ],
        examples=(([[3, 2, 6]], 2), ([[2]], 1), ([[1, 0, 7, 2, 2]], 4)),
        params={"k": range(2, 10), "m": range(1, 6)},
    ),
    _easy(
        name="call_sort_by_distance",
        family="sort_key",
        wordings=("Write f(a) that sorts the list a by the distance to $k; ties in order.",),
        reference="def f(a):\n return sorted(a,key=lambda x:abs(x-$k))",
        make_input=int_list(0, 30, "k", shortest=3),
        examples=(([[9, 2, 6]], [6, 2, 9]), ([[]], []), ([[3, 7, 5]], [5, 3, 7])),
        params={"k": range(5, 25)},
        edge_inputs=([[]],),
    ),
    _easy(
        name="call_sort_by_remainder",
        family="sort_key",
        wordings=("Write f(a) that sorts the list a by the remainder by $k; ties in order.",),
        reference="def f(a):\n return sorted(a,key=lambda x:x%$k)",
        make_input=int_list(0, 30, "k", shortest=3),
        examples=(([[8, 6, 4]], [6, 4, 8]), ([[]], []), ([[5, 2, 3]], [3, 5, 2])),
        params={"k": range(3, 18)},
        edge_inputs=([[]],),
    ),
    _easy(
        name="call_sort_by_letter",
        family="sort_key",
        wordings=(
            "Write f(a) that sorts the words in a by how many $c they have, fewest first, ties in order.",
        ),
        reference="def f(a):\n return sorted(a,key=lambda w:w.count('$c'))",
        make_input=word_list(1, 4, "c", words=(3, 5)),
        examples=(([["aa", "b", "ab"]], ["b", "ab", "aa"]), ([[]], []), ([["q", "p"]], ["q", "p"])),
        params={"c": tuple("abcdefghiklmnopr")},
        edge_inputs=([[]],),
    ),
    _easy(
        name="call_sorted_pick",
        family="sort_key",
        wordings=("Write f(a) that sorts the list a and returns the number at index $k times $m.",),
        reference="def f(a):\n return sorted(a)[$k]*$m",
        make_input=int_list(0, 30, shortest=4, longest=6),
        examples=(([[9, 2, 6, 1]], 4), ([[3, 3, 3, 3]], 6), ([[0, 1, 5, 4]], 2)),
        params={"k": range(1, 4), "m": range(2, 9)},
        edge_inputs=([[0, 0, 0, 0]],),
    ),
    _easy(
        name="call_sorted_first",
        family="sort_key",
        wordings=(
            "Write f(a) that returns the $k smallest numbers of the list a, smallest first, each plus $m.",
        ),
        reference="def f(a):\n return [x+$m for x in sorted(a)[:$k]]",
        make_input=int_list(0, 30, shortest=3, longest=6),
        examples=(([[9, 2, 6]], [3, 7]), ([[]], []), ([[4]], [5])),
        params={"k": range(2, 5), "m": range(1, 8)},
        edge_inputs=([[]],),
    ),
)
