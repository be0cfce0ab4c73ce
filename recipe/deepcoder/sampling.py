"""Answers of a causal model, and how many of them solve their problem.

Plain transformers, so that what TRL trained and what verl trained are measured by the same code. Prompts are
the rows' own; the judgement is the reward's.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from recipe.deepcoder.case_reading import read_cases
from recipe.deepcoder.json_lines import numbered_lines, parse_line
from recipe.deepcoder.judgement import RewardOptions, judge


@dataclass(frozen=True, slots=True)
class Task:
    """One row: what is asked, and what decides.

    Attributes:
        name: Identifies the problem.
        prompt: Messages.
        ground_truth: JSON text of test cases in any form of ``case_reading``.
        target_function: Function to call; None takes the cases' own.
        signature: Header of that function, where the task has one.
        split: Which part of the data it belongs to, where the file says so.
    """

    name: str
    prompt: list[dict[str, str]]
    ground_truth: str
    target_function: str | None = None
    signature: str | None = None
    split: str | None = None

    def row(self) -> dict[str, Any]:
        """The row of a data set for TRL."""
        return {
            "prompt": self.prompt,
            "ground_truth": self.ground_truth,
            "target_function": self.target_function,
            "signature": self.signature,
        }


def read_tasks(path: Path) -> list[Task]:
    """Tasks of a file: ``rl_*.parquet`` of preprocess.py, or JSON lines of ``recipe.deepcoder.transform``.

    Raises:
        OSError: When it can't be read.
        ValueError: When it is neither, or holds no task.
    """
    with path.open("rb") as file:
        is_parquet = file.read(4) == b"PAR1"
    tasks = list(_parquet_tasks(path) if is_parquet else _json_tasks(path))
    if not tasks:
        raise ValueError(f"{path}: no task in it")
    return tasks


def _parquet_tasks(path: Path) -> Iterator[Task]:
    import pyarrow.parquet as pq

    for row in pq.read_table(path).to_pylist():
        extra = row["extra_info"]
        prompt, cases = json.loads(row["prompt"]), row["reward_model"]["ground_truth"]
        yield Task(extra["query_id"], prompt, cases, split=extra["split"])


def _json_tasks(path: Path) -> Iterator[Task]:
    for number, line in numbered_lines(path):
        try:
            row = parse_line(line)
            if not isinstance(row, dict) or "prompt" not in row or "ground_truth" not in row:
                raise ValueError("no task: needs an object with prompt and ground_truth")
        except ValueError as error:
            raise ValueError(f"{path} line {number}: {error}") from error
        name, function, signature = (row.get(key) for key in ("name", "target_function", "signature"))
        yield Task(name or str(number), row["prompt"], row["ground_truth"], function, signature)


def load_model(path: str | Path) -> tuple[Any, Any]:
    """A causal language model, on the GPU where there is one, and its tokenizer.

    Args:
        path: Folder or hub name.
    """
    tokenizer = AutoTokenizer.from_pretrained(path)
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    model: Any = AutoModelForCausalLM.from_pretrained(path)
    return model.to("cuda" if torch.cuda.is_available() else "cpu"), tokenizer


def sample_answers(
    model: Any,
    tokenizer: Any,
    tasks: Sequence[Task],
    *,
    num_samples: int,
    temperature: float,
    max_new_tokens: int,
    seed: int,
    batch_size: int = 128,
) -> list[list[str]]:
    """Per task ``num_samples`` answers.

    Args:
        model: A causal language model of transformers.
        tokenizer: Its tokenizer.
        tasks: What to ask.
        num_samples: Answers per task.
        temperature: 0 takes the likeliest token, and one sample is all that makes sense.
        max_new_tokens: Tokens per answer at most.
        seed: Of the draws.
        batch_size: Answers made at a time.
    """
    # The model's own template, as TRL and verl render it.
    texts = [
        tokenizer.apply_chat_template(task.prompt, add_generation_prompt=True, tokenize=False)
        for task in tasks
        for _ in range(num_samples)
    ]
    decoding: dict[str, Any] = {"do_sample": False}
    if temperature > 0:
        decoding = {"do_sample": True, "temperature": temperature, "top_k": 0, "top_p": 1.0}
    torch.manual_seed(seed)
    was_training = model.training
    model.eval()
    answers: list[str] = []
    with torch.inference_mode():
        for start in range(0, len(texts), batch_size):
            batch = tokenizer(
                texts[start : start + batch_size],
                return_tensors="pt",
                padding=True,
                padding_side="left",
                add_special_tokens=False,
            ).to(model.device)
            made = model.generate(
                **batch,
                **decoding,
                max_new_tokens=max_new_tokens,
                pad_token_id=tokenizer.pad_token_id,
                eos_token_id=tokenizer.eos_token_id,
            )
            prompt_length = batch["input_ids"].shape[1]
            answers += tokenizer.batch_decode(made[:, prompt_length:], skip_special_tokens=True)
    model.train(was_training)
    return [answers[start : start + num_samples] for start in range(0, len(answers), num_samples)]


def solved_shares(
    tasks: Sequence[Task], answers: Sequence[Sequence[str]], options: RewardOptions
) -> list[float]:
    """Per task the share of its answers that pass every case.

    Raises:
        SandboxError: When our side failed.
    """

    async def judge_all() -> list[list[bool]]:
        async def solved(task: Task, answer: str) -> bool:
            cases = read_cases(task.ground_truth, task.target_function)
            reward = await judge(answer, cases, options, signature=task.signature)
            return reward.grade is not None and reward.grade.all_passed

        rows = (
            asyncio.gather(*(solved(task, answer) for answer in given))
            for task, given in zip(tasks, answers, strict=True)
        )
        return [list(row) for row in await asyncio.gather(*rows)]

    return [sum(row) / len(row) for row in asyncio.run(judge_all())]
