"""One program on many inputs: the JSON of such a request, and how its cases are scheduled.

``POST /run_cases`` is ours; no other service has it. Its body is that of ``/run_code`` with ``stdins`` (a
list of strings or nulls) for ``stdin``, and ``max_parallel``, ``stop_at_failure`` and ``stream``. Each case
is a run like any other, in a process and a working directory of its own; what is paid once is the transport,
the reading of the request and the compile stage. No expected output is part of it: who asks compares, and may
close the connection as soon as it knows enough.

The reply is one line of JSON per case, in case order, each a ``/run_code`` reply (with ``compile_result`` in
the first line only); ``stream: false`` asks for one object with all of them in ``results``. There are fewer
than ``stdins`` after a failed compile stage, after a failure of ours, and where ``stop_at_failure`` is set
after the first case that did not end with exit code 0.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import aclosing
from dataclasses import replace
from typing import Any, TypeVar

from verl_ext.sandbox import wire
from verl_ext.sandbox.protocol import CasesRequest, RunRequest, RunResult, StageStatus

MAX_CASES = 10_000
MAX_PARALLEL = 1024
# Results that may wait for an earlier one: a slow case must not stop the others, nor fill the memory.
_MAX_AHEAD = 64

_Result = TypeVar("_Result")


def cases_to_json(request: CasesRequest) -> dict[str, Any]:
    """The body of ``POST /run_cases``."""
    body = wire.request_to_json(request.program)
    del body["stdin"]
    return body | {
        "stdins": request.stdins,
        "max_parallel": request.max_parallel,
        "stop_at_failure": request.stop_at_failure,
        "stream": request.stream,
    }


def cases_from_json(body: object, languages: Mapping[str, object]) -> CasesRequest:
    """Reads and checks a request.

    Raises:
        ValueError: With one line that names the field and what is wrong with it.
    """
    program = wire.request_from_json(body, languages)
    assert isinstance(body, dict)
    stdins = body.get("stdins")
    if not isinstance(stdins, list) or not 0 < len(stdins) <= MAX_CASES:
        raise ValueError(f"stdins: required, a list of 1 to {MAX_CASES} inputs")
    for index, stdin in enumerate(stdins):
        if stdin is not None and not isinstance(stdin, str):
            raise ValueError(f"stdins: item {index} must be a string or null")
    if program.stdin is not None:
        raise ValueError("stdin: give the inputs in stdins, one per case")
    max_parallel = body.get("max_parallel", 4)
    if type(max_parallel) is not int or not 1 <= max_parallel <= MAX_PARALLEL:
        raise ValueError(f"max_parallel: must be an integer from 1 to {MAX_PARALLEL}")
    for name in ("stop_at_failure", "stream"):
        if not isinstance(body.get(name, False), bool):
            raise ValueError(f"{name}: must be true or false")
    return CasesRequest(
        program, tuple(stdins), max_parallel, body.get("stop_at_failure", False), body.get("stream", True)
    )


def succeeded(result: RunResult) -> bool:
    """Whether every stage ran to its end with exit code 0."""
    stages = [stage for stage in (result.compile, result.run) if stage is not None]
    return all(stage.status is StageStatus.FINISHED and stage.return_code == 0 for stage in stages)


async def run_in_order(
    run: Callable[[int], Awaitable[_Result]], num_cases: int, max_parallel: int
) -> AsyncGenerator[_Result, None]:
    """Runs cases side by side and yields their results in case order.

    With ``max_parallel`` 1 a case starts when the result before it has been taken. Closing the generator
    cancels what is still running.

    Args:
        run: Runs the case of that index.
        num_cases: How many there are.
        max_parallel: Cases at a time.
    """
    slots = asyncio.Semaphore(max_parallel)

    async def run_in_turn(index: int) -> _Result:
        async with slots:
            return await run(index)

    tasks: deque[asyncio.Task[_Result]] = deque()
    most_ahead = 1 if max_parallel == 1 else max(_MAX_AHEAD, max_parallel)
    num_started = 0
    try:
        while num_started < num_cases or tasks:
            while num_started < num_cases and len(tasks) < most_ahead:
                tasks.append(asyncio.create_task(run_in_turn(num_started)))
                num_started += 1
            result = await tasks[0]
            tasks.popleft()
            yield result
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def run_each(
    run: Callable[[RunRequest], Awaitable[RunResult]], request: CasesRequest
) -> AsyncGenerator[RunResult, None]:
    """``run_cases`` for a sandbox that can only run one program on one input.

    Args:
        run: Its ``run``.
        request: What to run.
    """

    async def run_case(index: int) -> RunResult:
        return await run(replace(request.program, stdin=request.stdins[index]))

    max_parallel = 1 if request.stop_at_failure else request.max_parallel
    async with aclosing(run_in_order(run_case, len(request.stdins), max_parallel)) as results:
        async for result in results:
            yield result
            if request.stop_at_failure and not succeeded(result):
                return
