"""Isolation tiers behind one face, as the fork server uses them.

``NamespaceTier`` is tier A (built from ``jail``); tiers B and C are ``supervised``. A tier forks, confines
the child, and can kill everything that came of it.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from verl_ext.sandbox import jail, seccomp, syscalls
from verl_ext.sandbox.limits import StageLimits
from verl_ext.sandbox.network import Networks
from verl_ext.sandbox.supervised import SupervisedTier


class Run(Protocol):
    """What was forked for one stage. ``pid`` is 0 in the child that is to run the program."""

    pid: int

    def cpu_s(self) -> float:
        """CPU seconds the program has used so far."""
        ...

    def kill(self) -> None:
        """Sends SIGKILL to everything the stage started; harmless when nothing is left."""
        ...

    def roots(self) -> Sequence[int]:
        """Processes that all of the run's descend from, the one that inherits orphans last."""
        ...

    def collect(self) -> tuple[int, float, int]:
        """Once ``pid`` has ended: the program's wait status, CPU seconds and peak memory in KiB."""
        ...

    def lost(self) -> bool:
        """After ``collect``: whether the process that held the run together ended before we ended it, so that
        what was collected says nothing about the program."""
        ...

    def remaining_fd(self) -> int | None:
        """A descriptor that becomes readable once nothing is left; None when that is so already."""
        ...

    def reap(self) -> None:
        """Called once nothing is left: releases what was held."""
        ...


class Tier(Protocol):
    """One way to confine programs."""

    def prepare(self, read_only_paths: tuple[str, ...]) -> None:
        """Once, in the fork server, before any run."""
        ...

    def fork(self, uid: int | None, keep_fds: Sequence[int], disown: Callable[[], None]) -> Run:
        """Forks; returns in the fork server and in the child that is to run the program.

        Args:
            uid: User the program gets; None when it keeps ours.
            keep_fds: Descriptors the child needs.
            disown: Gives up what belongs to the fork server; for processes that are not the program.
        """
        ...

    def enter_run(self, limits: StageLimits, uid: int | None, payload: dict[str, Any]) -> str:
        """In the child: takes away what the program must not have; returns the working directory."""
        ...

    def extra_processes(self) -> int:
        """Processes that count towards a run's limit without being its own."""
        ...

    def seal(self) -> None:
        """In the child, last of all: the system-call filter."""
        ...


class _NamespaceRun:
    def __init__(self, networks: Networks) -> None:
        self._networks = networks
        self._network = networks.take()
        self._init = syscalls.NamespaceInit()
        self._init_fd = os.pidfd_open(self._init.pid)
        self._killed = False
        self._lost = False
        self.pid = -1

    def fork(self, own_namespace_fd: int) -> None:
        syscalls.setns(self._init_fd, syscalls.CLONE_NEWPID)
        try:
            self.pid = os.fork()
        finally:
            if self.pid != 0:
                syscalls.setns(own_namespace_fd, syscalls.CLONE_NEWPID)

    def enter_network(self) -> None:
        """In the child."""
        syscalls.setns(self._network.fd, syscalls.CLONE_NEWNET)

    def cpu_s(self) -> float:
        return syscalls.cpu_seconds(self.pid)

    def kill(self) -> None:
        self._killed = True
        signal.pidfd_send_signal(self._init_fd, signal.SIGKILL)

    def roots(self) -> Sequence[int]:
        return (self.pid, self._init.pid)

    def collect(self) -> tuple[int, float, int]:
        _, status, usage = os.wait4(self.pid, 0)
        self._lost = not self._killed and os.WIFSIGNALED(status) and syscalls.is_exiting(self._init.pid)
        return status, usage.ru_utime + usage.ru_stime, usage.ru_maxrss

    def lost(self) -> bool:
        return self._lost

    def remaining_fd(self) -> int | None:
        return self._init_fd

    def reap(self) -> None:
        os.waitpid(self._init.pid, 0)
        os.close(self._init_fd)
        self._networks.give_back(self._network)


class NamespaceTier:
    """Tier A: everything fresh per run, and the pid namespace's init as the kill switch."""

    def __init__(self, memory_counted: bool) -> None:
        self._memory_counted = memory_counted
        self._filter: object | None = None
        self._own_namespace_fd = -1
        self._networks: Networks | None = None

    def prepare(self, read_only_paths: tuple[str, ...]) -> None:
        jail.enter_outer_namespaces()
        _go_on_as_namespace_init()
        jail.build_system(read_only_paths)
        self._filter = seccomp.native_filter(unowned_memory=self._memory_counted)
        self._own_namespace_fd = os.open("/proc/self/ns/pid", os.O_RDONLY)
        self._networks = Networks()

    def fork(self, uid: int | None, keep_fds: Sequence[int], disown: Callable[[], None]) -> Run:
        assert self._networks is not None
        run = _NamespaceRun(self._networks)
        try:
            run.fork(self._own_namespace_fd)
        except OSError:
            run.kill()
            run.reap()
            raise
        if run.pid == 0:
            run.enter_network()  # what is the fork server's is closed together with all other descriptors
        return run

    def enter_run(self, limits: StageLimits, uid: int | None, payload: dict[str, Any]) -> str:
        jail.enter_run(limits, uid)
        return jail.WORK_DIR

    def extra_processes(self) -> int:
        return 0

    def seal(self) -> None:
        if self._filter is not None:
            seccomp.install(self._filter)


def _go_on_as_namespace_init() -> None:
    """Forks: the child goes on as first process of the new pid namespace, the parent only waits for it.

    Both die with the server, and everything in the namespace dies with the child.
    """
    syscalls.prctl(syscalls.PR_SET_PDEATHSIG, signal.SIGKILL)
    child = os.fork()
    if child != 0:
        os.waitpid(child, 0)
        os._exit(0)
    syscalls.prctl(syscalls.PR_SET_PDEATHSIG, signal.SIGKILL)


def make_tier(name: str, *, memory_counted: bool) -> Tier:
    """The tier of that name.

    Args:
        name: ``A``, ``B`` or ``C``.
        memory_counted: Whether control groups count all memory of a run.

    Raises:
        ValueError: For an unknown name.
    """
    if name == "A":
        return NamespaceTier(memory_counted)
    if name in ("B", "C"):
        return SupervisedTier(confined=name == "B", memory_counted=memory_counted)
    raise ValueError(f"unknown isolation tier {name!r}")
