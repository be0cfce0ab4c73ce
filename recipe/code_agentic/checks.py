"""Checks of a composed configuration before anything is started: one line each, naming key, value, remedy."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

from omegaconf import DictConfig

from recipe.code_agentic.reward import KINDS, ShapedWeights
from verl_ext.sandbox.client import sandbox_from_endpoint


def check_files(*paths: str) -> list[Path]:
    """The paths as files that exist.

    Raises:
        ValueError: For the first that doesn't.
    """
    files = [Path(path) for path in paths]
    for file in files:
        if not file.is_file():
            raise ValueError(f"{file}: no such file; run data_preprocess/preprocess.py first or set data_dir")
    return files


def check_style(config: DictConfig) -> None:
    """Data made in one wording can't train a model profile of another.

    Raises:
        ValueError: When the manifest beside the data names another style.
    """
    manifest = Path(config.data_dir) / "manifest.json"
    if not manifest.is_file():
        return
    made_with = json.loads(manifest.read_text(encoding="utf-8"))["config"]["style"]
    wanted = config.model.profile.style
    if made_with != wanted:
        raise ValueError(
            f"data_dir={config.data_dir} was made with style={made_with}, model.profile.style is {wanted}; "
            f"preprocess with style={wanted} or choose another model profile"
        )


def check_model_path(path: str) -> None:
    """A path that looks like a folder must hold a model; anything else is taken for a hub name.

    Raises:
        ValueError: When the folder has no config.json.
    """
    is_hub_name = path.count("/") == 1 and not path.startswith(("/", ".", "~", "outputs"))
    if not is_hub_name and not (Path(path).expanduser() / "config.json").is_file():
        raise ValueError(f"model.profile.path={path}: no model there (config.json is missing)")


def check_scale(config: DictConfig) -> None:
    """The chosen scale must fit the machine.

    Raises:
        ValueError: When it asks for a GPU that is not there, or for the CPU beside one.
    """
    import torch

    if config.scale.device == "cpu" and torch.cuda.is_available():
        raise ValueError(
            "scale=cpu, but this machine has a GPU, which verl would choose; use scale=gpu1, or hide the "
            "GPU with CUDA_VISIBLE_DEVICES="
        )
    num_gpus = torch.cuda.device_count()
    is_one_node = config.scale.device == "cuda" and config.scale.nodes == 1
    if is_one_node and num_gpus < config.scale.gpus_per_node:
        raise ValueError(
            f"scale.gpus_per_node={config.scale.gpus_per_node}, but this machine has {num_gpus} GPUs; "
            "choose scale=cpu model=tiny or a machine with GPUs"
        )


def check_ppo(config: DictConfig) -> None:
    """Batch sizes, lengths and reward weights of an RL run.

    Raises:
        ValueError: For the first that can't work.
    """
    mode = config.trainer.v1.trainer_mode
    if config.scale.device == "cpu" and mode != "sync":
        raise ValueError(
            f"trainer.v1.trainer_mode={mode} samples from half-loaded weights on the CPU; "
            "use trainer_mode=sync"
        )
    batch, mini = config.data.train_batch_size, config.actor_rollout_ref.actor.ppo_mini_batch_size
    processes = config.scale.nodes * config.scale.gpus_per_node
    samples = config.actor_rollout_ref.rollout.n
    if batch % mini:
        raise ValueError(
            f"data.train_batch_size={batch} is not a multiple of "
            f"actor_rollout_ref.actor.ppo_mini_batch_size={mini}"
        )
    if mini * samples % processes:
        raise ValueError(
            f"actor_rollout_ref.actor.ppo_mini_batch_size={mini} times actor_rollout_ref.rollout.n={samples} "
            f"does not divide over {processes} training processes (scale.nodes * scale.gpus_per_node)"
        )
    if config.algorithm.adv_estimator == "grpo" and samples < 2:
        raise ValueError(
            f"actor_rollout_ref.rollout.n={samples}: GRPO compares the episodes of a group, use 2 or more"
        )
    longest = config.data.max_prompt_length + config.data.max_response_length
    if config.scale.max_tokens_per_gpu < longest:
        raise ValueError(
            f"scale.max_tokens_per_gpu={config.scale.max_tokens_per_gpu} is less than one episode of "
            f"{longest} tokens (data.max_prompt_length + data.max_response_length)"
        )
    weights = dict(config.reward.custom_reward_function.get("reward_kwargs", {}))
    kind = weights.pop("kind", None)
    if kind is not None:
        if kind not in KINDS:
            raise ValueError(
                f"reward.custom_reward_function.reward_kwargs.kind={kind} is not one of {', '.join(KINDS)}"
            )
        ShapedWeights(**weights)


def check_sft(config: DictConfig) -> None:
    """Batch sizes of an SFT run.

    Raises:
        ValueError: When they do not divide.
    """
    batch, micro = config.data.train_batch_size, config.data.micro_batch_size_per_gpu
    processes = config.scale.nodes * config.scale.gpus_per_node
    if batch % (micro * processes):
        raise ValueError(
            f"data.train_batch_size={batch} is not a multiple of data.micro_batch_size_per_gpu={micro} times "
            f"{processes} training processes (scale.nodes * scale.gpus_per_node)"
        )


def check_sandbox(endpoint: str | None) -> None:
    """A sandbox service that is named must answer; none is fine, the embedded one is started with the run.

    Raises:
        SandboxError: When it does not answer.
    """

    async def ping() -> None:
        async with sandbox_from_endpoint(endpoint) as sandbox:
            await sandbox.ping()

    if endpoint is not None:
        asyncio.run(ping())
