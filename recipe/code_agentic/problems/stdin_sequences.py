"""Longer stdin problems about sequences and intervals: windows, runs, pairs, prefix sums, greedy choices."""

from __future__ import annotations

from functools import partial
from random import Random

from recipe.code_agentic.problems.input_draws import counted, integers, intervals, one_line, spaced
from recipe.code_agentic.problems.short_form import JOINERS
from recipe.code_agentic.problems.template import Choice, Params, ProblemTemplate

_medium = partial(ProblemTemplate, difficulty="medium")
_hard = partial(ProblemTemplate, difficulty="hard")


def _queries(rng: Random, params: Params) -> str:
    numbers = integers(rng, -9, 30, 2, 8)
    base = int(params["base"])
    lines = []
    for _ in range(rng.randint(1, 4)):
        left, right = sorted((rng.randrange(len(numbers)), rng.randrange(len(numbers))))
        lines.append(f"{left + base} {right + base}")
    return f"{spaced(numbers)}\n{counted(lines)}"


def _spans(rng: Random, params: Params) -> str:
    return counted(intervals(rng, last=30, longest=8, most=7))


def _climbing(rng: Random, params: Params) -> str:
    numbers = [rng.randint(0, 9)]
    for _ in range(rng.randint(2, 9)):
        numbers.append(max(0, numbers[-1] + rng.choice((-4, 0, 1, 2, 3, 4, 5, 6))))
    return spaced(numbers)


TEMPLATES: tuple[ProblemTemplate, ...] = (
    _medium(
        name="pairs_with_sum",
        family="sequence_pairs",
        wordings=(
            "Read a line of integers. Print how many pairs of them at different places add up to $what $k.",
        ),
        reference="""l = list(map(int, input().split()))
n = len(l)
print(sum(l[i] + l[j] $what $k for i in range(n) for j in range(i + 1, n)))""",
        make_input=one_line(0, 14, 2, 9),
        examples=[("1 4 2 3", "2"), ("5", "0"), ("5 5 5", "0")],
        params={
            "what": (Choice("exactly", "=="), Choice("at least", ">="), Choice("less than", "<")),
            "k": (5, 8, 10, 12, 15, 20),
        },
        edge_inputs=["5", "5 5 0 0"],
    ),
    _medium(
        name="inversions_by_margin",
        family="sequence_pairs",
        wordings=(
            "Read a line of integers. Print how many pairs of places i before j there are where the "
            "number at i is larger than the number at j by more than $k.",
        ),
        reference="""l = list(map(int, input().split()))
n = len(l)
print(sum(l[i] > l[j] + $k for i in range(n) for j in range(i + 1, n)))""",
        make_input=one_line(0, 14, 2, 9),
        examples=[("3 1 2", "2"), ("1 2 3", "0"), ("4 4", "0")],
        params={"k": (0, 1, 2, 3, 5, 8)},
        edge_inputs=["7", "9 8 7 6 5 4 3 2 1 0"],
    ),
    _medium(
        name="range_sums",
        family="sequence_prefix",
        wordings=(
            "The first line holds integers, the second line a count, every further line two places l and "
            "r, counted from $base, with l at most r. For each such line print the $what of the integers "
            "from place l to place r, both included.",
        ),
        reference="""l = list(map(int, input().split()))
for _ in range(int(input())):
    i, j = map(int, input().split())
    print($what(l[i - $base : j + 1 - $base]))""",
        make_input=_queries,
        examples=[("3 1 4\n2\n1 2\n3 3", "4\n4"), ("5\n1\n1 1", "5")],
        params={
            "what": (Choice("sum", "sum"), Choice("largest", "max"), Choice("smallest", "min")),
            "base": (1, 0),
        },
    ),
    _medium(
        name="running_total_bound",
        family="sequence_prefix",
        wordings=(
            "Read a line of integers. Print after how many of them, taken from the left, their sum is "
            "$what $k for the first time, or 'never'.",
        ),
        reference="""total, answer = 0, 'never'
for i, x in enumerate(map(int, input().split()), 1):
    total += x
    if total $what $k:
        answer = i
        break
print(answer)""",
        make_input=one_line(-4, 12, 2, 9),
        examples=[("4 5 3", "3"), ("10", "1"), ("1 2", "never")],
        params={"what": (Choice("at least", ">="), Choice("over", ">")), "k": (10, 15, 20, 25, 30)},
        edge_inputs=["0", "-1 -2 -3"],
    ),
    _medium(
        name="best_window",
        family="sequence_windows",
        wordings=(
            "Read a line of at least $k integers. Print the $what sum of $k neighbouring integers and the"
            " place, counted from 1, at which the first such window begins, with a space.",
        ),
        reference="""l = list(map(int, input().split()))
sums = [sum(l[i : i + $k]) for i in range(len(l) - $k + 1)]
print($what(sums), sums.index($what(sums)) + 1)""",
        make_input=one_line(-9, 20, 6, 10),
        examples=[("1 5 2 8 3", "11 4"), ("4 4 4", "8 1")],
        params={"k": (2, 3, 4, 5), "what": (Choice("largest", "max"), Choice("smallest", "min"))},
        edge_inputs=["0 0 0 0 0", "-1 -2 -3 -4 -5"],
    ),
    _hard(
        name="best_run_limited",
        family="sequence_windows",
        wordings=(
            "Read a line of integers. Print the largest sum of a run of neighbouring integers that is at "
            "least 1 and at most $k long.",
        ),
        reference="""l = list(map(int, input().split()))
n = len(l)
print(max(sum(l[i:j]) for i in range(n) for j in range(i + 1, min(i + $k, n) + 1)))""",
        make_input=one_line(-9, 12, 4, 10),
        examples=[("4 -1 5 -9", "8"), ("-3 -2", "-2"), ("1 2 3 4", "9")],
        params={"k": (3, 2, 4, 5, 6)},
        edge_inputs=["-5", "1 1 1 1 1 1 1 1"],
    ),
    _hard(
        name="shortest_run_reaching",
        family="sequence_windows",
        wordings=(
            "Read a line of positive integers. Print the length of the shortest run of neighbouring "
            "integers whose sum is at least $k, or 0 if there is none.",
        ),
        reference="""l = list(map(int, input().split()))
left = total = 0
best = len(l) + 1
for right, x in enumerate(l):
    total += x
    while total >= $k:
        best = min(best, right - left + 1)
        total -= l[left]
        left += 1
print(best if best <= len(l) else 0)""",
        make_input=one_line(1, 15, 3, 10),
        examples=[("5 4 6 1", "2"), ("10", "1"), ("3 3 3", "0")],
        params={"k": (10, 15, 20, 25, 30, 40)},
        edge_inputs=["1", "60"],
    ),
    _medium(
        name="longest_climb",
        family="sequence_runs",
        wordings=(
            "Read a line of integers. Print the length of the longest run of neighbours in which each "
            "integer is at least $k larger than the one before it. One integer is a run of length 1.",
        ),
        reference="""l = list(map(int, input().split()))
best = run = 1
for a, b in zip(l, l[1:]):
    run = run + 1 if b - a >= $k else 1
    best = max(best, run)
print(best)""",
        make_input=_climbing,
        examples=[("1 2 4 3", "3"), ("5 5", "1"), ("7", "1")],
        params={"k": (1, 2, 3, 4, 5)},
        edge_inputs=["0", "9 8 7"],
    ),
    _hard(
        name="next_larger",
        family="sequence_runs",
        wordings=(
            "Read a line of integers. For each of them print the first integer to its right that is "
            "larger by at least $k, or '$none' if there is none, all on one line joined by spaces.",
        ),
        reference="""l = list(map(int, input().split()))
out = [next((y for y in l[i + 1 :] if y >= x + $k), '$none') for i, x in enumerate(l)]
print(*out)""",
        make_input=one_line(0, 15, 3, 8),
        examples=[("3 1 4 2", "4 4 - -"), ("5", "-"), ("1 1 2", "2 2 -")],
        params={"k": (1, 2, 3, 5), "none": ("-", "x", "none", "0")},
        edge_inputs=["3", "9 8 7"],
    ),
    _medium(
        name="repeated_numbers",
        family="sequence_tally",
        wordings=(
            "Read a line of integers. Print those that stand in it at least $k times, each once, from "
            "small to large, joined by '$s', or 'none'.",
        ),
        reference="""from collections import Counter
counts = Counter(map(int, input().split()))
found = sorted(x for x in counts if counts[x] >= $k)
print(*found, sep='$s') if found else print('none')""",
        make_input=one_line(1, 5, 5, 12),
        examples=[("3 1 3 2 1", "1-3"), ("4", "none"), ("2 10 10 2", "2-10")],
        params={"k": (2, 3, 4), "s": JOINERS},
        edge_inputs=["1", "-1 -1 -1 -1 -1"],
    ),
    _medium(
        name="histogram",
        family="sequence_tally",
        wordings=(
            "Read a line of integers of at least 0. They fall into classes of $w numbers each, the first "
            "of which begins at 0. Print every class that holds one of the integers as its first number, "
            "'$s', its last number, a space and the count, one per line, from small to large.",
        ),
        reference="""from collections import Counter
counts = Counter(int(x) // $w for x in input().split())
for c in sorted(counts):
    print(f'{c * $w}$s{c * $w + $w - 1} {counts[c]}')""",
        make_input=one_line(0, 60, 3, 10),
        examples=[("3 12 7 10", "0-9 2\n10-19 2"), ("25", "20-29 1")],
        params={"w": (10, 5, 8, 20, 25), "s": JOINERS},
        edge_inputs=["0", "9 10 19 20"],
    ),
    _hard(
        name="merge_spans",
        family="intervals",
        wordings=(
            "The first line holds a count, every further line the start and the end of a span. Spans that"
            " overlap, or between which the gap (later start minus earlier end) is at most $k, are merged"
            " into one. Print the merged spans from left to right, one per line, start and end joined by "
            "'$s'.",
        ),
        reference="""spans = sorted(tuple(map(int, input().split())) for _ in range(int(input())))
merged = [list(spans[0])]
for start, end in spans[1:]:
    if start - merged[-1][1] <= $k:
        merged[-1][1] = max(merged[-1][1], end)
    else:
        merged.append([start, end])
for span in merged:
    print(*span, sep='$s')""",
        make_input=_spans,
        examples=[("3\n5 7\n1 3\n3 4", "1-4\n5-7"), ("1\n2 9", "2-9"), ("2\n1 9\n2 3", "1-9")],
        params={"k": (0, 1, 2, 3, 5), "s": JOINERS[:6]},
        edge_inputs=["1\n0 1"],
    ),
    _hard(
        name="most_at_once",
        family="intervals",
        wordings=(
            "The first line holds a count, every further line the times at which a guest comes and goes. "
            "Print the largest number of guests present at the same time. $tie",
        ),
        reference="""events = []
for _ in range(int(input())):
    come, go = map(int, input().split())
    events += [(come, 1), (go, -1)]
here = most = 0
for _, change in sorted(events, key=lambda e: (e[0], $tie)):
    here += change
    most = max(most, here)
print(most)""",
        make_input=lambda rng, params: counted(intervals(rng, last=8, longest=4, most=7)),
        examples=[("2\n1 3\n3 5", "1"), ("3\n1 9\n2 4\n3 5", "3")],
        params={
            "tie": (
                Choice("A guest who goes at a time is gone before another comes at that time.", "e[1]"),
                Choice("A guest who goes at a time is still there for one who comes at that time.", "-e[1]"),
            )
        },
        edge_inputs=["1\n0 1", "3\n1 2\n2 3\n3 4"],
    ),
    _hard(
        name="most_talks",
        family="intervals",
        wordings=(
            "The first line holds a count, every further line the start and the end of a talk. Print the "
            "largest number of talks one can hear if one talk has to start at least $k after the talk "
            "before it ended.",
        ),
        reference="""talks = [tuple(map(int, input().split())) for _ in range(int(input()))]
heard, free = 0, -10**9
for start, end in sorted(talks, key=lambda t: t[1]):
    if start >= free:
        heard += 1
        free = end + $k
print(heard)""",
        make_input=_spans,
        examples=[("3\n1 3\n3 5\n2 4", "2"), ("1\n4 6", "1")],
        params={"k": (0, 1, 2, 3, 5)},
        edge_inputs=["1\n0 1", "4\n0 1\n1 2\n2 3\n5 6"],
    ),
)
