"""How far the efficiency of equal programs is from 1, at whatever load the machine has.

``python benchmarks/efficiency_noise.py [--cases 10] [--rounds 20]``. Every program is timed against itself in
the embedded sandbox, as often as there are rounds. Without noise every number is 1. docs/reward.md quotes it.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics

from recipe.code_agentic.reward import efficiency
from verl_ext.agent_loop.episode import EpisodeFacts, StopReason
from verl_ext.cli import HelpFormatter
from verl_ext.grading.grader import Grader
from verl_ext.grading.harness import Limits
from verl_ext.grading.problem import Case
from verl_ext.sandbox.client import HttpSandbox
from verl_ext.sandbox.embedded import serve

FLOOR_S = 0.02
# Work per case: none, about the floor, well above it.
PROGRAMS = {
    "prints": "print(int(input()))",
    "loops 2e5": "n = int(input())\ns = 0\nfor i in range(200_000): s += i % 7\nprint(n)",
    "loops 3e6": "n = int(input())\ns = 0\nfor i in range(3_000_000): s += i % 7\nprint(n)",
}


async def cpu_seconds(endpoint: str, program: str, num_cases: int) -> tuple[float, ...]:
    """CPU seconds per case of one grading."""
    cases = [Case(f"{number}\n", f"{number}\n") for number in range(num_cases)]
    async with HttpSandbox(endpoint) as sandbox:
        grade = await Grader(sandbox, Limits(time_s=20), cache_size=0).grade(program, cases)
    assert grade.all_passed
    return tuple(result.cpu_time_s or 0.0 for result in grade.results)


def efficiency_of(program_s: tuple[float, ...], reference_s: tuple[float, ...]) -> float:
    """What the reward makes of the two."""
    num = len(program_s)
    facts = EpisodeFacts(
        False, num, num, 1, 1, 0, 1, 0, 0, 0, 2, 9, StopReason.FINAL_ANSWER, program_s, reference_s
    )
    value = efficiency(facts, FLOOR_S)
    assert value is not None
    return value


def main() -> None:
    """Measures and prints one line per program and load."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=HelpFormatter)
    parser.add_argument("--cases", type=int, default=10, help="per run of a program")
    parser.add_argument("--rounds", type=int, default=20, help="runs of every program")
    arguments = parser.parse_args()
    print(f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores, floor {1000 * FLOOR_S:g} ms")
    print(f"{'program':12}{'CPU ms':>9}{'median':>9}{'worst':>8}{'one case, worst':>18}")
    with serve() as server:
        for name, program in PROGRAMS.items():
            runs = [
                asyncio.run(cpu_seconds(server.endpoint, program, arguments.cases))
                for _ in range(arguments.rounds + 1)
            ]
            values = [efficiency_of(run, runs[0]) for run in runs[1:]]
            singles = [
                efficiency_of((program_s,), (reference_s,))
                for run in runs[1:]
                for program_s, reference_s in zip(run, runs[0], strict=True)
            ]
            cpu_ms = 1000 * statistics.median(seconds for run in runs for seconds in run)
            print(
                f"{name:12}{cpu_ms:9.1f}{statistics.median(values):9.3f}{min(values):8.3f}{min(singles):18.3f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
