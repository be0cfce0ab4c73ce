"""Scheduling, early stop and shared runs, on a sandbox double that ends runs when told."""

import asyncio
from collections.abc import AsyncGenerator, Callable

import pytest

from verl_ext.grading.grader import Grader, grade_program
from verl_ext.grading.harness import Limits
from verl_ext.grading.problem import Case
from verl_ext.grading.verdict import Grade, Verdict
from verl_ext.sandbox.cases import run_each
from verl_ext.sandbox.errors import SandboxUnreachable
from verl_ext.sandbox.protocol import CasesRequest, RunRequest, RunResult, StageResult, StageStatus

CASES = [Case(str(number), str(number)) for number in range(6)]


class EchoSandbox:
    """Answers with the request's standard input; ``behave`` may wait, fail or change that."""

    def __init__(self, behave: Callable[[str], object] = lambda stdin: None) -> None:
        self.seen: list[str] = []
        self.running = self.most_running = self.cancelled = 0
        self._behave = behave

    async def run(self, request: RunRequest) -> RunResult:
        stdin = request.stdin or ""
        self.seen.append(stdin)
        self.running += 1
        self.most_running = max(self.most_running, self.running)
        try:
            await asyncio.sleep(0)
            answer = self._behave(stdin)
            if isinstance(answer, asyncio.Future | asyncio.Event):
                await (answer.wait() if isinstance(answer, asyncio.Event) else answer)
                answer = None
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        finally:
            self.running -= 1
        if isinstance(answer, StageResult):
            return RunResult(None, answer)
        return RunResult(None, StageResult(StageStatus.FINISHED, 0.0, 0, str(answer or stdin), ""))

    def run_cases(self, request: CasesRequest) -> AsyncGenerator[RunResult, None]:
        return run_each(self.run, request)

    async def ping(self) -> None: ...

    async def aclose(self) -> None: ...


def broken(stdin: str) -> object:
    raise SandboxUnreachable("gone")


async def test_results_come_in_case_order_with_their_index() -> None:
    sandbox = EchoSandbox(lambda stdin: "x" if stdin in "24" else None)
    grade = await grade_program(sandbox, "p", CASES, limits=Limits())
    assert [result.case_index for result in grade.results] == list(range(6))
    assert [result.passed for result in grade.results] == [True, True, False, True, False, True]
    assert (grade.num_passed, grade.total, grade.all_passed) == (4, 6, False)


async def test_no_more_runs_at_a_time_than_allowed() -> None:
    sandbox = EchoSandbox()
    await grade_program(sandbox, "p", CASES, limits=Limits(), max_parallel=2)
    assert sandbox.most_running == 2


async def test_an_early_stop_ends_at_the_first_failure_in_case_order() -> None:
    never = asyncio.Event()
    sandbox = EchoSandbox(lambda stdin: {"1": "x", "3": never}.get(stdin))
    grade = await grade_program(
        sandbox, "p", CASES, limits=Limits(), max_parallel=6, stop_at_first_failure=True
    )
    assert [result.case_index for result in grade.results] == [0, 1]
    assert (grade.total, grade.all_passed, sandbox.running) == (6, False, 0)


async def test_a_program_that_does_not_compile_is_not_run_again() -> None:
    text = "  File \"program.py\", line 1\n    (\n    ^\nSyntaxError: '(' was never closed\n"
    sandbox = EchoSandbox(lambda stdin: StageResult(StageStatus.FINISHED, 0.0, 1, "", text))
    grade = await grade_program(sandbox, "(", CASES, limits=Limits(), max_parallel=1)
    assert [result.verdict for result in grade.results] == [Verdict.COMPILE_ERROR] * 6
    assert [result.case_index for result in grade.results] == list(range(6))
    assert len(sandbox.seen) == 1


async def test_nothing_to_grade_is_an_error() -> None:
    with pytest.raises(ValueError, match="no cases"):
        await grade_program(EchoSandbox(), "p", [], limits=Limits())
    with pytest.raises(ValueError, match="no cases"):
        await Grader(EchoSandbox()).grade("p", [])
    with pytest.raises(ValueError, match="empty grade"):
        Grade((), total=0)


async def test_a_malformed_case_is_named_before_anything_runs() -> None:
    sandbox = EchoSandbox()
    with pytest.raises(ValueError, match=r"case 1: .*list of arguments"):
        await Grader(sandbox).grade("p", [Case("[1]", "1", "f"), Case("1", "1", "f")])
    assert not sandbox.seen


@pytest.mark.parametrize("max_parallel", [1, 6])
async def test_a_failure_of_ours_is_raised_and_never_graded(max_parallel: int) -> None:
    sandbox = EchoSandbox(lambda stdin: broken(stdin) if stdin == "3" else None)
    with pytest.raises(SandboxUnreachable):
        await grade_program(sandbox, "p", CASES, limits=Limits(), max_parallel=max_parallel)
    assert sandbox.running == 0


async def test_an_identical_run_is_done_once() -> None:
    sandbox = EchoSandbox()
    grader = Grader(sandbox)
    first = await grader.grade("p", CASES)
    again = await grader.grade("p", list(reversed(CASES)))
    assert len(sandbox.seen) == 6
    assert (grader.misses, grader.hits) == (6, 6)
    assert first.all_passed and again.all_passed
    assert [result.case_index for result in again.results] == list(range(6))


CHANGES = [
    {"program": "q"},
    {"prelude": "import math"},
    {"time_limit_s": 1.0},
    {"memory_limit_mb": 64},
    {"cases": [Case("0", "1")]},
    {"cases": [Case("[0]", "0", "f")]},
    {"language": "cpp"},
]


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: next(iter(change)))
async def test_a_run_that_differs_in_anything_is_another_run(change: dict) -> None:
    sandbox = EchoSandbox()
    grader = Grader(sandbox)
    call = {"program": "p", "cases": CASES[:1]}
    await grader.grade(**call)
    await grader.grade(**{**call, **change})
    assert (grader.misses, grader.hits) == (2, 0)


async def test_those_who_ask_while_it_runs_share_the_run() -> None:
    gate = asyncio.Event()
    sandbox = EchoSandbox(lambda stdin: gate)
    grader = Grader(sandbox)
    tasks = [asyncio.create_task(grader.grade("p", CASES[:1])) for _ in range(8)]
    while not sandbox.running:
        await asyncio.sleep(0)
    gate.set()
    grades = await asyncio.gather(*tasks)
    assert all(grade.all_passed for grade in grades)
    assert (len(sandbox.seen), grader.hits) == (1, 7)


async def test_one_who_leaves_does_not_take_the_run_from_the_others() -> None:
    gate = asyncio.Event()
    sandbox = EchoSandbox(lambda stdin: gate)
    grader = Grader(sandbox)
    first, second = (asyncio.create_task(grader.grade("p", CASES[:1])) for _ in range(2))
    while not sandbox.running:
        await asyncio.sleep(0)
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    gate.set()
    assert (await second).all_passed
    assert sandbox.cancelled == 0


async def test_a_run_nobody_waits_for_is_cancelled_and_can_be_asked_for_again() -> None:
    gate = asyncio.Event()
    sandbox = EchoSandbox(lambda stdin: gate)
    grader = Grader(sandbox)
    task = asyncio.create_task(grader.grade("p", CASES[:1]))
    while not sandbox.running:
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    gate.set()
    assert (await grader.grade("p", CASES[:1])).all_passed
    assert (sandbox.cancelled, grader.misses) == (1, 1)


async def test_a_failure_of_ours_is_not_remembered() -> None:
    failures = [True]
    sandbox = EchoSandbox(lambda stdin: broken(stdin) if failures and failures.pop() else None)
    grader = Grader(sandbox)
    with pytest.raises(SandboxUnreachable):
        await grader.grade("p", CASES[:1])
    assert (await grader.grade("p", CASES[:1])).all_passed


async def test_the_least_recently_used_result_is_forgotten_first() -> None:
    sandbox = EchoSandbox()
    grader = Grader(sandbox, cache_size=2)
    for index in (0, 1, 0, 2, 0, 1):
        await grader.grade("p", CASES[index : index + 1])
    assert sandbox.seen == ["0", "1", "2", "1"]


async def test_a_cache_of_size_zero_remembers_nothing() -> None:
    sandbox = EchoSandbox()
    grader = Grader(sandbox, cache_size=0)
    for _ in range(2):
        await grader.grade("p", CASES[:1])
    assert len(sandbox.seen) == 2
