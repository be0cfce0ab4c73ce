"""Programs that are wrong, each with its verdict."""

from __future__ import annotations

from verl_ext.grading.conformance.row import Row, call_row, stdin_row
from verl_ext.grading.problem import Case
from verl_ext.grading.verdict import Verdict

_WRONG, _ERROR = Verdict.WRONG_ANSWER, Verdict.RUNTIME_ERROR


def _prints(name: str, program: str, expected: str, verdict: Verdict = _WRONG) -> Row:
    return stdin_row(name, program, "", expected, verdict)


def _returns(name: str, program: str, expected: object, verdict: Verdict = _WRONG) -> Row:
    return call_row(name, program, [0], expected, verdict)


def _on_cases(name: str, program: str, cases: tuple[Case, ...]) -> Row:
    return Row(name, "must fail", program, cases, _WRONG)


OUTPUT = (
    _prints("another number", "print(8)", "7"),
    _prints("no output", "pass", "7"),
    _prints("an empty program", "", "7"),
    _prints("a comment only", "# 7", "7"),
    _prints("another letter case", "print('YES')", "yes"),
    _prints("one letter of another case", "print('Case #1: A')", "case #1: A"),
    _prints("an integer off by one beyond 2**53", "print(10**18 + 1)", str(10**18)),
    _prints("an integer off by one beyond 64 bits", "print(2**70 + 1)", str(2**70)),
    _prints("the last of 6,000 digits", "print('7' * 5999 + '8')", "7" * 6000),
    _prints("a small integer off by one", "print(1000001)", "1000000"),
    _prints("an extra line", "print(7)\nprint(7)", "7"),
    _prints("an extra token", "print(7, 7)", "7"),
    _prints("a missing line", "print(1)", "1\n2"),
    _prints("tokens in another order", "print('3 1 2')", "1 2 3"),
    _prints("lines in another order", "print(2)\nprint(1)", "1\n2"),
    _prints("tokens that repeat", "print('1 2 2 1')", "1 2"),
    _prints("one line for two", "print(1, 2)", "1\n2"),
    _prints("two lines for one", "print(1)\nprint(2)", "1 2"),
    _prints("a blank line in the middle", "print(1)\nprint()\nprint(2)", "1\n2"),
    _prints("no space between", "print('12')", "1 2"),
    _prints("leading zeros", "print('007')", "7"),
    _prints("a float that is off", "print(0.301)", "0.3"),
    _prints("a float rounded to a whole number", "print(3)", "3.4"),
    _prints("NaN for a number", "print(float('nan'))", "0.5"),
    _prints("infinity for a number", "print(float('inf'))", "1e300"),
    _prints("a picture without its spaces", "print('*')\nprint('***')", "  *\n ***"),
    _prints("quotes around a text", "print(repr('abc'))", "abc"),
    _prints("a list where numbers are expected", "print([1, 2])", "1 2"),
    _prints("a prompt before the answer", "print('Answer: 7')", "7"),
    _prints("the answer on standard error", "import sys\nprint(7, file=sys.stderr)", "7"),
    _prints("the letters of the answer in another word", "print('impossible!')", "impossible"),
    _on_cases(
        "wrong in the last of 15 cases",
        "n = int(input())\nprint(n if n < 14 else 0)",
        tuple(Case(str(n), str(n)) for n in range(15)),
    ),
    _on_cases("right in one of two cases", "print(1)", (Case("1", "1"), Case("2", "2"))),
    _on_cases("wrong in the first of two cases", "print(2)", (Case("1", "1"), Case("2", "2"))),
)
ENDING = (
    _prints("exit code 3 after the answer", "print(7)\nexit(3)", "7", _ERROR),
    _prints("an exit message after the answer", "print(7)\nexit('done')", "7", _ERROR),
    _prints("an exception after the answer", "print(7)\n1 / 0", "7", _ERROR),
    _prints("an assertion after the answer", "print(7)\nassert False", "7", _ERROR),
    _prints(
        "killed after the answer", "import os\nprint(7, flush=True)\nos.kill(os.getpid(), 9)", "7", _ERROR
    ),
    _prints(
        "a segmentation fault after the answer",
        "import os, signal\nprint(7, flush=True)\nos.kill(os.getpid(), signal.SIGSEGV)",
        "7",
        _ERROR,
    ),
    _prints("input that is not there", "input()\nprint(7)", "7", _ERROR),
    _prints("a name that is not defined", "print(seven)", "7", _ERROR),
    _prints("a module that is not installed", "import no_such_module\nprint(7)", "7", _ERROR),
    _prints("endless recursion", "def f():\n    return f()\nf()\nprint(7)", "7", _ERROR),
    _prints("an exception group", "print(7)\nraise ExceptionGroup('x', [ValueError()])", "7", _ERROR),
    _prints("KeyboardInterrupt", "print(7, flush=True)\nraise KeyboardInterrupt", "7", _ERROR),
    _prints("a bracket that is not closed", "print(7", "7", Verdict.COMPILE_ERROR),
    _prints("wrong indentation", "if 1:\nprint(7)", "7", Verdict.COMPILE_ERROR),
    _prints("a null byte", "print(7)\0", "7", Verdict.COMPILE_ERROR),
    _prints("Python 2", "print 7", "7", Verdict.COMPILE_ERROR),
    _prints("prose", "The answer is 7.", "7", Verdict.COMPILE_ERROR),
    _prints("a syntax error in eval", "print(7)\neval('1 +')", "7", _ERROR),
    _prints("an endless loop", "print(7, flush=True)\nwhile True:\n    pass", "7", Verdict.TIME_LIMIT),
    _prints(
        "an endless loop that catches everything",
        "while True:\n    try:\n        while True:\n            pass\n    except BaseException:\n        pass",
        "7",
        Verdict.TIME_LIMIT,
    ),
    _prints("2 GB of memory", "print(7, flush=True)\nx = bytearray(2 * 10**9)", "7", Verdict.MEMORY_LIMIT),
    _prints("20 MB of output", "print('7' * 20_000_000)", "7", Verdict.OUTPUT_LIMIT),
)
VALUES = (
    call_row("another value", "def f(xs):\n    return sum(xs) + 1", [[1, 2, 3]], 6, _WRONG),
    _returns("null for a value", "def f(n):\n    pass", 6),
    _returns("true for 1", "def f(n):\n    return True", 1),
    _returns("1 for true", "def f(n):\n    return 1", True),
    _returns("0 for false", "def f(n):\n    return 0", False),
    _returns("null for false", "def f(n):\n    return None", False),
    _returns("an empty list for null", "def f(n):\n    return []", None),
    _returns("a text for a number", "def f(n):\n    return '6'", 6),
    _returns("a number for a text", "def f(n):\n    return 6", "6"),
    _returns("the text of a list", "def f(n):\n    return '[1, 2]'", [1, 2]),
    _returns("another letter case in a text", "def f(n):\n    return 'Yes'", "yes"),
    _returns("a space at the end of a text", "def f(n):\n    return 'a '", "a"),
    _returns("a list in another order", "def f(n):\n    return [2, 1]", [1, 2]),
    _returns("a list that is too long", "def f(n):\n    return [1, 2, 3]", [1, 2]),
    _returns("a list that is too short", "def f(n):\n    return [1]", [1, 2]),
    _returns("a list in a list too many", "def f(n):\n    return [[1, 2]]", [1, 2]),
    _returns("a dict with another value", "def f(n):\n    return {'a': 2}", {"a": 1}),
    _returns("a dict with a key too many", "def f(n):\n    return {'a': 1, 'b': 2}", {"a": 1}),
    _returns("a dict that lacks a key", "def f(n):\n    return {}", {"a": 1}),
    _returns("a set for a list", "def f(n):\n    return {1, 2}", [1, 2]),
    _returns("a generator for a list", "def f(n):\n    yield 1\n    yield 2", [1, 2]),
    _returns("a map object for a list", "def f(n):\n    return map(int, '12')", [1, 2]),
    _returns("bytes for a text", "def f(n):\n    return b'a'", "a"),
    _returns("the function itself", "def f(n):\n    return f", 6),
    _returns("a coroutine", "async def f(n):\n    return 6", 6),
    _returns("an integer off by one beyond 2**53", "def f(n):\n    return 2**53 + 1", 2**53),
    _returns("a float that is off", "def f(n):\n    return 0.301", 0.3),
    _returns("NaN for a number", "def f(n):\n    return float('nan')", 0.5),
    _returns(
        "a list that contains itself", "def f(n):\n    x = [1]\n    x.append(x)\n    return x", [1, [1]]
    ),
    _returns(
        "lists 100,000 deep",
        "def f(n):\n    v = []\n    for _ in range(100_000):\n        v = [v]\n    return v",
        [[]],
    ),
    _returns("a list 2,000,000 long", "def f(n):\n    return [0] * 2_000_000", [0], Verdict.OUTPUT_LIMIT),
    _on_cases(
        "a bare value where lists are expected",
        "def f(n):\n    return [1, n] if n > 1 else 1",
        (Case("[1]", "[1]", "f"), Case("[3]", "[1, 3]", "f")),
    ),
    _on_cases(
        "wrong in the last of 15 calls",
        "def f(n):\n    return n if n < 14 else 0",
        tuple(Case(f"[{n}]", str(n), "f") for n in range(15)),
    ),
    Row(
        "another value in a list of its own",
        "must fail",
        "def f(x):\n    return x",
        (Case("[6]", "[7]", "f", wrapped=True),),
        _WRONG,
    ),
    _returns("a printed value", "def f(n):\n    print(6)", 6),
)
CALLING = (
    _returns("another function name", "def g():\n    return 6", 6, _ERROR),
    _returns("an exception", "def f(n):\n    return 1 / 0", 6, _ERROR),
    _returns("a missing argument", "def f(n, m):\n    return 6", 6, _ERROR),
    _returns("exit code 2 at module level", "def f(n):\n    return 6\nexit(2)", 6, _ERROR),
    _returns("a syntax error", "def f(n:\n    return 6", 6, Verdict.COMPILE_ERROR),
    _returns("an endless loop", "def f(n):\n    while True:\n        pass", 6, Verdict.TIME_LIMIT),
    _returns(
        "2 GB of memory", "def f(n):\n    return len(bytearray(2 * 10**9)) and 6", 6, Verdict.MEMORY_LIMIT
    ),
    _returns(
        "a class Solution that can't be made",
        "class Solution:\n    def __init__(self, x):\n        pass\n    def f(self, n):\n        return 6",
        6,
        _ERROR,
    ),
)
NOTHING = (Row("no case at all", "must fail", "print(7)", (), None),)
ROWS = (*OUTPUT, *ENDING, *VALUES, *CALLING, *NOTHING)
