"""Every config composes, and impossible combinations are refused before anything starts."""

from __future__ import annotations

import itertools

import pytest
from hydra.errors import HydraException
from omegaconf import OmegaConf

from verl_ext.cli import compose, config_dir


def options(group: str) -> list[str]:
    return sorted(path.stem for path in (config_dir() / group).glob("*.yaml"))


TRAINING = [
    *(
        ("ppo", [f"model={model}", f"scale={scale}"])
        for model, scale in itertools.product(options("model"), options("scale"))
    ),
    *(
        ("sft", [f"model={model}", f"scale={scale}"])
        for model, scale in itertools.product(options("model"), options("scale"))
    ),
    *(("ppo", [f"algorithm={name}"]) for name in options("algorithm")),
    *(("ppo", [f"reward={name}"]) for name in options("reward")),
    *(("ppo", [f"sandbox={name}"]) for name in ("embedded", "ray", "e2b")),
    *(("ppo", [f"task={name}"]) for name in options("task")),
    ("tiny_model", []),
    *(("preprocess", [f"data={name}", "input=x.jsonl"]) for name in options("data")),
    ("mutation_score", []),
    *(("regrade", ["trajectories=x", "output=y", f"reward={name}"]) for name in options("reward")),
    *(("evaluate", ["models=[{name: a, path: b}]", f"reward={name}"]) for name in options("reward")),
]


@pytest.mark.parametrize(("name", "overrides"), TRAINING, ids=lambda value: str(value))
def test_every_config_composes_and_resolves(name, overrides):
    pytest.importorskip("verl")
    overrides = [*overrides, *(["scale.nodes=2"] if "scale=cluster" in overrides else [])]
    OmegaConf.resolve(compose(name, overrides))


def test_a_run_on_the_cpu_never_joins_another_ray_of_the_machine():
    pytest.importorskip("verl")
    assert compose("ppo", ["scale=cpu"]).ray_kwargs.ray_init.address == "local"


def test_the_remote_sandbox_takes_the_endpoint_of_the_environment(monkeypatch):
    pytest.importorskip("verl")
    monkeypatch.setenv("SANDBOX_FUSION_ENDPOINT", "http://sandbox:8080")
    assert compose("ppo", ["sandbox=remote"]).code_agentic.sandbox.endpoint == "http://sandbox:8080"


def test_the_32b_profile_carries_the_published_numbers():
    pytest.importorskip("verl")
    scale = ["model=qwen2_5_32b", "scale=node8"]
    sft, ppo = compose("sft", scale), compose("ppo", scale)
    assert (sft.data.micro_batch_size_per_gpu, sft.data.train_batch_size) == (1, 8 * 8)
    assert (sft.optim.lr, sft.trainer.total_epochs, sft.data.max_length) == (5e-6, 3, 4096)
    assert (ppo.actor_rollout_ref.actor.optim.lr, ppo.trainer.total_training_steps) == (1e-6, 1000)
    assert dict(ppo.reward.custom_reward_function.reward_kwargs) == {
        "kind": "shaped",
        "scale": 1.0,
        "test_case_bonus": 0.3,
        "tool_bonus": 0.05,
        "debug_penalty": 0.1,
        "max_debug_attempts": 5,
        "quality_bonus": 0.0,
        "efficiency_bonus": 0.0,
        "efficiency_floor_s": 0.02,
    }


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("data.train_batch_sise=3", "'data.train_batch_sise'; did you mean 'data.train_batch_size'"),
        ("modle=tiny", "'modle'"),
        ("model=huge", "huge"),
    ],
)
def test_a_mistyped_key_is_refused_by_name(override: str, said: str) -> None:
    pytest.importorskip("verl")
    with pytest.raises((ValueError, HydraException)) as raised:
        compose("ppo", [override])
    assert said in f"{raised.value} {raised.value.__cause__}"


def test_the_void_share_is_a_key_of_what_runs_episodes():
    pytest.importorskip("verl")
    share = "code_agentic.sandbox.max_void_share=0.1"
    assert compose("ppo", [share]).trainer.v1.sampler.sampler_kwargs.max_void_share == 0.1
    assert compose("evaluate", ["models=[]"]).code_agentic.sandbox.max_void_share == 0.02
    with pytest.raises(ValueError, match="max_void_share"):
        compose("preprocess", [share])


def test_a_tools_file_is_taken_from_configs_by_the_profile_and_from_here_by_the_episode(tmp_path):
    pytest.importorskip("verl")
    config = compose("ppo", ["model.profile.tools=tools/enhanced.yaml"])
    assert config.data.tools == str(config_dir() / "tools" / "enhanced.yaml")
    assert compose("ppo", [f"model.profile.tools={tmp_path}/t.yaml"]).data.tools == f"{tmp_path}/t.yaml"
    assert compose("ppo", ["code_agentic.episode.tools=t.yaml"]).data.tools == "t.yaml"


@pytest.mark.parametrize("name", ["ppo", "sft"])
def test_a_cluster_has_as_many_nodes_as_are_given_and_not_one_by_default(name):
    pytest.importorskip("verl")
    with pytest.raises(ValueError, match=r"not set: scale\.nodes"):
        compose(name, ["scale=cluster"])
    config = compose(name, ["scale=cluster", "scale.nodes=4", "model=qwen2_5_32b"])
    assert (config.trainer.nnodes, config.trainer.n_gpus_per_node) == (4, 8)


def test_the_void_share_counts_against_the_group_size_that_is_rolled_out():
    pytest.importorskip("verl")
    config = compose("ppo", ["actor_rollout_ref.rollout.n=3"])
    assert config.trainer.v1.sampler.sampler_kwargs.num_samples == 3


def test_the_deepcoder_task_is_one_choice_whose_parts_can_be_chosen_otherwise():
    pytest.importorskip("verl")
    config = compose("ppo", ["task=deepcoder"])
    actor = config.actor_rollout_ref.actor
    assert (actor.clip_ratio_low, actor.clip_ratio_high, actor.entropy_coeff) == (0.2, 0.28, 0)
    assert not actor.use_kl_loss and not config.algorithm.use_kl_in_reward
    assert config.code_agentic.episode.mask_truncated and config.code_agentic.episode.max_turns == 1
    assert config.reward.custom_reward_function.path == "pkg://recipe.deepcoder.reward"
    config = compose("ppo", ["task=deepcoder", "algorithm=grpo", "reward=all_pass"])
    assert config.actor_rollout_ref.actor.clip_ratio_high == 0.2
    assert config.reward.custom_reward_function.reward_kwargs.kind == "all_pass"
    assert not compose("ppo", []).code_agentic.episode.mask_truncated
