r"""GRPO on TRL with the DeepCoder reward, on any causal language model; shows answers before and after.

    python -m recipe.deepcoder.minimal_grpo_trl --model outputs/deepcoder/sft/model \
        --train outputs/deepcoder/data/rl_train.parquet --test outputs/deepcoder/data/rl_test.parquet \
        --output-dir outputs/deepcoder/trl

GRPO+ as DeepCoder trains: clip 0.2 below and 0.28 above, no KL term, no entropy bonus, answers that were cut
at the length limit masked out of the loss. The same command goes on after an interruption, at the last
checkpoint. Needs the extra ``trl``.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from verl_ext.cli import HelpFormatter, exit_without, run_main

if __name__ == "__main__":  # before what is imported below asks for it
    exit_without("trl", "trl")

import torch
from datasets import Dataset
from omegaconf import OmegaConf
from transformers import set_seed
from trl import GRPOConfig, GRPOTrainer

from recipe.deepcoder.reward import RewardOptions, make_trl_reward
from recipe.deepcoder.sampling import Task, load_model, read_tasks, sample_answers, solved_shares
from verl_ext.model_path import local_model
from verl_ext.run_files import last_config, point_model_at, write_provenance

_COLUMN_CHARS = 52
# What may differ when a run goes on.
_FREE = ("output_dir", "steps", "save_steps", "test", "num_test", "num_shown")


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m recipe.deepcoder.minimal_grpo_trl",
        description=__doc__,
        formatter_class=HelpFormatter,
    )
    add = parser.add_argument
    add("--model", required=True, help="folder, or hub name ORGANISATION/NAME, of a causal language model")
    add("--train", type=Path, required=True, help="tasks to train on (parquet or JSON lines)")
    add("--test", type=Path, help="tasks to measure on; without it, those to train on")
    add("--output-dir", type=Path, required=True, help="folder for the trained model")
    add("--steps", type=int, default=100, help="updates, two per round of answers")
    add("--save-steps", type=int, default=20, help="updates between checkpoints, even")
    add("--prompts-per-step", type=int, default=16, help="tasks per round of answers")
    add("--group-size", type=int, default=8, help="answers per task")
    add("--lr", type=float, default=1e-6, help="learning rate, constant")
    add("--temperature", type=float, default=1.0, help="of the sampled answers")
    add("--max-completion-length", type=int, default=1024, help="tokens per answer")
    add(
        "--format-penalty", type=float, default=0.0, help="subtracted unless the answer is one fenced program"
    )
    add("--num-test", type=int, default=100, help="tasks to measure on")
    add("--num-shown", type=int, default=4, help="tasks whose answers are shown side by side")
    add("--seed", type=int, default=0, help="of all draws")
    return parser.parse_args(arguments)


def last_checkpoint(output_dir: Path) -> tuple[int, Path] | None:
    """Update and folder of the last whole checkpoint; None when there is none."""
    found = []
    for state in (output_dir / "trainer").glob("checkpoint-*/trainer_state.json"):
        with contextlib.suppress(ValueError):  # a kill in the middle: it is the file that is written last
            found.append((int(json.loads(state.read_text())["global_step"]), state.parent))
    return max(found, default=None)


def train(options: argparse.Namespace, model: Any, tokenizer: Any, tasks: Sequence[Task]) -> Path:
    """Trains to the end, from the last checkpoint on where there is one; returns the model's folder.

    Args:
        options: The command line.
        model: Where to begin; is changed.
        tokenizer: Its tokenizer.
        tasks: What to ask.
    """
    begun = last_checkpoint(options.output_dir)
    if begun and begun[0] == options.steps:
        print(f"already trained: {begun[0]} updates ({begun[1]})", flush=True)
        return point_model_at(options.output_dir, begun[1])
    if begun:
        print(f"going on after update {begun[0]} ({begun[1]})", flush=True)
    on_gpu = torch.cuda.is_available()
    answers_per_round = options.prompts_per_step * options.group_size
    config = GRPOConfig(
        output_dir=str(options.output_dir / "trainer"),
        max_steps=options.steps,
        # Two updates per round of answers: with one, the ratio is 1 and no clip ever acts.
        per_device_train_batch_size=answers_per_round // 2,
        steps_per_generation=2,
        num_generations=options.group_size,
        max_completion_length=options.max_completion_length,
        temperature=options.temperature,
        learning_rate=options.lr,
        lr_scheduler_type="constant",
        weight_decay=0.0,
        epsilon=0.2,
        epsilon_high=0.28,
        beta=0.0,
        loss_type="dapo",
        mask_truncated_completions=True,
        bf16=on_gpu,
        use_cpu=not on_gpu,
        gradient_checkpointing=on_gpu,
        logging_steps=2,
        save_steps=options.save_steps,
        save_total_limit=2,
        report_to="none",
        seed=options.seed,
    )
    # TRL takes async functions, its annotation does not say so.
    reward: Any = make_trl_reward(RewardOptions(format_penalty=options.format_penalty))
    trainer = GRPOTrainer(
        model=model,
        reward_funcs=reward,
        args=config,
        train_dataset=Dataset.from_list([task.row() for task in tasks]),
        processing_class=tokenizer,
    )
    trainer.train(resume_from_checkpoint=str(begun[1]) if begun else None)
    return point_model_at(options.output_dir, options.output_dir / "trainer" / f"checkpoint-{options.steps}")


def main() -> None:
    """Measures, trains, measures again, and shows both.

    Raises:
        ValueError: When a file, the model or a number can't be used.
        SandboxError: When programs can't be run.
    """
    options = parse(sys.argv[1:])
    _check_numbers(options)
    begin = local_model(options.model, "--model") or options.model
    _check_same_run(options)
    judged = RewardOptions(format_penalty=options.format_penalty)
    tasks = read_tasks(options.train)
    measured = read_tasks(options.test or options.train)[: options.num_test]
    files = [options.train, *([options.test] if options.test else [])]
    arguments = {name: str(value) for name, value in vars(options).items()}
    write_provenance(options.output_dir, OmegaConf.create(arguments), files)
    set_seed(options.seed)
    model, tokenizer = load_model(begin)

    def measure(model: Any) -> tuple[list[str], float]:
        answers = sample_answers(
            model,
            tokenizer,
            measured,
            num_samples=4,
            temperature=options.temperature,
            max_new_tokens=options.max_completion_length,
            seed=options.seed,
        )
        shares = solved_shares(measured, answers, judged)
        return [given[0] for given in answers], sum(shares) / len(shares)

    before, rate_before = measure(model)
    print(f"solved before: {rate_before:.1%} (sampled, {len(measured)} tasks, 4 answers each)", flush=True)
    trained = train(options, model, tokenizer, tasks)
    del model  # makes room for what became of it
    after, rate_after = measure(load_model(trained)[0])
    for task, old, new in list(zip(measured, before, after, strict=True))[: options.num_shown]:
        print(side_by_side(task.prompt[-1]["content"], old, new))
    print(f"solved: {rate_before:.1%} before, {rate_after:.1%} after {options.steps} updates")
    print(f"model: {trained}")


def _check_numbers(options: argparse.Namespace) -> None:
    """Refuses numbers that no run can have.

    Raises:
        ValueError: Naming option and value.
    """
    at_least = {"steps": 1, "group_size": 2, "prompts_per_step": 1, "save_steps": 2, "num_test": 1}
    for name, least in at_least.items():
        if (given := getattr(options, name)) < least:
            raise ValueError(f"{_option(name)} {given}: must be at least {least}")
    prompts, answers = options.prompts_per_step, options.group_size
    if prompts * answers % 2:
        raise ValueError(
            f"--prompts-per-step {prompts} times --group-size {answers} is {prompts * answers} answers per "
            "round: must be even, because each of its two updates takes half"
        )
    for name in ("steps", "save_steps"):
        if (given := getattr(options, name)) % 2:
            raise ValueError(
                f"{_option(name)} {given}: must be even: a checkpoint (the last one too) comes "
                "after the second update of a round"
            )


def _check_same_run(options: argparse.Namespace) -> None:
    """Refuses a folder that holds something else than an earlier part of this run.

    Raises:
        ValueError: Naming what differs.
    """
    folder = options.output_dir / "model"
    begun, before = last_checkpoint(options.output_dir), last_config(options.output_dir)
    if folder.exists() and not folder.is_symlink():
        raise ValueError(f"{folder} is in the way: give another --output-dir, or remove it")
    if begun is None or before is None:
        return
    if begun[0] > options.steps:
        raise ValueError(
            f"--steps {options.steps}: {options.output_dir} has {begun[0]} updates already ({begun[1]})"
        )
    differing = [
        f"{_option(name)} {before.get(name)} there, {value} now"
        for name, value in vars(options).items()
        if name not in _FREE and str(value) != before.get(name)
    ]
    if differing:
        raise ValueError(
            f"{options.output_dir} holds another run ({'; '.join(differing)}): "
            "give another --output-dir, or remove it"
        )


def _option(name: str) -> str:
    """A parsed value's name as it is typed."""
    return f"--{name.replace('_', '-')}"


def side_by_side(question: str, before: str, after: str) -> str:
    """A question with two answers beside each other."""
    left, right = ([part for line in text.splitlines() for part in _cut(line)] for text in (before, after))
    height = max(len(left), len(right))
    rows = zip(left + [""] * (height - len(left)), right + [""] * (height - len(right)), strict=True)
    lines = [f"{old:<{_COLUMN_CHARS}} | {new}".rstrip() for old, new in rows]
    return "\n".join([f"\n{question}", f"{'before':<{_COLUMN_CHARS}} | after", *lines])


def _cut(line: str) -> list[str]:
    return [line[start : start + _COLUMN_CHARS] for start in range(0, len(line) or 1, _COLUMN_CHARS)]


if __name__ == "__main__":
    run_main(main)
