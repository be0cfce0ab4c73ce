"""The embedded sandbox service: SandboxFusion's ``POST /run_code`` and ``GET /v1/ping`` over HTTP.

``python -m verl_ext.sandbox.server --help``. Owns HTTP, the command line and the life of the process;
requests are run by ``execution``. ``GET /status`` (ours) names the isolation tier, the load and missing
toolchains, ``GET /metrics`` counts for Prometheus.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import errno
import json
import logging
import os
import signal
import socket
import sys

import uvloop
from aiohttp import web

from verl_ext.sandbox import eventlog, wire
from verl_ext.sandbox.case_stream import answer_cases
from verl_ext.sandbox.cases import cases_from_json
from verl_ext.sandbox.cgroup_folder import memory_groups
from verl_ext.sandbox.errors import SandboxInternalError, SandboxOverloaded
from verl_ext.sandbox.execution import Defaults, Pool
from verl_ext.sandbox.gate import RETRY_AFTER_S, Gate
from verl_ext.sandbox.languages import LANGUAGES, missing_toolchains
from verl_ext.sandbox.limits import MIB
from verl_ext.sandbox.memory_watch import can_watch
from verl_ext.sandbox.metrics import Metrics
from verl_ext.sandbox.tiers import TierReport, choose_tier, tier_config
from verl_ext.sandbox.worker import MAX_WORKERS, WorkerConfig

_log = logging.getLogger(__name__)
_CLOSE_TIMEOUT_S = 1.0
_PARENT_CHECK_S = 1.0
_POOL = web.AppKey("pool", Pool)
_REPORT = web.AppKey("report", TierReport)
_MISSING = web.AppKey("missing", list)
_METRICS = web.AppKey("metrics", Metrics)
_GATE = web.AppKey("gate", Gate)
_MEMORY_OF_RUN = web.AppKey("memory_of_run", str)


async def _run_code(request: web.Request) -> web.Response:
    try:
        run_request = wire.request_from_json(_parsed(await request.read()), LANGUAGES)
    except ValueError as error:
        return web.json_response({"detail": str(error)}, status=422)
    try:
        result = await request.app[_POOL].run(run_request)
    except SandboxOverloaded as error:
        return _overloaded(error)
    except SandboxInternalError as error:
        _log.warning("run failed on our side: %s", error)
        return web.json_response(wire.failure_to_json(str(error)))
    return web.json_response(wire.result_to_json(result))


async def _run_cases(request: web.Request) -> web.StreamResponse:
    try:
        cases = cases_from_json(_parsed(await request.read()), LANGUAGES)
    except ValueError as error:
        return web.json_response({"detail": str(error)}, status=422)
    try:
        return await answer_cases(request, request.app[_POOL], cases)
    except SandboxOverloaded as error:
        return _overloaded(error)


def _overloaded(error: SandboxOverloaded) -> web.Response:
    return web.json_response({"detail": str(error)}, status=503, headers={"Retry-After": str(RETRY_AFTER_S)})


def _parsed(body: bytes) -> object:
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"the body is not JSON: {error}") from error


async def _ping(_: web.Request) -> web.Response:
    return web.json_response("pong")


async def _status(request: web.Request) -> web.Response:
    pool, report = request.app[_POOL], request.app[_REPORT]
    return web.json_response(
        {
            "tier": report.tier,
            "isolation": report.isolation,
            "weaker_because": report.weaker_because,
            "memory_of_run": request.app[_MEMORY_OF_RUN],
            "draining": request.app[_GATE].draining,
            "running": pool.num_running,
            "waiting": pool.num_waiting,
            "languages": sorted(LANGUAGES),
            "missing_toolchains": request.app[_MISSING],
        }
    )


async def _metrics(request: web.Request) -> web.Response:
    return web.Response(body=request.app[_METRICS].as_text(), content_type="text/plain")


def make_app(
    pool: Pool, report: TierReport, missing: list[str], memory_of_run: str, arguments: argparse.Namespace
) -> web.Application:
    """The web application around a pool."""
    app = web.Application(client_max_size=arguments.max_body_mb * MIB)
    app[_POOL], app[_REPORT], app[_MISSING], app[_MEMORY_OF_RUN] = pool, report, missing, memory_of_run
    app[_METRICS] = pool.metrics
    app[_METRICS].watch_load(lambda: pool.num_running, lambda: pool.num_waiting)
    app[_METRICS].set_isolation(report.tier, memory_of_run.split(":")[0])
    app[_GATE] = Gate(pool.metrics, arguments.max_inflight_mb * MIB)
    app[_GATE].install(app)
    app.add_routes(
        [
            web.post("/run_code", _run_code),
            web.post("/run_cases", _run_cases),
            web.get("/v1/ping", _ping),
            web.get("/status", _status),
            web.get("/metrics", _metrics),
        ]
    )
    return app


async def _serve(arguments: argparse.Namespace) -> int:
    with memory_groups() as (groups, no_groups_because):
        config = WorkerConfig(
            tier="",
            python=arguments.python,
            preload=tuple(arguments.preload),
            read_only_paths=tuple(arguments.read_only_path),
            output_cap_bytes=arguments.output_cap_kb * 1024,
            groups=groups,
        )
        return await _serve_in(config, arguments, no_groups_because)


async def _serve_in(config: WorkerConfig, arguments: argparse.Namespace, no_groups_because: str) -> int:
    """Serves with the best tier that the machine and the arguments allow."""
    try:
        report = await choose_tier(config, arguments.tier)
    except SandboxInternalError as error:
        return _refuse(f"no usable isolation on this machine: {error}")
    if report.tier == "C" and not arguments.unsafe:
        reasons = "; ".join(report.weaker_because) or "tier C was asked for"
        return _refuse(f"programs would not be isolated: {reasons}. Start with --unsafe to run them anyway")
    with tier_config(config, report.tier) as tiered:
        pool = Pool(
            tiered,
            Defaults(arguments.memory_limit_mb, arguments.disk_limit_mb, arguments.max_processes),
            num_workers=arguments.num_workers,
            max_running=arguments.max_running or max(4, 2 * arguments.num_workers),
            max_waiting=arguments.max_waiting,
        )
        memory_of_run = _memory_of_run(config.groups, no_groups_because)
        missing = missing_toolchains(config.search_path)
        app = make_app(pool, report, missing, memory_of_run, arguments)
        try:
            await pool.start()
            return await _listen(app, arguments)
        except SandboxInternalError as error:
            return _refuse(str(error))
        finally:
            pool.stop()


def _memory_of_run(groups: str, no_groups_because: str) -> str:
    """What bounds the memory of a run's processes together, in a line that begins with one word."""
    if groups:
        return f"cgroup: {groups}"
    if can_watch():
        return f"watched: no control groups ({no_groups_because})"
    return f"unbounded: no control groups ({no_groups_because}), and /proc does not tell"


async def _listen(app: web.Application, arguments: argparse.Namespace) -> int:
    """Serves until a signal (or, if asked to watch, the parent's end); lets requests finish."""
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for kind in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(kind, stopping.set)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=_CLOSE_TIMEOUT_S, handler_cancellation=True)
    await runner.setup()
    try:
        site: web.BaseSite = web.TCPSite(runner, arguments.host, arguments.port, backlog=1024)
        if arguments.listen_fd is not None:
            site = web.SockSite(runner, socket.socket(fileno=arguments.listen_fd), backlog=1024)
        try:
            await site.start()
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                return _refuse(
                    f"port {arguments.port} on {arguments.host} is in use; choose another with --port"
                )
            return _refuse(f"can't listen on {arguments.host}:{arguments.port}: {error.strerror}")
        host, port = runner.addresses[0][:2]
        report = app[_REPORT]
        print(f"sandbox listening on http://{host}:{port} (isolation tier {report.tier})", flush=True)
        eventlog.event("listening", tier=report.tier, memory_of_run=app[_MEMORY_OF_RUN])
        for reason in report.weaker_because:
            _log.warning("isolation: %s", reason)
        if not app[_MEMORY_OF_RUN].startswith("cgroup"):
            _log.warning("memory of all processes of a run together: %s", app[_MEMORY_OF_RUN])
        watcher = asyncio.create_task(_stop_with_parent(stopping)) if arguments.stop_with_parent else None
        await stopping.wait()
        if watcher is not None:
            watcher.cancel()
        if left := await app[_GATE].drain(arguments.drain_timeout_s):
            _log.warning("%d requests did not finish within --drain-timeout-s and are dropped", left)
    finally:
        await runner.cleanup()
    return 0


async def _stop_with_parent(stopping: asyncio.Event) -> None:
    """Stops when standard input ends or the parent is another one: whoever started us is gone."""
    parent = os.getppid()
    loop = asyncio.get_running_loop()
    loop.add_reader(0, stopping.set)
    with contextlib.suppress(TimeoutError):
        while os.getppid() == parent and not stopping.is_set():
            await asyncio.sleep(_PARENT_CHECK_S)
    stopping.set()
    loop.remove_reader(0)


def _refuse(line: str) -> int:
    print(f"sandbox: {line}", file=sys.stderr)
    return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m verl_ext.sandbox.server", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--port", type=int, default=8080, help="0 takes a free one and prints it")
    parser.add_argument("--listen-fd", type=int, help="a listening socket to take instead (inherited)")
    parser.add_argument("--num-workers", type=int, default=os.cpu_count() or 1, help="fork servers")
    parser.add_argument("--max-running", type=int, default=0, help="runs at a time; 0: twice the workers")
    parser.add_argument("--max-waiting", type=int, default=1024, help="runs waiting before 503")
    parser.add_argument("--memory-limit-mb", type=int, default=1024, help="per process, unless asked for")
    parser.add_argument("--disk-limit-mb", type=int, default=256, help="of a run's working directory")
    parser.add_argument("--max-processes", type=int, default=128, help="processes and threads of a run")
    parser.add_argument("--output-cap-kb", type=int, default=1024, help="kept of stdout and of stderr")
    parser.add_argument("--max-body-mb", type=int, default=64, help="largest request")
    parser.add_argument("--max-inflight-mb", type=int, default=1024, help="all requests held, before 503")
    parser.add_argument(
        "--drain-timeout-s", type=float, default=10.0, help="for running requests to finish after SIGTERM"
    )
    parser.add_argument(
        "--log-format", choices=eventlog.FORMATS, default="text", help="json: a line per event"
    )
    parser.add_argument("--python", default=sys.executable, help="interpreter of Python programs")
    parser.add_argument(
        "--preload", nargs="*", default=[], metavar="MODULE", help="imported before the forks"
    )
    parser.add_argument(
        "--read-only-path", action="append", default=[], help="further path programs may read"
    )
    parser.add_argument(
        "--tier", choices=("auto", "A", "B", "C"), default="auto", help="isolation tier to use; C is none"
    )
    parser.add_argument("--unsafe", action="store_true", help="run programs even without any isolation")
    parser.add_argument("--stop-with-parent", action="store_true", help="stop when stdin ends")
    return parser


def main(argv: list[str] | None = None) -> int:
    """Runs the service until SIGTERM or SIGINT; 2 when it can't start."""
    arguments = _parser().parse_args(argv)
    eventlog.configure(arguments.log_format)
    for name in ("num_workers", "memory_limit_mb", "disk_limit_mb", "max_processes", "output_cap_kb"):
        if getattr(arguments, name) < 1:
            return _refuse(f"--{name.replace('_', '-')} must be at least 1")
    if arguments.num_workers > MAX_WORKERS:
        return _refuse(f"--num-workers must be at most {MAX_WORKERS}")
    if arguments.disk_limit_mb < arguments.max_body_mb:
        return _refuse("--disk-limit-mb must be at least --max-body-mb: a request's files have to fit")
    return uvloop.run(_serve(arguments))


if __name__ == "__main__":
    sys.exit(main())
