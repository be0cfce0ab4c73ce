"""What can't work is said in one line before anything starts."""

from __future__ import annotations

import pytest

from recipe.code_agentic.checks import (
    check_files,
    check_model_path,
    check_ppo,
    check_sandbox,
    check_scale,
    check_sft,
    check_style,
)
from verl_ext.cli import compose
from verl_ext.sandbox.errors import SandboxError

pytest.importorskip("verl")


@pytest.mark.parametrize(
    ("overrides", "key"),
    [
        (["data.train_batch_size=30"], "data.train_batch_size=30"),
        (["actor_rollout_ref.rollout.n=1"], "actor_rollout_ref.rollout.n=1"),
        (["scale.gpus_per_node=3", "data.train_batch_size=32"], "3 training processes"),
        (["scale.max_tokens_per_gpu=100"], "scale.max_tokens_per_gpu=100"),
        (["reward.custom_reward_function.reward_kwargs.kind=shapd"], "kind=shapd"),
        (["trainer.v1.trainer_mode=colocate_async"], "trainer_mode=sync"),
        (["reward.custom_reward_function.reward_kwargs.debug_penalty=0.5"], "reward.debug_penalty"),
    ],
)
def test_an_impossible_rl_setting_names_its_key(overrides, key):
    with pytest.raises(ValueError, match=key):
        check_ppo(compose("ppo", overrides))


def test_an_sft_batch_that_does_not_divide_names_its_key():
    with pytest.raises(ValueError, match=r"data\.train_batch_size=10"):
        check_sft(compose("sft", ["data.train_batch_size=10"]))


def test_a_gpu_scale_without_gpus_says_what_to_choose():
    torch = pytest.importorskip("torch")
    if torch.cuda.is_available():
        pytest.skip("this machine has a GPU")
    with pytest.raises(ValueError, match="scale=cpu"):
        check_scale(compose("ppo", ["scale=gpu1"]))


@pytest.mark.parametrize("path", ["outputs/no_such_model", "/no/such/model", "./none"])
def test_a_model_folder_that_is_not_there_is_named(path):
    with pytest.raises(ValueError, match=path):
        check_model_path(path)


def test_a_hub_name_is_left_to_the_hub():
    check_model_path("Qwen/Qwen2.5-32B-Instruct")


def test_a_missing_data_file_says_how_to_make_it():
    with pytest.raises(ValueError, match="preprocess"):
        check_files("no/rl_train.parquet")


def test_the_defaults_pass():
    check_ppo(compose("ppo", []))
    check_sft(compose("sft", []))


def test_a_sandbox_that_does_not_answer_stops_the_run_before_it_starts():
    with pytest.raises(SandboxError):
        check_sandbox("http://127.0.0.1:9")


def test_data_of_another_style_is_refused(tmp_path):
    (tmp_path / "manifest.json").write_text('{"config": {"style": "full"}}')
    with pytest.raises(ValueError, match="style=full"):
        check_style(compose("ppo", [f"data_dir={tmp_path}"]))
