"""Raw problems -> tasks for the reward and the trainers, one JSON line each.

    python -m recipe.deepcoder.transform [RAW] OUTPUT [--style full|brief] [--verify] [--problems]

A raw record is ``{name, question, tests: [{input, output}], fn_name, starter_code, solution}``, where a test
of a function is text in whatever form its source used (``target_arguments`` has the rules); the last three
may be missing. A task is ``{name, prompt, ground_truth, target_function, signature}``: messages, and the JSON
text of test cases whose arguments are lists and whose outputs are values. ``--problems`` writes what
``preprocess.py`` reads (``format=problems``) instead, for the parquet files of verl. Without RAW the recipe's
own problems are taken. One record that can't be used refuses the whole file: all of them are named, and
nothing is written.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from recipe.deepcoder.case_reading import read_cases
from recipe.deepcoder.json_lines import numbered_lines, parse_line
from recipe.deepcoder.prompts import STYLES, answer_text, build_messages
from recipe.deepcoder.reward import deepcoder_code_reward
from recipe.deepcoder.target_arguments import defined_functions, find_signature
from verl_ext.cli import HelpFormatter, run_main
from verl_ext.grading.compare import parse_json, parse_value
from verl_ext.grading.harness import check_case
from verl_ext.grading.problem import Case, Problem

RAW = Path(__file__).with_name("problems") / "raw.jsonl"
TRANSFORMED = Path(__file__).with_name("problems") / "transformed.jsonl"
_MAX_FAULTS_SHOWN = 20
_TEXTS = ("name", "question", "fn_name", "starter_code", "solution")


def read_raw(path: Path) -> tuple[list[Problem], list[str]]:
    """The problems of a raw file, and of each other record one line: file, line number, why.

    Raises:
        OSError: When it can't be read.
    """
    problems: list[Problem] = []
    faults: list[str] = []
    lines_of_names: dict[str, int] = {}
    for number, line in numbered_lines(path):
        try:
            problem = problem_of(parse_line(line))
            problem.to_json()  # refuses half a surrogate pair, which can't be written
            first = lines_of_names.setdefault(problem.query_id, number)
            if first != number:
                raise ValueError(f"name {problem.query_id!r} is that of line {first} too")
            problems.append(problem)
        except ValueError as error:
            faults.append(f"{path} line {number}: {error}")
    return problems, faults


def problem_of(record: Mapping[str, Any]) -> Problem:
    """One raw record as a problem.

    Raises:
        ValueError: When a field is missing or of another type, a test can't be read, or no program could
            pass: starter code and solution define other functions only, or the header can't take a test's
            arguments.
    """
    if not isinstance(record, Mapping):
        raise ValueError("a raw record must be an object")
    for name in _TEXTS:
        if not isinstance(record.get(name) or "", str):
            raise ValueError(f"{name} must be text")
    if not record.get("name"):
        raise ValueError("name is missing or empty")
    starter, solution = record.get("starter_code") or "", record.get("solution") or ""
    case_set = read_cases(record.get("tests"), record.get("fn_name") or None)
    header = _header(starter, case_set.fn_name)
    if case_set.fn_name and not (header or _header(solution, case_set.fn_name)):
        check_case(Case("[]", "null", case_set.fn_name))
        if others := defined_functions(starter):
            raise ValueError(
                f"starter_code defines {', '.join(others)}, but the tests call {case_set.fn_name}: "
                "give it the header of that function too"
            )
    # Where there is no header, the solution's says how texts are meant.
    cases = case_set.cases(solution, header)
    if case_set.fn_name:
        _check_calls(cases, header or solution, case_set.fn_name)
    return Problem(
        query_id=record["name"],
        question=record.get("question") or "",
        cases=cases,
        starter_code=starter,
        reference=solution or None,
        source="deepcoder",
    )


def task_row(problem: Problem, style: str) -> dict[str, Any]:
    """The task of one problem."""
    read = parse_json if problem.fn_name else str
    cases = [{"input": read(case.input), "output": read(case.expected)} for case in problem.cases]
    return {
        "name": problem.query_id,
        "prompt": build_messages(problem, style),
        # Text, because a column of a data set holds values of one type.
        "ground_truth": json.dumps(cases, ensure_ascii=False),
        "target_function": problem.fn_name,
        "signature": _header(problem.starter_code, problem.fn_name),
    }


def _header(starter: str, fn_name: str | None) -> str | None:
    """The starter code where it has the function's header; it may be a comment or an import as well."""
    return starter if fn_name and find_signature(starter, fn_name) else None


def _check_calls(cases: Sequence[Case], source: str, fn_name: str) -> None:
    """Refuses a case that can't be graded, or, where the header is known, that the function can't take.

    Raises:
        ValueError: For the first.
    """
    signature = find_signature(source, fn_name)
    for index, case in enumerate(cases):
        check_case(case)
        if signature and not signature.takes(num_arguments := len(parse_value(case.input))):
            raise ValueError(
                f"test case {index}: {fn_name} takes {signature.count_text}, but the input is read as "
                f"{num_arguments}: {case.input:.80}"
            )


def failing_reference(problem: Problem) -> str | None:
    """Why the problem's own solution does not earn 1.0; None when it does, or when there is none.

    Raises:
        SandboxError: When our side failed.
    """
    if problem.reference is None:
        return None
    row = task_row(problem, "full")
    reward = deepcoder_code_reward(
        answer_text(problem.reference, problem.language),
        row["ground_truth"],
        target_function=row["target_function"],
        signature=row["signature"],
        max_cases=None,
    )
    return None if reward.score == 1.0 else reward.reason


def main() -> None:
    """Reads, checks and writes.

    Raises:
        OSError: When a file can't be read or written.
        ValueError: When a record can't be used, or a solution fails its own tests.
    """
    parser = argparse.ArgumentParser(
        prog="python -m recipe.deepcoder.transform",
        description=__doc__,
        formatter_class=HelpFormatter,
    )
    parser.add_argument("raw", type=Path, nargs="?", default=RAW, help="raw problems")
    parser.add_argument("output", type=Path, help="file to write, JSON lines")
    parser.add_argument("--style", choices=STYLES, default="full", help="wording of the prompts")
    parser.add_argument("--verify", action="store_true", help="run every solution on its own tests first")
    parser.add_argument("--problems", action="store_true", help="write problems for preprocess.py instead")
    options = parser.parse_args()
    problems, faults = read_raw(options.raw)
    if faults:
        print("\n".join(faults[:_MAX_FAULTS_SHOWN]), file=sys.stderr)
        shown = f" (the first {_MAX_FAULTS_SHOWN} are shown)" if len(faults) > _MAX_FAULTS_SHOWN else ""
        raise ValueError(
            f"{options.raw}: records that can't be used: {len(faults)}{shown}; nothing is written"
        )
    if not problems:
        raise ValueError(f"{options.raw}: no problem in it")
    if options.verify:
        failing = {problem.query_id: failing_reference(problem) for problem in problems}
        if wrong := [f"{name} ({why})" for name, why in failing.items() if why]:
            raise ValueError(f"{len(wrong)} solutions fail their own tests: {', '.join(wrong)}")
    lines = (
        problem.to_json()
        if options.problems
        else json.dumps(task_row(problem, options.style), ensure_ascii=False)
        for problem in problems
    )
    partial = options.output.with_name(f"{options.output.name}.partial")
    partial.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    partial.replace(options.output)
    print(f"{len(problems)} problems written to {options.output}")


if __name__ == "__main__":
    run_main(main)
