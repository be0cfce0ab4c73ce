"""The process that programs are forked from: clean, small, and the parent of every run.

It holds no secret, reads no program (the forked child does) and opens no file for one. For each message of
the server it forks a child, confined by the ``Tier``, watches its deadlines, kills everything that came of it
and reports how the program ended. Started by ``worker`` through ``BOOTSTRAP``; talks over one SEQPACKET
socket and ends when that closes. After each fork whatever it touches is copied, one page at a time: code that
every run goes through touches as little as it can.

Messages in (JSON, with descriptors stdin, stdout, stderr, payload and perhaps a socket for the working
directory): ``{"id", "uid", "limits", "work_dir", "payload"}`` or ``{"kill": id}``. Out: ``{"ready"}``,
``{"failed"}`` or the report of a run, ``REPORT``, as words.
"""

from __future__ import annotations

import contextlib
import functools
import gc
import json
import os
import select
import signal
import socket
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from verl_ext.sandbox import confinement
from verl_ext.sandbox.cgroups import Group, GroupPool
from verl_ext.sandbox.disk_watch import DiskWatch
from verl_ext.sandbox.limits import MIB, RLimits, StageLimits, rlimits
from verl_ext.sandbox.memory_watch import MemoryWatch
from verl_ext.sandbox.python_program import prepare
from verl_ext.sandbox.run_child import FAILED, MISSING, STARTED, become_program

BOOTSTRAP = """
import sys
sys.path[0] = sys.argv[1]
from verl_ext.sandbox.fork_server import serve
del sys.path[0]
serve(sys.argv[2])
"""
MAX_MESSAGE_BYTES = 16384
# What is told about a run. The last one may have spaces, and is empty where it went well.
REPORT = ("id", "status", "reason", "wall_s", "cpu_s", "max_rss_kb", "missing", "failure")
_MAX_FDS = 5
_NEVER = float("inf")
_CPU_CHECK_FLOOR_S = 0.02


class _Run:
    """One running stage, as the fork server sees it."""

    def __init__(
        self,
        run_id: int,
        limits: StageLimits,
        confined: confinement.Run,
        guards: Sequence[Group | MemoryWatch | DiskWatch],
        payload_fd: int,
    ) -> None:
        self.run_id = run_id
        self.limits = limits
        self.confined = confined
        self.guards = guards
        self.payload_fd = payload_fd
        self.start = time.monotonic()
        self.next_check = self.start + self._pause(0.0)
        self.reason = "exit"
        self.report = ""
        self.pidfd = os.pidfd_open(confined.pid)

    def _pause(self, cpu_used_s: float) -> float:
        """Seconds until the next look at the clocks; CPU time is approached by halves."""
        pause = self.limits.wall_s - (time.monotonic() - self.start)
        for guard in self.guards:
            pause = min(pause, guard.pause_s)
        if self.limits.cpu_s is None:
            return pause
        return min(pause, max((self.limits.cpu_s - cpu_used_s) / 2, _CPU_CHECK_FLOOR_S))

    def check(self, now: float) -> None:
        """Kills the run when one of its clocks has run out, or it holds too much."""
        cpu_used_s = 0.0
        if self.limits.cpu_s is not None:
            with contextlib.suppress(OSError):  # it may have ended this moment
                cpu_used_s = self.confined.cpu_s()
            if cpu_used_s > self.limits.cpu_s:
                self.stop("cpu")
        if now - self.start >= self.limits.wall_s:
            self.stop("wall")
        for guard in self.guards:
            if self.reason == "exit" and guard.exceeded():
                self.stop(guard.reason)
        if self.reason == "exit":
            self.next_check = now + max(self._pause(cpu_used_s), 0.001)

    def stop(self, reason: str) -> None:
        """Kills everything the run started; ``reaped`` then tells whether it was in time."""
        if self.reason == "exit":
            self.reason = reason
        self.confined.kill()
        self.next_check = _NEVER

    def reaped(self, status: int, cpu_s: float, max_rss_kb: int) -> None:
        """Notes how the program ended and kills what it left behind."""
        reason = self.reason if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL else "exit"
        if self.limits.cpu_s is not None and cpu_s > self.limits.cpu_s:
            reason = "cpu"
        for guard in self.guards:
            if reason == "exit" and guard.exceeded_at_end():
                reason = guard.reason
        state = os.pread(self.payload_fd, 1, 0)
        failure = "" if state == STARTED else "the run could not be set up"
        if self.confined.lost():
            failure = "the process that holds the run was killed"
        if state in (FAILED, MISSING):
            failure = os.pread(self.payload_fd, 2000, 1).split(b"\0")[0].decode("utf-8", "replace")
        if reason != "exit":
            failure = ""
        wall_s = time.monotonic() - self.start
        missing = int(state == MISSING)
        self.report = f"{self.run_id} {status} {reason} {wall_s} {cpu_s} {max_rss_kb} {missing} {failure}"
        self.next_check = _NEVER
        self.confined.kill()

    def close(self) -> None:
        os.close(self.pidfd)
        os.close(self.payload_fd)


class _ForkServer:
    def __init__(self, control: socket.socket, tier: confinement.Tier, groups: GroupPool | None) -> None:
        self.control = control
        self.tier = tier
        self.groups = groups
        self.epoll = select.epoll()
        self.control_fd = control.fileno()
        self.epoll.register(self.control_fd, select.EPOLLIN)
        self.by_fd: dict[int, _Run] = {}
        self.baseline_bytes = _address_space_bytes()
        self.decoder = json.JSONDecoder()
        self.cpus = os.sched_getaffinity(0)

    def stay_on(self, cpu_index: int) -> None:
        """Binds this process, not its runs, to one of its CPUs. Each page that it writes to after a fork is
        copied, and each copy interrupts all CPUs on which its memory has been in use."""
        os.sched_setaffinity(0, {sorted(self.cpus)[cpu_index % len(self.cpus)]})

    def loop(self) -> NoReturn:
        """Serves until the socket closes."""
        while True:
            wake = _NEVER
            for run in self.by_fd.values():
                wake = min(wake, run.next_check)
            pause = None if wake == _NEVER else max(wake - time.monotonic(), 0.0)
            for fd, _ in self.epoll.poll(pause):
                if fd != self.control_fd:
                    self._advance(fd)
                else:
                    self._receive()
            now = time.monotonic()
            for run in self.by_fd.values():
                if now >= run.next_check:
                    run.check(now)

    def _receive(self) -> None:
        try:
            data, fds, _, _ = socket.recv_fds(self.control, MAX_MESSAGE_BYTES, _MAX_FDS)
        except ConnectionError:
            os._exit(0)
        if not data:
            os._exit(0)
        message, _ = self.decoder.raw_decode(data.decode())
        if "kill" in message:
            for run in self.by_fd.values():
                if run.run_id == message["kill"] and not run.report:
                    run.stop("killed")
            return
        limits, settings = _limits(self.baseline_bytes, self.tier.extra_processes(), *message["limits"])
        group: Group | None = None
        try:
            if self.groups is not None:
                group = self.groups.acquire(limits.run_memory_bytes + limits.disk_mb * MIB)
            keep_fds = fds if group is None else [*fds, group.procs_fd]
            confined = self.tier.fork(message["uid"], keep_fds, self._disown)
        except OSError as error:
            self._send(f"{message['id']} 0 exit 0 0 0 0 fork server: {error}")
            confined = None
            if group is not None and self.groups is not None:
                self.groups.release(group)
        if confined is not None and confined.pid == 0:
            os.sched_setaffinity(0, self.cpus)
            become_program(self.tier, limits, settings, message, fds, group)
        for fd in fds[:3] + fds[4:]:
            os.close(fd)
        if confined is None:
            os.close(fds[3])
            return
        guards: list[Group | MemoryWatch | DiskWatch] = [
            group or MemoryWatch(confined.roots(), limits.run_memory_bytes)
        ]
        if message["work_dir"]:
            guards.append(DiskWatch(message["work_dir"], limits.disk_mb * MIB))
        run = _Run(message["id"], limits, confined, guards, fds[3])
        self.by_fd[run.pidfd] = run
        self.epoll.register(run.pidfd, select.EPOLLIN)

    def _disown(self) -> None:
        self.control.close()
        self.epoll.close()

    def _advance(self, fd: int) -> None:
        """The program ended (then its namespace is killed), or the namespace is empty (then we report)."""
        run = self.by_fd.pop(fd)
        self.epoll.unregister(fd)
        if not run.report:
            run.reaped(*run.confined.collect())
            if (remaining := run.confined.remaining_fd()) is not None:
                self.by_fd[remaining] = run
                self.epoll.register(remaining, select.EPOLLIN)
                return
        run.confined.reap()
        run.close()
        for guard in run.guards:
            if self.groups is not None and isinstance(guard, Group):
                self.groups.release(guard)
        self._send(run.report)

    def _send(self, report: str) -> None:
        try:
            self.control.sendall(report.encode())
        except ConnectionError:  # the server is gone; so are we, and with us every run
            os._exit(0)


@functools.lru_cache(maxsize=256)
def _limits(baseline_bytes: int, extra_processes: int, *values: Any) -> tuple[StageLimits, RLimits]:
    """What a stage may use, and what that is for a Python program; to be at hand in the child."""
    limits = StageLimits(*values)
    return limits, rlimits(limits, baseline_bytes, extra_processes)


def _address_space_bytes() -> int:
    return int(Path("/proc/self/statm").read_bytes().split()[0]) * os.sysconf("SC_PAGE_SIZE")


def serve(config_text: str) -> NoReturn:
    """Runs the fork server.

    Args:
        config_text: JSON ``{"control_fd", "tier", "preload", "read_only_paths", "groups", "index",
            "cpu_index"}``.
    """
    config = json.loads(config_text)
    control = socket.socket(fileno=config["control_fd"])
    try:
        groups = GroupPool(config["groups"], f"{config['index']}-") if config["groups"] else None
        tier = confinement.make_tier(config["tier"], memory_counted=groups is not None)
        tier.prepare(tuple(config["read_only_paths"]))
        for name in config["preload"]:
            __import__(name)
        server = _ForkServer(control, tier, groups)
    except Exception as error:  # the one boundary: the server is told and decides
        control.sendall(json.dumps({"failed": f"{type(error).__name__}: {error}"}).encode())
        os._exit(1)
    control.sendall(b'{"ready": true}')
    server.stay_on(config["cpu_index"])
    prepare(server)
    _settle()
    server.loop()


def _settle() -> None:
    """Leaves the interpreter as small and quiet as a program should find it."""
    del os.environ["LD_BIND_NOW"]
    for kind in (signal.SIGINT, signal.SIGTERM):
        signal.signal(kind, signal.SIG_DFL)  # no handlers: see ``NamespaceInit``
    with contextlib.suppress(OSError):
        # Whoever the kernel has to kill for memory, it should be a program and not the server.
        Path("/proc/self/oom_score_adj").write_text("500")
    gc.collect()
    gc.disable()
    gc.freeze()
