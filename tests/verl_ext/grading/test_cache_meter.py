"""What the cache saved is counted in portions, and nothing is saved where it is switched off."""

from __future__ import annotations

import asyncio

import pytest

from verl_ext.grading.cache_meter import CacheCounts, CacheMeter
from verl_ext.grading.grader import Grader
from verl_ext.grading.problem import Case
from verl_ext.sandbox.memory import InMemorySandbox, finished
from verl_ext.sandbox.protocol import RunRequest, RunResult

CASES = (Case("1\n", "1\n"), Case("2\n", "2\n"))


async def echo(request: RunRequest) -> RunResult:
    await asyncio.sleep(0.01)
    return finished(request.stdin or "")


async def test_each_look_tells_what_happened_since_the_one_before() -> None:
    grader = Grader(InMemorySandbox(echo))
    meter = CacheMeter(grader)
    assert meter.take().hit_rate is None
    await grader.grade("a", CASES)
    await grader.grade("a", CASES)
    assert meter.take() == CacheCounts(hits=2, misses=2)
    await grader.grade("b", CASES[:1])
    counts = meter.take()
    assert (counts, counts.hit_rate) == (CacheCounts(hits=0, misses=1), 0.0)


@pytest.mark.parametrize(("cache_size", "num_runs"), [(0, 6), (100, 2)])
async def test_a_cache_of_size_0_shares_no_run_not_even_with_those_that_ask_meanwhile(
    cache_size: int, num_runs: int
) -> None:
    sandbox = InMemorySandbox(echo)
    grader = Grader(sandbox, cache_size=cache_size)
    grades = await asyncio.gather(*(grader.grade("a", CASES) for _ in range(3)))
    assert all(grade.all_passed for grade in grades)
    assert len(sandbox.requests) == num_runs == grader.misses
    assert grader.hits == 6 - num_runs
