"""The memory of all processes of a run together is held, in every tier, with control groups and without."""

from __future__ import annotations

import asyncio
import os
from typing import Any

import aiohttp
import pytest

from verl_ext.sandbox.client import HttpSandbox
from verl_ext.sandbox.protocol import RunRequest, StageResult

# Each child says that it holds its memory, then keeps it.
_CHILDREN = """
import mmap, os, sys, time
children = []
for _ in range(8):
    pid = os.fork()
    if pid == 0:
        {hold}
        os.write(1, b"held\\n")
        time.sleep(20)
        os._exit(0)
    children.append(pid)
for pid in children: os.waitpid(pid, 0)
print("all done")
"""
_HOLDS = {
    "private": "block = b'x' * (80 << 20)",
    "shared": "block = mmap.mmap(-1, 80 << 20); [block.write(b'x' * (1 << 20)) for _ in range(80)]",
}


async def run(jail: HttpSandbox, code: str, **fields: object) -> StageResult:
    result = await jail.run(RunRequest(code=code, **fields))  # type: ignore[arg-type]
    assert result.run is not None
    return result.run


@pytest.mark.parametrize("hold", _HOLDS.values(), ids=_HOLDS)
async def test_many_children_are_held_together(hold: str, jail: HttpSandbox) -> None:
    stage = await run(jail, _CHILDREN.format(hold=hold), run_timeout_s=30, memory_limit_mb=100)
    assert stage.memory_exceeded
    assert "all done" not in stage.stdout
    assert (await run(jail, "print('next')")).stdout == "next\n"


async def test_eight_children_of_300_mb_are_held(jail: HttpSandbox) -> None:
    code = _CHILDREN.format(hold="block = b'x' * (300 << 20)")
    stage = await run(jail, code, run_timeout_s=30, memory_limit_mb=512)
    assert stage.memory_exceeded
    assert "all done" not in stage.stdout


async def test_orphans_count_too(jail: HttpSandbox) -> None:
    code = """
import os, time
for _ in range(8):
    if os.fork() == 0:
        if os.fork() == 0:
            os.setsid()
            block = b"x" * (80 << 20)
            os.write(1, b"held\\n")
            time.sleep(20)
        os._exit(0)
    os.wait()
time.sleep(20)
print("all done")
"""
    stage = await run(jail, code, run_timeout_s=30, memory_limit_mb=100)
    assert stage.memory_exceeded
    assert "all done" not in stage.stdout


async def test_memory_that_belongs_to_no_process_is_held(jail: HttpSandbox) -> None:
    code = """
import os
files = []
try:
    for number in range(16):
        files.append(os.memfd_create(str(number)))
        for _ in range(100):
            os.write(files[-1], b"x" * (1 << 20))
except OSError:
    print("refused")
else:
    print("all written")
"""
    stage = await run(jail, code, run_timeout_s=30)
    assert "all written" not in stage.stdout
    assert stage.memory_exceeded or stage.stdout == "refused\n"


async def test_children_within_the_limit_are_left_alone(jail: HttpSandbox) -> None:
    code = """
import os, time
block = b"x" * (100 << 20)
for _ in range(8):
    if os.fork() == 0:
        assert block[-1] == 120  # seen by all, held once
        time.sleep(0.4)
        os._exit(0)
for _ in range(8): os.wait()
print("all done")
"""
    stage = await run(jail, code, run_timeout_s=30)
    assert (stage.stdout, stage.return_code, stage.memory_exceeded) == ("all done\n", 0, False)


async def test_a_run_does_not_inherit_what_the_last_one_used(jail: HttpSandbox) -> None:
    greedy = (
        "f = open('x', 'wb', 0)\nfor _ in range(200): f.write(b'x' * (1 << 20))\n"
        "block = b'y' * (30 << 20)\nprint('fine')"
    )
    for _ in range(3):
        stages = await asyncio.gather(
            *(run(jail, greedy, memory_limit_mb=40, run_timeout_s=30) for _ in range(3))
        )
        assert [stage.stdout for stage in stages] == ["fine\n"] * 3


async def test_the_status_says_what_bounds_the_memory_of_a_run(tier_server: Any) -> None:
    async with aiohttp.ClientSession() as session:
        async with session.get(f"{tier_server.endpoint}/status") as response:
            said = (await response.json())["memory_of_run"]
    kind = said.split(":")[0]
    assert kind in ("cgroup", "watched")
    assert kind == "watched" or os.path.isdir(said.removeprefix("cgroup: "))  # noqa: PTH112
