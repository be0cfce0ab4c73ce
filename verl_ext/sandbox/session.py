"""The sandbox of one command: the configured service, else an embedded one for as long as it is needed."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator
from contextlib import ExitStack, aclosing, asynccontextmanager
from typing import Protocol

from verl_ext.sandbox.backends import sandbox_from_endpoint
from verl_ext.sandbox.embedded import serve
from verl_ext.sandbox.errors import SandboxUnreachable
from verl_ext.sandbox.protocol import Sandbox


class SandboxSettings(Protocol):
    """What a command says about its sandbox, as in ``configs/sandbox``."""

    @property
    def endpoint(self) -> str | tuple[str, ...] | None:
        """Of a running service; None starts one."""
        ...

    @property
    def num_workers(self) -> int | None:
        """Fork servers of the started one; None for its default."""
        ...

    @property
    def max_concurrency(self) -> int:
        """Requests under way at a time."""
        ...

    @property
    def hedge_after(self) -> float | str | None:
        """When a request is sent to a second service, too; see ``sandbox_from_endpoint``."""
        ...


@asynccontextmanager
async def open_sandbox(settings: SandboxSettings, *, quiet: bool = False) -> AsyncIterator[Sandbox]:
    """The configured sandbox, or one started for the time being; answers before it is handed out.

    Args:
        settings: Which one.
        quiet: Keep the log of the started one, which would run through progress bars, from standard error.

    Raises:
        SandboxError: When it does not answer or does not start.
    """
    with ExitStack() as stack:
        endpoint = settings.endpoint
        if endpoint is None:
            arguments = [] if settings.num_workers is None else ["--num-workers", str(settings.num_workers)]
            log = stack.enter_context(tempfile.TemporaryFile()) if quiet else None
            try:
                endpoint = stack.enter_context(serve(arguments, log=log)).endpoint
            except SandboxUnreachable as error:
                if log is None:
                    raise
                log.seek(0)
                said = log.read().decode(errors="replace").strip().splitlines()
                raise SandboxUnreachable(f"{error}: {said[-1] if said else 'no reason given'}") from error
        opened = sandbox_from_endpoint(
            endpoint, max_concurrency=settings.max_concurrency, hedge_after=settings.hedge_after
        )
        async with aclosing(opened) as sandbox:
            await sandbox.ping()
            yield sandbox
