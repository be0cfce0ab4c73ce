"""What the service counts, for ``GET /metrics`` in Prometheus' text format, and the log line of each run."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterator

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest

from verl_ext.sandbox import eventlog
from verl_ext.sandbox.errors import SandboxOverloaded
from verl_ext.sandbox.protocol import RunResult, StageStatus

_SECONDS = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0)


class RunRecord:
    """What is known of one request so far.

    Attributes:
        outcome: One of ``success``, ``nonzero_exit``, ``signal``, ``time_limit``, ``memory_limit``,
            ``output_limit``, ``compile_error`` (about the program); ``rejected``, ``cancelled``,
            ``sandbox_error`` (about us).
        output_truncated: Whether some of its output was not kept.
        counts: Whether it is counted and logged.
        queue_s: Seconds that it waited for a slot; all of its time when it never got one.
    """

    def __init__(self) -> None:
        self._arrived = time.monotonic()
        self._started: float | None = None
        self.outcome = "sandbox_error"
        self.output_truncated = False
        self.counts = True

    def start(self) -> None:
        """It got its slot."""
        self._started = time.monotonic()

    def finish(self, result: RunResult) -> None:
        """It ran."""
        self.outcome = outcome_of(result)
        self.output_truncated = any(
            stage is not None and stage.output_truncated for stage in (result.compile, result.run)
        )

    def leave_out(self) -> None:
        """It is no run of its own: neither counted nor logged."""
        self.counts = False

    @property
    def queue_s(self) -> float:
        return (self._started or time.monotonic()) - self._arrived

    @property
    def run_s(self) -> float:
        """Seconds since it got its slot; 0 when it has none."""
        return 0.0 if self._started is None else time.monotonic() - self._started


class Metrics:
    """The counters of one service."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(namespace="sandbox", registry=self.registry)
        self._runs = Counter(
            "sandbox_runs", "Requests to run", ["language", "outcome"], registry=self.registry
        )
        self._run_seconds = Histogram(
            "sandbox_run_seconds", "Time in a slot", ["language"], buckets=_SECONDS, registry=self.registry
        )
        self._queue_seconds = Histogram(
            "sandbox_queue_seconds", "Time until a slot", buckets=_SECONDS, registry=self.registry
        )
        self._truncated = Counter("sandbox_output_truncated", "Runs with cut output", registry=self.registry)
        self._memory = Counter("sandbox_memory_exceeded", "Runs out of memory", registry=self.registry)
        self._rejected = Counter("sandbox_rejected", "Refused requests", ["reason"], registry=self.registry)
        self._restarts = Counter("sandbox_worker_restarts", "Fork servers replaced", registry=self.registry)

    @contextlib.contextmanager
    def run(self, language: str) -> Iterator[RunRecord]:
        """Counts and logs one request when the block ends, however that is."""
        record = RunRecord()
        try:
            yield record
        except SandboxOverloaded:
            record.outcome = "rejected"
            raise
        except asyncio.CancelledError:
            record.outcome = "cancelled"
            raise
        finally:
            if record.counts:
                self._count(language, record)

    def _count(self, language: str, record: RunRecord) -> None:
        queue_s, run_s = record.queue_s, record.run_s
        self._runs.labels(language, record.outcome).inc()
        self._queue_seconds.observe(queue_s)
        if run_s:
            self._run_seconds.labels(language).observe(run_s)
        if record.output_truncated:
            self._truncated.inc()
        if record.outcome == "memory_limit":
            self._memory.inc()
        eventlog.event(
            "run", language=language, outcome=record.outcome, queue_s=round(queue_s, 6), run_s=round(run_s, 6)
        )

    def rejected(self, reason: str) -> None:
        """A request was refused: ``queue_full``, ``too_much_data`` or ``draining``."""
        self._rejected.labels(reason).inc()

    def worker_restarted(self) -> None:
        """A fork server took the place of one that died."""
        self._restarts.inc()
        eventlog.event("worker_restarted")

    def watch_load(self, running: Callable[[], int], waiting: Callable[[], int]) -> None:
        """Asks for the load whenever the metrics are read."""
        for name, text, function in (
            ("sandbox_running", "Requests in a slot", running),
            ("sandbox_waiting", "Requests in the queue", waiting),
        ):
            Gauge(name, text, registry=self.registry).set_function(function)

    def set_isolation(self, tier: str, memory_of_run: str) -> None:
        """Shows the isolation as labels."""
        info = Gauge("sandbox_isolation_info", "Isolation", ["tier", "memory_of_run"], registry=self.registry)
        info.labels(tier, memory_of_run).set(1)

    def as_text(self) -> bytes:
        """Everything, in Prometheus' text format."""
        return generate_latest(self.registry)


def outcome_of(result: RunResult) -> str:
    """The outcome of a run that took place, in one word."""
    stage = result.run or result.compile
    assert stage is not None
    if stage.memory_exceeded:
        return "memory_limit"
    if stage.status is StageStatus.TIME_LIMIT:
        return "time_limit"
    if result.run is None:
        return "compile_error"
    if stage.output_truncated:
        return "output_limit"
    if stage.return_code == 0:
        return "success"
    return "signal" if (stage.return_code or 0) < 0 else "nonzero_exit"
