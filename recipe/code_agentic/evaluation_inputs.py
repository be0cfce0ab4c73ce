"""What an evaluation is given: models, problems, reward, decoding, and a fingerprint of all that matters.

Owns the checks of user input before anything is started. Runs nothing.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from omegaconf import DictConfig, OmegaConf

from recipe.code_agentic import value_rules
from recipe.code_agentic.checks import check_episode, load_reward
from recipe.code_agentic.data_checks import check_style, data_files
from recipe.code_agentic.evaluation_run import (
    GREEDY,
    SAMPLED,
    Decoding,
    EpisodeJob,
    EvaluationRow,
    draw_rows,
    plan_jobs,
)
from verl_ext.agent_loop.reward_function import RewardFunction
from verl_ext.config_values import check_values
from verl_ext.grading.problem import Problem
from verl_ext.model_path import check_positions, local_model
from verl_ext.run_files import file_sha256

# What changes the numbers an engine computes; the others change its speed.
_ENGINE_KEYS = ("dtype", "tensor_parallel", "enforce_eager")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """One model to evaluate.

    Attributes:
        name: Name in the report and of the trajectory file.
        path: Hugging Face folder or hub name.
        server_url: Server that has it loaded; None loads it here.
        served_name: Name the server knows it by.
    """

    name: str
    path: str
    server_url: str | None = None
    served_name: str | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """An evaluation whose configuration and data have been checked.

    Attributes:
        specs: The models, in the order of the report.
        files: The RL files.
        decodings: How problems are decoded.
        jobs: Every episode of one model.
        reward: The reward of every episode.
        size: In words.
    """

    specs: list[ModelSpec]
    files: list[Path]
    decodings: list[Decoding]
    jobs: list[EpisodeJob]
    reward: RewardFunction
    size: str


def read_plan(config: DictConfig) -> Plan:
    """Checks and reads all that an evaluation needs but models and sandbox.

    Raises:
        ValueError: For the first mistake.
    """
    check_values(config, value_rules.EVALUATE)
    specs = read_models(config)
    decodings = read_decodings(config)
    files = data_files(config, "data_files")
    check_style(config, files)
    check_episode(config)
    reward = load_reward(config)
    rows = draw_rows(read_rows(files, config.splits), config.max_problems, config.seed)
    jobs = plan_jobs(rows, decodings, config.seed)
    size = f"{len(rows)} problems, {len(jobs)} episodes per model"
    return Plan(specs, files, decodings, jobs, reward, size)


def load_tokenizer(spec: ModelSpec) -> Any:
    """The model's own tokenizer.

    Raises:
        ValueError: When there is none, in one line.
    """
    from transformers import AutoTokenizer

    try:
        return AutoTokenizer.from_pretrained(spec.path)
    except (OSError, ValueError) as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise ValueError(f"model {spec.name}: no tokenizer at {spec.path}: {reason}") from error


def read_models(config: DictConfig) -> list[ModelSpec]:
    """The models of the configuration, checked before anything is started.

    Raises:
        ValueError: When there is none, a key is unknown, a name is taken twice, or a folder holds no model.
    """
    specs: list[ModelSpec] = []
    for index, entry in enumerate(config.models):
        try:
            spec = ModelSpec(**entry)
        except TypeError as error:
            raise ValueError(
                f"models[{index}]={entry}: give name and path, and for a served model server_url and "
                "served_name"
            ) from error
        if not _NAME.fullmatch(str(spec.name)) or spec.name in [other.name for other in specs]:
            raise ValueError(
                f"models[{index}].name={spec.name}: must be unique and of letters, digits, '.', '_' and '-'"
            )
        folder = local_model(str(spec.path), f"models[{index}].path")
        longest = config.max_prompt_length + config.max_response_length
        check_positions(folder, longest, "max_prompt_length + max_response_length")
        specs.append(replace(spec, path=str(folder or spec.path)))
    if not specs:
        raise ValueError("models is empty: give models=[{name: base, path: FOLDER}]")
    return specs


def read_decodings(config: DictConfig) -> list[Decoding]:
    """The ways to decode.

    Raises:
        ValueError: When there is none.
    """
    if not config.decoding:
        raise ValueError("decoding is empty: give greedy, sampled or both")
    of = {
        GREEDY: Decoding(GREEDY, 1, 0.0, 1.0, -1),
        SAMPLED: Decoding(SAMPLED, config.num_samples, config.temperature, config.top_p, config.top_k),
    }
    return [of[name] for name in config.decoding]


def read_rows(files: Sequence[Path], splits: Sequence[str] | None) -> list[EvaluationRow]:
    """Problems of RL parquet files.

    Raises:
        ValueError: When a file or row can't be read, a problem stands twice in a split, or none is left.
    """
    rows: dict[tuple[str, str], EvaluationRow] = {}
    for file in files:
        try:
            table = pq.read_table(file, columns=["prompt", "reward_model", "extra_info"])
        except (pa.ArrowException, KeyError) as error:
            raise ValueError(f"{file}: not a readable RL file: {str(error).splitlines()[0]}") from error
        for number, values in enumerate(table.to_pylist(), start=1):
            try:
                row = EvaluationRow(
                    Problem.from_json(values["reward_model"]["ground_truth"]),
                    json.loads(values["prompt"]),
                    values["extra_info"]["split"],
                )
            except (TypeError, KeyError, ValueError) as error:
                raise ValueError(f"{file}: row {number}: not an RL row: {error}") from error
            key = (row.split, row.problem.query_id)
            if key in rows:
                raise ValueError(f"{file}: row {number}: {key[1]} is in split {key[0]} twice")
            rows[key] = row
    present = sorted({split for split, _ in rows})
    if missing := [split for split in splits or () if split not in present]:
        raise ValueError(f"splits={list(splits or ())}: no rows of {missing}; the files hold {present}")
    kept = [row for row in rows.values() if splits is None or row.split in splits]
    if not kept:
        raise ValueError(f"no problems in {', '.join(map(str, files))}")
    return kept


def settings_hash(config: DictConfig, spec: ModelSpec) -> str:
    """A short hash of what the outcome of an episode depends on; episodes with another are not reused."""
    sandbox = config.code_agentic.sandbox
    episode = OmegaConf.to_container(config.code_agentic.episode, resolve=True)
    assert isinstance(episode, dict)
    settings = {
        "model": _model_fingerprint(spec),
        "data": [file_sha256(file) for file in data_files(config, "data_files")],
        "tools": file_sha256(Path(config.code_agentic.episode.tools)),
        "episode": {key: value for key, value in episode.items() if key != "tools"},
        "reward": _reward_fingerprint(config),
        "engine": None if spec.server_url else [config.engine[key] for key in _ENGINE_KEYS],
        "limits": [sandbox.time_limit_s, sandbox.memory_limit_mb],
        **{
            key: config[key]
            for key in ("temperature", "top_p", "top_k", "seed", "max_prompt_length", "max_response_length")
        },
    }
    return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:16]


def _reward_fingerprint(config: DictConfig) -> dict[str, Any]:
    """Function, weights and, where it is in a file of its own, the file's hash."""
    reward = OmegaConf.to_container(config.reward.custom_reward_function, resolve=True)
    file = Path(str(config.reward.custom_reward_function.path).removeprefix("file://"))
    return {"function": reward, "file": file_sha256(file) if file.is_file() else None}


def _model_fingerprint(spec: ModelSpec) -> dict[str, Any]:
    """Changes when the folder's files do; reading gigabytes of weights to hash them would take minutes."""
    folder = Path(spec.path)
    files = sorted(file for file in folder.iterdir() if file.is_file()) if folder.is_dir() else []
    return {**asdict(spec), "files": [(file.name, *_stamp(file)) for file in files]}


def _stamp(file: Path) -> tuple[int, int]:
    stat = file.stat()
    return stat.st_size, stat.st_mtime_ns
