"""The embedded sandbox service: SandboxFusion's ``POST /run_code`` and ``GET /v1/ping`` over HTTP.

``python -m verl_ext.sandbox.server --help``. Owns HTTP, the command line and the life of the process;
requests are run by ``execution``. ``GET /status`` (ours) names the isolation tier, the load and missing
toolchains.
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
import sys

import uvloop
from aiohttp import web

from verl_ext.sandbox import wire
from verl_ext.sandbox.case_stream import answer_cases
from verl_ext.sandbox.cases import cases_from_json
from verl_ext.sandbox.errors import SandboxInternalError, SandboxOverloaded
from verl_ext.sandbox.execution import Defaults, Pool
from verl_ext.sandbox.languages import LANGUAGES, missing_toolchains
from verl_ext.sandbox.limits import MIB
from verl_ext.sandbox.tiers import TierReport, choose_tier, tier_config
from verl_ext.sandbox.worker import MAX_WORKERS, WorkerConfig

_log = logging.getLogger(__name__)
_RETRY_AFTER_S = 1
_DRAIN_TIMEOUT_S = 10.0
_PARENT_CHECK_S = 1.0
_POOL = web.AppKey("pool", Pool)
_REPORT = web.AppKey("report", TierReport)
_MISSING = web.AppKey("missing", list)


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
    return web.json_response({"detail": str(error)}, status=503, headers={"Retry-After": str(_RETRY_AFTER_S)})


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
            "running": pool.num_running,
            "waiting": pool.num_waiting,
            "languages": sorted(LANGUAGES),
            "missing_toolchains": request.app[_MISSING],
        }
    )


def make_app(pool: Pool, report: TierReport, missing: list[str], max_body_mb: int) -> web.Application:
    """The web application around a started pool."""
    app = web.Application(client_max_size=max_body_mb * MIB)
    app[_POOL], app[_REPORT], app[_MISSING] = pool, report, missing
    app.add_routes(
        [
            web.post("/run_code", _run_code),
            web.post("/run_cases", _run_cases),
            web.get("/v1/ping", _ping),
            web.get("/status", _status),
        ]
    )
    return app


async def _serve(arguments: argparse.Namespace) -> int:
    config = WorkerConfig(
        tier="",
        python=arguments.python,
        preload=tuple(arguments.preload),
        read_only_paths=tuple(arguments.read_only_path),
        output_cap_bytes=arguments.output_cap_kb * 1024,
    )
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
        app = make_app(pool, report, missing_toolchains(config.search_path), arguments.max_body_mb)
        try:
            await pool.start()
            return await _listen(app, arguments)
        except SandboxInternalError as error:
            return _refuse(str(error))
        finally:
            pool.stop()


async def _listen(app: web.Application, arguments: argparse.Namespace) -> int:
    """Serves until a signal (or, if asked to watch, the parent's end); lets running requests finish."""
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for kind in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(kind, stopping.set)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=_DRAIN_TIMEOUT_S, handler_cancellation=True)
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, arguments.host, arguments.port, backlog=1024).start()
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                return _refuse(
                    f"port {arguments.port} on {arguments.host} is in use; choose another with --port"
                )
            return _refuse(f"can't listen on {arguments.host}:{arguments.port}: {error.strerror}")
        host, port = runner.addresses[0][:2]
        report = app[_REPORT]
        print(f"sandbox listening on http://{host}:{port} (isolation tier {report.tier})", flush=True)
        for reason in report.weaker_because:
            _log.warning("isolation: %s", reason)
        watcher = asyncio.create_task(_stop_with_parent(stopping)) if arguments.stop_with_parent else None
        await stopping.wait()
        if watcher is not None:
            watcher.cancel()
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
    parser.add_argument("--num-workers", type=int, default=os.cpu_count() or 1, help="fork servers")
    parser.add_argument("--max-running", type=int, default=0, help="runs at a time; 0: twice the workers")
    parser.add_argument("--max-waiting", type=int, default=1024, help="runs waiting before 503")
    parser.add_argument("--memory-limit-mb", type=int, default=1024, help="per process, unless asked for")
    parser.add_argument("--disk-limit-mb", type=int, default=256, help="of a run's working directory")
    parser.add_argument("--max-processes", type=int, default=128, help="processes and threads of a run")
    parser.add_argument("--output-cap-kb", type=int, default=1024, help="kept of stdout and of stderr")
    parser.add_argument("--max-body-mb", type=int, default=64, help="largest request")
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
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    arguments = _parser().parse_args(argv)
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
