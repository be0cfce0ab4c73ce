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
_SEGMENT = re.compile(rf"{SHARED_MEMORY}/((?:psm_|sem\.mp-|verl_weights_)[\w-]+)")
_RAYLET = "raylet"


class RunProcesses:
    """The processes below this process's Ray node, and the segments they mapped.

    Call `observe` now and then while the run lives, and `clean` when Ray has been shut down.
    """

    def __init__(self) -> None:
        self._processes: set[psutil.Process] = set()
        self._segments: set[str] = set()

    def observe(self) -> None:
        """Note what exists now. A process that ends meanwhile is skipped."""
        raylets = [child for child in psutil.Process().children() if process_name(child) == _RAYLET]
        for raylet in raylets:
            with suppress(psutil.Error):
                self._processes.update(raylet.children(recursive=True))
        for process in self._processes:
            self._segments |= mapped_segments(process.pid)

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
        for segment in sorted(self._segments):
            path = SHARED_MEMORY / segment
            if path.exists():
                path.unlink(missing_ok=True)
                cleaned.append(str(path))
        self._processes.clear()
        self._segments.clear()
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


def mapped_segments(pid: int) -> set[str]:
    """Names of the shared-memory segments that a process has mapped; none when it is gone."""
    try:
        return set(_SEGMENT.findall(Path(f"/proc/{pid}/maps").read_text()))
    except OSError:
        return set()
