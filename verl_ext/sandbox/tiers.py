"""Which isolation this machine allows, found out by running a hostile program at start-up.

A tier counts only when the probe, run in it, was held: no version test, no capability test.
"""

from __future__ import annotations

import json
import os
import socket
from dataclasses import dataclass, replace

from verl_ext.sandbox.errors import SandboxInternalError
from verl_ext.sandbox.limits import StageLimits
from verl_ext.sandbox.worker import Stage, Worker, WorkerConfig

_PROBE_TIMEOUT_S = 20.0
_ISOLATION = {
    "A": "fresh namespaces, read-only system, private tmpfs, no network but a loopback, seccomp, rlimits",
    "C": "none but rlimits",
}
# Each line that comes back names something a program must not be able to do.
_PROBE = """
import ctypes, json, os, socket
escapes = []
def attempt(name, function):
    try:
        function()
    except BaseException:
        return
    escapes.append(name)
def connect():
    socket.create_connection(("127.0.0.1", PORT), 1).close()
attempt("read /etc/shadow", lambda: open("/etc/shadow").read())
attempt("write outside its directory", lambda: open("/var/tmp/sandbox_probe", "w"))
attempt("write to /usr", lambda: open("/usr/sandbox_probe", "w"))
attempt("signal the fork server", lambda: os.kill(PARENT, 0))
attempt("connect to the host", connect)
libc = ctypes.CDLL(None)
if os.geteuid() == 0 or libc.mount(b"none", b"/tmp", b"tmpfs", 0, None) == 0:
    escapes.append("mount")
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

    def apply(self, config: WorkerConfig) -> WorkerConfig:
        """The configuration with this tier in it."""
        return replace(config, tier=self.tier)


async def choose_tier(config: WorkerConfig, wanted: str) -> TierReport:
    """Tries the tiers from the strongest down.

    Args:
        config: How fork servers are started; its tier does not count.
        wanted: ``auto``, or the one tier to use.

    Returns:
        The first tier that held; C when none did and ``wanted`` is ``auto``.

    Raises:
        SandboxInternalError: When the wanted tier does not hold.
    """
    reasons: list[str] = []
    for tier in ("A", "B") if wanted == "auto" else (wanted,):
        try:
            escapes = await _probe(replace(config, tier=tier))
        except SandboxInternalError as error:
            reasons.append(f"tier {tier}: {error}")
            continue
        if not escapes:
            return TierReport(tier, _ISOLATION[tier], tuple(reasons))
        reasons.append(f"tier {tier}: a program could {', '.join(escapes)}")
    if wanted != "auto":
        raise SandboxInternalError("; ".join(reasons))
    return TierReport("C", _ISOLATION["C"], tuple(reasons))


async def _probe(config: WorkerConfig) -> list[str]:
    """Runs the hostile program; returns what it was able to do."""
    worker = Worker(config, index=99)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        code = f"PARENT, PORT = {os.getpid()}, {listener.getsockname()[1]}\n{_PROBE}"
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
        raise SandboxInternalError(f"the probe failed: {outcome.stderr[-300:]!r}") from None
    return [str(escape) for escape in escapes]
