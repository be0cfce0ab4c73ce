"""The kernel calls that isolation needs and the standard library lacks, through ctypes.

Owns calling conventions and constants only; what a jail consists of is ``jail``'s business. Loaded by the
fork server, so it stays small and imports nothing heavy. Every function raises ``OSError`` on failure.
"""

from __future__ import annotations

import ctypes
import os
import time
from ctypes import c_ulong
from pathlib import Path
from typing import NoReturn

CLONE_VM = 0x00000100
CLONE_FS = 0x00000200
CLONE_FILES = 0x00000400
CLONE_NEWNS = 0x00020000
CLONE_NEWUTS = 0x04000000
CLONE_NEWIPC = 0x08000000
CLONE_NEWUSER = 0x10000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000

MS_RDONLY = 1
MS_NOSUID = 2
MS_NODEV = 4
MS_NOEXEC = 8
MS_REMOUNT = 32
MS_BIND = 4096
MS_REC = 16384
MS_PRIVATE = 1 << 18
MNT_DETACH = 2

PR_SET_PDEATHSIG = 1
PR_SET_DUMPABLE = 4
PR_SET_SECCOMP = 22
PR_SET_CHILD_SUBREAPER = 36
PR_SET_NO_NEW_PRIVS = 38
SECCOMP_MODE_FILTER = 2

AT_FDCWD = -100
_AT_RECURSIVE = 0x8000
_MOUNT_ATTR_RDONLY = 1
_MOUNT_ATTR_NOSUID = 2
_MOUNT_ATTR_NODEV = 4
_SIGCHLD = 17
# Numbers from 424 up are the same on every architecture.
_SYS_OPENAT2 = 437
_SYS_MOUNT_SETATTR = 442
_SYS_LANDLOCK_CREATE_RULESET = 444
_SYS_LANDLOCK_ADD_RULE = 445
_SYS_LANDLOCK_RESTRICT_SELF = 446
_LANDLOCK_RULE_PATH_BENEATH = 1
_RESOLVE_NO_XDEV = 1
_RESOLVE_NO_MAGICLINKS = 2
_RESOLVE_NO_SYMLINKS = 4
_RESOLVE_BENEATH = 8
_INIT_STACK_BYTES = 4096
_INIT_FLAGS = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_NEWPID | _SIGCHLD
_PF_EXITING = 4

# PyDLL keeps the GIL: the calls are short, and a clone must not race with Python's own bookkeeping.
_libc = ctypes.PyDLL(None, use_errno=True)
# Found once, for a fresh fork would have to look for them each time.
_unshare, _setns, _mount, _prctl, _fflush, _clone, _pause = (
    _libc.unshare, _libc.setns, _libc.mount, _libc.prctl, _libc.fflush, _libc.clone, _libc.pause
)  # fmt: skip


def _checked(result: int) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result


def unshare(flags: int) -> None:
    """Moves this process into new namespaces (``CLONE_NEWPID``: its future children)."""
    _checked(_unshare(flags))


def setns(fd: int, namespace_type: int) -> None:
    """Joins the namespace that ``fd`` (a namespace file or a pidfd) stands for."""
    _checked(_setns(fd, namespace_type))


def mount(source: bytes, target: bytes, fs_type: bytes | None, flags: int, data: bytes | None = None) -> None:
    _checked(_mount(source, target, fs_type, c_ulong(flags), data))


def umount(target: str, flags: int = 0) -> None:
    _checked(_libc.umount2(target.encode(), flags))


def make_read_only(target: str) -> None:
    """Makes a mount and all below it read-only, nosuid and nodev; other flags stay (Linux 5.12)."""
    attributes = (ctypes.c_uint64 * 4)(_MOUNT_ATTR_RDONLY | _MOUNT_ATTR_NOSUID | _MOUNT_ATTR_NODEV, 0, 0, 0)
    size = ctypes.c_size_t(ctypes.sizeof(attributes))
    _checked(
        _libc.syscall(
            ctypes.c_long(_SYS_MOUNT_SETATTR), AT_FDCWD, target.encode(), _AT_RECURSIVE, attributes, size
        )
    )


def pivot_root(new_root: str, put_old: str) -> None:
    _checked(_libc.pivot_root(new_root.encode(), put_old.encode()))


def prctl(option: int, value: int, pointer: object = None) -> None:
    """Sets one property of this process; ``pointer`` is what ``ctypes.byref`` gave."""
    _checked(_prctl(option, c_ulong(value), pointer, None, None))


def cpu_seconds(pid: int) -> float:
    """CPU seconds that all threads of another process have used."""
    return time.clock_gettime((~pid << 3) | 2)  # CPUCLOCK_SCHED


def is_exiting(pid: int) -> bool:
    """Whether a process is on its way out, or gone; an init is before the last of its namespace."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return True
    return bool(int(text.rpartition(")")[2].split()[6]) & _PF_EXITING)


def drop_capabilities() -> None:
    """Empties the effective, permitted and inheritable sets of this process."""
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)  # _LINUX_CAPABILITY_VERSION_3, this process
    _checked(_libc.capset(header, (ctypes.c_uint32 * 6)()))


def exit_process(code: int) -> NoReturn:
    """Flushes C streams (those of C++ write through them) and ends, without Python's costly finalisation and
    without the libraries', which would write to a page of each."""
    _fflush(None)
    os._exit(code)


class NamespaceInit:
    """The first process of a fresh pid namespace: killing it kills everything that the namespace holds.

    It does nothing but sleep, so it is cloned onto libc's ``pause`` with our memory and file table shared:
    some 50 microseconds instead of the millisecond that a forked Python costs. Its kernel signal rules (an
    init ignores what it has no handler for) keep programs from ending it; ``pause`` would return only after a
    handler ran, and this process installs none.
    That is also why all of them share one stack: what is on it (the address of ``pause``) is the same for
    each, and no longer needed once it sleeps.
    """

    _stack = ctypes.create_string_buffer(_INIT_STACK_BYTES)
    _top = ctypes.c_void_p((ctypes.addressof(_stack) + _INIT_STACK_BYTES) & ~0xF)

    def __init__(self) -> None:
        self.pid = _checked(_clone(_pause, self._top, _INIT_FLAGS, None))


def open_beneath(directory_fd: int, path: str) -> int:
    """Opens a file below a directory that hostile code wrote: no symlink, no way out, no waiting."""
    flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_NOCTTY
    resolve = _RESOLVE_BENEATH | _RESOLVE_NO_SYMLINKS | _RESOLVE_NO_MAGICLINKS | _RESOLVE_NO_XDEV
    how = (ctypes.c_uint64 * 3)(flags, 0, resolve)
    size = ctypes.c_size_t(ctypes.sizeof(how))
    return _checked(_libc.syscall(ctypes.c_long(_SYS_OPENAT2), directory_fd, os.fsencode(path), how, size))


def landlock_create_ruleset(attributes: tuple[int, ...] | None, flags: int) -> int:
    """Makes a ruleset (a descriptor); with None and flag 1 answers the supported version."""
    array = (ctypes.c_uint64 * len(attributes))(*attributes) if attributes else None
    size = ctypes.c_size_t(ctypes.sizeof(array) if array else 0)
    return _checked(_libc.syscall(ctypes.c_long(_SYS_LANDLOCK_CREATE_RULESET), array, size, flags))


def landlock_add_rule(ruleset: int, path_beneath: ctypes.Structure) -> None:
    """Adds a ``struct landlock_path_beneath_attr``."""
    _checked(
        _libc.syscall(
            ctypes.c_long(_SYS_LANDLOCK_ADD_RULE),
            ruleset,
            _LANDLOCK_RULE_PATH_BENEATH,
            ctypes.byref(path_beneath),
            0,
        )
    )


def landlock_restrict_self(ruleset: int) -> None:
    """Puts this process and its future children under the ruleset; needs no_new_privs."""
    _checked(_libc.syscall(ctypes.c_long(_SYS_LANDLOCK_RESTRICT_SELF), ruleset, 0))
