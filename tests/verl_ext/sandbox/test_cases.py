"""One program on many inputs: live, on the double, and against services that fail or do not offer it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from verl_ext.grading.grader import Grader
from verl_ext.grading.problem import Case
from verl_ext.grading.verdict import Verdict
from verl_ext.sandbox.client import HttpSandbox
from verl_ext.sandbox.embedded import EmbeddedServer, serve
from verl_ext.sandbox.errors import SandboxInternalError, SandboxProtocolError, SandboxUnreachable
from verl_ext.sandbox.memory import InMemorySandbox, finished
from verl_ext.sandbox.protocol import CasesRequest, RunRequest, RunResult, Sandbox, StageStatus

ECHO = RunRequest("import sys; sys.stdout.write(sys.stdin.read())")
FAILS_ON_2 = RunRequest("text = input(); print(text); exit(text == '2')")


def _echo(request: RunRequest) -> RunResult:
    return finished(request.stdin or "", return_code=int("exit" in request.code and request.stdin == "2"))


@pytest.fixture(params=["double", "live"])
async def any_sandbox(request: pytest.FixtureRequest) -> AsyncIterator[Sandbox]:
    if request.param == "double":
        yield InMemorySandbox(_echo)
        return
    server: EmbeddedServer = request.getfixturevalue("server")
    async with HttpSandbox(server.endpoint, max_attempts=1) as client:
        yield client


async def outputs(sandbox: Sandbox, request: CasesRequest) -> list[str]:
    async with aclosing(sandbox.run_cases(request)) as results:
        return [result.run.stdout.strip() async for result in results if result.run is not None]


@pytest.mark.parametrize("max_parallel", [1, 5])
async def test_results_come_in_the_order_of_the_inputs(any_sandbox: Sandbox, max_parallel: int) -> None:
    request = CasesRequest(ECHO, ("b", "a", None, "ü\n" * 5, ""), max_parallel)
    assert await outputs(any_sandbox, request) == ["b", "a", "", "\n".join("üüüüü"), ""]


async def test_stopping_at_a_failure_runs_no_later_case(any_sandbox: Sandbox) -> None:
    request = CasesRequest(FAILS_ON_2, ("1", "2", "3"), stop_at_failure=True)
    assert await outputs(any_sandbox, request) == ["1", "2"]
    assert await outputs(any_sandbox, replace(request, stop_at_failure=False)) == ["1", "2", "3"]


PROGRAMS = [
    RunRequest("print(int(input()) // (int(input()) - 2))"),
    RunRequest("print("),
    RunRequest(
        "import time\nif input() == '1': time.sleep(9)\nprint(open('data').read())", run_timeout_s=0.5
    ),
    RunRequest("x = [0] * 10**8\nprint(input())", memory_limit_mb=64),
    RunRequest("print('x' * 3_000_000); import sys; sys.stderr.write(input() * 100_000)"),
    RunRequest("open('left', 'w').write(input())", fetch_files=("left", "right")),
    RunRequest("read line; echo $line; exit 3", language="bash"),
    RunRequest('#include <cstdio>\nint main() {int a; scanf("%d", &a); printf("%d", a + 1);}', "cpp"),
    RunRequest("int main() { return x; }", "cpp"),
]


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.code[:20])
async def test_a_case_answers_what_a_run_of_its_own_does(sandbox: HttpSandbox, program: RunRequest) -> None:
    program = replace(program, files={"data": b"\xc3\xbc"})
    stdins = ("1\n2\n", "4\n5\n")

    def timeless(result: RunResult) -> RunResult:
        stages = {name: getattr(result, name) for name in ("compile", "run")}
        stages = {
            name: stage and replace(stage, execution_time_s=0.0, cpu_time_s=None)
            for name, stage in stages.items()
        }
        return replace(result, **stages)

    expected = [timeless(await sandbox.run(replace(program, stdin=stdin))) for stdin in stdins]
    async with aclosing(sandbox.run_cases(CasesRequest(program, stdins))) as results:
        assert [timeless(result) async for result in results] == expected


async def test_no_case_sees_what_another_left(sandbox: HttpSandbox) -> None:
    code = (
        "import os, sys, subprocess\n"
        "print(sorted(os.listdir('.')), os.path.exists('/tmp/left'), os.path.exists('/dev/shm/left'))\n"
        "for path in ('left', '/tmp/left', '/dev/shm/left'): open(path, 'w').close()\n"
        "subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
    )
    seen = await outputs(sandbox, CasesRequest(RunRequest(code), ("",) * 6, max_parallel=2))
    assert seen == ["['main.py'] False False"] * 6


async def test_one_who_closes_early_ends_the_rest(server: EmbeddedServer, sandbox: HttpSandbox) -> None:
    request = CasesRequest(RunRequest("import time; time.sleep(float(input()))"), ("0", "9", "9", "9"))
    async with aclosing(sandbox.run_cases(request)) as results:
        first = await anext(results)
    assert first.run is not None and first.run.return_code == 0
    async with aiohttp.ClientSession() as session:
        for _ in range(50):
            async with session.get(f"{server.endpoint}/status") as response:
                status = await response.json()
            if status["running"] == status["waiting"] == 0:
                return
            await asyncio.sleep(0.1)
    raise AssertionError(status)


async def test_the_log_calls_one_who_closes_early_no_failure(tmp_path: Path) -> None:
    log = tmp_path / "log"
    request = CasesRequest(RunRequest("print(input())"), tuple(map(str, range(20))))
    with log.open("wb") as file, serve(log=file) as server:
        async with HttpSandbox(server.endpoint) as sandbox:
            for _ in range(10):
                async with aclosing(sandbox.run_cases(request)) as results:
                    await anext(results)
            await sandbox.ping()
    assert "Traceback" not in log.read_text()


async def test_the_whole_reply_is_one_object(server: EmbeddedServer) -> None:
    body = {"code": FAILS_ON_2.code, "language": "python", "stdins": ["1", "2"], "stream": False}
    async with aiohttp.ClientSession() as session:
        async with session.post(f"{server.endpoint}/run_cases", json=body) as response:
            reply = await response.json()
    assert [result["status"] for result in reply["results"]] == ["Success", "Failed"]
    assert [result["run_result"]["stdout"] for result in reply["results"]] == ["1\n", "2\n"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"stdins": None}, "stdins: required"),
        ({"stdins": []}, "stdins: required"),
        ({"stdins": [""] * 10_001}, "stdins: required"),
        ({"stdins": ["", 1]}, "stdins: item 1"),
        ({"stdin": "1"}, "stdin: give the inputs in stdins"),
        ({"max_parallel": 0}, "max_parallel"),
        ({"max_parallel": True}, "max_parallel"),
        ({"stop_at_failure": 1}, "stop_at_failure"),
        ({"stream": "no"}, "stream"),
        ({"code": None}, "code"),
    ],
)
async def test_bad_requests_are_refused(server: EmbeddedServer, change: dict, said: str) -> None:
    body = {"code": "1", "language": "python", "stdins": ["1"]} | change
    async with aiohttp.ClientSession() as session:
        async with session.post(f"{server.endpoint}/run_cases", json=body) as response:
            assert response.status == 422
            assert said in (await response.json())["detail"]


RUN = {"status": "Finished", "execution_time": 0.1, "return_code": 0, "stderr": ""}


class Service:
    """Echoes; ``/run_cases`` breaks off after ``lasts`` lines, or is unknown when that is None."""

    def __init__(self, lasts: int | None, ending: str = "abort") -> None:
        self.asked: list[tuple[str, object]] = []
        self._lasts, self._ending = lasts, ending

    async def answer(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        self.asked.append((request.path, body.get("stdins", body.get("stdin"))))
        if request.path == "/run_code":
            return web.json_response(self._reply(body["stdin"]))
        if self._lasts is None:
            raise web.HTTPNotFound
        response = web.StreamResponse()
        await response.prepare(request)
        for stdin in body["stdins"][: self._lasts]:
            await response.write(json.dumps(self._reply(stdin)).encode() + b"\n")
        if len(body["stdins"]) > self._lasts:
            await asyncio.sleep(0.05)
            if self._ending == "abort":
                assert request.transport is not None
                request.transport.abort()
            elif self._ending == "failure":
                await response.write(b'{"status": "SandboxError", "message": "no jail"}\n')
        return response

    def _reply(self, stdin: str) -> dict:
        run = RUN | {"stdout": stdin}
        return {"status": "Success", "message": "", "compile_result": None, "run_result": run, "files": {}}


@asynccontextmanager
async def client_of(service: Service) -> AsyncIterator[HttpSandbox]:
    app = web.Application()
    app.router.add_post("/{path:.*}", service.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    endpoint = f"http://127.0.0.1:{runner.addresses[0][1]}"
    async with HttpSandbox(endpoint, max_attempts=3, first_pause_s=0.01) as client:
        yield client
    await runner.cleanup()


@pytest.mark.parametrize("ending", ["abort", "failure", "early end"])
async def test_what_a_broken_stream_leaves_out_is_asked_for_again(ending: str) -> None:
    service = Service(2, ending)
    async with client_of(service) as client:
        assert await outputs(client, CasesRequest(ECHO, tuple("abcde"))) == list("abcde")
    assert [stdins for _, stdins in service.asked] == [list("abcde"), list("cde"), list("e")]


@pytest.mark.parametrize(
    ("ending", "error"), [("abort", SandboxUnreachable), ("failure", SandboxInternalError)]
)
async def test_without_progress_a_failure_of_ours_is_raised_in_the_end(
    ending: str, error: type[Exception]
) -> None:
    service = Service(0, ending)
    async with client_of(service) as client:
        with pytest.raises(error):
            await outputs(client, CasesRequest(ECHO, ("a",)))
    assert len(service.asked) == 3


async def test_a_line_that_never_ends_is_given_up_at_the_deadline() -> None:
    async def trickle(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for _ in range(100):
            await response.write(b" ")
            await asyncio.sleep(0.1)
        return response

    app = web.Application()
    app.router.add_post("/run_cases", trickle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    endpoint = f"http://127.0.0.1:{runner.addresses[0][1]}"
    program = RunRequest("1", compile_timeout_s=0.2, run_timeout_s=0.2)
    async with HttpSandbox(endpoint, request_margin_s=0.4) as client, asyncio.timeout(5):
        with pytest.raises(SandboxUnreachable, match="in time"):
            await outputs(client, CasesRequest(program, ("a",)))
    await runner.cleanup()


async def test_a_service_without_it_is_asked_once_and_then_case_by_case() -> None:
    service = Service(None)
    async with client_of(service) as client:
        for _ in range(2):
            assert await outputs(client, CasesRequest(ECHO, ("a", "b"), max_parallel=1)) == ["a", "b"]
    assert [path for path, _ in service.asked] == ["/run_cases", *["/run_code"] * 4]


async def test_an_unknown_address_is_still_an_error_for_a_single_run() -> None:
    async with client_of(Service(None)) as client:
        client.endpoint += "/nowhere"
        with pytest.raises(SandboxProtocolError):
            await client.ping()


CASES = [Case("1\n", "1\n"), Case("2\n", "2\n"), Case("3\n", "4\n"), Case("5\n", "5\n")]


@pytest.mark.parametrize("stop", [False, True])
async def test_a_grade_is_the_same_whether_the_service_offers_it_or_not(
    sandbox: HttpSandbox, sandbox_endpoint: str, stop: bool
) -> None:
    program = "n = int(input())\nprint(n)\nassert n != 2"
    wanted = [Verdict.PASSED, Verdict.RUNTIME_ERROR, Verdict.WRONG_ANSWER, Verdict.PASSED]
    async with HttpSandbox(sandbox_endpoint) as without:
        without._offers_cases = False
        for client in (sandbox, without):
            grade = await Grader(client).grade(program, CASES, stop_at_first_failure=stop)
            assert [result.verdict for result in grade.results] == (wanted[:2] if stop else wanted)


async def test_time_limits_are_per_case(sandbox: HttpSandbox) -> None:
    program = RunRequest("import time; time.sleep(float(input()))", run_timeout_s=0.6)
    async with aclosing(sandbox.run_cases(CasesRequest(program, ("0.3", "9", "0.3"), 1))) as results:
        statuses = [result.run.status async for result in results if result.run is not None]
    assert statuses == [StageStatus.FINISHED, StageStatus.TIME_LIMIT, StageStatus.FINISHED]
