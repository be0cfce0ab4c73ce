"""Runs one request inside an E2B machine: ``python3 runner.py FOLDER``, which holds ``request.json``.

Sent there as it is, so it needs nothing but the standard library of Python 3.9. The request is
SandboxFusion's with the command lines ``compile`` (or null) and ``run`` and the file name ``source`` added;
the reply is SandboxFusion's. The folder is the run's alone, belongs to a user made up for it where we are
root, and is gone afterwards, with everything the run left running.
"""

from __future__ import annotations

import base64
import contextlib
import json
import math
import os
import resource
import selectors
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

OUTPUT_CAP_BYTES = 1 << 20
FLOOD_BYTES = 64 << 20
FILE_SIZE_BYTES = 256 << 20
FETCH_BYTES = 64 << 20
MAX_PROCESSES = 128
FIRST_UID = 500_000_000
MEMORY_MARKS = (b"MemoryError", b"bad_alloc", b"heap out of memory")


def main() -> None:
    """Runs the request and cleans up."""
    folder = Path(sys.argv[1])
    request = json.loads((folder / "request.json").read_text(encoding="utf-8"))
    work = folder / "work"
    uid = FIRST_UID + os.getpid() if os.geteuid() == 0 else None
    try:
        write_files(work, request)
        if uid is not None:
            folder.chmod(0o711)
            subprocess.run(["chown", "-R", f"{uid}:{uid}", str(work)], check=True)
            work.chmod(0o700)
        reply = run_stages(work, request, uid)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(json.dumps(reply))


def write_files(work: Path, request: dict[str, Any]) -> None:
    """Makes the working directory."""
    work.mkdir()
    files = {path: base64.b64decode(data or "") for path, data in (request.get("files") or {}).items()}
    files[request["source"]] = request["code"].encode("utf-8", "surrogatepass")
    for path, data in files.items():
        (work / path).parent.mkdir(parents=True, exist_ok=True)
        (work / path).write_bytes(data)


def run_stages(work: Path, request: dict[str, Any], uid: int | None) -> dict[str, Any]:
    """Compiles if need be, runs, and makes the reply."""
    for tool in request["tools"]:
        if shutil.which(tool) is None:
            return {"status": "Failed", "missing_toolchain": tool}
    compiled, ran = None, None
    if request["compile"]:
        cpu_s = request.get("compile_cpu_limit")
        compiled = run_stage(work, request["compile"], uid, request["compile_timeout"], cpu_s=cpu_s)
    if compiled is None or compiled["return_code"] == 0:
        ran = run_stage(
            work,
            request["run"],
            uid,
            request["run_timeout"],
            cpu_s=request.get("cpu_limit"),
            memory_mb=request["memory_limit_MB"],
            stdin=(request.get("stdin") or "").encode("utf-8", "surrogatepass"),
        )
    files, left_out = fetch_files(work, request.get("fetch_files") or [])
    good = all(stage is None or stage["return_code"] == 0 for stage in (compiled, ran))
    return {
        "status": "Success" if good else "Failed",
        "message": "",
        "compile_result": compiled,
        "run_result": ran,
        "files": files,
        "files_left_out": left_out,
    }


def run_stage(
    work: Path,
    command: Sequence[str],
    uid: int | None,
    wall_s: float,
    *,
    cpu_s: float | None = None,
    memory_mb: int | None = None,
    stdin: bytes = b"",
) -> dict[str, Any]:
    """Runs one command to its end or limit."""

    def confine() -> None:
        os.setsid()
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_FSIZE, (FILE_SIZE_BYTES, FILE_SIZE_BYTES))
        if cpu_s is not None:
            resource.setrlimit(resource.RLIMIT_CPU, (math.ceil(cpu_s), math.ceil(cpu_s) + 1))
        if memory_mb is not None:
            resource.setrlimit(resource.RLIMIT_DATA, (memory_mb << 20, memory_mb << 20))
        if uid is not None:
            resource.setrlimit(resource.RLIMIT_NPROC, (MAX_PROCESSES, MAX_PROCESSES))
            os.setgroups([])
            os.setresgid(uid, uid, uid)
            os.setresuid(uid, uid, uid)

    input_file = work.parent / "stdin"
    input_file.write_bytes(stdin)
    started = time.monotonic()
    with input_file.open("rb") as file:
        process = subprocess.Popen(
            command,
            cwd=work,
            stdin=file,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            preexec_fn=confine,
            env={"PATH": os.environ["PATH"], "HOME": str(work), "LANG": "C.UTF-8", "PYTHONHASHSEED": "0"},
        )
    (stdout, stderr), in_time, cut = drain(process, started + wall_s)
    kill_all(process.pid, uid)
    _, status, usage = os.wait4(process.pid, 0)
    code = process.returncode = os.waitstatus_to_exitcode(status)
    out_of_time = not in_time or (cpu_s is not None and usage.ru_utime + usage.ru_stime >= cpu_s)
    out_of_memory = any(mark in stderr[-4000:] for mark in MEMORY_MARKS)
    return {
        "status": "TimeLimitExceeded" if out_of_time else "Finished",
        "execution_time": time.monotonic() - started,
        "return_code": None if out_of_time else code,
        "stdout": stdout.decode("utf-8", "replace"),
        "stderr": stderr.decode("utf-8", "replace"),
        "output_truncated": cut,
        "memory_exceeded": out_of_memory and code != 0 and not out_of_time,
        "cpu_time": usage.ru_utime + usage.ru_stime,
    }


def drain(process: subprocess.Popen[bytes], deadline: float) -> tuple[list[bytes], bool, bool]:
    """Reads until the program has ended; a child that keeps the pipes open is not waited for.

    Returns:
        Standard output and error, whether it ended in time (or was stopped for flooding), and whether
        anything was thrown away.
    """
    kept, dropped, ended = [b"", b""], 0, False
    watch = os.pidfd_open(process.pid)
    with selectors.DefaultSelector() as selector:
        for index, pipe in enumerate((process.stdout, process.stderr)):
            assert pipe is not None
            os.set_blocking(pipe.fileno(), False)
            selector.register(pipe, selectors.EVENT_READ, index)
        selector.register(watch, selectors.EVENT_READ)
        while selector.get_map() and dropped < FLOOD_BYTES:
            left_s = deadline - time.monotonic()
            ready = selector.select(0 if ended else max(0.0, left_s))
            if not ready or (left_s <= 0 and not ended):
                break
            for key, _ in ready:
                if key.fileobj == watch:
                    ended = True
                    selector.unregister(watch)
                    continue
                chunk = os.read(key.fd, 1 << 16)
                if not chunk:
                    selector.unregister(key.fileobj)
                room = OUTPUT_CAP_BYTES - len(kept[key.data])
                kept[key.data] += chunk[:room]
                dropped += max(0, len(chunk) - room)
    os.close(watch)
    return kept, ended or dropped >= FLOOD_BYTES, dropped > 0


def kill_all(pid: int, uid: int | None) -> None:
    """Ends the run's process group and, where it has a user of its own, everything of that user."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)
    if uid is None:
        return
    killer = os.fork()
    if killer == 0:
        try:
            os.setresuid(uid, uid, uid)
            os.kill(-1, signal.SIGKILL)
        finally:
            os._exit(0)
    os.waitpid(killer, 0)


def fetch_files(work: Path, paths: Sequence[str]) -> tuple[dict[str, str], dict[str, str]]:
    """Contents in base64 of regular files, and why others are not there; follows no symlink."""
    files: dict[str, str] = {}
    left_out: dict[str, str] = {}
    room = FETCH_BYTES
    for path in paths:
        place = work / path
        if not os.path.lexists(place):
            left_out[path] = "no such file"
        elif place.resolve() != work.resolve() / path or not place.is_file():
            left_out[path] = "not a regular file"
        elif place.stat().st_size > room:
            left_out[path] = "too large"
        else:
            data = place.read_bytes()
            room -= len(data)
            files[path] = base64.b64encode(data).decode()
    return files, left_out


if __name__ == "__main__":
    main()
