"""SandboxFusion's JSON, both ways: what the client sends and reads, what the server reads and sends.

Source: SandboxFusion ``POST /run_code``. Ours on top: request field ``cpu_limit`` (seconds), reply fields
``output_truncated`` and ``memory_exceeded`` of each stage, and ``files_left_out`` (path -> reason); a service
without them ignores or omits them.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

from verl_ext.sandbox.errors import SandboxInternalError, SandboxProtocolError
from verl_ext.sandbox.protocol import RunRequest, RunResult, StageResult, StageStatus

MAX_TIMEOUT_S = 3600.0
MAX_MEMORY_MB = 1 << 20
MAX_FILES = 1000
MAX_NAME_BYTES = 255


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
    if request.files:
        body["files"] = {path: base64.b64encode(data).decode() for path, data in request.files.items()}
    if request.fetch_files:
        body["fetch_files"] = list(request.fetch_files)
    return body


def request_from_json(body: object, languages: Mapping[str, object]) -> RunRequest:
    """Reads and checks a request.

    Args:
        body: The parsed JSON.
        languages: Names that are known.

    Raises:
        ValueError: With one line that names the field and what is wrong with it.
    """
    if not isinstance(body, dict):
        raise ValueError("the body is not a JSON object")
    for name in ("code", "language"):
        if not isinstance(body.get(name), str):
            raise ValueError(f"{name}: required, a string")
    if body["language"] not in languages:
        raise ValueError(f"language: {body['language']!r} is not one of {', '.join(sorted(languages))}")
    stdin = body.get("stdin")
    if stdin is not None and not isinstance(stdin, str):
        raise ValueError("stdin: must be a string or null")
    memory = body.get("memory_limit_MB", -1)
    if isinstance(memory, bool) or not isinstance(memory, int) or not -1 <= memory <= MAX_MEMORY_MB:
        raise ValueError(f"memory_limit_MB: must be an integer, -1 (the default) or 1 to {MAX_MEMORY_MB}")
    if memory == 0:
        raise ValueError("memory_limit_MB: must be at least 1, or -1 for the default")
    return RunRequest(
        code=body["code"],
        language=body["language"],
        stdin=stdin,
        compile_timeout_s=_seconds(body, "compile_timeout", 10.0) or 10.0,
        run_timeout_s=_seconds(body, "run_timeout", 10.0) or 10.0,
        cpu_limit_s=_seconds(body, "cpu_limit", None),
        memory_limit_mb=None if memory == -1 else memory,
        files=_files(body.get("files")),
        fetch_files=_fetch_files(body.get("fetch_files")),
    )


def _seconds(body: dict[str, Any], name: str, default: float | None) -> float | None:
    value = body.get(name, default)
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{name}: must be a number of seconds")
    if not 0 < value <= MAX_TIMEOUT_S:  # false for NaN too
        raise ValueError(f"{name}: must be above 0 and at most {MAX_TIMEOUT_S:g} seconds")
    return float(value)


def _files(value: object) -> dict[str, bytes]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise ValueError("files: must be an object of path to base64 text")
    if len(value) > MAX_FILES:
        raise ValueError(f"files: {len(value)} files, at most {MAX_FILES} are taken")
    files: dict[str, bytes] = {}
    for path, content in value.items():
        if content is not None and not isinstance(content, str):
            raise ValueError(f"files: content of {path!r} must be base64 text or null")
        try:
            files[_inner_path("files", path)] = base64.b64decode(content or "", validate=True)
        except binascii.Error:
            raise ValueError(f"files: content of {path!r} is not base64") from None
    for path in files:
        for parent in PurePosixPath(path).parents:
            if str(parent) in files:
                raise ValueError(f"files: {str(parent)!r} is both a file and a folder")
    return files


def _fetch_files(value: object) -> tuple[str, ...]:
    if value is None:
        return ()
    if not isinstance(value, list):
        raise ValueError("fetch_files: must be a list of paths")
    return tuple(_inner_path("fetch_files", path) for path in value)


def _inner_path(field: str, path: object) -> str:
    if not isinstance(path, str) or not path.strip() or "\0" in path or len(path) > 1000:
        raise ValueError(f"{field}: {path!r:.80} is not a path")
    pure = PurePosixPath(path)
    if pure.is_absolute() or ".." in pure.parts or not pure.parts:
        raise ValueError(f"{field}: {path!r:.80} leads out of the working directory")
    try:
        longest = max(len(part.encode()) for part in pure.parts)
    except UnicodeEncodeError:
        raise ValueError(f"{field}: {path!r:.80} is not valid text") from None
    if longest > MAX_NAME_BYTES:
        raise ValueError(f"{field}: {path!r:.80} has a name of more than {MAX_NAME_BYTES} bytes")
    return str(pure)


def result_to_json(result: RunResult) -> dict[str, Any]:
    """The reply to a run that took place: Success or Failed, never SandboxError."""
    stages = [stage for stage in (result.compile, result.run) if stage is not None]
    succeeded = all(stage.status is StageStatus.FINISHED and stage.return_code == 0 for stage in stages)
    return {
        "status": "Success" if succeeded else "Failed",
        "message": "",
        "compile_result": _stage_to_json(result.compile),
        "run_result": _stage_to_json(result.run),
        "executor_pod_name": None,
        "files": {path: base64.b64encode(data).decode() for path, data in result.files.items()},
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


def _stage_to_json(stage: StageResult | None) -> dict[str, Any] | None:
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
    }


def result_from_json(body: object) -> RunResult:
    """Reads the reply of any service that speaks the protocol.

    Raises:
        SandboxInternalError: When the service says that it failed.
        SandboxProtocolError: When the reply makes no sense.
    """
    if not isinstance(body, dict) or "status" not in body:
        raise SandboxProtocolError(f"not a run_code reply: {body!r:.200}")
    if body["status"] == "SandboxError":
        raise SandboxInternalError(f"the sandbox failed: {body.get('message') or 'no message'}")
    if body["status"] not in ("Success", "Failed"):
        raise SandboxProtocolError(f"unknown status {body['status']!r:.80}")
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
    return StageResult(
        status=status,
        execution_time_s=float(stage.get("execution_time") or 0.0),
        return_code=return_code if status is StageStatus.FINISHED else None,
        stdout=stdout,
        stderr=stderr,
        output_truncated=bool(stage.get("output_truncated", False)),
        memory_exceeded=bool(stage.get("memory_exceeded", False)),
    )
