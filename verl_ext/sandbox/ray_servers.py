"""The sandbox on a Ray cluster: one embedded server per node, as a named actor that the run owns.

``servers_on_every_node`` starts them, ``cluster_sandbox`` finds them from any worker of the run: its own
node's first, the others' as failover. Needs Ray; nothing else in this package does.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import threading
from collections.abc import AsyncGenerator, Iterator
from contextlib import ExitStack, aclosing
from typing import Any

import ray
from ray.exceptions import ActorUnschedulableError, GetTimeoutError, RayError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from verl_ext.sandbox.client import HttpSandbox
from verl_ext.sandbox.embedded import serve
from verl_ext.sandbox.errors import SandboxUnreachable
from verl_ext.sandbox.failover import FailoverSandbox
from verl_ext.sandbox.protocol import CasesRequest, RunRequest, RunResult

_PREFIX = "code_agentic_sandbox_"
_MAX_RESTARTS = 100
_START_TIMEOUT_S = 120.0
_STOP_TIMEOUT_S = 20.0
_LOOKUP_TIMEOUT_S = 5.0
# A dead server that nobody replaced for so long is given up.
_GIVEN_UP_S = 20.0


class SandboxServer:
    """The actor: holds one embedded server, which it starts again when that dies."""

    def __init__(self, num_cores: int, *, only_node: bool) -> None:
        """Starts the server.

        Args:
            num_cores: Programs run at once.
            only_node: Listen on the loopback only; otherwise on the node's address, for the other nodes.

        Raises:
            SandboxUnreachable: When it does not come up; the actor's log says why.
        """
        host = "127.0.0.1" if only_node else ray.util.get_node_ip_address()
        self._stack = ExitStack()
        self._server = self._stack.enter_context(serve(["--num-workers", str(num_cores)], host=host))
        self._stopping = threading.Event()
        threading.Thread(target=self._watch, name="sandbox-watch", daemon=True).start()

    def endpoint(self) -> str:
        """URL of the server."""
        return self._server.endpoint

    def stop(self) -> None:
        """Lets running programs finish and ends the server."""
        self._stopping.set()
        self._stack.close()

    def _watch(self) -> None:
        """Ends the actor, for Ray to start it again, when its server died and was not replaced."""
        ended = None
        while not self._stopping.wait(_GIVEN_UP_S):
            process = self._server.process
            if process.poll() is not None and process is ended:
                os._exit(1)
            ended = process


@contextlib.contextmanager
def servers_on_every_node(
    num_cores: int, *, start_timeout_s: float = _START_TIMEOUT_S
) -> Iterator[list[str]]:
    """Runs a server on every node that has CPUs, for the length of the block.

    Ray starts an actor again when its process dies. The actors belong to the process that enters the block
    and end with it at the latest.

    Args:
        num_cores: CPUs that Ray sets aside for each; so many programs run at once there.
        start_timeout_s: Seconds for all of them to come up.

    Yields:
        The names of the actors.

    Raises:
        SandboxUnreachable: When one does not come up, naming its node.
    """
    nodes = [node for node in ray.nodes() if node["Alive"] and node["Resources"].get("CPU", 0) > 0]
    actor_class = ray.remote(SandboxServer)
    actors: dict[str, Any] = {}
    try:
        for node in nodes:
            name = _PREFIX + node["NodeID"]
            actors[name] = actor_class.options(
                name=name,
                num_cpus=num_cores,
                max_restarts=_MAX_RESTARTS,
                scheduling_strategy=NodeAffinitySchedulingStrategy(node["NodeID"], soft=False),
            ).remote(num_cores, only_node=len(nodes) == 1)
        _wait_until_up(nodes, list(actors.values()), num_cores, start_timeout_s)
        yield list(actors)
    finally:
        stops = [actor.stop.remote() for actor in actors.values()]
        with contextlib.suppress(RayError):
            ray.wait(stops, num_returns=len(stops), timeout=_STOP_TIMEOUT_S)
        for actor in actors.values():
            ray.kill(actor)


def _wait_until_up(nodes: list[Any], actors: list[Any], num_cores: int, timeout_s: float) -> None:
    endpoints = [actor.endpoint.remote() for actor in actors]
    ray.wait(endpoints, num_returns=len(endpoints), timeout=timeout_s)
    for node, endpoint in zip(nodes, endpoints, strict=True):
        where = f"no sandbox on Ray node {node['NodeManagerAddress']}"
        try:
            ray.get(endpoint, timeout=0)
        except (GetTimeoutError, ActorUnschedulableError) as error:
            raise SandboxUnreachable(
                f"{where} within {timeout_s:g} s: it asks for {num_cores} of the node's "
                f"{node['Resources']['CPU']:g} CPUs; lower code_agentic.sandbox.num_workers"
            ) from error
        except RayError as error:
            raise SandboxUnreachable(f"{where}: {str(error).strip().splitlines()[-1]}") from error


class RayServerSandbox:
    """One node's server as a ``Sandbox``: asks the actor for the URL, and again after an outage.

    One attempt per run; made to be a member of a ``FailoverSandbox``.
    """

    def __init__(self, actor: Any, *, max_concurrency: int) -> None:
        """Asks nothing yet.

        Args:
            actor: Handle of a ``SandboxServer``.
            max_concurrency: Runs in flight.
        """
        self._actor = actor
        self._max_concurrency = max_concurrency
        self._client: HttpSandbox | None = None
        self._looked_up = False
        self._lookup = asyncio.Lock()

    async def run(self, request: RunRequest) -> RunResult:
        """Runs one program.

        Raises:
            SandboxError: When the actor or its server can't be reached, or fails.
        """
        client = await self._connected()
        try:
            return await client.run(request)
        except SandboxUnreachable:
            self._looked_up = False
            raise

    async def run_cases(self, request: CasesRequest) -> AsyncGenerator[RunResult, None]:
        """Runs one program on many inputs.

        Raises:
            SandboxError: As ``run``; results that came before are good.
        """
        client = await self._connected()
        try:
            async with aclosing(client.run_cases(request)) as results:
                async for result in results:
                    yield result
        except SandboxUnreachable:
            self._looked_up = False
            raise

    async def ping(self) -> None:
        """Returns when the server answers.

        Raises:
            SandboxError: When it does not.
        """
        await (await self._connected()).ping()

    async def aclose(self) -> None:
        """Closes the connections; the actor lives on."""
        if self._client is not None:
            await self._client.aclose()

    async def _connected(self) -> HttpSandbox:
        async with self._lookup:
            if self._client is None or not self._looked_up:
                try:
                    endpoint = await asyncio.wait_for(self._actor.endpoint.remote(), _LOOKUP_TIMEOUT_S)
                except (TimeoutError, RayError) as error:
                    raise SandboxUnreachable("the sandbox actor of a Ray node does not answer") from error
                if self._client is None or self._client.endpoint != endpoint:
                    await self.aclose()  # whoever still waits there waits for a server that is gone
                    self._client = HttpSandbox(
                        endpoint, max_concurrency=self._max_concurrency, max_attempts=1
                    )
                self._looked_up = True
            return self._client


def cluster_sandbox(*, max_concurrency: int = 64, hedge_after: float | str | None = None) -> FailoverSandbox:
    """All servers of this Ray run as one sandbox: this node's first, then the others, another order per node.

    Args:
        max_concurrency: Runs in flight.
        hedge_after: As for ``FailoverSandbox``.

    Raises:
        SandboxUnreachable: When this process is in no Ray run, or the run has no servers.
    """
    if not ray.is_initialized():
        raise SandboxUnreachable("sandbox=ray is for RL on a Ray cluster; use sandbox=embedded or a URL here")
    names = sorted(name for name in ray.util.list_named_actors() if name.startswith(_PREFIX))
    if not names:
        raise SandboxUnreachable("this Ray run has no sandbox servers; servers_on_every_node starts them")
    own = _PREFIX + ray.get_runtime_context().get_node_id()
    first = names.index(own) if own in names else random.randrange(len(names))
    return FailoverSandbox(
        {
            name: RayServerSandbox(ray.get_actor(name), max_concurrency=max_concurrency)
            for name in names[first:] + names[:first]
        },
        max_concurrency=max_concurrency,
        hedge_after=hedge_after,
    )
