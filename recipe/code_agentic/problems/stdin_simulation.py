"""Longer stdin problems that act out a process: machines, queues, caches, circles of people."""

from __future__ import annotations

from functools import partial
from random import Random

from recipe.code_agentic.problems.input_draws import NAMES, counted, letters, one_line, one_number, spaced
from recipe.code_agentic.problems.short_form import JOINERS
from recipe.code_agentic.problems.template import Choice, Params, ProblemTemplate

_medium = partial(ProblemTemplate, difficulty="medium")
_hard = partial(ProblemTemplate, difficulty="hard")


def _stack_program(rng: Random, params: Params) -> str:
    tokens, depth = [str(rng.randint(1, 9))], 1
    for _ in range(rng.randint(2, 8)):
        token = rng.choice((str(rng.randint(1, 9)), str(rng.randint(1, 9)), "+", "-", "*", str(params["c"])))
        if token in "+-*" and depth < 2:
            token = str(params["c"])
        depth += 1 if token.isdigit() else -1 if token in "+-*" else 0
        tokens.append(token)
    return spaced(tokens)


def _tasks(rng: Random, params: Params) -> str:
    return counted([f"{name} {rng.randint(1, 9)}" for name in rng.sample(NAMES, rng.randint(1, 4))])


def _register_program(rng: Random, params: Params) -> str:
    lines = [
        rng.choice(
            (
                f"set {rng.choice('xy')} {rng.randint(0, 9)}",
                f"{params['word']} {rng.choice('xy')} {rng.choice('xy')}",
            )
        )
        for _ in range(rng.randint(2, 6))
    ]
    return counted(lines)


TEMPLATES: tuple[ProblemTemplate, ...] = (
    _hard(
        name="stack_machine",
        family="machines",
        wordings=(
            "Read a line of tokens for a stack machine: an integer is put on the stack; '+', '-' and '*' "
            "take the two top numbers off and put the result back (the lower one is the left operand); "
            "'$c' $does. The input never takes from an empty stack. Print the top of the stack at the "
            "end.",
        ),
        reference="""stack = []
for t in input().split():
    if t == '$c':
        $does
    elif t in '+-*':
        b, a = stack.pop(), stack.pop()
        stack.append(a + b if t == '+' else a - b if t == '-' else a * b)
    else:
        stack.append(int(t))
print(stack[-1])""",
        make_input=_stack_program,
        examples=[("3 4 + !", "14"), ("9 2 -", "7"), ("5 ! 2 *", "20")],
        params={
            "does": (
                Choice("doubles the top number", "stack[-1] *= 2"),
                Choice("adds 1 to the top number", "stack[-1] += 1"),
                Choice("turns the sign of the top number", "stack[-1] *= -1"),
            ),
            "c": ("!", "#", "@", "~", "%"),
        },
        edge_inputs=["7"],
    ),
    _hard(
        name="two_registers",
        family="machines",
        wordings=(
            "A machine has two registers x and y, both 0 at first. The first line holds a count, every "
            "further line a command: 'set r n' puts the integer n into register r; '$word r q' $does. "
            "Print x and y at the end, joined by '$s'.",
        ),
        reference="""reg = {'x': 0, 'y': 0}
for _ in range(int(input())):
    verb, r, q = input().split()
    if verb == 'set':
        reg[r] = int(q)
    if verb == '$word':
        reg[r] $does
print(reg['x'], reg['y'], sep='$s')""",
        make_input=_register_program,
        examples=[("3\nset x 4\nrun y x\nrun y y", "4,8"), ("1\nset y 2", "0,2")],
        params={
            "word": ("run", "mix", "mov"),
            "does": (
                Choice("adds the value of register q to register r", "+= reg[q]"),
                Choice("takes the value of register q from register r", "-= reg[q]"),
                Choice("puts 1 more than the value of register q into register r", "= reg[q] + 1"),
            ),
            "s": (",", ":", "/"),
        },
    ),
    _hard(
        name="josephus",
        family="circles",
        wordings=(
            "People 1 to n stand in a circle. Counting begins with person 1, every $k-th counted person "
            "leaves, and counting goes on with the next one. Read n and print $what.",
        ),
        reference="""circle, gone, at = list(range(1, int(input()) + 1)), [], 0
while circle:
    at = (at + $k - 1) % len(circle)
    gone.append(circle.pop(at))
print($what)""",
        make_input=one_number(2, 20),
        examples=[("5", "3"), ("1", "1"), ("6", "5")],
        params={
            "k": (2, 3, 4, 5, 7),
            "what": (
                Choice("the person who leaves last", "gone[-1]"),
                Choice("all persons in the order in which they leave, on one line", "*gone"),
            ),
        },
        edge_inputs=["1", "2"],
    ),
    _medium(
        name="lamp_switches",
        family="circles",
        wordings=(
            "There are n lamps in a row, numbered from 1, all off. In round r, for r from 1 to $k, every "
            "lamp whose number is a multiple of r is switched over. Read n and print the numbers of the "
            "lamps that are $state at the end, joined by '$s', or 'none'.",
        ),
        reference="""n = int(input())
found = [i for i in range(1, n + 1) if sum(i % r == 0 for r in range(1, $k + 1)) % 2 == $state]
print(*found, sep='$s') if found else print('none')""",
        make_input=one_number(2, 18),
        examples=[("4", "1-4"), ("1", "1"), ("6", "1-4-5-6")],
        params={"k": (4, 2, 3, 5), "state": (Choice("on", "1"), Choice("off", "0")), "s": JOINERS[:6]},
        edge_inputs=["1", "12"],
    ),
    _hard(
        name="round_robin",
        family="queues",
        wordings=(
            "The first line holds a count, every further line the name and the needed time of a task. The"
            " tasks wait in this order; the first one in the queue runs for up to $k units of time and, "
            "if it is not done then, goes to the end of the queue. Print the tasks in the order in which "
            "they finish, one per line as name, '$s' and the time at which it finished.",
        ),
        reference="""queue = []
for _ in range(int(input())):
    name, need = input().split()
    queue.append((name, int(need)))
now = 0
for name, need in queue:
    now += min(need, $k)
    if need > $k:
        queue.append((name, need - $k))
    else:
        print(f'{name}$s{now}')""",
        make_input=_tasks,
        examples=[("2\nann 3\nbob 2", "bob-4\nann-5"), ("1\nkim 5", "kim-5")],
        params={"k": (2, 1, 3, 4), "s": JOINERS[:5]},
    ),
    _hard(
        name="cache_misses",
        family="queues",
        wordings=(
            "A cache keeps at most $k pages. Read a line of letters, each the use of a page. A page that "
            "is not in the cache is a miss and is put in; if the cache is full, the page that $rule goes "
            "out first. Print the number of misses.",
        ),
        reference="""cache, misses = [], 0
for page in input():
    if page not in cache:
        misses += 1
        if len(cache) == $k:
            cache.pop(0)
        cache.append(page)
    $rule
print(misses)""",
        make_input=lambda rng, params: letters(rng, "abcde", 6, 16),
        examples=[("abacb", "3"), ("aaaa", "1"), ("abab", "2")],
        params={
            "k": (2, 3, 4),
            "rule": (
                Choice("has been in the cache for the longest time", "continue"),
                Choice("was last used the longest time ago", "cache.append(cache.pop(cache.index(page)))"),
            ),
        },
        edge_inputs=["a", "abcdeabcde"],
    ),
    _medium(
        name="lift_way",
        family="queues",
        wordings=(
            "A lift stands at floor $start. Read a line of floors it is called to, one after the other. "
            "Print how many floors it passes in all (from floor 2 to floor 5 are 3) plus $k for every "
            "stop at which it really had to move, and the floor where it ends, joined by '$s'.",
        ),
        reference="""floor, total = $start, 0
for call in map(int, input().split()):
    total += abs(call - floor) + $k * (call != floor)
    floor = call
print(total, floor, sep='$s')""",
        make_input=one_line(0, 9, 2, 7),
        examples=[("2 5", "9-5"), ("0", "0-0"), ("3 3", "5-3")],
        params={"start": (0, 1, 4), "k": (2, 1, 5), "s": JOINERS[:4]},
        edge_inputs=["0", "9 0 9"],
    ),
    _medium(
        name="bouncing_counter",
        family="circles",
        wordings=(
            "A counter starts at $low and goes up by 1 with every tick until it is $width above that; "
            "$turn. Read a number of ticks and print the counter after them.",
        ),
        reference="""n, low, width = int(input()), $low, $width
print(low + $turn)""",
        make_input=one_number(1, 60),
        examples=[("3", "4"), ("6", "5"), ("10", "1")],
        params={
            "low": (1, 0, 3),
            "width": (5, 4, 7),
            "turn": (
                Choice(
                    "then it goes down by 1 per tick until it is back at the start, then up again, and so on",
                    "min(n % (2 * width), -n % (2 * width))",
                ),
                Choice(
                    "the next tick takes it back to the start, from where it goes up again, and so on",
                    "n % (width + 1)",
                ),
            ),
        },
        edge_inputs=["0", "100"],
    ),
)
