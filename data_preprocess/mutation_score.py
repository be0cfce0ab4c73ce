"""How many injected bugs the cases of problems catch, and how many more with generated cases.

``python -m data_preprocess.mutation_score [FILE] [key=value ...]``: FILE holds records of any known format or
is an RL file that ``preprocess.py`` wrote; without it the project's own problems are scored. With
``generate.max_cases=8`` cases are generated first and the score is given before and after;
``problems_output=FILE`` keeps the problems with these cases. ``configs/mutation_score.yaml`` explains the
keys.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

from omegaconf import DictConfig

from verl_ext.cli import exit_without

if __name__ == "__main__":  # before what is imported below asks for it
    exit_without("pyarrow", "data")

from data_preprocess.case_overlap import look_at
from data_preprocess.case_stage import CaseStage, case_lines
from data_preprocess.failed_programs import read_failed_programs, repairs_by_problem
from data_preprocess.parallel_reading import read_problems
from data_preprocess.sandbox_session import SandboxOnDemand
from data_preprocess.settings import Settings, read_settings
from data_preprocess.splits import own_problems
from data_preprocess.verification import Verification, Verified
from verl_ext.cli import compose, run_main, warn
from verl_ext.config_values import TEXT, check_values, or_else, whole
from verl_ext.grading.grader import Grader
from verl_ext.grading.problem import Problem
from verl_ext.run_files import write_json

_CHUNK = 256
_RULES = {
    "num_problems": or_else(whole(1), None),
    "report": or_else(TEXT, None),
    "problems_output": or_else(TEXT, None),
    "survivors_shown": whole(0),
}


def main() -> None:
    """Composes the config, runs and prints."""
    arguments = sys.argv[1:]
    if arguments and "=" not in arguments[0] and not arguments[0].startswith("-"):
        # Quoted, so that a comma or a blank in a name is no list to Hydra.
        arguments = [f"input={json.dumps(arguments[0])}", *arguments[1:]]
    config = compose("mutation_score", arguments)
    settings = read_settings(config)
    if settings.generate.max_cases:
        exit_without("hypothesis", "data")
    check_values(config, _RULES)
    if not settings.max_mutants:
        raise ValueError("mutation_score.max_mutants=0: nothing would be scored")
    asyncio.run(_run(settings, config))


async def _run(settings: Settings, config: DictConfig) -> None:
    num_problems = config.num_problems
    problems = list(_problems(settings))
    if num_problems is not None and num_problems < len(problems):
        chosen = Random(f"score:{settings.seed}").sample(range(len(problems)), num_problems)
        problems = [problems[index] for index in sorted(chosen)]
    if not problems:
        raise ValueError("there is no problem to score")
    witnesses = repairs_by_problem(read_failed_programs(settings.failed_programs)[0])
    verification = Verification(settings.verify_solutions)
    extended: list[Problem] = []
    async with SandboxOnDemand(settings) as sandbox:
        stage = CaseStage(settings, sandbox)
        grader = Grader(await sandbox.get(), settings.limits, cache_size=0)
        for start in range(0, len(problems), _CHUNK):
            chunk = [stage.overlap.distinct(problem) for problem in problems[start : start + _CHUNK]]
            verified: list[Verified] = await verification.check(
                grader, chunk, max_parallel=settings.num_parallel
            )
            extended += await stage.extend(verified, witnesses)
    for problem in extended:
        stage.overlap.add(problem.query_id, look_at(problem), "all")
    verification.finish()
    stage.finish()
    result = {**stage.to_dict(), "verification": verification.to_dict()}
    _write(config, result, extended)
    _say(result, len(problems), config.survivors_shown)


def _problems(settings: Settings) -> Iterator[Problem]:
    if not settings.inputs:
        owned = own_problems(
            settings.problem_set, settings.splits, public=settings.read.public, seed=settings.seed
        )
        yield from (problem for _, problem in owned)
        return
    num_rejects = 0
    for path in settings.inputs:
        for item in read_problems([path], settings.read):
            if isinstance(item, Problem):
                yield item
            else:
                num_rejects += 1
                if num_rejects == 1:
                    warn(f"rejected rows are left out; the first: {item}")


def _write(config: DictConfig, result: dict[str, Any], problems: list[Problem]) -> None:
    if config.report is not None:
        write_json(Path(str(config.report)), result)
    if config.problems_output is not None:
        path = Path(str(config.problems_output))
        partial = path.with_name(path.name + ".partial")
        partial.write_text("".join(f"{problem.to_json()}\n" for problem in problems), encoding="utf-8")
        partial.replace(path)


def _say(result: dict[str, Any], num_problems: int, survivors_shown: int) -> None:
    verification, score = result["verification"], result["mutation_score"]
    print(
        f"problems: {num_problems}, with a reference {verification['references']}, "
        f"of which fail {verification['references'] - verification['passed']}"
    )
    for line in case_lines(result):
        print(line)
    width = max(map(len, score["by_kind"]), default=4)
    print(f"{'kind':{width}}  bugs  caught" + ("  with generated" if result["generation"] else ""))
    for kind, counts in score["by_kind"].items():
        after = f"  {counts['caught_after']:14}" if result["generation"] else ""
        print(f"{kind:{width}}  {counts['mutants']:4}  {counts['caught_before']:6}{after}")
    survivors = score["survivors"]
    if survivors_shown and survivors["count"]:
        shown = survivors["first"][:survivors_shown]
        print(f"survivors ({len(shown)} of {survivors['count']}; {score['note']}):")
        for survivor in shown:
            print("  {query_id} [{kind}] {line!r} -> {became!r}".format(**survivor))


if __name__ == "__main__":
    run_main(main, __doc__)
