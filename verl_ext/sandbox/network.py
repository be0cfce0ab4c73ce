"""Network namespaces that runs take turns in: making one costs more than the rest of a jail together.

A namespace is handed to the next run only when the last one left no trace in it: no socket, no packet, no
counter that moved. Every other one is dropped, so that what a run finds is always as good as new. Nothing in
it leads out; the only interface is a loopback.
"""

from __future__ import annotations

import fcntl
import os
import re
import socket
import struct
from dataclasses import dataclass
from pathlib import Path

from verl_ext.sandbox import syscalls

_SIOCSIFFLAGS = 0x8914
_IFF_UP_RUNNING = 0x41
# Everything a program without capabilities can change: packets, counters, flow labels that outlive a socket.
_TRACES = ("dev", "snmp", "netstat", "snmp6", "ip6_flowlabel")
# The other numbers of this file are those of the whole machine.
_SOCKETS_USED = re.compile(rb"sockets: used \d+")
_MAX_TRACE_BYTES = 65536


@dataclass(frozen=True, slots=True)
class Network:
    """One namespace: its descriptor, the files that tell what happened in it, and what they said when new."""

    fd: int
    sockets_fd: int
    trace_fds: tuple[int, ...]
    when_new: tuple[bytes, ...]

    def close(self) -> None:
        """Lets go of it; it ends with its last process."""
        for fd in (self.fd, self.sockets_fd, *self.trace_fds):
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
        if _read_traces(network.sockets_fd, network.trace_fds) == network.when_new:
            self._free.append(network)
        else:
            network.close()

    def _make(self) -> Network:
        syscalls.unshare(syscalls.CLONE_NEWNET)
        try:
            _raise_loopback()
            fd, sockets_fd = (
                os.open(f"/proc/self/{name}", os.O_RDONLY) for name in ("ns/net", "net/sockstat")
            )
            present = [
                f"/proc/self/net/{name}" for name in _TRACES if Path(f"/proc/self/net/{name}").exists()
            ]
            trace_fds = tuple(os.open(path, os.O_RDONLY) for path in present)
        finally:
            syscalls.setns(self._own_fd, syscalls.CLONE_NEWNET)
        return Network(fd, sockets_fd, trace_fds, _read_traces(sockets_fd, trace_fds))


def _read_traces(sockets_fd: int, trace_fds: tuple[int, ...]) -> tuple[bytes, ...]:
    used = _SOCKETS_USED.search(os.pread(sockets_fd, _MAX_TRACE_BYTES, 0))
    assert used is not None
    return (used.group(), *(os.pread(fd, _MAX_TRACE_BYTES, 0) for fd in trace_fds))


def _raise_loopback() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as interface:
        fcntl.ioctl(interface, _SIOCSIFFLAGS, struct.pack("16sh22x", b"lo", _IFF_UP_RUNNING))
