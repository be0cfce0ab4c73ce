"""Running the episodes of an evaluation: which there are, which are done, and a bounded number at a time.

Owns the order, the seeds and the reuse of finished episodes. Does not know where problems, models or the
sandbox come from (``evaluate``), nor what the results mean (``metrics``).
"""

from __future__ import annotations

import asyncio
import random
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tqdm import tqdm

from verl_ext.agent_loop.chat import Message
from verl_ext.agent_loop.episode import Episode
from verl_ext.agent_loop.loop import EpisodeRunner
from verl_ext.agent_loop.reward_function import RewardFunction
from verl_ext.agent_loop.trajectory import (
    EpisodeOrigin,
    TrajectoryWriter,
    drop_partial_line,
    read_trajectories,
    trajectory_record,
)
from verl_ext.agent_loop.vllm_policy import Sampling, ServedModel
from verl_ext.grading.problem import Problem

GREEDY = "greedy"
SAMPLED = "sampled"
# (decoding, split, query_id, sample)
EpisodeKey = tuple[str, str, str, int]


@dataclass(frozen=True, slots=True)
class EvaluationRow:
    """One problem as the RL file holds it.

    Attributes:
        problem: With its cases.
        messages: The prompt as training uses it.
        split: The row's own split.
    """

    problem: Problem
    messages: Sequence[Message]
    split: str


@dataclass(frozen=True, slots=True)
class Decoding:
    """How problems are decoded.

    Attributes:
        name: ``greedy`` or ``sampled``.
        num_samples: Episodes per problem.
        temperature: 0 for greedy.
        top_p: See ``Sampling``.
        top_k: See ``Sampling``.
    """

    name: str
    num_samples: int
    temperature: float
    top_p: float
    top_k: int


@dataclass(frozen=True, slots=True)
class EpisodeJob:
    """One episode to run."""

    row: EvaluationRow
    decoding: Decoding
    sample: int
    seed: int

    @property
    def key(self) -> EpisodeKey:
        return (self.decoding.name, self.row.split, self.row.problem.query_id, self.sample)


def draw_rows(rows: Sequence[EvaluationRow], max_problems: int | None, seed: int) -> list[EvaluationRow]:
    """At most ``max_problems`` rows of each split, the same for every model, in file order."""
    if max_problems is None:
        return list(rows)
    kept: list[int] = []
    for split in dict.fromkeys(row.split for row in rows):
        positions = [index for index, row in enumerate(rows) if row.split == split]
        kept += random.Random(f"{seed}:{split}").sample(positions, min(max_problems, len(positions)))
    return [rows[index] for index in sorted(kept)]


def plan_jobs(rows: Sequence[EvaluationRow], decodings: Sequence[Decoding], seed: int) -> list[EpisodeJob]:
    """Every episode of one model; the seed of each depends on nothing but its key and ``seed``."""
    return [
        EpisodeJob(row, decoding, sample, _episode_seed(seed, row, decoding.name, sample))
        for decoding in decodings
        for row in rows
        for sample in range(decoding.num_samples)
    ]


def finished_episodes(path: Path, settings: str) -> dict[EpisodeKey, dict[str, Any]]:
    """Records of episodes that need not run again; the latest of each, void ones left out.

    A last line cut by a kill is taken off the file, so that the next record starts on a line of its own.

    Raises:
        ValueError: When the file can't be read or was made with other settings.
    """
    if not path.exists():
        return {}
    drop_partial_line(path)
    finished: dict[EpisodeKey, dict[str, Any]] = {}
    for record in read_trajectories(path):
        if record.get("settings") != settings:
            raise ValueError(
                f"{path} holds episodes of another model, data or setting; give another output_dir, or "
                "resume=false to start over"
            )
        key = (record["decoding"], record["split"], record["query_id"], record["sample"])
        if record["facts"]["void"]:
            finished.pop(key, None)
        else:
            finished[key] = record
    return finished


async def run_jobs(
    jobs: Iterable[EpisodeJob],
    *,
    model_name: str,
    model: ServedModel,
    runner: EpisodeRunner,
    reward: RewardFunction,
    writer: TrajectoryWriter,
    settings: str,
    concurrency: int,
    bar: tqdm[Any],
) -> dict[EpisodeKey, dict[str, Any]]:
    """Runs episodes, at most ``concurrency`` at a time, and writes each as it ends.

    Returns:
        The records by key, void ones included.

    Raises:
        ModelUnavailable: When the model is gone; what ended before is written.
    """
    due = iter(list(jobs))
    records: dict[EpisodeKey, dict[str, Any]] = {}
    tally = _Tally()

    async def work() -> None:
        for job in due:
            policy = model.policy(_sampling(job))
            rollout = await runner.run(Episode(job.row.problem), job.row.messages, policy)
            problem, parts = job.row.problem, {}
            if not rollout.facts.void:
                parts = await reward.score(
                    rollout.facts,
                    source=problem.source,
                    answer=rollout.answer,
                    program=rollout.episode.final_program,
                    language=problem.language,
                )
            origin = EpisodeOrigin(run=model_name, split=job.row.split, step=None, sample=job.sample)
            record = {
                **trajectory_record(rollout, origin, parts),
                "decoding": job.decoding.name,
                "settings": settings,
            }
            writer.write(record)
            records[job.key] = record
            tally.add(record)
            bar.set_postfix_str(tally.text(), refresh=False)
            bar.update()

    workers = [asyncio.create_task(work()) for _ in range(concurrency)]
    try:
        await asyncio.gather(*workers)
    finally:
        for worker in workers:
            worker.cancel()
        await asyncio.gather(*workers, return_exceptions=True)
    return records


@dataclass(slots=True)
class _Tally:
    """What the progress bar shows."""

    counted: int = 0
    first: int = 0
    solved: int = 0
    void: int = 0

    def add(self, record: Mapping[str, Any]) -> None:
        facts = record["facts"]
        self.void += facts["void"]
        self.counted += not facts["void"]
        self.first += facts["first_solved_attempt"] == 1
        self.solved += facts["solved"]

    def text(self) -> str:
        shares = (
            f"first {self.first / self.counted:.0%}, solved {self.solved / self.counted:.0%}"
            if self.counted
            else ""
        )
        return ", ".join(part for part in (shares, f"{self.void} void" if self.void else "") if part)


def _sampling(job: EpisodeJob) -> Sampling:
    decoding = job.decoding
    return Sampling(decoding.temperature, decoding.top_p, decoding.top_k, job.seed)


def _episode_seed(seed: int, row: EvaluationRow, decoding: str, sample: int) -> int:
    text = f"{seed}:{decoding}:{row.split}:{row.problem.query_id}:{sample}"
    return zlib.crc32(text.encode()) & 0x3FFFFFFF  # room for the turn's index below 2**31
