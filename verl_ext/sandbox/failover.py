"""Several sandboxes as one: the first that works is used, another takes over when it does not.

A run is hermetic, so asking a second service for it is harmless. Owns preference, health, hedging and the
total deadline; what an answer means, and the deadline of one request, belong to the members.
"""

from __future__ import annotations

import asyncio
import random
import re
import statistics
import time
from collections import deque
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Self

from verl_ext.sandbox.errors import SandboxError, SandboxUnreachable
from verl_ext.sandbox.protocol import CasesRequest, RunRequest, RunResult, Sandbox

_PERCENTILE = re.compile(r"p[1-9]\d?")
_LATENCIES_KEPT = 200
_LATENCIES_NEEDED = 20


@dataclass(slots=True)
class _Member:
    """One sandbox and its health.

    Attributes:
        num_failures: Outages in a row; 0 means healthy.
        failed_at_s: When the last one was noticed.
        retry_at_s: When it may be asked first again.
    """

    name: str
    sandbox: Sandbox
    num_failures: int = 0
    failed_at_s: float = 0.0
    retry_at_s: float = 0.0


class FailoverSandbox:
    """Runs programs on the first of its members that works.

    A member that can't be reached is asked last until its pause is over; the pause doubles with every outage,
    and then a single request tries it. A full or failing member is passed over for that request only. A
    refused request is raised at once: no other member would take it. When nobody answers, that is a
    ``SandboxError``, never a verdict.
    """

    def __init__(
        self,
        members: Mapping[str, Sandbox],
        *,
        max_concurrency: int = 64,
        deadline_margin_s: float = 90.0,
        max_rounds: int = 8,
        first_pause_s: float = 0.25,
        longest_pause_s: float = 10.0,
        hedge_after: float | str | None = None,
    ) -> None:
        """Takes over the members and closes them with itself.

        Args:
            members: Name -> sandbox, most wanted first. They should not retry by themselves.
            max_concurrency: Runs at a time; more wait here, without using up their deadline.
            deadline_margin_s: Seconds a run may take in all, on top of its own limits.
            max_rounds: Times all members are asked before giving up.
            first_pause_s: Seconds before the second round, and before a member that failed is tried again;
                doubles from there, with jitter.
            longest_pause_s: Seconds that pauses grow to.
            hedge_after: Ask the next member as well after so many seconds without an answer, or after
                ``pNN``: the latency that NN percent of the last runs kept below. The first answer counts, the
                other run is cancelled. None never does.

        Raises:
            ValueError: When there is no member, or a number is out of range.
        """
        if not members:
            raise ValueError("a FailoverSandbox needs at least one member")
        if max_concurrency < 1 or max_rounds < 1:
            raise ValueError("max_concurrency and max_rounds must be at least 1")
        self.endpoint = ",".join(members)
        self._members = [_Member(name, sandbox) for name, sandbox in members.items()]
        self._margin_s = deadline_margin_s
        self._max_rounds = max_rounds
        self._first_pause_s = first_pause_s
        self._longest_pause_s = longest_pause_s
        if hedge_after is not None and not is_hedge_after(hedge_after):
            raise ValueError(f"hedge_after={hedge_after} must be seconds above 0, p1 to p99, or None")
        self._hedge_after = hedge_after
        self._latencies_s: deque[float] = deque(maxlen=_LATENCIES_KEPT)
        self._slots = asyncio.Semaphore(max_concurrency)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()

    async def run(self, request: RunRequest) -> RunResult:
        """Runs one program to its end or limit.

        Raises:
            SandboxError: When no member answered before the deadline, or one refused the request.
        """
        deadline_s = request.compile_timeout_s + request.run_timeout_s + self._margin_s
        async with self._slots:
            try:
                async with asyncio.timeout(deadline_s):
                    return await self._run_in_rounds(request)
            except TimeoutError as error:
                raise SandboxUnreachable(f"{self.endpoint}: no answer within {deadline_s:g} s") from error

    async def run_cases(self, request: CasesRequest) -> AsyncGenerator[RunResult, None]:
        """Runs one program on many inputs; what one member did not answer is taken to the next. Not hedged.

        Raises:
            SandboxError: As ``run``, when nothing more comes; results that came before are good.
        """
        program = request.program
        deadline_s = program.compile_timeout_s + program.run_timeout_s + self._margin_s
        num_done, round_number, pause_s = 0, 1, self._first_pause_s
        progress_at_s = time.monotonic()
        waiting: list[_Member] = []
        failures: list[SandboxError] = []
        while num_done < len(request.stdins):
            member = (waiting := waiting or self._by_preference()).pop(0)
            rest = replace(request, stdins=request.stdins[num_done:])
            started_s = self._begin(member)
            try:
                async with self._slots, aclosing(member.sandbox.run_cases(rest)) as results:
                    async for result in results:
                        member.num_failures = 0
                        num_done, round_number, pause_s = num_done + 1, 1, self._first_pause_s
                        progress_at_s = time.monotonic()
                        failures.clear()
                        yield result
                return
            except SandboxError as error:
                if isinstance(error, SandboxUnreachable):
                    self._note_outage(member, started_s)
                if not error.retryable:
                    raise
                failures.append(error)
            is_last = round_number == self._max_rounds and not waiting
            if is_last or time.monotonic() - progress_at_s >= deadline_s:
                raise _nobody(failures)
            if not waiting:
                await asyncio.sleep(pause_s * random.uniform(0.5, 1.0))
                round_number, pause_s = round_number + 1, min(2 * pause_s, self._longest_pause_s)

    async def ping(self) -> None:
        """Returns when at least one member answers.

        Raises:
            SandboxError: When none does.
        """
        started_s = time.monotonic()
        pings = (member.sandbox.ping() for member in self._members)
        answers = await asyncio.gather(*pings, return_exceptions=True)
        failures: list[SandboxError] = []
        for member, answer in zip(self._members, answers, strict=True):
            if isinstance(answer, SandboxError):
                self._note_outage(member, started_s)
                failures.append(answer)
            elif answer is not None:
                raise answer
        if len(failures) == len(self._members):
            raise _nobody(failures)

    async def aclose(self) -> None:
        """Closes every member."""
        await asyncio.gather(*(member.sandbox.aclose() for member in self._members))

    async def _run_in_rounds(self, request: RunRequest) -> RunResult:
        pause_s = self._first_pause_s
        for round_number in range(1, self._max_rounds + 1):
            try:
                return await self._run_in_turn(request)
            except SandboxError as error:
                if not error.retryable or round_number == self._max_rounds:
                    raise
            await asyncio.sleep(pause_s * random.uniform(0.5, 1.0))
            pause_s = min(2 * pause_s, self._longest_pause_s)
        raise AssertionError("the last round returns or raises")

    async def _run_in_turn(self, request: RunRequest) -> RunResult:
        """One round: the next member is asked when the one before failed or, once, is slow."""
        waiting = self._by_preference()
        running: set[asyncio.Task[RunResult]] = set()
        failures: list[SandboxError] = []
        patience_s = self._patience_s()
        try:
            while running or waiting:
                if not running:
                    running.add(self._start(waiting.pop(0), request))
                done, running = await asyncio.wait(
                    running,
                    timeout=patience_s if waiting else None,
                    return_when=asyncio.FIRST_COMPLETED,
                )
                if not done:
                    patience_s = None
                    running.add(self._start(waiting.pop(0), request))
                for task in done:
                    error = task.exception()
                    if error is None:
                        return task.result()
                    if not isinstance(error, SandboxError) or not error.retryable:
                        raise error
                    failures.append(error)
        finally:
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)
        raise _nobody(failures)

    def _begin(self, member: _Member) -> float:
        """Notes that a member is asked; returns the time."""
        now_s = time.monotonic()
        if member.num_failures:
            # Others pass it by while this request finds out how it is.
            member.retry_at_s = now_s + self._back_off_s(member)
        return now_s

    def _start(self, member: _Member, request: RunRequest) -> asyncio.Task[RunResult]:
        return asyncio.create_task(self._ask(member, request, self._begin(member)))

    async def _ask(self, member: _Member, request: RunRequest, started_s: float) -> RunResult:
        try:
            result = await member.sandbox.run(request)
        except SandboxUnreachable:
            self._note_outage(member, started_s)
            raise
        member.num_failures = 0
        self._latencies_s.append(time.monotonic() - started_s)
        return result

    def _by_preference(self) -> list[_Member]:
        """Who may be asked as given, then those that pause, soonest over first."""
        now_s = time.monotonic()
        return sorted(
            self._members,
            key=lambda member: (
                member.retry_at_s if member.num_failures and member.retry_at_s > now_s else 0.0
            ),
        )

    def _note_outage(self, member: _Member, started_s: float) -> None:
        """Counts an outage once, however many requests it broke."""
        if member.num_failures and started_s < member.failed_at_s:
            return
        member.num_failures += 1
        member.failed_at_s = time.monotonic()
        member.retry_at_s = member.failed_at_s + self._back_off_s(member)

    def _back_off_s(self, member: _Member) -> float:
        longest_s = min(self._first_pause_s * 2.0 ** min(member.num_failures, 30), self._longest_pause_s)
        return longest_s * random.uniform(0.5, 1.0)

    def _patience_s(self) -> float | None:
        """Seconds to wait before hedging; None is for ever."""
        if not isinstance(self._hedge_after, str):
            return self._hedge_after
        if len(self._latencies_s) < _LATENCIES_NEEDED:
            return None
        return statistics.quantiles(self._latencies_s, n=100)[int(self._hedge_after[1:]) - 1]


def is_hedge_after(setting: object) -> bool:
    """Whether ``setting`` is a number of seconds above 0, or a percentile from ``p1`` to ``p99``."""
    if isinstance(setting, str):
        return _PERCENTILE.fullmatch(setting) is not None
    return isinstance(setting, int | float) and not isinstance(setting, bool) and setting > 0


def _nobody(failures: list[SandboxError]) -> SandboxError:
    """The last failure's kind, and what everybody said."""
    said = "; ".join(dict.fromkeys(str(failure) for failure in failures))
    return type(failures[-1])(said)
