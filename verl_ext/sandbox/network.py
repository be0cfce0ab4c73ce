"""Network namespaces that runs take turns in: making one costs more than the rest of a jail together.

A namespace is handed to the next run only when the last one left no trace in it: no socket, no packet, no
counter that moved. Every other one is dropped, so that what a run finds is always as good as new. Nothing in
it leads out; the only interface is a loopback.
"""

from __future__ import annotations

import fcntl
import os
import socket
import struct
from pathlib import Path
from typing import NamedTuple

from verl_ext.sandbox import syscalls

_SIOCSIFFLAGS = 0x8914
_IFF_UP_RUNNING = 0x41
# Everything a program without capabilities can change: packets, counters, flow labels that outlive a socket.
_TRACES = ("dev", "snmp", "netstat", "snmp6", "ip6_flowlabel")
_MAX_TRACE_BYTES = 65536
# Descriptor, bytes to read (one more than there were, to see what is added), and what was read when new.
_Trace = tuple[int, int, bytes]


class Network(NamedTuple):
    """One namespace: its descriptor, and the files that tell what happened in it."""

    fd: int
    traces: tuple[_Trace, ...]

    def is_as_new(self) -> bool:
        """Whether nothing has happened in it."""
        for fd, num_bytes, when_new in self.traces:  # noqa: SIM110 (a generator is another object to make)
            if os.pread(fd, num_bytes, 0) != when_new:
                return False
        return True

    def close(self) -> None:
        """Lets go of it; it ends with its last process."""
        for fd in (self.fd, *(trace[0] for trace in self.traces)):
            os.close(fd)


class Networks:
    """The namespaces of one fork server, which has to be single-threaded: it visits those it makes."""

    def __init__(self) -> None:
        self._own_fd = os.open("/proc/self/ns/net", os.O_RDONLY)
        self._free: list[Network] = []

    def take(self) -> Network:
        """One that is as good as new.

        Raises:
            OSError: When none can be made.
        """
        return self._free.pop() if self._free else self._make()

    def give_back(self, network: Network) -> None:
        """To be called when the last process in it is gone."""
        if network.is_as_new():
            self._free.append(network)
        else:
            network.close()

    def _make(self) -> Network:
        syscalls.unshare(syscalls.CLONE_NEWNET)
        try:
            _raise_loopback()
            fd = os.open("/proc/self/ns/net", os.O_RDONLY)
            present = [name for name in _TRACES if Path(f"/proc/self/net/{name}").exists()]
            return Network(fd, tuple(_open_trace(name) for name in ("sockstat", *present)))
        finally:
            syscalls.setns(self._own_fd, syscalls.CLONE_NEWNET)


def _open_trace(name: str) -> _Trace:
    fd = os.open(f"/proc/self/net/{name}", os.O_RDONLY)
    when_new = os.pread(fd, _MAX_TRACE_BYTES, 0)
    if name == "sockstat":  # the sockets in use; the lines below have numbers of the whole machine
        num_bytes = when_new.index(b"\n") + 1
        return fd, num_bytes, when_new[:num_bytes]
    return fd, len(when_new) + 1, when_new


def _raise_loopback() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as interface:
        fcntl.ioctl(interface, _SIOCSIFFLAGS, struct.pack("16sh22x", b"lo", _IFF_UP_RUNNING))
