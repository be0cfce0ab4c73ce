"""A model that a user names: a folder that is there, or a name for the hub."""

from __future__ import annotations

import json
from contextlib import nullcontext
from pathlib import Path

import pytest

from verl_ext.model_path import check_positions, local_model


@pytest.mark.parametrize(
    "path", ["outputs/none", "/no/model", "./none", "../none", "~/none", "none", "a/b/c", "runs/x"]
)
def test_a_model_folder_that_is_not_there_is_named(path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("runs").mkdir()
    with pytest.raises(ValueError, match=rf"^model\.profile\.path={path}: no model there"):
        local_model(path, "model.profile.path")


def test_a_hub_name_is_left_to_the_hub_and_a_folder_is_found(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert local_model("Qwen/Qwen2.5-32B-Instruct", "model.profile.path") is None
    Path("runs/sft").mkdir(parents=True)
    Path("runs/sft/config.json").write_text("{}")
    assert local_model("runs/sft", "model.profile.path") == Path("runs/sft")


@pytest.mark.parametrize(
    ("model", "fits"),
    [
        ({"max_position_embeddings": 1023}, False),
        ({"max_position_embeddings": 1024}, True),
        ({"max_position_embeddings": 1023, "rope_parameters": {"rope_type": "default"}}, False),
        ({"max_position_embeddings": 512, "rope_parameters": {"rope_type": "yarn", "factor": 4.0}}, True),
        (
            {"max_position_embeddings": 512, "rope_parameters": {"full_attention": {"rope_type": "linear"}}},
            True,
        ),
        (
            {
                "max_position_embeddings": 512,
                "rope_parameters": {"full_attention": {"rope_type": "default"}},
            },
            False,
        ),
        ({"max_position_embeddings": 512, "rope_scaling": {"type": "yarn", "factor": 4.0}}, True),
        ({}, True),
    ],
)
def test_more_tokens_than_a_model_has_positions_are_refused(model, fits, tmp_path):
    (tmp_path / "config.json").write_text(json.dumps(model))
    with (
        nullcontext()
        if fits
        else pytest.raises(ValueError, match=r"^data\.max_length=1024 tokens are more than")
    ):
        check_positions(tmp_path, 1024, "data.max_length")
    check_positions(None, 1024, "data.max_length")


@pytest.mark.parametrize("text", ["{", "[]"])
def test_a_model_whose_config_can_not_be_read_is_named(text, tmp_path):
    (tmp_path / "config.json").write_text(text)
    with pytest.raises(ValueError, match=r"config\.json: "):
        check_positions(tmp_path, 1024, "data.max_length")
