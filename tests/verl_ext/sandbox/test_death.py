"""``kill -9`` of any part of the service, under load: an error of ours or the right answer."""

from __future__ import annotations

import asyncio
import errno
import os
import signal
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from verl_ext.sandbox import streams
from verl_ext.sandbox.client import HttpSandbox
from verl_ext.sandbox.embedded import EmbeddedServer, serve
from verl_ext.sandbox.errors import SandboxError
from verl_ext.sandbox.limits import StageLimits
from verl_ext.sandbox.protocol import RunRequest
from verl_ext.sandbox.stage import Stage
from verl_ext.sandbox.worker import Worker, WorkerConfig

# How soon it is back is measured by benchmarks/sandbox_recovery.py; this only ends a test that hangs.
_PATIENCE_S = 20.0
_DOUBLE = "import time; time.sleep(0.05); print(int(input()) * 2)"


def _children(pid: int) -> list[int]:
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def _descendants(pid: int) -> list[int]:
    return [other for child in _children(pid) for other in (child, *_descendants(child))]


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] not in ("Z", "X")
    except OSError:
        return False


def _gone(pids: list[int], within_s: float = 10.0) -> bool:
    deadline = time.monotonic() + within_s
    while any(_alive(pid) for pid in pids):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


async def _under_load(endpoint: str, strike: Callable[[], Awaitable[None]]) -> tuple[int, int]:
    """Has eight clients ask all the while; how many answers came, and how many errors of ours."""
    stopping = asyncio.Event()
    answers = errors = 0

    async def ask(client: HttpSandbox, number: int) -> None:
        nonlocal answers, errors
        while not stopping.is_set():
            number += 8
            try:
                result = await client.run(RunRequest(_DOUBLE, stdin=str(number), run_timeout_s=30))
            except SandboxError as error:
                assert error.retryable
                errors += 1
            else:
                assert result.run is not None
                assert (result.run.stdout, result.run.return_code) == (f"{number * 2}\n", 0)
                answers += 1

    async with HttpSandbox(endpoint, max_attempts=1) as client:
        tasks = [asyncio.create_task(ask(client, number)) for number in range(8)]
        await asyncio.sleep(0.5)
        await strike()
        at_strike = answers
        deadline = time.monotonic() + _PATIENCE_S
        while answers <= at_strike + 8 and time.monotonic() < deadline:
            await asyncio.sleep(0.05)
        assert answers > at_strike + 8, "no answers any more"
        stopping.set()
        await asyncio.gather(*tasks)
    return answers, errors


@pytest.mark.parametrize("generation", [1, 2], ids=["keeper", "fork server"])
async def test_a_killed_fork_server_costs_its_own_runs_at_most(generation: int) -> None:
    with serve(["--num-workers", "2", "--tier", "A"]) as server:

        async def strike() -> None:
            pids = _children(server.process.pid)
            for pid in pids if generation == 1 else [child for keeper in pids for child in _children(keeper)]:
                os.kill(pid, signal.SIGKILL)

        _, errors = await _under_load(server.endpoint, strike)
        assert errors <= 16


async def test_a_killed_init_of_a_run_is_an_error_of_ours_and_leaves_nothing(tier_server: Any) -> None:
    async with HttpSandbox(tier_server.endpoint, max_attempts=1) as client:
        idle = set(_descendants(tier_server.pid))
        code = "import os, time\nos.fork()\nprint('hi', flush=True)\ntime.sleep(20)"
        running = asyncio.create_task(client.run(RunRequest(code)))
        for _ in range(100):
            await asyncio.sleep(0.1)
            mine = [pid for pid in _descendants(tier_server.pid) if pid not in idle]
            if len(mine) >= 3:
                break
        await asyncio.sleep(0.3)
        os.kill(_holder(mine, tier_server.tier), signal.SIGKILL)
        with pytest.raises(SandboxError, match="the process that holds the run was killed"):
            await asyncio.wait_for(running, 10)
        assert _gone(mine)
        result = await client.run(RunRequest("import os; os.kill(os.getpid(), 9)"))
        assert result.run is not None and result.run.return_code == -9  # its own doing is its verdict


def _holder(pids: list[int], tier: str) -> int:
    """Tier A: the first process of the innermost pid namespace; tier B: the parent of the others."""
    if tier == "B":
        return next(pid for pid in pids if set(_children(pid)) & set(pids))
    inner = {
        pid: Path(f"/proc/{pid}/status").read_text().split("NSpid:")[1].splitlines()[0].split()
        for pid in pids
    }
    deepest = max(len(numbers) for numbers in inner.values())
    return next(pid for pid, numbers in inner.items() if len(numbers) == deepest and numbers[-1] == "1")


async def test_a_killed_server_is_back_on_its_port(tmp_path: Path) -> None:
    with (tmp_path / "log").open("wb") as log, serve(["--num-workers", "2"], log=log) as server:
        old = server.process.pid
        left: list[int] = []

        async def strike() -> None:
            left.extend(_descendants(old))
            server.process.kill()

        await _under_load(server.endpoint, strike)
        assert server.process.pid != old
        assert _gone([old, *left])


def test_a_server_that_keeps_dying_is_given_up(tmp_path: Path) -> None:
    with (tmp_path / "log").open("wb") as log, serve(["--num-workers", "1"], log=log) as server:
        deadline = time.monotonic() + 60
        killed: set[int] = set()
        while time.monotonic() < deadline and len(killed) < 6:
            process = server.process
            if process.pid not in killed:
                killed.add(process.pid)
                process.kill()
            time.sleep(0.02)
        assert server.supervisor.wait() == -signal.SIGKILL
        assert _refused(server)


def _refused(server: EmbeddedServer) -> bool:
    async def ping() -> None:
        async with HttpSandbox(server.endpoint) as client:
            await client.ping()

    with pytest.raises(SandboxError):
        asyncio.run(ping())
    return True


async def test_what_a_killed_server_left_is_removed_by_the_next(tmp_path: Path) -> None:
    def leftovers() -> list[Path]:
        own = Path("/proc/self/cgroup").read_text()
        memory = next((line.split(":", 2)[2] for line in own.splitlines() if ":memory:" in line), None)
        roots = [Path("/tmp")] + ([Path(f"/sys/fs/cgroup/memory{memory}")] if memory else [])
        return [path for root in roots for path in root.glob(f"verl-ext-sandbox-{old}-*")]

    arguments = ["--num-workers", "1", "--tier", "B", "--python", "/usr/bin/python3"]
    with (tmp_path / "log").open("wb") as log, serve(arguments, log=log) as server:
        old = server.process.pid
        async with HttpSandbox(server.endpoint) as client:
            await client.run(RunRequest("print(1)"))
            assert leftovers()
            server.process.kill()
            result = await client.run(RunRequest("print(2)"))
            assert result.run is not None and result.run.stdout == "2\n"
        assert not leftovers()


@pytest.mark.parametrize("num_made", [0, 1, 2])
async def test_a_run_that_gets_no_pipe_leaves_no_descriptor(
    monkeypatch: pytest.MonkeyPatch, num_made: int
) -> None:
    worker, real, left = Worker(WorkerConfig("A"), 0), streams._open_pipe, iter(range(num_made))

    async def started() -> None:
        return

    def open_pipe() -> tuple[int, int]:
        if next(left, None) is None:
            raise OSError(errno.EMFILE, "Too many open files")
        return real()

    monkeypatch.setattr(worker, "start", started)
    monkeypatch.setattr(streams, "_open_pipe", open_pipe)
    before, uids = os.listdir("/proc/self/fd"), len(worker._uids)  # noqa: PTH208 (names that stand for open files)
    with pytest.raises(OSError, match="Too many open files"):
        await worker.run(Stage("main.py", None, {}, b"1", StageLimits(wall_s=1.0)))
    assert (os.listdir("/proc/self/fd"), len(worker._uids)) == (before, uids)  # noqa: PTH208
