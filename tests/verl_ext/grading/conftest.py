"""One embedded server for all grading tests; a client per test, because a client lives in one event loop."""

from collections.abc import AsyncIterator, Iterator

import pytest

from verl_ext.grading.grader import Grader
from verl_ext.grading.harness import Limits
from verl_ext.sandbox.client import HttpSandbox
from verl_ext.sandbox.embedded import serve


@pytest.fixture(scope="session")
def sandbox_endpoint() -> Iterator[str]:
    with serve() as server:
        yield server.endpoint


@pytest.fixture
async def grader(sandbox_endpoint: str) -> AsyncIterator[Grader]:
    async with HttpSandbox(sandbox_endpoint, max_concurrency=4) as sandbox:
        yield Grader(sandbox, Limits(time_s=0.5, memory_limit_mb=256))
