"""Longer stdin problems about records: sorting with keys, tallies, stock, accounts, logs and votes."""

from __future__ import annotations

from functools import partial
from random import Random

from recipe.code_agentic.problems.input_draws import ITEMS, NAMES, counted, integers, spaced
from recipe.code_agentic.problems.short_form import JOINERS, WORDS
from recipe.code_agentic.problems.template import Choice, Params, ProblemTemplate

_medium = partial(ProblemTemplate, difficulty="medium")
_hard = partial(ProblemTemplate, difficulty="hard")


def _scores(rng: Random, params: Params) -> str:
    names = rng.sample(NAMES, rng.randint(2, 6))
    return counted([f"{name} {rng.randint(1, 6) * 5}" for name in names])


def _games(rng: Random, params: Params) -> str:
    names = rng.sample(NAMES, 3)
    return counted([f"{rng.choice(names)} {rng.randint(1, 20)}" for _ in range(rng.randint(2, 7))])


def _marks(rng: Random, params: Params) -> str:
    names = rng.sample(NAMES, rng.randint(1, 5))
    return counted([f"{name} {spaced(integers(rng, 30, 99, 1, 4))}" for name in names])


def _stock(rng: Random, params: Params) -> str:
    items = rng.sample(ITEMS, 3)
    lines = [
        f"{rng.choice(('add', 'add', 'take'))} {rng.choice(items)} {rng.randint(1, 9)}"
        for _ in range(rng.randint(2, 8))
    ]
    return counted(lines)


def _prices(rng: Random, params: Params) -> str:
    priced = rng.sample(ITEMS, rng.randint(2, 4))
    bought = [rng.choice(ITEMS) for _ in range(rng.randint(1, 6))]
    return f"{spaced([f'{item}={rng.randint(1, 9)}' for item in priced])}\n{spaced(bought)}"


def _log(rng: Random, params: Params) -> str:
    levels = ("ERROR", "WARN", "INFO")
    return counted(
        [f"{rng.choice(levels)}{params['s']} {rng.choice(WORDS)}" for _ in range(rng.randint(1, 6))]
    )


def _bookings(rng: Random, params: Params) -> str:
    changes = [rng.choice((1, -1)) * rng.randint(1, 40) for _ in range(rng.randint(1, 8))]
    return f"{rng.randint(0, 40)}\n{spaced([f'{change:+d}' for change in changes])}"


def _votes(rng: Random, params: Params) -> str:
    """Votes for up to five names, every second time with two of them level at the top."""
    names = rng.sample(NAMES, rng.randint(1, 5))
    votes = rng.choices(names, k=rng.randint(1, 6))
    if rng.random() < 0.5:
        votes += names[:2] * rng.randint(1, 3)
    rng.shuffle(votes)
    return spaced(votes)


TEMPLATES: tuple[ProblemTemplate, ...] = (
    _medium(
        name="leader_board",
        family="record_sorting",
        wordings=(
            "The first line holds a count, every further line a name and a score. Print the $k best (all,"
            " if there are fewer), one per line as rank, '$s' and name: high scores first, equal scores "
            "by name from a to z, ranks from 1 without ties.",
        ),
        reference="""rows = [input().split() for _ in range(int(input()))]
rows.sort(key=lambda r: (-int(r[1]), r[0]))
for rank, row in enumerate(rows[:$k], 1):
    print(f'{rank}$s{row[0]}')""",
        make_input=_scores,
        examples=[("3\nbob 5\nann 5\neva 9", "1-eva\n2-ann\n3-bob"), ("1\nkim 100", "1-kim")],
        params={"k": (3, 1, 2, 4), "s": JOINERS[:6]},
    ),
    _medium(
        name="sort_people",
        family="record_sorting",
        wordings=(
            "The first line holds a count, every further line a name and an age. Print the names on one "
            "line, joined by '$s', sorted $order.",
        ),
        reference="""rows = [input().split() for _ in range(int(input()))]
rows.sort(key=lambda r: $order)
print('$s'.join(r[0] for r in rows))""",
        make_input=_scores,
        examples=[("3\nbob 5\nann 9\neva 5", "bob-eva-ann"), ("1\nkim 40", "kim")],
        params={
            "order": (
                Choice("from young to old, equal ages from a to z", "(int(r[1]), r[0])"),
                Choice("from old to young, equal ages from a to z", "(-int(r[1]), r[0])"),
                Choice("by the last letter of the name, then by the whole name", "(r[0][-1], r[0])"),
            ),
            "s": JOINERS,
        },
    ),
    _medium(
        name="totals_by_name",
        family="record_tallies",
        wordings=(
            "The first line holds a count, every further line a name and a number of points; names may "
            "come again. Print the names with a total of at least $k from a to z, one per line as name, "
            "'$s' and total, or 'none'.",
        ),
        reference="""totals = {}
for _ in range(int(input())):
    name, points = input().split()
    totals[name] = totals.get(name, 0) + int(points)
lines = [f'{n}$s{totals[n]}' for n in sorted(totals) if totals[n] >= $k]
print('\\n'.join(lines) or 'none')""",
        make_input=_games,
        examples=[
            ("3\nbob 8\nann 4\nbob 4", "bob-12"),
            ("1\nkim 9", "none"),
            ("2\nbob 10\nann 10", "ann-10\nbob-10"),
        ],
        params={"k": (10, 5, 15, 20), "s": JOINERS[:6]},
    ),
    _medium(
        name="passing_marks",
        family="record_tallies",
        wordings=(
            "The first line holds a count, every further line a name and one or more marks. Print the "
            "names of those whose $what is at least $k, in input order on one line, or 'nobody'.",
        ),
        reference="""passed = []
for _ in range(int(input())):
    name, *marks = input().split()
    marks = list(map(int, marks))
    if $what >= $k:
        passed.append(name)
print(*passed) if passed else print('nobody')""",
        make_input=_marks,
        examples=[("2\nann 50 70\nbob 59 60", "ann"), ("1\nkim 10", "nobody")],
        params={
            "what": (
                Choice("average mark", "sum(marks) / len(marks)"),
                Choice("best mark", "max(marks)"),
                Choice("worst mark", "min(marks)"),
            ),
            "k": (60, 50, 70, 80),
        },
        edge_inputs=["1\nann 60"],
    ),
    _hard(
        name="stock_keeping",
        family="record_ledgers",
        wordings=(
            "The first line holds a count, every further line 'add item n' or 'take item n'. A take for "
            "more than is there is refused and changes nothing. Afterwards print the items that were ever"
            " added and of which at most $k are left, from a to z, one per line as item, space and "
            "number, then the line 'refused' and the number of refused takes, joined by '$s'.",
        ),
        reference="""stock, refused = {}, 0
for _ in range(int(input())):
    verb, item, n = input().split()
    if verb == 'add':
        stock[item] = stock.get(item, 0) + int(n)
    elif stock.get(item, 0) >= int(n):
        stock[item] -= int(n)
    else:
        refused += 1
for item in sorted(stock):
    if stock[item] <= $k:
        print(item, stock[item])
print('refused', refused, sep='$s')""",
        make_input=_stock,
        examples=[
            ("3\nadd tea 4\ntake tea 1\ntake salt 1", "tea 3\nrefused-1"),
            ("1\nadd rice 9", "refused-0"),
        ],
        params={"k": (5, 0, 2, 8), "s": ("-", ":", "=")},
        edge_inputs=["1\ntake tea 1"],
    ),
    _medium(
        name="shopping_bill",
        family="record_ledgers",
        wordings=(
            "The first line holds prices as item=price, separated by spaces, the second line the items "
            "that were bought. Print the sum of their prices; an item without a price costs $k, and the "
            "bought items at place $n, at place 2 times $n, 3 times $n and so on, counted from 1, are "
            "free.",
        ),
        reference="""prices = dict(entry.split('=') for entry in input().split())
total = 0
for place, item in enumerate(input().split(), 1):
    if place % $n:
        total += int(prices.get(item, $k))
print(total)""",
        make_input=_prices,
        examples=[("tea=3 milk=2\ntea milk tea rice", "6"), ("tea=3\nsalt", "1")],
        params={"k": (1, 2, 4, 7), "n": (3, 2, 4, 5)},
    ),
    _medium(
        name="account",
        family="record_ledgers",
        wordings=(
            "The first line holds the balance of an account, the second line bookings like +20 or -5. A "
            "booking that would take the balance below -$k is refused. Print the balance at the end and "
            "the number of refused bookings, joined by '$s'.",
        ),
        reference="""balance, refused = int(input()), 0
for change in map(int, input().split()):
    if change < 0 and balance + change < -$k:
        refused += 1
    else:
        balance += change
print(balance, refused, sep='$s')""",
        make_input=_bookings,
        examples=[("5\n-10 -10 +3", "-2:1"), ("0\n+4", "4:0"), ("0\n-10", "-10:0")],
        params={"k": (10, 0, 5, 20, 30), "s": (":", "/", "|", ";")},
        edge_inputs=["0\n-1 -1 -1"],
    ),
    _medium(
        name="log_messages",
        family="record_logs",
        wordings=(
            "The first line holds a count, every further line a level (ERROR, WARN or INFO), '$s', a "
            "space and a message of one word. Print how many messages have the level $level, then on a "
            "second line those messages in input order, joined by ' ', or '-' if there are none.",
        ),
        reference="""found = []
for _ in range(int(input())):
    level, message = input().split('$s ')
    if level == '$level':
        found.append(message)
print(len(found))
print(*found) if found else print('-')""",
        make_input=_log,
        examples=[("3\nERROR: disk\nINFO: start\nERROR: net", "2\ndisk net"), ("1\nWARN: heat", "0\n-")],
        params={"level": ("ERROR", "WARN", "INFO"), "s": (":", " -", " |", ",")},
    ),
    _hard(
        name="vote_count",
        family="record_votes",
        wordings=(
            "Read a line of votes, each a name. Print the name with the most votes if it has more than $k"
            " percent of all votes, else 'no $word'. If several names share the most votes, take the "
            "$which one in the alphabet.",
        ),
        reference="""from collections import Counter
votes = input().split()
counts = Counter(votes)
most = max(counts.values())
name = $which(n for n in counts if counts[n] == most)
print(name if most * 100 > $k * len(votes) else 'no $word')""",
        make_input=_votes,
        examples=[("ann bob ann", "ann"), ("bob ann", "ann"), ("ann bob eva", "no winner"), ("kim", "kim")],
        params={
            "k": (40, 30, 35, 45),
            "which": (Choice("first", "min"), Choice("last", "max")),
            "word": ("winner", "one"),
        },
        edge_inputs=["ann", "bob ann eva"],
    ),
    _hard(
        name="first_reach",
        family="record_votes",
        wordings=(
            "Read a line of votes, each a name, counted one after the other. Print the name that first "
            "has $k votes and after how many votes of the line that was, joined by '$s', or 'nobody'.",
        ),
        reference="""counts, answer = {}, 'nobody'
for place, name in enumerate(input().split(), 1):
    counts[name] = counts.get(name, 0) + 1
    if counts[name] == $k:
        answer = f'{name}$s{place}'
        break
print(answer)""",
        make_input=_votes,
        examples=[("ann bob ann", "ann-3"), ("bob ann", "nobody")],
        params={"k": (2, 3, 4), "s": JOINERS[:6]},
        edge_inputs=["ann"],
    ),
)
