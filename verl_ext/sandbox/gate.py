"""Which HTTP requests are let in: none while the service drains, and no more data at a time than it can hold.

The number of runs that wait is bounded by ``execution.Pool``; this is in front of it, before a body is read.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from aiohttp import web

from verl_ext.sandbox import eventlog
from verl_ext.sandbox.metrics import Metrics

RETRY_AFTER_S = 1
_ALWAYS_OPEN = ("/status", "/metrics")


class Gate:
    """Counts requests from their first byte to the last of their reply.

    Attributes:
        draining: Whether new requests are refused.
    """

    def __init__(self, metrics: Metrics, max_inflight_bytes: int) -> None:
        self._metrics = metrics
        self._max_bytes = max_inflight_bytes
        self._num_inside = 0
        self._bytes_inside = 0
        self._empty = asyncio.Event()
        self._empty.set()
        self.draining = False

    def install(self, app: web.Application) -> None:
        """Puts it in front of the application's handlers."""

        @web.middleware
        async def admit(
            request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
        ) -> web.StreamResponse:
            return await self._admit(request, handler)

        async def add_id(_: web.Request, response: web.StreamResponse) -> None:
            response.headers["X-Request-Id"] = eventlog.REQUEST_ID.get()

        app.middlewares.append(admit)
        app.on_response_prepare.append(add_id)

    async def _admit(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        eventlog.begin_request(request.headers.get("X-Request-Id"))
        if request.path in _ALWAYS_OPEN:
            return await handler(request)
        if self.draining:
            return self._refuse("draining", "the service is stopping")
        size = 0 if not request.body_exists else request.content_length or request.client_max_size
        # One request is always let in: whether it is too large is not decided here.
        if self._num_inside and self._bytes_inside + size > self._max_bytes:
            return self._refuse(
                "too_much_data", f"{self._bytes_inside >> 20} MiB of requests are held already"
            )
        self._num_inside += 1
        self._bytes_inside += size
        self._empty.clear()
        try:
            return await handler(request)
        finally:
            self._num_inside -= 1
            self._bytes_inside -= size
            if self._num_inside == 0:
                self._empty.set()

    def _refuse(self, reason: str, text: str) -> web.Response:
        self._metrics.rejected(reason)
        eventlog.event("refused", reason=reason)
        headers = {"Retry-After": str(RETRY_AFTER_S), "Connection": "close"}
        return web.json_response({"detail": text}, status=503, headers=headers)

    async def drain(self, timeout_s: float) -> int:
        """Lets nobody in any more and waits for those inside; returns how many are left then."""
        self.draining = True
        eventlog.event("draining", inside=self._num_inside)
        try:
            await asyncio.wait_for(self._empty.wait(), timeout_s)
        except TimeoutError:
            return self._num_inside
        return 0
