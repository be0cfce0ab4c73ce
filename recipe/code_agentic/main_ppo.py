"""RL on verl's Ray trainer: composes and checks the configuration, starts what the run needs, trains.

``python -m recipe.code_agentic.main_ppo [--dry-run] [key=value ...]``; configs/ppo.yaml says what there is.
"""

from __future__ import annotations

import os
import sys
from contextlib import ExitStack
from pathlib import Path

from omegaconf import DictConfig, OmegaConf

from recipe.code_agentic.checks import (
    check_device,
    check_episode,
    check_ppo,
    check_sandbox,
    load_reward,
)
from recipe.code_agentic.data_checks import RL_COLUMNS, check_style, check_training_data
from verl_ext.cli import RunFailed, compose, run_main, take_flag
from verl_ext.model_path import check_positions, local_model
from verl_ext.platform.environment import PLATFORM_VARIABLE, cpu_environment
from verl_ext.run_files import latest_checkpoint, link_model, next_metrics_file, write_provenance
from verl_ext.sandbox.backends import RAY
from verl_ext.sandbox.errors import SandboxError


def main() -> None:
    """Checks, then trains to the end and links the trained model."""
    dry_run, overrides = take_flag(sys.argv[1:], "--dry-run")
    config = compose("ppo", overrides)
    if config.scale.device == "cpu" and PLATFORM_VARIABLE not in os.environ and not dry_run:
        # verl chooses its platform while it is imported, which composing its configs already does
        command = [sys.executable, "-m", "recipe.code_agentic.main_ppo", *sys.argv[1:]]
        os.execve(sys.executable, command, os.environ | cpu_environment())
    check_ppo(config)
    files = check_training_data(config, RL_COLUMNS)
    check_style(config, files)
    folder = local_model(config.actor_rollout_ref.model.path, "model.profile.path")
    check_positions(
        folder,
        config.data.max_prompt_length + config.data.max_response_length,
        "data.max_prompt_length + data.max_response_length",
    )
    check_episode(config)
    load_reward(config)
    # With several nodes the GPUs are Ray's to find: this may be a machine that only drives.
    num_gpus = config.scale.gpus_per_node if config.scale.nodes == 1 else 0
    check_device(config.scale.device, num_gpus, "scale.gpus_per_node", dry_run=dry_run)
    if config.code_agentic.sandbox.endpoint != RAY:
        check_sandbox(config.code_agentic.sandbox)
    if dry_run:
        print(OmegaConf.to_yaml(config, resolve=True))
        return
    output_dir = Path(config.output_dir)
    write_provenance(output_dir, config, files)
    if latest := latest_checkpoint(output_dir):
        print(f"resuming RL from step {latest[0]} ({latest[1]})", flush=True)
    os.environ["VERL_FILE_LOGGER_PATH"] = str(next_metrics_file(output_dir).absolute())
    os.environ["TENSORBOARD_DIR"] = str((output_dir / "tensorboard").absolute())
    train(config)
    print(f"model: {link_model(output_dir, subfolder='actor/huggingface')}", flush=True)


def train(config: DictConfig) -> None:
    """Runs verl's V1 trainer with a sandbox beside it and a watchdog over both.

    Raises:
        SandboxError: When more episodes were lost to sandbox failures than the run allows.
        NothingToTrainOn: When every episode of a step was masked.
        RunFailed: When training failed otherwise, with what the worker said, or which worker died.
    """
    from ray.exceptions import RayTaskError
    from verl.trainer.main_ppo import TaskRunnerV1, run_ppo
    from verl.trainer.ppo.utils import need_critic, need_reference_policy
    from verl.utils.config import validate_config

    from verl_ext.agent_loop.replay_buffer import NothingToTrainOn
    from verl_ext.agent_loop.task_runner import SandboxTaskRunner
    from verl_ext.platform.watchdog import RunDied, Watchdog
    from verl_ext.sandbox.embedded import serve

    validate_config(
        config=config,
        use_reference_policy=need_reference_policy(config),
        use_critic=need_critic(config),
    )
    # Ray workers may run in another folder.
    for key in ("output_dir", "data_dir", "code_agentic.episode.tools"):
        OmegaConf.update(config, key, str(Path(OmegaConf.select(config, key)).absolute()))
    sandbox = config.code_agentic.sandbox
    try:
        with ExitStack() as stack:
            if sandbox.endpoint is None:
                workers = () if sandbox.num_workers is None else ("--num-workers", str(sandbox.num_workers))
                sandbox.endpoint = stack.enter_context(serve(workers)).endpoint
            OmegaConf.resolve(config)  # workers do not know our resolvers
            stack.enter_context(Watchdog(stall_report_min=config.stall_report_min))
            on_ray = sandbox.endpoint == RAY
            run_ppo(config, task_runner_class=SandboxTaskRunner if on_ray else TaskRunnerV1)
    except RayTaskError as error:
        if isinstance(error.cause, SandboxError | NothingToTrainOn):
            raise error.cause from None
        # Ray's error also is of its cause's class; a worker's ValueError is not the user's mistake
        raise RunFailed(f"training failed in a worker: {error}") from None
    except RunDied as error:
        raise RunFailed(str(error)) from None


if __name__ == "__main__":
    run_main(main, __doc__)
