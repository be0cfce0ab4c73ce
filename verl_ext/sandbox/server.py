"""The embedded sandbox service, which speaks SandboxFusion's protocol.

``python -m verl_ext.sandbox.server --help``. Owns the command line and the life of the process; what is
answered over HTTP is in ``http_routes``.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import errno
import logging
import os
import signal
import socket
import sys

import uvloop
from aiohttp import web

from verl_ext.sandbox import eventlog
from verl_ext.sandbox.cgroup_folder import memory_groups
from verl_ext.sandbox.errors import SandboxInternalError
from verl_ext.sandbox.execution import Defaults, Pool
from verl_ext.sandbox.http_routes import GATE, MEMORY_OF_RUN, REPORT, make_app
from verl_ext.sandbox.languages import missing_toolchains, settings_paths
from verl_ext.sandbox.memory_watch import can_watch
from verl_ext.sandbox.tiers import choose_tier, tier_config
from verl_ext.sandbox.worker import MAX_WORKERS, WorkerConfig

_log = logging.getLogger(__name__)
_CLOSE_TIMEOUT_S = 1.0
_PARENT_CHECK_S = 1.0


async def _serve(arguments: argparse.Namespace) -> int:
    with memory_groups() as (groups, no_groups_because):
        config = WorkerConfig(
            tier="",
            python=arguments.python,
            preload=tuple(arguments.preload),
            read_only_paths=(*arguments.read_only_path, *arguments.tool_path, *settings_paths()),
            tool_paths=tuple(arguments.tool_path),
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
        app = make_app(
            pool,
            report,
            missing_toolchains(config.search_path, config.python),
            _memory_of_run(config.groups, no_groups_because),
            max_body_mb=arguments.max_body_mb,
            max_inflight_mb=arguments.max_inflight_mb,
        )
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
        report = app[REPORT]
        print(f"sandbox listening on http://{host}:{port} (isolation tier {report.tier})", flush=True)
        eventlog.event("listening", tier=report.tier, memory_of_run=app[MEMORY_OF_RUN])
        for reason in report.weaker_because:
            _log.warning("isolation: %s", reason)
        if not app[MEMORY_OF_RUN].startswith("cgroup"):
            _log.warning("memory of all processes of a run together: %s", app[MEMORY_OF_RUN])
        watcher = asyncio.create_task(_stop_with_parent(stopping)) if arguments.stop_with_parent else None
        await stopping.wait()
        if watcher is not None:
            watcher.cancel()
        if left := await app[GATE].drain(arguments.drain_timeout_s):
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
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (%(default)s)")
    parser.add_argument(
        "--port", type=int, default=8080, help="0 takes a free one and prints it (%(default)s)"
    )
    parser.add_argument("--listen-fd", type=int, help="a listening socket to take instead (inherited)")
    parser.add_argument(
        "--num-workers", type=int, default=os.cpu_count() or 1, help="fork servers (%(default)s)"
    )
    parser.add_argument("--max-running", type=int, default=0, help="runs at a time; 0: twice the workers")
    parser.add_argument("--max-waiting", type=int, default=1024, help="runs waiting before 503 (%(default)s)")
    parser.add_argument(
        "--memory-limit-mb", type=int, default=1024, help="per process, unless asked for (%(default)s)"
    )
    parser.add_argument(
        "--disk-limit-mb", type=int, default=256, help="of a run's working directory (%(default)s)"
    )
    parser.add_argument(
        "--max-processes", type=int, default=128, help="processes and threads of a run (%(default)s)"
    )
    parser.add_argument(
        "--output-cap-kb", type=int, default=1024, help="kept of stdout and of stderr (%(default)s)"
    )
    parser.add_argument("--max-body-mb", type=int, default=64, help="largest request (%(default)s)")
    parser.add_argument(
        "--max-inflight-mb", type=int, default=1024, help="all requests held, before 503 (%(default)s)"
    )
    parser.add_argument(
        "--drain-timeout-s",
        type=float,
        default=10.0,
        help="for running requests to finish after SIGTERM (%(default)s)",
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
        "--tool-path", action="append", default=[], help="folder of compilers and interpreters, put on PATH"
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
