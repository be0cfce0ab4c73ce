"""A run whose workers died ends; a run that ends by itself is left alone."""

import logging
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ray = pytest.importorskip("ray")

from verl_ext.platform.watchdog import RunDied, Watchdog  # noqa: E402

HANG_S = 60
POLL_S = 0.2
GRACE_S = 0.5


@pytest.fixture(scope="module")
def cluster() -> Iterator[None]:
    """A real Ray, started once for this file."""
    os.environ |= {"RAY_prestart_worker_first_driver": "0"}
    ray.init(num_cpus=8, include_dashboard=False, log_to_driver=False, object_store_memory=80_000_000)
    yield
    ray.shutdown()


def watchdog(**settings: Any) -> Watchdog:
    return Watchdog(poll_s=POLL_S, grace_s=GRACE_S, **settings)


def worker_class() -> Any:
    """Made in a function, so that Ray ships it by value."""

    class RolloutWorker:
        def hang(self) -> None:
            time.sleep(HANG_S)

        def ready(self) -> bool:
            return True

        def die(self) -> None:
            os.kill(os.getpid(), signal.SIGKILL)

    return ray.remote(num_cpus=0)(RolloutWorker)


def server_class() -> Any:
    """A server as verl's, whose engine breaks after the first look."""

    class vLLMHttpServer:
        def __init__(self) -> None:
            self.engine = type("Engine", (), {"errored": False})()

        def break_engine(self) -> None:
            self.engine.errored = True

    return ray.remote(num_cpus=0)(vLLMHttpServer)


# Two names, because Ray frees that of a dead worker some time after its death.
@pytest.mark.parametrize(
    ("handler", "name"),
    [(signal.default_int_handler, "worker_7"), (signal.SIG_IGN, "worker_8")],
    ids=["shell", "background"],
)
def test_a_killed_worker_ends_a_call_that_would_wait_for_ever(cluster: None, handler: Any, name: str) -> None:
    signal.signal(signal.SIGINT, handler)
    waiting, dying = worker_class().remote(), worker_class().options(name=name).remote()
    ray.get([waiting.ready.remote(), dying.ready.remote()])
    started = time.monotonic()

    with pytest.raises(RunDied) as death, watchdog():
        dying.die.remote()
        ray.get(waiting.hang.remote())

    message = str(death.value)
    assert time.monotonic() - started < HANG_S / 2
    assert f"{name} (RolloutWorker, pid " in message
    assert "its process died" in message
    assert Path(message.rpartition("log ")[2]).is_file()
    ray.kill(waiting)


def test_a_dead_engine_ends_the_run_although_its_server_lives(cluster: None) -> None:
    waiting, server = worker_class().remote(), server_class().options(name="vllm_server_0_0").remote()
    ray.get([waiting.ready.remote(), server.break_engine.remote()])

    with pytest.raises(RunDied, match=r"vllm_server_0_0 \(vLLMHttpServer") as death, watchdog():
        ray.get(waiting.hang.remote())

    assert "its engine process died" in str(death.value)
    ray.kill(server)
    ray.kill(waiting)


def test_a_dead_engine_is_named_when_verl_fails_first(cluster: None) -> None:
    server = server_class().options(name="vllm_server_1_0").remote()
    ray.get(server.break_engine.remote())

    with pytest.raises(RunDied, match="vllm_server_1_0") as death, watchdog():
        raise RuntimeError("no materializable trajectories")

    assert isinstance(death.value.__cause__, RuntimeError)
    ray.kill(server)


def test_actors_that_end_as_they_should_end_nothing(cluster: None) -> None:
    with watchdog():
        killed, dropped = worker_class().remote(), worker_class().remote()
        ray.get([killed.ready.remote(), dropped.ready.remote()])
        ray.kill(killed)
        del dropped
        time.sleep(5 * POLL_S + GRACE_S)


def test_an_error_of_the_run_itself_passes_unchanged(cluster: None) -> None:
    with pytest.raises(ZeroDivisionError), watchdog():
        raise ZeroDivisionError


def test_ctrl_c_of_the_user_stays_ctrl_c(cluster: None) -> None:
    with pytest.raises(KeyboardInterrupt), watchdog():
        raise KeyboardInterrupt


def test_when_verl_notices_a_death_first_the_message_still_names_it(cluster: None) -> None:
    dying = worker_class().options(name="worker_8").remote()
    ray.get(dying.ready.remote())

    with pytest.raises(RunDied, match="worker_8") as death, watchdog():
        ray.get(dying.die.remote())

    assert isinstance(death.value.__cause__, ray.exceptions.RayActorError)


def test_a_run_without_progress_is_told_what_is_alive(
    cluster: None, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    idle = worker_class().options(name="idle_worker").remote()
    ray.get(idle.ready.remote())

    with (
        caplog.at_level(logging.WARNING),
        watchdog(stall_report_min=0.01, progress_file=tmp_path / "metrics.jsonl"),
    ):
        time.sleep(1.5)

    assert "no step finished in 0.01 minutes" in caplog.text
    assert "idle_worker (RolloutWorker" in caplog.text
    ray.kill(idle)


def test_a_run_with_progress_is_not_stalled(
    cluster: None, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    metrics = tmp_path / "metrics.jsonl"

    with caplog.at_level(logging.WARNING), watchdog(stall_report_min=0.05, progress_file=metrics):
        for step in range(20):
            metrics.write_text("{}\n" * step)
            time.sleep(0.2)

    assert "no step finished" not in caplog.text
