"""The process that programs are forked from: clean, small, and the parent of every run.

It holds no secret, reads no program (the forked child does) and opens no file for one. For each message of
the server it forks a child, confined by the ``Tier``, watches its deadlines, kills everything that came of it
and reports how the program ended. Started by ``worker`` through ``BOOTSTRAP``; talks over one SEQPACKET
socket and ends when that closes.

Messages in (JSON, with descriptors stdin, stdout, stderr, payload and perhaps a socket for the working
directory): ``{"id", "uid", "limits", "payload"}`` or ``{"kill": id}``. Out: ``{"ready"}``, ``{"failed"}`` or
``Report``.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import select
import signal
import socket
import sys
import time
from pathlib import Path
from typing import Any

from verl_ext.sandbox import confinement
from verl_ext.sandbox.limits import StageLimits, apply_rlimits
from verl_ext.sandbox.python_program import hide

BOOTSTRAP = """
import sys
sys.path[0] = sys.argv[1]
from verl_ext.sandbox.fork_server import serve
from verl_ext.sandbox.python_program import run_as_main
del sys.path[0]
run_as_main(serve(sys.argv[2]))
"""
MAX_MESSAGE_BYTES = 16384
# The first byte of the payload, overwritten by the child: still setting up / foreign code may run / failed.
PENDING, STARTED, FAILED = b" ", b"R", b"E"
_MAX_FDS = 5
_CPU_CHECK_FLOOR_S = 0.02


class _Run:
    """One running stage, as the fork server sees it."""

    def __init__(self, run_id: int, limits: StageLimits, confined: confinement.Run, payload_fd: int) -> None:
        self.run_id = run_id
        self.limits = limits
        self.confined = confined
        self.payload_fd = payload_fd
        self.start = time.monotonic()
        self.next_check = self.start + self._pause(0.0)
        self.reason = "exit"
        self.report: dict[str, object] = {}
        self.pidfd = os.pidfd_open(confined.pid)

    def _pause(self, cpu_used_s: float) -> float:
        """Seconds until the next look at the clocks; CPU time is approached by halves."""
        wall_left = self.limits.wall_s - (time.monotonic() - self.start)
        if self.limits.cpu_s is None:
            return wall_left
        return min(wall_left, max((self.limits.cpu_s - cpu_used_s) / 2, _CPU_CHECK_FLOOR_S))

    def check(self, now: float) -> None:
        """Kills the run when one of its clocks has run out."""
        cpu_used_s = 0.0
        if self.limits.cpu_s is not None:
            with contextlib.suppress(OSError):  # it may have ended this moment
                cpu_used_s = self.confined.cpu_s()
            if cpu_used_s > self.limits.cpu_s:
                self.stop("cpu")
        if now - self.start >= self.limits.wall_s:
            self.stop("wall")
        self.next_check = now + max(self._pause(cpu_used_s), 0.001)

    def stop(self, reason: str) -> None:
        """Kills everything the run started; ``reaped`` then tells whether it was in time."""
        if self.reason == "exit":
            self.reason = reason
        self.confined.kill()
        self.next_check = float("inf")

    def reaped(self, status: int, cpu_s: float, max_rss_kb: int) -> None:
        """Notes how the program ended and kills what it left behind."""
        reason = self.reason if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL else "exit"
        if self.limits.cpu_s is not None and cpu_s > self.limits.cpu_s:
            reason = "cpu"
        state = os.pread(self.payload_fd, 1, 0)
        failure = "" if state == STARTED else "the run could not be set up"
        if state == FAILED:
            failure = os.pread(self.payload_fd, 2000, 1).split(b"\0")[0].decode("utf-8", "replace")
        self.report = {
            "id": self.run_id,
            "status": status,
            "reason": reason,
            "wall_s": time.monotonic() - self.start,
            "cpu_s": cpu_s,
            "max_rss_kb": max_rss_kb,
            "failure": failure if reason == "exit" else "",
        }
        self.next_check = float("inf")
        self.confined.kill()

    def close(self) -> None:
        os.close(self.pidfd)
        os.close(self.payload_fd)


class _ForkServer:
    def __init__(self, control: socket.socket, tier: confinement.Tier) -> None:
        self.control = control
        self.tier = tier
        self.epoll = select.epoll()
        self.epoll.register(control.fileno(), select.EPOLLIN)
        self.by_fd: dict[int, _Run] = {}
        self.baseline_bytes = _address_space_bytes()

    def loop(self) -> str:
        """Serves until the socket closes; returns only in a forked child, with the program to run."""
        while True:
            wake = min((run.next_check for run in self.by_fd.values()), default=float("inf"))
            pause = None if wake == float("inf") else max(wake - time.monotonic(), 0.0)
            for fd, _ in self.epoll.poll(pause):
                if fd != self.control.fileno():
                    self._advance(fd)
                elif program := self._receive():
                    return program
            now = time.monotonic()
            for run in self.by_fd.values():
                if now >= run.next_check:
                    run.check(now)

    def _receive(self) -> str | None:
        try:
            data, fds, _, _ = socket.recv_fds(self.control, MAX_MESSAGE_BYTES, _MAX_FDS)
        except ConnectionError:
            os._exit(0)
        if not data:
            os._exit(0)
        message = json.loads(data)
        if "kill" in message:
            for run in self.by_fd.values():
                if run.run_id == message["kill"] and not run.report:
                    run.stop("killed")
            return None
        limits = StageLimits(**message["limits"])
        try:
            confined = self.tier.fork(message["uid"], fds, self._disown)
        except OSError as error:
            self._send({"id": message["id"], "failure": f"fork server: {error}"})
            confined = None
        if confined is not None and confined.pid == 0:
            return _become_program(self.tier, limits, message, fds, self.baseline_bytes)
        for fd in fds[:3] + fds[4:]:
            os.close(fd)
        if confined is None:
            os.close(fds[3])
            return None
        run = _Run(message["id"], limits, confined, fds[3])
        self.by_fd[run.pidfd] = run
        self.epoll.register(run.pidfd, select.EPOLLIN)
        return None

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
        self._send(run.report)

    def _send(self, report: dict[str, object]) -> None:
        try:
            self.control.sendall(json.dumps(report).encode())
        except ConnectionError:  # the server is gone; so are we, and with us every run
            os._exit(0)


def _become_program(
    tier: confinement.Tier, limits: StageLimits, message: dict[str, Any], fds: list[int], baseline_bytes: int
) -> str:
    """In the child: puts on the jail, writes the program's files, and returns the Python program to run or
    executes another one. Whatever fails before foreign code runs is reported as our failure."""
    for target, fd in enumerate(fds[:3]):
        os.dup2(fd, target)
    low = 3
    for fd in sorted(fds[3:]):
        os.closerange(low, fd)
        os.set_inheritable(fd, False)
        low = fd + 1
    os.closerange(low, 65536)
    payload_fd = fds[3]
    try:
        content = _read_all(payload_fd)
        payload, contents = message["payload"], memoryview(content)
        if payload is None:
            header, _, rest = content.partition(b"\n")
            payload, contents = json.loads(header), memoryview(rest)
        work_dir = tier.enter_run(limits, message["uid"], payload)
        for path, size, mode in payload["files"]:
            _write_file(path, contents[:size], mode)
            contents = contents[size:]
        if len(fds) > 4:
            _send_directory(fds[4])
        argv = payload["argv"]
        apply_rlimits(limits, baseline_bytes if argv is None else 0, tier.extra_processes())
        os.pwrite(payload_fd, STARTED, 0)
        tier.seal()
    except BaseException as error:
        os.pwrite(payload_fd, FAILED + f"{type(error).__name__}: {error}".encode() + b"\0", 0)
        os._exit(1)
    if argv is not None:
        _execute(argv, payload_fd)
    os.close(payload_fd)
    return f"{work_dir}/{payload['main']}"


def _execute(argv: list[str], payload_fd: int) -> None:
    """Becomes another program. One that is not there and comes from the system is a missing toolchain: our
    failure, which no program can feign, because by the time it runs the descriptor is closed."""
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    try:
        os.execvp(argv[0], argv)
    except OSError as error:
        if isinstance(error, FileNotFoundError) and "/" not in argv[0]:
            os.pwrite(payload_fd, FAILED + f"{argv[0]} is not installed where the sandbox runs\0".encode(), 0)
        os.write(2, f"{argv[0]}: {error.strerror}\n".encode())
    os._exit(127)


def _read_all(fd: int) -> bytes:
    size = os.fstat(fd).st_size
    parts: list[bytes] = []
    offset = len(PENDING)
    while offset < size:
        parts.append(os.pread(fd, size - offset, offset))
        offset += len(parts[-1])
    return b"".join(parts)


def _write_file(path: str, content: memoryview, mode: int) -> None:
    if "/" in path:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    while content:
        content = content[os.write(fd, content) :]
    os.close(fd)


def _send_directory(socket_fd: int) -> None:
    with socket.socket(fileno=socket_fd) as channel:
        directory = os.open(".", os.O_RDONLY | os.O_DIRECTORY)
        socket.send_fds(channel, [b"d"], [directory])
        os.close(directory)


def _address_space_bytes() -> int:
    return int(Path("/proc/self/statm").read_bytes().split()[0]) * os.sysconf("SC_PAGE_SIZE")


def serve(config_text: str) -> str:
    """Runs the fork server; returns only in the child of a run.

    Args:
        config_text: JSON ``{"control_fd", "tier", "preload", "read_only_paths"}``.

    Returns:
        Path of the Python program that this process is to become.
    """
    config = json.loads(config_text)
    control = socket.socket(fileno=config["control_fd"])
    try:
        tier = confinement.make_tier(config["tier"])
        tier.prepare(tuple(config["read_only_paths"]))
        for name in config["preload"]:
            __import__(name)
        server = _ForkServer(control, tier)
    except Exception as error:  # the one boundary: the server is told and decides
        control.sendall(json.dumps({"failed": f"{type(error).__name__}: {error}"}).encode())
        os._exit(1)
    control.sendall(b'{"ready": true}')
    hide(server)
    _settle()
    return server.loop()


def _settle() -> None:
    """Leaves the interpreter as small and quiet as a program should find it."""
    sys.argv = [""]
    for kind in (signal.SIGINT, signal.SIGTERM):
        signal.signal(kind, signal.SIG_DFL)
    with contextlib.suppress(OSError):
        # Whoever the kernel has to kill for memory, it should be a program and not the server.
        Path("/proc/self/oom_score_adj").write_text("500")
    gc.collect()
    gc.disable()
    gc.freeze()
