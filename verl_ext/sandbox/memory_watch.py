"""The memory of all processes of a run together, where no control group counts it.

Sums what the processes have mapped, now and then; a run that grows faster than that is stopped a little late.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

_INTERVAL_S = 0.05
# A look may use this share of one core, however much memory there is to walk.
_SHARE = 0.1
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
_COUNTED = (b"Pss_Anon:", b"Pss_Shmem:")


def can_watch() -> bool:
    """Whether this kernel tells the children of a process and its share of memory."""
    own = os.getpid()
    return Path(f"/proc/{own}/task/{own}/children").exists() and Path(f"/proc/{own}/smaps_rollup").exists()


class MemoryWatch:
    """Watches one run.

    Attributes:
        reason: What a run is stopped for.
        pause_s: Seconds until the next look.
    """

    reason = "memory"

    def __init__(self, roots: Sequence[int], limit_bytes: int) -> None:
        """Takes the processes that all others descend from.

        Args:
            roots: Their pids; the one that inherits orphans last, so that none slips through while we look.
            limit_bytes: Bound on private and shared memory of all, what only maps a file excepted.
        """
        self._roots = roots
        self._limit_bytes = limit_bytes
        self.pause_s = _INTERVAL_S

    def exceeded(self) -> bool:
        """Whether the run uses more than its limit."""
        started_s = time.thread_time()
        pids = [pid for root in self._roots for pid in _family(root)]
        # Resident pages count shared ones for everybody: an upper bound, and cheap.
        over = sum(map(_resident_bytes, pids)) > self._limit_bytes and (
            sum(map(_share_bytes, pids)) > self._limit_bytes
        )
        self.pause_s = max(_INTERVAL_S, (time.thread_time() - started_s) / _SHARE)
        return over

    def exceeded_at_end(self) -> bool:
        """Nothing is left to look at."""
        return False


def _family(pid: int) -> Iterator[int]:
    """A process and all that descend from it."""
    yield pid
    with contextlib.suppress(OSError):
        for thread in os.listdir(f"/proc/{pid}/task"):  # noqa: PTH208  (no pathlib in a loop that runs all day)
            for child in _read(f"/proc/{pid}/task/{thread}/children").split():
                yield from _family(int(child))


def _resident_bytes(pid: int) -> int:
    with contextlib.suppress(OSError):
        return int(_read(f"/proc/{pid}/statm").split()[1]) * _PAGE_BYTES
    return 0


def _share_bytes(pid: int) -> int:
    """Its pages, each divided by how many share it; all of them when it does not let us look."""
    try:
        lines = _read(f"/proc/{pid}/smaps_rollup").splitlines()
    except PermissionError:
        return _resident_bytes(pid)
    except OSError:
        return 0
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith(_COUNTED))


def _read(path: str) -> bytes:
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return os.read(fd, 65536)
    finally:
        os.close(fd)
