"""Programs that somebody really wrote and that failed: from files, or from a column of the records.

Files (``failed_programs=``), told apart by their columns: DebugBench (``slug``, ``buggy_code``,
``oracle_code``, ``category``), the MBPP seeds of LLMDebugger (``task_id``, ``solution``, ``is_solved``), and
the general form (``query_id``, ``program``, optionally ``category`` and ``repair``). Whether a program fails
is for a run to say.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from data_preprocess.rows import BadRow, Reject, read_rows
from verl_ext.grading.problem import Problem

COLUMN = "failed_programs"
_UNKNOWN = "attempt"
_DEBUGBENCH = ("slug", "buggy_code", "oracle_code", "category")
_SEED = ("task_id", "solution")
_GENERAL = ("query_id", "program")


class RealBug(NamedTuple):
    """A wrong program that came with the data.

    Attributes:
        category: The data set's name for what is wrong; ``attempt`` where it has none.
        program: Source text.
        repair: The data set's mended program, which may or may not pass our cases; None when it has none.
    """

    category: str
    program: str
    repair: str | None = None


def read_failed_programs(paths: Sequence[Path]) -> tuple[dict[str, list[RealBug]], list[Reject]]:
    """Reads the programs by ``query_id``, and the rows that could not be read.

    Raises:
        OSError: When a file can't be opened.
        ValueError: When no row of a file has a failed program.
    """
    bugs: dict[str, list[RealBug]] = defaultdict(list)
    rejects: list[Reject] = []
    for path in paths:
        num_read = 0
        for row in read_rows(path):
            if isinstance(row, Reject):
                rejects.append(row)
                continue
            try:
                found = _of_row(row.values)
            except BadRow as bad:
                rejects.append(Reject(row.file, row.number, bad.column, bad.reason))
                continue
            num_read += 1
            if found is not None:
                bugs[found[0]].append(found[1])
        if not num_read:
            known = "; or ".join(", ".join(columns) for columns in (_GENERAL, _DEBUGBENCH, _SEED))
            raise ValueError(f"{path}: no row with a failed program (columns {known})")
    return dict(bugs), rejects


def repairs_by_problem(bugs: Mapping[str, Sequence[RealBug]]) -> dict[str, list[str]]:
    """``query_id`` -> the mended programs that came with its failed ones."""
    return {
        query_id: [bug.repair for bug in of_problem if bug.repair is not None]
        for query_id, of_problem in bugs.items()
    }


def _of_row(values: Mapping[str, Any]) -> tuple[str, RealBug] | None:
    """(query_id, bug); None for a program that is said to be right."""
    if "buggy_code" in values:
        slug, program, repair, category = (_text(values, name) for name in _DEBUGBENCH)
        return slug, RealBug(category, _as_file(program), _as_file(repair))
    if "solution" in values and "task_id" in values:
        task_id, program = (_text(values, name) for name in _SEED)
        return None if values.get("is_solved") is True else (task_id, RealBug(_UNKNOWN, _as_file(program)))
    query_id = values.get("query_id")
    if isinstance(query_id, bool) or not isinstance(query_id, str | int):
        raise BadRow("query_id", "missing, or neither text nor an integer")
    return str(query_id), _bug(values, "")


def failed_programs_of(problem: Problem) -> list[RealBug]:
    """What the column ``failed_programs`` of a problem's record holds: programs, or objects with a program.

    Raises:
        BadRow: When it holds something else.
    """
    value = problem.extra.get(COLUMN)
    if value is None:
        return []
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError as error:
            raise BadRow(COLUMN, "must be a list, or the JSON text of one") from error
    if not isinstance(value, list | tuple):
        raise BadRow(COLUMN, f"must be a list of programs, not {type(value).__name__}")
    bugs = []
    for index, item in enumerate(value):
        item = {"program": item} if isinstance(item, str) else item
        if not isinstance(item, Mapping):
            raise BadRow(
                f"{COLUMN}[{index}]", "must be a program, or an object with program, category and repair"
            )
        bugs.append(_bug(item, f"{COLUMN}[{index}]."))
    return bugs


def _bug(values: Mapping[str, Any], column_prefix: str) -> RealBug:
    program = values.get("program")
    if not isinstance(program, str) or not program.strip():
        raise BadRow(f"{column_prefix}program", "missing, empty or not text")
    for name in ("category", "repair"):
        if values.get(name) is not None and not isinstance(values[name], str):
            raise BadRow(f"{column_prefix}{name}", "must be text")
    repair = values.get("repair")
    return RealBug(
        values.get("category") or _UNKNOWN, _as_file(program), _as_file(repair) if repair else None
    )


def _text(values: Mapping[str, Any], name: str) -> str:
    if not isinstance(values.get(name), str):
        raise BadRow(name, "missing or not text")
    return values[name]


def _as_file(program: str) -> str:
    return program.strip("\n") + "\n"
