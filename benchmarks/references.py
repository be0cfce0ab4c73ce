"""What docs/RESULTS.md quotes: how many references of real data sets pass by their tests and by our grader.

    python benchmarks/references.py ../shared/data [--only mbjsp mbcpp] [--sample N] [--output FILE.json]

Every reference is run twice in the embedded sandbox: as the data set means it, with its test program behind
it in one file, and by our grader on the cases that preprocessing makes of that test program. Of those that
are right by the first, the share that passes by the second is the figure; every other one is listed.
DebugBench's references are its mended programs, with the tests of the LeetCode problem of the same name.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

if __package__ in (None, ""):  # run as a file: Python then looks beside it, not in the checkout
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from data_preprocess.case_policy import PublicPolicy
from data_preprocess.failed_programs import read_failed_programs
from data_preprocess.formats.mbxp import whole_program
from data_preprocess.in_order import run_in_order
from data_preprocess.reading import ReadOptions, chosen_format, read_row
from data_preprocess.rows import Reject, Row, read_rows
from verl_ext.cli import HelpFormatter
from verl_ext.grading.grader import Grader
from verl_ext.grading.harness import Limits
from verl_ext.grading.problem import Problem
from verl_ext.sandbox.client import HttpSandbox
from verl_ext.sandbox.embedded import serve
from verl_ext.sandbox.protocol import RunRequest, Sandbox, StageStatus

LEETCODE = ("leetcode_v0.2.0_train.jsonl.gz", "leetcode_v0.2.0_test.jsonl.gz")
FILES = {
    "LeetCode": LEETCODE,
    "DebugBench": LEETCODE,
    "MBPP": ("mbpp.jsonl.gz",),
    "MBPP seeds": ("mbpp_seed_gpt35.jsonl.gz",),
    "mbjsp": ("mbjsp.jsonl.gz",),
    "mbcpp": ("mbcpp.jsonl.gz",),
}
# The comparison of lodash's isEqual on plain data, so that the tests of mbjsp run where lodash is not.
LODASH = """const same = (a, b) => {
  if (a === b || (a !== a && b !== b)) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || !a || !b) return false;
  if (Object.getPrototypeOf(a) !== Object.getPrototypeOf(b)) return false;
  if (a instanceof Set) return a.size === b.size && [...a].every((x) => [...b].some((y) => same(x, y)));
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => key in b && same(a[key], b[key]));
};
module.exports = { isEqual: same };
"""
END = "the test program came to its end"
# Compilers and interpreters may have to share the machine.
LIMITS = Limits(min_wall_clock_s=60, wall_clock_factor=20)
# All the cases of a record in one run; LeetCode has hundreds of them.
OWN_TEST_TIME_S = {"python": 60.0, "nodejs": 10.0, "cpp": 10.0}


@dataclass
class Outcome:
    """What became of the records of one data set."""

    records: int = 0
    read: int = 0
    rejects: Counter[str] = field(default_factory=Counter)
    references: int = 0
    right: int = 0
    passed: int = 0
    passed_though_wrong: int = 0
    exceptions: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Reference:
    """One program to be run both ways."""

    name: str
    program: str
    problem: Problem
    own_test: RunRequest


def rows(folder: Path, name: str) -> Iterator[tuple[Row, Problem | Reject]]:
    """The records of a data set and the problems that they become."""
    options = ReadOptions("auto", PublicPolicy(), None)
    for file in FILES[name]:
        format_name = chosen_format(folder / file, options)
        for row in read_rows(folder / file):
            assert isinstance(row, Row), row
            yield row, read_row(row, format_name, options)


def own_test(program: str, values: Mapping[str, Any], language: str) -> RunRequest:
    """The program with the record's tests behind it; a word at the end tells an early exit from success."""
    files: dict[str, bytes] = {}
    test = values["test"]
    if language == "python":
        code = f"{values['prompt'] if 'completion' in values else ''}\n{program}\n{test}\n"
        code += f"check({values['entry_point']})\nprint({END!r})\n"
    elif language == "nodejs":
        code = f"{program}\n{test}\nconsole.log({json.dumps(END)});\n"
        files["node_modules/lodash/index.js"] = LODASH.encode()
    else:
        head, _, tail = test.rpartition("return 0;")
        code = f"{program}\n{head}std::puts({json.dumps(END)});\nreturn 0;{tail}"
    return RunRequest(
        code=code,
        language=language,
        stdin=None,
        compile_timeout_s=LIMITS.compile_time_s * LIMITS.wall_clock_factor,
        run_timeout_s=10 * OWN_TEST_TIME_S[language],
        cpu_limit_s=OWN_TEST_TIME_S[language],
        memory_limit_mb=LIMITS.memory_limit_mb,
        files=files,
    )


def references(folder: Path, name: str, outcome: Outcome, sample: int | None) -> Iterator[Reference]:
    """The references of a data set; counts records and rejects on the way."""
    if name == "DebugBench":
        yield from debugbench_references(folder, outcome, sample)
        return
    for row, problem in rows(folder, name):
        if sample is not None and outcome.references >= sample:
            return
        outcome.records += 1
        if isinstance(problem, Reject):
            outcome.rejects[f"{problem.column}: {problem.reason}"] += 1
            continue
        outcome.read += 1
        if problem.reference is None:
            continue
        outcome.references += 1
        native = problem.reference if name == "LeetCode" else whole_program(row.values)
        assert native is not None
        test = own_test(native, row.values, problem.language)
        yield Reference(problem.query_id, problem.reference, problem, test)


def debugbench_references(folder: Path, outcome: Outcome, sample: int | None) -> Iterator[Reference]:
    """The mended programs of the bugs whose problem is one of LeetCode's."""
    bugs, rejects = read_failed_programs([folder / "debugbench_python3.jsonl.gz"])
    outcome.rejects.update(f"{reject.column}: {reject.reason}" for reject in rejects)
    outcome.records = sum(map(len, bugs.values())) + len(rejects)
    for row, problem in rows(folder, "LeetCode"):
        if isinstance(problem, Reject):
            continue
        for index, bug in enumerate(bugs.pop(problem.query_id, ())):
            if sample is not None and outcome.references >= sample:
                return
            assert bug.repair is not None
            outcome.read += 1
            outcome.references += 1
            test = own_test(bug.repair, row.values, "python")
            yield Reference(f"{problem.query_id} #{index}", bug.repair, problem, test)
    outcome.rejects["no LeetCode problem of this name, so no tests"] += sum(map(len, bugs.values()))


async def is_right(sandbox: Sandbox, request: RunRequest) -> bool:
    """Whether the program holds the record's own tests."""
    run = (await sandbox.run(request)).run
    return run is not None and (
        run.status is StageStatus.FINISHED and run.return_code == 0 and run.stdout.rstrip().endswith(END)
    )


async def measure(folder: Path, name: str, sandbox: Sandbox, sample: int | None, parallel: int) -> Outcome:
    """Runs the references of one data set both ways."""
    outcome = Outcome()
    grader = Grader(sandbox, LIMITS, cache_size=0, max_parallel=1)

    async def run(reference: Reference) -> tuple[Reference, bool, str]:
        problem = reference.problem
        right = await is_right(sandbox, reference.own_test)
        grade = await grader.grade(
            reference.program,
            problem.cases,
            prelude=problem.prelude,
            language=problem.language,
            stop_at_first_failure=True,
        )
        failure = grade.first_failure
        if failure is None:
            return reference, right, ""
        case = problem.cases[failure.case_index]
        said = failure.error or f"expected {case.expected[:100]}, got {failure.actual[:100]}"
        return reference, right, f"{failure.verdict} on {case.input[:80]}: {said}"

    found = run_in_order(references(folder, name, outcome, sample), run, max_parallel=parallel)
    num_done = 0
    async for reference, right, failure in found:
        num_done += 1
        outcome.right += right
        outcome.passed += right and not failure
        outcome.passed_though_wrong += not right and not failure
        if right and failure:
            outcome.exceptions.append(f"{reference.name}: {failure}")
        elif not right and not failure:
            outcome.exceptions.append(f"{reference.name}: passes, though it fails its own tests")
        if num_done % 100 == 0:
            said = f"{name}: {num_done} run, {outcome.right} right, {outcome.passed} of these passed"
            print(said, file=sys.stderr, flush=True)
    return outcome


def table(outcomes: Mapping[str, Outcome]) -> str:
    """The Markdown table."""
    lines = [
        "| data set | records | read | references | right by their own tests | of these passed "
        "| wrong but passed |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, found in outcomes.items():
        share = f"{found.passed} ({found.passed / found.right:.2%})" if found.right else "none"
        lines.append(
            f"| {name} | {found.records} | {found.read} | {found.references} | {found.right} | {share} "
            f"| {found.passed_though_wrong} |"
        )
    return "\n".join(lines)


async def main() -> None:
    """Reads the command line, measures, prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=HelpFormatter)
    parser.add_argument("folder", type=Path, help="where the data sets are")
    parser.add_argument("--only", nargs="+", choices=list(FILES), default=list(FILES), help="data sets")
    parser.add_argument("--sample", type=int, help="at most so many references of each")
    parser.add_argument("--parallel", type=int, default=4, help="references under way")
    parser.add_argument("--output", type=Path, help="also write everything as JSON")
    arguments = parser.parse_args()
    outcomes: dict[str, Outcome] = {}
    with serve() as server:
        async with HttpSandbox(server.endpoint) as sandbox:
            for name in arguments.only:
                outcomes[name] = await measure(
                    arguments.folder, name, sandbox, arguments.sample, arguments.parallel
                )
    print(table(outcomes))
    for name, found in outcomes.items():
        for reason, count in found.rejects.most_common():
            print(f"{name}: {count} rejected: {reason}")
        for exception in found.exceptions:
            print(f"{name}: {exception}")
    if arguments.output is not None:
        arguments.output.write_text(json.dumps({name: vars(found) for name, found in outcomes.items()}))


if __name__ == "__main__":
    asyncio.run(main())
