"""Resource limits of one stage, and how they become rlimits.

Wall-clock and CPU deadlines are watched from outside (``fork_server``); what is set here is what the kernel
enforces by itself, on each process of the stage.

The fork server's modules have named tuples: ``dataclasses`` comes with ``inspect`` and ``ast``, 1.4 MB whose
page tables each fork would copy.
"""

from __future__ import annotations

import functools
import math
import os
import resource
from typing import NamedTuple

MIB = 1 << 20
# Kind, and soft and hard value: what ``setrlimit`` takes.
RLimits = tuple[tuple[int, tuple[int, int]], ...]
_ADDRESS_SPACE_SLACK_MB = 1024


class StageLimits(NamedTuple):
    """What one stage may use.

    Attributes:
        wall_s: Wall-clock seconds.
        cpu_s: CPU seconds of the program; None means that only the wall clock counts.
        memory_mb: MiB of writable private memory per process, beyond what its interpreter starts with; and,
            with ``stack_mb``, of all processes together.
        disk_mb: MiB of the working directory, temporary files included.
        processes: Processes and threads.
        open_files: File descriptors per process.
        stack_mb: MiB of the main thread's stack.
        bounded_address_space: Also bound the address space. Off for runtimes that reserve far more than they
            use (V8).
    """

    wall_s: float
    cpu_s: float | None = None
    memory_mb: int = 1024
    disk_mb: int = 256
    processes: int = 128
    open_files: int = 512
    stack_mb: int = 64
    bounded_address_space: bool = True

    @property
    def run_memory_bytes(self) -> int:
        """Memory of all processes of the run together, main stacks included."""
        return (self.memory_mb + self.stack_mb) * MIB


@functools.lru_cache(maxsize=256)
def rlimits(limits: StageLimits, baseline_bytes: int, extra_processes: int) -> RLimits:
    """The rlimits that a process with these limits gets, hard and soft alike.

    Memory is bounded through ``RLIMIT_DATA``: unlike the address space it does not count what is only
    reserved (thread stacks, arenas), so that a limit in MiB means nearly what its author thinks. Shared
    mappings escape it; the address-space limit is the wider net under those.

    Args:
        limits: The stage's limits.
        baseline_bytes: Address space this process has before the program starts.
        extra_processes: Processes of the same user that are not the program's.
    """
    memory = limits.memory_mb * MIB
    cpu_s = limits.wall_s * (os.cpu_count() or 1) if limits.cpu_s is None else limits.cpu_s
    # The kernel counts whole seconds; the exact limit is watched from outside, this is for stray children.
    cpu = math.ceil(cpu_s) + 1
    settings = {
        resource.RLIMIT_CORE: 1,  # at 0 the kernel would still start a handler that is fed by a pipe
        resource.RLIMIT_CPU: cpu,
        resource.RLIMIT_FSIZE: limits.disk_mb * MIB,
        resource.RLIMIT_NOFILE: limits.open_files,
        resource.RLIMIT_STACK: limits.stack_mb * MIB,
        resource.RLIMIT_NPROC: limits.processes + extra_processes,
        resource.RLIMIT_DATA: baseline_bytes + memory,
    }
    if limits.bounded_address_space:
        settings[resource.RLIMIT_AS] = baseline_bytes + 2 * memory + _ADDRESS_SPACE_SLACK_MB * MIB
    for kind, value in settings.items():
        hard = resource.getrlimit(kind)[1]
        settings[kind] = value if hard == resource.RLIM_INFINITY else min(value, hard)
    return tuple((kind, (value, value)) for kind, value in settings.items())
