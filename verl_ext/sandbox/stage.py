"""One program start, what came of it, and how it travels to the child that runs it."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import socket
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from verl_ext.sandbox import run_child, syscalls
from verl_ext.sandbox.limits import StageLimits

_MAX_LISTED = 5000
_MAX_PATHS_IN_MESSAGE = 1000  # characters, of which JSON may make 12 bytes each


@dataclass(frozen=True, slots=True)
class Stage:
    """One program start.

    Attributes:
        main: Source file that is run as Python when there is no ``argv``.
        argv: Command line; None to fork a Python instead.
        files: Path in the working directory -> content and mode.
        stdin: Standard input; None for immediate end of file.
        limits: What it may use.
        fetch: Files to read back.
        code: The Python program as an earlier run of it compiled it; empty for none.
        share_code: Whether to hand out, for such later runs, what this one compiles.
    """

    main: str
    argv: tuple[str, ...] | None
    files: Mapping[str, tuple[bytes, int]]
    stdin: bytes | None
    limits: StageLimits
    fetch: tuple[str, ...] = ()
    code: bytes = b""
    share_code: bool = False

    def write_payload(self, work_dir: str) -> tuple[dict[str, Any] | None, int]:
        """What the child needs: a description, and a memory file with the contents of the files.

        The memory file's first byte is the child's to overwrite. A description that may not fit into a
        message precedes the contents as a line of JSON, and None is returned in its place.
        """
        description: dict[str, Any] | None = {
            "work_dir": work_dir,
            "main": self.main,
            "argv": self.argv,
            "files": [(path, len(content), mode) for path, (content, mode) in self.files.items()],
            "share_code": self.share_code,
        }
        parts = [run_child.PENDING, *(content for content, _ in self.files.values()), self.code]
        if sum(map(len, self.files)) > _MAX_PATHS_IN_MESSAGE:
            parts.insert(1, json.dumps(description).encode() + b"\n")
            description = None
        fd = os.memfd_create("payload", os.MFD_CLOEXEC)
        left = memoryview(b"".join(parts))
        while left:
            left = left[os.write(fd, left) :]
        return description, fd


@dataclass(frozen=True, slots=True)
class StageOutcome:
    """How a stage ended.

    Attributes:
        return_code: Exit code, or negative signal number.
        reason: ``exit``; ``wall`` or ``cpu`` (time limits); ``memory`` or ``disk`` (of all processes
            together); ``killed`` (stopped for flooding its output).
        wall_s: Wall-clock seconds.
        cpu_s: CPU seconds of the program and the children it waited for.
        max_rss_kb: Peak resident memory of its largest process.
        stdout: What was kept of its output.
        stderr: Likewise.
        output_truncated: Whether something was not kept.
        files: The fetched files.
        files_left_out: Path -> why a file was not fetched.
        code: What it compiled, where that was asked for and may be used again.
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
    files_left_out: Mapping[str, str]
    code: bytes = b""


def fetch_files(
    channel: socket.socket, paths: tuple[str, ...], cap_bytes: int
) -> tuple[dict[str, bytes], dict[str, str]]:
    """Reads files from a working directory, which is hostile ground, after its last process is gone.

    Args:
        channel: Where the child sent the directory's descriptor before the program ran.
        paths: What to read; whatever is not a regular file, or is reached through a symlink, is left out. A
            path with ``/`` at its end is all that is beneath that folder.
        cap_bytes: Most that is read in all; files that do not fit are left out.

    Returns:
        Content by path, and the reason by path for what is left out; every path is in one of the two.
    """
    channel.setblocking(False)
    _, fds, _, _ = socket.recv_fds(channel, 16, 1)
    files: dict[str, bytes] = {}
    left_out: dict[str, str] = {}
    cap_left = cap_bytes
    try:
        wanted: list[str] = []
        for path in paths:
            beneath = _files_beneath(fds[0], path) if path.endswith("/") else [path]
            wanted += beneath[:_MAX_LISTED]
            if len(beneath) > _MAX_LISTED:
                left_out[path] = f"more than {_MAX_LISTED} files"
        for path in wanted:
            try:
                files[path] = _read_regular(fds[0], path, cap_left)
                cap_left -= len(files[path])
            except FileNotFoundError:
                left_out[path] = "no such file"
            except _TooLarge as error:
                left_out[path] = f"{error} bytes, and at most {cap_bytes} bytes are sent in all"
            except OSError:
                left_out[path] = "not a regular file"
    finally:
        for fd in fds:
            os.close(fd)
    return files, left_out


def _files_beneath(directory_fd: int, folder: str) -> list[str]:
    """What is in a folder and the folders in it; stops looking soon after ``_MAX_LISTED``."""
    found: list[str] = []
    folders = [folder.rstrip("/")]
    while folders and len(found) <= _MAX_LISTED:
        folder = folders.pop()
        with contextlib.suppress(OSError), _open_folder(directory_fd, folder) as entries:
            for entry in itertools.islice(entries, _MAX_LISTED + 1):
                kind = folders if entry.is_dir(follow_symlinks=False) else found
                kind.append(f"{folder}/{entry.name}")
    return found


@contextlib.contextmanager
def _open_folder(directory_fd: int, folder: str) -> Iterator[Iterator[os.DirEntry[str]]]:
    fd = syscalls.open_beneath(directory_fd, folder)
    try:
        with os.scandir(fd) as entries:
            yield entries
    finally:
        os.close(fd)


class _TooLarge(Exception):
    """A file does not fit into what may still be read; its text is the file's size."""


def _read_regular(directory_fd: int, path: str, cap_bytes: int) -> bytes:
    with os.fdopen(syscalls.open_beneath(directory_fd, path), "rb", buffering=0) as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise OSError("not a regular file")
        if status.st_size > cap_bytes:
            raise _TooLarge(str(status.st_size))
        return file.readall()
