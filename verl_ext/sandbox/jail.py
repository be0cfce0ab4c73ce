"""Tier A isolation: a read-only system shared by all runs, and fresh namespaces for each.

``build_system`` runs once in a fork server and leaves it on a minimal read-only root; ``enter_run`` runs in
the forked child of each run, before any foreign code. Nothing is ever created on the host's file system: the
working directory is a tmpfs that vanishes with the run's last process.
"""

from __future__ import annotations

import contextlib
import os
import socket
import sys
from collections.abc import Iterator
from os import chdir, mkdir, setgroups, setresgid, setresuid, setsid
from pathlib import Path

from verl_ext.sandbox import syscalls
from verl_ext.sandbox.limits import StageLimits
from verl_ext.sandbox.syscalls import MS_NOEXEC, PR_SET_DUMPABLE, PR_SET_NO_NEW_PRIVS, mount, prctl, unshare

SCRATCH = "/tmp"
WORK_DIR = "/tmp/work"
_UID_IN_USER_NAMESPACE = 1000
# Where the new root is put together; it exists everywhere and holds nothing that has to be bound.
_STAGING = "/sys"
_SYSTEM_PATHS = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
_ETC_FILES = (
    "ld.so.cache",
    "ld.so.conf",
    "localtime",
    "nsswitch.conf",
    "mime.types",
    "protocols",
    "services",
)
_ETC_FOLDERS = ("alternatives", "ld.so.conf.d")
_DEVICES = ("null", "zero", "full", "random", "urandom")
_MAX_FILES = 20_000
# Parts of the interpreter that a mount on the scratch folder hides.
_COVERED = sorted(path for path in {sys.base_prefix, sys.prefix} if path.startswith(f"{SCRATCH}/"))
# The network namespace of a run comes from ``network``.
_PER_RUN = syscalls.CLONE_NEWNS | syscalls.CLONE_NEWIPC | syscalls.CLONE_NEWUTS
_MOUNT_FLAGS = syscalls.MS_NOSUID | syscalls.MS_NODEV
_SCRATCH_BYTES = SCRATCH.encode()


def enter_outer_namespaces() -> None:
    """Moves this process (its children, for the pid namespace) away from the host; without root by a user
    namespace in which the caller is root."""
    flags = _PER_RUN | syscalls.CLONE_NEWNET | syscalls.CLONE_NEWPID
    if os.geteuid() == 0:
        syscalls.unshare(flags)
    else:
        uid, gid = os.geteuid(), os.getegid()
        syscalls.unshare(flags | syscalls.CLONE_NEWUSER)
        _map_identity(0, uid, 0, gid)
    socket.sethostname("sandbox")


def _map_identity(inner_uid: int, outer_uid: int, inner_gid: int, outer_gid: int) -> None:
    for name, text in (
        ("setgroups", "deny"),
        ("uid_map", f"{inner_uid} {outer_uid} 1"),
        ("gid_map", f"{inner_gid} {outer_gid} 1"),
    ):
        fd = os.open(f"/proc/self/{name}", os.O_WRONLY)
        os.write(fd, text.encode())
        os.close(fd)


def build_system(extra_paths: tuple[str, ...] = ()) -> None:
    """Pivots this mount namespace onto a read-only root that holds the toolchains and nothing private.

    Args:
        extra_paths: Further absolute paths to show, read-only.
    """
    syscalls.mount(b"none", b"/", None, syscalls.MS_PRIVATE | syscalls.MS_REC)
    root = Path(_STAGING)
    syscalls.mount(b"tmpfs", bytes(root), b"tmpfs", _MOUNT_FLAGS, b"mode=0755,size=16m")
    bound: list[Path] = []
    wanted = [*_SYSTEM_PATHS, sys.base_prefix, sys.prefix, *extra_paths]
    for path in sorted({Path(p) for p in wanted} | {Path(p).resolve() for p in wanted}):
        if path.is_symlink():
            target = root / path.relative_to("/")
            target.parent.mkdir(parents=True, exist_ok=True)
            if not target.is_symlink():
                target.symlink_to(path.readlink())
        elif path.is_dir() and not any(path.is_relative_to(other) for other in bound):
            _bind_read_only(path, root)
            bound.append(path)
    _make_etc(root)
    _make_devices(root)
    for name in ("proc", "tmp"):
        (root / name).mkdir(exist_ok=True)
    syscalls.mount(b"proc", bytes(root / "proc"), b"proc", _MOUNT_FLAGS | MS_NOEXEC)
    syscalls.mount(
        b"none", bytes(root), None, _MOUNT_FLAGS | syscalls.MS_REMOUNT | syscalls.MS_BIND | syscalls.MS_RDONLY
    )
    os.chdir(_STAGING)
    syscalls.pivot_root(".", ".")
    syscalls.umount(".", syscalls.MNT_DETACH)
    os.chdir("/")


def _bind_read_only(path: Path, root: Path) -> None:
    target = root / path.relative_to("/")
    target.mkdir(parents=True, exist_ok=True)
    syscalls.mount(bytes(path), bytes(target), None, syscalls.MS_BIND | syscalls.MS_REC)
    syscalls.make_read_only(str(target))


def _make_etc(root: Path) -> None:
    etc = root / "etc"
    etc.mkdir(exist_ok=True)
    for name in _ETC_FILES:
        with contextlib.suppress(OSError):
            (etc / name).write_bytes((Path("/etc") / name).read_bytes())
    for name in _ETC_FOLDERS:
        if (Path("/etc") / name).is_dir():
            _bind_read_only(Path("/etc") / name, root)
    (etc / "passwd").write_text(f"root:x:0:0::/:/bin/sh\nsandbox:x:1000:1000::{WORK_DIR}:/bin/sh\n")
    (etc / "group").write_text("root:x:0:\nsandbox:x:1000:\n")
    (etc / "hosts").write_text("127.0.0.1 localhost sandbox\n::1 localhost\n")


def _make_devices(root: Path) -> None:
    dev = root / "dev"
    dev.mkdir(exist_ok=True)
    for name in _DEVICES:
        (dev / name).touch()
        syscalls.mount(b"/dev/" + name.encode(), bytes(dev / name), None, syscalls.MS_BIND)
    for link, target in (("fd", "fd"), ("stdin", "fd/0"), ("stdout", "fd/1"), ("stderr", "fd/2")):
        (dev / link).symlink_to(f"/proc/self/{target}")
    (dev / "shm").symlink_to(SCRATCH)


def enter_run(limits: StageLimits, uid: int | None) -> None:
    """Gives this freshly forked process its own namespaces (but for the network's), working directory and
    powerless identity.

    Args:
        limits: The stage's limits; here the size of the working directory counts.
        uid: User to become when the server is root; None without root, where a nested user namespace gives
            each run its own count of processes.
    """
    setsid()  # a signal to process group 0 must not reach the fork server
    unshare(_PER_RUN)
    owner = 0 if uid is None else uid
    options = b"size=%dm,nr_inodes=%d,mode=0700,uid=%d,gid=%d" % (limits.disk_mb, _MAX_FILES, owner, owner)
    if _COVERED:
        with _kept_in_sight():
            mount(b"tmpfs", _SCRATCH_BYTES, b"tmpfs", _MOUNT_FLAGS, options)
    else:
        mount(b"tmpfs", _SCRATCH_BYTES, b"tmpfs", _MOUNT_FLAGS, options)
    mount(b"proc", b"/proc", b"proc", _MOUNT_FLAGS | MS_NOEXEC, b"subset=pid,hidepid=2")
    if uid is None:
        syscalls.unshare(syscalls.CLONE_NEWUSER)
        _map_identity(_UID_IN_USER_NAMESPACE, 0, _UID_IN_USER_NAMESPACE, 0)
        syscalls.drop_capabilities()
    else:
        setgroups([])
        setresgid(uid, uid, uid)
        setresuid(uid, uid, uid)
    prctl(PR_SET_DUMPABLE, 1)  # else /proc/self/fd, and so /dev/stdin, belongs to root
    prctl(PR_SET_NO_NEW_PRIVS, 1)
    mkdir(WORK_DIR)  # noqa: PTH102 - a Path costs a fresh fork some 20 page faults
    chdir(WORK_DIR)


@contextlib.contextmanager
def _kept_in_sight() -> Iterator[None]:
    """Shows an interpreter that lives below the scratch folder again after a mount there has covered it."""
    opened = {path: os.open(path, os.O_PATH | os.O_DIRECTORY) for path in _COVERED}
    yield
    for path, fd in opened.items():
        Path(path).mkdir(parents=True, exist_ok=True)
        syscalls.mount(b"/proc/self/fd/%d" % fd, path.encode(), None, syscalls.MS_BIND | syscalls.MS_REC)
        syscalls.make_read_only(path)
        os.close(fd)
