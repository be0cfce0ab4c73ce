"""Runs many random programs on the embedded sandbox and looks for anything wrong, lost or left behind.

``python benchmarks/sandbox_soak.py --runs 100000``. Every program's outcome is known beforehand. Exit code 1
and the faults by name when a verdict was wrong, when a process, mount, descriptor, file or group leaked, or
when memory grew; else 0.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from verl_ext.cli import HelpFormatter
from verl_ext.sandbox.client import HttpSandbox
from verl_ext.sandbox.embedded import serve
from verl_ext.sandbox.errors import SandboxError
from verl_ext.sandbox.protocol import RunRequest, StageResult, StageStatus

_TEMPORARY = Path("/tmp")
_WARM_UP_RUNS = 200
# Arenas and caches settle late; a leak of 1 KiB per run would show at 100,000 runs all the same.
_GROWTH_KB = 32 * 1024


@dataclass(frozen=True)
class _Program:
    """One kind of program: its text for a random number, and whether an outcome is the right one.

    Attributes:
        weight: How often it is drawn.
        run_timeout_s: Its wall-clock limit.
    """

    name: str
    code: str
    right: Callable[[StageResult, int], bool]
    weight: float = 1.0
    run_timeout_s: float = 60.0
    cpu_limit_s: float | None = None
    memory_limit_mb: int = 128
    language: str = "python"


def _exits(code: int) -> Callable[[StageResult, int], bool]:
    return lambda stage, number: stage.return_code == code and not stage.memory_exceeded


def _says(error: str) -> Callable[[StageResult, int], bool]:
    return lambda stage, number: stage.return_code == 1 and error in stage.stderr


def _timed_out(stage: StageResult, number: int) -> bool:
    return stage.status is StageStatus.TIME_LIMIT


def _printed(text: Callable[[int], str]) -> Callable[[StageResult, int], bool]:
    return lambda stage, number: (stage.stdout, stage.return_code) == (text(number), 0)


def _held(stage: StageResult, number: int) -> bool:
    """The disk is full (tier A), or the run is stopped for filling it (tier B)."""
    return (stage.stdout, stage.return_code) in ((f"full {number}\n", 0), ("", -9))


_FORKS = """
import os, time
for _ in range(4):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0: time.sleep(60)
        os._exit(0)
for _ in range(4): os.wait()
print(int(input()))
"""
_BOMB = "import os\nwhile True:\n    try: os.fork()\n    except OSError: pass\n"
_FILL = """
try:
    for n in range(1000): open(str(n), "wb", 0).write(b"x" * (1 << 20))
except OSError: print("full", int(input()))
"""
_FAMILY = """
import os, time
for _ in range(14):
    if os.fork() == 0:
        block = b"x" * (30 << 20)
        time.sleep(10)
        os._exit(0)
time.sleep(10)
"""
_THREADS = """
import threading
seen = []
threads = [threading.Thread(target=seen.append, args=(number,)) for number in range(8)]
for thread in threads: thread.start()
for thread in threads: thread.join()
print(sum(seen) + int(input()))
"""
_PROGRAMS = (
    _Program("right", "print(int(input()) * 2)", _printed(lambda n: f"{n * 2}\n"), weight=10),
    _Program("wrong", "print(int(input()) * 2 + 1)", _printed(lambda n: f"{n * 2 + 1}\n"), weight=4),
    _Program("bash", "read n; echo $((n + 1))", _printed(lambda n: f"{n + 1}\n"), weight=2, language="bash"),
    _Program("exit", "exit(int(input()) % 100 + 1)", lambda s, n: s.return_code == n % 100 + 1, weight=2),
    _Program("traceback", "1 / 0", _says("ZeroDivisionError"), weight=2),
    _Program("segfault", "import ctypes; ctypes.string_at(0)", _exits(-11), weight=2),
    _Program("suicide", "import os; os.kill(os.getpid(), 9)", _exits(-9), weight=2),
    _Program("loop", "while True: pass", _timed_out, cpu_limit_s=0.05),
    _Program("sleep", "import time; time.sleep(60)", _timed_out, run_timeout_s=0.1),
    _Program("daemons", _FORKS, _printed(lambda n: f"{n}\n")),
    _Program("bomb", _BOMB, _timed_out, weight=0.05, run_timeout_s=0.2),
    _Program("flood", "while True: print('x' * 100_000)", lambda s, n: s.output_truncated, weight=0.1),
    _Program("memory", "x = bytearray(1 << 30)", lambda s, n: s.memory_exceeded),
    _Program("family", _FAMILY, lambda s, n: s.memory_exceeded, weight=0.05),
    _Program("disk", _FILL, _held, weight=0.2),
    _Program("threads", _THREADS, _printed(lambda n: f"{n + 28}\n")),
)


@dataclass(frozen=True)
class _Holdings:
    """What the service holds while nothing runs."""

    processes: int
    descriptors: int
    mounts: int
    files: int
    groups: int
    memory_kb: int


def _descendants(pid: int) -> list[int]:
    children = [
        int(child)
        for task in Path(f"/proc/{pid}/task").iterdir()
        for child in (task / "children").read_text().split()
    ]
    return [other for child in children for other in (child, *_descendants(child))]


def _holdings(pid: int, groups: str) -> _Holdings:
    pids = [pid, *_descendants(pid)]
    status = [Path(f"/proc/{one}/status").read_text() for one in pids]
    own_files = _TEMPORARY.glob(f"verl-ext-sandbox-{pid}-*/*")
    return _Holdings(
        processes=len(pids),
        descriptors=sum(len(list(Path(f"/proc/{one}/fd").iterdir())) for one in pids),
        mounts=sum(len(Path(f"/proc/{one}/mounts").read_text().splitlines()) for one in pids),
        files=sum(1 for _ in own_files),
        groups=sum(path.is_dir() for path in Path(groups).iterdir()) if groups else 0,
        memory_kb=sum(int(text.split("VmRSS:")[1].split()[0]) for text in status),
    )


async def _settled(pid: int, groups: str) -> _Holdings:
    """The holdings once what ended a moment ago is gone."""
    await asyncio.sleep(2.0)
    return _holdings(pid, groups)


async def _soak(endpoint: str, pid: int, arguments: argparse.Namespace) -> list[str]:
    rng = random.Random(arguments.seed)
    faults: list[str] = []
    counts: Counter[str] = Counter()
    errors: Counter[str] = Counter()

    async def one(client: HttpSandbox, program: _Program) -> None:
        number = rng.randrange(1_000_000)
        counts[program.name] += 1
        request = RunRequest(
            program.code,
            program.language,
            stdin=f"{number}\n",
            run_timeout_s=program.run_timeout_s,
            cpu_limit_s=program.cpu_limit_s,
            memory_limit_mb=program.memory_limit_mb,
        )
        try:
            result = await client.run(request)
        except SandboxError as error:
            errors[f"{type(error).__name__}: {error}"[:200]] += 1
            return
        assert result.run is not None
        if not program.right(result.run, number):
            faults.append(f"wrong verdict for {program.name!r} with {number}: {result.run!r:.400}")
            print(f"FAULT: {faults[-1]}", file=sys.stderr, flush=True)

    async def many(client: HttpSandbox, runs: int) -> None:
        left = iter(range(runs))

        async def lane() -> None:
            for _ in left:
                await one(client, rng.choices(_PROGRAMS, [program.weight for program in _PROGRAMS])[0])

        await asyncio.gather(*(lane() for _ in range(arguments.clients)))

    async with HttpSandbox(endpoint, max_concurrency=arguments.clients, request_margin_s=300) as client:
        groups = await _groups_folder(endpoint)
        for program in _PROGRAMS:
            await one(client, program)
        await many(client, min(_WARM_UP_RUNS, arguments.runs))
        before = await _settled(pid, groups)
        started = time.monotonic()
        done = 0
        while done < arguments.runs:
            batch = min(arguments.report_every, arguments.runs - done)
            await many(client, batch)
            done += batch
            rate = done / (time.monotonic() - started)
            memory = _holdings(pid, groups).memory_kb
            print(f"{done} runs, {rate:.0f}/s, {len(faults)} faults, {memory} KiB", flush=True)
        after = await _settled(pid, groups)
    print("programs:", json.dumps(counts, sort_keys=True))
    print("before:", before)
    print("after: ", after)
    for text, count in errors.items():
        faults.append(f"{count} runs failed on our side: {text}")
    for name in ("processes", "descriptors", "mounts", "files", "groups"):
        # Groups grow with the number of runs at a time, and are kept.
        allowed = getattr(before, name) + (arguments.clients if name == "groups" else 0)
        allowed += 5 * arguments.clients if name == "descriptors" and groups else 0
        if getattr(after, name) > allowed:
            faults.append(f"leaked {name}: {getattr(before, name)} before, {getattr(after, name)} after")
    if after.memory_kb > before.memory_kb + _GROWTH_KB:
        faults.append(f"memory grew: {before.memory_kb} KiB before, {after.memory_kb} KiB after")
    return faults


async def _groups_folder(endpoint: str) -> str:
    async with aiohttp.ClientSession() as session, session.get(f"{endpoint}/status") as response:
        kind, _, where = (await response.json())["memory_of_run"].partition(": ")
    return where if kind == "cgroup" else ""


def _left_after(pids: list[int], groups_before: list[Path]) -> list[str]:
    left = [f"process {pid} is left" for pid in pids if Path(f"/proc/{pid}").exists()]
    return left + [f"folder {path} is left" for path in groups_before if path.exists()]


def main(argv: list[str] | None = None) -> int:
    """Soaks; 1 on any fault."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=HelpFormatter)
    parser.add_argument("--runs", type=int, default=100_000, help="programs in all")
    parser.add_argument("--clients", type=int, default=8, help="runs at a time")
    parser.add_argument("--tier", default="auto", help="isolation tier")
    parser.add_argument("--python", default=sys.executable, help="interpreter of the programs")
    parser.add_argument("--seed", type=int, default=0, help="of the programs")
    parser.add_argument("--report-every", type=int, default=1000, help="runs per line of progress")
    arguments = parser.parse_args(argv)
    mounts = len(Path("/proc/self/mounts").read_text().splitlines())
    with serve(
        [
            "--tier",
            arguments.tier,
            "--python",
            arguments.python,
            "--disk-limit-mb",
            "64",
            "--max-processes",
            "32",
        ]
    ) as server:
        pid = server.process.pid
        faults = asyncio.run(_soak(server.endpoint, pid, arguments))
        pids = [pid, *_descendants(pid)]
        if server.process.pid != pid:
            faults.append("the server died and was replaced")
        folders = [*_TEMPORARY.glob(f"verl-ext-sandbox-{pid}-*")]
    faults += _left_after(pids, folders)
    if len(Path("/proc/self/mounts").read_text().splitlines()) != mounts:
        faults.append("the host's mounts changed")
    for fault in faults:
        print(f"FAULT: {fault}", file=sys.stderr)
    print(f"{arguments.runs} runs, {len(faults)} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
