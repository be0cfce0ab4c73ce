"""Landlock: file system, network and signal rules that an ordinary process puts on itself.

Source: Documentation/userspace-api/landlock.rst.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
from collections.abc import Iterable

from verl_ext.sandbox import syscalls

# The first version whose domains keep signals inside.
SIGNAL_SCOPE_ABI = 6
_TCP_ABI = 4
_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = 1, 2, 4, 8
READ = _EXECUTE | _READ_FILE | _READ_DIR
_OF_FILES = _EXECUTE | _WRITE_FILE | _READ_FILE | (1 << 14)
_RIGHTS_BY_ABI = {1: 13, 2: 14, 3: 15, 4: 15}
_LATEST_RIGHTS = 16
_BIND_AND_CONNECT_TCP = 3
_ABSTRACT_SOCKET_AND_SIGNAL = 3


class _PathBeneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = (("allowed", ctypes.c_uint64), ("fd", ctypes.c_int32))


def abi_version() -> int:
    """Version the kernel offers; 0 when it has no Landlock."""
    try:
        return syscalls.landlock_create_ruleset(None, 1)
    except OSError:
        return 0


def restrict_signals() -> None:
    """Keeps this process and its children from signalling or connecting to anything outside of them."""
    _apply(syscalls.landlock_create_ruleset((0, 0, _ABSTRACT_SOCKET_AND_SIGNAL), 0))


def restrict(readable: Iterable[str], devices: Iterable[str], writable: str, abi: int) -> None:
    """Leaves this process and its children those paths only, no TCP, and (version 6) signals to each other.

    Args:
        readable: Paths to read and execute beneath.
        devices: Files to read and write.
        writable: The working directory: everything is allowed beneath.
        abi: What ``abi_version`` said.
    """
    everything = (1 << _RIGHTS_BY_ABI.get(abi, _LATEST_RIGHTS)) - 1
    attributes = [everything]
    if abi >= _TCP_ABI:
        attributes.append(_BIND_AND_CONNECT_TCP)
    if abi >= SIGNAL_SCOPE_ABI:
        attributes.append(_ABSTRACT_SOCKET_AND_SIGNAL)
    ruleset = syscalls.landlock_create_ruleset(tuple(attributes), 0)
    for path in readable:
        _allow(ruleset, path, READ)
    for path in devices:
        _allow(ruleset, path, (_READ_FILE | _WRITE_FILE | (1 << 15)) & everything)
    _allow(ruleset, writable, everything)
    _apply(ruleset)


def _allow(ruleset: int, path: str, rights: int) -> None:
    with contextlib.suppress(FileNotFoundError, PermissionError):
        fd = os.open(path, os.O_PATH | os.O_CLOEXEC)
        if not os.path.isdir(path):  # noqa: PTH112  (no pathlib on the way to every run)
            rights &= _OF_FILES | (1 << 15)
        syscalls.landlock_add_rule(ruleset, _PathBeneath(rights, fd))
        os.close(fd)


def _apply(ruleset: int) -> None:
    syscalls.prctl(syscalls.PR_SET_NO_NEW_PRIVS, 1)
    syscalls.landlock_restrict_self(ruleset)
    os.close(ruleset)
