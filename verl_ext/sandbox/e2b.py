"""Programs in a machine of E2B, through the package ``e2b-code-interpreter`` (extra ``e2b``).

One machine is kept alive for all runs; each has a fresh folder, a user of its own and fresh processes
(``e2b_runner``), and no internet. Owns the machine's life and the translation of E2B's failures into ours.

Tested against a service that speaks the package's wire format on this machine, made by hand from the
package's code (version 2.11.5 of ``e2b-code-interpreter``): no E2B account was at hand.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from uuid import uuid4

from verl_ext.sandbox import e2b_runner, wire
from verl_ext.sandbox.cases import run_each
from verl_ext.sandbox.errors import (
    SandboxError,
    SandboxInternalError,
    SandboxOverloaded,
    SandboxProtocolError,
    SandboxUnreachable,
)
from verl_ext.sandbox.languages import LANGUAGES
from verl_ext.sandbox.protocol import CasesRequest, RunRequest, RunResult

_ROOT = "/tmp/code_agentic"
_RUNNER = f"{_ROOT}/runner.py"
_PYTHON = ("python3", "main.py")
_DEFAULT_MEMORY_MB = 1024
# Past the request's own limits: reading, writing and sending what the runner has to.
_RUNNER_MARGIN_S = 10.0


class E2BSandbox:
    """Runs programs in one E2B machine, which the first run starts. Use one per event loop, close it there.

    A machine that ended is replaced. ``e2b_runner`` bounds memory per process, processes and file sizes of a
    run; runs share the machine's disk and cores. What keeps programs from us is the machine.
    """

    def __init__(
        self,
        *,
        api_key: str | None = None,
        template: str | None = None,
        max_concurrency: int = 8,
        request_margin_s: float = 30.0,
        idle_timeout_s: int = 300,
        max_attempts: int = 4,
        first_pause_s: float = 0.5,
    ) -> None:
        """Starts nothing yet.

        Args:
            api_key: E2B's; None reads ``E2B_API_KEY``.
            template: E2B template with ``python3``, 3.9 or later, and the toolchains; None: the package's.
            max_concurrency: Runs at a time.
            request_margin_s: Seconds granted on top of a run's own limits.
            idle_timeout_s: Seconds after which E2B ends a machine that was not used.
            max_attempts: Times a retryable failure is tried in all.
            first_pause_s: Seconds before the second attempt; doubles from there, with jitter.

        Raises:
            SandboxError: When the package is not installed.
            ValueError: When a number is out of range.
        """
        if max_concurrency < 1 or max_attempts < 1:
            raise ValueError("max_concurrency and max_attempts must be at least 1")
        try:
            import e2b_code_interpreter
        except ImportError as error:
            raise SandboxError("sandbox=e2b needs a package: pip install 'code-agentic[e2b]'") from error
        self._machine_class = e2b_code_interpreter.AsyncSandbox
        self._options = {"api_key": api_key, "template": template}
        self._margin_s = request_margin_s
        self._idle_timeout_s = idle_timeout_s
        self._max_attempts = max_attempts
        self._first_pause_s = first_pause_s
        self._slots = asyncio.Semaphore(max_concurrency)
        self._opening = asyncio.Lock()
        self._machine: Any = None
        self._ends_at_s = 0.0

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
        body = json.dumps(_runner_request(request))
        limit_s = request.compile_timeout_s + request.run_timeout_s + _RUNNER_MARGIN_S
        async with self._slots:
            try:
                async with asyncio.timeout(limit_s + self._margin_s):
                    return await self._run_in_attempts(body, limit_s)
            except TimeoutError as error:
                raise SandboxUnreachable(f"E2B: no answer within {limit_s + self._margin_s:g} s") from error

    def run_cases(self, request: CasesRequest) -> AsyncGenerator[RunResult, None]:
        """Runs one program on many inputs, each a run of its own."""
        return run_each(self.run, request)

    async def ping(self) -> None:
        """Returns when the machine runs; starts it if need be.

        Raises:
            SandboxError: When it can't be started or reached.
        """
        machine = await self._running_machine(self._margin_s)
        async with self._translated(machine):
            if not await machine.is_running():
                raise SandboxUnreachable("the E2B machine has ended")

    async def aclose(self) -> None:
        """Ends the machine."""
        machine, self._machine = self._machine, None
        if machine is not None:
            with contextlib.suppress(SandboxError):  # E2B ends it when it idles
                async with self._translated(machine):
                    await machine.kill()

    async def _run_in_attempts(self, body: str, limit_s: float) -> RunResult:
        pause_s = self._first_pause_s
        for attempt in range(1, self._max_attempts + 1):
            try:
                return await self._attempt(body, limit_s)
            except SandboxError as error:
                if not error.retryable or attempt == self._max_attempts:
                    raise
            await asyncio.sleep(pause_s * random.uniform(0.5, 1.0))
            pause_s *= 2
        raise AssertionError("the last attempt returns or raises")

    async def _attempt(self, body: str, limit_s: float) -> RunResult:
        machine = await self._running_machine(limit_s + self._margin_s)
        folder = f"{_ROOT}/{uuid4().hex}"
        async with self._translated(machine):
            await machine.files.write(
                f"{folder}/request.json", body, user="root", request_timeout=self._margin_s
            )
            command = f"python3 {_RUNNER} {folder}"
            done = await machine.commands.run(
                command, user="root", timeout=limit_s, request_timeout=self._margin_s
            )
        try:
            return wire.result_from_json(json.loads(done.stdout))
        except ValueError as error:
            raise SandboxProtocolError(f"the runner in E2B answered {done.stdout!r:.200}") from error

    async def _running_machine(self, needed_s: float) -> Any:
        """The machine, which E2B lets live for at least ``needed_s`` seconds more."""
        async with self._opening:
            left_s = self._ends_at_s - time.monotonic()
            life_s = int(needed_s) + self._idle_timeout_s
            if self._machine is None:
                async with self._translated(None):
                    machine = await self._machine_class.create(
                        **self._options,
                        timeout=life_s,
                        allow_internet_access=False,
                        retries=0,  # they are ours
                        request_timeout=self._margin_s,
                    )
                    source = Path(e2b_runner.__file__).read_text(encoding="utf-8")
                    await machine.files.write(_RUNNER, source, user="root", request_timeout=self._margin_s)
                self._machine, self._ends_at_s = machine, time.monotonic() + life_s
            elif left_s < needed_s:
                async with self._translated(self._machine):
                    await self._machine.set_timeout(life_s, request_timeout=self._margin_s)
                self._ends_at_s = time.monotonic() + life_s
            return self._machine

    @asynccontextmanager
    async def _translated(self, machine: Any) -> AsyncIterator[None]:
        """Turns E2B's exceptions into ours; a machine that is gone is forgotten."""
        import e2b
        import httpx

        try:
            yield
        except (e2b.RateLimitException, e2b.ServiceBusyException) as error:
            raise SandboxOverloaded(f"E2B: {error}") from error
        except (
            e2b.AuthenticationException,
            e2b.InvalidArgumentException,
            e2b.TemplateException,
        ) as error:
            raise SandboxProtocolError(f"E2B: {error}") from error
        except e2b.CommandExitException as error:
            raise SandboxInternalError(f"E2B: the runner failed: {error.stderr.strip()[-300:]}") from error
        except (e2b.NotFoundException, e2b.TimeoutException) as error:
            if self._machine is machine:
                self._machine = None
            raise SandboxUnreachable(f"E2B: {error}") from error
        except e2b.SandboxException as error:
            raise SandboxInternalError(f"E2B: {error}") from error
        except (httpx.HTTPError, OSError) as error:
            raise SandboxUnreachable(f"E2B: {error or type(error).__name__}") from error


def _runner_request(request: RunRequest) -> dict[str, Any]:
    """SandboxFusion's request with the language's command lines.

    Raises:
        SandboxProtocolError: When the language is not known.
    """
    language = LANGUAGES.get(request.language)
    if language is None:
        raise SandboxProtocolError(
            f"language {request.language!r} is not one of {', '.join(sorted(LANGUAGES))}"
        )
    language = language.for_source(request.code)
    memory_mb = request.memory_limit_mb or _DEFAULT_MEMORY_MB
    forked = ("python3", "-c", language.driver) if language.driver else _PYTHON
    return {
        **wire.request_to_json(request),
        "code": language.source_text(request.code),
        "memory_limit_MB": memory_mb + language.runtime_mb,
        "source": language.source,
        "tools": language.tools,
        "compile": language.compile,
        "run": language.run_command(memory_mb) or forked,
    }
