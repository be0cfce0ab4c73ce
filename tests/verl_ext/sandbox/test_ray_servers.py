"""The sandbox on a real Ray cluster of two nodes: found, failed over, started again, ended with the run."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

ray = pytest.importorskip("ray")

from ray.cluster_utils import Cluster  # noqa: E402
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy  # noqa: E402

from verl_ext.sandbox.backends import sandbox_from_endpoint  # noqa: E402
from verl_ext.sandbox.errors import SandboxUnreachable  # noqa: E402
from verl_ext.sandbox.failover import FailoverSandbox  # noqa: E402
from verl_ext.sandbox.protocol import RunRequest  # noqa: E402
from verl_ext.sandbox.ray_servers import servers_on_every_node  # noqa: E402

pytestmark = pytest.mark.e2e


def test_without_a_ray_run_the_word_ray_is_refused() -> None:
    assert not ray.is_initialized()
    with pytest.raises(SandboxUnreachable, match="sandbox=ray is for RL on a Ray cluster"):
        sandbox_from_endpoint("ray")


@pytest.fixture(scope="module")
def nodes() -> Iterator[list[str]]:
    """Ids of the nodes of a real cluster; this process drives it."""
    os.environ |= {"RAY_prestart_worker_first_driver": "0"}
    settings = {"num_cpus": 3, "object_store_memory": 80_000_000, "include_dashboard": False}
    cluster = Cluster(initialize_head=True, head_node_args=settings)
    cluster.add_node(num_cpus=3, object_store_memory=80_000_000)
    cluster.wait_for_nodes()
    ray.init(address=cluster.address, log_to_driver=False)
    yield sorted(node["NodeID"] for node in ray.nodes())
    ray.shutdown()
    cluster.shutdown()


def loop_worker_class() -> Any:
    """Made in a function, so that Ray ships it by value; like a loop worker, it has a client of its own."""

    class LoopWorker:
        def __init__(self) -> None:
            from verl_ext.sandbox.backends import sandbox_from_endpoint

            self.sandbox = sandbox_from_endpoint("ray")

        async def run(self, code: str) -> str:
            result = await self.sandbox.run(RunRequest(code))
            assert result.run is not None
            return result.run.stdout

        def preference(self) -> str:
            assert isinstance(self.sandbox, FailoverSandbox)
            return self.sandbox.endpoint

    return ray.remote(num_cpus=0)(LoopWorker)


def loop_worker(node: str) -> Any:
    return (
        loop_worker_class()
        .options(scheduling_strategy=NodeAffinitySchedulingStrategy(node, soft=False))
        .remote()
    )


def server_pids() -> dict[str, int]:
    """Node's actor -> pid of its server."""
    found = {}
    for process in psutil.process_iter(["cmdline"]):
        if process.info["cmdline"] and "verl_ext.sandbox.server" in process.info["cmdline"]:
            parent = process.parent()
            if parent is not None and "SandboxServer" in "".join(parent.cmdline()):
                found[str(parent.pid)] = process.pid
    return found


def test_more_cores_than_a_node_has_is_one_clear_line(nodes: list[str]) -> None:
    with pytest.raises(SandboxUnreachable, match=r"it asks for 4 of the node's 3 CPUs; lower code_agentic"):
        with servers_on_every_node(4, start_timeout_s=2):
            raise AssertionError("the nodes have fewer")


def test_servers_end_with_the_block(nodes: list[str]) -> None:
    with servers_on_every_node(1):
        started = server_pids()
        assert len(started) == 2
    with pytest.raises(SandboxUnreachable, match="no sandbox servers"):
        sandbox_from_endpoint("ray")
    assert not server_pids()


@pytest.fixture(scope="module")
def servers(nodes: list[str]) -> Iterator[list[str]]:
    with servers_on_every_node(1) as names:
        assert len(names) == len(nodes) == 2
        yield names


def test_a_worker_prefers_the_server_of_its_node(nodes: list[str], servers: list[str]) -> None:
    orders = [ray.get(loop_worker(node).preference.remote()).split(",") for node in nodes]
    for node, order in zip(nodes, orders, strict=True):
        assert order[0].endswith(node)
        assert sorted(order) == sorted(servers)


def test_a_killed_server_costs_no_run(nodes: list[str], servers: list[str]) -> None:
    worker = loop_worker(nodes[0])
    assert ray.get(worker.run.remote("print(0)"), timeout=60) == "0\n"
    runs = [worker.run.remote(f"import time; time.sleep(0.1); print({number})") for number in range(20)]
    time.sleep(0.5)
    for pid in server_pids().values():
        os.kill(pid, signal.SIGKILL)
    assert ray.get(runs, timeout=120) == [f"{number}\n" for number in range(20)]


def test_a_killed_actor_is_started_again_and_found_again(nodes: list[str], servers: list[str]) -> None:
    worker = loop_worker(nodes[0])
    actor = ray.get_actor(ray.get(worker.preference.remote()).split(",")[0])
    endpoint = ray.get(actor.endpoint.remote())
    before = server_pids()
    ray.kill(actor, no_restart=False)
    assert ray.get(worker.run.remote("print('meanwhile')"), timeout=60) == "meanwhile\n"
    deadline = time.monotonic() + 60
    again = ""
    while not again and time.monotonic() < deadline:
        try:
            again = ray.get(actor.endpoint.remote(), timeout=60)
        except ray.exceptions.RayActorError:
            time.sleep(0.5)
    assert again and again != endpoint
    assert ray.get(worker.run.remote("print('after')"), timeout=60) == "after\n"
    (orphan,) = set(before.values()) - set(server_pids().values())
    deadline = time.monotonic() + 30  # it lets running requests finish
    while Path(f"/proc/{orphan}").exists() and time.monotonic() < deadline:
        time.sleep(0.2)
    assert not Path(f"/proc/{orphan}").exists()
