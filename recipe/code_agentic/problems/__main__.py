"""Writes generated problems as JSON lines in the user's own record format.

``python -m recipe.code_agentic.problems --num 500 --seed 1 --output problems.jsonl``. The format is the
project's first-class one (prompt, question, query_id, input_output), with what the problem set knows beyond
it in optional columns, so that reading the file gives the same problems.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from tqdm import tqdm

from recipe.code_agentic.problems.generate import MIN_CASES, generate_problems
from verl_ext.cli import HelpFormatter
from verl_ext.grading.problem import Problem


def user_record(problem: Problem) -> dict[str, Any]:
    """The problem as a row of the user's own format.

    ``call`` cases carry JSON texts (list of arguments, returned value), which no reader can take for a
    wrapped value. The public cases are the first ``num_public`` ones.
    """
    input_output: dict[str, Any] = {
        "inputs": [case.input for case in problem.cases],
        "outputs": [case.expected for case in problem.cases],
        "remote": False,
    }
    if problem.fn_name is not None:
        input_output["fn_name"] = problem.fn_name
    return {
        "prompt": problem.system_prompt or "",
        "question": problem.question,
        "query_id": problem.query_id,
        "input_output": input_output,
        "difficulty": problem.difficulty,
        "family": problem.family,
        "reference": problem.reference,
        "fn_name": problem.fn_name,
        "starter_code": problem.starter_code,
        "verdict_only": problem.verdict_only,
        "num_public": len(problem.public_cases),
    }


def main(arguments: list[str] | None = None) -> int:
    """Runs the command line; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m recipe.code_agentic.problems", description=__doc__, formatter_class=HelpFormatter
    )
    parser.add_argument("--num", type=int, default=None, help="how many problems (default: all there are)")
    parser.add_argument("--seed", type=int, default=0, help="chooses order, variations, inputs and wordings")
    parser.add_argument("--num-cases", type=int, default=8, help=f"cases per problem, at least {MIN_CASES}")
    parser.add_argument("--num-public", type=int, default=2, help="how many of them the tool may show")
    parser.add_argument("--output", type=Path, required=True, help="file to write, JSON lines")
    options = parser.parse_args(arguments)
    if options.output.is_dir():
        return _refuse(f"--output {options.output} is a folder: name the file to write")
    if options.num is not None and options.num < 1:
        return _refuse(f"--num {options.num}: must be at least 1")
    problems = generate_problems(
        options.num, seed=options.seed, num_cases=options.num_cases, num_public=options.num_public
    )
    partial = options.output.with_name(f"{options.output.name}.partial")
    count = 0
    try:
        with partial.open("w", encoding="utf-8") as lines:
            for problem in tqdm(problems, total=options.num, unit="problem", disable=None):
                lines.write(json.dumps(user_record(problem), ensure_ascii=False) + "\n")
                count += 1
        partial.replace(options.output)
    except (OSError, ValueError) as error:
        partial.unlink(missing_ok=True)
        return _refuse(f"{options.output}: {error}")
    print(f"{count} problems written to {options.output}")
    return 0


def _refuse(line: str) -> int:
    print(f"error: {line}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
