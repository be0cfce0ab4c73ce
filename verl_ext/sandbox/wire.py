"""SandboxFusion's JSON, both ways: what the client sends and reads, what the server reads and sends.

Source: SandboxFusion ``POST /run_code``. Ours on top: request fields ``cpu_limit`` and ``compile_cpu_limit``
(seconds), reply fields ``output_truncated``, ``memory_exceeded`` and ``cpu_time`` (seconds) of each stage,
``files_left_out`` (path -> reason) and, where a compiler or interpreter is not installed,
``missing_toolchain``; a service without them ignores or omits them.
"""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping
from typing import Any

from verl_ext.sandbox.errors import SandboxInternalError, SandboxProtocolError, ToolchainMissing
from verl_ext.sandbox.fields import (
    as_object,
    files_field,
    language_field,
    memory_field,
    optional_text_field,
    paths_field,
    seconds_field,
    text_field,
)
from verl_ext.sandbox.protocol import RunRequest, RunResult, StageResult, StageStatus

NO_TOOLCHAIN = 127
"""The shell's exit code for a command that is not there."""


def request_to_json(request: RunRequest) -> dict[str, Any]:
    """The body of ``POST /run_code``."""
    body: dict[str, Any] = {
        "code": request.code,
        "language": request.language,
        "compile_timeout": request.compile_timeout_s,
        "run_timeout": request.run_timeout_s,
        "stdin": request.stdin,
    }
    if request.memory_limit_mb is not None:
        body["memory_limit_MB"] = request.memory_limit_mb
    if request.cpu_limit_s is not None:
        body["cpu_limit"] = request.cpu_limit_s
    if request.compile_cpu_limit_s is not None:
        body["compile_cpu_limit"] = request.compile_cpu_limit_s
    if request.files:
        body["files"] = files_to_json(request.files)
    if request.fetch_files:
        body["fetch_files"] = list(request.fetch_files)
    return body


def files_to_json(files: Mapping[str, bytes]) -> dict[str, str]:
    """Path -> base64 text."""
    return {path: base64.b64encode(data).decode() for path, data in files.items()}


def request_from_json(body: object, languages: Mapping[str, object]) -> RunRequest:
    """Reads and checks a request.

    Args:
        body: The parsed JSON.
        languages: Names that are known.

    Raises:
        ValueError: With one line that names the field and what is wrong with it.
    """
    fields = as_object(body, "the body")
    return RunRequest(
        code=text_field(fields, "code"),
        language=language_field(fields, languages),
        stdin=optional_text_field(fields, "stdin"),
        compile_timeout_s=seconds_field(fields, "compile_timeout", 10.0),
        run_timeout_s=seconds_field(fields, "run_timeout", 10.0),
        cpu_limit_s=seconds_field(fields, "cpu_limit", None),
        compile_cpu_limit_s=seconds_field(fields, "compile_cpu_limit", None),
        memory_limit_mb=memory_field(fields),
        files=files_field(fields),
        fetch_files=paths_field(fields),
    )


def result_to_json(result: RunResult) -> dict[str, Any]:
    """The reply to a run that took place: Success or Failed, never SandboxError."""
    stages = [stage for stage in (result.compile, result.run) if stage is not None]
    succeeded = all(stage.status is StageStatus.FINISHED and stage.return_code == 0 for stage in stages)
    return {
        "status": "Success" if succeeded else "Failed",
        "message": "",
        "compile_result": stage_to_json(result.compile),
        "run_result": stage_to_json(result.run),
        "executor_pod_name": None,
        "files": files_to_json(result.files),
        "files_left_out": dict(result.files_left_out),
    }


def failure_to_json(message: str) -> dict[str, Any]:
    """The reply to a run that did not take place because the service failed."""
    return {
        "status": "SandboxError",
        "message": message,
        "compile_result": None,
        "run_result": None,
        "executor_pod_name": None,
        "files": {},
        "files_left_out": {},
    }


def missing_toolchain_to_json(part: str, *, compiled: bool) -> dict[str, Any]:
    """The reply to a run whose language has no toolchain here: SandboxFusion's, which looks like a stage that
    ended with 127, and a field that tells it from a program which did.

    Args:
        part: What is not installed.
        compiled: Whether the language has a compile stage, which then is the one that failed.
    """
    stage = StageResult(StageStatus.FINISHED, 0.0, NO_TOOLCHAIN, "", f"{part}: command not found\n")
    result = RunResult(compile=stage if compiled else None, run=None if compiled else stage)
    return result_to_json(result) | {"missing_toolchain": part}


def stage_to_json(stage: StageResult | None) -> dict[str, Any] | None:
    """One stage of a reply."""
    if stage is None:
        return None
    return {
        "status": stage.status.value,
        "execution_time": stage.execution_time_s,
        "return_code": stage.return_code,
        "stdout": stage.stdout,
        "stderr": stage.stderr,
        "output_truncated": stage.output_truncated,
        "memory_exceeded": stage.memory_exceeded,
        "cpu_time": stage.cpu_time_s,
    }


def result_from_json(body: object) -> RunResult:
    """Reads the reply of any service that speaks the protocol.

    Raises:
        ToolchainMissing: When the service has no toolchain for the language: a service of ours says so, any
            other has a compile stage that ended with 127, which no source text can bring about.
        SandboxInternalError: When the service says that it failed.
        SandboxProtocolError: When the reply makes no sense.
    """
    if not isinstance(body, dict) or "status" not in body:
        raise SandboxProtocolError(f"not a run_code reply: {body!r:.200}")
    if body["status"] == "SandboxError":
        raise SandboxInternalError(f"the sandbox failed: {body.get('message') or 'no message'}")
    if body["status"] not in ("Success", "Failed"):
        raise SandboxProtocolError(f"unknown status {body['status']!r:.80}")
    if missing := body.get("missing_toolchain"):
        raise ToolchainMissing(f"{missing!s:.80}")
    try:
        result = RunResult(
            compile=_stage_from_json(body.get("compile_result")),
            run=_stage_from_json(body.get("run_result")),
            files={
                path: base64.b64decode(text, validate=True)
                for path, text in (body.get("files") or {}).items()
            },
            files_left_out=dict(body.get("files_left_out") or {}),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise SandboxProtocolError(f"unreadable run_code reply: {error!r}") from error
    if result.compile is not None and result.compile.return_code == NO_TOOLCHAIN:
        raise ToolchainMissing(f"the compiler ({result.compile.stderr.strip():.200})")
    if result.run is None and result.compile is None:
        raise SandboxProtocolError("the reply has neither a compile nor a run result")
    if body["status"] == "Success" and result.run is None:
        raise SandboxProtocolError("the reply says Success without a run result")
    return result


def _stage_from_json(stage: dict[str, Any] | None) -> StageResult | None:
    if stage is None:
        return None
    status = StageStatus(stage["status"])
    return_code = stage.get("return_code")
    if status is StageStatus.ERROR:
        # SandboxFusion's word for "this stage could not be run": its failure, not the program's.
        raise SandboxInternalError(f"the sandbox could not run the stage: {stage.get('stderr')!s:.200}")
    if status is StageStatus.FINISHED and not isinstance(return_code, int):
        raise ValueError("a finished stage without a return code")
    stdout, stderr = stage.get("stdout") or "", stage.get("stderr") or ""
    if not isinstance(stdout, str) or not isinstance(stderr, str):
        raise ValueError("output that is not text")
    cpu_time = stage.get("cpu_time")
    cpu_time_s = None if cpu_time is None else float(cpu_time)
    if cpu_time_s is not None and not 0 <= cpu_time_s < math.inf:
        raise ValueError(f"a CPU time of {cpu_time_s} seconds")
    return StageResult(
        status=status,
        execution_time_s=float(stage.get("execution_time") or 0.0),
        return_code=return_code if status is StageStatus.FINISHED else None,
        stdout=stdout,
        stderr=stderr,
        output_truncated=bool(stage.get("output_truncated", False)),
        memory_exceeded=bool(stage.get("memory_exceeded", False)),
        cpu_time_s=cpu_time_s,
    )
