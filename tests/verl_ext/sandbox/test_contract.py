"""What every ``Sandbox`` does alike: the double that ships for tests, and the live server."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import AsyncIterator

import pytest

from verl_ext.sandbox.client import HttpSandbox
from verl_ext.sandbox.embedded import EmbeddedServer
from verl_ext.sandbox.errors import SandboxError, SandboxOverloaded
from verl_ext.sandbox.memory import InMemorySandbox, finished, timed_out
from verl_ext.sandbox.protocol import RunRequest, RunResult, Sandbox, StageStatus


def _script(request: RunRequest) -> RunResult:
    if "while True" in request.code:
        return timed_out()
    if "exit" in request.code:
        return finished(return_code=3)
    return finished(stdout=request.stdin or "")


@pytest.fixture(params=["double", "live"])
async def any_sandbox(request: pytest.FixtureRequest) -> AsyncIterator[Sandbox]:
    if request.param == "double":
        yield InMemorySandbox(_script)
        return
    server: EmbeddedServer = request.getfixturevalue("server")
    async with HttpSandbox(server.endpoint, max_attempts=1) as client:
        yield client


@pytest.mark.parametrize(
    ("code", "status", "return_code", "stdout"),
    [
        ("import sys; sys.stdout.write(sys.stdin.read())", StageStatus.FINISHED, 0, "text"),
        ("exit(3)", StageStatus.FINISHED, 3, ""),
        ("while True: pass", StageStatus.TIME_LIMIT, None, ""),
    ],
)
async def test_a_run_answers_with_its_stage(
    any_sandbox: Sandbox, code: str, status: StageStatus, return_code: int | None, stdout: str
) -> None:
    result = await any_sandbox.run(RunRequest(code=code, stdin="text", run_timeout_s=0.5))
    assert result.compile is None
    assert result.run is not None
    assert (result.run.status, result.run.return_code, result.run.stdout) == (status, return_code, stdout)


async def test_ping_returns_nothing(any_sandbox: Sandbox) -> None:
    await any_sandbox.ping()


async def test_closing_twice_is_harmless(any_sandbox: Sandbox) -> None:
    await any_sandbox.aclose()
    await any_sandbox.aclose()


async def test_the_double_raises_what_its_script_returns_and_remembers_requests() -> None:
    sandbox = InMemorySandbox(lambda request: SandboxOverloaded("full"))
    with pytest.raises(SandboxOverloaded):
        await sandbox.run(RunRequest("print(1)"))
    assert [request.code for request in sandbox.requests] == ["print(1)"]


async def test_a_closed_double_fails_like_a_service_that_is_gone() -> None:
    async with InMemorySandbox() as sandbox:
        assert (await sandbox.run(RunRequest("print(1)"))).run is not None
    with pytest.raises(SandboxError):
        await sandbox.run(RunRequest("print(1)"))


def test_the_package_imports_without_torch_verl_ray_and_vllm() -> None:
    code = (
        "import sys\n"
        "import verl_ext.sandbox.client, verl_ext.sandbox.embedded, verl_ext.sandbox.memory\n"
        "import verl_ext.sandbox.server, verl_ext.sandbox.ping\n"
        "print([name for name in ('torch', 'verl', 'ray', 'vllm') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout == "[]\n"
