"""A running program's three streams, on the server's event loop.

Output is read while the program runs, so that it never blocks on a full pipe; what exceeds the cap is counted
and thrown away.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable

_CHUNK_BYTES = 65536
_FLOOD_FACTOR = 64


def _open_pipe() -> tuple[int, int]:
    """A pipe that the program, another user, may open once more through ``/dev/stdin`` and the like."""
    read_fd, write_fd = os.pipe()
    os.fchmod(read_fd, 0o666)
    return read_fd, write_fd


class Drain:
    """Reads one output stream and keeps its first ``cap_bytes``.

    Attributes:
        write_fd: The program's end; the caller closes it once it has been handed over.
        total_bytes: How much was written.
        on_flood: Called when ``_FLOOD_FACTOR`` times the cap was written; discarding for ever would let one
            program occupy the server.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, cap_bytes: int) -> None:
        self._fd, self.write_fd = _open_pipe()
        os.set_blocking(self._fd, False)
        self._loop = loop
        self._cap_bytes = cap_bytes
        self._kept = bytearray()
        self.total_bytes = 0
        self.on_flood: Callable[[], None] | None = None

    def watch(self) -> None:
        """From here on reads while the program runs.

        Most programs end before and never fill the pipe: waking up for each of their writes would cost more
        than all the rest that this process does for a run.
        """
        self._loop.add_reader(self._fd, self._read)

    @property
    def truncated(self) -> bool:
        return self.total_bytes > self._cap_bytes

    def _read(self) -> bool:
        """Reads one chunk; False when there is none, for now or for good."""
        try:
            chunk = os.read(self._fd, _CHUNK_BYTES)
        except BlockingIOError:
            return False
        if not chunk:
            self._loop.remove_reader(self._fd)
            return False
        if self.total_bytes < self._cap_bytes:
            self._kept += chunk[: self._cap_bytes - self.total_bytes]
        self.total_bytes += len(chunk)
        if self.total_bytes > self._cap_bytes * _FLOOD_FACTOR and self.on_flood is not None:
            self.on_flood()
            self.on_flood = None
        return True

    def finish(self) -> bytes:
        """Takes what is left in the pipe, once no writer exists any more; returns what was kept."""
        while self._read():
            pass
        return bytes(self._kept)

    def close(self) -> None:
        self._loop.remove_reader(self._fd)
        os.close(self._fd)


class Feed:
    """Writes standard input: at once what fits the pipe, the rest as the program reads.

    Attributes:
        read_fd: The program's end; the caller closes it once it has been handed over.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, content: bytes | None) -> None:
        self._loop = loop
        self._fd: int | None = None
        self._left = memoryview(content or b"")
        if content is None:
            self.read_fd = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
            return
        self.read_fd, self._fd = _open_pipe()
        os.set_blocking(self._fd, False)
        self._write()
        if self._fd is not None:
            loop.add_writer(self._fd, self._write)

    def _write(self) -> None:
        assert self._fd is not None
        try:
            while self._left:
                self._left = self._left[os.write(self._fd, self._left) :]
        except BlockingIOError:
            return
        except BrokenPipeError:
            pass  # the program closed its input, which is its right
        self.close()

    def close(self) -> None:
        if self._fd is not None:
            self._loop.remove_writer(self._fd)
            os.close(self._fd)
            self._fd = None
