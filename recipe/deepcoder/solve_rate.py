r"""How many tasks models solve with one answer, sampled and greedy.

    python -m recipe.deepcoder.solve_rate --tasks outputs/deepcoder/data/rl_test.parquet \
        sft=outputs/deepcoder/sft/model grpo=outputs/deepcoder/rl/model
"""

from __future__ import annotations

import argparse
import statistics
from pathlib import Path
from typing import Any

from recipe.deepcoder.judgement import RewardOptions
from recipe.deepcoder.sampling import Task, load_model, read_tasks, sample_answers, solved_shares
from verl_ext.cli import HelpFormatter, run_main
from verl_ext.model_path import local_model
from verl_ext.run_files import write_json


def rates(
    path: str, tasks: list[Task], *, num_samples: int, max_new_tokens: int, seed: int
) -> dict[str, Any]:
    """Share of right answers of one model, over all tasks and by split.

    Args:
        path: Folder or hub name of the model.
        tasks: What to ask.
        num_samples: Sampled answers per task (T = 1); one greedy answer comes on top.
        max_new_tokens: Tokens per answer at most.
        seed: Of the draws.
    """
    model, tokenizer = load_model(path)
    found: dict[str, Any] = {}
    for name, temperature, samples in (("sampled", 1.0, num_samples), ("greedy", 0.0, 1)):
        answers = sample_answers(
            model,
            tokenizer,
            tasks,
            num_samples=samples,
            temperature=temperature,
            max_new_tokens=max_new_tokens,
            seed=seed,
        )
        shares = solved_shares(tasks, answers, RewardOptions())
        by_split: dict[str, list[float]] = {"all": shares}
        for task, share in zip(tasks, shares, strict=True):
            if task.split:
                by_split.setdefault(task.split, []).append(share)
        found[name] = {split: statistics.fmean(values) for split, values in by_split.items()}
    return found


def main() -> None:
    """Measures every model that is named.

    Raises:
        ValueError: When a model is not NAME=PATH, has another's name or is not there, or the tasks can't be
            used.
        SandboxError: When programs can't be run.
    """
    parser = argparse.ArgumentParser(
        prog="python -m recipe.deepcoder.solve_rate",
        description=__doc__,
        formatter_class=HelpFormatter,
    )
    parser.add_argument("models", nargs="+", metavar="NAME=PATH", help="models to measure")
    parser.add_argument("--tasks", type=Path, required=True, help="parquet or JSON lines")
    parser.add_argument("--num-samples", type=int, default=4, help="sampled answers per task")
    parser.add_argument("--max-completion-length", type=int, default=96, help="tokens per answer")
    parser.add_argument("--seed", type=int, default=0, help="of the draws")
    parser.add_argument("--output", type=Path, help="JSON file with all the rates")
    options = parser.parse_args()
    models: dict[str, str] = {}
    for model in options.models:
        name, _, path = model.partition("=")
        if not path:
            raise ValueError(f"{model}: give NAME=PATH")
        if name in models:
            raise ValueError(f"{model}: give another name, {name} is {models[name]}")
        models[name] = str(local_model(path, name) or path)
    tasks = read_tasks(options.tasks)
    found: dict[str, Any] = {}
    for name, path in models.items():
        found[name] = rates(
            path,
            tasks,
            num_samples=options.num_samples,
            max_new_tokens=options.max_completion_length,
            seed=options.seed,
        )
        for decoding, by_split in found[name].items():
            print(f"{name} {decoding}: " + ", ".join(f"{key} {value:.1%}" for key, value in by_split.items()))
    if options.output:
        write_json(options.output, found)


if __name__ == "__main__":
    run_main(main)
