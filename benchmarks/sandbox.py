"""What docs/PERFORMANCE.md quotes: the sandbox beside its alternatives, as a Markdown table.

    python benchmarks/sandbox.py --rounds 3 --seconds 1

Every contender runs the same program (it reads 100 integers and prints their sum) on the same interpreter.
Rounds are interleaved: what else the machine does meets all of them alike. A ratio is that of one round, to
a bare ``python3`` spawned by as many clients; the median over the rounds is shown. CPU time counts the
service, the programs and the client that waits for them.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from verl_ext.cli import HelpFormatter
from verl_ext.sandbox.client import HttpSandbox
from verl_ext.sandbox.embedded import serve
from verl_ext.sandbox.errors import SandboxUnreachable
from verl_ext.sandbox.protocol import CasesRequest, RunRequest

PROGRAM = "import sys\nnumbers = [int(line) for line in sys.stdin]\nprint(sum(numbers))\n"
STDIN = "".join(f"{number}\n" for number in range(100))
EXPECTED = "4950\n"
CASES_PER_REQUEST = 64
TICKS_PER_S = os.sysconf("SC_CLK_TCK")


@dataclass
class Sample:
    """One contender in one round; ``latencies_s`` of its operations, which may be of several runs."""

    runs: int
    wall_s: float
    cpu_s: float
    latencies_s: list[float]

    @property
    def rate(self) -> float:
        return self.runs / self.wall_s


@dataclass
class Contender:
    """A way to run the program: ``measure`` does so for some seconds."""

    name: str
    clients: int
    measure: Callable[[float], Sample]
    samples: list[Sample] = field(default_factory=list)


def tree_cpu_s(root: int) -> float:
    """CPU seconds of a process, its descendants and the children they waited for."""
    stats: dict[int, tuple[int, float]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
                stats[int(entry.name)] = int(fields[1]), sum(map(int, fields[11:15])) / TICKS_PER_S
    total = 0.0
    for pid, (_, cpu_s) in stats.items():
        ancestor = pid
        while ancestor != root and ancestor in stats:
            ancestor = stats[ancestor][0]
        total += cpu_s if ancestor == root else 0.0
    return total


def own_cpu_s() -> float:
    """CPU seconds of this process and the children it waited for."""
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def in_threads(operation: Callable[[], None], clients: int) -> Callable[[float], Sample]:
    """Measures an operation that blocks."""

    def measure(seconds: float) -> Sample:
        latencies_s: list[float] = []
        start, cpu_start = time.perf_counter(), own_cpu_s()

        def work() -> None:
            while (before := time.perf_counter()) < start + seconds:
                operation()
                latencies_s.append(time.perf_counter() - before)

        threads = [threading.Thread(target=work) for _ in range(clients)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        wall_s = time.perf_counter() - start
        return Sample(len(latencies_s), wall_s, own_cpu_s() - cpu_start, latencies_s)

    return measure


def over_http(
    operation: Callable[[HttpSandbox], Awaitable[int]], clients: int, endpoint: str, pid: int
) -> Callable[[float], Sample]:
    """Measures an operation of the client (it returns its number of runs) on a running service."""

    async def run_all(seconds: float) -> Sample:
        latencies_s: list[float] = []
        async with HttpSandbox(endpoint, max_concurrency=clients) as sandbox:
            await operation(sandbox)
            start, cpu_start = time.perf_counter(), own_cpu_s() + tree_cpu_s(pid)

            async def work() -> int:
                num_runs = 0
                while (before := time.perf_counter()) < start + seconds:
                    num_runs += await operation(sandbox)
                    latencies_s.append(time.perf_counter() - before)
                return num_runs

            num_runs = sum(await asyncio.gather(*(work() for _ in range(clients))))
            wall_s = time.perf_counter() - start
            return Sample(num_runs, wall_s, own_cpu_s() + tree_cpu_s(pid) - cpu_start, latencies_s)

    return lambda seconds: asyncio.run(run_all(seconds))


async def run_code(sandbox: HttpSandbox) -> int:
    """One run."""
    result = await sandbox.run(RunRequest(PROGRAM, stdin=STDIN, cpu_limit_s=6.0, memory_limit_mb=512))
    assert result.run is not None and result.run.stdout == EXPECTED, result
    return 1


async def run_cases(sandbox: HttpSandbox) -> int:
    """One request with many cases."""
    program = RunRequest(PROGRAM, cpu_limit_s=6.0, memory_limit_mb=512)
    async for result in sandbox.run_cases(CasesRequest(program, (STDIN,) * CASES_PER_REQUEST)):
        assert result.run is not None and result.run.stdout == EXPECTED, result
    return CASES_PER_REQUEST


def bare_spawn(python: str, program: Path) -> Callable[[], None]:
    """What everybody writes first."""

    def spawn() -> None:
        done = subprocess.run([python, program], input=STDIN.encode(), stdout=subprocess.PIPE, check=True)
        assert done.stdout.decode() == EXPECTED

    return spawn


def subprocess_judge(python: str) -> Callable[[], None]:
    """The plain judge of many a repository: a temporary folder, rlimits, a time limit, a comparison."""

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))
        resource.setrlimit(resource.RLIMIT_CPU, (6, 7))

    def judge() -> None:
        with tempfile.TemporaryDirectory() as folder:
            source = Path(folder) / "main.py"
            source.write_text(PROGRAM)
            done = subprocess.run(
                [python, source],
                input=STDIN,
                capture_output=True,
                text=True,
                timeout=30,
                cwd=folder,
                preexec_fn=limit,
            )
            assert done.stdout.split() == EXPECTED.split()

    return judge


# In a process of its own, and without the rest of verl (which brings torch along; forks would cost more).
# Answers one line of JSON per line it reads.
PRIME_CODE = """
import importlib.util, json, resource, sys, time
sys.path.insert(0, importlib.util.find_spec("verl").submodule_search_locations[0] + "/utils/reward_score")
from prime_code import compute_score
program, stdin, expected = json.loads(sys.stdin.readline())
cases = {"inputs": [stdin], "outputs": [expected]}
def cpu_s():
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)
print("ready", file=sys.stderr, flush=True)
for line in sys.stdin:
    latencies, start, cpu_start = [], time.perf_counter(), cpu_s()
    while (before := time.perf_counter()) < start + float(line):
        assert compute_score(program, cases)[0] is True
        latencies.append(time.perf_counter() - before)
    wall_s = time.perf_counter() - start
    print(json.dumps([len(latencies), wall_s, cpu_s() - cpu_start, latencies]), flush=True)
"""


@contextlib.contextmanager
def prime_code() -> Iterator[Callable[[float], Sample] | None]:
    """verl's scorer, one call after the other; None where verl is not installed."""
    process = subprocess.Popen(
        [sys.executable, "-c", PRIME_CODE],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdin and process.stdout and process.stderr
    process.stdin.write(json.dumps([PROGRAM, STDIN, EXPECTED]) + "\n")
    process.stdin.flush()
    ready = any(line == "ready\n" for line in process.stderr)

    def measure(seconds: float) -> Sample:
        assert process.stdin and process.stdout
        process.stdin.write(f"{seconds}\n")
        process.stdin.flush()
        return Sample(*json.loads(process.stdout.readline()))

    yield measure if ready else None
    process.stdin.close()
    process.wait()


@contextlib.contextmanager
def contenders(python: str, all_clients: Sequence[int]) -> Iterator[list[Contender]]:
    """Everything that takes part, ready to run."""
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        program = folder / "main.py"
        program.write_text(PROGRAM)
        found = [
            Contender(
                "bare `python3`, no isolation", clients, in_threads(bare_spawn(python, program), clients)
            )
            for clients in all_clients
        ]
        for tier in ("A", "B"):
            try:
                server = stack.enter_context(serve(["--tier", tier, "--python", python]))
            except SandboxUnreachable:
                print(f"this machine has no tier {tier}", file=sys.stderr)
                continue
            place = server.endpoint, server.process.pid
            found += [
                Contender(f"tier {tier}, `/run_code`", clients, over_http(run_code, clients, *place))
                for clients in all_clients
            ]
            found += [
                Contender(
                    f"tier {tier}, `/run_cases`, per case", clients, over_http(run_cases, clients, *place)
                )
                for clients in all_clients
                if clients <= 16
            ]
        for clients in sorted({1, *all_clients} & {1, 16}):
            found.append(
                Contender("subprocess judge", clients, in_threads(subprocess_judge(python), clients))
            )
        scorer = stack.enter_context(prime_code())
        if scorer is None:
            print("verl is not installed: no prime_code", file=sys.stderr)
        else:
            found.append(Contender("verl's `prime_code` scorer, no isolation", 1, scorer))
        yield found


def row(contender: Contender, bare: Contender) -> str:
    """One line of the table."""
    samples = contender.samples
    rate = statistics.median(sample.rate for sample in samples)
    ratios = [sample.rate / base.rate for sample, base in zip(samples, bare.samples, strict=True)]
    cpu_ms = statistics.median(1000 * sample.cpu_s / sample.runs for sample in samples)
    latencies_ms = sorted(1000 * latency for sample in samples for latency in sample.latencies_s)
    p50, p95 = (latencies_ms[int(share * (len(latencies_ms) - 1))] for share in (0.5, 0.95))
    return (
        f"| {contender.name} | {contender.clients} | {rate:.0f} | {statistics.median(ratios):.2f} "
        f"| {cpu_ms:.1f} | {p50:.1f} | {p95:.1f} | {p95 / p50:.1f} |"
    )


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=HelpFormatter)
    parser.add_argument("--rounds", type=int, default=3, help="times every contender is measured")
    parser.add_argument("--seconds", type=float, default=0.8, help="of each measurement")
    parser.add_argument(
        "--python", default=None, help="interpreter of the programs; python3 of /usr/bin first"
    )
    parser.add_argument("--clients", type=int, nargs="+", default=[1, 4, 16, 64], help="1 is always there")
    arguments = parser.parse_args()
    clients = sorted({1, *arguments.clients})
    python = arguments.python or shutil.which("python3", path=f"/usr/bin:{os.environ['PATH']}")
    with contenders(python, clients) as found:
        for number in range(arguments.rounds):
            for contender in found:
                contender.samples.append(contender.measure(arguments.seconds))
                rate = contender.samples[-1].rate
                print(f"round {number}: {contender.name}, {contender.clients}: {rate:.0f}/s", file=sys.stderr)
    bare = {contender.clients: contender for contender in found if contender.name.startswith("bare")}
    load = os.getloadavg()[0]
    print(f"{os.cpu_count()} CPUs, load {load:.1f}, {arguments.rounds} rounds, programs on {python}\n")
    print("| | clients | runs/s | times bare spawn | CPU ms per run | p50 ms | p95 ms | p95/p50 |")
    print("|---|---|---|---|---|---|---|---|")
    for contender in found:
        print(row(contender, bare[contender.clients]))


if __name__ == "__main__":
    main()
