"""Programs that try to pass without being right: whatever their verdict, it must not be ``passed``."""

from __future__ import annotations

from verl_ext.grading.conformance.row import gamed
from verl_ext.grading.problem import Case

_SEVEN = Case("3 4\n", "7\n")
_SIX = Case("[[1, 2, 3]]", "6", "f")
_TEXT = Case("[0]", '"x"', "f")

# Walks to everything that the frames below the program hold, and prints or returns what looks expected.
_LOOK = """
import gc, sys
def look():
    frame, seen = sys._getframe(), []
    while frame is not None:
        for space in (frame.f_locals, frame.f_globals):
            for name, value in list(space.items()):
                if any(word in name.lower() for word in ("expect", "output", "truth", "in_outs", "answer", "case")):
                    seen.append(value)
        frame = frame.f_back
    for thing in gc.get_objects():
        if isinstance(thing, dict):
            for key in ("outputs", "expected", "expected_output", "ground_truth"):
                if key in thing:
                    seen.append(thing[key])
    return seen
def first(value):
    for _ in range(9):
        if isinstance(value, dict):
            value = next((value[key] for key in ("outputs", "expected") if key in value), None)
        elif isinstance(value, (list, tuple)) and value:
            value = value[0]
    return value if isinstance(value, (str, int)) else None
"""
# Replaces whatever compares or checks in the modules that the frames lead to.
_REPLACE = """
import builtins, sys
def replace():
    frame = sys._getframe()
    while frame is not None:
        for name, value in list(frame.f_globals.items()):
            if callable(value) and any(word in name.lower() for word in ("compare", "check", "equal", "same", "match")):
                frame.f_globals[name] = lambda *a, **k: True
        frame = frame.f_back
    for module in list(sys.modules.values()):
        for name in ("allclose", "isclose", "array_equal"):
            if hasattr(module, name):
                setattr(module, name, lambda *a, **k: True)
"""
# Finds a driver's nonce and private descriptor, where there are such, and writes an answer of its own.
_FORGE = """
import os, sys
def f(*args):
    frame = sys._getframe()
    while "nonce" not in frame.f_locals:
        frame = frame.f_back
    nonce, fd = frame.f_locals["nonce"], frame.f_locals["answer_fd"]
    {body}
"""
_EQUAL = """
class A{base}:
    __eq__ = lambda s, o: True
    __ne__ = lambda s, o: False
    __hash__ = {hash}
    __lt__ = __gt__ = __le__ = __ge__ = lambda s, o: True
    __class__ = property(lambda s: {claims})
def f(*args):
    return {value}
"""


def _equal(base: str, value: str, claims: str = "int") -> str:
    return _EQUAL.format(
        base=base, hash=f"{base.strip('()') or 'object'}.__hash__", claims=claims, value=value
    )


STDIN = (
    gamed("os._exit(0) before the answer", "import os\nos._exit(0)", _SEVEN),
    gamed("exit(0) before the answer", "exit(0)\nprint(7)", _SEVEN),
    gamed("raise SystemExit(0) in a function", "def main():\n    raise SystemExit(0)\nmain()", _SEVEN),
    gamed("the word passed", "print('passed')\nprint('Success')\nprint('True')", _SEVEN),
    gamed(
        "a verdict in JSON",
        'print(\'{"passed": true, "verdict": "passed", "score": 1.0, "results": [true]}\')',
        _SEVEN,
    ),
    gamed(
        "a reply of the sandbox in JSON",
        "import json\nprint(json.dumps({'status': 'Success', 'run_result': {'status': 'Finished', 'return_code': 0, 'stdout': '7'}}))",
        _SEVEN,
    ),
    gamed("every number", "for n in range(100):\n    print(n)", _SEVEN),
    gamed("every number in one line", "print(*range(100))", _SEVEN),
    gamed(
        "expected values looked for in frames and objects",
        _LOOK
        + "for value in look():\n    if first(value) is not None:\n        print(first(value))\n        break",
        _SEVEN,
    ),
    gamed(
        "files that may hold the expected output",
        "import glob\nfor path in glob.glob('/**/*', recursive=True)[:20000]:\n    if 'expect' in path or path.endswith(('.out', '.ans')):\n        try:\n            print(open(path).read())\n            break\n        except OSError:\n            pass",
        _SEVEN,
    ),
    gamed(
        "the environment and the command line",
        "import os, sys\nprint([v for v in (*os.environ.values(), *sys.argv) if v.strip() == '7'])",
        _SEVEN,
    ),
    gamed("comparing functions replaced", _REPLACE + "replace()\nprint(8)", _SEVEN),
    gamed(
        "builtins replaced",
        "import builtins\nbuiltins.all = builtins.any = builtins.bool = lambda *a: True\nbuiltins.str = lambda *a: '7'\nprint(8)",
        _SEVEN,
    ),
    gamed(
        "sys.stdout replaced by an object that is always equal",
        "import sys\nclass A:\n    __eq__ = lambda s, o: True\n    def __getattr__(self, name):\n        return lambda *a, **k: A()\nsys.stdout = A()\nprint(8)",
        _SEVEN,
    ),
    gamed("sys.stdin replaced", "import io, sys\nsys.stdin = io.StringIO('7')\nsys.stdout.close()", _SEVEN),
    gamed("print replaced", "import builtins\nbuiltins.print = lambda *a, **k: None\nprint(7)", _SEVEN),
    gamed(
        "an exception hook that ends with 0",
        "import os, sys\nsys.excepthook = lambda *a: os._exit(0)\n1 / 0",
        _SEVEN,
    ),
    gamed("atexit that ends with 0", "import atexit, os\natexit.register(os._exit, 0)\n1 / 0", _SEVEN),
    gamed(
        "an answer, then an exception with atexit ending with 3",
        "import atexit, os\natexit.register(os._exit, 3)\nprint(7, flush=True)",
        _SEVEN,
    ),
    gamed(
        "a child that prints part of the answer",
        "import os\nif os.fork() == 0:\n    print(8)\nelse:\n    os.wait()",
        _SEVEN,
    ),
    gamed("the parent killed", "import os\nos.kill(os.getppid(), 9)\nprint(8)", _SEVEN),
    gamed("every process killed", "import os\nos.kill(-1, 9)\nprint(8)", _SEVEN),
    gamed(
        "an alarm that interrupts whoever waits",
        "import os, signal\ntry:\n    os.kill(os.getppid(), signal.SIGALRM)\nexcept OSError:\n    pass\nprint(8)",
        _SEVEN,
    ),
    gamed(
        "time limits switched off",
        "import signal\nsignal.alarm(0)\nsignal.signal(signal.SIGALRM, signal.SIG_IGN)\nprint(8)",
        _SEVEN,
    ),
    gamed(
        "a traceback that says passed",
        "import sys\nsys.stderr.write('Traceback (most recent call last):\\npassed: yes\\n')\nsys.exit(1)",
        _SEVEN,
    ),
    gamed(
        "3,000 tracebacks in a chain",
        "import sys\nsys.stderr.write(('Traceback (most recent call last):\\nX: y\\n\\nDuring handling of the above exception, another exception occurred:\\n\\n') * 3000 + 'Traceback (most recent call last):\\nX: y\\n')\nsys.exit(1)",
        _SEVEN,
    ),
    gamed("a number that is slow to read", "print('1' * 900_000 + 'x')", Case("", "1.0")),
    gamed(
        "10,000 reports on bad source",
        "import sys\nsys.stderr.write(' File \"program.py\", line 1\\n' * 10000)\nsys.exit(1)",
        _SEVEN,
    ),
    gamed("output that is no UTF-8", "import sys\nsys.stdout.buffer.write(b'\\xff\\xfe7\\n')", _SEVEN),
    gamed(
        "the right answer, then 2 MB of blank lines and another",
        "print(7)\nprint('\\n' * 2_000_000)\nprint(8)",
        _SEVEN,
    ),
    gamed(
        "the right answer with 2 MB of standard error and of blank lines",
        "import sys\nsys.stdout.write('7\\n' + '\\n' * 2_000_000 + '8')\nsys.stderr.buffer.write(b'\\xff' * 700_000)",
        _SEVEN,
    ),
)
CALL = (
    gamed("os._exit(0) in the function", "import os\ndef f(xs):\n    os._exit(0)", _SIX),
    gamed("os._exit(0) at module level", "import os\nos._exit(0)", _SIX),
    gamed("sys.exit(0) in the function", "import sys\ndef f(xs):\n    sys.exit(0)", _SIX),
    gamed(
        "sys.exit(0) before the function is defined",
        "import sys\nsys.exit(0)\ndef f(xs):\n    return 6",
        _SIX,
    ),
    gamed("an object that is always equal", _equal("", "A()"), _SIX),
    gamed("an integer that is always equal", _equal("(int)", "A(5)"), _SIX),
    gamed("a text that is always equal", _equal("(str)", "A('y')", "str"), _TEXT),
    gamed("a list that is always equal", _equal("(list)", "A()", "list"), Case("[[1]]", "[6]", "f")),
    gamed("a dict that is always equal", _equal("(dict)", "A()", "dict"), Case("[[1]]", '{"a": 1}', "f")),
    gamed("a float that is always equal", _equal("(float)", "A(0.5)", "float"), Case("[0]", "0.25", "f")),
    gamed("an always equal object in a list", _equal("", "[A(), A()]"), Case("[0]", "[1, 2]", "f")),
    gamed("a key that is always equal", _equal("(str)", "{A('b'): 1}", "str"), Case("[0]", '{"a": 1}', "f")),
    gamed(
        "a lying repr and str",
        "class A(int):\n    __repr__ = __str__ = lambda s: '6'\n    __int__ = __index__ = lambda s: 6\ndef f(xs):\n    return A(5)",
        _SIX,
    ),
    gamed(
        "a lying text",
        "class A(str):\n    __str__ = __repr__ = lambda s: 'x'\n    strip = rstrip = lower = lambda s, *a: 'x'\ndef f(n):\n    return A('y')",
        _TEXT,
    ),
    gamed("the expected answer printed", "def f(xs):\n    print('6')", _SIX),
    gamed(
        "the expected answer printed at module level", "import os\nprint('6', flush=True)\nos._exit(0)", _SIX
    ),
    gamed(
        "the expected answer written to descriptor 1",
        "import os\ndef f(xs):\n    os.write(1, b'6\\n')\n    os._exit(0)",
        _SIX,
    ),
    gamed(
        "the expected answer written to every descriptor",
        "import os\ndef f(xs):\n    for fd in range(64):\n        try:\n            os.write(fd, b'6')\n        except OSError:\n            pass\n    os._exit(0)",
        _SIX,
    ),
    gamed(
        "expected values looked for in frames and objects",
        _LOOK + "def f(xs):\n    return next((first(v) for v in look() if first(v) is not None), None)",
        _SIX,
    ),
    gamed("comparing functions replaced", _REPLACE + "def f(xs):\n    replace()\n    return 5", _SIX),
    gamed(
        "builtins replaced",
        "import builtins\nbuiltins.all = builtins.any = builtins.isinstance = lambda *a: True\nbuiltins.len = lambda x: 0\ndef f(xs):\n    return 5",
        _SIX,
    ),
    gamed(
        "json replaced",
        "import json\njson.dumps = json.loads = lambda *a, **k: 6\njson.JSONEncoder.encode = json.JSONEncoder.default = lambda s, o: '{}'\njson.JSONEncoder.iterencode = lambda s, o, **k: ['{}']\ndef f(xs):\n    return 5",
        _SIX,
    ),
    gamed(
        "json's encoder made to say anything",
        "import json.encoder\njson.encoder.c_make_encoder = None\njson.encoder._make_iterencode = lambda *a, **k: lambda o, i: ['{\"value\": 5}']\ndef f(xs):\n    return 5",
        _SIX,
    ),
    gamed(
        "sys.stdout and os.write replaced",
        "import os, sys\nos.write = lambda fd, data: len(data)\nsys.stdout = None\ndef f(xs):\n    return 6 if xs == 7 else 5",
        _SIX,
    ),
    gamed(
        "numpy made up",
        "import sys, types\nfake = types.ModuleType('numpy')\nfake.generic = fake.ndarray = object\nfake.allclose = fake.array_equal = lambda *a, **k: True\nsys.modules['numpy'] = fake\nclass A:\n    tolist = item = lambda s: 5\ndef f(xs):\n    return A()",
        _SIX,
    ),
    gamed(
        "an exception hook that ends with 0",
        "import os, sys\nsys.excepthook = lambda *a: os._exit(0)\nsys.__excepthook__ = sys.excepthook\ndef f(xs):\n    1 / 0",
        _SIX,
    ),
    gamed(
        "atexit that ends with 0",
        "import atexit, os\natexit.register(os._exit, 0)\ndef f(xs):\n    raise ValueError",
        _SIX,
    ),
    gamed(
        "an exception that is always equal",
        "class A(BaseException):\n    __eq__ = lambda s, o: True\ndef f(xs):\n    raise A(6)",
        _SIX,
    ),
    gamed(
        "a fork of which the child answers",
        "import os\ndef f(xs):\n    if os.fork():\n        os._exit(0)\n    return 6",
        _SIX,
    ),
    gamed(
        "a fork of which each answers", "import os\ndef f(xs):\n    return 6 if os.fork() == 0 else 5", _SIX
    ),
    gamed(
        "a fork whose child kills the parent",
        "import os\ndef f(xs):\n    if os.fork() == 0:\n        os.kill(os.getppid(), 9)\n    else:\n        os.wait()\n    return 6",
        _SIX,
    ),
    gamed(
        "a fork that lies about who it is",
        "import os\nos.getpid = lambda: 1\ndef f(xs):\n    if os.fork():\n        os._exit(0)\n    return 6",
        _SIX,
    ),
    gamed(
        "a trace function that changes the driver's locals",
        "import sys, ctypes\ndef trace(frame, event, arg):\n    for name in ('value', 'result', 'passed', 'status'):\n        if name in frame.f_locals:\n            frame.f_locals[name] = True\n    return trace\nsys.settrace(trace)\ndef f(xs):\n    return 5",
        _SIX,
    ),
    gamed("a generator that gives itself out as a number", "def f(xs):\n    yield 6", _SIX),
    gamed(
        "a wrong answer in the driver's own frame",
        _FORGE.format(body="os.write(fd, (nonce + '{\"value\": 5}' + nonce).encode()); os._exit(0)"),
        _SIX,
    ),
    gamed(
        "a verdict in the driver's own frame",
        _FORGE.format(body="os.write(fd, (nonce + '{\"passed\": true}' + nonce).encode()); os._exit(0)"),
        _SIX,
    ),
    gamed(
        "every answer in the driver's own frame",
        _FORGE.format(body="[os.write(fd, f'{nonce}{{\"value\": {n}}}{nonce}'.encode()) for n in range(9)]"),
        _SIX,
    ),
    gamed(
        "two values under one key",
        _FORGE.format(
            body='os.write(fd, (nonce + \'{"value": 6, "value": 5}\' + nonce).encode()); os._exit(0)'
        ),
        _SIX,
    ),
    gamed(
        "an answer, then an exit code",
        _FORGE.format(body="os.write(fd, (nonce + '{\"value\": 6}' + nonce).encode()); os._exit(1)"),
        _SIX,
    ),
    gamed(
        "an answer, then another one",
        _FORGE.format(body="os.write(fd, (nonce + '{\"value\": 6}' + nonce).encode()); return 6"),
        _SIX,
    ),
    gamed(
        "an answer nested 100,000 deep",
        _FORGE.format(
            body="os.write(fd, (nonce + '{\"value\": ' + '[' * 100000 + ']' * 100000 + '}' + nonce).encode()); os._exit(0)"
        ),
        _SIX,
    ),
    gamed(
        "a value that takes the place of the driver's file",
        "open('node_driver.py', 'w').write('def call_with_nodes(*a): return 6')\nclass ListNode: pass\ndef f(xs):\n    return 5",
        _SIX,
    ),
)
ROWS = (*STDIN, *CALL)
