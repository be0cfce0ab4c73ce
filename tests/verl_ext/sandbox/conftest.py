"""Live servers for each isolation tier, run by root and by an ordinary user, and clients for them."""

from __future__ import annotations

import contextlib
import importlib.metadata
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from verl_ext.sandbox.client import HttpSandbox
from verl_ext.sandbox.embedded import serve
from verl_ext.sandbox.errors import SandboxUnreachable

REPOSITORY = Path(__file__).parents[3]
_ORDINARY_USER = 61_234
_LIMITS = ("--max-processes", "32", "--memory-limit-mb", "256")
_FOUR = [(tier, user) for tier in "AB" for user in ("root", "ordinary")]


@dataclass(frozen=True)
class OrdinaryUser:
    """How to run the project as somebody who is not root."""

    python: str
    environment: dict[str, str]

    def start(self, *arguments: str, **options: object) -> subprocess.Popen[bytes]:
        """Starts ``python ARGUMENTS`` as that user."""
        user = {} if os.geteuid() else {"user": _ORDINARY_USER, "group": _ORDINARY_USER, "extra_groups": []}
        return subprocess.Popen(
            [self.python, *arguments], cwd="/", env=self.environment, **user, **options  # type: ignore[call-overload]
        )  # fmt: skip


@dataclass(frozen=True)
class TierServer:
    """One of the four servers.

    Attributes:
        endpoint: Its URL.
        pid: Of the server's process.
        tier: Its isolation tier.
        as_root: Whether root runs it.
    """

    endpoint: str
    pid: int
    tier: str
    as_root: bool


@pytest.fixture(scope="session")
def ordinary_user() -> Iterator[OrdinaryUser]:
    """An interpreter, the project and what it needs, where an ordinary user can read them."""
    if os.geteuid() != 0:
        yield OrdinaryUser(sys.executable, {**os.environ, "PYTHONPATH": str(REPOSITORY)})
        return
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    python = next(
        (p for p in (sys.executable, shutil.which(version, path="/usr/local/bin:/usr/bin")) if _runs(p)), ""
    )
    if not python:
        pytest.skip(f"no {version} that an ordinary user may run")
    with tempfile.TemporaryDirectory(prefix="ordinary-user-") as folder:
        root = Path(folder)
        root.chmod(0o755)
        for part in ("sandbox", "grading"):
            shutil.copytree(REPOSITORY / "verl_ext" / part, root / "verl_ext" / part)
        for name in _with_requirements({"aiohttp", "msgspec", "prometheus-client", "uvloop"}):
            for file in importlib.metadata.files(name) or []:
                if ".." not in file.parts and "__pycache__" not in file.parts:
                    (root / file).parent.mkdir(parents=True, exist_ok=True)
                    shutil.copyfile(str(file.locate()), root / file)
        yield OrdinaryUser(python, {"PATH": "/usr/bin:/bin", "PYTHONPATH": folder})


def _runs(python: str | None) -> bool:
    """Whether an ordinary user can start it."""
    if python is None:
        return False
    try:
        done = subprocess.run(
            [python, "-c", ""], user=_ORDINARY_USER, group=_ORDINARY_USER, extra_groups=[], cwd="/",
            capture_output=True, timeout=30, check=False,
        )  # fmt: skip
    except OSError:
        return False
    return done.returncode == 0


def _with_requirements(names: set[str]) -> set[str]:
    found: set[str] = set()
    while missing := names - found:
        for name in missing:
            found.add(name)
            for line in importlib.metadata.requires(name) or []:
                if "extra ==" not in line:
                    with contextlib.suppress(importlib.metadata.PackageNotFoundError):
                        required = re.match(r"[\w.-]+", line)
                        assert required is not None
                        importlib.metadata.distribution(required[0])
                        names = names | {required[0]}
    return found


@pytest.fixture(scope="session", params=_FOUR, ids=lambda param: "-".join(param))
def tier_server(request: pytest.FixtureRequest) -> Iterator[TierServer]:
    """A server in one tier, run by root or by an ordinary user; skipped where the machine has none."""
    tier, user = request.param
    if user == "ordinary":
        with _server_of(request.getfixturevalue("ordinary_user"), tier) as running:
            yield running
        return
    if os.geteuid() != 0:
        pytest.skip("only root can run a server as root")
    with contextlib.ExitStack() as stack:
        # As root tier B takes an interpreter that ordinary users may read; the one of the tests may not be.
        for python in (sys.executable, "/usr/bin/python3"):
            try:
                running = stack.enter_context(serve(["--tier", tier, *_LIMITS, "--python", python]))
            except SandboxUnreachable:
                continue
            yield TierServer(running.endpoint, running.process.pid, tier, as_root=True)
            return
    pytest.skip(f"this machine has no tier {tier} for root")


@contextlib.contextmanager
def _server_of(user: OrdinaryUser, tier: str) -> Iterator[TierServer]:
    arguments = ("-m", "verl_ext.sandbox.server", "--port", "0", "--tier", tier, *_LIMITS)
    with user.start(*arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None and process.stderr is not None
        said = re.search(rb"listening on (\S+)", process.stdout.readline())
        if said is None:
            why = process.stderr.read().decode()[-300:]
            assert "ModuleNotFoundError" not in why, why  # that is no lack of a tier
            pytest.skip(f"no tier {tier} for an ordinary user: {why}")
        try:
            yield TierServer(said[1].decode(), process.pid, tier, as_root=False)
        finally:
            process.terminate()


@pytest.fixture
async def jail(tier_server: TierServer) -> AsyncIterator[HttpSandbox]:
    async with HttpSandbox(tier_server.endpoint) as client:
        yield client
