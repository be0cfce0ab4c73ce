"""``POST /run_cases`` over HTTP: results leave as lines while later cases still run.

Owns how the reply is written; what it says is in ``cases``, who runs it is the ``Pool``.
"""

from __future__ import annotations

import json
import logging
from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress
from dataclasses import replace
from typing import Any

from aiohttp import web

from verl_ext.sandbox import wire
from verl_ext.sandbox.errors import SandboxInternalError, ToolchainMissing
from verl_ext.sandbox.execution import Pool
from verl_ext.sandbox.languages import LANGUAGES
from verl_ext.sandbox.protocol import CasesRequest

_log = logging.getLogger(__name__)


async def answer_cases(
    request: web.Request, pool: Pool, cases: CasesRequest, missing: str
) -> web.StreamResponse:
    """Runs the cases and answers as the request asks for; a client that leaves ends them.

    Args:
        request: Whom to answer.
        pool: Runs them.
        cases: The program and its inputs.
        missing: What is not installed of the language's toolchain; empty when everything is.

    Raises:
        SandboxOverloaded: Before anything was answered.
    """
    async with aclosing(_replies(pool, cases, missing)) as replies:
        if not cases.stream:
            return web.json_response({"results": [reply async for reply in replies]})
        response = web.StreamResponse(headers={"Content-Type": "application/x-ndjson"})
        with suppress(ConnectionError):  # the client left, as it may: the rest is cancelled
            async for reply in replies:
                if not response.prepared:
                    await response.prepare(request)
                await response.write(json.dumps(reply).encode() + b"\n")
    return response  # aiohttp ends it


async def _replies(pool: Pool, cases: CasesRequest, missing: str) -> AsyncGenerator[dict[str, Any], None]:
    """One ``/run_code`` reply per case; a failure of ours is the last."""
    compiled = LANGUAGES[cases.program.language].compile is not None
    if missing:
        yield wire.missing_toolchain_to_json(missing, compiled=compiled)
        return
    first = True
    try:
        async with aclosing(pool.run_cases(cases)) as results:
            async for result in results:
                yield wire.result_to_json(result if first else replace(result, compile=None))
                first = False
    except ToolchainMissing as error:
        yield wire.missing_toolchain_to_json(error.tool, compiled=compiled)
    except SandboxInternalError as error:
        _log.warning("case failed on our side: %s", error)
        yield wire.failure_to_json(str(error))
