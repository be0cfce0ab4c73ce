"""The server's end of a fork server: starts it, hands it stages, drains their output, restarts it when it dies.

Everything runs on the server's event loop, through plain descriptor callbacks. A failure on our side (a fork
server that dies, a jail that can't be set up) is a ``SandboxInternalError``, never an outcome.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import os
import socket
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from verl_ext.sandbox import fork_server, syscalls
from verl_ext.sandbox.errors import SandboxInternalError
from verl_ext.sandbox.jail import WORK_DIR
from verl_ext.sandbox.limits import MIB, StageLimits

_CHUNK_BYTES = 65536
_START_TIMEOUT_S = 30.0
_GUARD_S = 10.0  # a fork server that has not reported this long after the deadline is taken for dead
_FLOOD_FACTOR = 64  # a program that writes this many times the cap is stopped
_UIDS_PER_WORKER = 256


@dataclass(frozen=True, slots=True)
class WorkerConfig:
    """How fork servers are started.

    Attributes:
        tier: Isolation tier, see ``confinement``.
        python: Interpreter that Python programs run on.
        preload: Modules imported once, before the forks.
        read_only_paths: Further paths that programs may read.
        output_cap_bytes: Kept of each output stream.
        fetch_cap_bytes: Largest file that is read back.
    """

    tier: str
    python: str = sys.executable
    preload: tuple[str, ...] = ()
    read_only_paths: tuple[str, ...] = ()
    output_cap_bytes: int = MIB
    fetch_cap_bytes: int = 16 * MIB

    @property
    def search_path(self) -> str:
        """PATH of the programs."""
        return f"{Path(self.python).parent}:/usr/local/bin:/usr/bin:/bin"


@dataclass(frozen=True, slots=True)
class Stage:
    """One program start.

    Attributes:
        main: Source file that ``argv`` None runs as Python.
        argv: Command line; None to fork a Python instead.
        files: Path in the working directory -> content and mode.
        stdin: Standard input; None for immediate end of file.
        limits: What it may use.
        fetch: Files to read back.
    """

    main: str
    argv: tuple[str, ...] | None
    files: Mapping[str, tuple[bytes, int]]
    stdin: bytes | None
    limits: StageLimits
    fetch: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class StageOutcome:
    """How a stage ended.

    Attributes:
        return_code: Exit code, or negative signal number.
        reason: ``exit``, ``wall`` or ``cpu`` (time limits) or ``killed`` (flooded its output).
        wall_s, cpu_s: Seconds used.
        max_rss_kb: Peak resident memory of the program's largest process.
        stdout, stderr: What was kept of the output.
        output_truncated: Whether something was not kept.
        files: The fetched files that exist.
    """

    return_code: int
    reason: str
    wall_s: float
    cpu_s: float
    max_rss_kb: int
    stdout: bytes
    stderr: bytes
    output_truncated: bool
    files: Mapping[str, bytes]


class _Drain:
    """Reads one output stream while the program runs, and keeps the first ``cap`` bytes."""

    def __init__(self, loop: asyncio.AbstractEventLoop, cap: int) -> None:
        self.fd, self.write_fd = os.pipe()
        os.set_blocking(self.fd, False)
        self.kept = bytearray()
        self.total = 0
        self.cap = cap
        self.flooded: asyncio.Event | None = None
        self.on_flood = lambda: None
        self._loop = loop
        loop.add_reader(self.fd, self._read)

    def _read(self) -> bool:
        """Reads one chunk; False once there is nothing (more) to read."""
        try:
            chunk = os.read(self.fd, _CHUNK_BYTES)
        except BlockingIOError:
            return False
        if not chunk:
            self._loop.remove_reader(self.fd)
            return False
        if self.total < self.cap:
            self.kept += chunk[: self.cap - self.total]
        self.total += len(chunk)
        if self.total > self.cap * _FLOOD_FACTOR:
            self.on_flood()
        return True

    def finish(self) -> bytes:
        """Takes what is still in the pipe; to be called when no writer is left."""
        while self._read():
            pass
        self._loop.remove_reader(self.fd)
        return bytes(self.kept)

    def close(self) -> None:
        self._loop.remove_reader(self.fd)
        os.close(self.fd)


class _Feed:
    """Writes standard input: at once what fits the pipe, the rest as the program reads."""

    def __init__(self, loop: asyncio.AbstractEventLoop, content: bytes | None) -> None:
        self._loop = loop
        self._fd: int | None = None
        if content is None:
            self.read_fd = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
            return
        self.read_fd, self._fd = os.pipe()
        os.set_blocking(self._fd, False)
        self._left = memoryview(content)
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
            pass  # the program closed its input; that is its right
        self.close()

    def close(self) -> None:
        if self._fd is not None:
            self._loop.remove_writer(self._fd)
            os.close(self._fd)
            self._fd = None


class Worker:
    """One fork server and the stages it is running."""

    def __init__(self, config: WorkerConfig, index: int) -> None:
        self._config = config
        self._first_uid = 1_000_000_000 + (os.getpid() % 100_000) * 10_000 + index * _UIDS_PER_WORKER
        self._free_uids = list(range(self._first_uid, self._first_uid + _UIDS_PER_WORKER))
        self._process: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None
        self._reports: dict[int, asyncio.Future[dict[str, object]]] = {}
        self._next_id = 0
        self._starting = asyncio.Lock()

    @property
    def num_running(self) -> int:
        return len(self._reports)

    async def start(self) -> None:
        """Starts the fork server when it is not running.

        Raises:
            SandboxInternalError: When it can't be started in its tier; the text says why.
        """
        async with self._starting:
            if self._control is None:
                await self._spawn()

    async def _spawn(self) -> None:
        loop = asyncio.get_running_loop()
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.setblocking(False)
        config = {
            "control_fd": theirs.fileno(),
            "tier": self._config.tier,
            "preload": self._config.preload,
            "read_only_paths": self._config.read_only_paths,
        }
        package_root = str(Path(__file__).resolve().parents[2])
        environment = {"PATH": self._config.search_path, "HOME": WORK_DIR, "LANG": "C.UTF-8"}
        # Pipes for input and output, so that the interpreter makes its streams as for a program in a pipe.
        with theirs:
            self._process = subprocess.Popen(
                [self._config.python, "-c", fork_server.BOOTSTRAP, package_root, json.dumps(config)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                pass_fds=[theirs.fileno()],
                env=environment,
                cwd="/",
                start_new_session=True,
            )
        try:
            answer = await asyncio.wait_for(
                loop.sock_recv(ours, fork_server.MAX_MESSAGE_BYTES), _START_TIMEOUT_S
            )
        except (OSError, TimeoutError):
            answer = b""
        message = json.loads(answer) if answer else {"failed": "it ended before it was ready"}
        if "ready" not in message:
            ours.close()
            self._end_process()
            raise SandboxInternalError(f"fork server: {message['failed']}")
        self._control = ours
        loop.add_reader(ours.fileno(), self._on_message)

    def _on_message(self) -> None:
        assert self._control is not None
        try:
            data = self._control.recv(fork_server.MAX_MESSAGE_BYTES)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self.stop("the fork server died")
            return
        report = json.loads(data)
        future = self._reports.pop(report["id"], None)
        if future is not None and not future.done():
            future.set_result(report)

    def stop(self, why: str = "the server is stopping") -> None:
        """Ends the fork server and with it every stage; those fail with ``why``."""
        if self._control is not None:
            asyncio.get_running_loop().remove_reader(self._control.fileno())
            self._control.close()
            self._control = None
        self._end_process()
        for future in self._reports.values():
            if not future.done():
                future.set_exception(SandboxInternalError(why))
        self._reports.clear()

    def _end_process(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            for pipe in (self._process.stdin, self._process.stdout):
                if pipe is not None:
                    pipe.close()
            self._process = None

    async def run(self, stage: Stage) -> StageOutcome:
        """Runs one stage to its end or limit.

        Raises:
            SandboxInternalError: When our side failed.
        """
        await self.start()
        loop = asyncio.get_running_loop()
        uid = self._free_uids.pop() if self._free_uids else self._first_uid
        out = _Drain(loop, self._config.output_cap_bytes)
        err = _Drain(loop, self._config.output_cap_bytes)
        feed = _Feed(loop, stage.stdin)
        channel, their_channel = socket.socketpair() if stage.fetch else (None, None)
        payload_fd = _write_payload(stage)
        run_id = self._next_id
        self._next_id += 1
        try:
            fds = [feed.read_fd, out.write_fd, err.write_fd, payload_fd]
            if their_channel is not None:
                fds.append(their_channel.fileno())
            message = {
                "id": run_id,
                "uid": uid if os.geteuid() == 0 else None,
                "limits": asdict(stage.limits),
            }
            report_future: asyncio.Future[dict[str, object]] = loop.create_future()
            self._reports[run_id] = report_future
            try:
                self._send(message, fds)
            finally:
                for fd in fds[:4]:
                    os.close(fd)
                if their_channel is not None:
                    their_channel.close()
            out.on_flood = err.on_flood = lambda: self._send({"kill": run_id}, [])
            report = await self._report_of(report_future, stage.limits)
            if report["failure"]:
                raise SandboxInternalError(str(report["failure"]))
            files = _fetch(channel, stage.fetch, self._config.fetch_cap_bytes) if channel else {}
            return StageOutcome(
                return_code=os.waitstatus_to_exitcode(int(str(report["status"]))),
                reason=str(report["reason"]),
                wall_s=float(str(report["wall_s"])),
                cpu_s=float(str(report["cpu_s"])),
                max_rss_kb=int(str(report["max_rss_kb"])),
                stdout=out.finish(),
                stderr=err.finish(),
                output_truncated=out.total > out.cap or err.total > err.cap,
                files=files,
            )
        finally:
            if self._reports.pop(run_id, None) is not None and self._control is not None:
                with contextlib.suppress(SandboxInternalError):
                    self._send({"kill": run_id}, [])
            feed.close()
            out.close()
            err.close()
            if channel is not None:
                channel.close()
            self._free_uids.append(uid)

    async def _report_of(
        self, future: asyncio.Future[dict[str, object]], limits: StageLimits
    ) -> dict[str, object]:
        try:
            return await asyncio.wait_for(future, limits.wall_s + _GUARD_S)
        except TimeoutError:
            self.stop("the fork server hangs")
            raise SandboxInternalError("the fork server did not report in time") from None

    def _send(self, message: dict[str, object], fds: list[int]) -> None:
        if self._control is None:
            raise SandboxInternalError("the fork server is gone")
        try:
            socket.send_fds(self._control, [json.dumps(message).encode()], fds)
        except OSError as error:
            raise SandboxInternalError(f"the fork server does not take the run: {error}") from error


def _write_payload(stage: Stage) -> int:
    payload = {
        "main": stage.main,
        "argv": stage.argv,
        "files": {
            path: (base64.b64encode(content).decode(), mode) for path, (content, mode) in stage.files.items()
        },
    }
    fd = os.memfd_create("payload", os.MFD_CLOEXEC)
    left = memoryview(fork_server.PENDING + json.dumps(payload).encode())
    while left:
        left = left[os.write(fd, left) :]
    return fd


def _fetch(channel: socket.socket, paths: tuple[str, ...], cap_bytes: int) -> dict[str, bytes]:
    """Reads files from the working directory, which is hostile ground, after its last process is gone."""
    channel.setblocking(False)
    _, fds, _, _ = socket.recv_fds(channel, 16, 1)
    files: dict[str, bytes] = {}
    try:
        for path in paths:
            with contextlib.suppress(OSError):
                files[path] = _read_regular(fds[0], path, cap_bytes)
    finally:
        for fd in fds:
            os.close(fd)
    return files


def _read_regular(directory_fd: int, path: str, cap_bytes: int) -> bytes:
    with open(syscalls.open_beneath(directory_fd, path), "rb", buffering=0) as file:
        if (
            not os.path.isfile(f"/proc/self/fd/{file.fileno()}")
            or os.fstat(file.fileno()).st_size > cap_bytes
        ):
            raise OSError("not a regular file, or too large")
        return file.read(cap_bytes)
