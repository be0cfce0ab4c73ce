"""Real bugs of DebugBench (Python): wrong programs and their repairs, by the LeetCode slug they belong to."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

from data_preprocess.bugs import RealBug
from data_preprocess.rows import Reject, read_rows

_COLUMNS = ("slug", "buggy_code", "oracle_code", "category")


def read_debugbench(path: Path) -> tuple[dict[str, list[RealBug]], list[Reject]]:
    """Reads the bugs by slug, and the rows that could not be read.

    Raises:
        OSError: When the file can't be opened.
        ValueError: When no row is a bug report.
    """
    bugs: dict[str, list[RealBug]] = defaultdict(list)
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
        program, repair = (values[name].strip("\n") + "\n" for name in ("buggy_code", "oracle_code"))
        bugs[values["slug"]].append(RealBug(values["category"], program, repair))
    if not bugs:
        raise ValueError(f"{path}: no DebugBench row (columns {', '.join(_COLUMNS)})")
    return dict(bugs), rejects
