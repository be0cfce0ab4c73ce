"""Starts the embedded server for the length of a ``with`` block, and again when it dies within it.

The server listens on a free port, the loopback's unless told otherwise, is started again there when it dies,
dies with this process however that ends (its standard input is our pipe, and it watches its parent), and
leaves nothing behind.
"""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import IO

from verl_ext.sandbox.supervisor import Supervisor

_STOP_TIMEOUT_S = 15.0


@dataclass(frozen=True, slots=True)
class EmbeddedServer:
    """A running server; when it is killed another takes its place on the same port.

    Attributes:
        endpoint: Its URL.
        supervisor: Keeps it running.
    """

    endpoint: str
    supervisor: Supervisor

    @property
    def process(self) -> subprocess.Popen[bytes]:
        """The server's process; another one after it had to be replaced."""
        return self.supervisor.process


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
    supervisor = Supervisor(arguments, host=host, log=log)
    try:
        yield EmbeddedServer(supervisor.endpoint, supervisor)
    finally:
        supervisor.stop(_STOP_TIMEOUT_S)
