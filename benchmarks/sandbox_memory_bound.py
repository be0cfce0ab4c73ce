"""What it costs to bound the memory of a run's processes together: control groups, or watching.

``python benchmarks/sandbox_memory_bound.py``. Runs a short program in tier A both ways, in interleaved
rounds, and times one look of the watcher at a run of one and of nine processes.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import statistics
import sys
import time
from dataclasses import replace

from verl_ext.cli import HelpFormatter
from verl_ext.sandbox.cgroup_folder import memory_groups
from verl_ext.sandbox.execution import Defaults, Pool
from verl_ext.sandbox.memory_watch import MemoryWatch
from verl_ext.sandbox.protocol import RunRequest
from verl_ext.sandbox.worker import WorkerConfig

_PROGRAM = "print(sum(map(int, input().split())))"
_NUMBERS = " ".join(map(str, range(100)))


async def _round(pool: Pool, num_runs: int) -> float:
    """Milliseconds per run, one run at a time."""
    started = time.monotonic()
    for _ in range(num_runs):
        result = await pool.run(RunRequest(_PROGRAM, stdin=_NUMBERS))
        assert result.run is not None and result.run.stdout == "4950\n"
    return 1e3 * (time.monotonic() - started) / num_runs


async def _compare(groups: str, rounds: int, num_runs: int) -> None:
    config = WorkerConfig(tier="A")
    pools = {}
    for name, folder in (("watched", ""), ("control group", groups)):
        if folder or name == "watched":
            pool = Pool(
                replace(config, groups=folder), Defaults(), num_workers=1, max_running=1, max_waiting=1
            )
            await pool.start()
            pools[name] = pool
    times: dict[str, list[float]] = {name: [] for name in pools}
    for _ in range(rounds):
        for name, pool in pools.items():
            times[name].append(await _round(pool, num_runs))
    for name, values in times.items():
        ratio = statistics.median(values) / statistics.median(times["watched"])
        print(f"{name}: {statistics.median(values):.2f} ms per run (ratio {ratio:.2f})")
    for pool in pools.values():
        pool.stop()


def _time_looks() -> None:
    children: list[int] = []
    for wanted, limit_bytes, what in ((0, 1 << 40, ""), (8, 1 << 40, ""), (8, 1, ", beyond the cheap bound")):
        while len(children) < wanted:
            if (pid := os.fork()) == 0:
                block = b"x" * (30 << 20)
                time.sleep(60)
                os._exit(len(block) & 1)
            children.append(pid)
            time.sleep(0.1)
        watch = MemoryWatch((os.getpid(),), limit_bytes)
        started = time.thread_time()
        for _ in range(20):
            watch.exceeded()
        used_ms = 1e3 * (time.thread_time() - started) / 20
        print(f"a look at {wanted + 1} processes{what}: {used_ms:.3f} ms CPU")
    for pid in children:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def main(argv: list[str] | None = None) -> int:
    """Measures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=HelpFormatter)
    parser.add_argument("--rounds", type=int, default=10, help="times both are measured")
    parser.add_argument("--runs", type=int, default=100, help="per round")
    arguments = parser.parse_args(argv)
    _time_looks()
    with memory_groups() as (groups, why_not):
        print(f"control groups: {groups or why_not}")
        asyncio.run(_compare(groups, arguments.rounds, arguments.runs))
    return 0


if __name__ == "__main__":
    sys.exit(main())
