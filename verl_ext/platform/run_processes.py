"""What a run on this machine leaves behind: processes and shared memory.

Ray ends its workers with SIGKILL, so vLLM's engine processes and its segments in /dev/shm can outlive
a run. Owns the record of what belonged to the run and the clean-up after it. Only a Ray that this
process started counts; on a cluster somebody else's Ray outlives the run rightly.
"""

import re
from contextlib import suppress
from pathlib import Path

import psutil

SHARED_MEMORY = Path("/dev/shm")
# Python's shared memory and semaphores, and verl's weight buckets.
_PATTERNS = ("psm_*", "sem.mp-*", "verl_weights_*")
# A semaphore is mapped under a name that is gone; the inode is what stays.
_INODE = re.compile(rf" (\d+) +{SHARED_MEMORY}/")
_RAYLET = "raylet"


class RunProcesses:
    """The processes below this process's Ray node, and the segments they mapped.

    Call `observe` now and then while the run lives, and `clean` when Ray has been shut down.
    """

    def __init__(self) -> None:
        self._processes: set[psutil.Process] = set()
        self._inodes: set[int] = set()

    def observe(self) -> None:
        """Note what exists now. A process that ends meanwhile is skipped."""
        raylets = [child for child in psutil.Process().children() if process_name(child) == _RAYLET]
        for raylet in raylets:
            with suppress(psutil.Error):
                self._processes.update(raylet.children(recursive=True))
        for process in self._processes:
            self._inodes |= mapped_inodes(process.pid)

    def clean(self, timeout_s: float) -> list[str]:
        """End what still runs and remove its segments.

        Args:
            timeout_s: how long processes may take to end by themselves, in seconds.

        Returns:
            What had to be ended or removed, for a log line.
        """
        _, alive = psutil.wait_procs(self._processes, timeout=timeout_s)
        cleaned = []
        for process in alive:
            if process_status(process) in (None, psutil.STATUS_ZOMBIE):
                continue
            cleaned.append(f"process {process.pid} {process_name(process)}")
            with suppress(psutil.Error):
                process.kill()
        psutil.wait_procs(alive, timeout=timeout_s)
        for path in segments(self._inodes):
            path.unlink(missing_ok=True)
            cleaned.append(str(path))
        self._processes.clear()
        self._inodes.clear()
        return cleaned


def process_name(process: psutil.Process) -> str:
    """The process's name, or an empty string when it is gone."""
    try:
        return process.name()
    except psutil.Error:
        return ""


def process_status(process: psutil.Process) -> str | None:
    """The process's status, or None when it is gone."""
    try:
        return process.status()
    except psutil.Error:
        return None


def mapped_inodes(pid: int) -> set[int]:
    """Inodes of the shared memory that a process has mapped; none when it is gone."""
    try:
        return {int(inode) for inode in _INODE.findall(Path(f"/proc/{pid}/maps").read_text())}
    except OSError:
        return set()


def segments(inodes: set[int]) -> list[Path]:
    """The segments with these inodes that still exist, sorted by name."""
    found = []
    for pattern in _PATTERNS:
        for path in SHARED_MEMORY.glob(pattern):
            with suppress(FileNotFoundError):
                if path.stat().st_ino in inodes:
                    found.append(path)
    return sorted(found)
