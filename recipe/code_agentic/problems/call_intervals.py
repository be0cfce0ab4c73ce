"""Call problems on intervals; medium and hard."""

from __future__ import annotations

from functools import partial
from random import Random

from recipe.code_agentic.problems.template import Params, ProblemTemplate

_medium = partial(ProblemTemplate, difficulty="medium")
_hard = partial(ProblemTemplate, difficulty="hard")


def _intervals(rng: Random, params: Params) -> list[list[list[int]]]:
    starts = [rng.randint(0, 30) for _ in range(rng.randint(1, 6))]
    return [[[start, start + rng.randint(1, 8)] for start in starts]]


TEMPLATES: tuple[ProblemTemplate, ...] = (
    _medium(
        name="call_merge_intervals",
        family="intervals",
        wordings=(
            "Write merge(intervals). Each interval is a list [start, end] of ints with start < end. Join "
            "intervals that overlap or have a gap of at most $gap between them, and return the resulting "
            "list of [start, end] sorted by start.",
        ),
        reference="""\
def merge(intervals):
    merged = []
    for start, end in sorted(intervals):
        if merged and start - merged[-1][1] <= $gap:
            merged[-1][1] = max(merged[-1][1], end)
        else:
            merged.append([start, end])
    return merged
""",
        make_input=_intervals,
        examples=(
            ([[[5, 7], [1, 3], [2, 4]]], [[1, 4], [5, 7]]),
            ([[]], []),
            ([[[1, 2], [2, 3]]], [[1, 3]]),
            ([[[1, 9], [2, 3]]], [[1, 9]]),
        ),
        params={"gap": (0, 1, 2, 3)},
        fn_name="merge",
        edge_inputs=([[]], [[[1, 9], [2, 3]]]),
    ),
    _medium(
        name="call_covered_length",
        family="intervals",
        wordings=(
            "Write covered(intervals). Each interval is a list [start, end] of ints with start < end. "
            "Return the total length of the part of the line from 0 to $limit that at least one interval "
            "covers.",
        ),
        reference="""\
def covered(intervals):
    total = reached = 0
    for start, end in sorted(intervals):
        start, end = max(start, reached), min(end, $limit)
        if end > start:
            total += end - start
            reached = end
    return total
""",
        make_input=_intervals,
        examples=(([[[1, 4], [2, 6]]], 5), ([[]], 0), ([[[18, 25]]], 2), ([[[0, 3], [5, 6]]], 4)),
        params={"limit": (20, 15, 25, 30)},
        fn_name="covered",
        edge_inputs=([[]], [[[0, 40]]]),
    ),
    _hard(
        name="call_most_at_once",
        family="intervals",
        wordings=(
            "Write most_at_once(visits). Each visit is a list [arrive, leave] of ints with arrive < leave. "
            "Return the largest number of visits that happen at the same time, where a visit that begins "
            "when another one ends $touch at the same time with it. No visits give 0.",
        ),
        reference="""\
def most_at_once(visits):
    closed = '$touch' == 'is'
    best = 0
    for moment, _ in visits:
        now = sum(a <= moment < b or (closed and moment == b) for a, b in visits)
        best = max(best, now)
    return best
""",
        make_input=lambda rng, params: [
            [[a, a + rng.randint(1, 4)] for a in (rng.randint(0, 9) for _ in range(rng.randint(2, 7)))]
        ],
        examples=(
            ([[[1, 4], [2, 6], [5, 7]]], 2),
            ([[]], 0),
            ([[[1, 2], [2, 3]]], 1),
            ([[[1, 3], [1, 3]]], 2),
        ),
        params={"touch": ("is not", "is")},
        fn_name="most_at_once",
        edge_inputs=([[]], [[[1, 2], [2, 3]]]),
    ),
    _hard(
        name="call_free_slots",
        family="intervals",
        wordings=(
            "Write free_slots(busy) for a day from 0 to $day. busy is a list of [start, end] ints within "
            "the day with start < end, in any order, perhaps overlapping. Return the sorted list of all "
            "longest possible [start, end] that are free and at least $least long.",
        ),
        reference="""\
def free_slots(busy):
    slots = []
    free_from = 0
    for start, end in sorted(busy) + [[$day, $day]]:
        if start - free_from >= $least:
            slots.append([free_from, start])
        free_from = max(free_from, end)
    return slots
""",
        make_input=lambda rng, params: [
            [[a, a + rng.randint(1, 4)] for a in (rng.randint(0, 19) for _ in range(rng.randint(1, 5)))]
        ],
        examples=(
            ([[[5, 8], [2, 4]]], [[0, 2], [8, 24]]),
            ([[]], [[0, 24]]),
            ([[[0, 24]]], []),
            ([[[1, 9], [3, 5]]], [[9, 24]]),
        ),
        params={"day": (24, 30), "least": (2, 1, 3, 4)},
        fn_name="free_slots",
        edge_inputs=([[]], [[[1, 9], [3, 5]]]),
    ),
)
