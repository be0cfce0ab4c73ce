"""What an operator sees and does: metrics, the event log, a graceful stop, a queue that pushes back."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from prometheus_client.parser import text_string_to_metric_families

from verl_ext.sandbox.client import HttpSandbox
from verl_ext.sandbox.embedded import EmbeddedServer, serve
from verl_ext.sandbox.errors import SandboxOverloaded
from verl_ext.sandbox.languages import LANGUAGES
from verl_ext.sandbox.protocol import CasesRequest, RunRequest

REPOSITORY = Path(__file__).parents[3]
_SLEEP = "import time; time.sleep({}); print('slept')"


async def _post(
    session: aiohttp.ClientSession, endpoint: str, code: str, **headers: str
) -> tuple[int, Any, Any]:
    body = {"code": code, "language": "python"}
    async with session.post(f"{endpoint}/run_code", json=body, headers=headers) as response:
        return response.status, response.headers, await response.json()


async def _get(endpoint: str, path: str) -> str:
    async with aiohttp.ClientSession() as session, session.get(endpoint + path) as response:
        return await response.text()


async def _samples(endpoint: str) -> dict[tuple[str, ...], float]:
    families = text_string_to_metric_families(await _get(endpoint, "/metrics"))
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in families
        for sample in family.samples
    }


async def _until_running(endpoint: str, count: int) -> None:
    for _ in range(400):
        if json.loads(await _get(endpoint, "/status"))["running"] >= count:
            return
        await asyncio.sleep(0.05)
    raise AssertionError("it never ran")


@pytest.mark.parametrize(
    ("code", "outcome"),
    [
        ("print(1)", "success"),
        ("exit(3)", "nonzero_exit"),
        ("import os; os.abort()", "signal"),
        ("while True: pass", "time_limit"),
        ("x = bytearray(3 << 30)", "memory_limit"),
        ("print('x' * (2 << 20))", "output_limit"),
    ],
)
async def test_every_run_is_counted_by_language_and_outcome(
    code: str, outcome: str, server: EmbeddedServer, sandbox: HttpSandbox
) -> None:
    before = await _samples(server.endpoint)
    await sandbox.run(RunRequest(code, run_timeout_s=0.5 if outcome == "time_limit" else 10.0))
    after = await _samples(server.endpoint)
    key = ("sandbox_runs_total", "python", outcome)
    assert after[key] == before.get(key, 0) + 1
    count = ("sandbox_run_seconds_count", "python")
    assert after[count] == before.get(count, 0) + 1
    for name, wanted in (("memory_exceeded", "memory_limit"), ("output_truncated", "output_limit")):
        key = (f"sandbox_{name}_total",)
        assert after[key] - before[key] == (outcome == wanted)


async def test_cases_of_a_program_that_does_not_compile_are_counted_once(
    server: EmbeddedServer, sandbox: HttpSandbox
) -> None:
    if LANGUAGES["cpp"].missing_part("/usr/local/bin:/usr/bin:/bin", sys.executable):
        pytest.skip("no g++")
    before = await _samples(server.endpoint)
    for code in ("int main() { return x; }", "int main() {}"):
        cases = CasesRequest(RunRequest(code, "cpp", compile_timeout_s=60), ("1", "2", "3"))
        assert len([result async for result in sandbox.run_cases(cases)]) == 3
    after = await _samples(server.endpoint)
    for outcome, count in (("compile_error", 1), ("success", 3)):
        key = ("sandbox_runs_total", "cpp", outcome)
        assert after.get(key, 0) - before.get(key, 0) == count


async def test_the_metrics_name_load_isolation_and_restarts(server: EmbeddedServer) -> None:
    samples = await _samples(server.endpoint)
    assert samples["sandbox_running",] == samples["sandbox_waiting",] == 0
    assert samples["sandbox_worker_restarts_total",] == 0
    assert any(key[0] == "sandbox_isolation_info" and set(key[1:]) & {"A", "B"} for key in samples)
    assert samples["sandbox_process_resident_memory_bytes",] > 0


async def test_the_json_log_has_one_line_per_run_and_no_program_text(tmp_path: Path) -> None:
    path = tmp_path / "log"
    with path.open("wb") as log, serve(["--num-workers", "1", "--log-format", "json"], log=log) as server:
        async with aiohttp.ClientSession() as session:
            code = "print('seCret' + 'Text')  # in the program"
            _, headers, _ = await _post(session, server.endpoint, code, **{"X-Request-Id": "mine-7"})
            assert headers["X-Request-Id"] == "mine-7"
            _, headers, _ = await _post(
                session, server.endpoint, "1/0", **{"X-Request-Id": 'no "plain\tword'}
            )
            assert headers["X-Request-Id"] != 'no "plain\tword'
    text = path.read_text()
    assert "seCret" not in text and "PATH" not in text
    lines = [json.loads(line) for line in text.splitlines()]
    runs = [line for line in lines if line["event"] == "run"]
    assert [(line["language"], line["outcome"]) for line in runs] == [
        ("python", "success"),
        ("python", "nonzero_exit"),
    ]
    assert runs[0]["request_id"] == "mine-7"
    assert 0 < runs[0]["run_s"] < 60 and 0 <= runs[0]["queue_s"] < 60
    assert {"listening", "draining"} <= {line["event"] for line in lines}


def test_the_json_log_holds_what_the_supervisor_says(tmp_path: Path) -> None:
    path = tmp_path / "log"
    command = (sys.executable, "-m", "verl_ext.sandbox.supervisor", "--port", "0", "--num-workers", "1")
    with (
        path.open("wb") as log,
        subprocess.Popen(
            (*command, "--log-format", "json"), cwd=REPOSITORY, stdout=subprocess.PIPE, stderr=log
        ) as supervisor,
    ):
        assert supervisor.stdout is not None
        assert b"listening" in supervisor.stdout.readline()
        children = Path(f"/proc/{supervisor.pid}/task/{supervisor.pid}/children").read_text().split()
        os.kill(int(children[0]), signal.SIGKILL)
        deadline = time.monotonic() + 60
        while path.read_text().count("listening") < 2 and time.monotonic() < deadline:
            time.sleep(0.05)
        supervisor.terminate()
        assert supervisor.wait(60) == 0
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert any("starting it again" in line.get("message", "") for line in lines)


async def test_a_stop_lets_requests_finish_and_sends_new_ones_away() -> None:
    with serve(["--num-workers", "1", "--max-running", "1", "--drain-timeout-s", "60"]) as server:
        async with aiohttp.ClientSession() as session:
            running = [
                asyncio.create_task(_post(session, server.endpoint, _SLEEP.format(2))) for _ in range(2)
            ]
            await _until_running(server.endpoint, 1)
            server.supervisor.begin_stop()
            await asyncio.sleep(0.3)
            status, headers, _ = await _post(session, server.endpoint, "print(1)")
            assert (status, headers["Retry-After"]) == (503, "1")
            assert json.loads(await _get(server.endpoint, "/status"))["draining"]
            for status, _, reply in await asyncio.gather(*running):
                assert (status, reply["run_result"]["stdout"]) == (200, "slept\n")
        assert await asyncio.to_thread(server.supervisor.wait) == 0


async def test_a_stop_does_not_wait_for_ever() -> None:
    with serve(["--num-workers", "1", "--drain-timeout-s", "0.5"]) as server:
        async with aiohttp.ClientSession() as session:
            running = asyncio.create_task(_post(session, server.endpoint, _SLEEP.format(60)))
            await _until_running(server.endpoint, 1)
            server.process.send_signal(signal.SIGTERM)
            server.supervisor.begin_stop()
            assert await asyncio.wait_for(asyncio.to_thread(server.supervisor.wait), 30) == 0
            with pytest.raises(aiohttp.ClientError):
                await running


async def test_a_full_queue_pushes_back_and_empties() -> None:
    with serve(["--num-workers", "1", "--max-running", "1", "--max-waiting", "2"]) as server:
        async with HttpSandbox(server.endpoint, max_attempts=1) as client:
            tasks = {asyncio.create_task(client.run(RunRequest(_SLEEP.format(60)))) for _ in range(8)}
            held = tasks
            while len(held) > 3:
                refused, held = await asyncio.wait(held, return_when=asyncio.FIRST_COMPLETED)
                assert all(isinstance(task.exception(), SandboxOverloaded) for task in refused)
            assert len(held) == 3
            for task in held:
                task.cancel()
            await asyncio.gather(*held, return_exceptions=True)
        async with HttpSandbox(server.endpoint, max_attempts=20, first_pause_s=0.1) as patient:
            results = await asyncio.gather(*(patient.run(RunRequest(_SLEEP.format(0.05))) for _ in range(8)))
            assert all(result.run and result.run.stdout == "slept\n" for result in results)
        samples = await _samples(server.endpoint)
        assert samples["sandbox_rejected_total", "queue_full"] >= 5
        assert samples["sandbox_waiting",] == samples["sandbox_running",] == 0


async def test_a_client_that_goes_away_frees_its_place() -> None:
    with serve(["--num-workers", "1", "--max-running", "1", "--max-waiting", "1"]) as server:
        async with HttpSandbox(server.endpoint, max_attempts=1) as client:
            gone = [asyncio.create_task(client.run(RunRequest(_SLEEP.format(60)))) for _ in range(2)]
            await _until_running(server.endpoint, 1)
            for task in gone:
                task.cancel()
            await asyncio.gather(*gone, return_exceptions=True)
        async with HttpSandbox(server.endpoint, max_attempts=20, first_pause_s=0.1) as patient:
            result = await asyncio.wait_for(patient.run(RunRequest("print('in')")), 40)
            assert result.run is not None and result.run.stdout == "in\n"


async def test_the_data_of_waiting_requests_is_bounded() -> None:
    arguments = ["--num-workers", "1", "--max-running", "1", "--max-inflight-mb", "2"]
    with serve(arguments) as server:
        async with aiohttp.ClientSession() as session:
            large = f"{_SLEEP.format(60)} #{'x' * (1 << 20)}"
            first = asyncio.create_task(_post(session, server.endpoint, large))
            await _until_running(server.endpoint, 1)
            statuses = [(await _post(session, server.endpoint, large))[0] for _ in range(3)]
            assert statuses == [503, 503, 503]
            first.cancel()
            with pytest.raises(asyncio.CancelledError):
                await first
