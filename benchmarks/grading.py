"""What docs/PERFORMANCE.md quotes: problems of 15 cases graded per second, beside verl's two scorers.

    python -m benchmarks.grading --rounds 3 --seconds 2

One run, interleaved rounds, the same program, cases and limits (10 s and 1,024 MiB a case) for all. Every
answer is checked. Ours and verl's ``sandbox_fusion`` scorer use the same embedded sandbox; verl's
``prime_code`` scorer has none: it runs programs in forks of a small process of its own. Two programs: one
that is right, and one that is wrong in every case. Ours grades as a reward of all or nothing does (it stops
at the first failure), verl's scorers have no such choice. A ratio is that of one round; the median is shown.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import statistics
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field

from benchmarks.sandbox import Sample, in_threads, over_http, tree_cpu_s
from verl_ext.cli import HelpFormatter
from verl_ext.grading import Case, Grader, Limits
from verl_ext.grading.conformance.graders import verl_scorer, verl_test_cases
from verl_ext.sandbox.client import HttpSandbox
from verl_ext.sandbox.embedded import serve

NUM_CASES = 15
TIME_LIMIT_S = 10
MEMORY_LIMIT_MB = 1024
CASES = [
    Case("".join(f"{number}\n" for number in range(first, first + 100)), f"{100 * first + 4950}\n")
    for first in range(NUM_CASES)
]
RIGHT = "import sys\nnumbers = [int(line) for line in sys.stdin]\nprint(sum(numbers))\n"
PROGRAMS = {"right": RIGHT, "wrong": RIGHT.replace("sum(numbers)", "sum(numbers) + 1")}
GRADERS = ("ours", "sandbox_fusion", "prime_code")


@dataclass
class Contender:
    """A grader with one of the programs: ``measure`` grades for some seconds."""

    grader: str
    program: str
    clients: int
    measure: Callable[[float], Sample]
    samples: list[Sample] = field(default_factory=list)


def ours(program: str) -> Callable[[HttpSandbox], Awaitable[int]]:
    """Grades one problem."""
    limits = Limits(time_s=TIME_LIMIT_S, memory_limit_mb=MEMORY_LIMIT_MB)

    async def grade(sandbox: HttpSandbox) -> int:
        grader = Grader(sandbox, limits, cache_size=0)
        done = await grader.grade(PROGRAMS[program], CASES, stop_at_first_failure=True)
        assert done.all_passed is (program == "right"), done
        return 1

    return grade


def sandbox_fusion(program: str, clients: int, endpoint: str, pid: int) -> Callable[[float], Sample]:
    """verl's scorer on the sandbox, called from as many threads; its CPU time includes the service's."""
    scorer = verl_scorer("sandbox_fusion")
    completion, test_cases = f"```python\n{PROGRAMS[program]}```", verl_test_cases(CASES)

    def score() -> None:
        result, _ = scorer.compute_score(
            f"{endpoint}/run_code", None, MEMORY_LIMIT_MB, completion, dict(test_cases),
            continuous=True, timeout=TIME_LIMIT_S,
        )  # fmt: skip
        assert result == float(program == "right"), result

    measure_client = in_threads(score, clients)

    def measure(seconds: float) -> Sample:
        before_s = tree_cpu_s(pid)
        sample = measure_client(seconds)
        sample.cpu_s += tree_cpu_s(pid) - before_s
        return sample

    return measure


# In a process of its own, without the rest of verl (which brings torch along; forks would cost more).
# Answers one line of JSON per line it reads.
_PRIME_CODE = """
import json, resource, sys, time
from verl_ext.grading.conformance.graders import verl_scorer
compute_score = verl_scorer("prime_code").compute_score
completion, test_cases, wanted = json.loads(sys.stdin.readline())
def cpu_s():
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)
print("ready", file=sys.stderr, flush=True)
for line in sys.stdin:
    latencies, start, cpu_start = [], time.perf_counter(), cpu_s()
    while (before := time.perf_counter()) < start + float(line):
        assert float(compute_score(completion, json.dumps(test_cases), continuous=True)[0]) == wanted
        latencies.append(time.perf_counter() - before)
    wall_s = time.perf_counter() - start
    print(json.dumps([len(latencies), wall_s, cpu_s() - cpu_start, latencies]), flush=True)
"""


@contextlib.contextmanager
def prime_code(program: str, clients: int) -> Iterator[Callable[[float], Sample]]:
    """verl's scorer in as many processes."""
    task = [f"```python\n{PROGRAMS[program]}```", verl_test_cases(CASES), float(program == "right")]
    with contextlib.ExitStack() as stack:
        processes = [
            stack.enter_context(
                subprocess.Popen(
                    [sys.executable, "-c", _PRIME_CODE],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    text=True,
                )
            )
            for _ in range(clients)
        ]

        def tell(line: str) -> None:
            for process in processes:
                assert process.stdin
                process.stdin.write(line)
                process.stdin.flush()

        def measure(seconds: float) -> Sample:
            tell(f"{seconds}\n")
            parts = [
                Sample(*json.loads(process.stdout.readline())) for process in processes if process.stdout
            ]
            latencies_s = [latency_s for part in parts for latency_s in part.latencies_s]
            wall_s, cpu_s = max(part.wall_s for part in parts), sum(part.cpu_s for part in parts)
            return Sample(len(latencies_s), wall_s, cpu_s, latencies_s)

        tell(json.dumps(task) + "\n")
        for process in processes:
            assert process.stderr
            if not any(line == "ready\n" for line in process.stderr):
                raise RuntimeError("verl's prime_code scorer does not start")
        try:
            yield measure
        finally:
            for process in processes:
                assert process.stdin
                process.stdin.close()


@contextlib.contextmanager
def contenders(graders: Sequence[str], all_clients: Sequence[int]) -> Iterator[list[Contender]]:
    """Everything that takes part, ready to run."""
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(serve())
        place = server.endpoint, server.process.pid
        found = []
        for program in PROGRAMS:
            for clients in all_clients:
                for grader in graders:
                    if grader == "ours":
                        measure = over_http(ours(program), clients, *place)
                    elif grader == "sandbox_fusion":
                        measure = sandbox_fusion(program, clients, *place)
                    else:
                        measure = stack.enter_context(prime_code(program, clients))
                    found.append(Contender(grader, program, clients, measure))
        yield found


def row(contender: Contender, mine: Contender) -> str:
    """One line of the table."""
    rate = statistics.median(sample.rate for sample in contender.samples)
    ratio = statistics.median(
        own.rate / sample.rate for own, sample in zip(mine.samples, contender.samples, strict=True)
    )
    cpu_ms = statistics.median(1000 * sample.cpu_s / sample.runs for sample in contender.samples)
    name = "ours" if contender.grader == "ours" else f"verl's `{contender.grader}`"
    return f"| {contender.program} | {contender.clients} | {name} | {rate:.2f} | {cpu_ms:.0f} | {ratio:.1f} |"


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=HelpFormatter)
    parser.add_argument("--rounds", type=int, default=3, help="times every contender is measured")
    parser.add_argument(
        "--seconds", type=float, default=2.0, help="of each measurement, one problem at least"
    )
    parser.add_argument("--clients", type=int, nargs="+", default=[1, 8], help="problems graded at a time")
    parser.add_argument("--graders", nargs="+", choices=GRADERS[1:], default=GRADERS[1:], help="beside ours")
    arguments = parser.parse_args()
    with contenders(("ours", *arguments.graders), arguments.clients) as found:
        for number in range(arguments.rounds):
            for contender in found:
                contender.samples.append(contender.measure(arguments.seconds))
                rate = contender.samples[-1].rate
                name = f"{contender.grader}, {contender.program}, {contender.clients}"
                print(f"round {number}: {name}: {rate:.2f}/s", file=sys.stderr)
    load = os.getloadavg()[0]
    print(f"{os.cpu_count()} CPUs, load {load:.1f}, {arguments.rounds} rounds, {NUM_CASES} cases a problem\n")
    print("| program | at a time | grader | problems/s | CPU ms per problem | ours is faster by |")
    print("|---|---|---|---|---|---|")
    own = {(c.program, c.clients): c for c in found if c.grader == "ours"}
    for contender in found:
        print(row(contender, own[contender.program, contender.clients]))


if __name__ == "__main__":
    main()
