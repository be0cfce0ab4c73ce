"""The sandbox of one preprocessing run: the configured service, else an embedded one for its length.

It is opened when the first program has to be run: data without any reference needs none."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, ExitStack, aclosing, asynccontextmanager
from types import TracebackType
from typing import Self

from data_preprocess.run_store import RememberingSandbox, RunStore
from data_preprocess.settings import Settings
from verl_ext.sandbox.backends import sandbox_from_endpoint
from verl_ext.sandbox.embedded import serve
from verl_ext.sandbox.errors import SandboxUnreachable
from verl_ext.sandbox.protocol import Sandbox


class SandboxOnDemand:
    """Opens the sandbox once, when somebody first asks for it, and closes it at the end of its block."""

    def __init__(self, settings: Settings, runs: RunStore | None = None) -> None:
        """Opens nothing yet.

        Args:
            settings: Of the run.
            runs: Where results of an earlier start are found, and new ones kept; None to run everything.
        """
        self._settings = settings
        self._runs = runs
        self._stack = AsyncExitStack()
        self._sandbox: Sandbox | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    async def get(self) -> Sandbox:
        """The sandbox, which has answered a ping.

        Raises:
            SandboxError: When it does not answer or does not start.
        """
        if self._sandbox is None:
            opened = await self._stack.enter_async_context(_open_sandbox(self._settings))
            self._sandbox = opened if self._runs is None else RememberingSandbox(opened, self._runs)
        return self._sandbox


@asynccontextmanager
async def _open_sandbox(settings: Settings) -> AsyncIterator[Sandbox]:
    with ExitStack() as stack:
        endpoint: str | tuple[str, ...] | None = settings.endpoint
        if endpoint is None:
            arguments = [] if settings.num_workers is None else ["--num-workers", str(settings.num_workers)]
            # The server's log would run through the progress bars.
            log = stack.enter_context(tempfile.TemporaryFile())
            try:
                endpoint = stack.enter_context(serve(arguments, log=log)).endpoint
            except SandboxUnreachable as error:
                log.seek(0)
                said = log.read().decode(errors="replace").strip().splitlines()
                raise SandboxUnreachable(f"{error}: {said[-1] if said else 'no reason given'}") from error
        opened = sandbox_from_endpoint(
            endpoint, max_concurrency=settings.max_concurrency, hedge_after=settings.hedge_after
        )
        async with aclosing(opened) as sandbox:
            await sandbox.ping()
            yield sandbox
