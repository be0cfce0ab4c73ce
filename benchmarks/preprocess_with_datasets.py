"""The work of ``preprocess.py`` through ``datasets.map``: what ``benchmarks/preprocess.py`` compares with.

``python benchmarks/preprocess_with_datasets.py {plain|own} RECORDS FOLDER NUM_PROC`` writes
``FOLDER/rl_train.parquet``. ``plain`` is what one writes after verl's ``examples/data_preprocess``: dicts and
the standard library; it knows the user's stdin records only. ``own`` calls our own functions per record.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import datasets

NUM_PUBLIC = 2
SYSTEM_PROMPT = (
    "You are an expert programmer. Solve the problem with a Python program. Submit it with the tool "
    "enhanced_code_agentic_tool, which runs it on example cases and answers with verdicts and a hint; "
    "repair it until they pass. Other, hidden cases decide in the end, so solve the problem in general "
    "and never print memorised outputs. When you are done, answer without calling the tool: the program "
    "you submitted last counts, or the last ```python block of your answer if it has one."
)
INSTRUCTION = "Read the input from standard input and print the answer to standard output."
Convert = Callable[[dict[str, Any], int], dict[str, Any]]


def convert_plainly(record: dict[str, Any], index: int) -> dict[str, Any]:
    """A row of one record; raises ``ValueError`` for a bad one."""
    question, query_id, tests = record["question"], record["query_id"], record["input_output"]
    if not isinstance(question, str) or not question.strip() or not isinstance(query_id, str):
        raise ValueError(f"record {index}: question and query_id must be text")
    inputs, outputs = tests["inputs"], tests["outputs"]
    if not inputs or len(inputs) != len(outputs):
        raise ValueError(f"record {index}: every input needs an output")
    if not all(isinstance(text, str) for text in [*inputs, *outputs]):
        raise ValueError(f"record {index}: inputs and outputs must be text")
    cases = []
    seen = set()
    for given, expected in zip(inputs, outputs, strict=True):
        key = "\n".join(line.rstrip() for line in given.strip().split("\n")), expected.strip()
        if key not in seen:
            seen.add(key)
            cases.append({"input": given, "expected": expected})
    for case in cases[: min(NUM_PUBLIC, max(1, len(cases) - 1))]:
        case["public"] = True
    compact = "".join(question.split()).casefold()
    told = False
    for case in cases:
        expected = "".join(case["expected"].split()).casefold()
        if expected in compact and "".join(case["input"].split()).casefold() in compact:
            told = True
    known = ("question", "query_id", "input_output")
    problem = {
        "query_id": query_id,
        "question": question,
        "cases": cases,
        "extra": {name: value for name, value in record.items() if name not in known},
    }
    messages = [
        {"role": "system", "content": SYSTEM_PROMPT},
        {"role": "user", "content": f"{question.strip()}\n\n{INSTRUCTION}"},
    ]
    return {
        "data_source": "code_agentic",
        "prompt": json.dumps(messages, ensure_ascii=False),
        "ability": "code",
        "reward_model": {"style": "rule", "ground_truth": json.dumps(problem, ensure_ascii=False)},
        "extra_info": {"split": "train", "index": index, "query_id": query_id, "case_in_question": told},
        "agent_name": "code_agentic",
    }


def own_functions(path: Path) -> Convert:
    """The conversion that ``preprocess.py`` uses, for one record at a time."""
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
    from data_preprocess.case_overlap import OverlapReport
    from data_preprocess.case_policy import PublicPolicy
    from data_preprocess.entries import Entry, RowForm
    from data_preprocess.reading import ReadOptions, read_row
    from data_preprocess.rows import Row
    from data_preprocess.tasks import TASKS

    options = ReadOptions("user", PublicPolicy(), None)
    form = RowForm(TASKS["debugging"], "full")
    report = OverlapReport()

    def convert(record: dict[str, Any], index: int) -> dict[str, Any]:
        entry = Entry.of(read_row(Row(str(path), index + 1, record), "user", options), form)
        report.count(entry.query_id, entry.duplicates)
        report.add(entry.query_id, entry.look, "train")
        return entry.row("train", index)

    return convert


def main() -> None:
    """Converts one file."""
    functions, path, folder, num_proc = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]), int(sys.argv[4])
    datasets.disable_progress_bars()
    records = datasets.load_dataset(
        "json", data_files=str(path), split="train", cache_dir=str(folder / "cache")
    )
    rows = records.map(
        convert_plainly if functions == "plain" else own_functions(path),
        with_indices=True,
        remove_columns=records.column_names,
        num_proc=num_proc if num_proc > 1 else None,
    )
    rows.to_parquet(str(folder / "rl_train.parquet"))


if __name__ == "__main__":
    main()
