"""Cases of one request: what one leaves behind, the next does not find."""

from __future__ import annotations

import os
import re
from contextlib import aclosing
from typing import Any

import pytest

from verl_ext.sandbox.client import HttpSandbox
from verl_ext.sandbox.protocol import CasesRequest, RunRequest

# How to look for it and how to leave it; what only lasts as long as a descriptor is kept by a daemon.
_TRACES = {
    "a file": ("os.listdir('.') != ['main.py']", "open('left', 'w').write('x')"),
    "a temporary file": (
        "os.path.exists(tempfile.gettempdir() + '/left')",
        "open(tempfile.gettempdir() + '/left', 'w').write('x')",
    ),
    "a file of shared memory": (
        "os.path.exists('/dev/shm/left') and open('/dev/shm/left').read()",
        "open('/dev/shm/left', 'w').write('x')",
    ),
    "a module": ("hasattr(math, 'left')", "math.left = True"),
    "an abstract socket": (
        "socket.socket(socket.AF_UNIX).connect_ex('\0left') == 0",
        "kept = socket.socket(socket.AF_UNIX); kept.bind('\0left'); kept.listen()",
    ),
    "a loopback port": (
        "socket.socket().connect_ex(('127.0.0.1', 7531)) == 0",
        "kept = socket.socket(); kept.bind(('127.0.0.1', 7531)); kept.listen()",
    ),
    "shared memory": ("libc.shmget(7531, 4096, 0) >= 0", "libc.shmget(7531, 4096, 0o1666)"),
    "a message queue": ("libc.msgget(7531, 0) >= 0", "libc.msgget(7531, 0o1666)"),
    "a semaphore": ("libc.semget(7531, 1, 0) >= 0", "libc.semget(7531, 1, 0o1666)"),
    "a process": (
        "any(pid.isdigit() and _is_left(pid) for pid in os.listdir('/proc'))",
        "pass",  # the daemon
    ),
}
# In tier B, where nothing separates them, sockets and IPC objects are refused, and everywhere what no control
# group counts.
_MAY_BE_REFUSED = {"shared memory", "a message queue"}
_PROGRAM = """
import ctypes, math, os, signal, socket, tempfile, time
libc = ctypes.CDLL(None)
def _is_left(pid):
    try:
        return open(f"/proc/{{pid}}/comm").read() == "left\\n"
    except OSError:
        return False
def look():
    try:
        return bool({look})
    except OSError:
        return False
before = look()
try:
    {leave}
except OSError:
    pass
ready, done = os.pipe()
if os.fork() == 0:
    os.setsid()
    libc.prctl(15, b"left")
    for fd in range(3):
        os.close(fd)
    os.write(done, b"x")
    time.sleep(60)
os.read(ready, 1)
print(before, look())
"""


@pytest.mark.parametrize("trace", _TRACES)
async def test_a_case_finds_nothing_of_an_earlier_one(
    trace: str, jail: HttpSandbox, tier_server: Any
) -> None:
    look, leave = (text.replace("\0", "\\0") for text in _TRACES[trace])
    program = RunRequest(_PROGRAM.format(look=look, leave=leave))
    async with aclosing(jail.run_cases(CasesRequest(program, ("",) * 6, max_parallel=1))) as results:
        found = [result.run.stdout for result in [result async for result in results] if result.run]
    assert [text.split()[0] for text in found] == ["False"] * 6
    if tier_server.tier == "A" and trace not in _MAY_BE_REFUSED:
        assert [text.split()[1] for text in found] == ["True"] * 6


_LOOKS = ", ".join(f"{trace!r}: lambda: {look}" for trace, (look, _) in _TRACES.items())
_LEAVES = [leave.replace("\0", "\\0") for _, leave in _TRACES.values()]
_BESIDE = f"""
{_PROGRAM.partition("def look")[0].replace("{{", "{").replace("}}", "}")}
looks = {{{_LOOKS}}}
def found():
    for trace, look in looks.items():
        try:
            if look():
                yield trace
        except OSError:
            pass
seen, kept = set(), []
if input() == "leave":
    libc.prctl(15, b"left")
    for leave in {_LEAVES!r}:
        kept.append({{}})
        try:
            exec(leave, globals(), kept[-1])
        except OSError:
            pass
    seen.update(found())
    time.sleep(2)
else:
    end = time.monotonic() + 1.5
    while time.monotonic() < end:
        seen.update(found())
        time.sleep(0.1)
print(*sorted(seen), sep=",")
""".replace("\0", "\\0")


async def test_cases_side_by_side_find_nothing_of_each_other(jail: HttpSandbox, tier_server: Any) -> None:
    request = CasesRequest(RunRequest(_BESIDE), ("leave", "look", "look", "look"), max_parallel=4)
    async with aclosing(jail.run_cases(request)) as results:
        runs = [result.run async for result in results if result.run]
    assert [run.stderr for run in runs] == [""] * 4
    assert [run.stdout for run in runs[1:]] == ["\n"] * 3
    if tier_server.tier == "A":
        assert {*runs[0].stdout.strip().split(","), *_MAY_BE_REFUSED} == {*_TRACES}


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("print(input() is '1')", 'SyntaxWarning: "is" with a literal'),
        ("print(input()", "SyntaxError: '(' was never closed"),
        ("import os\nprint(1 // int(input()), open(__file__).read()[:0])", 'main.py", line 2, in <module>'),
    ],
)
async def test_that_later_cases_are_not_compiled_again_is_not_to_be_seen(
    code: str, said: str, jail: HttpSandbox
) -> None:
    request = CasesRequest(RunRequest(code), ("1", "2", "0", "0"), max_parallel=1)
    async with aclosing(jail.run_cases(request)) as results:
        errors = [result.run.stderr async for result in results if result.run is not None]
    first = 2 if "line 2" in said else 0  # the first two divide by something
    assert errors[:first] == [""] * first
    assert len(errors) == 4
    folder = re.compile(r"/tmp/\S*/main\.py")  # tier B: another one for each run
    texts = {folder.sub("", text) for text in errors[first:]}
    assert len(texts) == 1
    assert all(said in text for text in errors[first:])


@pytest.mark.parametrize("language", ["python", "bash"])
async def test_a_program_may_use_every_cpu(language: str, jail: HttpSandbox) -> None:
    code = {"python": "import os; print(len(os.sched_getaffinity(0)))", "bash": "nproc"}[language]
    result = await jail.run(RunRequest(code, language=language))
    assert result.run is not None
    assert int(result.run.stdout) == len(os.sched_getaffinity(0))
