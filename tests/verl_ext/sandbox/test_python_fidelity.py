"""A forked Python program behaves as one started with ``python3 main.py``."""

# ruff: noqa: E501  (programs, one per line)

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
from pathlib import Path

import pytest

from verl_ext.sandbox.client import HttpSandbox
from verl_ext.sandbox.protocol import RunRequest

PROGRAMS = {
    "main guard": "if __name__ == '__main__': print('main')",
    "argv and file": "import sys, os; print(len(sys.argv), os.path.basename(__file__), sys.path[0] == os.getcwd())",
    "main's own names": "print(sorted(globals()))",
    "global statement": "x = 1\ndef f():\n    global x\n    x += 1\nf(); print(x)",
    "stdin buffer": "import sys; print(sys.stdin.buffer.readline())",
    "open(0)": "print(open(0).read().split())",
    "dev stdin": "print(open('/dev/stdin').read())",
    "input until EOF": "try:\n    while True: print(input())\nexcept EOFError: print('end')",
    "input without data": "import sys; sys.stdin.read(); input()",
    "recursion": "import sys\nsys.setrecursionlimit(10**6)\ndef f(n): return n and 1 + f(n - 1)\nprint(f(50_000))",
    "depth before RecursionError": "d = 0\ndef f():\n    global d\n    d += 1; f()\ntry: f()\nexcept RecursionError: print(d)",
    "uncaught": "def f(x):\n    return 1 / x\n\nprint('before')\nf(0)\n",
    "uncaught in nested import": "import json\njson.loads('{')",
    "chained": "try:\n    {}['a']\nexcept KeyError as e:\n    raise ValueError('b') from e",
    "during handling": "try:\n    [][1]\nexcept IndexError:\n    int('x')",
    "syntax error": "def f(:\n    pass\n",
    "indentation error": "if True:\nprint(1)\n",
    "name error": "counter = 1\nprint(countr)",
    "assertion": "assert 1 == 2, 'no'",
    "exit text": "import sys; print('out'); sys.exit('goodbye')",
    "exit 256": "import sys; sys.exit(256)",
    "exit in function": "def f(): raise SystemExit(9)\nf()",
    "exception in thread": "import threading\nt = threading.Thread(target=lambda: 1 / 0, name='T'); t.start(); t.join()",
    "threads finish": "import threading, time\nthreading.Thread(target=lambda: (time.sleep(.05), print('late'))).start()",
    "daemon thread": "import threading, time\nthreading.Thread(target=time.sleep, args=(60,), daemon=True).start()\nprint(1)",
    "atexit": "import atexit\natexit.register(print, 'bye')\nprint('hi')",
    "unflushed stream": "import io\nout = io.TextIOWrapper(io.FileIO(1, 'w', closefd=False))\nout.write('tail')",
    "del at end": "class A:\n    def __del__(self): print('del')\na = A()",
    "cycle at end": "class A:\n    def __del__(self): print('del')\na = A(); a.a = a; del a",
    "own excepthook": "import sys\nsys.excepthook = lambda *a: print('hook', a[0].__name__)\n1 / 0",
    "closed stdout": "import sys; sys.stdout.close()",
    "keyboard interrupt": "raise KeyboardInterrupt",
    "own signal": "import os, signal; os.kill(os.getpid(), signal.SIGINT)",
    "warning": "import warnings; warnings.warn('careful')",
    "fork": "import os, sys\nprint('once', flush=True)\nif os.fork() == 0: os._exit(0)\nprint(os.wait()[1])",
    "pool": "from multiprocessing import Pool\ndef f(x): return x * x\nif __name__ == '__main__':\n    with Pool(2) as p: print(p.map(f, range(4)))",
    "subprocess": "import subprocess, sys; print(subprocess.run([sys.executable, '-c', 'print(5)'], capture_output=True, text=True).stdout)",
    "asyncio": "import asyncio\nasync def f(): await asyncio.sleep(0); return 3\nprint(asyncio.run(f()))",
    "pickle of main": "import pickle\nclass P: pass\nprint(type(pickle.loads(pickle.dumps(P()))).__module__)",
    "dataclass": "from dataclasses import dataclass\n@dataclass\nclass P: x: int = 1\nprint(P())",
    "encoding": "import sys; print('é', sys.stdout.encoding, sys.getdefaultencoding())",
    "future import": "from __future__ import annotations\ndef f(x: nope): return x\nprint(f.__annotations__)",
    "annotations": "x: int = 1\nprint(__annotations__)",
    "exec and eval": "exec('y = 2'); print(eval('y + 1'))",
    "recursion traceback": "def f(): return f()\nf()",
    "broken repr": "class E(Exception):\n    def __str__(self): raise ValueError\nraise E",
    "exception group": "raise ExceptionGroup('g', [ValueError(1), TypeError(2)])",
    "crlf": "print(1)\r\nprint(2)\r\n",
}


@pytest.mark.parametrize("name", PROGRAMS)
async def test_a_program_behaves_as_with_plain_python(
    name: str, sandbox: HttpSandbox, tmp_path: Path
) -> None:
    code = PROGRAMS[name]
    stdin = "first line\nsecond line\n"
    main = tmp_path / "main.py"
    main.write_bytes(code.encode("utf-8", "surrogatepass"))
    plain = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, str(main)],
        input=stdin.encode(),
        capture_output=True,
        cwd=tmp_path,
        env={"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"},
        timeout=30,
        check=False,
    )
    result = await sandbox.run(RunRequest(code=code, stdin=stdin))
    assert result.run is not None

    def comparable(text: str) -> str:
        text = re.sub(r'"[^"]*/main\.py"', '"main.py"', text)
        return re.sub(r"\S*/main\.py:", "main.py:", text)

    assert result.run.return_code == plain.returncode, result.run.stderr
    assert result.run.stdout == plain.stdout.decode()
    assert comparable(result.run.stderr) == comparable(plain.stderr.decode())


async def test_random_numbers_differ_between_runs(sandbox: HttpSandbox) -> None:
    code = "import random, os, uuid; print(random.random(), os.urandom(4), uuid.uuid4())"
    results = [await sandbox.run(RunRequest(code=code)) for _ in range(4)]
    assert len({result.run.stdout for result in results if result.run}) == 4


async def test_the_server_s_modules_are_not_to_be_seen(sandbox: HttpSandbox) -> None:
    code = (
        "import sys\nprint([m for m in sys.modules if 'verl' in m or 'aiohttp' in m])\n"
        "try:\n    import verl_ext.sandbox\nexcept ImportError: print('absent')"
    )
    result = await sandbox.run(RunRequest(code=code))
    assert result.run is not None and result.run.stdout == "[]\nabsent\n"
