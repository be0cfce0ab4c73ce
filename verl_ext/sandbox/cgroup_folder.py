"""The folder of control groups that a server's fork servers use, found usable by trying.

A process in a group there must be killed when it exceeds its limit; versions and rights are not guessed at.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from verl_ext.sandbox.cgroups import Group
from verl_ext.sandbox.limits import MIB

_PREFIX = "verl-ext-sandbox-"
_PROBE_LIMIT_BYTES = 24 * MIB
_PROBE = "import os, sys; os.write(int(sys.argv[1]), b'0'); b'x' * (128 << 20)"


@contextlib.contextmanager
def memory_groups() -> Iterator[tuple[str, str]]:
    """A folder in which groups bound memory, for as long as the block lasts.

    Yields:
        Its path and an empty text; or an empty path and, in one line, why there is none.
    """
    home, reason = _make_home()
    try:
        yield home, reason
    finally:
        if home:
            _remove(Path(home))


def _make_home() -> tuple[str, str]:
    reasons: list[str] = []
    for parent in _candidates():
        home = parent / f"{_PREFIX}{os.getpid()}-{secrets.token_hex(4)}"
        try:
            _remove_stale(parent)
            home.mkdir()
            _hold_memory(home)
        except OSError as error:
            _remove(home)
            reasons.append(f"{parent}: {error.strerror or error}")
        else:
            return str(home), ""
    return "", "; ".join(reasons) or "no memory controller is mounted"


def _candidates() -> Iterator[Path]:
    """Folders that our own groups may be made in: our own group, then the one around it.

    Version 2 takes no groups with limits below one that has processes, so there it is usually the second.
    """
    paths = {}
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        if not controllers or "memory" in controllers.split(","):
            paths["cgroup" if controllers else "cgroup2"] = path
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        fields, _, rest = line.partition(" - ")
        root, mount_point = fields.split()[3:5]
        kind, _, options = rest.split()[:3]
        if kind not in paths or (kind == "cgroup" and "memory" not in options.split(",")):
            continue
        own = Path(paths[kind])
        below = own.relative_to(root) if own.is_relative_to(root) else Path()
        yield Path(mount_point) / below
        if kind == "cgroup2" and below.parts:
            yield Path(mount_point) / below.parent


def _hold_memory(home: Path) -> None:
    """Lets a process in a group there exceed the limit.

    Raises:
        OSError: When it is not killed for it, or the group can't be made.
    """
    if (home / "cgroup.subtree_control").exists():
        parents_children = home.parent / "cgroup.subtree_control"
        if "memory" not in parents_children.read_text().split():
            parents_children.write_text("+memory")
        (home / "cgroup.subtree_control").write_text("+memory")
    home_fd = os.open(home, os.O_RDONLY | os.O_DIRECTORY)
    group = Group(home_fd, "probe")
    group.begin(_PROBE_LIMIT_BYTES)
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", _PROBE, str(group.procs_fd)],
        pass_fds=[group.procs_fd], stdin=subprocess.DEVNULL, capture_output=True, timeout=30, check=False,
    )  # fmt: skip
    held = done.returncode == -9 and group.exceeded()
    group.close()
    os.close(home_fd)
    if not held:
        raise OSError(f"a process beyond its limit was not stopped (it ended with {done.returncode})")


def _remove_stale(parent: Path) -> None:
    """Removes what servers that were killed have left."""
    for folder in parent.glob(f"{_PREFIX}*"):
        owner = folder.name.removeprefix(_PREFIX).split("-")[0]
        if owner.isdigit() and not Path(f"/proc/{owner}").exists():
            _remove(folder)


def _remove(home: Path) -> None:
    with contextlib.suppress(OSError):
        for folder in [path for path in home.iterdir() if path.is_dir()]:
            with contextlib.suppress(OSError):
                folder.rmdir()
        home.rmdir()
