"""Which isolation this machine allows, found out by running a hostile program at start-up.

A tier counts only when the probe, run in it, was held: no version test, no capability test. Owns the scratch
folder that tiers without a file system per run need.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from verl_ext.sandbox.errors import SandboxInternalError
from verl_ext.sandbox.limits import StageLimits
from verl_ext.sandbox.stage import Stage
from verl_ext.sandbox.worker import PROBE_INDEX, Worker, WorkerConfig

_PROBE_TIMEOUT_S = 20.0
_SCRATCH_PREFIX = "verl-ext-sandbox-"
_ISOLATION = {
    "A": "fresh namespaces, read-only system, private tmpfs, no network but a loopback, seccomp, rlimits",
    "B": "Landlock, seccomp without sockets, rlimits, a supervisor that sweeps; "
    "not held: files that are deleted while open, sight of the host's pids and of which paths exist",
    "C": "none but rlimits",
}
# Prints the names of things that a program must not be able to do, but could; fails where an innocent program
# could not do its work.
_PROBE = """
import ctypes, decimal, json, os, socket, subprocess, sys
subprocess.run([sys.executable, "-c", ""], check=True)
escapes = []
def attempt(name, function):
    try:
        function()
    except BaseException:
        return
    escapes.append(name)
attempt("read /etc/shadow", lambda: open("/etc/shadow").read())
attempt("read the server's environment", lambda: open(f"/proc/{SERVER}/environ").read())
attempt("write outside its directory", lambda: open("/var/tmp/sandbox_probe", "w"))
attempt("read the server's files", lambda: open(SERVER_FILE).read())
attempt("signal the server", lambda: os.kill(SERVER, 0))
attempt("connect to the host", lambda: socket.create_connection(("127.0.0.1", PORT), 1))
if os.geteuid() == 0:
    escapes.append("be root")
if ctypes.CDLL(None).unshare(0x10000000) == 0:
    escapes.append("make a user namespace")
print(json.dumps(escapes))
"""


@dataclass(frozen=True, slots=True)
class TierReport:
    """What was chosen and why nothing better.

    Attributes:
        tier: ``A``, ``B`` or ``C``.
        isolation: What it consists of, in words.
        weaker_because: Why each better tier is not used.
    """

    tier: str
    isolation: str
    weaker_because: tuple[str, ...]


async def choose_tier(config: WorkerConfig, wanted: str) -> TierReport:
    """Tries the tiers from the strongest down.

    Args:
        config: How fork servers are started; its tier does not count.
        wanted: ``auto``, or the one tier to use (``C`` is not probed).

    Returns:
        The first tier that held; C when none did and ``wanted`` is ``auto``.

    Raises:
        SandboxInternalError: When the wanted tier does not hold.
    """
    if wanted == "C":
        return TierReport("C", _ISOLATION["C"], ())
    reasons: list[str] = []
    for tier in ("A", "B") if wanted == "auto" else (wanted,):
        try:
            with tier_config(config, tier) as candidate:
                escapes = await _probe(candidate)
        except SandboxInternalError as error:
            reasons.append(f"tier {tier}: {error}")
            continue
        if not escapes:
            return TierReport(tier, _ISOLATION[tier], tuple(reasons))
        reasons.append(f"tier {tier}: a program could {', '.join(escapes)}")
    if wanted != "auto":
        raise SandboxInternalError("; ".join(reasons))
    return TierReport("C", _ISOLATION["C"], tuple(reasons))


@contextlib.contextmanager
def tier_config(config: WorkerConfig, tier: str) -> Iterator[WorkerConfig]:
    """The configuration with this tier and, where it takes one, a scratch folder that lives as long."""
    if tier == "A":
        yield replace(config, tier=tier)
        return
    root = Path(tempfile.gettempdir())
    for stale in root.glob(f"{_SCRATCH_PREFIX}*"):
        owner = stale.name.removeprefix(_SCRATCH_PREFIX).split("-")[0]
        if owner.isdigit() and not Path(f"/proc/{owner}").exists():
            shutil.rmtree(stale, ignore_errors=True)
    scratch = tempfile.mkdtemp(prefix=f"{_SCRATCH_PREFIX}{os.getpid()}-")
    Path(scratch).chmod(0o711)
    try:
        yield replace(config, tier=tier, scratch=scratch)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


async def _probe(config: WorkerConfig) -> list[str]:
    """Runs the hostile program; returns what it was able to do."""
    worker = Worker(config, index=PROBE_INDEX)
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        tempfile.NamedTemporaryFile(prefix="sandbox-probe-") as server_file,
    ):
        Path(server_file.name).chmod(0o644)
        settings = {
            "SERVER": os.getpid(),
            "SERVER_FILE": server_file.name,
            "PORT": listener.getsockname()[1],
        }
        code = f"globals().update({settings!r})\n{_PROBE}"
        stage = Stage(
            main="main.py",
            argv=None,
            files={"main.py": (code.encode(), 0o644)},
            stdin=None,
            limits=StageLimits(wall_s=_PROBE_TIMEOUT_S),
        )
        try:
            outcome = await worker.run(stage)
        finally:
            worker.stop()
    try:
        escapes = json.loads(outcome.stdout)
    except ValueError:
        last_words = outcome.stderr.decode("utf-8", "replace").strip().rpartition("\n")[2]
        raise SandboxInternalError(f"programs do not run in it ({last_words or outcome.reason})") from None
    return [str(escape) for escape in escapes]
