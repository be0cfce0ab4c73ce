"""The folder of a run: what a kill, a resume or a missing checkpoint leaves in it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from omegaconf import OmegaConf

from verl_ext.run_files import (
    file_sha256,
    git_output,
    latest_checkpoint,
    link_model,
    next_metrics_file,
    package_version,
    write_json,
    write_provenance,
)


def checkpoint(output_dir: Path, step: int) -> Path:
    """A checkpoint as verl leaves it."""
    folder = output_dir / "checkpoints" / f"global_step_{step}" / "huggingface"
    folder.mkdir(parents=True)
    (folder / "config.json").write_text("{}")
    (output_dir / "checkpoints" / "latest_checkpointed_iteration.txt").write_text(str(step))
    return folder


def test_every_start_adds_an_entry_to_the_provenance(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    data = tmp_path / "data.bin"
    data.write_bytes(b"abc")
    config = OmegaConf.create({"seed": 3, "copy": "${seed}"})
    for _ in range(2):
        write_provenance(tmp_path / "run", config, [data])
    first, second = json.loads((tmp_path / "run" / "provenance.json").read_text())["starts"]
    assert first["config"] == second["config"] == {"seed": 3, "copy": 3}
    assert first["data"] == {str(data): file_sha256(data)}
    assert first["packages"]["torch"] and first["hardware"]["cores"]


def test_a_value_that_is_no_json_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    write_json(path, {"a": 1})
    with pytest.raises(TypeError):
        write_json(path, {"a": object()})
    assert json.loads(path.read_text()) == {"a": 1}


def test_every_start_gets_a_metrics_part_of_its_own(tmp_path: Path) -> None:
    parts = []
    for _ in range(2):
        parts.append(next_metrics_file(tmp_path))
        parts[-1].touch()
    assert [part.name for part in parts] == ["0000.jsonl", "0001.jsonl"]


def test_the_link_follows_the_last_checkpoint(tmp_path: Path) -> None:
    assert latest_checkpoint(tmp_path) is None
    with pytest.raises(FileNotFoundError, match="no trained model"):
        link_model(tmp_path, subfolder="huggingface")
    for step in (1, 20):
        folder = checkpoint(tmp_path, step)
        assert link_model(tmp_path, subfolder="huggingface").resolve() == folder
        assert latest_checkpoint(tmp_path) == (step, folder.parent)


def test_what_is_not_there_is_none() -> None:
    assert package_version("no-such-package") is None
    assert git_output("no-such-command") is None
