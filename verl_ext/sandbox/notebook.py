"""``PythonSandbox``: run Python here and now, without ``await``, in a script or a notebook.

    with PythonSandbox(timeout=5, memory_limit_mb=100) as sandbox:
        print(sandbox.execute("print(6 * 7)").output)

The first ``execute`` starts the embedded server, which all of a process share and which ends with it.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import threading
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from verl_ext.sandbox.background import BackgroundLoop
from verl_ext.sandbox.client import HttpSandbox
from verl_ext.sandbox.embedded import serve
from verl_ext.sandbox.errors import SandboxInternalError
from verl_ext.sandbox.protocol import RunRequest, StageResult, StageStatus


@dataclass(frozen=True, slots=True)
class Execution:
    """What a program did.

    Attributes:
        output: Its standard output.
        error: Why it did not succeed: its standard error, or the limit it met. Empty when it succeeded.
        success: It ended by itself, within its limits, with exit code 0.
        execution_time: Wall-clock seconds.
    """

    output: str
    error: str
    success: bool
    execution_time: float


class PythonSandbox:
    """Runs Python programs one at a time; from any thread, also where an event loop is running."""

    def __init__(self, timeout: float = 5, memory_limit_mb: int = 100) -> None:
        """Starts nothing yet.

        Args:
            timeout: Wall-clock seconds per program.
            memory_limit_mb: MiB per process.

        Raises:
            ValueError: When a limit is no positive number.
        """
        numbers = isinstance(timeout, int | float) and isinstance(memory_limit_mb, int)
        if not numbers or not timeout > 0 or memory_limit_mb < 1:
            raise ValueError("timeout must be above 0 and memory_limit_mb a whole number of at least 1")
        self._timeout_s = timeout
        self._memory_limit_mb = memory_limit_mb

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Nothing to give back: the server is the process's."""

    def execute(self, code: str, stdin: str = "") -> Execution:
        """Runs a program in a fresh process and a fresh folder that holds nothing else.

        Args:
            code: Python source.
            stdin: What it may read.

        Raises:
            SandboxError: When our side failed; never because of the program.
        """
        request = RunRequest(
            code, stdin=stdin, run_timeout_s=self._timeout_s, memory_limit_mb=self._memory_limit_mb
        )
        stage = _shared_sandbox().run(request)
        error = self._error(stage)
        return Execution(stage.stdout, error, not error, stage.execution_time_s)

    def _error(self, stage: StageResult) -> str:
        if stage.status is StageStatus.TIME_LIMIT:
            return f"stopped after {self._timeout_s:g} s"
        if stage.memory_exceeded:
            return f"more than {self._memory_limit_mb} MiB of memory"
        if stage.return_code != 0:
            return stage.stderr or f"exit code {stage.return_code}"
        return ""


class _SharedSandbox:
    """A server, and a thread whose event loop talks to it."""

    def __init__(self) -> None:
        self.pid = os.getpid()
        self._stack = contextlib.ExitStack()
        server = self._stack.enter_context(serve(["--num-workers", "1"]))
        self._loop = BackgroundLoop("python-sandbox")
        self._sandbox = HttpSandbox(server.endpoint)

    def run(self, request: RunRequest) -> StageResult:
        result = self._loop.run(self._sandbox.run(request))
        if result.run is None:
            raise SandboxInternalError("the sandbox answered without a run")
        return result.run

    def close(self) -> None:
        if self.pid != os.getpid():
            return  # a forked child: server and loop are its parent's
        self._loop.run(self._sandbox.aclose())
        self._loop.close()
        self._stack.close()


_lock = threading.Lock()
_shared: _SharedSandbox | None = None


def _shared_sandbox() -> _SharedSandbox:
    global _shared
    with _lock:
        if _shared is None or _shared.pid != os.getpid():
            _shared = _SharedSandbox()
            atexit.register(_shared.close)
        return _shared
