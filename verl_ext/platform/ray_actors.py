"""What became of a run's Ray actors, and whether its vLLM engines live.

Owns the reading of Ray's actor table (Ray 2.60) and the question put to verl's vLLM servers (verl
0.9.1). It decides nothing: see `watchdog.py`.
"""

from dataclasses import dataclass, replace
from typing import Any

import ray
from ray.core.generated.common_pb2 import ActorDiedErrorContext  # type: ignore[attr-defined]

VLLM_SERVER_CLASS = "vLLMHttpServer"
# Deaths that somebody wanted, or that follow from another one: ray.kill, a dropped handle, a dead owner.
_UNWANTED = {
    ActorDiedErrorContext.WORKER_DIED: "its process died",
    ActorDiedErrorContext.NODE_DIED: "its node died",
}


@dataclass(frozen=True)
class Actor:
    """One row of Ray's actor table.

    Attributes:
        id: Ray's own, in hex.
        name: the name it was given, or nothing.
        kind: its class.
        state: Ray's word, such as ALIVE or DEAD.
        cause: why it is dead, or None when it lives or was meant to end.
    """

    id: str
    name: str
    kind: str
    state: str
    pid: int
    node_ip: str
    cause: str | None

    def __str__(self) -> str:
        return f"{self.name or 'unnamed'} ({self.kind}, pid {self.pid} on {self.node_ip})"


def unwanted_cause(death: Any) -> str | None:
    """Why an actor died, if nobody asked for it.

    Args:
        death: Ray's `ActorDeathCause` message.
    """
    kind = death.WhichOneof("context")
    if kind == "actor_died_error_context":
        return _UNWANTED.get(death.actor_died_error_context.reason)
    if kind == "oom_context":
        return "Ray killed it because the machine ran out of memory"
    if kind == "runtime_env_failed_context":
        return f"its environment failed: {death.runtime_env_failed_context.error_message}"
    if kind == "actor_unschedulable_context":
        return f"Ray could not place it: {death.actor_unschedulable_context.error_message}"
    # An exception in the constructor reaches whoever made the actor.
    return None


def list_actors() -> list[Actor]:
    """The actors of this driver's job."""
    from ray._private import state

    job = ray.JobID.from_hex(ray.get_runtime_context().get_job_id())
    return [
        Actor(
            id=row["ActorID"],
            name=row["Name"],
            kind=row["ActorClassName"].rpartition(".")[2],
            state=row["State"],
            pid=row["Pid"],
            node_ip=row["Address"]["IPAddress"],
            cause=unwanted_cause(row["DeathCause"]) if row["State"] == "DEAD" else None,
        )
        for row in state.actors(job_id=job).values()
    ]


def engine_failure(server: Any) -> str | None:
    """Runs inside a vLLM server: what is wrong with its engine, or None.

    Args:
        server: verl's `vLLMHttpServer`, which has no engine before it has started.
    """
    engine = getattr(server, "engine", None)
    if engine is None or not engine.errored:
        return None
    return "its engine process died"


class EngineProbe:
    """Asks every vLLM server for the health of its engine, one question at a time.

    A busy server answers late; that is no death.
    """

    def __init__(self) -> None:
        self._asked: dict[str, Any] = {}

    def failures(self, actors: list[Actor], wait_s: float = 0) -> list[Actor]:
        """Servers whose answer came in and says that the engine is dead.

        Args:
            actors: every actor of the run.
            wait_s: how long to wait for answers, in seconds; with 0 they are read at the next call.
        """
        servers = {
            actor.name: actor
            for actor in actors
            if actor.kind == VLLM_SERVER_CLASS and actor.state == "ALIVE" and actor.name
        }
        for name in servers:
            if name not in self._asked:
                self._asked[name] = ray.get_actor(name).__ray_call__.remote(engine_failure)
        questions = [self._asked[name] for name in servers]
        answered, _ = (
            ray.wait(questions, num_returns=len(questions), timeout=wait_s) if questions else ([], [])
        )
        failed = []
        for name, server in servers.items():
            if self._asked[name] in answered and (cause := ray.get(self._asked.pop(name))):
                failed.append(replace(server, cause=cause))
        return failed
