"""Grading a program on a sequence of cases: scheduling, early stop, and sharing of identical runs.

``Grader`` is the interface that tools, episodes and preprocessing use. Owns no rule about verdicts
(``harness``) and no connection (the sandbox is passed in, and closed by who made it).
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace

from verl_ext.grading.harness import Limits, check_case, prepare_run, read_verdict
from verl_ext.grading.problem import Case
from verl_ext.grading.verdict import CaseResult, Grade, Verdict
from verl_ext.sandbox.protocol import Sandbox

_RunCase = Callable[[int], Awaitable[CaseResult]]


async def grade_program(
    sandbox: Sandbox,
    program: str,
    cases: Sequence[Case],
    *,
    limits: Limits,
    prelude: str = "",
    language: str = "python",
    stop_at_first_failure: bool = False,
    max_parallel: int = 4,
) -> Grade:
    """Runs a program on every case and compares outside the sandbox.

    Args:
        sandbox: Where programs run.
        program: Source as the model wrote it.
        cases: At least one.
        limits: Of each run.
        prelude: Source run before the program in the same namespace.
        language: SandboxFusion's language name.
        stop_at_first_failure: End after the first failing case, in case order.
        max_parallel: Runs at a time.

    Raises:
        ValueError: When there is no case, or one is malformed.
        SandboxError: When our side failed; never turned into a verdict.
    """
    _check(cases)

    async def run(index: int) -> CaseResult:
        return await _run_case(sandbox, program, cases[index], index, limits, prelude, language)

    return await _grade(len(cases), run, stop_at_first_failure, max_parallel)


class Grader:
    """Grades programs, running identical (program, case, limits) once.

    RL groups hold many identical programs. A verdict is shared, also with those who ask while the run is
    still going on; a failure of our side is shared with nobody who asks later. Meant for one event loop.

    Attributes:
        hits: Cases answered without a run of their own.
        misses: Cases that were run.
    """

    def __init__(
        self,
        sandbox: Sandbox,
        limits: Limits | None = None,
        *,
        cache_size: int = 20_000,
        max_parallel: int = 4,
    ) -> None:
        """Wraps a sandbox.

        Args:
            sandbox: Where programs run; stays the caller's to close.
            limits: Defaults that ``grade`` may narrow or widen per call.
            cache_size: Case results remembered (least recently used go first); 0 remembers none.
            max_parallel: Runs of one program at a time.

        Raises:
            ValueError: When ``cache_size`` is negative or ``max_parallel`` not positive.
        """
        if cache_size < 0 or max_parallel < 1:
            raise ValueError("cache_size must be at least 0 and max_parallel at least 1")
        self.limits = limits or Limits()
        self.hits = 0
        self.misses = 0
        self._sandbox = sandbox
        self._cache_size = cache_size
        self._max_parallel = max_parallel
        self._results: OrderedDict[bytes, CaseResult] = OrderedDict()
        self._in_flight: dict[bytes, _SharedRun] = {}

    async def grade(
        self,
        program: str,
        cases: Sequence[Case],
        *,
        prelude: str = "",
        language: str = "python",
        stop_at_first_failure: bool = False,
        time_limit_s: float | None = None,
        memory_limit_mb: int | None = None,
    ) -> Grade:
        """Runs a program on every case; see ``grade_program``.

        Args:
            program: Source as the model wrote it.
            cases: At least one.
            prelude: Source run before the program in the same namespace.
            language: SandboxFusion's language name.
            stop_at_first_failure: End after the first failing case.
            time_limit_s: CPU seconds per case; None means the grader's default.
            memory_limit_mb: MiB per case; None means the grader's default.

        Raises:
            ValueError: When there is no case, or a case or a limit is malformed.
            SandboxError: When our side failed; never turned into a verdict.
        """
        _check(cases)
        limits = replace(
            self.limits,
            time_s=self.limits.time_s if time_limit_s is None else time_limit_s,
            memory_limit_mb=self.limits.memory_limit_mb if memory_limit_mb is None else memory_limit_mb,
        )

        async def run(index: int) -> CaseResult:
            case = cases[index]
            key = _key(program, case, limits, prelude, language)
            known = self._results.get(key)
            if known is not None:
                self.hits += 1
                self._results.move_to_end(key)
                return replace(known, case_index=index)
            shared = self._in_flight.get(key)
            if shared is None:
                self.misses += 1
                work = _run_case(self._sandbox, program, case, index, limits, prelude, language)
                shared = self._in_flight[key] = _SharedRun(asyncio.ensure_future(work))
            else:
                self.hits += 1
            return replace(await self._join(key, shared), case_index=index)

        return await _grade(len(cases), run, stop_at_first_failure, self._max_parallel)

    async def _join(self, key: bytes, shared: _SharedRun) -> CaseResult:
        """Waits for a run; the last to leave takes it off the list and cancels it when it still runs."""
        shared.num_waiting += 1
        try:
            result = await asyncio.shield(shared.task)
        finally:
            shared.num_waiting -= 1
            if shared.num_waiting == 0:
                self._in_flight.pop(key, None)
                shared.task.cancel()
        self._results[key] = result
        while len(self._results) > self._cache_size:
            self._results.popitem(last=False)
        return result


@dataclass(slots=True)
class _SharedRun:
    """A run that several may wait for."""

    task: asyncio.Future[CaseResult]
    num_waiting: int = 0


def _check(cases: Sequence[Case]) -> None:
    if not cases:
        raise ValueError("no cases to grade: a program must be run on at least one case")
    for index, case in enumerate(cases):
        try:
            check_case(case)
        except ValueError as error:
            raise ValueError(f"case {index}: {error}") from error


async def _run_case(
    sandbox: Sandbox, program: str, case: Case, index: int, limits: Limits, prelude: str, language: str
) -> CaseResult:
    prepared = prepare_run(program, case, limits, prelude, language)
    return read_verdict(prepared, await sandbox.run(prepared.request), index)


async def _grade(num_cases: int, run: _RunCase, stop_at_first_failure: bool, max_parallel: int) -> Grade:
    """Runs the cases, at most ``max_parallel`` at a time, and takes their results in case order.

    With an early stop they run one by one: cases run ahead of a failure would be thrown away, and where many
    programs are graded at once nobody waits less for it.
    """
    slots = asyncio.Semaphore(1 if stop_at_first_failure else max_parallel)
    uncompilable: list[CaseResult] = []

    async def run_in_turn(index: int) -> CaseResult:
        async with slots:
            if uncompilable:
                # What does not compile for one case compiles for none.
                return replace(uncompilable[0], case_index=index)
            result = await run(index)
            if result.verdict is Verdict.COMPILE_ERROR:
                uncompilable.append(result)
            return result

    tasks = [asyncio.ensure_future(run_in_turn(index)) for index in range(num_cases)]
    results: list[CaseResult] = []
    try:
        for task in tasks:
            results.append(await task)
            if stop_at_first_failure and not results[-1].passed:
                break
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    return Grade(tuple(results), total=num_cases)


def _key(program: str, case: Case, limits: Limits, prelude: str, language: str) -> bytes:
    digest = hashlib.sha256()
    for part in (program, prelude, language, case.fn_name or "", case.input, case.expected, repr(limits)):
        data = part.encode("utf-8", "surrogatepass")
        digest.update(b"%d:" % len(data))
        digest.update(data)
    return digest.digest()
