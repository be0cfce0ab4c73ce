"""One program on the cases that nobody has run yet: one exchange with the sandbox, shared by all who wait.

Owns how runs become requests with many cases, and the life of a batch. What is remembered is ``grader``'s
business.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping
from contextlib import aclosing
from dataclasses import replace
from itertools import groupby

from verl_ext.grading.harness import PreparedRun, read_verdict
from verl_ext.grading.verdict import CaseResult, Verdict
from verl_ext.sandbox.errors import SandboxProtocolError
from verl_ext.sandbox.protocol import CasesRequest, Sandbox


async def judge_each(
    sandbox: Sandbox, runs: Iterable[PreparedRun], *, stop_at_first_failure: bool, max_parallel: int
) -> AsyncGenerator[CaseResult, None]:
    """Verdicts of the runs in their order; ``case_index`` is left at 0.

    Ends after the first result that did not pass, where ``stop_at_first_failure`` is set, and after a program
    that does not compile, because what does not compile for one case compiles for none.

    Args:
        sandbox: Where the program runs.
        runs: Neighbours that differ in standard input only travel together.
        stop_at_first_failure: Run one case after the other, as far as they pass.
        max_parallel: Runs at a time otherwise.

    Raises:
        SandboxError: When our side failed.
    """
    for program, group in groupby(runs, key=lambda run: replace(run.request, stdin=None)):
        left = list(reversed(list(group)))
        stdins = tuple(run.request.stdin for run in reversed(left))
        request = CasesRequest(program, stdins, max_parallel, stop_at_failure=stop_at_first_failure)
        async with aclosing(sandbox.run_cases(request)) as replies:
            async for reply in replies:
                result = read_verdict(left.pop(), reply, 0)
                yield result
                if result.verdict is Verdict.COMPILE_ERROR or (stop_at_first_failure and not result.passed):
                    return
        if left:
            raise SandboxProtocolError(f"{len(left)} of {len(stdins)} cases were not answered")


class Batch:
    """A program at work on several cases. It ends by itself, or when the last who holds it lets go.

    Attributes:
        results: By key, what comes of each case; None for one that the batch ended without.
    """

    def __init__(
        self,
        runs: Mapping[bytes, PreparedRun],
        judged: AsyncGenerator[CaseResult, None],
        on_result: Callable[[bytes, CaseResult], None],
        on_end: Callable[[Batch], None],
    ) -> None:
        """Starts it.

        Args:
            runs: By key, in order.
            judged: Verdicts in the same order, see ``judge_each``.
            on_result: Called with each as it comes.
            on_end: Called when no more will come.
        """
        loop = asyncio.get_running_loop()
        self.results: dict[bytes, asyncio.Future[CaseResult | None]] = {
            key: loop.create_future() for key in runs
        }
        self._num_holders = 0
        self._task = asyncio.create_task(self._work(judged, on_result, on_end))

    async def _work(
        self,
        judged: AsyncGenerator[CaseResult, None],
        on_result: Callable[[bytes, CaseResult], None],
        on_end: Callable[[Batch], None],
    ) -> None:
        left = iter(self.results.items())
        try:
            async with aclosing(judged):
                async for result in judged:
                    key, future = next(left)
                    on_result(key, result)
                    future.set_result(result)
        except Exception as error:  # those who wait get it
            for _, future in left:
                future.set_exception(error)
                future.exception()  # or nobody does, which is no reason to warn
        finally:
            on_end(self)
            for _, future in left:
                future.set_result(None)

    def hold(self) -> Batch:
        """Keeps it going until ``release``."""
        self._num_holders += 1
        return self

    def release(self) -> None:
        """Lets go; the last to do so ends it."""
        self._num_holders -= 1
        if self._num_holders == 0:
            self._task.cancel()
