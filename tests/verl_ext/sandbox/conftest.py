"""One live server per isolation tier for the whole session, and a client for it."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import AsyncIterator, Iterator

import pytest

from verl_ext.sandbox.client import HttpSandbox
from verl_ext.sandbox.embedded import EmbeddedServer, serve
from verl_ext.sandbox.errors import SandboxUnreachable


@pytest.fixture(scope="session", params=["A", "B"])
def tier_server(request: pytest.FixtureRequest) -> Iterator[EmbeddedServer]:
    """A server in one tier; skipped where the machine does not have it."""
    arguments = ["--tier", request.param, "--max-processes", "32", "--memory-limit-mb", "256"]
    with contextlib.ExitStack() as stack:
        # Tier B takes an interpreter that ordinary users may read; the one of the tests may not be.
        for python in (sys.executable, "/usr/bin/python3"):
            try:
                running = stack.enter_context(serve([*arguments, "--python", python]))
            except SandboxUnreachable:
                continue
            yield running
            return
    pytest.skip(f"this machine has no tier {request.param}")


@pytest.fixture
async def jail(tier_server: EmbeddedServer) -> AsyncIterator[HttpSandbox]:
    async with HttpSandbox(tier_server.endpoint) as client:
        yield client
