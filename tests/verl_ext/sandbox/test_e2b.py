"""The E2B backend against a service on this machine that speaks the package's wire format.

The package is the real one, its requests go over real HTTP, and the commands it sends are really run here.
What is made by hand is the other side: replies as ``e2b`` 2.63 reads them (REST for machines and files,
Connect with JSON envelopes for commands). No E2B account was at hand.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import shutil
import struct
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web

pytest.importorskip("e2b_code_interpreter")

from verl_ext.sandbox import e2b as e2b_backend
from verl_ext.sandbox.e2b import E2BSandbox
from verl_ext.sandbox.errors import (
    SandboxError,
    SandboxInternalError,
    SandboxOverloaded,
    SandboxProtocolError,
    SandboxUnreachable,
    ToolchainMissing,
)
from verl_ext.sandbox.languages import LANGUAGES, Language
from verl_ext.sandbox.protocol import RunRequest, StageResult, StageStatus

END_OF_STREAM = 0b10


class Service:
    """E2B's API and the daemon inside one machine, whose root is a folder here.

    Attributes:
        refusals: Answers (status, body) given to the next requests instead of doing them, by kind of request.
        calls: What was asked for, in order.
        alive: Ids of the machines that run.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.refusals: dict[str, list[tuple[int, object]]] = {}
        self.calls: list[str] = []
        self.bodies: list[dict] = []
        self.alive: set[str] = set()

    def app(self) -> web.Application:
        app = web.Application(client_max_size=1 << 28, middlewares=[self.refuse])
        app.add_routes(
            [
                web.post("/v2/sandboxes", self.create),
                web.post("/sandboxes/{id}/timeout", self.extend),
                web.delete("/sandboxes/{id}", self.end),
                web.get("/health", self.health),
                web.post("/files", self.write),
                web.post("/process.Process/Start", self.start),
            ]
        )
        return app

    @web.middleware
    async def refuse(self, request: web.Request, handler: object) -> web.StreamResponse:
        kind = request.path.rpartition("/")[2]
        self.calls.append(kind)
        if self.refusals.get(kind):
            status, body = self.refusals[kind].pop(0)
            return web.json_response(body, status=status)
        if kind in ("health", "files", "Start") and not self.alive:
            return web.json_response({"code": 502, "message": "The sandbox was not found"}, status=502)
        return await handler(request)  # type: ignore[operator]

    async def create(self, request: web.Request) -> web.Response:
        self.bodies.append(await request.json())
        machine = f"machine{len(self.bodies)}"
        self.alive.add(machine)
        reply = {"templateID": "t", "sandboxID": machine, "clientID": "c", "envdVersion": "0.6.4"}
        return web.json_response(reply | {"envdAccessToken": "secret"}, status=201)

    async def extend(self, request: web.Request) -> web.Response:
        self.bodies.append(await request.json())
        return web.Response(status=204)

    async def end(self, request: web.Request) -> web.Response:
        self.alive.discard(request.match_info["id"])
        return web.Response(status=204)

    async def health(self, request: web.Request) -> web.Response:
        return web.Response(status=204)

    async def write(self, request: web.Request) -> web.Response:
        path = self.place(request.query["path"])
        path.parent.mkdir(parents=True, exist_ok=True)
        async for part in await request.multipart():
            path.write_bytes(await part.read())  # type: ignore[union-attr]
        return web.json_response([{"name": path.name, "path": request.query["path"], "type": "file"}])

    async def start(self, request: web.Request) -> web.StreamResponse:
        content = await request.read()
        assert content[0] == 0 and len(content) == 5 + struct.unpack(">I", content[1:5])[0]
        process = json.loads(content[5:])["process"]
        assert process["cmd"] == "/bin/bash"
        words = [word.replace(e2b_backend._ROOT, str(self.root)) for word in process["args"]]
        running = await asyncio.create_subprocess_exec(
            process["cmd"], *words, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
        )
        response = web.StreamResponse(headers={"Content-Type": "application/connect+json"})
        await response.prepare(request)
        await response.write(envelope({"event": {"start": {"pid": running.pid}}}))
        try:
            stdout, stderr = await running.communicate()
        finally:
            if running.returncode is None:
                running.kill()
        for name, data in (("stdout", stdout), ("stderr", stderr)):
            if data:
                event = {"data": {name: base64.b64encode(data).decode()}}
                await response.write(envelope({"event": event}))
        end = {"exitCode": running.returncode, "exited": True, "status": f"exit status {running.returncode}"}
        await response.write(envelope({"event": {"end": end}}))
        await response.write(envelope({}, END_OF_STREAM))
        return response

    def place(self, path: str) -> Path:
        return self.root / Path(path).relative_to(e2b_backend._ROOT)


def envelope(message: object, flags: int = 0) -> bytes:
    data = json.dumps(message).encode()
    return struct.pack(">BI", flags, len(data)) + data


@pytest.fixture
async def service(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Service]:
    root = Path(tempfile.mkdtemp(prefix="e2b-"))
    root.chmod(0o711)  # the runs' users have to pass
    service = Service(root)
    runner = web.AppRunner(service.app(), shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    monkeypatch.setenv("E2B_API_URL", url)
    monkeypatch.setenv("E2B_SANDBOX_URL", url)
    monkeypatch.setenv("E2B_HTTP_VERSION", "1.1")
    monkeypatch.setenv("E2B_API_KEY", "e2b_00")
    yield service
    await runner.cleanup()
    shutil.rmtree(root)


@pytest.fixture
async def e2b(service: Service) -> AsyncIterator[E2BSandbox]:
    async with E2BSandbox(first_pause_s=0.01) as sandbox:
        yield sandbox


async def run(sandbox: E2BSandbox, code: str, **settings: object) -> StageResult:
    result = await sandbox.run(RunRequest(code, **settings))  # type: ignore[arg-type]
    assert result.run is not None
    return result.run


async def test_a_program_has_its_input_and_files_and_gives_its_output_back(e2b: E2BSandbox) -> None:
    code = "import sys\nprint(sys.stdin.read(), open('d/in').read())\nopen('out', 'w').write('x')"
    request = RunRequest(code, stdin="text", files={"d/in": b"data"}, fetch_files=("out", "none"))
    result = await e2b.run(request)
    assert result.run is not None and (result.run.stdout, result.run.return_code) == ("text data\n", 0)
    assert (result.files, result.files_left_out) == ({"out": b"x"}, {"none": "no such file"})


@pytest.mark.parametrize(
    ("code", "settings", "status", "return_code"),
    [
        ("exit(3)", {}, StageStatus.FINISHED, 3),
        ("import os; os.kill(os.getpid(), 11)", {}, StageStatus.FINISHED, -11),
        ("import time; time.sleep(9)", {"run_timeout_s": 0.3}, StageStatus.TIME_LIMIT, None),
        ("while True: pass", {"cpu_limit_s": 0.5}, StageStatus.TIME_LIMIT, None),
    ],
)
async def test_how_a_program_ends_is_told(
    e2b: E2BSandbox, code: str, settings: dict, status: StageStatus, return_code: int | None
) -> None:
    stage = await run(e2b, code, **settings)
    assert (stage.status, stage.return_code) == (status, return_code)


async def test_memory_and_output_beyond_their_limits_are_told(e2b: E2BSandbox) -> None:
    stage = await run(e2b, "x = bytearray(10**9)", memory_limit_mb=100)
    assert stage.memory_exceeded and stage.return_code == 1
    stage = await run(e2b, "print('x' * 3_000_000)")
    assert stage.output_truncated and len(stage.stdout) == 1 << 20


async def test_a_compiled_language_has_its_stage(e2b: E2BSandbox) -> None:
    good = await e2b.run(RunRequest('#include <cstdio>\nint main() { puts("hi"); }', language="cpp"))
    assert good.compile is not None and good.run is not None and good.run.stdout == "hi\n"
    bad = await e2b.run(RunRequest("int main( {", language="cpp"))
    assert bad.compile is not None and bad.compile.return_code == 1 and bad.run is None
    with pytest.raises(SandboxProtocolError, match="language 'cobol'"):
        await e2b.run(RunRequest("", language="cobol"))


async def test_one_machine_without_internet_serves_all_runs_and_ends_with_the_client(
    service: Service, e2b: E2BSandbox
) -> None:
    await asyncio.gather(*(run(e2b, "print(1)") for _ in range(5)))
    await e2b.ping()
    assert len(service.alive) == service.calls.count("sandboxes") == 1
    assert service.bodies[0]["allow_internet_access"] is False
    await e2b.aclose()
    assert not service.alive


async def test_a_run_leaves_no_file_and_no_process(service: Service, e2b: E2BSandbox) -> None:
    code = "import subprocess, sys\nprint(subprocess.Popen(['sleep', '60'], start_new_session=True).pid)"
    stage = await run(e2b, code)
    assert [path.name for path in service.root.iterdir()] == ["runner.py"]
    if os.geteuid() == 0:
        assert (
            not Path(f"/proc/{int(stage.stdout)}").exists()
            or "Z" in Path(f"/proc/{int(stage.stdout)}/stat").read_text()
        )


@pytest.mark.skipif(os.geteuid() != 0, reason="a user per run needs root, as in E2B")
async def test_a_run_can_not_read_another_one(e2b: E2BSandbox) -> None:
    other = asyncio.create_task(run(e2b, "import os, time; print(os.getcwd(), flush=True); time.sleep(1.5)"))
    await asyncio.sleep(0.7)
    code = (
        "import glob, os\nroot = os.path.dirname(os.path.dirname(os.getcwd()))\nprint(glob.glob(root + '/*'))"
    )
    assert (await run(e2b, code)).stdout == "[]\n"
    place = (await other).stdout.strip()
    assert (await run(e2b, f"open({place + '/main.py'!r})")).return_code == 1


async def test_a_machine_that_ended_is_replaced(service: Service, e2b: E2BSandbox) -> None:
    await run(e2b, "print(1)")
    service.alive.clear()
    assert (await run(e2b, "print(2)")).stdout == "2\n"
    assert service.calls.count("sandboxes") == 2


async def test_a_machine_near_its_end_is_extended(service: Service) -> None:
    async with E2BSandbox(idle_timeout_s=0) as sandbox:
        await run(sandbox, "print(1)")
        assert "timeout" not in service.calls
        await run(sandbox, "print(1)", run_timeout_s=100)
        assert service.calls.count("timeout") == 1 and service.bodies[-1]["timeout"] >= 110


@pytest.mark.parametrize(
    ("kind", "status", "error", "num_calls"),
    [
        ("sandboxes", 401, SandboxProtocolError, 1),
        ("sandboxes", 429, SandboxOverloaded, 4),
        ("sandboxes", 503, SandboxOverloaded, 4),
        ("sandboxes", 500, SandboxInternalError, 4),
        ("files", 507, SandboxInternalError, 4),
        ("Start", 502, SandboxUnreachable, 4),
    ],
)
async def test_failures_of_e2b_are_errors_and_only_passing_ones_are_retried(
    service: Service, e2b: E2BSandbox, kind: str, status: int, error: type[SandboxError], num_calls: int
) -> None:
    if kind != "sandboxes":
        await e2b.ping()
    service.refusals[kind] = [(status, {"code": status, "message": "no"})] * 20
    before = service.calls.count(kind)
    with pytest.raises(error, match="E2B"):
        await run(e2b, "print(1)")
    assert service.calls.count(kind) - before == num_calls
    service.refusals.clear()
    assert (await run(e2b, "print(1)")).stdout == "1\n"


async def test_a_runner_that_fails_is_an_error_of_ours(service: Service, e2b: E2BSandbox) -> None:
    await e2b.ping()
    (service.root / "runner.py").write_text("import sys; sys.exit('broken')")
    with pytest.raises(SandboxInternalError, match="runner failed: broken"):
        await run(e2b, "print(1)")
    (service.root / "runner.py").write_text("print('{}')")
    with pytest.raises(SandboxProtocolError):
        await run(e2b, "print(1)")


async def test_a_toolchain_that_the_machine_lacks_is_no_result(
    e2b: E2BSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    shell = Language("main.sh", run=("sh", "-c", "no-such-tool main.sh"), needs=("no-such-tool",))
    monkeypatch.setitem(LANGUAGES, "bash", shell)
    with pytest.raises(ToolchainMissing, match="no-such-tool"):
        await e2b.run(RunRequest("exit 0", "bash"))


async def test_a_service_that_is_gone_is_unreachable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("E2B_API_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("E2B_API_KEY", "e2b_00")
    async with E2BSandbox(max_attempts=2, first_pause_s=0.01) as sandbox:
        with pytest.raises(SandboxUnreachable):
            await sandbox.ping()
