"""Runs one request inside an E2B machine: ``python3 runner.py FOLDER`` reads FOLDER/request.json, prints JSON.

Sent there as it is, so it needs nothing but the standard library of an old Python. The request is
SandboxFusion's, with the command lines ``compile`` (or null) and ``run`` and the file name ``source`` added; the
reply is SandboxFusion's too. The folder is the run's alone, belongs to a user made up for it where we are
root, and is gone afterwards, with everything the run left running.
"""

import base64
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

OUTPUT_CAP_BYTES = 1 << 20
FLOOD_BYTES = 64 << 20
FILE_SIZE_BYTES = 256 << 20
MAX_PROCESSES = 128
FETCH_BYTES = 64 << 20
FIRST_UID = 500_000_000
MEMORY_MARKS = (b"MemoryError", b"bad_alloc", b"heap out of memory")


def main():
    folder = sys.argv[1]
    with open(os.path.join(folder, "request.json"), encoding="utf-8") as file:
        request = json.load(file)
    work = os.path.join(folder, "work")
    uid = FIRST_UID + os.getpid() if os.geteuid() == 0 else None
    try:
        os.mkdir(work)
        write_files(work, request)
        if uid is not None:
            os.chmod(folder, 0o711)
            subprocess.run(["chown", "-R", "%d:%d" % (uid, uid), work], check=True)
        reply = run_stages(work, request, uid)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(json.dumps(reply))


def write_files(work, request):
    files = {path: base64.b64decode(data or "") for path, data in (request.get("files") or {}).items()}
    files[request["source"]] = request["code"].encode("utf-8", "surrogatepass")
    for path, data in files.items():
        target = os.path.join(work, path)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        with open(target, "wb") as file:
            file.write(data)


def run_stages(work, request, uid):
    compiled, ran = None, None
    if request["compile"]:
        compiled = run_stage(work, request["compile"], uid, request["compile_timeout"])
    if compiled is None or compiled["return_code"] == 0:
        stdin = request.get("stdin")
        ran = run_stage(
            work,
            request["run"],
            uid,
            request["run_timeout"],
            cpu_s=request.get("cpu_limit"),
            memory_mb=request.get("memory_limit_MB"),
            stdin=b"" if stdin is None else stdin.encode("utf-8", "surrogatepass"),
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


def run_stage(work, command, uid, wall_s, cpu_s=None, memory_mb=None, stdin=b""):
    with open(os.path.join(work, "..", "stdin"), "wb") as file:
        file.write(stdin)

    def confine():
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

    started = time.monotonic()
    with open(os.path.join(work, "..", "stdin"), "rb") as file:
        process = subprocess.Popen(
            command,
            cwd=work,
            stdin=file,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            preexec_fn=confine,
            env={"PATH": os.environ["PATH"], "HOME": work, "LANG": "C.UTF-8", "PYTHONHASHSEED": "0"},
        )
    outputs, in_time, cut = drain(process, started + wall_s)
    kill_all(process.pid, uid)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = code = os.waitstatus_to_exitcode(status)
    out_of_time = not in_time or (cpu_s is not None and usage.ru_utime + usage.ru_stime >= cpu_s)
    tail = outputs[1][-4000:]
    return {
        "status": "TimeLimitExceeded" if out_of_time else "Finished",
        "execution_time": time.monotonic() - started,
        "return_code": None if out_of_time else code,
        "stdout": outputs[0].decode("utf-8", "replace"),
        "stderr": outputs[1].decode("utf-8", "replace"),
        "output_truncated": cut,
        "memory_exceeded": not out_of_time and code != 0 and any(mark in tail for mark in MEMORY_MARKS),
    }


def drain(process, deadline):
    """Reads until the program has ended; a child that keeps the pipes open is not waited for."""
    kept, dropped = [b"", b""], 0
    with selectors.DefaultSelector() as selector:
        for index, pipe in enumerate((process.stdout, process.stderr)):
            os.set_blocking(pipe.fileno(), False)
            selector.register(pipe, selectors.EVENT_READ, index)
        watch = os.pidfd_open(process.pid)
        selector.register(watch, selectors.EVENT_READ, None)
        ended = False
        while selector.get_map() and dropped < FLOOD_BYTES and (ended or time.monotonic() < deadline):
            ready = selector.select(0 if ended else max(0.0, deadline - time.monotonic()))
            if not ready:
                break
            for key, _ in ready:
                if key.data is None:
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


def kill_all(pid, uid):
    """Ends the run's process group and, where it has a user of its own, everything of that user."""
    try:
        os.killpg(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
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


def fetch_files(work, paths):
    files, left_out, room = {}, {}, FETCH_BYTES
    for path in paths:
        place = os.path.join(work, path)
        if os.path.realpath(place) != os.path.join(os.path.realpath(work), path) or not os.path.isfile(place):
            left_out[path] = "no such file" if not os.path.lexists(place) else "not a regular file"
        elif os.path.getsize(place) > room:
            left_out[path] = "too large"
        else:
            with open(place, "rb") as file:
                data = file.read(room)
            room -= len(data)
            files[path] = base64.b64encode(data).decode()
    return files, left_out


if __name__ == "__main__":
    main()
