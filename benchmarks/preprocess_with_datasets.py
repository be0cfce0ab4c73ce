"""The work of ``preprocess.py`` through ``datasets.map``: what ``benchmarks/preprocess.py`` compares with.

``python benchmarks/preprocess_with_datasets.py {plain|batched|own} RECORDS FOLDER NUM_PROC`` writes the three
RL files and a manifest. ``plain`` is what one writes after verl's ``examples/data_preprocess``: dicts and the
standard library, a record at a time; it knows the user's stdin records only. ``batched`` is the same with
``map(batched=True)``. ``own`` calls our own functions per record. The file ``mapped`` appears in the folder
when all records are mapped and nothing is written yet.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections import Counter
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
KEYS = ("question_key", "cases_key")
Convert = Callable[[dict[str, Any], int], dict[str, Any]]
ConvertBatch = Callable[[dict[str, list[Any]], list[int]], dict[str, list[Any]]]


def convert_plainly(record: dict[str, Any], index: int) -> dict[str, Any]:
    """A row of one record, with what ``main`` compares it by; ``reject`` says why there is none."""
    question, query_id, tests = record["question"], record["query_id"], record["input_output"]
    if not isinstance(question, str) or not question.strip() or not isinstance(query_id, str):
        return _row(reject=f"record {index}: question and query_id must be text")
    inputs, outputs = tests["inputs"], tests["outputs"]
    if not inputs or len(inputs) != len(outputs):
        return _row(reject=f"record {index}: every input needs an output")
    if not all(isinstance(text, str) for text in [*inputs, *outputs]):
        return _row(reject=f"record {index}: inputs and outputs must be text")
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
    return _row(
        prompt=json.dumps(messages, ensure_ascii=False),
        ground_truth=json.dumps(problem, ensure_ascii=False),
        index=index,
        query_id=query_id,
        told=told,
        keys=(_hash(compact), _hash(repr(sorted(seen)))),
    )


def own_functions(path: Path) -> Convert:
    """The conversion that ``preprocess.py`` uses, for one record at a time."""
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
    from data_preprocess.case_policy import PublicPolicy
    from data_preprocess.entries import Entry, RowForm
    from data_preprocess.reading import ReadOptions, read_row
    from data_preprocess.rows import Reject, Row
    from data_preprocess.tasks import TASKS

    options = ReadOptions("user", PublicPolicy(), None)
    form = RowForm(TASKS["debugging"], "full")

    def convert(record: dict[str, Any], index: int) -> dict[str, Any]:
        problem = read_row(Row(str(path), index + 1, record), "user", options)
        if isinstance(problem, Reject):
            return _row(reject=str(problem))
        entry = Entry.of(problem, form)
        return _row(
            prompt=entry.prompt,
            ground_truth=entry.text,
            index=index,
            query_id=entry.query_id,
            told=bool(entry.look.findings),
            keys=(str(entry.look.question_key), str(entry.look.cases_key)),
        )

    return convert


def batched(convert: Convert) -> ConvertBatch:
    """The same for the columns of many records."""

    def convert_all(columns: dict[str, list[Any]], indices: list[int]) -> dict[str, list[Any]]:
        records = (dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True))
        rows = [convert(record, index) for record, index in zip(records, indices, strict=True)]
        return {name: [row[name] for row in rows] for name in rows[0]}

    return convert_all


def _row(
    *,
    prompt: str = "",
    ground_truth: str = "",
    index: int = 0,
    query_id: str = "",
    told: bool = False,
    keys: tuple[str, str] = ("", ""),
    reject: str = "",
) -> dict[str, Any]:
    return {
        "data_source": "code_agentic",
        "prompt": prompt,
        "ability": "code",
        "reward_model": {"style": "rule", "ground_truth": ground_truth},
        "extra_info": {"split": "train", "index": index, "query_id": query_id, "case_in_question": told},
        "agent_name": "code_agentic",
        **dict(zip(KEYS, keys, strict=True)),
        "reject": reject,
    }


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def main() -> None:
    """Converts one file."""
    functions, path, folder, num_proc = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]), int(sys.argv[4])
    datasets.disable_progress_bars()
    records = datasets.load_dataset(
        "json", data_files=str(path), split="train", cache_dir=str(folder / "cache")
    )
    convert = own_functions(path) if functions == "own" else convert_plainly
    rows = records.map(
        batched(convert) if functions == "batched" else convert,
        batched=functions == "batched",
        with_indices=True,
        remove_columns=records.column_names,
        num_proc=num_proc if num_proc > 1 else None,
    )
    (folder / "mapped").touch()
    rejects = [text for text in rows["reject"] if text]
    seen: set[str] = set()

    def is_new(info: dict[str, Any], reject: str) -> bool:
        if reject or info["query_id"] in seen:
            return False
        seen.add(info["query_id"])
        return True

    rows = rows.filter(is_new, input_columns=["extra_info", "reject"])
    train = rows.train_test_split(test_size=0.1, seed=0)
    held_out = train["test"].train_test_split(test_size=0.5, seed=0)
    splits = {"train": train["train"], "val": held_out["train"], "test": held_out["test"]}
    shared: Counter[str] = Counter()
    for key in KEYS:
        owners: dict[str, str] = {}
        for name, part in splits.items():
            for value in part[key][:]:
                if value in owners:
                    shared[f"{key}: {owners[value]}/{name}"] += 1
                else:
                    owners[value] = name
    for name, part in splits.items():
        part.remove_columns([*KEYS, "reject"]).to_parquet(str(folder / f"rl_{name}.parquet"))
    manifest = {
        "input": hashlib.sha256(path.read_bytes()).hexdigest(),
        "rows": {name: len(part) for name, part in splits.items()},
        "rejects": rejects,
        "shared": shared,
        "files": {
            file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in folder.glob("rl_*.parquet")
        },
    }
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")


if __name__ == "__main__":
    main()
