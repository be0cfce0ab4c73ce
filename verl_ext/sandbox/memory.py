"""``InMemorySandbox``: the double that ships for tests. Runs nothing; answers from a script."""

from __future__ import annotations

import inspect
from collections.abc import AsyncGenerator, Awaitable, Callable
from types import TracebackType
from typing import Self

from verl_ext.sandbox.cases import run_each
from verl_ext.sandbox.errors import SandboxError, SandboxUnreachable
from verl_ext.sandbox.protocol import CasesRequest, RunRequest, RunResult, StageResult, StageStatus

Answer = RunResult | SandboxError
Script = Callable[[RunRequest], Answer | Awaitable[Answer]]


def finished(
    stdout: str = "",
    *,
    stderr: str = "",
    return_code: int = 0,
    execution_time_s: float = 0.0,
    cpu_time_s: float | None = None,
) -> RunResult:
    """The result of a program that ran to its end."""
    stage = StageResult(
        StageStatus.FINISHED, execution_time_s, return_code, stdout, stderr, cpu_time_s=cpu_time_s
    )
    return RunResult(compile=None, run=stage)


def timed_out(stdout: str = "") -> RunResult:
    """The result of a program that was stopped by its time limit."""
    return RunResult(compile=None, run=StageResult(StageStatus.TIME_LIMIT, 0.0, None, stdout, ""))


def print_nothing(request: RunRequest) -> RunResult:
    """The default script: every program ends at once, successfully and silently."""
    return finished()


class InMemorySandbox:
    """A ``Sandbox`` whose answers are a function of the request.

    Attributes:
        requests: Every request so far, in order.
    """

    def __init__(self, script: Script = print_nothing) -> None:
        """Takes the script.

        Args:
            script: Request -> result; a ``SandboxError`` it returns is raised instead. May be a coroutine.
        """
        self._script = script
        self._closed = False
        self.requests: list[RunRequest] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()

    async def run(self, request: RunRequest) -> RunResult:
        """Answers from the script."""
        if self._closed:
            raise SandboxUnreachable("the sandbox is closed")
        self.requests.append(request)
        answer = self._script(request)
        if inspect.isawaitable(answer):
            answer = await answer
        if isinstance(answer, SandboxError):
            raise answer
        return answer

    def run_cases(self, request: CasesRequest) -> AsyncGenerator[RunResult, None]:
        """Answers case by case from the script."""
        return run_each(self.run, request)

    async def ping(self) -> None:
        """Always there until closed."""
        if self._closed:
            raise SandboxUnreachable("the sandbox is closed")

    async def aclose(self) -> None:
        """From here on every call fails."""
        self._closed = True
