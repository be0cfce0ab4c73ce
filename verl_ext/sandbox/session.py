"""The sandbox of one command: the configured service, else an embedded one for as long as it is needed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import ExitStack, aclosing, asynccontextmanager

from omegaconf import DictConfig

from verl_ext.sandbox.backends import sandbox_from_endpoint
from verl_ext.sandbox.embedded import serve
from verl_ext.sandbox.protocol import Sandbox


@asynccontextmanager
async def open_sandbox(settings: DictConfig) -> AsyncIterator[Sandbox]:
    """The configured sandbox, or one started for the time being; answers before it is handed out.

    Args:
        settings: The section ``code_agentic.sandbox``.

    Raises:
        SandboxError: When it does not answer or does not start.
    """
    with ExitStack() as stack:
        endpoint = settings.endpoint
        if endpoint is None:
            workers = [] if settings.num_workers is None else ["--num-workers", str(settings.num_workers)]
            endpoint = stack.enter_context(serve(workers)).endpoint
        opened = sandbox_from_endpoint(
            endpoint, max_concurrency=settings.max_concurrency, hedge_after=settings.hedge_after
        )
        async with aclosing(opened) as sandbox:
            await sandbox.ping()
            yield sandbox
