"""Many coroutines at a time with bounded numbers, results in the order of the items."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


async def run_in_order(
    items: Iterable[Item],
    work: Callable[[Item], Awaitable[Result]],
    *,
    max_parallel: int,
) -> AsyncIterator[Result]:
    """Yields ``await work(item)`` for every item, in item order, at most ``max_parallel`` under way.

    When one raises, those under way are cancelled and the exception goes on.
    """
    waiting: deque[asyncio.Task[Result]] = deque()
    try:
        for item in items:
            waiting.append(asyncio.ensure_future(work(item)))
            if len(waiting) >= max_parallel:
                yield await waiting.popleft()
        while waiting:
            yield await waiting.popleft()
    finally:
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
