"""Supervised fine-tuning: composes and checks the configuration, then runs verl's SFT trainer under torchrun.

``python -m recipe.code_agentic.main_sft [--dry-run] [key=value ...]``; configs/sft.yaml says what there is.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from omegaconf import DictConfig, OmegaConf

from recipe.code_agentic.checks import (
    check_device,
    check_sft,
)
from recipe.code_agentic.data_checks import SFT_COLUMNS, check_style, check_training_data
from verl_ext.cli import RunFailed, compose, run_main, take_flag
from verl_ext.model_path import check_positions, local_model
from verl_ext.platform.environment import cpu_environment
from verl_ext.run_files import latest_checkpoint, link_model, next_metrics_file, write_provenance


def main() -> None:
    """The launcher, and under torchrun the training process."""
    dry_run, overrides = take_flag(sys.argv[1:], "--dry-run")
    config = compose("sft", overrides)
    if "TORCHELASTIC_RUN_ID" in os.environ:
        train(config)
        return
    check_sft(config)
    files = check_training_data(config, SFT_COLUMNS)
    check_style(config, files)
    folder = local_model(config.model.path, "model.profile.path")
    check_positions(folder, config.data.max_length, "data.max_length")
    check_device(config.scale.device, config.scale.gpus_per_node, "scale.gpus_per_node", dry_run=dry_run)
    if dry_run:
        print(OmegaConf.to_yaml(config, resolve=True))
        return
    launch(config, overrides, files)


def launch(config: DictConfig, overrides: list[str], data_files: list[Path]) -> None:
    """Runs this node's training processes to their end; node 0 also links the trained model.

    Raises:
        RunFailed: When training failed.
    """
    output_dir = Path(config.output_dir)
    is_first_node = config.torchrun.node_rank == 0
    if is_first_node:
        write_provenance(output_dir, config, data_files)
    if latest := latest_checkpoint(output_dir):
        print(f"resuming SFT from step {latest[0]} ({latest[1]})", flush=True)
    environment = {
        **os.environ,
        "VERL_FILE_LOGGER_PATH": str(next_metrics_file(output_dir)),
        "TENSORBOARD_DIR": str(output_dir / "tensorboard"),
    }
    if config.scale.device == "cpu":
        environment |= cpu_environment()
    code = subprocess.run(torchrun_command(config, overrides), env=environment, check=False).returncode
    if code != 0:
        raise RunFailed(f"SFT ended with exit code {code}; its own message is above")
    if is_first_node:
        print(f"model: {link_model(output_dir, subfolder='huggingface')}", flush=True)


def torchrun_command(config: DictConfig, overrides: list[str]) -> list[str]:
    """The command that starts this node's training processes."""
    rendezvous = ["--standalone"]
    if config.scale.nodes > 1:
        host, _, port = config.torchrun.endpoint.rpartition(":")
        rendezvous = [
            *(f"--nnodes={config.scale.nodes}", f"--node_rank={config.torchrun.node_rank}"),
            *(f"--master_addr={host}", f"--master_port={port}"),
        ]
    return [
        *(sys.executable, "-m", "torch.distributed.run", *rendezvous),
        f"--nproc_per_node={config.scale.gpus_per_node}",
        *("-m", "recipe.code_agentic.main_sft", *overrides),
    ]


def train(config: DictConfig) -> None:
    """One training process: verl's trainer on verl's part of the configuration."""
    from verl.trainer.sft_trainer import run_sft

    OmegaConf.resolve(config)
    OmegaConf.set_struct(config, False)
    del config.model.profile  # ours; verl turns this section into a dataclass
    run_sft(config)


if __name__ == "__main__":
    run_main(main, __doc__)
