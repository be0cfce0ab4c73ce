"""Grading a program on a sequence of cases: scheduling, early stop, and sharing of identical runs.

``Grader`` is the interface that tools, episodes and preprocessing use. Owns no rule about verdicts
(``harness``) and no connection (the sandbox is passed in, and closed by who made it).
"""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections import OrderedDict
from collections.abc import Sequence
from contextlib import ExitStack, aclosing
from dataclasses import replace

from verl_ext.grading.batch import Batch, judge_each
from verl_ext.grading.harness import Limits, PreparedRun, check_case, prepare_run
from verl_ext.grading.problem import Case
from verl_ext.grading.verdict import CaseResult, Grade, Verdict
from verl_ext.sandbox.protocol import Sandbox

_Pending = asyncio.Future[CaseResult | None]


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
    _check(program, cases)
    prepared = [prepare_run(program, case, limits, prelude, language) for case in cases]
    results: list[CaseResult] = []
    judged = judge_each(
        sandbox, prepared, stop_at_first_failure=stop_at_first_failure, max_parallel=max_parallel
    )
    async with aclosing(judged):
        async for result in judged:
            results.append(replace(result, case_index=len(results)))
    return _grade(results, len(cases), stop_at_first_failure)


class Grader:
    """Grades programs, running identical (program, case, limits) once.

    RL groups hold many identical programs. A verdict is shared, also with those who ask while the run is
    still going on; a failure of our side is shared with nobody who asks later. Meant for one event loop.

    Attributes:
        hits: Cases answered without a run of their own.
        misses: Cases that were run to their end.
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
            cache_size: Case results remembered (least recently used go first); 0 shares no run at all.
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
        self._in_flight: dict[bytes, Batch] = {}

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
        _check(program, cases)
        limits = replace(
            self.limits,
            time_s=self.limits.time_s if time_limit_s is None else time_limit_s,
            memory_limit_mb=self.limits.memory_limit_mb if memory_limit_mb is None else memory_limit_mb,
        )

        keys = [_key(program, case, limits, prelude, language) for case in cases]
        if not self._cache_size:
            keys = [key + os.urandom(8) for key in keys]  # no case is like another one
        results: list[CaseResult] = []
        own: dict[bytes, _Pending] = {}
        with ExitStack() as held:
            for index, key in enumerate(keys):
                result = await self._known(key, own, held)
                while result is None:
                    # Nobody has run this case: run it together with the later ones of which that is true.
                    missing = {
                        later: prepare_run(program, case, limits, prelude, language)
                        for later, case in zip(keys[index:], cases[index:], strict=True)
                        if later not in self._results and later not in self._in_flight
                    }
                    own |= self._start(missing, stop_at_first_failure, held)
                    result = await self._known(key, own, held)
                results.append(replace(result, case_index=index))
                if result.verdict is Verdict.COMPILE_ERROR or (stop_at_first_failure and not result.passed):
                    break
        return _grade(results, len(cases), stop_at_first_failure)

    def _start(
        self, runs: dict[bytes, PreparedRun], stop_at_first_failure: bool, held: ExitStack
    ) -> dict[bytes, _Pending]:
        judged = judge_each(
            self._sandbox,
            runs.values(),
            stop_at_first_failure=stop_at_first_failure,
            max_parallel=self._max_parallel,
        )
        batch = Batch(runs, judged, self._remember, self._forget)
        self._in_flight |= dict.fromkeys(runs, batch)
        held.callback(batch.hold().release)
        return batch.results

    async def _known(self, key: bytes, own: dict[bytes, _Pending], held: ExitStack) -> CaseResult | None:
        """The result of a case that was run, or is being run, by us or others; None when nobody does."""
        while True:
            pending = own.pop(key, None)
            if pending is not None and (result := await asyncio.shield(pending)) is not None:
                return result
            if (result := self._results.get(key)) is not None:
                self.hits += 1
                self._results.move_to_end(key)
                return result
            if (batch := self._in_flight.get(key)) is None:
                return None
            held.callback(batch.hold().release)
            if (result := await asyncio.shield(batch.results[key])) is not None:
                self.hits += 1
                return result

    def _remember(self, key: bytes, result: CaseResult) -> None:
        self.misses += 1
        self._results[key] = result
        while len(self._results) > self._cache_size:
            self._results.popitem(last=False)

    def _forget(self, batch: Batch) -> None:
        """Takes an ended batch off the list."""
        for key in batch.results:
            if self._in_flight.get(key) is batch:
                del self._in_flight[key]


def _check(program: str, cases: Sequence[Case]) -> None:
    if not isinstance(program, str):
        raise ValueError(f"program must be text, not {type(program).__name__} (extract_program found none?)")
    if not cases:
        raise ValueError("no cases to grade: a program must be run on at least one case")
    for index, case in enumerate(cases):
        try:
            check_case(case)
        except ValueError as error:
            raise ValueError(f"case {index}: {error}") from error


def _grade(results: list[CaseResult], num_cases: int, stop_at_first_failure: bool) -> Grade:
    """The grade of cases that were run as far as ``judge_each`` goes."""
    last = results[-1]
    if last.verdict is Verdict.COMPILE_ERROR and not stop_at_first_failure:
        # What does not compile for one case compiles for none.
        results = [*results, *(replace(last, case_index=i) for i in range(len(results), num_cases))]
    return Grade(tuple(results), total=num_cases)


def _key(program: str, case: Case, limits: Limits, prelude: str, language: str) -> bytes:
    digest = hashlib.sha256()
    wrapped = "wrapped" if case.wrapped else ""
    of_case = (case.fn_name or "", case.input, case.expected, case.compare_as, wrapped)
    for part in (program, prelude, language, *of_case, repr(limits)):
        data = part.encode("utf-8", "surrogatepass")
        digest.update(b"%d:" % len(data))
        digest.update(data)
    return digest.digest()
