"""Control groups: one bound on the memory of all processes of a run together, in version 1 and 2.

Each fork server keeps a pool of groups, because one costs more to make than to use again; where they are made
is ``cgroup_folder``'s business. Unlike rlimits they count what belongs to no process, too: files of a tmpfs,
memory files, shared segments.
"""

from __future__ import annotations

import contextlib
import os
from collections import deque
from typing import NamedTuple

from verl_ext.sandbox.limits import MIB

# Left behind by the last run and not worth a look.
_CLEAN_BYTES = 16 * MIB
# A tmpfs is freed shortly after its run; meanwhile other groups serve.
_MIN_GROUPS = 4


class _Files(NamedTuple):
    """What one version calls its files; ``at_birth`` is written once, where it exists."""

    limit: str
    usage: str
    events: str
    reclaim: str
    at_birth: dict[str, bytes]


# Without swapping: what does not fit is to end the run, not to slow the machine.
_V1 = _Files(
    "memory.limit_in_bytes",
    "memory.usage_in_bytes",
    "memory.oom_control",
    "memory.force_empty",
    {"memory.swappiness": b"0"},
)
_V2 = _Files(
    "memory.max",
    "memory.current",
    "memory.events",
    "memory.reclaim",
    {"memory.swap.max": b"0", "memory.oom.group": b"1"},
)


class Group:
    """One group, for one run at a time.

    Attributes:
        reason: What a run is stopped for.
        procs_fd: Where the run's first process enters, by ``join``.
        pause_s: Seconds between looks at it. The kernel keeps the bound by itself, but in version 1 it ends
            one process at a time, and a run that is over its limit is to end as a whole.
    """

    reason = "memory"
    pause_s = 0.2

    def __init__(self, home_fd: int, name: str) -> None:
        with contextlib.suppress(FileExistsError):  # of a fork server that was killed
            os.mkdir(name, dir_fd=home_fd)
        self._folder = os.open(name, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=home_fd)
        version_1 = _exists(self._folder, _V1.limit)
        self._files = _V1 if version_1 else _V2
        for file, value in self._files.at_birth.items():
            with contextlib.suppress(OSError):
                self._write(file, value)
        self.procs_fd = self._open("cgroup.procs", os.O_WRONLY)
        self._limit_fd = self._open(self._files.limit, os.O_WRONLY)
        self._usage_fd = self._open(self._files.usage, os.O_RDONLY)
        self._events_fd = self._open(self._files.events, os.O_RDONLY)
        self._limit_bytes = 0
        self._events_before = b""

    def _open(self, file: str, flags: int) -> int:
        return os.open(file, flags | os.O_CLOEXEC, dir_fd=self._folder)

    def _write(self, file: str, value: bytes) -> None:
        fd = self._open(file, os.O_WRONLY)
        try:
            os.write(fd, value)
        finally:
            os.close(fd)

    def usage_bytes(self) -> int:
        """Memory that is charged to the group."""
        return int(os.pread(self._usage_fd, 32, 0))

    def shrink(self) -> None:
        """Gives back what the kernel only caches."""
        with contextlib.suppress(OSError):
            self._write(self._files.reclaim, b"%d" % (0 if self._files is _V1 else self.usage_bytes()))

    def begin(self, limit_bytes: int) -> None:
        """Sets the limit of the run that is to come."""
        if limit_bytes != self._limit_bytes:
            os.write(self._limit_fd, b"%d" % limit_bytes)
            self._limit_bytes = limit_bytes
        self._events_before = self._events()

    def join(self) -> None:
        """In the run's first process: enters, with all its future children."""
        os.write(self.procs_fd, b"0")

    def exceeded(self) -> bool:
        """Whether the kernel has killed one of the run's processes for memory."""
        events = self._events()
        return events != self._events_before and _num_kills(events) > _num_kills(self._events_before)

    exceeded_at_end = exceeded

    def _events(self) -> bytes:
        return os.pread(self._events_fd, 1024, 0)

    def close(self) -> None:
        for fd in (self._folder, self.procs_fd, self._limit_fd, self._usage_fd, self._events_fd):
            os.close(fd)


def _num_kills(events: bytes) -> int:
    for line in events.splitlines():
        if line.startswith(b"oom_kill "):
            return int(line.split()[1])
    return 0


def _exists(folder_fd: int, file: str) -> bool:
    with contextlib.suppress(OSError):
        os.stat(file, dir_fd=folder_fd)
        return True
    return False


class GroupPool:
    """The groups of one fork server; grows with the number of runs at a time."""

    def __init__(self, home: str, prefix: str) -> None:
        """Opens the folder, which need not be in sight later.

        Args:
            home: What ``memory_groups`` gave.
            prefix: Begins the names of this pool's groups.
        """
        self._home_fd = os.open(home, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        self._prefix = prefix
        self._idle: deque[Group] = deque()
        self._num_groups = 0

    def acquire(self, limit_bytes: int) -> Group:
        """A group without processes, with that limit."""
        left_bytes = 0
        for group in self._idle:
            if group.usage_bytes() < _CLEAN_BYTES:
                self._idle.remove(group)
                group.begin(limit_bytes)
                return group
        if len(self._idle) < _MIN_GROUPS:
            group = Group(self._home_fd, f"{self._prefix}{self._num_groups}")
            self._num_groups += 1
        else:
            group = self._idle.popleft()
            group.shrink()
            left_bytes = group.usage_bytes()
        group.begin(limit_bytes + left_bytes)
        return group

    def release(self, group: Group) -> None:
        """Takes it back; its processes are gone."""
        self._idle.append(group)
