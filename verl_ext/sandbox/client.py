"""The async client of any service that speaks SandboxFusion's protocol, embedded or remote.

Keeps connections open, puts a deadline on everything, retries what may succeed later and nothing else, and
raises ``SandboxError`` for whatever went wrong on our side: an outage never looks like a verdict.
"""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from types import TracebackType
from typing import Any, Self

import aiohttp

from verl_ext.sandbox import wire
from verl_ext.sandbox.cases import cases_to_json, run_each, succeeded
from verl_ext.sandbox.errors import (
    SandboxError,
    SandboxInternalError,
    SandboxOverloaded,
    SandboxProtocolError,
    SandboxUnreachable,
)
from verl_ext.sandbox.protocol import CasesRequest, RunRequest, RunResult

_LONGEST_PAUSE_S = 5.0


class HttpSandbox:
    """Runs programs on a service. Use one per event loop, and close it there (``async with``).

    A request that gets no reply before its deadline (the stages' limits plus ``request_margin_s``) raises
    ``SandboxUnreachable`` at once: the service had its time, and asking again would double the wait.
    """

    def __init__(
        self,
        endpoint: str,
        *,
        max_concurrency: int = 64,
        request_margin_s: float = 30.0,
        connect_timeout_s: float = 5.0,
        max_attempts: int = 6,
        first_pause_s: float = 0.25,
    ) -> None:
        """Opens nothing yet.

        Args:
            endpoint: URL of the service, without a path.
            max_concurrency: Requests in flight; more wait here, without using up their deadline.
            request_margin_s: Seconds granted on top of a request's own limits, for queueing and transport.
            connect_timeout_s: Seconds to connect, and for ``ping`` to answer.
            max_attempts: Times a retryable failure is tried in all.
            first_pause_s: Seconds before the second attempt; doubles from there, with jitter.

        Raises:
            ValueError: When the endpoint is no http(s) URL, or a number is out of range.
        """
        if not endpoint.startswith(("http://", "https://")):
            raise ValueError(f"sandbox endpoint {endpoint!r} is not an http:// or https:// URL")
        if max_concurrency < 1 or max_attempts < 1:
            raise ValueError("max_concurrency and max_attempts must be at least 1")
        self.endpoint = endpoint.rstrip("/")
        self._max_concurrency = max_concurrency
        self._margin_s = request_margin_s
        self._connect_timeout_s = connect_timeout_s
        self._max_attempts = max_attempts
        self._first_pause_s = first_pause_s
        self._slots = asyncio.Semaphore(max_concurrency)
        self._session: aiohttp.ClientSession | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._offers_cases = True  # until the service says that it does not know the address

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()

    async def run(self, request: RunRequest) -> RunResult:
        """Runs one program to its end or limit.

        Raises:
            SandboxError: The last failure, when every attempt failed or the failure is not worth another.
        """
        deadline_s = request.compile_timeout_s + request.run_timeout_s + self._margin_s
        # ASCII JSON carries even lone surrogates, which then are the program's problem.
        body = json.dumps(wire.request_to_json(request)).encode()
        pause_s = self._first_pause_s
        async with self._slots:
            for attempt in range(1, self._max_attempts + 1):
                try:
                    return wire.result_from_json(await self._call("POST", "/run_code", deadline_s, body))
                except TimeoutError as error:
                    raise SandboxUnreachable(f"{self.endpoint}: no reply within {deadline_s:g} s") from error
                except SandboxError as error:
                    if not error.retryable or attempt == self._max_attempts:
                        raise
                await asyncio.sleep(pause_s * random.uniform(0.5, 1.0))
                pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)
        raise AssertionError("the last attempt returns or raises")

    async def run_cases(self, request: CasesRequest) -> AsyncGenerator[RunResult, None]:
        """Runs one program on many inputs, in one exchange where the service offers it.

        Whether it does is found out by the first call. Results arrive as they come; after a failure that may
        pass, what is missing is asked for again, with as many attempts as ``run`` makes without any progress.

        Raises:
            SandboxError: As ``run``; results that came before are good.
        """
        num_done, attempt, pause_s = 0, 1, self._first_pause_s
        while num_done < len(request.stdins):
            rest = replace(request, stdins=request.stdins[num_done:], stream=True)
            if not self._offers_cases:
                async with aclosing(run_each(self.run, rest)) as results:
                    async for result in results:
                        yield result
                return
            try:
                async with aclosing(self._stream_cases(rest)) as results:
                    async for result in results:
                        num_done += 1
                        attempt, pause_s = 1, self._first_pause_s
                        yield result
                        if request.stop_at_failure and not succeeded(result):
                            return
                continue
            except _NoSuchAddress:
                self._offers_cases = False
                continue
            except TimeoutError as error:
                raise SandboxUnreachable(f"{self.endpoint}: no result of a case in time") from error
            except SandboxError as error:
                if not error.retryable or attempt == self._max_attempts:
                    raise
            attempt += 1
            await asyncio.sleep(pause_s * random.uniform(0.5, 1.0))
            pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)

    async def _stream_cases(self, request: CasesRequest) -> AsyncGenerator[RunResult, None]:
        """One exchange of ``run_cases``: as many results as there are inputs, or an error."""
        program = request.program
        deadline_s = program.compile_timeout_s + program.run_timeout_s + self._margin_s
        timeout = aiohttp.ClientTimeout(sock_connect=self._connect_timeout_s, sock_read=deadline_s)
        body = json.dumps(cases_to_json(request)).encode()
        num_left = len(request.stdins)
        compiled = None
        async with self._slots, self._exchange("POST", "/run_cases", timeout, body) as response:
            async for line in _lines(response.content, deadline_s):
                result = wire.result_from_json(_parsed(self.endpoint, line))
                compiled = result.compile or compiled
                num_left -= 1
                yield replace(result, compile=compiled)
                if result.run is None:  # it does not compile for the others either
                    for _ in range(num_left):
                        yield result
                    return
                if request.stop_at_failure and not succeeded(result):
                    return
        if num_left:
            raise SandboxUnreachable(f"{self.endpoint}: the reply ended {num_left} cases too early")

    async def ping(self) -> None:
        """Returns when the service answers; one attempt.

        Raises:
            SandboxError: When it does not.
        """
        try:
            answer = await self._call("GET", "/v1/ping", self._connect_timeout_s, None)
        except TimeoutError as error:
            raise SandboxUnreachable(
                f"{self.endpoint}: no reply within {self._connect_timeout_s:g} s"
            ) from error
        if answer != "pong":
            raise SandboxProtocolError(f"{self.endpoint} answers {answer!r:.80} to a ping: not a sandbox")

    async def aclose(self) -> None:
        """Closes the connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _call(self, method: str, path: str, deadline_s: float, body: bytes | None) -> Any:
        """One HTTP exchange; the parsed JSON of a 200.

        Raises:
            TimeoutError: No reply before the deadline.
            SandboxError: Anything else that went wrong.
        """
        timeout = aiohttp.ClientTimeout(total=deadline_s, sock_connect=self._connect_timeout_s)
        async with self._exchange(method, path, timeout, body) as response:
            return _parsed(self.endpoint, await response.read())

    @asynccontextmanager
    async def _exchange(
        self, method: str, path: str, timeout: aiohttp.ClientTimeout, body: bytes | None
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """A reply with status 200 whose content is still to be read; failures while it is read count too.

        Raises:
            TimeoutError: No reply before the deadline.
            SandboxError: Anything else that went wrong.
        """
        headers = {"Content-Type": "application/json"} if body is not None else None
        try:
            async with self._open_session().request(
                method, self.endpoint + path, data=body, headers=headers, timeout=timeout
            ) as response:
                if response.status != 200:
                    raise _error_of_status(self.endpoint, response.status, await response.read())
                yield response
        except aiohttp.SocketTimeoutError as error:
            raise TimeoutError from error
        except aiohttp.ServerTimeoutError as error:
            raise SandboxUnreachable(f"{self.endpoint}: no connection in time") from error
        except aiohttp.ClientError as error:
            raise SandboxUnreachable(f"{self.endpoint}: {error}") from error
        except OSError as error:
            if isinstance(error, TimeoutError):
                raise
            raise SandboxUnreachable(f"{self.endpoint}: {error}") from error

    def _open_session(self) -> aiohttp.ClientSession:
        loop = asyncio.get_running_loop()
        if self._session is None:
            self._loop = loop
            connector = aiohttp.TCPConnector(limit=self._max_concurrency + 1)
            self._session = aiohttp.ClientSession(connector=connector)
        if self._loop is not loop:
            raise ValueError("an HttpSandbox belongs to the event loop that first used it; make one per loop")
        return self._session


class _NoSuchAddress(SandboxProtocolError):
    """The service does not know what was asked for."""


async def _lines(content: aiohttp.StreamReader, deadline_s: float) -> AsyncIterator[bytes]:
    """Lines of any length, without their ends.

    Raises:
        TimeoutError: When a line does not end in time, even though bytes come.
    """
    rest = b""
    while True:
        parts = [rest]
        async with asyncio.timeout(deadline_s):
            while chunk := await content.readany():
                parts.append(chunk)
                if b"\n" in chunk:
                    break
        if not chunk:
            return
        *lines, rest = b"".join(parts).split(b"\n")
        for line in lines:
            yield line


def _parsed(endpoint: str, content: bytes) -> Any:
    try:
        return json.loads(content)
    except ValueError as error:
        raise SandboxProtocolError(f"{endpoint}: the reply is not JSON: {content!r:.200}") from error


def _error_of_status(endpoint: str, status: int, content: bytes) -> SandboxError:
    said = " ".join(content.decode("utf-8", "replace").split())
    text = f"{endpoint}: HTTP {status}: {said:.300}"
    if status == 503 or status == 429:
        return SandboxOverloaded(text)
    if status == 504:
        return SandboxUnreachable(text)
    if status >= 500:
        return SandboxInternalError(text)
    return (_NoSuchAddress if status in (404, 405) else SandboxProtocolError)(text)
