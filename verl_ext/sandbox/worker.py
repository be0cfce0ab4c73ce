"""The server's end of a fork server: starts it, hands it stages, restarts it when it dies.

Everything runs on the server's event loop, through plain descriptor callbacks. A failure on our side (a fork
server that dies, a jail that can't be set up) is a ``SandboxInternalError``, never an outcome.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from verl_ext.sandbox import fork_server, run_child
from verl_ext.sandbox.errors import SandboxInternalError, ToolchainMissing
from verl_ext.sandbox.jail import WORK_DIR
from verl_ext.sandbox.limits import MIB
from verl_ext.sandbox.stage import Stage, StageOutcome, fetch_files
from verl_ext.sandbox.streams import Drain, Feed

_START_TIMEOUT_S = 30.0
_STOP_TIMEOUT_S = 2.0
_GUARD_S = 30.0  # a fork server that has not reported this long after a deadline is taken for dead
# Until then a program's output stays in its pipes, where 64 KiB of each stream find room.
_WATCH_AFTER_S = 0.02
_FIRST_UID = 1_000_000_000
_UIDS_PER_WORKER = 256
MAX_WORKERS = 63
PROBE_INDEX = MAX_WORKERS
_UIDS_PER_SERVER = (MAX_WORKERS + 1) * _UIDS_PER_WORKER


@dataclass(frozen=True, slots=True)
class WorkerConfig:
    """How fork servers are started.

    Attributes:
        tier: Isolation tier, see ``confinement``.
        python: Interpreter that Python programs run on.
        preload: Modules imported once, before the forks.
        read_only_paths: Further paths that programs may read.
        tool_paths: Further folders of PATH; have to be readable.
        scratch: Existing folder for working directories, in tiers that need one.
        groups: Folder of control groups, see ``cgroups``; empty for none.
        output_cap_bytes: Kept of each output stream.
        fetch_cap_bytes: Most that is read back from one run.
    """

    tier: str
    python: str = sys.executable
    preload: tuple[str, ...] = ()
    read_only_paths: tuple[str, ...] = ()
    tool_paths: tuple[str, ...] = ()
    scratch: str = ""
    groups: str = ""
    output_cap_bytes: int = MIB
    fetch_cap_bytes: int = 64 * MIB

    @property
    def search_path(self) -> str:
        """PATH of the programs."""
        return ":".join((str(Path(self.python).parent), *self.tool_paths, "/usr/local/bin:/usr/bin:/bin"))


class Worker:
    """One fork server and the stages it is running."""

    def __init__(
        self, config: WorkerConfig, index: int, on_restart: Callable[[], None] = lambda: None
    ) -> None:
        self._on_restart = on_restart
        self._was_started = False
        self._config = config
        self._index = index
        self._uids = deque(_uid_slots(index))
        self._process: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None
        self._reports: dict[int, asyncio.Future[dict[str, str]]] = {}
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
            if self._control is not None:
                return
            loop = asyncio.get_running_loop()
            control, self._process = _launch(self._config, self._index)
            try:
                answer = await asyncio.wait_for(
                    loop.sock_recv(control, fork_server.MAX_MESSAGE_BYTES), _START_TIMEOUT_S
                )
            except (OSError, TimeoutError):
                answer = b""
            message = json.loads(answer) if answer else {"failed": "it ended before it was ready"}
            if "ready" not in message:
                control.close()
                self._end_process()
                raise SandboxInternalError(f"fork server: {message['failed']}")
            if self._was_started:
                self._on_restart()
            self._was_started = True
            self._control = control
            loop.add_reader(control.fileno(), self._on_message)

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
        report = dict(
            zip(fork_server.REPORT, data.decode().split(" ", len(fork_server.REPORT) - 1), strict=True)
        )
        future = self._reports.pop(int(report["id"]), None)
        if future is not None and not future.done():
            future.set_result(report)

    def stop(self, why: str = "the server is stopping") -> None:
        """Ends the fork server and with it every stage; those fail with ``why``. The next run restarts it."""
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
        """Waits for the fork server, which ends by itself once its socket is closed."""
        process, self._process = self._process, None
        if process is None:
            return
        try:
            process.wait(_STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()

    async def run(self, stage: Stage) -> StageOutcome:
        """Runs one stage to its end or limit.

        Raises:
            SandboxInternalError: When our side failed.
        """
        await self.start()
        loop = asyncio.get_running_loop()
        run_id, self._next_id = self._next_id, self._next_id + 1
        uid = self._uids.popleft() if self._uids else None
        work_dir, code_fd, channel = "", -1, None
        streams: list[Feed | Drain] = []
        timers: list[asyncio.TimerHandle] = []
        fds: list[int] = []
        try:
            try:
                streams.append(feed := Feed(loop, stage.stdin))
                fds.append(feed.read_fd)
                streams.append(out := Drain(loop, self._config.output_cap_bytes))
                fds.append(out.write_fd)
                streams.append(err := Drain(loop, self._config.output_cap_bytes))
                fds.append(err.write_fd)
                timers.append(loop.call_later(_WATCH_AFTER_S, _watch, out, err))
                give_up_s = stage.limits.wall_s + _GUARD_S
                timers.append(loop.call_later(give_up_s, self.stop, "the fork server did not report in time"))
                work_dir = self._make_work_dir(run_id)
                description, payload_fd = stage.write_payload(work_dir)
                fds.append(payload_fd)
                if stage.share_code:
                    code_fd = os.dup(payload_fd)
                    code_start = os.fstat(code_fd).st_size
                if stage.fetch:
                    channel, their_channel = socket.socketpair()
                    fds.append(their_channel.detach())
                report_future: asyncio.Future[dict[str, str]] = loop.create_future()
                self._reports[run_id] = report_future
                message = {
                    "id": run_id,
                    "uid": uid,
                    "limits": stage.limits,
                    "work_dir": work_dir,
                    "payload": description,
                }
                self._send(message, fds)
            finally:
                for fd in fds:
                    os.close(fd)
            out.on_flood = err.on_flood = lambda: self._abandon(run_id, forget=False)
            report = await report_future
            if report["failure"] and report["missing"] == "1":
                raise ToolchainMissing(report["failure"])
            if report["failure"]:
                raise SandboxInternalError(report["failure"])
            files: dict[str, bytes] = {}
            left_out: dict[str, str] = {}
            if channel is not None:
                files, left_out = fetch_files(channel, stage.fetch, self._config.fetch_cap_bytes)
            stderr = err.finish()
            # Not where it may be cut off, nor where the compiler had warnings: those belong to every run.
            use_code = stage.share_code and (report["reason"], report["status"], stderr) == ("exit", "0", b"")
            return StageOutcome(
                return_code=os.waitstatus_to_exitcode(int(report["status"])),
                reason=report["reason"],
                wall_s=float(report["wall_s"]),
                cpu_s=float(report["cpu_s"]),
                max_rss_kb=int(report["max_rss_kb"]),
                stdout=out.finish(),
                stderr=stderr,
                output_truncated=out.truncated or err.truncated,
                files=files,
                files_left_out=left_out,
                code=os.pread(code_fd, run_child.MAX_CODE_BYTES, code_start) if use_code else b"",
            )
        finally:
            for timer in timers:
                timer.cancel()
            self._abandon(run_id)
            for stream in streams:
                stream.close()
            if channel is not None:
                channel.close()
            if code_fd >= 0:
                os.close(code_fd)
            if work_dir:
                _remove_tree(work_dir)
            if uid is not None:
                self._uids.append(uid)

    def _make_work_dir(self, run_id: int) -> str:
        """A fresh directory on the host, in tiers that have no file system of their own for each run."""
        if not self._config.scratch:
            return ""
        path = Path(self._config.scratch) / f"{self._index}-{run_id}"
        path.mkdir(mode=0o700)
        return str(path)

    def _abandon(self, run_id: int, *, forget: bool = True) -> None:
        """Stops a run that is still going: it floods us, or nobody waits for it any more."""
        if run_id in self._reports and self._control is not None:
            with contextlib.suppress(SandboxInternalError):
                self._send({"kill": run_id}, [])
        if forget:
            self._reports.pop(run_id, None)

    def _send(self, message: Mapping[str, object], fds: list[int]) -> None:
        if self._control is None:
            raise SandboxInternalError("the fork server is gone")
        try:
            socket.send_fds(self._control, [json.dumps(message).encode()], fds)
        except OSError as error:
            raise SandboxInternalError(f"the fork server does not take the run: {error}") from error


def _watch(*streams: Drain) -> None:
    for stream in streams:
        stream.watch()


def _launch(config: WorkerConfig, index: int) -> tuple[socket.socket, subprocess.Popen[bytes]]:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    ours.setblocking(False)
    settings = {
        "control_fd": theirs.fileno(),
        "tier": config.tier,
        "preload": config.preload,
        "read_only_paths": config.read_only_paths,
        "scratch": config.scratch,
        "groups": config.groups,
        "index": index,
        "cpu_index": os.getpid() + index,  # several servers on one machine begin with different ones
    }
    package_root = str(Path(__file__).resolve().parents[2])
    # Pipes for input and output: the interpreter makes its streams as for a program between pipes.
    with theirs:
        process = subprocess.Popen(
            [config.python, "-c", fork_server.BOOTSTRAP, package_root, json.dumps(settings)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            pass_fds=[theirs.fileno()],
            # A fixed hash seed: the order of a set, and the verdict on a program that depends on it, is the
            # same in every run. All symbols are bound at the start, else each fork would look for those that
            # it alone uses; programs do not inherit that.
            env={
                "PATH": config.search_path,
                "HOME": WORK_DIR,
                "LANG": "C.UTF-8",
                "PYTHONHASHSEED": "0",
                "LD_BIND_NOW": "1",
            },
            cwd="/",
            start_new_session=True,
        )
    return ours, process


def _remove_tree(path: str) -> None:
    """Removes what a run left, however deep; symlinks are not followed."""
    try:
        shutil.rmtree(path)
    except (OSError, RecursionError):
        subprocess.run(["rm", "-rf", path], check=False)


def _uid_slots(index: int) -> list[int]:
    """Users that runs may become, one each; none unless we are root and they exist in our namespace."""
    first = _FIRST_UID + (os.getpid() % 50_000) * _UIDS_PER_SERVER + index * _UIDS_PER_WORKER
    if os.geteuid() != 0:
        return []
    for line in Path("/proc/self/uid_map").read_text().splitlines():
        start, _, count = (int(number) for number in line.split())
        if start <= first and first + _UIDS_PER_WORKER <= start + count:
            return list(range(first, first + _UIDS_PER_WORKER))
    return []
