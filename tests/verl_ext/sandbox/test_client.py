"""The client's errors, retries and deadlines, against services that misbehave."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from verl_ext.sandbox.client import HttpSandbox
from verl_ext.sandbox.errors import (
    SandboxError,
    SandboxInternalError,
    SandboxOverloaded,
    SandboxProtocolError,
    SandboxUnreachable,
)
from verl_ext.sandbox.protocol import RunRequest, StageStatus

RUN = {"status": "Finished", "execution_time": 0.1, "return_code": 0, "stdout": "hi", "stderr": ""}
SUCCESS = {"status": "Success", "message": "", "compile_result": None, "run_result": RUN, "files": {}}
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Service:
    """A service that answers from a list, the last answer for ever."""

    def __init__(self, *answers: Handler) -> None:
        self.answers = list(answers)
        self.num_requests = 0

    async def answer(self, request: web.Request) -> web.StreamResponse:
        await request.read()
        self.num_requests += 1
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return await answer(request)


@asynccontextmanager
async def client_of(service: Service, **options: float) -> AsyncIterator[HttpSandbox]:
    app = web.Application()

    async def handle(request: web.Request) -> web.StreamResponse:
        return await service.answer(request)

    app.router.add_route("*", "/{path:.*}", handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    settings = {"max_attempts": 3, "first_pause_s": 0.01} | options
    async with HttpSandbox(f"http://127.0.0.1:{runner.addresses[0][1]}/", **settings) as client:  # type: ignore[arg-type]
        yield client
    await runner.cleanup()


def replies(body: object, status: int = 200) -> Handler:
    async def handler(request: web.Request) -> web.StreamResponse:
        return web.json_response(body, status=status)

    return handler


def replies_text(text: str, status: int = 200) -> Handler:
    async def handler(request: web.Request) -> web.StreamResponse:
        return web.Response(text=text, status=status)

    return handler


async def hangs_up(request: web.Request) -> web.StreamResponse:
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


async def sleeps(request: web.Request) -> web.StreamResponse:
    await asyncio.sleep(30)
    return web.Response()


SANDBOX_ERROR = replies({"status": "SandboxError", "message": "no container", "run_result": None})


@pytest.mark.parametrize(
    ("answer", "error", "num_requests"),
    [
        (replies({}, 503), SandboxOverloaded, 3),
        (replies({}, 502), SandboxInternalError, 3),
        (replies({}, 500), SandboxInternalError, 3),
        (replies({}, 504), SandboxUnreachable, 3),
        (SANDBOX_ERROR, SandboxInternalError, 3),
        (hangs_up, SandboxUnreachable, 3),
        (replies({"detail": "language"}, 422), SandboxProtocolError, 1),
        (replies({}, 404), SandboxProtocolError, 1),
        (replies_text("<html>"), SandboxProtocolError, 1),
        (replies([1]), SandboxProtocolError, 1),
        (replies({"status": "Fine"}), SandboxProtocolError, 1),
        (replies(SUCCESS | {"run_result": None}), SandboxProtocolError, 1),
        (replies(SUCCESS | {"run_result": {"status": "Odd"}}), SandboxProtocolError, 1),
        (replies(SUCCESS | {"run_result": RUN | {"return_code": None}}), SandboxProtocolError, 1),
        (replies(SUCCESS | {"run_result": RUN | {"stdout": 5}}), SandboxProtocolError, 1),
        (replies(SUCCESS | {"run_result": "text"}), SandboxProtocolError, 1),
        (replies(SUCCESS | {"files": {"a": "*"}}), SandboxProtocolError, 1),
        (replies({"status": "Failed", "run_result": RUN | {"status": "Error"}}), SandboxInternalError, 3),
    ],
)
async def test_failures_of_the_service_are_errors_and_only_passing_ones_are_retried(
    answer: Handler, error: type[SandboxError], num_requests: int
) -> None:
    service = Service(answer)
    async with client_of(service) as client:
        with pytest.raises(error):
            await client.run(RunRequest("print(1)"))
    assert service.num_requests == num_requests
    assert error.retryable is (num_requests > 1)


@pytest.mark.parametrize("first", [replies({}, 503), SANDBOX_ERROR, hangs_up])
async def test_a_passing_failure_is_got_over(first: Handler) -> None:
    service = Service(first, replies(SUCCESS))
    async with client_of(service) as client:
        result = await client.run(RunRequest("print(1)"))
    assert result.run is not None and result.run.stdout == "hi"
    assert service.num_requests == 2


async def test_a_refused_connection_is_unreachable_after_bounded_attempts() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    async with HttpSandbox(f"http://127.0.0.1:{port}", max_attempts=3, first_pause_s=0.05) as client:
        with pytest.raises(SandboxUnreachable):
            await client.run(RunRequest("print(1)"))
        with pytest.raises(SandboxUnreachable):
            await client.ping()


async def test_a_service_that_never_answers_is_given_up_at_the_deadline() -> None:
    service = Service(sleeps)
    async with client_of(service, request_margin_s=0.2) as client:
        with pytest.raises(SandboxUnreachable):
            await client.run(RunRequest("print(1)", compile_timeout_s=0.1, run_timeout_s=0.1))
    assert service.num_requests == 1


async def test_waiting_for_a_slot_does_not_use_up_the_deadline() -> None:
    async def slow(request: web.Request) -> web.StreamResponse:
        await asyncio.sleep(0.8)  # four of them take longer than the deadline, one much less
        return web.json_response(SUCCESS)

    async with client_of(Service(slow), request_margin_s=2.2, max_concurrency=1) as client:
        request = RunRequest("print(1)", compile_timeout_s=0.1, run_timeout_s=0.1)
        results = await asyncio.gather(*(client.run(request) for _ in range(4)))
    assert len(results) == 4


async def test_no_more_requests_are_in_flight_than_allowed() -> None:
    running, peak = 0, 0

    async def count(request: web.Request) -> web.StreamResponse:
        nonlocal running, peak
        running += 1
        peak = max(peak, running)
        await asyncio.sleep(0.02)
        running -= 1
        return web.json_response(SUCCESS)

    async with client_of(Service(count), max_concurrency=4) as client:
        await asyncio.gather(*(client.run(RunRequest("print(1)")) for _ in range(20)))
    assert peak == 4


async def test_the_time_limit_of_a_plain_sandbox_fusion_is_read() -> None:
    stage = {"status": "TimeLimitExceeded", "execution_time": 1.0, "return_code": None, "stdout": "so far"}
    async with client_of(Service(replies({"status": "Failed", "run_result": stage}))) as client:
        result = await client.run(RunRequest("while True: pass"))
    assert result.run is not None
    assert (result.run.status, result.run.return_code) == (StageStatus.TIME_LIMIT, None)
    assert (result.run.stdout, result.run.output_truncated) == ("so far", False)


async def test_what_another_service_says_is_told_in_one_line() -> None:
    async with client_of(Service(replies_text("<html>\n  <p>not\n found", 404))) as client:
        with pytest.raises(SandboxProtocolError, match=r"HTTP 404: <html> <p>not found$"):
            await client.ping()


async def test_ping_tells_a_sandbox_from_something_else() -> None:
    async with client_of(Service(replies("pong"))) as client:
        await client.ping()
    async with client_of(Service(replies({"hello": 1}))) as client:
        with pytest.raises(SandboxProtocolError):
            await client.ping()


def test_one_client_per_loop_works_in_several_loops_and_a_shared_one_is_refused() -> None:
    async def ping(client: HttpSandbox) -> None:
        with pytest.raises(SandboxUnreachable):
            await client.ping()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        endpoint = f"http://127.0.0.1:{listener.getsockname()[1]}"
    for _ in range(2):
        asyncio.run(ping(HttpSandbox(endpoint)))
    shared = HttpSandbox(endpoint)
    asyncio.run(ping(shared))
    with pytest.raises(ValueError, match="one per loop"):
        asyncio.run(ping(shared))
