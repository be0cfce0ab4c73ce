"""Starts the embedded server for the length of a ``with`` block.

The server listens on a free port of the loopback, dies with this process however that ends (its standard
input is our pipe, and it watches its parent), and leaves nothing behind.
"""

from __future__ import annotations

import contextlib
import os
import re
import selectors
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from verl_ext.sandbox.errors import SandboxUnreachable

_START_TIMEOUT_S = 60.0
_STOP_TIMEOUT_S = 15.0
_LISTENING = re.compile(rb"listening on (http://\S+) ")


@dataclass(frozen=True, slots=True)
class EmbeddedServer:
    """A running server.

    Attributes:
        endpoint: Its URL.
        process: The server's process.
    """

    endpoint: str
    process: subprocess.Popen[bytes]


@contextlib.contextmanager
def serve(arguments: Sequence[str] = (), *, log: IO[bytes] | int | None = None) -> Iterator[EmbeddedServer]:
    """Runs a server; it accepts requests once the block is entered.

    Args:
        arguments: Further arguments of ``python -m verl_ext.sandbox.server``.
        log: Where its standard error goes; None means ours.

    Raises:
        SandboxUnreachable: When it does not come up; its standard error says why.
    """
    package_root = str(Path(__file__).resolve().parents[2])
    search_path = os.pathsep.join(filter(None, [package_root, os.environ.get("PYTHONPATH")]))
    process = subprocess.Popen(
        [sys.executable, "-m", "verl_ext.sandbox.server", "--port", "0", "--stop-with-parent", *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=log,
        env=os.environ | {"PYTHONPATH": search_path},
        start_new_session=True,  # Ctrl-C reaches us; we then stop it in order
    )
    try:
        yield EmbeddedServer(_wait_until_listening(process), process)
    finally:
        _stop(process)


def _wait_until_listening(process: subprocess.Popen[bytes]) -> str:
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
                return match.group(1).decode()
    raise SandboxUnreachable(f"the embedded sandbox server did not come up within {_START_TIMEOUT_S:g} s")


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(_STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            pipe.close()
