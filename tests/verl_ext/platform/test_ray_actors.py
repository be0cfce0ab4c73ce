"""Which deaths count, and how an actor is named."""

from types import SimpleNamespace

import pytest

pytest.importorskip("ray")

from ray.core.generated import common_pb2

from verl_ext.platform.ray_actors import Actor, engine_failure, unwanted_cause


def death(**context: object) -> object:
    return common_pb2.ActorDeathCause(**context)


def died(reason: str) -> object:
    return death(actor_died_error_context=common_pb2.ActorDiedErrorContext(reason=reason))


@pytest.mark.parametrize(
    ("cause", "expected"),
    [
        (died("WORKER_DIED"), "its process died"),
        (died("NODE_DIED"), "its node died"),
        (death(oom_context=common_pb2.OomContext(error_message="oom")), "out of memory"),
        (
            death(runtime_env_failed_context=common_pb2.RuntimeEnvFailedContext(error_message="no pip")),
            "no pip",
        ),
        (died("RAY_KILL"), None),
        (died("OUT_OF_SCOPE"), None),
        (died("REF_DELETED"), None),
        (died("OWNER_DIED"), None),
        (death(), None),
    ],
)
def test_only_a_death_that_nobody_asked_for_has_a_cause(cause: object, expected: str | None) -> None:
    found = unwanted_cause(cause)

    assert found is None if expected is None else expected in str(found)


def test_an_actor_is_named_with_its_class_process_and_node() -> None:
    actor = Actor("a1", "vllm_server_0_0", "vLLMHttpServer", "ALIVE", 42, "10.0.0.1", None)

    assert str(actor) == "vllm_server_0_0 (vLLMHttpServer, pid 42 on 10.0.0.1)"


@pytest.mark.parametrize(
    ("server", "expected"),
    [
        (SimpleNamespace(), None),
        (SimpleNamespace(engine=SimpleNamespace(errored=False)), None),
        (SimpleNamespace(engine=SimpleNamespace(errored=True)), "its engine process died"),
    ],
)
def test_an_engine_has_failed_when_it_says_so_and_not_while_it_starts(
    server: object, expected: str | None
) -> None:
    assert engine_failure(server) == expected
