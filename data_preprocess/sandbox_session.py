"""The sandbox of one preprocessing run: the configured service, else an embedded one for its length."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager

from data_preprocess.settings import Settings
from verl_ext.sandbox.client import HttpSandbox
from verl_ext.sandbox.embedded import serve
from verl_ext.sandbox.errors import SandboxUnreachable
from verl_ext.sandbox.protocol import Sandbox


@asynccontextmanager
async def open_sandbox(settings: Settings) -> AsyncIterator[Sandbox]:
    """A sandbox that has answered a ping; an embedded one is stopped at the end of the block.

    Raises:
        SandboxError: When it does not answer or does not start.
    """
    with ExitStack() as stack:
        endpoint = settings.endpoint
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
        async with HttpSandbox(endpoint, max_concurrency=settings.max_concurrency) as sandbox:
            await sandbox.ping()
            yield sandbox
