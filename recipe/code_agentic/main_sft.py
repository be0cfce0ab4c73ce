"""Supervised fine-tuning: composes and checks the configuration, then runs verl's SFT trainer under torchrun.

``python -m recipe.code_agentic.main_sft [--dry-run] [key=value ...]``; configs/sft.yaml says what there is.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from omegaconf import DictConfig, OmegaConf

from recipe.code_agentic.checks import check_files, check_model_path, check_scale, check_sft, check_style
from verl_ext.cli import RunFailed, compose, run_main, take_flag
from verl_ext.platform.environment import cpu_environment
from verl_ext.run_files import latest_checkpoint, link_model, next_metrics_file, write_provenance


def main() -> None:
    """The launcher, and under torchrun the training process."""
    dry_run, overrides = take_flag(sys.argv[1:], "--dry-run")
    config = compose("sft", overrides)
    if "TORCHELASTIC_RUN_ID" in os.environ:
        train(config)
        return
    files = check_files(config.data.train_files, config.data.val_files)
    check_model_path(config.model.path)
    check_style(config)
    check_scale(config)
    check_sft(config)
    if dry_run:
        print(OmegaConf.to_yaml(config, resolve=True))
        return
    launch(config, overrides, files)


def launch(config: DictConfig, overrides: list[str], data_files: list[Path]) -> None:
    """Runs the training processes to their end and links the trained model.

    Raises:
        RunFailed: When training failed.
    """
    output_dir = Path(config.output_dir)
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
    command = [
        *(sys.executable, "-m", "torch.distributed.run", "--standalone"),
        f"--nproc_per_node={config.scale.gpus_per_node}",
        *("-m", "recipe.code_agentic.main_sft", *overrides),
    ]
    code = subprocess.run(command, env=environment, check=False).returncode
    if code != 0:
        raise RunFailed(f"SFT ended with exit code {code}; its own message is above")
    print(f"model: {link_model(output_dir, subfolder='huggingface')}", flush=True)


def train(config: DictConfig) -> None:
    """One training process: verl's trainer on verl's part of the configuration."""
    from verl.trainer.sft_trainer import run_sft

    OmegaConf.resolve(config)
    OmegaConf.set_struct(config, False)
    del config.model.profile  # ours; verl turns this section into a dataclass
    run_sft(config)


if __name__ == "__main__":
    run_main(main, __doc__)
