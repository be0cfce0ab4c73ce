"""The system-call filter that every jailed program runs under.

A deny list: what reaches other namespaces, other processes, the kernel's own configuration or rarely audited
corners answers EPERM; everything an ordinary program does is untouched. Only numbers live here.
"""

from __future__ import annotations

import ctypes
import errno
import os
import socket
import struct

from verl_ext.sandbox import syscalls

# name: (x86_64, aarch64); None where the architecture has no such call.
_DENIED: dict[str, tuple[int | None, int | None]] = {
    "ptrace": (101, 117),
    "syslog": (103, 116),
    "uselib": (134, None),
    "personality": (135, 92),
    "pivot_root": (155, 41),
    "adjtimex": (159, 171),
    "chroot": (161, 51),
    "acct": (163, 89),
    "settimeofday": (164, 170),
    "mount": (165, 40),
    "umount2": (166, 39),
    "swapon": (167, 224),
    "swapoff": (168, 225),
    "reboot": (169, 142),
    "sethostname": (170, 161),
    "setdomainname": (171, 162),
    "iopl": (172, None),
    "ioperm": (173, None),
    "init_module": (175, 105),
    "delete_module": (176, 106),
    "quotactl": (179, 60),
    "lookup_dcookie": (212, 18),
    "clock_settime": (227, 112),
    "kexec_load": (246, 104),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "keyctl": (250, 219),
    "unshare": (272, 97),
    "vmsplice": (278, 75),
    "perf_event_open": (298, 241),
    "fanotify_init": (300, 262),
    "name_to_handle_at": (303, 264),
    "open_by_handle_at": (304, 265),
    "clock_adjtime": (305, 266),
    "setns": (308, 268),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "kcmp": (312, 272),
    "finit_module": (313, 273),
    "kexec_file_load": (320, 294),
    "bpf": (321, 280),
    "userfaultfd": (323, 282),
}
# Make memory that no process's size shows; harmless where a control group counts it.
_UNOWNED_MEMORY: dict[str, tuple[int | None, int | None]] = {
    "shmget": (29, 194),
    "msgget": (68, 186),
    "memfd_create": (319, 279),
    "memfd_secret": (447, 447),
}
# Calls numbered alike everywhere: 425-433 io_uring and the new mount API, 442-443 mount_setattr, quotactl_fd.
_DENIED_RANGES = ((425, 433), (442, 443))
_CLONE3 = 435
_CLONE = (56, 220)
_SOCKET = (41, 198)
_SOCKETPAIR = (53, 199)
_AUDIT_ARCH = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_NAMESPACE_FLAGS = 0x7E020080  # every CLONE_NEW*, CLONE_NEWTIME included

_LOAD, _JEQ, _JGT, _JGE, _JSET, _RETURN = 0x20, 0x15, 0x25, 0x35, 0x45, 0x06
_ALLOW = 0x7FFF0000
_KILL = 0x80000000
_DENY = 0x00050000 | errno.EPERM
_ABSENT = 0x00050000 | errno.ENOSYS
_NUMBER, _ARCH, _ARG0 = 0, 4, 16


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_char_p))


def build_filter(machine: str, *, sockets: bool = True, unowned_memory: bool = True) -> bytes | None:
    """Compiles the deny list to classic BPF.

    Args:
        machine: ``os.uname().machine``.
        sockets: Whether sockets may be made (harmless in an empty network namespace); pairs always may.
        unowned_memory: Whether memory may be made that does not count towards any process.

    Returns:
        The instructions, or None for an architecture whose numbers are not in the table.

    Source: Documentation/userspace-api/seccomp_filter.rst; struct seccomp_data {nr, arch, ip, args[6]}.
    """
    if machine not in _AUDIT_ARCH:
        return None
    column = list(_AUDIT_ARCH).index(machine)
    families = [socket.AF_UNIX, socket.AF_INET, socket.AF_INET6, socket.AF_NETLINK] if sockets else []
    program: list[tuple[int, int, int, int]] = [
        (_LOAD, 0, 0, _ARCH),
        (_JEQ, 1, 0, _AUDIT_ARCH[machine]),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, _NUMBER),
    ]
    if machine == "x86_64":
        program += [(_JGE, 0, 1, 0x40000000), (_RETURN, 0, 0, _ABSENT)]  # the x32 twins of every call
    program += [(_JEQ, 0, 1, _CLONE3), (_RETURN, 0, 0, _ABSENT)]  # flags behind a pointer; libc falls back
    program += [
        (_JEQ, 0, 3, _CLONE[column]),
        (_LOAD, 0, 0, _ARG0),
        (_JSET, 0, 1, _NAMESPACE_FLAGS & ~0x80),
        (_RETURN, 0, 0, _DENY),
        (_LOAD, 0, 0, _NUMBER),
    ]
    for number, allowed in ((_SOCKET[column], families), (_SOCKETPAIR[column], [socket.AF_UNIX])):
        # Only namespaced families: a vsock, for one, would reach the host through any network namespace.
        tests = [(_JEQ, len(allowed) - i, 0, int(family)) for i, family in enumerate(allowed)]
        program += [
            (_JEQ, 0, len(tests) + 3, number),
            (_LOAD, 0, 0, _ARG0),
            *tests,
            (_RETURN, 0, 0, _DENY),
            (_RETURN, 0, 0, _ALLOW),
        ]
    for low, high in _DENIED_RANGES:
        program += [(_JGE, 0, 2, low), (_JGT, 1, 0, high), (_RETURN, 0, 0, _DENY)]
    table = _DENIED if unowned_memory else _DENIED | _UNOWNED_MEMORY
    columns = [numbers[column] for numbers in table.values()]
    denied = [number for number in columns if number is not None]
    program += [(_JEQ, len(denied) - i, 0, number) for i, number in enumerate(denied)]
    program += [(_RETURN, 0, 0, _ALLOW), (_RETURN, 0, 0, _DENY)]
    return b"".join(struct.pack("=HBBI", *instruction) for instruction in program)


def native_filter(*, sockets: bool = True, unowned_memory: bool = True) -> bytes | None:
    """The filter for this machine; None when its architecture is unknown."""
    return build_filter(os.uname().machine, sockets=sockets, unowned_memory=unowned_memory)


def install(filter_bytes: bytes) -> None:
    """Puts this process and all its future children under the filter; needs no_new_privs set before."""
    program = _Program(len(filter_bytes) // 8, filter_bytes)
    syscalls.prctl(syscalls.PR_SET_SECCOMP, syscalls.SECCOMP_MODE_FILTER, program)
