"""The HTTP face of the service: SandboxFusion's endpoints, and ours.

Owns routes, status codes and the shape of errors: every refusal is ``{"detail": one line}``. What an endpoint
does is elsewhere: ``execution`` runs programs, ``case_stream`` answers for many inputs, ``jupyter`` runs
notebooks, ``judge`` judges.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from aiohttp import hdrs, web

from verl_ext.sandbox import fields, judge, judge_requests, jupyter, wire
from verl_ext.sandbox.case_stream import answer_cases
from verl_ext.sandbox.cases import cases_from_json
from verl_ext.sandbox.errors import SandboxInternalError, SandboxOverloaded, ToolchainMissing
from verl_ext.sandbox.execution import Pool
from verl_ext.sandbox.gate import RETRY_AFTER_S, Gate
from verl_ext.sandbox.languages import LANGUAGES
from verl_ext.sandbox.limits import MIB
from verl_ext.sandbox.tiers import TierReport

_log = logging.getLogger(__name__)
POOL = web.AppKey("pool", Pool)
REPORT = web.AppKey("report", TierReport)
MISSING = web.AppKey("missing", Mapping[str, str])
GATE = web.AppKey("gate", Gate)
MEMORY_OF_RUN = web.AppKey("memory_of_run", str)

_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


async def _run_code(request: web.Request) -> web.Response:
    run_request = wire.request_from_json(await _body(request), LANGUAGES)
    language = run_request.language
    missing = request.app[MISSING].get(language, "")
    if not missing:
        try:
            return web.json_response(wire.result_to_json(await request.app[POOL].run(run_request)))
        except ToolchainMissing as error:
            missing = error.tool
        except SandboxInternalError as error:
            _log.warning("run failed on our side: %s", error)
            return web.json_response(wire.failure_to_json(str(error)))
    compiled = LANGUAGES[language].compile is not None
    return web.json_response(wire.missing_toolchain_to_json(missing, compiled=compiled))


async def _run_cases(request: web.Request) -> web.StreamResponse:
    cases = cases_from_json(await _body(request), LANGUAGES)
    missing = request.app[MISSING].get(cases.program.language, "")
    return await answer_cases(request, request.app[POOL], cases, missing)


async def _run_jupyter(request: web.Request) -> web.Response:
    cells_request = jupyter.request_from_json(await _body(request))
    try:
        return web.json_response(await jupyter.run_cells(request.app[POOL], cells_request))
    except SandboxInternalError as error:
        _log.warning("cells failed on our side: %s", error)
        return web.json_response(jupyter.failure_to_json(str(error)))


async def _submit(request: web.Request) -> web.Response:
    submission = judge_requests.submission_from_json(await _body(request), request.app[MISSING])
    return web.json_response(await judge.submit(request.app[POOL], submission))


def _answering(answer: Callable[[dict[str, Any]], object]) -> _Handler:
    """A handler whose reply depends on the body alone."""

    async def handle(request: web.Request) -> web.Response:
        return web.json_response(answer(await _body(request)))

    return handle


async def _list_datasets(_: web.Request) -> web.Response:
    return web.json_response(judge_requests.DATASETS)


async def _ping(_: web.Request) -> web.Response:
    return web.json_response("pong")


async def _status(request: web.Request) -> web.Response:
    pool, report = request.app[POOL], request.app[REPORT]
    missing = request.app[MISSING]
    return web.json_response(
        {
            "tier": report.tier,
            "isolation": report.isolation,
            "weaker_because": report.weaker_because,
            "memory_of_run": request.app[MEMORY_OF_RUN],
            "draining": request.app[GATE].draining,
            "running": pool.num_running,
            "waiting": pool.num_waiting,
            "languages": sorted(LANGUAGES),
            "missing_toolchains": sorted(missing),
            "missing_parts": dict(missing),
        }
    )


async def _metrics(request: web.Request) -> web.Response:
    return web.Response(body=request.app[POOL].metrics.as_text(), content_type="text/plain")


async def _body(request: web.Request) -> dict[str, Any]:
    """The request's JSON object.

    Raises:
        web.HTTPUnsupportedMediaType: When it says that it is something else. Insisting keeps web pages from
            posting to a service on the loopback: browsers ask before they send JSON to another site.
        BadRequest: When it is no JSON object.
    """
    if request.content_type != "application/json":
        said = request.headers.get(hdrs.CONTENT_TYPE, "nothing")
        raise web.HTTPUnsupportedMediaType(
            text=f"Content-Type: must be application/json, the request says {said:.80}"
        )
    return fields.parse_object(await request.read())


@web.middleware
async def _refusals(request: web.Request, handler: _Handler) -> web.StreamResponse:
    """Turns whatever a handler raises into a status and one line."""
    try:
        return await handler(request)
    except fields.BadRequest as error:
        return _refusal(422, str(error))
    except SandboxOverloaded as error:
        return _refusal(503, str(error), {"Retry-After": str(RETRY_AFTER_S)})
    except ToolchainMissing as error:
        return _refusal(422, f"language: {error}")
    except SandboxInternalError as error:
        _log.warning("%s failed on our side: %s", request.path, error)
        return _refusal(500, str(error))
    except web.HTTPNotFound:
        return _refusal(404, f"{request.path!r:.80} is no endpoint of this service")
    except web.HTTPMethodNotAllowed as error:
        allowed = sorted(error.allowed_methods)
        line = f"{request.method:.20} is not for {request.path}; use {' or '.join(allowed)}"
        return _refusal(405, line, {"Allow": ",".join(allowed)})
    except web.HTTPException as error:
        return _refusal(error.status, error.text or error.reason)
    except Exception:
        _log.exception("%s %s failed", request.method, request.path)
        return _refusal(500, "the sandbox failed; its log says why")


def _refusal(status: int, detail: str, headers: Mapping[str, str] | None = None) -> web.Response:
    # ASCII JSON: what a request said may hold lone surrogates.
    body = json.dumps({"detail": " ".join(detail.split())})
    return web.Response(text=body, status=status, content_type="application/json", headers=headers)


def make_app(
    pool: Pool,
    report: TierReport,
    missing: Mapping[str, str],
    memory_of_run: str,
    *,
    max_body_mb: int,
    max_inflight_mb: int,
) -> web.Application:
    """The web application around a pool.

    Args:
        pool: Runs the programs.
        report: The isolation in use.
        missing: Language -> what of its toolchain is not installed.
        memory_of_run: What bounds the memory of all processes of a run together.
        max_body_mb: MiB of the largest request that is read.
        max_inflight_mb: MiB of all requests that are held at a time.
    """
    app = web.Application(client_max_size=max_body_mb * MIB, middlewares=[_refusals])
    app[POOL], app[REPORT], app[MISSING], app[MEMORY_OF_RUN] = pool, report, missing, memory_of_run
    pool.metrics.watch_load(lambda: pool.num_running, lambda: pool.num_waiting)
    pool.metrics.set_isolation(report.tier, memory_of_run.split(":")[0])
    app[GATE] = Gate(pool.metrics, max_inflight_mb * MIB)
    app[GATE].install(app)
    app.add_routes(
        [
            web.post("/run_code", _run_code),
            web.post("/run_cases", _run_cases),
            web.post("/run_jupyter", _run_jupyter),
            web.post("/submit", _submit),
            web.get("/list_datasets", _list_datasets),
            web.post("/list_ids", _answering(judge_requests.list_ids)),
            web.post("/get_prompts", _answering(judge_requests.get_prompts)),
            web.post("/get_prompt_by_id", _answering(judge_requests.get_prompt_by_id)),
            web.post("/get_metrics", _answering(judge_requests.get_metrics)),
            web.post("/get_metrics_function", _answering(judge_requests.get_metrics_function)),
            web.get("/v1/ping", _ping),
            web.get("/status", _status),
            web.get("/metrics", _metrics),
        ]
    )
    return app
