"""Functions that are called, and are right."""

from __future__ import annotations

import json

from verl_ext.grading.conformance.row import Row, call_row
from verl_ext.grading.problem import Case
from verl_ext.grading.verdict import Verdict

_BIG = "7" * 6000
_TOTAL = "def f(xs):\n    return sum(xs)"


def _sums(name: str, program: str) -> Row:
    return call_row(name, program, [[1, 2, 3]], 6)


def _returns(name: str, program: str, expected: object) -> Row:
    return call_row(name, program, [0], expected)


def _texts(name: str, program: str, arguments: str, expected: str, *, wrapped: bool = False) -> Row:
    case = Case(arguments, expected, "f", wrapped=wrapped)
    return Row(name, "must pass", program, (case,), Verdict.PASSED)


SHAPES = (
    _sums("a function", _TOTAL),
    _sums("a method of class Solution", "class Solution:\n    def f(self, xs):\n        return sum(xs)"),
    _sums("a static method", "class Solution:\n    @staticmethod\n    def f(xs):\n        return sum(xs)"),
    _sums("a class method", "class Solution:\n    @classmethod\n    def f(cls, xs):\n        return sum(xs)"),
    _sums("a lambda", "f = lambda xs: sum(xs)"),
    _sums(
        "a function among helpers",
        "def add(a, b):\n    return a + b\ndef f(xs):\n    total = 0\n    for x in xs:\n        total = add(total, x)\n    return total",
    ),
    _sums("a function beside an unused class Solution", "class Solution:\n    pass\n" + _TOTAL),
    _sums(
        "a decorated function",
        "from functools import lru_cache\n@lru_cache\ndef g(n):\n    return n\ndef f(xs):\n    return g(sum(xs))",
    ),
    _sums(
        "functools.partial", "from functools import partial\nf = partial(lambda start, xs: sum(xs, start), 0)"
    ),
    _sums(
        "an inherited method",
        "class Base:\n    def f(self, xs):\n        return sum(xs)\nclass Solution(Base):\n    pass",
    ),
    _sums(
        "a method that calls another",
        "class Solution:\n    def g(self, xs):\n        return sum(xs)\n    def f(self, xs):\n        return self.g(xs)",
    ),
    _sums(
        "state kept in __init__",
        "class Solution:\n    def __init__(self):\n        self.total = 0\n    def f(self, xs):\n        for x in xs:\n            self.total += x\n        return self.total",
    ),
    _sums("a default argument", "def f(xs, start=0):\n    return sum(xs, start)"),
    _sums(
        "typing used in the signature",
        "from typing import List\nclass Solution:\n    def f(self, xs: List[int]) -> int:\n        return sum(xs)",
    ),
    call_row("several arguments", "def f(a, b, c):\n    return [c, b, a]", [1, "x", [2]], [[2], "x", 1]),
    call_row("no argument", "def f():\n    return 7", [], 7),
    call_row("an argument that is null", "def f(x):\n    return x is None", [None], True),
    call_row(
        "a nested argument",
        "def f(grid):\n    return [list(row) for row in zip(*grid)]",
        [[[1, 2], [3, 4]]],
        [[1, 3], [2, 4]],
    ),
    call_row("a text that looks like a number", "def f(s):\n    return s + '!'", ["12"], "12!"),
    call_row("a text with quotes and newlines", "def f(s):\n    return s", ["a\"b'c\nd\\n"], "a\"b'c\nd\\n"),
    call_row("an empty text", "def f(s):\n    return len(s)", [""], 0),
    call_row("letters beyond ASCII", "def f(s):\n    return s[::-1]", ["äβ😀"], "😀βä"),
    call_row("a null character", "def f(s):\n    return len(s)", ["a\0b"], 3),
)
SURROUNDINGS = (
    _sums("prints on the way", "def f(xs):\n    print('sum', xs)\n    return sum(xs)"),
    _sums("prints the look of a result", "def f(xs):\n    print('{\"value\": 9}')\n    return sum(xs)"),
    _sums("prints when it is loaded", "print(9)\n" + _TOTAL),
    _sums("exit(0) at module level", _TOTAL + "\nexit(0)"),
    _sums("an unused __main__ guard", _TOTAL + "\nif __name__ == '__main__':\n    print(f(input()))"),
    _sums("from __future__", "from __future__ import annotations\n" + _TOTAL),
    _sums("global", "t = 0\ndef f(xs):\n    global t\n    for x in xs:\n        t += x\n    return t"),
    _sums("an import inside", "def f(xs):\n    import math\n    return int(math.fsum(xs))"),
    _sums("a module that is changed for its own use", "import json\njson.dumps = None\n" + _TOTAL),
    _sums("another folder", "import os\nos.chdir('/')\n" + _TOTAL),
    _sums("its argument changed", "def f(xs):\n    xs.append(0)\n    return sum(xs)"),
    _sums("a closed standard output", "import sys\ndef f(xs):\n    sys.stdout.close()\n    return sum(xs)"),
    _sums("20,000 prints", "def f(xs):\n    for n in range(20000):\n        print(n)\n    return sum(xs)"),
    _sums(
        "a thread left running",
        "import threading, time\ndef f(xs):\n    threading.Thread(target=time.sleep, args=(60,)).start()\n    return sum(xs)",
    ),
    _sums("recursion", "def f(xs):\n    return xs[0] + f(xs[1:]) if xs else 0"),
    call_row(
        "deep recursion",
        "import sys\nsys.setrecursionlimit(10**6)\ndef f(n):\n    return n and 1 + f(n - 1)",
        [20000],
        20000,
    ),
    call_row("the recursion depth of plain Python", "def f(n):\n    return n and 1 + f(n - 1)", [980], 980),
    call_row(
        "functools.cache on itself",
        "from functools import cache\n@cache\ndef f(n):\n    return n and 1 + f(n - 1)",
        [300],
        300,
    ),
)
VALUES = (
    _returns("a tuple for a list", "def f(n):\n    return (1, (2, 3))", [1, [2, 3]]),
    _returns("a list of tuples", "def f(n):\n    return [(1, 'a'), (2, 'b')]", [[1, "a"], [2, "b"]]),
    _returns(
        "a named tuple",
        "from collections import namedtuple\nP = namedtuple('P', 'x y')\ndef f(n):\n    return P(1, 2)",
        [1, 2],
    ),
    _returns("a dict with integer keys", "def f(n):\n    return {1: 2, 10: 3}", {"1": 2, "10": 3}),
    _returns("a dict in another order", "def f(n):\n    return {'b': 1, 'a': 2}", {"a": 2, "b": 1}),
    _returns(
        "a defaultdict",
        "from collections import defaultdict\ndef f(n):\n    return defaultdict(int, a=1)",
        {"a": 1},
    ),
    _returns(
        "a Counter", "from collections import Counter\ndef f(n):\n    return Counter('aab')", {"a": 2, "b": 1}
    ),
    _returns(
        "an IntEnum", "from enum import IntEnum\nclass E(IntEnum):\n    A = 5\ndef f(n):\n    return E.A", 5
    ),
    _returns("a subclass of str", "class S(str):\n    pass\ndef f(n):\n    return S('x')", "x"),
    _returns("null", "def f(n):\n    pass", None),
    _returns("true", "def f(n):\n    return 1 < 2", True),
    _returns("an empty list", "def f(n):\n    return []", []),
    _returns("a text", "def f(n):\n    return 'a b'", "a b"),
    _returns("a float that is a little off", "def f(n):\n    return 0.1 + 0.2", 0.3),
    _returns("a float in a nested list", "def f(n):\n    return [[1 / 3]]", [[0.333333333]]),
    _returns("a whole number for a float", "def f(n):\n    return 2", 2.0),
    _returns("a float for a whole number", "def f(n):\n    return 4 / 2", 2),
    _returns("an integer beyond 64 bits", "def f(n):\n    return 2 ** 70", 2**70),
    _returns(
        "NaN and infinity", "def f(n):\n    return [float('nan'), float('inf')]", [float("nan"), float("inf")]
    ),
    _returns(
        "a Fraction",
        "from fractions import Fraction\ndef f(n):\n    return [Fraction(1, 2), Fraction(4, 2)]",
        [0.5, 2],
    ),
    _returns(
        "a Decimal",
        "from decimal import Decimal\ndef f(n):\n    return [Decimal('0.25'), Decimal(7)]",
        [0.25, 7],
    ),
    _returns("100,000 items", "def f(n):\n    return list(range(100_000))", list(range(100_000))),
    _returns(
        "lists 300 deep",
        "def f(n):\n    v = []\n    for _ in range(300):\n        v = [v]\n    return v",
        json.loads("[" * 301 + "]" * 301),
    ),
    _texts("an integer of 6,000 digits", "def f(x):\n    return x", f"[{_BIG}]", _BIG),
    _texts(
        "an expected value in a list of its own", "def f(x):\n    return x + 1", "[6]", "[7]", wrapped=True
    ),
    _texts("a list in a list of its own", "def f(x):\n    return [x, x]", "[6]", "[[6, 6]]", wrapped=True),
    _texts("a one-element list that is the value", "def f(x):\n    return [x]", "[6]", "[6]", wrapped=True),
    Row(
        "15 calls",
        "must pass",
        "def f(n):\n    return n * n",
        tuple(Case(f"[{n}]", str(n * n), "f") for n in range(15)),
        Verdict.PASSED,
    ),
    Row(
        "Solution().f as the name",
        "must pass",
        "class Solution:\n    def f(self, x):\n        return x",
        (Case("[6]", "6", "Solution().f"),),
        Verdict.PASSED,
    ),
)
ROWS = (*SHAPES, *SURROUNDINGS, *VALUES)
