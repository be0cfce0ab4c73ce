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

from verl_ext.sandbox.syscalls import PR_SET_SECCOMP, SECCOMP_MODE_FILTER, prctl

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
# Make objects with a name that belongs to an IPC namespace.
_IPC: dict[str, tuple[int | None, int | None]] = {
    "shmget": (29, 194),
    "semget": (64, 190),
    "msgget": (68, 186),
    "mq_open": (240, 180),
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

# Code, jump if true, jump if false, operand.
_Instruction = tuple[int, int, int, int]
# First and last number, and what to do about them; that ends in a return.
_Rule = tuple[int, int, list[_Instruction]]
_ALLOWS: list[_Instruction] = [(_RETURN, 0, 0, _ALLOW)]
_DENIES: list[_Instruction] = [(_RETURN, 0, 0, _DENY)]
_IS_ABSENT: list[_Instruction] = [(_RETURN, 0, 0, _ABSENT)]


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_char_p))


def build_filter(machine: str, *, namespaced: bool = True, unowned_memory: bool = True) -> bytes | None:
    """Compiles the deny list to classic BPF.

    Args:
        machine: ``os.uname().machine``.
        namespaced: Whether the program has namespaces of its own. Else it may make no sockets (but pairs)
            and no IPC objects, which outlive it and which all others find.
        unowned_memory: Whether memory may be made that does not count towards any process.

    Returns:
        The instructions, or None for an architecture whose numbers are not in the table.

    Source: Documentation/userspace-api/seccomp_filter.rst; struct seccomp_data {nr, arch, ip, args[6]}.
    """
    if machine not in _AUDIT_ARCH:
        return None
    column = list(_AUDIT_ARCH).index(machine)
    families = [socket.AF_UNIX, socket.AF_INET, socket.AF_INET6, socket.AF_NETLINK] if namespaced else []
    table = _DENIED | ({} if unowned_memory else _UNOWNED_MEMORY) | ({} if namespaced else _IPC)
    denied = {number for row in table.values() if (number := row[column]) is not None}
    denied.update(*(range(low, high + 1) for low, high in _DENIED_RANGES))
    first = sorted(number for number in denied if number - 1 not in denied)
    last = sorted(number for number in denied if number + 1 not in denied)
    rules: list[_Rule] = [(low, high, _DENIES) for low, high in zip(first, last, strict=True)]
    rules.append((_CLONE3, _CLONE3, _IS_ABSENT))  # flags behind a pointer; libc falls back
    has_namespace_flag = (_JSET, 0, 1, _NAMESPACE_FLAGS & ~0x80)
    rules.append(
        (_CLONE[column], _CLONE[column], [(_LOAD, 0, 0, _ARG0), has_namespace_flag, *_DENIES, *_ALLOWS])
    )
    rules.append((_SOCKET[column], _SOCKET[column], _one_of(families)))
    rules.append((_SOCKETPAIR[column], _SOCKETPAIR[column], _one_of([socket.AF_UNIX])))
    if machine == "x86_64":
        rules.append((0x40000000, 0xFFFFFFFF, _IS_ABSENT))  # the x32 twins of every call
    program = [
        (_LOAD, 0, 0, _ARCH),
        (_JEQ, 1, 0, _AUDIT_ARCH[machine]),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, _NUMBER),
        *_search(sorted(rules)),
    ]
    return b"".join(struct.pack("=HBBI", *instruction) for instruction in program)


def _one_of(families: list[socket.AddressFamily]) -> list[_Instruction]:
    """Allows those only. Others have no namespaces: a vsock, for one, would reach the host from any."""
    tests = [(_JEQ, len(families) - i, 0, int(family)) for i, family in enumerate(families)]
    return [(_LOAD, 0, 0, _ARG0), *tests, *_DENIES, *_ALLOWS]


def _search(rules: list[_Rule]) -> list[_Instruction]:
    """Applies the rule of the loaded number by binary search, and allows what has none.

    The kernel walks a new filter once for each number there is: every run pays for its depth, not for its
    length.
    """
    if len(rules) == 1:
        low, high, instructions = rules[0]
        length = len(instructions)
        return [(_JGE, 0, length + 1, low), (_JGT, length, 0, high), *instructions, *_ALLOWS]
    middle = len(rules) // 2
    below = _search(rules[:middle])
    return [(_JGE, len(below), 0, rules[middle][0]), *below, *_search(rules[middle:])]


def native_filter(*, namespaced: bool = True, unowned_memory: bool = True) -> object | None:
    """The filter for this machine, to be installed; None when its architecture is unknown."""
    code = build_filter(os.uname().machine, namespaced=namespaced, unowned_memory=unowned_memory)
    return None if code is None else ctypes.byref(_Program(len(code) // 8, code))


def install(native: object) -> None:
    """Puts this process and all its future children under the filter; needs no_new_privs set before."""
    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, native)
