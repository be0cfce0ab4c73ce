"""Network namespaces are handed on only as good as new (tier A)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from verl_ext.sandbox.client import HttpSandbox
from verl_ext.sandbox.embedded import serve
from verl_ext.sandbox.errors import SandboxUnreachable
from verl_ext.sandbox.protocol import RunRequest

# Namespaces are numbered by the kernel; the loopback's counters and the sockets are what a run may find.
LOOK = """
import os, socket
print(os.stat("/proc/self/ns/net").st_ino)
print(open("/proc/self/net/dev").read(), open("/proc/self/net/unix").read())
open_for_all = socket.create_server(("127.0.0.1", 4000), reuse_port=False)
"""
TALKS = """
import socket
server = socket.create_server(("127.0.0.1", 4000))
client = socket.create_connection(("127.0.0.1", 4000))
server.accept()[0].sendall(b"left in the buffer")
"""
SHOUTS = """
import socket
try:
    socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("192.0.2.1", 9))
except OSError:
    pass
"""
# A listening socket in flight inside a cycle of sockets outlives its process until the kernel looks for such.
HIDES = """
import socket
listener = socket.socket(socket.AF_UNIX)
listener.bind("\\0here")
listener.listen()
one, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
socket.send_fds(one, [b"x"], [listener.fileno(), other.fileno()])
"""


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    try:
        with serve(["--tier", "A", "--num-workers", "1"]) as server:
            yield server.endpoint
    except SandboxUnreachable:
        pytest.skip("this machine has no tier A")


async def _look(client: HttpSandbox) -> tuple[str, str]:
    """(namespace, what is to be seen in it)."""
    result = await client.run(RunRequest(LOOK))
    assert result.run is not None and result.run.return_code == 0, result
    namespace, _, seen = result.run.stdout.partition("\n")
    return namespace, seen


@pytest.mark.parametrize("program", [TALKS, SHOUTS, HIDES, "print(1)"])
async def test_no_run_finds_what_another_did_to_its_network(endpoint: str, program: str) -> None:
    async with HttpSandbox(endpoint) as client:
        _, before = await _look(client)
        result = await client.run(RunRequest(program))
        assert result.run is not None and result.run.return_code == 0, result
        _, after = await _look(client)
    assert before == after


async def test_a_namespace_without_traces_is_used_again_and_one_with_traces_never(endpoint: str) -> None:
    number = RunRequest("import os; print(os.stat('/proc/self/ns/net').st_ino)")
    async with HttpSandbox(endpoint) as client:

        async def run(code: str) -> str:
            result = await client.run(RunRequest(f"{number.code}\n{code}"))
            assert result.run is not None
            return result.run.stdout

        quiet, again, loud, fresh = [await run(code) for code in ("", "", TALKS, "")]
    assert quiet == again == loud
    assert fresh != loud
