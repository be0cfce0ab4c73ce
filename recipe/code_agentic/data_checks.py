"""Checks of the files that a run reads, before it is started: there, readable, enough, of the right wording.

Reads sizes, columns and the manifest beside the data; rows are read by who uses them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from omegaconf import DictConfig, OmegaConf

from recipe.code_agentic import value_rules
from verl_ext.cli import warn
from verl_ext.config_values import value_of

RL_COLUMNS = ("prompt", "reward_model", "extra_info", "agent_name")
SFT_COLUMNS = ("messages", "tools")


def check_training_data(config: DictConfig, columns: Sequence[str]) -> list[Path]:
    """The training and validation files, which must hold the columns and enough rows.

    Raises:
        ValueError: When a file is missing or no such parquet file, training has fewer rows than a batch, or
            validation has none.
    """
    train, val = data_files(config, "data.train_files"), data_files(config, "data.val_files")
    num_train, num_val = num_rows(train, columns), num_rows(val, columns)
    batch = config.data.train_batch_size
    if num_train < batch:
        raise ValueError(
            f"{_listed(train)}: {num_train} rows are fewer than data.train_batch_size={batch}; lower the "
            "batch, or preprocess more (the manifest beside the data says what was left out and why)"
        )
    if not num_val:
        raise ValueError(
            f"{_listed(val)}: no rows to validate on; preprocess with a larger splits.val_share, or name "
            "other files with data.val_files"
        )
    if num_val < batch and columns == SFT_COLUMNS:
        warn(
            f"{_listed(val)}: {num_val} rows are fewer than a batch of {batch}: val/loss will not be a number"
        )
    return [*train, *val]


def data_files(config: DictConfig, key: str) -> list[Path]:
    """The file or files that a key names.

    Raises:
        ValueError: When it names none, or one that doesn't exist.
    """
    chosen = value_of(config, key, value_rules.FILES)
    files = [Path(chosen)] if isinstance(chosen, str) else [Path(path) for path in chosen]
    for file in files:
        if not file.is_file():
            raise ValueError(
                f"{key}: {file}: no such file; run data_preprocess/preprocess.py first or set data_dir"
            )
    return files


def num_rows(files: Iterable[Path], columns: Sequence[str]) -> int:
    """Rows of parquet files in all.

    Raises:
        ValueError: When one can't be read or lacks a column.
    """
    total = 0
    for file in files:
        try:
            metadata = pq.read_metadata(file)
        except pa.ArrowException as error:
            raise ValueError(f"{file}: not a readable parquet file: {error}") from error
        found = metadata.schema.to_arrow_schema().names
        if missing := [column for column in columns if column not in found]:
            raise ValueError(f"{file}: no column {', '.join(missing)}; found {', '.join(found)}")
        total += metadata.num_rows
    return total


def check_style(config: DictConfig, files: Iterable[Path]) -> None:
    """Data made in one wording can't go with a model profile of another, nor data of one task with another.

    Raises:
        ValueError: When the manifest beside a file names another style or task.
    """
    wanted, task = config.model.profile.style, OmegaConf.select(config, "code_agentic.task")
    for manifest in sorted({file.parent / "manifest.json" for file in files}):
        if not manifest.is_file():
            continue
        made = json.loads(manifest.read_text(encoding="utf-8"))["config"]
        made_with, made_for = made["style"], made.get("rows_for", task)
        if task not in (None, made_for):
            raise ValueError(
                f"{manifest.parent} was made with rows_for={made_for}, this run has task={task}; preprocess "
                f"with rows_for={task} or run with task={made_for}"
            )
        if made_with != wanted:
            raise ValueError(
                f"{manifest.parent} was made with style={made_with}, model.profile.style is {wanted}; "
                f"preprocess with style={wanted} or choose another model profile"
            )


def _listed(files: Iterable[Path]) -> str:
    return ", ".join(map(str, files))
