"""Programs that read standard input and print, and are right."""

from __future__ import annotations

from verl_ext.grading.conformance.row import Row, stdin_row
from verl_ext.grading.problem import Case
from verl_ext.grading.verdict import Verdict

_SUM, _SEVEN = "3 4\n", "7\n"
_BIG = "7" * 6000
_ADD = "a, b = map(int, input().split())\nprint(a + b)"


def _prints(name: str, program: str, expected: str, stdin: str = "") -> Row:
    return stdin_row(name, program, stdin, expected)


def _adds(name: str, program: str) -> Row:
    return stdin_row(name, program, _SUM, _SEVEN)


READING = (
    _adds("input()", _ADD),
    _adds("sys.stdin.buffer", "import sys\nprint(sum(map(int, sys.stdin.buffer.read().split())))"),
    _adds("open(0)", "print(sum(map(int, open(0).read().split())))"),
    _adds(
        "sys.stdin line by line", "import sys\nfor line in sys.stdin:\n    print(sum(map(int, line.split())))"
    ),
    _adds("sys.stdin.readline kept in a name", "import sys\ninput = sys.stdin.readline\n" + _ADD),
    _adds(
        "sys.stdin.buffer.readline", "import sys\nprint(sum(map(int, sys.stdin.buffer.readline().split())))"
    ),
    _adds("os.read", "import os\nprint(sum(map(int, os.read(0, 1000).split())))"),
    _adds(
        "io.BytesIO over os.read, as contestants do",
        """
import os, io
input = io.BytesIO(os.read(0, os.fstat(0).st_size or 1000)).readline
print(sum(map(int, input().split())))
""",
    ),
    _adds("/dev/stdin", "print(sum(map(int, open('/dev/stdin').read().split())))"),
    _adds("readlines", "import sys\nprint(sum(map(int, sys.stdin.readlines()[0].split())))"),
    _adds(
        "fileinput",
        "import fileinput\nfor line in fileinput.input():\n    print(sum(map(int, line.split())))",
    ),
    _adds(
        "input until end of file",
        "try:\n    while True:\n        print(sum(map(int, input().split())))\nexcept EOFError:\n    pass",
    ),
    stdin_row("input with CRLF", _ADD, "3 4\r\n", "7"),
    stdin_row("input without a newline at its end", "print(len(input()))", "abc", "3"),
    stdin_row("no input at all", "import sys\nprint(len(sys.stdin.read()))", "", "0"),
    stdin_row("input that is not read", "print(7)", "x\n" * 100_000, "7"),
    stdin_row("letters beyond ASCII", "print(input()[::-1])", "äβ漢", "漢βä"),
    stdin_row("an integer of 6,000 digits", "print(int(input()))", _BIG, _BIG),
    stdin_row("100,000 lines", "import sys\nprint(sum(map(int, sys.stdin)))", "1\n" * 100_000, "100000"),
)
WRITING = (
    _adds(
        "sys.stdout.buffer", "import sys\nsys.stdout.buffer.write(b'%d\\n' % sum(map(int, input().split())))"
    ),
    _adds("os.write", "import os\nos.write(1, b'7')"),
    _adds("an output file that is never closed", "out = open(1, 'w', closefd=False)\nout.write('7')"),
    _adds("print(file=sys.stdout)", "import sys\nprint(3 + 4, file=sys.stdout, flush=True)"),
    _adds("standard error besides", "import sys\nprint('debug', file=sys.stderr)\nprint(7)"),
    _prints("CRLF in the output", "import sys\nsys.stdout.write('1\\r\\n2\\r\\n')", "1\n2\n"),
    _prints("CRLF in the expected output", "print(1)\nprint(2)", "1\r\n2\r\n"),
    _prints("blank lines before the answer", "print()\nprint()\nprint(7)", "7"),
    _prints("blank lines after the answer", "print(7)\nprint()\nprint()", "7"),
    _prints("blank lines around the expected output", "print(7)", "\n\n7\n\n"),
    _prints("a space at the end of lines", "print('1 2 ')\nprint('3\\t')", "1 2\n3"),
    _prints("two spaces between numbers", "print('1  2')", "1 2"),
    _prints("a picture with its spaces", "print('  *')\nprint(' ***')", "  *\n ***\n"),
    _prints("20,000 lines", "print(*range(20000), sep='\\n')", "\n".join(map(str, range(20000)))),
    _prints("one line of 500,000 letters", "print('x' * 500_000)", "x" * 500_000),
    _prints("an output of 6,000 digits", "print(int('7' * 6000))", _BIG),
)
NUMBERS = (
    _prints("a float that is a little off", "print(0.1 + 0.2)", "0.3"),
    _prints("fewer decimals than expected", "print('0.3333333')", "0.33333333333"),
    _prints("a whole number where a float is expected", "print(2)", "2.000"),
    _prints("a float where a whole number is expected", "print(2.0)", "2"),
    _prints("an exponent", "print('1e-7')", "0.0000001"),
    _prints("a large float within the relative tolerance", "print(1234567890.123)", "1234567890.5"),
    _prints("floats in brackets", "print([0.1 + 0.2, 1.0])", "[0.3, 1.0]"),
    _prints("integers beyond 64 bits", "print(2 ** 70)", "1180591620717411303424"),
)
RUNNING = (
    _adds("global", "t = 0\ndef go():\n    global t\n    t = 7\ngo()\nprint(t)"),
    _adds(
        "functions that call each other", "def a(n):\n    return b(n)\ndef b(n):\n    return n\nprint(a(7))"
    ),
    _adds("recursion at module level", "def f(n):\n    return n and 1 + f(n - 1)\nprint(f(990) - 983)"),
    _adds(
        "deep recursion",
        """
import sys
sys.setrecursionlimit(10**6)
def f(n):
    return n and 1 + f(n - 1)
print(f(20000) - 19993)
""",
    ),
    _adds("a __main__ guard", "def main():\n    print(7)\nif __name__ == '__main__':\n    main()"),
    _adds(
        "a __main__ guard with double quotes",
        'def main():\n    print(7)\nif "__main__" == __name__:\n    main()',
    ),
    _adds("exit(0) at the end", "print(7)\nexit(0)"),
    _adds("exit() in a function", "def main():\n    print(7)\n    exit()\nmain()\nprint(8)"),
    _adds("quit()", "print(7)\nquit()"),
    _adds("sys.exit()", "import sys\nprint(7)\nsys.exit()"),
    _adds("raise SystemExit", "print(7)\nraise SystemExit"),
    _adds("os._exit(0) after a flush", "import os\nprint(7, flush=True)\nos._exit(0)"),
    _adds("from __future__", "from __future__ import annotations\nprint(7)"),
    _adds(
        "a docstring before from __future__", '"""A program."""\nfrom __future__ import annotations\nprint(7)'
    ),
    _adds("an import in the middle", "x = 3\nimport math\nprint(math.ceil(x + 3.5))"),
    _adds("from math import *", "from math import *\nprint(floor(7.5))"),
    _adds(
        "a thread with a large stack",
        """
import sys, threading
sys.setrecursionlimit(10**6)
threading.stack_size(2**26)
t = threading.Thread(target=lambda: print(7))
t.start()
t.join()
""",
    ),
    _adds(
        "a thread that is not joined", "import threading\nthreading.Thread(target=lambda: print(7)).start()"
    ),
    _adds("output of atexit", "import atexit\natexit.register(print, 7)"),
    _adds(
        "a dataclass", "from dataclasses import dataclass\n@dataclass\nclass P:\n    x: int\nprint(P(7).x)"
    ),
    _adds(
        "pickle of an own class",
        "import pickle\nclass P:\n    x = 7\nprint(pickle.loads(pickle.dumps(P())).x)",
    ),
    _adds(
        "a comprehension in a class body that uses a global",
        "n = 7\nclass A:\n    x = [n for _ in range(1)]\nprint(A.x[0])",
    ),
    _adds("names of builtins used anew", "sum = list = print\nsum(7)"),
    _adds("an exception that is caught", "try:\n    1 / 0\nexcept ZeroDivisionError:\n    print(7)"),
    _adds("asyncio", "import asyncio\nasync def main():\n    print(7)\nasyncio.run(main())"),
    _adds(
        "subprocess", "import subprocess, sys\nsubprocess.run([sys.executable, '-c', 'print(7)'], check=True)"
    ),
    _adds("a file written and read", "open('x.txt', 'w').write('7')\nprint(open('x.txt').read())"),
    _adds("eval and exec", "exec('x = 3 + 4')\nprint(eval('x'))"),
    _adds(
        "a walrus, a match and a type hint",
        "def f(x: int | None) -> int:\n    match x:\n        case int():\n            return x\nif (n := f(7)):\n    print(n)",
    ),
    _adds("lines indented by tabs", "if True:\n\tprint(7)"),
    Row(
        "a fresh process for each case",
        "must pass",
        "import os\nfirst = not os.path.exists('seen')\nopen('seen', 'w').close()\nprint(int(input()) if first else -1)",
        tuple(Case(str(n), str(n)) for n in range(1, 4)),
        Verdict.PASSED,
    ),
    Row(
        "15 cases",
        "must pass",
        "print(2 * int(input()))",
        tuple(Case(f"{n}\n", f"{2 * n}\n") for n in range(15)),
        Verdict.PASSED,
    ),
)
ROWS = (*READING, *WRITING, *NUMBERS, *RUNNING)
