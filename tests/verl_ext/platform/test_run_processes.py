"""A run leaves no process and no shared memory behind."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from verl_ext.platform.run_processes import SHARED_MEMORY, RunProcesses, mapped_inodes

# As Ray's node and a vLLM process below it: the child maps a segment and a semaphore and waits.
CHILD = """
import time
from multiprocessing import get_context, resource_tracker, shared_memory
segment = shared_memory.SharedMemory(create=True, size=4096)
resource_tracker.unregister(segment._name, "shared_memory")
lock = get_context("spawn").Lock()
resource_tracker.unregister(lock._semlock.name, "semaphore")
print(segment.name, "sem." + lock._semlock.name.strip("/"), flush=True)
time.sleep(120)
"""
PARENT = "import subprocess, sys; subprocess.run([sys.argv[1], '-c', sys.argv[2]])"


@pytest.fixture
def left_behind(tmp_path: Path) -> Iterator[list[Path]]:
    """What a process below a stand-in for Ray's node, known by its name, holds in shared memory."""
    raylet = tmp_path / "raylet"
    raylet.symlink_to(sys.executable)
    parent = subprocess.Popen(
        [raylet, "-c", PARENT, sys.executable, CHILD], stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout is not None
    yield [SHARED_MEMORY / name for name in parent.stdout.readline().split()]
    parent.kill()
    parent.wait()
    parent.stdout.close()


def test_what_a_killed_run_left_is_ended_and_removed(left_behind: list[Path]) -> None:
    assert [path.exists() for path in left_behind] == [True, True]
    run = RunProcesses()
    run.observe()

    cleaned = run.clean(timeout_s=0.1)

    assert [path.exists() for path in left_behind] == [False, False]
    assert {line.split()[0] for line in cleaned} == {"process", *map(str, left_behind)}
    assert run.clean(timeout_s=0.1) == []


def test_a_process_that_is_gone_maps_nothing() -> None:
    assert mapped_inodes(2**22 + 1) == set()


def test_what_belongs_to_nobody_of_the_run_is_left_alone() -> None:
    run = RunProcesses()
    run.observe()

    assert run.clean(timeout_s=0.1) == []
