"""Data that can't train is refused before anything starts, and a dry run says so too."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from recipe.code_agentic import main_ppo, main_sft
from recipe.code_agentic.data_checks import (
    RL_COLUMNS,
    SFT_COLUMNS,
    check_style,
    check_training_data,
    data_files,
)
from verl_ext.cli import compose, run_main

pytest.importorskip("verl")


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Writes a parquet file with some rows of empty text."""

    def file(name: str, columns: tuple[str, ...], num_rows: int) -> Path:
        path = tmp_path / f"{name}.parquet"
        pq.write_table(pa.table({column: pa.array([""] * num_rows, pa.string()) for column in columns}), path)
        return path

    return file


def test_enough_rows_pass_and_may_stand_in_several_files(write, tmp_path):
    files = [write("one", RL_COLUMNS, 10), write("two", RL_COLUMNS, 6), write("rl_val", RL_COLUMNS, 1)]
    overrides = [f"data_dir={tmp_path}", f"data.train_files=[{files[0]},{files[1]}]"]
    assert check_training_data(compose("ppo", overrides), RL_COLUMNS) == files


@pytest.mark.parametrize(
    ("num_train", "num_val", "message"),
    [
        (0, 1, r"rl_train\.parquet: 0 rows are fewer than data\.train_batch_size=16; lower"),
        (15, 1, r"rl_train\.parquet: 15 rows are fewer than data\.train_batch_size=16"),
        (16, 0, r"rl_val\.parquet: no rows to validate on; preprocess with a larger splits\.val_share"),
    ],
)
def test_too_few_rows_are_counted_and_named(write, tmp_path, num_train, num_val, message):
    write("rl_train", RL_COLUMNS, num_train)
    write("rl_val", RL_COLUMNS, num_val)
    with pytest.raises(ValueError, match=message):
        check_training_data(compose("ppo", [f"data_dir={tmp_path}"]), RL_COLUMNS)


def test_an_sft_validation_file_below_a_batch_is_a_warning(write, tmp_path, capsys):
    write("sft_train", SFT_COLUMNS, 16)
    write("sft_val", SFT_COLUMNS, 3)
    check_training_data(compose("sft", [f"data_dir={tmp_path}"]), SFT_COLUMNS)
    assert "3 rows are fewer than a batch of 16" in capsys.readouterr().err


def test_files_of_another_kind_are_named(write, tmp_path):
    write("rl_val", RL_COLUMNS, 1)
    sft = write("sft_train", SFT_COLUMNS, 16)
    with pytest.raises(ValueError, match=r"sft_train\.parquet: no column prompt, .*found messages, tools"):
        check_training_data(compose("ppo", [f"data_dir={tmp_path}", f"data.train_files={sft}"]), RL_COLUMNS)
    (tmp_path / "rl_train.parquet").write_text("no parquet")
    with pytest.raises(ValueError, match=r"rl_train\.parquet: not a readable parquet file"):
        check_training_data(compose("ppo", [f"data_dir={tmp_path}"]), RL_COLUMNS)


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("data.train_files=no/rl.parquet", r"data\.train_files: no/rl\.parquet: no such file; run data_pre"),
        ("data.train_files=[]", r"data\.train_files=\[\] must be a file or a list of files"),
        ("data.train_files=[5]", r"must be a file or a list of files"),
        ("data.train_files=null", r"data\.train_files=null must be a file or a list of files"),
    ],
)
def test_what_names_no_file_says_what_would(override, message):
    with pytest.raises(ValueError, match=message):
        data_files(compose("ppo", [override]), "data.train_files")


def test_data_of_another_style_is_refused(tmp_path):
    (tmp_path / "manifest.json").write_text('{"config": {"style": "full"}}')
    config = compose("ppo", [])
    with pytest.raises(ValueError, match="was made with style=full"):
        check_style(config, [tmp_path / "rl_train.parquet"])
    check_style(config, [tmp_path / "elsewhere" / "rl_train.parquet"])


@pytest.mark.parametrize(("entry", "name"), [(main_ppo, "rl"), (main_sft, "sft")])
def test_a_dry_run_checks_the_data_prints_the_config_and_writes_nothing(
    entry, name, write, tmp_path, tiny_model_dir, monkeypatch, capsys
):
    columns = RL_COLUMNS if name == "rl" else SFT_COLUMNS
    overrides = [f"data_dir={tmp_path}", f"model.profile.path={tiny_model_dir}", f"output_dir={tmp_path}/out"]

    def run() -> int | str | None:
        monkeypatch.setattr("sys.argv", ["main", "--dry-run", *overrides])
        with pytest.raises(SystemExit) as end:
            run_main(entry.main)
        return end.value.code

    write(f"{name}_val", columns, 20)
    write(f"{name}_train", columns, 3)
    assert run() == 2
    said = capsys.readouterr()
    assert "3 rows are fewer than data.train_batch_size=16" in said.err and said.err.count("\n") == 1
    write(f"{name}_train", columns, 16)
    assert run() == 0
    assert f"data_dir: {tmp_path}" in capsys.readouterr().out
    assert not (tmp_path / "out").exists()


def test_data_of_another_task_is_refused(tmp_path):
    (tmp_path / "manifest.json").write_text('{"config": {"style": "brief", "rows_for": "deepcoder"}}')
    config = compose("ppo", [])
    with pytest.raises(ValueError, match="was made with rows_for=deepcoder, this run has task=debugging"):
        check_style(config, [tmp_path / "rl_train.parquet"])
    check_style(compose("ppo", ["task=deepcoder"]), [tmp_path / "rl_train.parquet"])
    check_style(compose("sft", []), [tmp_path / "sft_train.parquet"])
