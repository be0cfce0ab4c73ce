"""Isolation without namespaces: a supervisor process per run, and (tier B) Landlock around the program.

The supervisor is the subreaper of its run, so that nothing can slip away from it; it ends when nothing of
the run is left. What tier B does not hold is named in ``tiers``.
"""

from __future__ import annotations

import contextlib
import mmap
import os
import select
import signal
import struct
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from verl_ext.sandbox import landlock, seccomp, syscalls
from verl_ext.sandbox.limits import StageLimits

_SYSTEM = (
    "/usr",
    "/bin",
    "/sbin",
    "/lib",
    "/lib32",
    "/lib64",
    "/libx32",
    "/etc/alternatives",
    "/etc/ssl/openssl.cnf",
)
_ETC = ("ld.so.cache", "localtime", "passwd", "group", "nsswitch.conf", "hosts", "mime.types")
_DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom")
# What the supervisor notes for the fork server: program's pid, wait status, CPU seconds, peak memory in KiB.
_BOARD = struct.Struct("=iidq")
_NO_STATUS = -1


class _SupervisedRun:
    """The fork server's side of one supervised run."""

    def __init__(self, uid: int | None, running: set[int]) -> None:
        self._board = mmap.mmap(-1, mmap.PAGESIZE)
        _BOARD.pack_into(self._board, 0, 0, _NO_STATUS, 0.0, 0)
        self._lifeline_end, self._lifeline = os.pipe()
        self._uid = uid
        self._running = running  # supervisors of all runs
        self._lost = False
        self.pid = -1

    def fork(
        self, keep_fds: Sequence[int], disown: Callable[[], None], kill_all: Callable[[], None], domain: bool
    ) -> None:
        self.pid = os.fork()
        if self.pid == 0:
            disown()
            self._supervise(keep_fds, kill_all, domain)
        else:
            self._running.add(self.pid)
            os.close(self._lifeline_end)

    def _supervise(self, keep_fds: Sequence[int], kill_all: Callable[[], None], domain: bool) -> None:
        """Forks the program and, in the parent, watches over it; returns in the program only."""
        keep = sorted({*keep_fds, self._lifeline_end, 2})
        for low, high in zip([3, *(fd + 1 for fd in keep)], [*keep, 65536], strict=True):
            os.closerange(max(low, 3), high)
        os.setsid()
        syscalls.prctl(syscalls.PR_SET_CHILD_SUBREAPER, 1)
        if domain:
            landlock.restrict_signals()
        program = os.fork()
        if program == 0:
            os.close(self._lifeline_end)
            self._board.close()  # the program must not be able to write its own report
            return
        for fd in keep_fds:
            os.close(fd)
        _BOARD.pack_into(self._board, 0, program, _NO_STATUS, 0.0, 0)
        pidfd = os.pidfd_open(program)
        select.select([pidfd, self._lifeline_end], [], [])
        if not select.select([pidfd], [], [], 0)[0]:
            os.kill(program, signal.SIGKILL)
        _, status, usage = os.wait4(program, 0)
        _BOARD.pack_into(self._board, 0, program, status, usage.ru_utime + usage.ru_stime, usage.ru_maxrss)
        with contextlib.suppress(ChildProcessError):
            while True:
                kill_all()
                os.wait()
        os._exit(0)

    def cpu_s(self) -> float:
        program = _BOARD.unpack_from(self._board, 0)[0]
        return 0.0 if program == 0 else syscalls.cpu_seconds(program)

    def roots(self) -> Sequence[int]:
        return (self.pid,)

    def collect(self) -> tuple[int, float, int]:
        os.waitpid(self.pid, 0)
        self._running.discard(self.pid)
        _, status, cpu_s, max_rss_kb = _BOARD.unpack_from(self._board, 0)
        if status == _NO_STATUS:
            self._lost = True
            self._sweep()
            status = 0
        return status, cpu_s, max_rss_kb

    def _sweep(self) -> None:
        """Kills what a run whose supervisor was killed has left; the kernel has made it ours."""
        if self._uid is not None:
            _kill_user(self._uid)
        while left := [pid for pid in _children() if pid not in self._running]:
            for pid in left:
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)

    def lost(self) -> bool:
        return self._lost

    def kill(self) -> None:
        if self._lifeline >= 0:
            os.close(self._lifeline)
            self._lifeline = -1

    def remaining_fd(self) -> int | None:
        return None

    def reap(self) -> None:
        self.kill()
        self._board.close()


class SupervisedTier:
    """Tier B with Landlock and seccomp; tier C without, for ``--unsafe`` only."""

    def __init__(self, *, confined: bool, memory_counted: bool) -> None:
        self._confined = confined
        self._memory_counted = memory_counted
        self._running: set[int] = set()
        self._abi = 0
        self._readable: list[str] = []
        self._filter: object | None = None
        self._own_processes = 0

    def prepare(self, read_only_paths: tuple[str, ...]) -> None:
        syscalls.prctl(syscalls.PR_SET_PDEATHSIG, signal.SIGKILL)
        syscalls.prctl(syscalls.PR_SET_CHILD_SUBREAPER, 1)  # of runs whose supervisor is killed
        if os.geteuid() != 0:
            self._own_processes = _count_threads(os.geteuid())
        if not self._confined:
            return
        self._abi = landlock.abi_version()
        if self._abi == 0:
            raise OSError("this kernel has no Landlock")
        if os.geteuid() != 0 and self._abi < landlock.SIGNAL_SCOPE_ABI:
            raise OSError("Landlock of this kernel does not hold signals, which takes root then")
        self._filter = seccomp.native_filter(namespaced=False, unowned_memory=self._memory_counted)
        if self._filter is None:
            raise OSError("no system-call filter for this architecture")
        prefixes = {sys.prefix, sys.base_prefix, str(Path(sys.base_prefix).resolve())}
        self._readable = [*_SYSTEM, *(f"/etc/{name}" for name in _ETC), *prefixes, *read_only_paths]

    def fork(self, uid: int | None, keep_fds: Sequence[int], disown: Callable[[], None]) -> _SupervisedRun:
        run = _SupervisedRun(uid, self._running)
        if uid is not None:
            kill_all = lambda: _kill_user(uid)  # noqa: E731
        else:
            kill_all = _kill_domain if self._confined else _kill_children
        run.fork(keep_fds, disown, kill_all, domain=self._confined and uid is None)
        return run

    def enter_run(self, limits: StageLimits, uid: int | None, payload: dict[str, Any]) -> str:
        work_dir = str(payload["work_dir"])
        if uid is not None:
            os.chown(work_dir, uid, uid)
            os.setgroups([])
            os.setresgid(uid, uid, uid)
            os.setresuid(uid, uid, uid)
            syscalls.prctl(syscalls.PR_SET_DUMPABLE, 1)
        os.setsid()
        os.chdir(work_dir)
        os.environ["HOME"] = os.environ["TMPDIR"] = work_dir
        syscalls.prctl(syscalls.PR_SET_NO_NEW_PRIVS, 1)
        if self._confined:
            own = f"/proc/{os.getpid()}"
            landlock.restrict([*self._readable, own], _DEVICES, work_dir, self._abi)
        return work_dir

    def extra_processes(self) -> int:
        """Without a user of its own a run shares its process count with ours."""
        return self._own_processes

    def seal(self) -> None:
        if self._filter is not None:
            seccomp.install(self._filter)


def _kill_user(uid: int) -> None:
    """Kills every process of the run's own user, from a process of that user: atomic in the kernel."""
    helper = os.fork()
    if helper == 0:
        os.setresuid(uid, uid, uid)
        with contextlib.suppress(OSError):
            os.kill(-1, signal.SIGKILL)
        os._exit(0)
    os.waitpid(helper, 0)


def _kill_domain() -> None:
    """Kills every process of this Landlock domain; all others are out of its reach."""
    with contextlib.suppress(OSError):
        os.kill(-1, signal.SIGKILL)


def _kill_children() -> None:
    with contextlib.suppress(OSError):
        for pid in _children():
            os.kill(pid, signal.SIGKILL)


def _children() -> list[int]:
    own = os.getpid()
    return [int(pid) for pid in Path(f"/proc/{own}/task/{own}/children").read_text().split()]


def _count_threads(uid: int) -> int:
    count = 0
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if entry.name.isdigit() and entry.stat().st_uid == uid:
                count += len(list((entry / "task").iterdir()))
    return count
