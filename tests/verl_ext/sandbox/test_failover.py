"""Several sandboxes as one: who is asked, when another takes over, and what an outage looks like."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Iterator

import pytest

from verl_ext.sandbox.client import HttpSandbox
from verl_ext.sandbox.embedded import EmbeddedServer, serve
from verl_ext.sandbox.errors import (
    SandboxError,
    SandboxInternalError,
    SandboxOverloaded,
    SandboxProtocolError,
    SandboxUnreachable,
)
from verl_ext.sandbox.failover import FailoverSandbox
from verl_ext.sandbox.memory import InMemorySandbox, finished
from verl_ext.sandbox.protocol import CasesRequest, RunRequest, RunResult

REQUEST = RunRequest("print(1)")
NOW_S = 0.01


def says(name: str, after_s: float = 0.0) -> InMemorySandbox:
    async def script(request: RunRequest) -> RunResult:
        await asyncio.sleep(after_s)
        return finished(name)

    return InMemorySandbox(script)


def fails(error: SandboxError) -> InMemorySandbox:
    return InMemorySandbox(lambda request: error)


async def answer_of(sandbox: FailoverSandbox, request: RunRequest = REQUEST) -> str:
    result = await sandbox.run(request)
    assert result.run is not None
    return result.run.stdout


@pytest.fixture(scope="module")
def two_servers() -> Iterator[tuple[EmbeddedServer, EmbeddedServer]]:
    with serve(["--num-workers", "1"]) as first, serve(["--num-workers", "1"]) as second:
        yield first, second


async def test_a_server_killed_under_load_costs_no_run_and_no_wrong_answer(
    two_servers: tuple[EmbeddedServer, EmbeddedServer],
) -> None:
    members = {server.endpoint: HttpSandbox(server.endpoint, max_attempts=1) for server in two_servers}
    async with FailoverSandbox(members, max_concurrency=8) as sandbox:

        async def run(number: int) -> None:
            code = f"import time; time.sleep(0.05); print({number})"
            assert await answer_of(sandbox, RunRequest(code)) == f"{number}\n"

        runs = [asyncio.create_task(run(number)) for number in range(60)]
        await asyncio.sleep(0.4)
        assert not all(task.done() for task in runs)
        two_servers[0].process.kill()
        await asyncio.gather(*runs)


async def test_both_killed_at_once_is_waited_for_until_one_is_back(
    two_servers: tuple[EmbeddedServer, EmbeddedServer],
) -> None:
    members = {server.endpoint: HttpSandbox(server.endpoint, max_attempts=1) for server in two_servers}
    async with FailoverSandbox(members) as sandbox:
        await sandbox.ping()
        for server in two_servers:
            os.kill(server.process.pid, signal.SIGKILL)
        assert await answer_of(sandbox) == "1\n"


async def test_all_gone_is_an_error_that_names_them_and_no_verdict() -> None:
    members = {
        f"http://127.0.0.1:{port}": HttpSandbox(f"http://127.0.0.1:{port}", max_attempts=1)
        for port in (9, 11)
    }
    async with FailoverSandbox(members, max_rounds=2, first_pause_s=NOW_S) as sandbox:
        with pytest.raises(SandboxUnreachable) as raised:
            await sandbox.run(REQUEST)
        # Whose pause is over first is asked first: the order is not fixed.
        assert all(f"{name}: " in str(raised.value) for name in members)
        with pytest.raises(SandboxUnreachable):
            await sandbox.ping()


async def test_the_first_is_used_as_long_as_it_works() -> None:
    first, second = says("first"), says("second")
    async with FailoverSandbox({"first": first, "second": second}) as sandbox:
        assert {await answer_of(sandbox) for _ in range(5)} == {"first"}
        await sandbox.ping()
    assert not second.requests


@pytest.mark.parametrize(
    "error", [SandboxUnreachable("a"), SandboxOverloaded("a"), SandboxInternalError("a")]
)
async def test_what_may_pass_is_taken_elsewhere(error: SandboxError) -> None:
    async with FailoverSandbox({"first": fails(error), "second": says("second")}) as sandbox:
        assert await answer_of(sandbox) == "second"


async def test_a_refused_request_is_asked_nobody_else() -> None:
    second = says("second")
    async with FailoverSandbox({"first": fails(SandboxProtocolError("bad")), "second": second}) as sandbox:
        with pytest.raises(SandboxProtocolError, match="bad"):
            await sandbox.run(REQUEST)
    assert not second.requests


async def test_one_that_is_unreachable_is_left_alone_for_a_while_then_tried_by_one() -> None:
    gone = True

    async def script(request: RunRequest) -> RunResult | SandboxError:
        await asyncio.sleep(NOW_S)
        return SandboxUnreachable("gone") if gone else finished("first")

    first = InMemorySandbox(script)
    members = {"first": first, "second": says("second", after_s=NOW_S)}
    async with FailoverSandbox(members, first_pause_s=60, longest_pause_s=60) as sandbox:
        (member, _) = sandbox._members  # a busy machine must not decide when the pause is over
        assert {await answer_of(sandbox) for _ in range(5)} == {"second"}
        assert len(first.requests) == 1
        member.retry_at_s = 0.0
        await asyncio.gather(*(answer_of(sandbox) for _ in range(10)))
        assert len(first.requests) == 2
        gone = False
        member.retry_at_s = 0.0
        assert await answer_of(sandbox) == "first"
        assert {await answer_of(sandbox) for _ in range(5)} == {"first"}


async def test_an_outage_that_breaks_many_requests_counts_once() -> None:
    async def script(request: RunRequest) -> SandboxError:
        await asyncio.sleep(NOW_S)
        return SandboxUnreachable("gone")

    first = InMemorySandbox(script)
    members = {"first": first, "second": says("second")}
    async with FailoverSandbox(members, first_pause_s=0.1, longest_pause_s=60) as sandbox:
        await asyncio.gather(*(answer_of(sandbox) for _ in range(20)))
        await asyncio.sleep(0.25)
        await answer_of(sandbox)
    assert len(first.requests) == 21


async def test_one_that_is_full_is_asked_first_again_by_the_next_request() -> None:
    first = fails(SandboxOverloaded("full"))
    async with FailoverSandbox({"first": first, "second": says("second")}) as sandbox:
        for _ in range(3):
            await answer_of(sandbox)
    assert len(first.requests) == 3


async def test_a_slow_answer_is_hedged_once_and_the_loser_is_cancelled() -> None:
    cancelled = asyncio.Event()

    async def never(request: RunRequest) -> RunResult:
        try:
            await asyncio.sleep(30)
        except asyncio.CancelledError:
            cancelled.set()
            raise
        return finished("never")

    third = says("third")
    members = {"first": InMemorySandbox(never), "second": says("second", after_s=0.1), "third": third}
    async with FailoverSandbox(members, hedge_after=0.05) as sandbox:
        assert await answer_of(sandbox) == "second"
        assert cancelled.is_set()
        assert not third.requests


async def test_a_hedge_that_fails_does_not_spoil_the_first_answer() -> None:
    members = {"first": says("first", after_s=0.1), "second": fails(SandboxUnreachable("gone"))}
    async with FailoverSandbox(members, hedge_after=0.02) as sandbox:
        assert await answer_of(sandbox) == "first"


async def test_hedging_by_percentile_waits_as_long_as_runs_usually_take() -> None:
    slow = False

    async def script(request: RunRequest) -> RunResult:
        await asyncio.sleep(600 if slow else NOW_S)
        return finished("first")

    second = says("second")
    async with FailoverSandbox(
        {"first": InMemorySandbox(script), "second": second}, hedge_after="p99"
    ) as sandbox:
        assert {await answer_of(sandbox) for _ in range(20)} == {"first"}
        assert not second.requests
        slow = True
        assert await answer_of(sandbox) == "second"


async def test_the_total_deadline_ends_a_run_that_nobody_answers() -> None:
    members = {"first": says("first", after_s=30), "second": says("second", after_s=30)}
    request = RunRequest("", compile_timeout_s=0.05, run_timeout_s=0.05)
    async with FailoverSandbox(members, deadline_margin_s=0.1, hedge_after=0.05) as sandbox:
        with pytest.raises(SandboxUnreachable, match=r"no answer within 0\.2 s"):
            await sandbox.run(request)


async def test_no_more_runs_are_in_flight_than_allowed() -> None:
    running, peak = 0, 0

    async def count(request: RunRequest) -> RunResult:
        nonlocal running, peak
        running += 1
        peak = max(peak, running)
        await asyncio.sleep(NOW_S)
        running -= 1
        return finished()

    async with FailoverSandbox({"only": InMemorySandbox(count)}, max_concurrency=4) as sandbox:
        await asyncio.gather(*(sandbox.run(REQUEST) for _ in range(20)))
    assert peak == 4


@pytest.mark.parametrize(
    "options", [{"max_concurrency": 0}, {"max_rounds": 0}, {"hedge_after": 0}, {"hedge_after": "p100"}]
)
def test_numbers_out_of_range_are_refused(options: dict) -> None:
    with pytest.raises(ValueError, match=next(iter(options))):
        FailoverSandbox({"only": InMemorySandbox()}, **options)
    with pytest.raises(ValueError, match="at least one member"):
        FailoverSandbox({})


async def outputs_of(sandbox: FailoverSandbox, request: CasesRequest) -> list[str]:
    return [result.run.stdout async for result in sandbox.run_cases(request) if result.run is not None]


async def test_cases_that_one_did_not_answer_are_taken_to_the_next() -> None:
    def breaks_at_2(request: RunRequest) -> RunResult | SandboxError:
        return SandboxUnreachable("gone") if request.stdin == "2" else finished(f"first {request.stdin}")

    second = InMemorySandbox(lambda request: finished(f"second {request.stdin}"))
    cases = CasesRequest(REQUEST, ("0", "1", "2", "3"), max_parallel=1)
    async with FailoverSandbox({"first": InMemorySandbox(breaks_at_2), "second": second}) as sandbox:
        assert await outputs_of(sandbox, cases) == ["first 0", "first 1", "second 2", "second 3"]


async def test_cases_end_at_the_first_failure_where_that_is_asked_for() -> None:
    member = InMemorySandbox(lambda request: finished(return_code=int(request.stdin or 0)))
    async with FailoverSandbox({"only": member}) as sandbox:
        cases = CasesRequest(REQUEST, ("0", "1", "0"), stop_at_failure=True)
        assert len(await outputs_of(sandbox, cases)) == 2


async def test_cases_that_nobody_answers_are_an_error() -> None:
    members = {"first": fails(SandboxOverloaded("full")), "second": fails(SandboxUnreachable("gone"))}
    cases = CasesRequest(REQUEST, ("0", "1"))
    async with FailoverSandbox(members, max_rounds=2, first_pause_s=NOW_S) as sandbox:
        with pytest.raises(SandboxUnreachable, match="full; gone"):
            await outputs_of(sandbox, cases)
    async with FailoverSandbox({"only": fails(SandboxProtocolError("bad"))}) as sandbox:
        with pytest.raises(SandboxProtocolError):
            await outputs_of(sandbox, cases)


async def test_a_server_killed_under_many_cases_costs_no_case(
    two_servers: tuple[EmbeddedServer, EmbeddedServer],
) -> None:
    members = {server.endpoint: HttpSandbox(server.endpoint, max_attempts=1) for server in two_servers}
    program = RunRequest("import time; time.sleep(0.1); print(input())")
    async with FailoverSandbox(members) as sandbox:
        cases = CasesRequest(program, tuple(str(number) for number in range(20)), max_parallel=2)
        outputs: list[str] = []
        async for result in sandbox.run_cases(cases):
            assert result.run is not None
            outputs.append(result.run.stdout)
            if len(outputs) == 3:
                two_servers[0].process.kill()
    assert outputs == [f"{number}\n" for number in range(20)]
