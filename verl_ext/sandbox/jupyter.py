"""``POST /run_jupyter``: cells run one after the other in one interpreter, in the jail of all programs.

Owns the request, the reply and how output is divided among cells; ``cell_driver`` runs them. No Jupyter
package is needed. SandboxFusion accepts ``cell_timeout`` and ignores it, and drops every cell when the total
time limit is reached; here both count. Magics (``%``, ``!``) are IPython's and a SyntaxError.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from verl_ext.sandbox import wire
from verl_ext.sandbox.execution import Pool
from verl_ext.sandbox.fields import (
    BadRequest,
    files_field,
    memory_field,
    paths_field,
    seconds_field,
)
from verl_ext.sandbox.languages import Language
from verl_ext.sandbox.protocol import RunRequest, RunResult, StageResult, StageStatus

_MAX_CELLS = 1000
_NOTEBOOK = Language(".cell_driver.py")
_REQUEST, _REPORT = ".cells.json", ".cells.jsonl"


@dataclass(frozen=True, slots=True)
class CellsRequest:
    """A notebook to run.

    Attributes:
        cells: Sources, in order.
        cell_timeout_s: Wall-clock seconds of each cell; None means that only the total counts.
        total_timeout_s: Wall-clock seconds of all cells.
        memory_limit_mb: MiB; None means the service's default.
        files: Relative path -> content, written before the first cell.
        fetch_files: Relative paths to read back after the last one.
    """

    cells: tuple[str, ...]
    cell_timeout_s: float | None
    total_timeout_s: float
    memory_limit_mb: int | None
    files: Mapping[str, bytes]
    fetch_files: tuple[str, ...]


def request_from_json(body: Mapping[str, Any]) -> CellsRequest:
    """Reads and checks a request.

    Raises:
        BadRequest: With one line that names the field and what is wrong with it.
    """
    cells = body.get("cells")
    if not isinstance(cells, list) or not all(isinstance(cell, str) for cell in cells):
        raise BadRequest("cells: required, a list of strings")
    if len(cells) > _MAX_CELLS:
        raise BadRequest(f"cells: {len(cells)} cells, at most {_MAX_CELLS} are taken")
    if body.get("kernel", "python3") != "python3":
        raise BadRequest(f"kernel: {body['kernel']!r:.80} is not python3, the only one there is")
    # SandboxFusion's client sends 0 for a cell timeout that was not asked for.
    unlimited = body.get("cell_timeout") in (None, 0)
    return CellsRequest(
        cells=tuple(cells),
        cell_timeout_s=None if unlimited else seconds_field(body, "cell_timeout", None),
        total_timeout_s=seconds_field(body, "total_timeout", 45.0),
        memory_limit_mb=memory_field(body),
        files=files_field(body),
        fetch_files=paths_field(body),
    )


async def run_cells(pool: Pool, request: CellsRequest) -> dict[str, Any]:
    """Runs a notebook; the reply.

    Raises:
        SandboxOverloaded: When too many runs wait already.
        SandboxInternalError: When our side failed.
    """
    mark = secrets.token_hex(16)
    order = {"cells": request.cells, "cell_timeout_s": request.cell_timeout_s, "mark": mark}
    result = await pool.run(
        RunRequest(
            code=_driver_source(),
            run_timeout_s=request.total_timeout_s,
            memory_limit_mb=request.memory_limit_mb,
            files={**request.files, _REQUEST: json.dumps(order).encode()},
            fetch_files=(_REPORT, *request.fetch_files),
        ),
        _NOTEBOOK,
    )
    assert result.run is not None
    return _reply(result, result.run, len(request.cells), mark)


def failure_to_json(message: str) -> dict[str, Any]:
    """The reply when no cell was run because the service failed."""
    return _reply_fields("SandboxError", message, None)


def _reply_fields(status: str, message: str, driver: StageResult | None) -> dict[str, Any]:
    return {
        "status": status,
        "message": message,
        "driver": wire.stage_to_json(driver),
        "cells": [],
        "executor_pod_name": None,
        "files": {},
        "files_left_out": {},
    }


def _reply(result: RunResult, driver: StageResult, num_cells: int, mark: str) -> dict[str, Any]:
    reports = _read_reports(result.files.get(_REPORT, b""))
    out, err = driver.stdout.split(mark), driver.stderr.split(mark)
    # The marks that are there tell how many cells were finished; the next one is what ended the interpreter.
    finished = driver.status is StageStatus.FINISHED and driver.return_code == 0
    num_begun = num_cells if finished else min(num_cells, max(len(out), len(reports)))
    cells = []
    for index in range(num_begun):
        report = reports[index] if index < len(reports) else {"display": [], "error": []}
        cell = {
            "stdout": out[index] if index < len(out) else "",
            "stderr": err[index] if index < len(err) else "",
            **report,
            "status": "error" if report["error"] else "ok",
            # Output is kept up to a cap over all cells: the one that reached it, and those after.
            "output_truncated": driver.output_truncated and index >= min(len(out), len(err)) - 1,
        }
        if index >= len(reports) and not finished:
            cell |= {"error": [_death(driver)], "status": "error"}
        cells.append(cell)
    rest = replace(driver, stdout="".join(out[num_begun:]), stderr="".join(err[num_begun:]))
    reply = _reply_fields("Success" if finished else "Failed", "", rest)
    left_out = dict(result.files_left_out)
    if (reason := left_out.pop(_REPORT, "")) and finished:
        reply["message"] = f"values and errors of the cells are missing: {reason}"
    files = {path: content for path, content in result.files.items() if path != _REPORT}
    return reply | {"cells": cells, "files": wire.files_to_json(files), "files_left_out": left_out}


def _death(driver: StageResult) -> dict[str, Any]:
    if driver.status is StageStatus.TIME_LIMIT:
        return {"ename": "TotalTimeout", "evalue": "the total time limit was reached", "traceback": []}
    why = f"the interpreter ended with code {driver.return_code} in this cell"
    return {"ename": "DeadKernelError", "evalue": why, "traceback": []}


def _read_reports(content: bytes) -> list[dict[str, Any]]:
    """What the driver noted for each finished cell. Cells may have written to that file: it is taken for what
    fits the protocol and no more."""
    reports = []
    for line in content.splitlines():
        try:
            report = json.loads(line)
        except (ValueError, RecursionError):
            report = {}
        if not isinstance(report, dict):
            report = {}
        reports.append({name: _objects(report.get(name)) for name in ("display", "error")})
    return reports


def _objects(value: object) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


@cache
def _driver_source() -> str:
    return Path(__file__).with_name("cell_driver.py").read_text(encoding="utf-8")
