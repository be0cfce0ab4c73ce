"""The sandbox of one preprocessing run: the configured service, else an embedded one for its length.

It is opened when the first program has to be run: data without any reference needs none."""

from __future__ import annotations

from contextlib import AsyncExitStack
from types import TracebackType
from typing import Self

from data_preprocess.run_store import RememberingSandbox, RunStore
from data_preprocess.settings import Settings
from verl_ext.sandbox.protocol import Sandbox
from verl_ext.sandbox.session import open_sandbox


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
            opened = await self._stack.enter_async_context(open_sandbox(self._settings, quiet=True))
            self._sandbox = opened if self._runs is None else RememberingSandbox(opened, self._runs)
        return self._sandbox
