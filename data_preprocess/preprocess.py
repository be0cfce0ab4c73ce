"""Records of any known format, or the project's own problems -> problems -> RL and SFT parquet files.

``python data_preprocess/preprocess.py [data=own|quickstart|leetcode_debugbench|user] [key=value ...]``;
``configs/preprocess.yaml`` explains every key. Thin wiring: reading is in ``formats``, splits in ``splits``,
running in ``wrong_programs``, conversations in ``sft_rows``, files in ``parquet_files``.
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

from tqdm import tqdm

if __package__ in (None, ""):  # run as a file: Python then looks beside it, not in the checkout
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
    sys.path.remove(str(Path(__file__).resolve().parent))

from data_preprocess.bugs import ProgramPool
from data_preprocess.debugbench import read_debugbench
from data_preprocess.formats import read_problems
from data_preprocess.in_order import run_in_order
from data_preprocess.manifest import make_manifest
from data_preprocess.parquet_files import MANIFEST, OutputFolder, rl_row
from data_preprocess.rows import Reject
from data_preprocess.settings import Settings, plain_config, read_settings
from data_preprocess.sft_rows import ConversationWriter
from data_preprocess.splits import TRAIN, VAL, SplitProblem, chunks, own_problems, split_chunk
from data_preprocess.wrong_programs import verify_reference
from verl_ext.cli import compose, run_main
from verl_ext.grading.grader import Grader
from verl_ext.grading.problem import Problem
from verl_ext.sandbox.client import HttpSandbox
from verl_ext.sandbox.embedded import serve
from verl_ext.sandbox.errors import SandboxUnreachable
from verl_ext.sandbox.protocol import Sandbox
from verl_ext.tools.registry import load_schemas, load_tools

_CHUNK = 512
_SHOWN_REJECTS = 5
_CACHE_SIZE = 500_000


def main() -> None:
    """Composes the config and runs."""
    if {"-h", "--help"} & set(sys.argv[1:]):
        print(__doc__)
        return
    config = compose("preprocess", sys.argv[1:])
    asyncio.run(preprocess(read_settings(config), plain_config(config)))


async def preprocess(settings: Settings, config: object) -> None:
    """One run from input to published files.

    Raises:
        OSError: When an input can't be read.
        ValueError: When an input is no known format, nothing is left, or ``strict`` and rows were rejected.
        SandboxError: When the sandbox can't be reached or failed for good.
    """
    started = time.perf_counter()
    real_bugs, rejects = read_debugbench(settings.debugbench) if settings.debugbench else ({}, [])
    load_schemas(settings.tools)
    splits: Counter[str] = Counter()
    failures: list[dict[str, Any]] = []
    num_verified = 0
    kept: dict[str, list[Problem]] = {TRAIN: [], VAL: []}
    without_reference = 0
    sandbox_context = open_sandbox(settings) if settings.needs_sandbox else nullcontext(None)
    with OutputFolder(settings.output_dir) as output:
        async with sandbox_context as sandbox:
            for chunk in _chunks(settings, rejects):
                failed: set[str] = set()
                if settings.verify and sandbox is not None:
                    having = [problem for _, problem in chunk if problem.reference is not None]
                    found = await _verify(Grader(sandbox, settings.limits, cache_size=0), having, settings)
                    failures += found
                    num_verified += len(having)
                    failed = {failure["query_id"] for failure in found} if settings.drop_unverified else set()
                for split, problem in chunk:
                    if problem.query_id in failed:
                        continue
                    stem = f"rl_{split if split in (TRAIN, VAL) else 'test'}"
                    output.add(stem, rl_row(problem, split, splits[split], settings.style))
                    splits[split] += 1
                    if split in kept and problem.reference is not None:
                        kept[split].append(problem)
                    without_reference += split in kept and problem.reference is None
            _check_rejects(settings, rejects, sum(splits.values()))
            sft = None
            if sandbox is not None and settings.num_conversations + settings.num_val_conversations:
                limits = replace(settings.limits, time_s=settings.bugs.time_limit_s)
                # One case at a time, so that nothing runs after the first that fails.
                grader = Grader(sandbox, limits, cache_size=_CACHE_SIZE, max_parallel=1)
                tools = load_tools(settings.tools, grader=grader)
                tools_json = json.dumps(load_schemas(settings.tools), ensure_ascii=False)
                pool = ProgramPool(kept[TRAIN])
                writer = ConversationWriter(settings, pool, real_bugs, grader, tools[0], tools_json)
                await writer.write(TRAIN, kept[TRAIN], settings.num_conversations, output)
                await writer.write(VAL, kept[VAL], settings.num_val_conversations, output)
                writer.statistics.without_reference = without_reference
                sft = writer.statistics.to_dict()
                print(f"programs run: {grader.misses} (known already: {grader.hits})")
        output.finish_rows()
        verification = _verification(num_verified, failures) if settings.verify else None
        manifest = make_manifest(settings, config, output, splits, rejects, verification, sft)
        output.publish(manifest)
    _say(settings, manifest, time.perf_counter() - started)


@asynccontextmanager
async def open_sandbox(settings: Settings) -> AsyncIterator[Sandbox]:
    """The configured service, else an embedded one for the length of the block; it has answered a ping.

    Raises:
        SandboxError: When it does not answer or does not start.
    """
    if settings.endpoint is not None:
        async with HttpSandbox(settings.endpoint, max_concurrency=settings.max_concurrency) as sandbox:
            await sandbox.ping()
            yield sandbox
        return
    arguments = [] if settings.num_workers is None else ["--num-workers", str(settings.num_workers)]
    with tempfile.TemporaryFile() as log:
        try:
            server = serve(arguments, log=log)
            endpoint = server.__enter__().endpoint
        except SandboxUnreachable as error:
            log.seek(0)
            said = log.read().decode(errors="replace").strip().splitlines()
            raise SandboxUnreachable(f"{error}: {said[-1] if said else 'no reason given'}") from error
        try:
            async with HttpSandbox(endpoint, max_concurrency=settings.max_concurrency) as sandbox:
                await sandbox.ping()
                yield sandbox
        finally:
            server.__exit__(None, None, None)


def _chunks(settings: Settings, rejects: list[Reject]) -> Iterator[list[SplitProblem]]:
    """Problems with their splits, some at a time; rejected rows are added to ``rejects``."""
    if not settings.inputs:
        owned = own_problems(
            settings.problem_set, settings.splits, first_k=settings.read.first_k, seed=settings.seed
        )
        yield from (owned[start : start + _CHUNK] for start in range(0, len(owned), _CHUNK))
        return

    def accepted() -> Iterator[Problem]:
        for item in read_problems(settings.inputs, settings.read):
            if isinstance(item, Reject):
                rejects.append(item)
            else:
                yield item

    for chunk in chunks(accepted(), _CHUNK):
        yield split_chunk(chunk, settings.splits, seed=settings.seed)


async def _verify(grader: Grader, problems: list[Problem], settings: Settings) -> list[dict[str, Any]]:
    async def verify(problem: Problem) -> dict[str, Any] | None:
        return await verify_reference(grader, problem)

    with tqdm(total=len(problems), desc="references", unit="problem", mininterval=1) as progress:
        results = run_in_order(problems, verify, max_parallel=settings.num_parallel, progress=progress)
        return [failure async for failure in results if failure is not None]


def _verification(num_verified: int, failures: list[dict[str, Any]]) -> dict[str, Any]:
    passed = num_verified - len(failures)
    return {
        "references": num_verified,
        "passed": passed,
        "share": round(passed / num_verified, 4) if num_verified else None,
        "failed_by_verdict": dict(sorted(Counter(failure["verdict"] for failure in failures).items())),
        "failures": failures,
    }


def _check_rejects(settings: Settings, rejects: list[Reject], num_problems: int) -> None:
    first = f"; the first: {rejects[0]}" if rejects else ""
    if not num_problems:
        raise ValueError(f"no problem is left, {len(rejects)} rows were rejected{first}")
    if settings.strict and rejects:
        raise ValueError(f"strict=true and {len(rejects)} rows were rejected{first}")


def _say(settings: Settings, manifest: dict[str, Any], seconds: float) -> None:
    files = ", ".join(
        f"{name.removesuffix('.parquet')} {entry['rows']}" for name, entry in manifest["files"].items()
    )
    print(f"wrote {settings.output_dir}: {files} rows in {seconds:.0f} s")
    verification = manifest["verification"]
    if verification and verification["references"]:
        print(
            f"references that pass all their cases: {verification['passed']} of {verification['references']} "
            f"({verification['share']:.1%})"
        )
    if manifest["num_rejects"]:
        print(f"rejected rows: {manifest['num_rejects']} (all of them in {settings.output_dir / MANIFEST})")
        for reject in manifest["rejects"][:_SHOWN_REJECTS]:
            print(f"  {Reject(**reject)}")
    for name, entry in manifest["files"].items():
        if not entry["rows"]:
            print(f"note: {name} has no rows")


if __name__ == "__main__":
    run_main(main)
