"""The server's HTTP face and the life of its process."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
import time
from pathlib import Path

import aiohttp
import pytest

from verl_ext.sandbox import ping
from verl_ext.sandbox.client import HttpSandbox
from verl_ext.sandbox.embedded import EmbeddedServer, serve
from verl_ext.sandbox.errors import SandboxOverloaded
from verl_ext.sandbox.protocol import RunRequest

REPOSITORY = Path(__file__).parents[3]


async def test_the_reply_has_every_field_of_sandbox_fusion(server: EmbeddedServer) -> None:
    body = {"code": "print(1)", "language": "python", "some_future_field": {}}
    async with aiohttp.ClientSession() as session:
        async with session.post(f"{server.endpoint}/run_code", json=body) as response:
            reply = await response.json()
    assert reply.pop("run_result").pop("execution_time") > 0
    assert reply == {
        "status": "Success",
        "message": "",
        "compile_result": None,
        "executor_pod_name": None,
        "files": {},
        "files_left_out": {},
    }


async def test_the_status_names_the_isolation_tier(server: EmbeddedServer) -> None:
    async with aiohttp.ClientSession() as session:
        async with session.get(f"{server.endpoint}/status") as response:
            status = await response.json()
    assert status["tier"] in ("A", "B")
    assert {"python", "pytest", "cpp", "nodejs", "java", "bash"} <= set(status["languages"])
    assert set(status["missing_parts"]) == set(status["missing_toolchains"]) < set(status["languages"])


async def test_a_full_queue_refuses_and_the_client_says_overloaded() -> None:
    arguments = ["--num-workers", "1", "--max-running", "1", "--max-waiting", "1"]
    with serve(arguments) as server:
        async with HttpSandbox(server.endpoint, max_attempts=1) as client:
            request = RunRequest("import time; time.sleep(1.0)")
            outcomes = await asyncio.gather(*(client.run(request) for _ in range(5)), return_exceptions=True)
            refused = [outcome for outcome in outcomes if isinstance(outcome, SandboxOverloaded)]
            assert len(refused) == 3
        async with aiohttp.ClientSession() as session:
            body = {"code": "import time; time.sleep(1.0)", "language": "python"}
            tasks = [
                asyncio.create_task(session.post(f"{server.endpoint}/run_code", json=body)) for _ in range(3)
            ]
            responses = [await task for task in tasks]
        assert [r.headers.get("Retry-After") for r in responses if r.status == 503] == ["1"]


def test_a_toolchain_that_the_jail_does_not_have_is_missing_in_either_stage() -> None:
    code = (
        "import asyncio, sys\n"
        "from verl_ext.sandbox.errors import ToolchainMissing\n"
        "from verl_ext.sandbox.execution import Defaults, Pool\n"
        "from verl_ext.sandbox import languages\n"
        "from dataclasses import replace\n"
        "from verl_ext.sandbox.protocol import RunRequest\n"
        "from verl_ext.sandbox.tiers import choose_tier, tier_config\n"
        "from verl_ext.sandbox.worker import WorkerConfig\n"
        "L = languages.LANGUAGES\n"
        "L['cpp'] = replace(L['cpp'], compile=('no-g++', 'main.cpp'))\n"
        "L['nodejs'] = replace(L['nodejs'], run=('no-node', 'main.js'))\n"
        "async def main():\n"
        "    config = WorkerConfig(tier='')\n"
        "    report = await choose_tier(config, 'auto')\n"
        "    with tier_config(config, report.tier) as tiered:\n"
        "        pool = Pool(tiered, Defaults(), num_workers=1, max_running=2, max_waiting=2)\n"
        "        for language in ('cpp', 'nodejs'):\n"
        "            try:\n"
        "                print(await pool.run(RunRequest('1', language=language)))\n"
        "            except ToolchainMissing as error:\n"
        "                print(error)\n"
        "        pool.stop()\n"
        "    missing = languages.missing_toolchains('/usr/bin:/bin', sys.executable)\n"
        "    print([missing[name] for name in ('cpp', 'nodejs')])\n"
        "asyncio.run(main())\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout == (
        "no-g++ is not installed where the sandbox runs\n"
        "no-node is not installed where the sandbox runs\n"
        "['no-g++', 'no-node']\n"
    )


_PARENT = """
import os, sys, time
from verl_ext.sandbox.embedded import serve
with serve(["--num-workers", "1"]) as server:
    print(server.process.pid, flush=True)
    time.sleep(60)
"""


def test_the_server_dies_with_a_parent_that_was_killed() -> None:
    with subprocess.Popen([sys.executable, "-c", _PARENT], stdout=subprocess.PIPE, cwd=REPOSITORY) as parent:
        assert parent.stdout is not None
        server_pid = int(parent.stdout.readline())
        everybody = [server_pid, *_descendants(server_pid)]
        assert len(everybody) >= 2
        parent.kill()
    assert _gone(everybody)


def test_nothing_is_left_after_the_block() -> None:
    with serve(["--num-workers", "2"]) as server:
        everybody = [server.process.pid, *_descendants(server.process.pid)]
    assert _gone(everybody)
    assert not list(Path("/tmp").glob(f"verl-ext-sandbox-{server.process.pid}-*"))


def test_a_port_in_use_is_one_clear_line_and_exit_code_2() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        done = subprocess.run(
            ["bash", str(REPOSITORY / "scripts/serve_sandbox.sh"), "--port", str(port)],
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
    assert done.returncode == 2
    assert f"port {port}" in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr


def test_a_port_that_can_not_be_is_refused_in_one_line() -> None:
    for port in ("65536", "-1"):
        done = subprocess.run(
            [sys.executable, "-m", "verl_ext.sandbox.supervisor", "--port", port],
            capture_output=True, text=True, timeout=60, check=False, cwd=REPOSITORY,
        )  # fmt: skip
        assert done.returncode == 2
        assert done.stderr == f"sandbox: --port must be 0 to 65535, not {port}\n"


def test_ping_on_the_command_line(server: EmbeddedServer, capsys: pytest.CaptureFixture[str]) -> None:
    assert ping.main([server.endpoint]) == 0
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    assert ping.main([f"http://127.0.0.1:{port}"]) == 2
    assert ping.main(["no-url"]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2
    assert f":{port}" in lines[0]


def test_a_tier_that_is_not_to_be_had_is_refused_in_one_line() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "verl_ext.sandbox.server", "--port", "0", "--python", "/bin/false"],
        capture_output=True, text=True, timeout=60, check=False, cwd=REPOSITORY,
    )  # fmt: skip
    assert done.returncode == 2
    assert "--unsafe" in done.stderr
    assert "Traceback" not in done.stderr


async def test_without_isolation_the_unsafe_server_still_limits_and_sweeps() -> None:
    with serve(["--tier", "C", "--unsafe", "--num-workers", "1"]) as server:
        async with HttpSandbox(server.endpoint) as client:
            result = await client.run(RunRequest("while True: pass", run_timeout_s=0.3))
            assert result.run is not None and result.run.return_code is None
            result = await client.run(RunRequest("print('ok')"))
            assert result.run is not None and result.run.stdout == "ok\n"


def _children(pid: int) -> list[int]:
    text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [int(child) for child in text.split()]


def _descendants(pid: int) -> list[int]:
    return [other for child in _children(pid) for other in (child, *_descendants(child))]


def _gone(pids: list[int], within_s: float = 8.0) -> bool:
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        if not any(_alive(pid) for pid in pids):
            return True
        time.sleep(0.05)
    return False


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] not in ("Z", "X")
    except OSError:
        return False
