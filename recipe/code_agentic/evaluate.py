"""Evaluates models on RL rows with training's own prompt, tools, loop and reward, and writes the report.

``python -m recipe.code_agentic.evaluate [--dry-run] 'models=[{name: base, path: DIR}]' [key=value ...]``;
what there is to set is in configs/evaluate.yaml. Writes ``<model>.trajectories.jsonl``, ``evaluation.json``,
``provenance.json`` and ``report.html`` to ``output_dir``; a run that was stopped goes on where it was. Owns
the wiring; episodes are ``evaluation_run``'s, numbers ``metrics``', the page ``report``'s.
"""

from __future__ import annotations

import asyncio
import itertools
import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hydra.utils import get_class
from omegaconf import DictConfig, OmegaConf
from tqdm import tqdm

if __name__ == "__main__":  # before what is imported below asks for it
    from verl_ext.cli import exit_without

    exit_without("pyarrow", "data")

from recipe.code_agentic import report
from recipe.code_agentic.checks import check_device, check_sandbox
from recipe.code_agentic.evaluation_inputs import ModelSpec, Plan, load_tokenizer, read_plan, settings_hash
from recipe.code_agentic.evaluation_run import EpisodeJob, finished_episodes, run_jobs
from recipe.code_agentic.metrics import compare_models, summarise_model
from verl_ext.agent_loop.chat import ChatFormat
from verl_ext.agent_loop.loop import EpisodeRunner, LoopLimits
from verl_ext.agent_loop.reward_function import RewardFunction
from verl_ext.agent_loop.trajectory import TrajectoryWriter
from verl_ext.agent_loop.vllm_policy import CompletionServer, EngineSettings, ServedModel, VllmEngine
from verl_ext.cli import compose, run_main, take_flag
from verl_ext.grading.cache_meter import CacheCounts, CacheMeter
from verl_ext.grading.grader import Grader
from verl_ext.grading.harness import Limits
from verl_ext.run_files import file_sha256, write_json, write_provenance
from verl_ext.sandbox.errors import SandboxError
from verl_ext.sandbox.protocol import Sandbox
from verl_ext.sandbox.session import open_sandbox
from verl_ext.tools.registry import load_schemas, load_tools

# (model, id of the token that ends a turn) -> the open model
OpenModel = Callable[[ModelSpec, int], AbstractAsyncContextManager[ServedModel]]


def main() -> None:
    """Checks, then evaluates and says where the report is."""
    dry_run, overrides = take_flag(sys.argv[1:], "--dry-run")
    config = compose("evaluate", overrides)
    if dry_run:
        plan = read_plan(config)
        _check_engine(config, plan, dry_run=True)
        check_sandbox(config.code_agentic.sandbox)
        print(OmegaConf.to_yaml(config, resolve=True))
        print(f"# {plan.size}")
        return
    print(f"report: {asyncio.run(evaluate(config))}", flush=True)


async def evaluate(
    config: DictConfig, open_model: OpenModel | None = None, sandbox: Sandbox | None = None
) -> Path:
    """Runs a whole evaluation.

    Args:
        config: configs/evaluate.yaml, composed.
        open_model: Opens a model; None means vLLM, here or by URL.
        sandbox: Where programs run; None means the configured one.

    Returns:
        Path of the HTML report.

    Raises:
        ValueError: For a mistake in the configuration or the data.
        ModelUnavailable: When a model can't be loaded or died.
        SandboxError: When the sandbox can't be reached or too many episodes were lost to it.
    """
    plan = read_plan(config)
    if open_model is None:
        _check_engine(config, plan, dry_run=False)
    output_dir = Path(config.output_dir)
    write_provenance(output_dir, config, plan.files)
    print(f"{plan.size}, results in {output_dir}", flush=True)
    records: dict[str, list[dict[str, Any]]] = {}
    cache: dict[str, CacheCounts] = {}
    settings = config.code_agentic.sandbox
    async with open_sandbox(settings) if sandbox is None else nullcontext(sandbox) as opened:
        limits = Limits(time_s=settings.time_limit_s, memory_limit_mb=settings.memory_limit_mb)
        grader = Grader(opened, limits, cache_size=settings.cache_size)
        meter = CacheMeter(grader)
        for spec in plan.specs:
            records[spec.name] = await _evaluate_model(
                config, spec, plan.jobs, grader, plan.reward, open_model or vllm_opener(config)
            )
            cache[spec.name] = counts = meter.take()
            if counts.hit_rate is not None:
                print(f"{spec.name}: {counts.misses} cases run, {counts.hit_rate:.0%} known", flush=True)
    result = {
        "schema": report.SCHEMA_VERSION,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "title": config.report.title,
        "seed": config.seed,
        "data": [{"path": str(file), "sha256": file_sha256(file)} for file in plan.files],
        "metrics": {entry.label: entry.path for entry in config.report.metrics},
        "decodings": [asdict(decoding) for decoding in plan.decodings],
        "models": [
            {
                **asdict(spec),
                "trajectories": trajectories_file(output_dir, spec).name,
                "cache": {**asdict(cache[spec.name]), "hit_rate": cache[spec.name].hit_rate},
                "summary": summarise_model(records[spec.name], seed=config.seed),
            }
            for spec in plan.specs
        ],
        "comparisons": [
            {
                "before": before.name,
                "after": after.name,
                "differences": compare_models(records[before.name], records[after.name], seed=config.seed),
            }
            for before, after in _pairs(plan.specs)
        ],
    }
    write_json(output_dir / "evaluation.json", result)
    return report.write_report(output_dir / "evaluation.json", max_episodes=config.report.max_episodes)


def _check_engine(config: DictConfig, plan: Plan, *, dry_run: bool) -> None:
    """Refuses a scale that does not fit this machine where a model is loaded here, not asked for by URL."""
    if any(spec.server_url is None for spec in plan.specs):
        gpus = config.engine.tensor_parallel
        check_device(config.scale.device, gpus, "engine.tensor_parallel", dry_run=dry_run)


async def _evaluate_model(
    config: DictConfig,
    spec: ModelSpec,
    jobs: Sequence[EpisodeJob],
    grader: Grader,
    reward: RewardFunction,
    open_model: OpenModel,
) -> list[dict[str, Any]]:
    """Records of one model's episodes, run or read back."""
    path = trajectories_file(Path(config.output_dir), spec)
    if not config.resume:
        path.unlink(missing_ok=True)
    settings = settings_hash(config, spec)
    done = finished_episodes(path, settings)
    due = [job for job in jobs if job.key not in done]
    if not due:
        print(f"{spec.name}: all {len(jobs)} episodes are there already", flush=True)
        return [done[job.key] for job in jobs]
    tools = load_tools(config.code_agentic.episode.tools, grader=grader)
    chat = ChatFormat(load_tokenizer(spec), load_schemas(config.code_agentic.episode.tools))
    episode = config.code_agentic.episode
    limits = LoopLimits(
        max_turns=episode.max_turns,
        max_calls_per_turn=episode.max_calls_per_turn,
        max_prompt_tokens=config.max_prompt_length,
        max_response_tokens=config.max_response_length,
        min_turn_tokens=episode.min_turn_tokens,
    )
    texts = get_class(episode.texts)(episode.style)
    runner = EpisodeRunner(chat, tools, grader, limits, texts, time_reference=episode.time_reference)
    print(f"{spec.name}: loading {spec.path}", flush=True)
    writer = TrajectoryWriter(path)
    try:
        async with open_model(spec, chat.stop_token_id) as model:
            for trial in ("", " (again)"):
                with tqdm(
                    total=len(jobs),
                    initial=len(jobs) - len(due),
                    desc=spec.name + trial,
                    unit="ep",
                    mininterval=1,
                ) as bar:
                    done |= await run_jobs(
                        due,
                        model_name=spec.name,
                        model=model,
                        runner=runner,
                        reward=reward,
                        writer=writer,
                        settings=settings,
                        concurrency=config.concurrency,
                        bar=bar,
                    )
                due = [job for job in due if done[job.key]["facts"]["void"]]
                if not due:
                    break
    finally:
        writer.close()
    if len(due) > config.code_agentic.sandbox.max_void_share * len(jobs):
        raise SandboxError(
            f"{len(due)} of {len(jobs)} episodes of {spec.name} were lost to sandbox failures, the last with "
            f"{done[due[-1].key]['failure']!r}; no result is written; the same command tries only those "
            "again (limit: code_agentic.sandbox.max_void_share)"
        )
    return [done[job.key] for job in jobs]


def vllm_opener(config: DictConfig) -> OpenModel:
    """Opens models in vLLM: in this process's engine, or on the server the model names."""
    engine = EngineSettings(
        dtype=config.engine.dtype,
        max_model_tokens=config.max_prompt_length + config.max_response_length,
        max_num_seqs=config.engine.max_num_seqs,
        tensor_parallel_size=config.engine.tensor_parallel,
        gpu_memory_utilization=config.engine.gpu_memory_utilization,
        cpu_kv_cache_gib=config.engine.cpu_kv_cache_gib,
        cpu_threads=config.engine.cpu_threads,
        enforce_eager=config.engine.enforce_eager,
    )

    def open_model(spec: ModelSpec, stop_token_id: int) -> VllmEngine | CompletionServer:
        if spec.server_url is None:
            return VllmEngine(spec.path, engine, stop_token_id=stop_token_id, seed=config.seed)
        return CompletionServer(
            spec.server_url,
            spec.served_name or spec.name,
            stop_token_id=stop_token_id,
            request_timeout_s=config.server.request_timeout_s,
            max_retries=config.server.max_retries,
        )

    return open_model


def trajectories_file(output_dir: Path, spec: ModelSpec) -> Path:
    """Where one model's episodes are kept."""
    return output_dir / f"{spec.name}.trajectories.jsonl"


def _pairs(specs: Sequence[ModelSpec]) -> list[tuple[ModelSpec, ModelSpec]]:
    """Each model with the next, and the first with the last."""
    pairs = list(itertools.pairwise(specs))
    return [*pairs, (specs[0], specs[-1])] if len(specs) > 2 else pairs


if __name__ == "__main__":
    run_main(main, __doc__)
