"""Real bugs of DebugBench (Python): wrong programs with a category, by the LeetCode slug they belong to."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

from data_preprocess.rows import Reject, read_rows

_COLUMNS = ("slug", "buggy_code", "category")


def read_debugbench(path: Path) -> tuple[dict[str, list[tuple[str, str]]], list[Reject]]:
    """Reads (category, program) by slug, and the rows that could not be read.

    Raises:
        OSError: When the file can't be opened.
        ValueError: When no row is a bug report.
    """
    bugs: dict[str, list[tuple[str, str]]] = defaultdict(list)
    rejects: list[Reject] = []
    for row in read_rows(path):
        if isinstance(row, Reject):
            rejects.append(row)
            continue
        wrong = [name for name in _COLUMNS if not isinstance(row.values.get(name), str)]
        if wrong:
            rejects.append(Reject(row.file, row.number, wrong[0], "missing or not text"))
            continue
        values = row.values
        bugs[values["slug"]].append((values["category"], values["buggy_code"].strip("\n") + "\n"))
    if not bugs:
        raise ValueError(f"{path}: no DebugBench row (columns {', '.join(_COLUMNS)})")
    return dict(bugs), rejects
