"""What the forked child of a run does until it is the program: it puts on the jail and writes the files.

Whatever fails here is told to the fork server through the payload, and is our failure. Each page that is
written to is copied, so this touches as little as it can: the code of a fresh fork takes functions by their
names, for a look-up of an attribute counts a reference to its module, to a dict and to the type, and writes
to the cache of methods.
"""

from __future__ import annotations

import contextlib
import json
import marshal
import os
import signal
import socket
import types
from os import O_CREAT, O_TRUNC, O_WRONLY, SEEK_END, close, closerange, dup2, lseek, pread, pwrite, write
from os import open as open_file
from pathlib import Path
from resource import setrlimit
from typing import Any, NoReturn

from verl_ext.sandbox import confinement
from verl_ext.sandbox.cgroups import Group
from verl_ext.sandbox.limits import MIB, RLimits, StageLimits, rlimits
from verl_ext.sandbox.python_program import run_as_main

# The first byte of the payload, overwritten by the child: still setting up / foreign code may run / failed /
# the executable is not there.
PENDING, STARTED, FAILED, MISSING = b" ", b"R", b"E", b"M"
MAX_CODE_BYTES = 4 * MIB  # of a compiled program, to be used again


def become_program(
    tier: confinement.Tier,
    limits: StageLimits,
    settings: RLimits,
    message: dict[str, Any],
    fds: list[int],
    group: Group | None,
) -> NoReturn:
    """Never returns: to leave the frames below would write to everything that they refer to.

    Args:
        tier: Confines.
        limits: The stage's limits.
        settings: The rlimits of a Python program with those.
        message: What the server sent about it.
        fds: What came with that, in ascending order.
        group: The control group of the run, if any.
    """
    payload_fd = 3
    try:
        if group is not None:
            group.join()
        for target, fd in enumerate(fds):  # none is in the way, for they are in ascending order
            dup2(fd, target, target < payload_fd)
        closerange(len(fds), 65536)
        contents = pread(payload_fd, lseek(payload_fd, 0, SEEK_END), len(PENDING))
        payload = message["payload"]
        if payload is None:
            header, _, contents = contents.partition(b"\n")
            payload = json.loads(header)
        work_dir = tier.enter_run(limits, message["uid"], payload)
        main, argv = payload["main"], payload["argv"]
        start = 0
        for path, size, mode in payload["files"]:
            content = contents[start : start + size]
            start += size
            _write_file(path, content, mode)
            if path == main:
                source = content
        compiled = contents[start:]
        content = contents = b""  # else they would count towards the program's memory
        if len(fds) > 4:
            _send_directory(4)
        if argv is not None:
            settings = rlimits(limits, 0, tier.extra_processes())
        for kind, values in settings:
            setrlimit(kind, values)
        pwrite(payload_fd, STARTED, 0)
        tier.seal()
    except BaseException as error:
        os.pwrite(payload_fd, FAILED + f"{type(error).__name__}: {error}".encode() + b"\0", 0)
        os._exit(1)
    if argv is not None:
        _execute(argv, payload_fd)

    def hand_out(code: types.CodeType) -> None:
        if payload["share_code"]:
            _write_code(payload_fd, code)
        close(payload_fd)

    run_as_main(f"{work_dir}/{main}", source, compiled, hand_out)


def _execute(argv: list[str], payload_fd: int) -> NoReturn:
    """Becomes another program. One that is not there and comes from the system is a missing toolchain: our
    failure, which no program can feign, because by the time it runs the descriptor is closed."""
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    try:
        os.execvp(argv[0], argv)
    except OSError as error:
        if isinstance(error, FileNotFoundError) and "/" not in argv[0]:
            os.pwrite(payload_fd, MISSING + argv[0].encode() + b"\0", 0)
        os.write(2, f"{argv[0]}: {error.strerror}\n".encode())
    os._exit(127)


def _write_code(payload_fd: int, code: types.CodeType) -> None:
    """Appends a compiled program to the payload, where it can be done."""
    end = os.fstat(payload_fd).st_size
    with contextlib.suppress(OSError, ValueError, MemoryError):
        shared = marshal.dumps(code)
        if len(shared) <= MAX_CODE_BYTES and os.pwrite(payload_fd, shared, end) != len(shared):
            os.ftruncate(payload_fd, end)


def _write_file(path: str, content: bytes, mode: int) -> None:
    if "/" in path:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
    fd = open_file(path, O_WRONLY | O_CREAT | O_TRUNC, mode)
    while content:
        content = content[write(fd, content) :]
    close(fd)


def _send_directory(socket_fd: int) -> None:
    with socket.socket(fileno=socket_fd) as channel:
        directory = os.open(".", os.O_RDONLY | os.O_DIRECTORY)
        socket.send_fds(channel, [b"d"], [directory])
        os.close(directory)
