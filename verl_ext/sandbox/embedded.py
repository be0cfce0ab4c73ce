"""Starts the embedded server for the length of a ``with`` block, and again when it dies within it.

The server listens on a free port, the loopback's unless told otherwise, dies with this process however that
ends (its standard input is our pipe, and it watches its parent), and leaves nothing behind.
"""

from __future__ import annotations

import contextlib
import logging
import os
import re
import selectors
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO

from verl_ext.sandbox.errors import SandboxUnreachable

_START_TIMEOUT_S = 60.0
_STOP_TIMEOUT_S = 15.0
_LISTENING = re.compile(rb"listening on (http://\S+:(\d+)) ")
# A server that dies this young is broken: the pause before the next start doubles.
_YOUNG_S = 30.0
_FIRST_PAUSE_S = 0.5
_LONGEST_PAUSE_S = 30.0
_log = logging.getLogger(__name__)


class EmbeddedServer:
    """A running server; when it is killed another takes its place on the same port.

    Attributes:
        endpoint: Its URL.
        process: The present server's process.
    """

    def __init__(self, arguments: Sequence[str], host: str, log: IO[bytes] | int | None) -> None:
        self._arguments = ["--host", host, *arguments]
        self._log = log
        self._stopping = threading.Event()
        self._starting = threading.Lock()
        self.process = self._start(port=0)
        try:
            self.endpoint, self._port = _wait_until_listening(self.process)
        except BaseException:
            _stop(self.process)
            raise
        self._keeper = threading.Thread(target=self._keep, name="sandbox-keeper", daemon=True)
        self._keeper.start()

    def stop(self) -> None:
        """Lets running requests finish and ends the server."""
        with self._starting:
            self._stopping.set()
        _stop(self.process)
        self._keeper.join()

    def _start(self, port: int) -> subprocess.Popen[bytes]:
        package_root = str(Path(__file__).resolve().parents[2])
        search_path = os.pathsep.join(filter(None, [package_root, os.environ.get("PYTHONPATH")]))
        command = [sys.executable, "-m", "verl_ext.sandbox.server", "--port", str(port), "--stop-with-parent"]
        return subprocess.Popen(
            [*command, *self._arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            env=os.environ | {"PYTHONPATH": search_path},
            start_new_session=True,  # Ctrl-C reaches us; we then stop it in order
        )

    def _keep(self) -> None:
        pause_s = 0.0
        while True:
            started_s = time.monotonic()
            code = self.process.wait()
            young = time.monotonic() - started_s < _YOUNG_S
            if code == 0 or self._stopping.wait(pause_s):
                return
            pause_s = min(2 * pause_s or _FIRST_PAUSE_S, _LONGEST_PAUSE_S) if young else 0.0
            with self._starting:
                if self._stopping.is_set():
                    return
                _log.warning("the sandbox server ended with code %s and is started again", code)
                _close_pipes(self.process)
                self.process = self._start(self._port)
            with contextlib.suppress(SandboxUnreachable):  # then it has ended, and is waited for above
                _wait_until_listening(self.process)


@contextlib.contextmanager
def serve(
    arguments: Sequence[str] = (), *, host: str = "127.0.0.1", log: IO[bytes] | int | None = None
) -> Iterator[EmbeddedServer]:
    """Runs a server; it accepts requests once the block is entered.

    Args:
        arguments: Further arguments of ``python -m verl_ext.sandbox.server``.
        host: Address to listen on.
        log: Where its standard error goes; None means ours.

    Raises:
        SandboxUnreachable: When it does not come up; its standard error says why.
    """
    server = EmbeddedServer(arguments, host, log)
    try:
        yield server
    finally:
        server.stop()


def _wait_until_listening(process: subprocess.Popen[bytes]) -> tuple[str, int]:
    """URL and port."""
    assert process.stdout is not None
    deadline = time.monotonic() + _START_TIMEOUT_S
    seen = b""
    os.set_blocking(process.stdout.fileno(), False)
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        while selector.select(max(0.0, deadline - time.monotonic())):
            chunk = os.read(process.stdout.fileno(), 4096)
            if not chunk:
                raise SandboxUnreachable(f"the embedded sandbox server ended with code {process.wait()}")
            seen += chunk
            if (match := _LISTENING.search(seen)) is not None:
                return match.group(1).decode(), int(match.group(2))
    raise SandboxUnreachable(f"the embedded sandbox server did not come up within {_START_TIMEOUT_S:g} s")


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(_STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    _close_pipes(process)


def _close_pipes(process: subprocess.Popen[bytes]) -> None:
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            pipe.close()
