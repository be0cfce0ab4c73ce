"""Keeps a server running on one address: starts it again when it dies.

``python -m verl_ext.sandbox.supervisor`` takes the server's arguments. The listening socket is ours, so that
requests that arrive while a server is being replaced wait instead of being refused.
"""

from __future__ import annotations

import argparse
import errno
import logging
import os
import re
import selectors
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from verl_ext.sandbox import eventlog
from verl_ext.sandbox.errors import SandboxUnreachable

_log = logging.getLogger(__name__)
_START_TIMEOUT_S = 60.0
_LISTENING = re.compile(rb"listening on (http://\S+) \(isolation tier (\w)\)")
_REFUSED = 2  # the server's exit code when it can't work here: trying again would not help
_MAX_RESTARTS = 5
_RESTART_WINDOW_S = 60.0


class Supervisor:
    """One server at a time, on one socket, until ``stop``.

    Attributes:
        endpoint: Its URL.
        tier: Its isolation tier.
        process: The server that runs now.
    """

    def __init__(
        self,
        arguments: Sequence[str],
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        log: IO[bytes] | int | None = None,
    ) -> None:
        """Starts the first server; it accepts requests when this returns.

        Args:
            arguments: Of ``python -m verl_ext.sandbox.server``, without ``--host`` and ``--port``.
            host: Address to listen on.
            port: 0 takes a free one.
            log: Where standard error goes; None means ours.

        Raises:
            OSError: When the address can't be had.
            SandboxUnreachable: When the server does not come up; its standard error says why.
        """
        self._arguments = list(arguments)
        self._log_target = log
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._socket = socket.create_server((host, port), family=family, backlog=1024)
        self._stopping = threading.Event()
        self._launching = threading.Lock()
        self._restarts: list[float] = []
        self.process = self._launch()
        try:
            self.endpoint, self.tier = _wait_until_listening(self.process)
        except SandboxUnreachable:
            self.process.kill()
            self._forget()
            self._socket.close()
            raise
        self._keeper = threading.Thread(target=self._keep, name="sandbox-supervisor", daemon=True)
        self._keeper.start()

    def _launch(self) -> subprocess.Popen[bytes]:
        package_root = str(Path(__file__).resolve().parents[2])
        search_path = os.pathsep.join(filter(None, [package_root, os.environ.get("PYTHONPATH")]))
        listen_fd = self._socket.fileno()
        return subprocess.Popen(
            [
                *(sys.executable, "-m", "verl_ext.sandbox.server"),
                *("--listen-fd", str(listen_fd), "--stop-with-parent"),
                *self._arguments,
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log_target,
            env=os.environ | {"PYTHONPATH": search_path},
            pass_fds=[listen_fd],
            start_new_session=True,  # Ctrl-C reaches us; we then stop it in order
        )

    def _keep(self) -> None:
        """Waits for the server's end, and replaces it unless that was wanted or happens too often."""
        while True:
            code = self.process.wait()
            if self._stopping.is_set():
                return
            now = time.monotonic()
            self._restarts = [then for then in self._restarts if now - then < _RESTART_WINDOW_S] + [now]
            if code == _REFUSED or len(self._restarts) > _MAX_RESTARTS:
                _log.error("the sandbox server ended with code %d and is given up", code)
                self._socket.close()
                return
            _log.warning("the sandbox server ended with code %d; starting it again", code)
            with self._launching:
                if self._stopping.is_set():
                    return
                self._forget()
                self.process = self._launch()

    def wait(self) -> int:
        """Returns the server's exit code once it is not replaced any more."""
        self._keeper.join()
        return self.process.returncode

    def begin_stop(self) -> None:
        """Asks the server to finish what it runs and to end."""
        with self._launching:
            self._stopping.set()
            self.process.terminate()

    def stop(self, timeout_s: float) -> None:
        """Stops the server, by force after ``timeout_s`` seconds."""
        self.begin_stop()
        try:
            self.process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self.process.kill()
        self._keeper.join()
        self._forget()
        self._socket.close()

    def _forget(self) -> None:
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                pipe.close()


def _wait_until_listening(process: subprocess.Popen[bytes]) -> tuple[str, str]:
    assert process.stdout is not None
    deadline = time.monotonic() + _START_TIMEOUT_S
    seen = b""
    os.set_blocking(process.stdout.fileno(), False)
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        while selector.select(max(0.0, deadline - time.monotonic())):
            chunk = os.read(process.stdout.fileno(), 4096)
            if not chunk:
                raise SandboxUnreachable(f"the sandbox server ended with code {process.wait()}")
            seen += chunk
            if (match := _LISTENING.search(seen)) is not None:
                return match[1].decode(), match[2].decode()
    raise SandboxUnreachable(f"the sandbox server did not come up within {_START_TIMEOUT_S:g} s")


def main(argv: list[str] | None = None) -> int:
    """Keeps a server running until SIGTERM or SIGINT; 2 when it can't start."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8080)
    parser.add_argument("--log-format", default="text")
    own, arguments = parser.parse_known_args(argv)
    if {"-h", "--help"} & set(arguments):
        return subprocess.run(
            [sys.executable, "-m", "verl_ext.sandbox.server", "--help"], check=False
        ).returncode
    if not 0 <= own.port < 1 << 16:
        print(f"sandbox: --port must be 0 to 65535, not {own.port}", file=sys.stderr)
        return 2
    eventlog.configure(own.log_format)
    try:
        supervisor = Supervisor(["--log-format", own.log_format, *arguments], host=own.host, port=own.port)
    except OSError as error:
        where = f"{own.host}:{own.port}"
        if error.errno == errno.EADDRINUSE:
            where = f"port {own.port} on {own.host}"
        print(
            f"sandbox: can't listen on {where}: {error.strerror}; choose another with --port", file=sys.stderr
        )
        return 2
    except SandboxUnreachable:
        return 2  # it has said why
    for kind in (signal.SIGTERM, signal.SIGINT):
        signal.signal(kind, lambda *_: supervisor.begin_stop())
    print(f"sandbox listening on {supervisor.endpoint} (isolation tier {supervisor.tier})", flush=True)
    return supervisor.wait()


if __name__ == "__main__":
    sys.exit(main())
