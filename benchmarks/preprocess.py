"""Preprocessing of many records against the same work through ``datasets.map``, and what it costs by size.

``preprocess_with_datasets.py`` is the other side, as users write it and with our own functions. First all
run on a few records, and their rows have to hold the same problems. Every side is a process of its own on the
same file and writes the RL rows of three splits; the memory is that of its whole process tree, sampled.
Needs the extras ``data`` and ``cpu`` or ``gpu`` (for ``datasets``).
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from random import Random

import pyarrow.parquet as pq

from verl_ext.cli import HelpFormatter
from verl_ext.grading.problem import Problem

ROOT = Path(__file__).resolve().parents[1]
_CASES_PER_PROBLEM = 15
_SAMPLE = 200
_SAMPLE_EVERY_S = 0.1
_BYTECODE = Path(tempfile.gettempdir()) / "code_agentic_benchmark_bytecode"
_WITH_DATASETS = ROOT / "benchmarks" / "preprocess_with_datasets.py"


@dataclass(frozen=True, slots=True)
class Measured:
    """One side on one file.

    Attributes:
        seconds: Wall-clock time, start of the interpreter included.
        cpu_seconds: Of all its processes; on a busy machine the better measure of work.
        peak_bytes: Largest sum of the proportional set sizes of its processes.
        mapped_seconds: With ``datasets``: until all records were mapped, before anything else was done.
    """

    seconds: float
    cpu_seconds: float
    peak_bytes: int
    mapped_seconds: float | None = None


def write_records(path: Path, num_problems: int, *, case_chars: int, seed: int = 0) -> None:
    """Records of the user's format with distinct questions and 15 cases.

    Args:
        path: File to write, JSON lines.
        num_problems: How many.
        case_chars: Length of an input, about.
        seed: Of the numbers.
    """
    rng = Random(seed)
    numbers = [str(rng.randrange(10**6)) for _ in range(4096)]
    per_case = max(1, case_chars // 7)
    with path.open("w", encoding="utf-8") as file:
        for index in range(num_problems):
            start = rng.randrange(2048)
            inputs = [
                f"{index} {case}\n{' '.join(numbers[(start + case) % 2048 :][:per_case])}\n"
                for case in range(_CASES_PER_PROBLEM)
            ]
            outputs = [f"{index * 31 + case}\n" for case in range(_CASES_PER_PROBLEM)]
            record = {
                "question": f"Problem {index}: read two numbers, then a line of numbers; print a number. "
                * 6,
                "query_id": f"bench/{index}",
                "input_output": {"inputs": inputs, "outputs": outputs, "remote": False},
                "origin": "benchmark",
            }
            file.write(json.dumps(record) + "\n")


def ours(path: Path, folder: Path) -> list[str]:
    """The real command, without programs to run."""
    return [
        sys.executable,
        str(ROOT / "data_preprocess" / "preprocess.py"),
        "data=user",
        f"input={path}",
        f"output_dir={folder}/data",
        "verify=false",
        "sft.num_conversations=0",
        "sft.num_val_conversations=0",
    ]


def with_datasets(functions: str, path: Path, folder: Path, num_proc: int) -> list[str]:
    """The same through ``datasets.map``: ``plain``, ``batched`` or with our ``own`` functions."""
    return [sys.executable, str(_WITH_DATASETS), functions, str(path), str(folder), str(num_proc)]


def measure(command: Sequence[str], mapped: Path | None = None) -> Measured:
    """Runs a command to its end.

    Args:
        command: Program and arguments.
        mapped: A file that ``preprocess_with_datasets.py`` makes when all records are mapped.

    Raises:
        RuntimeError: When it fails.
    """
    # Compiled modules are kept for all sides alike, as they are wherever Python runs twice.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environment["PYTHONPYCACHEPREFIX"] = str(_BYTECODE)
    started, started_at = time.perf_counter(), time.time()
    peak = 0
    cpu_before = _cpu_of_children()
    # Its output goes to a file: a pipe that nobody reads would stop it.
    with (
        tempfile.TemporaryFile() as output,
        subprocess.Popen(command, stdout=output, stderr=output, env=environment) as process,
    ):
        done = threading.Event()

        def sample() -> None:
            nonlocal peak
            while not done.wait(_SAMPLE_EVERY_S):
                peak = max(peak, sum(map(_pss_bytes, _tree(process.pid))))

        sampler = threading.Thread(target=sample)
        sampler.start()
        code = process.wait()
        seconds = time.perf_counter() - started
        done.set()
        sampler.join()
        if code:
            output.seek(0)
            raise RuntimeError(f"{command[:2]} failed: {output.read().decode(errors='replace')[-2000:]}")
    mapped_seconds = mapped.stat().st_mtime - started_at if mapped and mapped.exists() else None
    return Measured(seconds, _cpu_of_children() - cpu_before, peak, mapped_seconds)


def _cpu_of_children() -> float:
    times = os.times()
    return times.children_user + times.children_system


def _tree(pid: int) -> Iterator[int]:
    yield pid
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            found = children.read_text().split()
        except OSError:
            continue
        for child in found:
            yield from _tree(int(child))


def _pss_bytes(pid: int) -> int:
    try:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) << 10
    except (OSError, ValueError):
        pass
    return 0


def check_same_rows(folder: Path) -> None:
    """Runs all sides on a few records; their rows must hold the same problems and prompts."""
    path = folder / "sample.jsonl"
    write_records(path, _SAMPLE, case_chars=60, seed=1)
    found = []
    for functions in ("ours", "plain", "batched", "own"):
        with tempfile.TemporaryDirectory(dir=folder) as part:
            command = (
                ours(path, Path(part))
                if functions == "ours"
                else with_datasets(functions, path, Path(part), 1)
            )
            measure(command)
            rows = [
                row
                for file in sorted(Path(part).rglob("rl_*.parquet"))
                for row in pq.read_table(file).to_pylist()
            ]
        found.append(
            {
                row["extra_info"]["query_id"]: (
                    Problem.from_json(row["reward_model"]["ground_truth"]),
                    json.loads(row["prompt"]),
                )
                for row in rows
            }
        )
        assert len(rows) == len(found[-1]) == _SAMPLE, f"{functions}: {len(rows)} rows for {_SAMPLE} records"
    assert all(rows == found[0] for rows in found), "the sides make different rows"
    path.unlink()


def compare(folder: Path, num_cases: int, case_chars: int, rounds: int) -> None:
    """All sides on one file, in turns; prints rates, ratio and peaks."""
    num_problems = -(-num_cases // _CASES_PER_PROBLEM)
    path = folder / "records.jsonl"
    write_records(path, num_problems, case_chars=case_chars)
    print(
        f"{num_problems:,} records, {num_problems * _CASES_PER_PROBLEM:,} cases, "
        f"{path.stat().st_size >> 20} MiB"
    )
    cores = len(os.sched_getaffinity(0))
    sides: dict[str, Callable[[Path], list[str]]] = {"preprocess.py": partial(ours, path)}
    for functions, name in (
        ("plain", "datasets.map"),
        ("batched", "datasets.map, batched"),
        ("own", "datasets.map, our functions"),
    ):
        for num_proc in (1, cores):
            sides[f"{name}, num_proc={num_proc}"] = partial(with_datasets, functions, path, num_proc=num_proc)
    measured: dict[str, list[Measured]] = {name: [] for name in sides}
    for _ in range(rounds):
        for name, command in sides.items():
            with tempfile.TemporaryDirectory(dir=folder) as part:
                measured[name].append(one := measure(command(Path(part)), Path(part) / "mapped"))
            rate = num_problems / one.seconds
            print(
                f"{name:40} {one.seconds:7.1f} s {rate:8.0f} records/s "
                f"{rate * _CASES_PER_PROBLEM:9.0f} cases/s  CPU {one.cpu_seconds:6.1f} s  "
                f"peak {one.peak_bytes >> 20} MiB"
                + (f"  (mapped after {one.mapped_seconds:.1f} s)" if one.mapped_seconds else ""),
                flush=True,
            )
    ours_s, *others_s = (min(one.seconds for one in runs) for runs in measured.values())
    ours_cpu_s, *others_cpu_s = (min(one.cpu_seconds for one in runs) for runs in measured.values())
    for name, seconds, cpu_s in zip(list(sides)[1:], others_s, others_cpu_s, strict=True):
        print(f"{name}: {seconds / ours_s:.1f} times our time, {cpu_s / ours_cpu_s:.1f} times our CPU time")
    path.unlink()


def by_size(folder: Path, sizes: Sequence[int], case_chars: int) -> None:
    """Ours on growing files; prints what a further record costs between sizes."""
    runs: list[Measured] = []
    for num_problems in sizes:
        path = folder / "records.jsonl"
        write_records(path, num_problems, case_chars=case_chars)
        with tempfile.TemporaryDirectory(dir=folder) as part:
            measured = measure(ours(path, Path(part)))
        runs.append(measured)
        print(
            f"{num_problems:8,} records {path.stat().st_size >> 20:5} MiB {measured.seconds:7.1f} s  "
            f"CPU {measured.cpu_seconds:6.1f} s  peak {measured.peak_bytes >> 20} MiB",
            flush=True,
        )
        path.unlink()
    for name, costs in (("wall", [one.seconds for one in runs]), ("CPU", [one.cpu_seconds for one in runs])):
        steps = zip(sizes, sizes[1:], costs, costs[1:], strict=False)
        marginal = [(later - earlier) / (large - small) for small, large, earlier, later in steps]
        if marginal:
            print(f"{name} us per further record: " + ", ".join(f"{1e6 * cost:.0f}" for cost in marginal))


def main() -> None:
    """Measures what the arguments ask for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=HelpFormatter)
    parser.add_argument("--cases", type=int, default=1_000_000, help="of the comparison; 0 for none")
    parser.add_argument("--case-chars", type=int, default=60, help="characters of an input, about")
    parser.add_argument("--rounds", type=int, default=1, help="times every side is measured")
    parser.add_argument("--sizes", type=int, nargs="*", default=[], help="records of files of growing size")
    parser.add_argument("--gib", type=float, default=0, help="size of one large file to read")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        if arguments.cases:
            check_same_rows(Path(folder))
            compare(Path(folder), arguments.cases, arguments.case_chars, arguments.rounds)
        if arguments.sizes:
            by_size(Path(folder), arguments.sizes, arguments.case_chars)
        if arguments.gib:
            # About 2,000 characters of input per case, as in contest data.
            by_size(Path(folder), [round(arguments.gib * (1 << 30) / 31_000)], 2000)


if __name__ == "__main__":
    main()
