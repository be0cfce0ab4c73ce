"""Programs against cases, through the real sandbox: what must pass, what must fail, what can't be gamed."""

import json

import pytest

from verl_ext.grading.grader import Grader, grade_program
from verl_ext.grading.harness import Limits
from verl_ext.grading.problem import Case
from verl_ext.grading.verdict import Verdict
from verl_ext.sandbox.client import HttpSandbox

ADD = Case("3 4\n", "7\n")
SUM = Case("[[1, 2, 3]]", "6", "total")
BIG = "7" * 6000
NODES = "Optional[ListNode]"

# (what, program, case)
PASSES_STDIN = [
    ("input", "a, b = map(int, input().split())\nprint(a + b)", ADD),
    ("sys.stdin.buffer", "import sys\nprint(sum(map(int, sys.stdin.buffer.read().split())))", ADD),
    ("open(0)", "print(sum(map(int, open(0).read().split())))", ADD),
    ("stdin lines", "import sys\nfor line in sys.stdin:\n    print(sum(map(int, line.split())))", ADD),
    ("stdout.buffer", "import sys\nsys.stdout.buffer.write(b'%d' % sum(map(int, input().split())))", ADD),
    ("os.write", "import os\nos.write(1, b'7')", ADD),
    ("unclosed file", "out = open(1, 'w', closefd=False)\nout.write('7')", ADD),
    ("global", "t = 0\ndef go():\n    global t\n    t = 7\ngo()\nprint(t)", ADD),
    ("main guard", "def main():\n    print(7)\nif __name__ == '__main__':\n    main()", ADD),
    ("exit(0)", "print(7)\nexit(0)", ADD),
    ("sys.exit()", "import sys\nprint(7)\nsys.exit()", ADD),
    ("os._exit(0) after flush", "import os\nprint(7, flush=True)\nos._exit(0)", ADD),
    ("future import", "from __future__ import annotations\nprint(7)", ADD),
    ("docstring first", '"""A program."""\nfrom __future__ import annotations\nprint(7)', ADD),
    (
        "deep recursion",
        "import sys\nsys.setrecursionlimit(10**6)\n"
        "def f(n):\n    return n and 1 + f(n - 1)\nprint(f(20000) - 19993)",
        ADD,
    ),
    ("default recursion", "def f(n):\n    return n and 1 + f(n - 1)\nprint(f(990) - 983)", ADD),
    (
        "thread",
        "import threading\nthreading.stack_size(2**26)\n"
        "t = threading.Thread(target=lambda: print(7))\nt.start()\nt.join()",
        ADD,
    ),
    ("thread not joined", "import threading\nthreading.Thread(target=lambda: print(7)).start()", ADD),
    ("atexit output", "import atexit\natexit.register(print, 7)", ADD),
    ("dataclass", "from dataclasses import dataclass\n@dataclass\nclass P:\n    x: int\nprint(P(7).x)", ADD),
    ("pickle", "import pickle\nclass P:\n    x = 7\nprint(pickle.loads(pickle.dumps(P())).x)", ADD),
    ("stderr", "import sys\nprint('debug', file=sys.stderr)\nprint(7)", ADD),
    ("shadowed builtins", "sum = list = print\nsum(7)", ADD),
    ("crlf", "import sys\nsys.stdout.write('\\r\\n7 \\r\\n\\r\\n')", ADD),
    ("float", "print(0.1 + 0.2)", Case("", "0.3")),
    ("int for float", "print(2)", Case("", "2.000")),
    ("huge int", "print(int('7' * 6000))", Case("", BIG)),
    ("huge input", "print(int(input()))", Case(BIG, BIG)),
    ("many lines", "print(*range(20000), sep='\\n')", Case("", "\n".join(map(str, range(20000))))),
    ("unread input", "print(7)", Case("x\n" * 100_000, "7")),
    ("no newline in input", "print(len(input()))", Case("abc", "3")),
    ("unicode", "print(input()[::-1])", Case("äβ漢", "漢βä")),
]
PASSES_CALL = [
    ("function", "def total(xs):\n    return sum(xs)", SUM),
    ("method", "class Solution:\n    def total(self, xs):\n        return sum(xs)", SUM),
    ("static method", "class Solution:\n    @staticmethod\n    def total(xs):\n        return sum(xs)", SUM),
    ("lambda", "total = lambda xs: sum(xs)", SUM),
    (
        "qualified name",
        "class Solution:\n    def total(self, xs):\n        return sum(xs)",
        Case("[[1, 2, 3]]", "6", "Solution().total"),
    ),
    ("prints", "def total(xs):\n    print('{\"value\": 9}')\n    return sum(xs)", SUM),
    ("prints at load", "print(6)\ndef total(xs):\n    return sum(xs)", SUM),
    ("exit at load", "def total(xs):\n    return sum(xs)\nexit(0)", SUM),
    (
        "unused main",
        "def total(xs):\n    return sum(xs)\nif __name__ == '__main__':\n    print(total(input()))",
        SUM,
    ),
    ("tuple", "def f():\n    return (1, (2, 3))", Case("[]", "[1, [2, 3]]", "f")),
    ("int keys", "def f():\n    return {1: 2}", Case("[]", '{"1": 2}', "f")),
    (
        "defaultdict",
        "from collections import defaultdict\ndef f():\n    return defaultdict(int, a=1)",
        Case("[]", '{"a": 1}', "f"),
    ),
    (
        "int enum",
        "from enum import IntEnum\nclass E(IntEnum):\n    A = 5\ndef f():\n    return E.A",
        Case("[]", "5", "f"),
    ),
    ("str subclass", "class S(str):\n    pass\ndef f():\n    return S('x')", Case("[]", '"x"', "f")),
    ("none", "def f():\n    pass", Case("[]", "null", "f")),
    ("nan", "def f(x):\n    return [x, float('nan')]", Case("[Infinity]", "[Infinity, NaN]", "f")),
    ("float", "def f():\n    return 0.1 + 0.2", Case("[]", "0.3", "f")),
    ("huge int", "def f(x):\n    return x", Case(f"[{BIG}]", BIG, "f")),
    ("unicode", "def f(x):\n    return x", Case('["\\ud83d\\ude00\\n\\u0000"]', '"😀\\n\\u0000"', "f")),
    (
        "thread left running",
        "import threading, time\ndef f():\n"
        "    threading.Thread(target=time.sleep, args=(60,)).start()\n    return 1",
        Case("[]", "1", "f"),
    ),
    ("closed stdout", "import sys\ndef f():\n    sys.stdout.close()\n    return 1", Case("[]", "1", "f")),
    ("many prints", "def f():\n    print('x' * 20000)\n    return 1", Case("[]", "1", "f")),
    (
        "cache",
        "from functools import cache\n@cache\ndef f(n):\n    return n and 1 + f(n - 1)",
        Case("[300]", "300", "f"),
    ),
]
FAILS = [
    ("wrong", "print(8)", ADD, Verdict.WRONG_ANSWER),
    ("silent", "pass", ADD, Verdict.WRONG_ANSWER),
    ("empty program", "", ADD, Verdict.WRONG_ANSWER),
    ("letter case", "print('YES')", Case("", "yes"), Verdict.WRONG_ANSWER),
    ("nearly an integer", "print(10**18 + 1)", Case("", str(10**18)), Verdict.WRONG_ANSWER),
    ("extra line", "print(7)\nprint(7)", ADD, Verdict.WRONG_ANSWER),
    ("exit code", "print(7)\nexit(3)", ADD, Verdict.RUNTIME_ERROR),
    ("exit message", "print(7)\nexit('done')", ADD, Verdict.RUNTIME_ERROR),
    ("raise after answer", "print(7)\n1 / 0", ADD, Verdict.RUNTIME_ERROR),
    ("killed", "import os\nprint(7, flush=True)\nos.kill(os.getpid(), 9)", ADD, Verdict.RUNTIME_ERROR),
    ("eof", "input()\nprint(input())", ADD, Verdict.RUNTIME_ERROR),
    ("syntax", "print(7", ADD, Verdict.COMPILE_ERROR),
    ("indentation", "if 1:\nprint(7)", ADD, Verdict.COMPILE_ERROR),
    ("null byte", "print(7)\0", ADD, Verdict.COMPILE_ERROR),
    ("syntax error at run time", "eval('1 +')", ADD, Verdict.RUNTIME_ERROR),
    ("endless loop", "while True:\n    pass", ADD, Verdict.TIME_LIMIT),
    ("memory", "x = [0] * 10**9", ADD, Verdict.MEMORY_LIMIT),
    ("memory bit by bit", "x = []\nwhile True:\n    x.append('a' * 10**6)", ADD, Verdict.MEMORY_LIMIT),
    ("output", "while True:\n    print('x' * 1000)", ADD, Verdict.OUTPUT_LIMIT),
    ("no function", "def totl(xs):\n    return sum(xs)", SUM, Verdict.RUNTIME_ERROR),
    ("call syntax", "def total(xs:\n    return 6", SUM, Verdict.COMPILE_ERROR),
    ("call raises", "def total(xs):\n    return xs[9]", SUM, Verdict.RUNTIME_ERROR),
    ("call arity", "def total():\n    return 6", SUM, Verdict.RUNTIME_ERROR),
    ("call loops", "def total(xs):\n    while True:\n        pass", SUM, Verdict.TIME_LIMIT),
    ("call memory", "def total(xs):\n    return [0] * 10**9", SUM, Verdict.MEMORY_LIMIT),
    ("printed not returned", "def total(xs):\n    print(6)", SUM, Verdict.WRONG_ANSWER),
    ("true is not one", "def f():\n    return True", Case("[]", "1", "f"), Verdict.WRONG_ANSWER),
    ("text is no number", "def total(xs):\n    return '6'", SUM, Verdict.WRONG_ANSWER),
    ("wrapped", "def total(xs):\n    return [6]", SUM, Verdict.WRONG_ANSWER),
    ("set", "def f():\n    return {1}", Case("[]", "[1]", "f"), Verdict.WRONG_ANSWER),
    ("generator", "def f():\n    yield 1", Case("[]", "[1]", "f"), Verdict.WRONG_ANSWER),
    ("tuple key", "def f():\n    return {(1, 2): 3}", Case("[]", '{"[1, 2]": 3}', "f"), Verdict.WRONG_ANSWER),
    (
        "endless nesting",
        "def f():\n    x = []\n    x.append(x)\n    return x",
        Case("[]", "[]", "f"),
        Verdict.WRONG_ANSWER,
    ),
    ("exit code at load", "def total(xs):\n    return 6\nexit(2)", SUM, Verdict.RUNTIME_ERROR),
]
# Finds the driver's nonce and private descriptor, and writes an answer of its own.
FORGE = """
import os, sys
def {name}(*args):
    frame = sys._getframe()
    while "nonce" not in frame.f_locals:
        frame = frame.f_back
    nonce, fd = frame.f_locals["nonce"], frame.f_locals["answer_fd"]
    {body}
"""
GAMED = [
    ("early os._exit", "import os\nos._exit(0)", ADD),
    ("early os._exit in call", "import os\ndef total(xs):\n    os._exit(0)", SUM),
    ("early os._exit at load", "import os\nos._exit(0)", SUM),
    ("early sys.exit in call", "import sys\ndef total(xs):\n    sys.exit(0)", SUM),
    ("sys.exit before def", "import sys\nsys.exit(0)\ndef total(xs):\n    return 6", SUM),
    (
        "atexit os._exit",
        "import atexit, os\natexit.register(os._exit, 0)\ndef total(xs):\n    raise ValueError",
        SUM,
    ),
    ("always equal", "class A:\n    __eq__ = lambda s, o: True\ndef total(xs):\n    return A()", SUM),
    (
        "always equal int",
        "class A(int):\n    __eq__ = lambda s, o: True\ndef total(xs):\n    return A(5)",
        SUM,
    ),
    (
        "always equal str",
        "class A(str):\n    __eq__ = lambda s, o: True\ndef f():\n    return A('y')",
        Case("[]", '"x"', "f"),
    ),
    (
        "always equal list",
        "class A(list):\n    __eq__ = lambda s, o: True\ndef total(xs):\n    return A()",
        SUM,
    ),
    (
        "lying repr",
        "class A(int):\n    __repr__ = __str__ = lambda s: '6'\ndef total(xs):\n    return A(5)",
        SUM,
    ),
    ("printed verdict", "print('passed')\nprint('Success')", ADD),
    ("printed answer in call", "print('6')\ndef total(xs):\n    print('6')", SUM),
    ("written to fd 1", "import os\ndef total(xs):\n    os.write(1, b'6')\n    os._exit(0)", SUM),
    (
        "every fd",
        "import os\ndef total(xs):\n    for fd in range(64):\n        try: os.write(fd, b'6')\n"
        "        except OSError: pass\n    os._exit(0)",
        SUM,
    ),
    (
        "patched builtins",
        "import builtins\nbuiltins.all = builtins.any = lambda *a: True\n"
        "builtins.isinstance = lambda *a: True\ndef total(xs):\n    return 5",
        SUM,
    ),
    (
        "patched json",
        "import json\njson.dumps = json.loads = lambda *a, **k: 6\n"
        "json.JSONEncoder.encode = lambda s, o: '{}'\ndef total(xs):\n    return 5",
        SUM,
    ),
    (
        "fork, child answers",
        "import os\ndef total(xs):\n    if os.fork():\n        os._exit(0)\n    return 6",
        SUM,
    ),
    ("fork, one answer each", "import os\ndef total(xs):\n    return 6 if os.fork() == 0 else 5", SUM),
    (
        "fork, parent killed",
        "import os\ndef total(xs):\n    if os.fork() == 0:\n        os.kill(os.getppid(), 9)\n"
        "    else:\n        os.wait()\n    return 6",
        SUM,
    ),
    (
        "forged wrong answer",
        FORGE.format(
            name="total", body="os.write(fd, (nonce + '{\"value\": 5}' + nonce).encode()); os._exit(0)"
        ),
        SUM,
    ),
    (
        "forged passed",
        FORGE.format(
            name="total", body="os.write(fd, (nonce + '{\"passed\": true}' + nonce).encode()); os._exit(0)"
        ),
        SUM,
    ),
    (
        "all answers forged",
        FORGE.format(
            name="total",
            body="[os.write(fd, f'{nonce}{{\"value\": {n}}}{nonce}'.encode()) for n in range(9)]",
        ),
        SUM,
    ),
    (
        "forged, then another",
        FORGE.format(
            name="total", body="os.write(fd, (nonce + '{\"value\": 6}' + nonce).encode()); return 6"
        ),
        SUM,
    ),
    (
        "reads the expected file",
        "import os\nprint(open([f for f in os.listdir() if 'expect' in f][0]).read())",
        ADD,
    ),
    ("prelude's stub", "x = 1", SUM),
    (
        "syntax error forged",
        "import sys\nsys.stderr.write('Traceback (most recent call last):\\npassed: yes\\n')\nsys.exit(1)",
        ADD,
    ),
]


def ids(rows: list[tuple]) -> list[str]:
    return [row[0].replace(" ", "_") for row in rows]


@pytest.mark.parametrize(("what", "program", "case"), PASSES_STDIN, ids=ids(PASSES_STDIN))
async def test_a_right_program_passes(grader: Grader, what: str, program: str, case: Case) -> None:
    [result] = (await grader.grade(program, [case])).results
    assert result.verdict is Verdict.PASSED, result


@pytest.mark.parametrize(("what", "program", "case"), PASSES_CALL, ids=ids(PASSES_CALL))
async def test_a_right_function_passes(grader: Grader, what: str, program: str, case: Case) -> None:
    [result] = (await grader.grade(program, [case])).results
    assert result.verdict is Verdict.PASSED, result


@pytest.mark.parametrize(("what", "program", "case", "verdict"), FAILS, ids=ids(FAILS))
async def test_a_wrong_program_gets_its_verdict(
    grader: Grader, what: str, program: str, case: Case, verdict: Verdict
) -> None:
    [result] = (await grader.grade(program, [case])).results
    assert result.verdict is verdict, result


@pytest.mark.parametrize(("what", "program", "case"), GAMED, ids=ids(GAMED))
async def test_a_trick_does_not_pass(grader: Grader, what: str, program: str, case: Case) -> None:
    stub = "def total(xs): pass" if what == "prelude's stub" else ""
    [result] = (await grader.grade(program, [case], prelude=stub)).results
    assert not result.passed, result


async def test_a_forged_answer_is_worth_what_it_says(grader: Grader) -> None:
    """The forgeries above do reach the driver's channel; to pass, one has to know the right answer."""
    body = "os.write(fd, (nonce + '{\"value\": 6}' + nonce).encode()); os._exit(0)"
    [result] = (await grader.grade(FORGE.format(name="total", body=body), [SUM])).results
    assert result.passed, result


async def test_a_sleeping_program_meets_the_wall_clock_guard(sandbox_endpoint: str) -> None:
    limits = Limits(time_s=0.2, min_wall_clock_s=0.0)
    async with HttpSandbox(sandbox_endpoint) as sandbox:
        grade = await grade_program(sandbox, "import time\ntime.sleep(60)", [ADD], limits=limits)
    assert grade.results[0].verdict is Verdict.TIME_LIMIT


PRELUDE = """from typing import *
class ListNode:
    def __init__(self, val=0, next=None):
        self.val = val
        self.next = next
class TreeNode:
    def __init__(self, val=0, left=None, right=None):
        self.val, self.left, self.right = val, left, right
"""
NODE_ROWS = [
    ("head: Optional[ListNode]) -> Optional[ListNode]", "return head.next", [[1, 2, 3]], [2, 3]),
    ("head: Optional[ListNode]) -> Optional[ListNode]", "return head", [[]], []),
    ("head: 'ListNode') -> int", "return head.next.val", [[1, 2]], 2),
    ("heads: List[Optional[ListNode]]) -> ListNode", "return heads[1]", [[[1], [2, 3]]], [2, 3]),
    ("heads: List[ListNode]) -> List[ListNode]", "return heads[::-1]", [[[1], []]], [[], [1]]),
    ("root: TreeNode) -> TreeNode", "return root.right", [[1, 2, 3, None, None, None, 4]], [3, None, 4]),
    ("root: Optional[TreeNode]) -> Optional[TreeNode]", "return root", [[1, None, 2, 3]], [1, None, 2, 3]),
    ("root: TreeNode | None) -> bool", "return root is None", [[]], True),
    ("root: TreeNode, k: int) -> int", "return root.left.val + k", [[1, 2], 5], 7),
]


@pytest.mark.parametrize(("signature", "body", "arguments", "expected"), NODE_ROWS)
@pytest.mark.parametrize(
    "prelude", [PRELUDE, "from typing import *\nclass ListNode: pass\nclass TreeNode: pass\n"]
)
async def test_annotations_turn_lists_into_nodes_and_back(
    grader: Grader, signature: str, body: str, arguments: list, expected: object, prelude: str
) -> None:
    own_classes = "" if prelude is PRELUDE else PRELUDE
    program = f"{own_classes}class Solution:\n    def f(self, {signature}:\n        {body}\n"
    case = Case(json.dumps(arguments), json.dumps(expected), "f")
    [result] = (await grader.grade(program, [case], prelude=prelude)).results
    assert result.passed, result


async def test_the_preludes_signature_fills_in_for_a_program_without_annotations(grader: Grader) -> None:
    stub = PRELUDE + "class Solution:\n    def f(self, head: ListNode) -> ListNode: ...\n"
    program = "class Solution:\n    def f(self, head):\n        return head.next\n"
    [result] = (await grader.grade(program, [Case("[[1, 2]]", "[2]", "f")], prelude=stub)).results
    assert result.passed, result


async def test_a_list_that_never_ends_is_an_error_of_the_program(grader: Grader) -> None:
    program = "def f(head: ListNode) -> ListNode:\n    head.next = head\n    return head\n"
    case = Case("[[1]]", "[1]", "f")
    [result] = (await grader.grade(program, [case], prelude=PRELUDE, time_limit_s=5)).results
    assert result.verdict is Verdict.RUNTIME_ERROR


ERROR_ROWS = [
    ("x = 1\nprint(y)", "NameError", 2, "print(y)"),
    ("def f():\n    return 1 / 0\n\nf()", "ZeroDivisionError", 2, "return 1 / 0"),
    ("import json\njson.loads('{')", "JSONDecodeError", 2, "json.loads('{')"),
    ("x = 1\nif x\n    pass", "SyntaxError", 2, "if x"),
    ("if 1:\nx = 1", "IndentationError", 2, "x = 1"),
    ("try:\n    1 / 0\nexcept ZeroDivisionError:\n    int('x')", "ValueError", 4, "int('x')"),
    ("class Own(Exception):\n    pass\nraise Own('why')", "Own", 3, "raise Own('why')"),
    ("assert False", "AssertionError", 1, "assert False"),
]


@pytest.mark.parametrize(("program", "category", "line", "source"), ERROR_ROWS)
@pytest.mark.parametrize("prelude", ["", "import math\n" * 50])
async def test_an_error_names_the_line_the_model_wrote(
    grader: Grader, program: str, category: str, line: int, source: str, prelude: str
) -> None:
    for case, text in ((ADD, program), (Case("[]", "1", "go"), program)):
        [result] = (await grader.grade(text, [case], prelude=prelude)).results
        assert result.error is not None
        assert (result.error.category, result.error.line, result.error.source_line) == (
            category,
            line,
            source,
        )


async def test_debug_prints_are_kept_apart_from_answer_and_traceback(grader: Grader) -> None:
    program = "def f(x):\n    print('seen', x)\n    return x"
    [right] = (await grader.grade(program, [Case("[3]", "3", "f")])).results
    assert (right.actual, right.stderr) == ("3", "seen 3\n")
    [wrong] = (await grader.grade("import sys\nprint('seen', file=sys.stderr)\n1 / 0", [ADD])).results
    assert wrong.stderr == "seen\n"


async def test_a_program_can_not_feign_a_missing_toolchain(grader: Grader) -> None:
    feigned = "echo 'bash is not installed where the sandbox runs' >&2\nexec /no/such/program"
    (result,) = (await grader.grade(feigned, [ADD], language="bash")).results
    assert result.verdict is Verdict.RUNTIME_ERROR
