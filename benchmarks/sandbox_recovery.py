"""How soon the sandbox answers again after ``kill -9`` of a fork server, or of the whole server, under load.

``python benchmarks/sandbox_recovery.py``. Prints, per victim, the seconds from the kill to the first right
answer to a request that was sent after it; exit code 1 when a verdict was wrong.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import statistics
import sys
import time
from pathlib import Path

from verl_ext.cli import HelpFormatter
from verl_ext.sandbox.client import HttpSandbox
from verl_ext.sandbox.embedded import EmbeddedServer, serve
from verl_ext.sandbox.errors import SandboxError
from verl_ext.sandbox.protocol import RunRequest

_SETTLE_S = 1.0


def _fork_servers(server: EmbeddedServer) -> list[int]:
    pid = server.process.pid
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


async def _recover(server: EmbeddedServer, victims: list[int], num_clients: int) -> tuple[float, int, int]:
    """Seconds until it answers again, failed requests, wrong verdicts."""
    killed_at = float("inf")
    back_after_s = float("inf")
    errors = wrong = 0

    async def ask(client: HttpSandbox, number: int) -> None:
        nonlocal back_after_s, errors, wrong
        while back_after_s == float("inf"):
            number += num_clients
            sent_at = time.monotonic()
            try:
                result = await client.run(RunRequest("print(int(input()) * 2)", stdin=str(number)))
            except SandboxError:
                errors += 1
                continue
            assert result.run is not None
            wrong += result.run.stdout != f"{number * 2}\n"
            if sent_at > killed_at:
                back_after_s = min(back_after_s, time.monotonic() - killed_at)

    async with HttpSandbox(server.endpoint, first_pause_s=0.05) as client:
        tasks = [asyncio.create_task(ask(client, number)) for number in range(num_clients)]
        await asyncio.sleep(_SETTLE_S)
        killed_at = time.monotonic()
        for pid in victims:
            os.kill(pid, signal.SIGKILL)
        await asyncio.gather(*tasks)
    return back_after_s, errors, wrong


def main(argv: list[str] | None = None) -> int:
    """Measures; 1 on a wrong verdict."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=HelpFormatter)
    parser.add_argument("--rounds", type=int, default=5, help="kills of every victim")
    parser.add_argument("--clients", type=int, default=8, help="runs at a time")
    arguments = parser.parse_args(argv)
    num_wrong = 0
    for name in ("one fork server", "all fork servers", "the server"):
        seconds: list[float] = []
        num_errors = 0
        for _ in range(arguments.rounds):
            with serve() as server:
                victims = [server.process.pid] if name == "the server" else _fork_servers(server)
                victims = victims[:1] if name == "one fork server" else victims
                back_s, errors, wrong = asyncio.run(_recover(server, victims, arguments.clients))
            seconds.append(back_s)
            num_errors += errors
            num_wrong += wrong
        print(
            f"{name}: back after {statistics.median(seconds):.2f} s (worst {max(seconds):.2f} s), "
            f"{num_errors} requests failed for good, {num_wrong} wrong verdicts",
            flush=True,
        )
    return 1 if num_wrong else 0


if __name__ == "__main__":
    sys.exit(main())
