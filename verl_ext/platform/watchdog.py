"""Ends a run whose workers died, instead of waiting for ever.

Runs as a thread beside the driver of verl's Ray trainer, on CPU and GPU machines alike. Owns the
decision that a run is dead, the message that names what died and where its log is, and the clean-up
after the run. What the actors are doing is read by `ray_actors.py`.
"""

import _thread
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Collection
from pathlib import Path
from types import TracebackType

import ray

from verl_ext.platform.ray_actors import Actor, EngineProbe, list_actors
from verl_ext.platform.run_processes import RunProcesses

logger = logging.getLogger(__name__)

EXIT_CODE = 1
# How long processes may take to end after Ray was shut down.
CLEAN_UP_S = 3.0
# How long the interrupted call may take to return; Ray looks for signals about once a second.
INTERRUPT_S = 30.0
# How long a look that is under way may take.
JOIN_S = 10.0
# How long a failed run waits for its vLLM servers to say how they are.
PROBE_S = 5.0


class RunDied(RuntimeError):
    """A worker or a vLLM engine of the run died. The message says which, and where its log is."""


class Watchdog:
    """Context manager around the call that trains; must be entered in the main thread.

        with Watchdog(stall_report_min=30):
            run_ppo(config, task_runner_class=TaskRunnerV1)

    When an actor of the run or a vLLM engine dies and the call does not end by itself within
    `grace_s`, the call is interrupted and `RunDied` raised; a call that hangs even then ends the
    process with exit code 1. On leaving, a Ray that was started inside is shut down.

    Args:
        stall_report_min: minutes without progress after which it is said what is alive; None: never.
        progress_file: its modification time moves with every step; by default the metrics file that
            `VERL_FILE_LOGGER_PATH` names.
        poll_s: seconds between two looks.
        grace_s: seconds that verl has to end by itself with its own error.
    """

    def __init__(
        self,
        *,
        stall_report_min: float | None = None,
        progress_file: Path | None = None,
        poll_s: float = 2.0,
        grace_s: float = 10.0,
    ) -> None:
        named = os.environ.get("VERL_FILE_LOGGER_PATH")
        self._progress_file = progress_file or (Path(named) if named else None)
        self._stall_s = None if stall_report_min is None else 60 * stall_report_min
        self._poll_s = poll_s
        self._grace_s = grace_s
        self._ended = threading.Event()
        self._interrupted = False
        self._dead: list[Actor] = []
        self._buried: set[str] = set()
        self._probe = EngineProbe()
        self._processes = RunProcesses()
        self._thread = threading.Thread(target=self._watch, name="watchdog", daemon=True)

    def __enter__(self) -> "Watchdog":
        assert threading.current_thread() is threading.main_thread(), (
            "only the main thread can be interrupted"
        )
        if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
            # A shell starts what it puts into the background so; the call could not be interrupted then.
            signal.signal(signal.SIGINT, signal.default_int_handler)
        self._owns_ray = not ray.is_initialized()
        if not self._owns_ray:
            # Somebody else's dead: they died before this run.
            self._buried = {actor.id for actor in find_dead(list_actors())}
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join(timeout=self._poll_s + JOIN_S)
        failed = kind is not None and not (issubclass(kind, KeyboardInterrupt) and not self._interrupted)
        if failed and not self._dead and ray.is_initialized():
            # verl noticed first: say what it was all the same.
            actors = list_actors()
            self._dead = find_dead(actors, self._buried) or self._probe.failures(actors, wait_s=PROBE_S)
        message = death_message(self._dead) if failed and self._dead else None
        if self._owns_ray and ray.is_initialized():
            self._processes.observe()
            ray.shutdown()
            self._clean()
        if message is not None:
            raise RunDied(message) from (None if self._interrupted else error)

    def _watch(self) -> None:
        last_progress = time.monotonic()
        last_mark = self._progress_mark()
        died_at: float | None = None
        while not self._ended.wait(self._poll_s):
            if not ray.is_initialized():
                continue
            self._processes.observe()
            actors = list_actors()
            if not self._dead:
                self._dead = find_dead(actors, self._buried) or self._probe.failures(actors)
            now = time.monotonic()
            if self._dead:
                died_at = died_at or now
                if now - died_at >= self._grace_s:
                    self._end_run()
                    return
            mark = self._progress_mark()
            if mark != last_mark:
                last_mark, last_progress = mark, now
            elif self._stall_s is not None and now - last_progress >= self._stall_s:
                logger.warning("%s", stall_message(actors, self._stall_s))
                last_progress = now

    def _progress_mark(self) -> int | None:
        if self._progress_file is None or not self._progress_file.exists():
            return None
        return self._progress_file.stat().st_mtime_ns

    def _end_run(self) -> None:
        if self._ended.is_set():
            return
        self._interrupted = True
        message = death_message(self._dead)
        _thread.interrupt_main()
        if self._ended.wait(INTERRUPT_S):
            return
        print(f"error: {message}", file=sys.stderr, flush=True)
        self._clean()
        os._exit(EXIT_CODE)

    def _clean(self) -> None:
        if cleaned := self._processes.clean(CLEAN_UP_S):
            logger.info("removed after the run: %s", ", ".join(cleaned))


def find_dead(actors: list[Actor], buried: Collection[str] = ()) -> list[Actor]:
    """The actors that died although nobody asked for it.

    Args:
        actors: every actor that Ray knows of.
        buried: ids of actors that were dead before.
    """
    return [actor for actor in actors if actor.cause is not None and actor.id not in buried]


def death_message(dead: list[Actor]) -> str:
    """One line: what died, why, and where its log is."""
    return "the run died: " + "; ".join(f"{actor}: {actor.cause}, log {log_of(actor)}" for actor in dead)


def log_of(actor: Actor) -> str:
    """Where the log of an actor is: the file when it is on this machine, else folder and name on its node."""
    from ray._private.worker import _global_node

    logs = (
        Path(_global_node.get_logs_dir_path())
        if _global_node is not None
        else Path("/tmp/ray/session_latest/logs")
    )
    found = sorted(logs.glob(f"worker-*-{actor.pid}.err"))
    return str(found[0]) if found else f"{actor.node_ip}:{logs}/worker-*-{actor.pid}.err"


def stall_message(actors: list[Actor], stall_s: float) -> str:
    """What is alive while nothing moves."""
    alive = ", ".join(str(actor) for actor in actors if actor.state == "ALIVE")
    return f"no step finished in {stall_s / 60:g} minutes; alive: {alive or 'no actor'}"
