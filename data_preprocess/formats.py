"""From files to problems: which format a file has, its rows one by one, and the rows that are rejected."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from data_preprocess import leetcode_format, user_format
from data_preprocess.failed_programs import failed_programs_of
from data_preprocess.rows import BadRow, Reject, Row, parquet_schema, read_rows
from verl_ext.grading.harness import check_case
from verl_ext.grading.problem import Problem
from verl_ext.sandbox.languages import LANGUAGES

FORMATS = ("auto", "user", "leetcode", "problems")
_PROBLEM_COLUMNS = ("query_id", "question", "cases")
# Enough to see a format behind a few bad rows.
_ROWS_TO_LOOK_AT = 50


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """How records become problems.

    Attributes:
        format: One of ``FORMATS``.
        first_k: How many of a record's cases become public (not for ``problems``, which say so themselves).
        remote_root: Folder that ``remote: true`` rows may read from.
        languages: What the sandbox runs; None when that is not known, and any name is taken.
    """

    format: str
    first_k: int
    remote_root: Path | None
    languages: frozenset[str] | None = frozenset(LANGUAGES)

    def __post_init__(self) -> None:
        if self.format not in FORMATS:
            raise ValueError(f"format={self.format} is not one of {', '.join(FORMATS)}")
        if self.first_k < 1:
            raise ValueError(f"public_cases.first_k must be at least 1, got {self.first_k}")
        if self.remote_root is not None and not self.remote_root.is_dir():
            raise FileNotFoundError(2, "No such folder (remote_root)", str(self.remote_root))


def read_problems(paths: Sequence[Path], options: ReadOptions) -> Iterator[Problem | Reject]:
    """The problems and rejects of all files, in file order; a ``query_id`` counts once over all files.

    Raises:
        OSError: When a file can't be opened.
        ValueError: When a file is no known container, or its format is unknown.
    """
    seen: dict[str, str] = {}
    for path in paths:
        convert = _converter(path, options)
        for row in read_rows(path):
            if isinstance(row, Reject):
                yield row
                continue
            try:
                problem = convert(row)
                _check_gradable(problem, options.languages)
                if problem.query_id in seen:
                    raise BadRow("query_id", f"duplicate of {problem.query_id!r} in {seen[problem.query_id]}")
            except BadRow as bad:
                yield Reject(row.file, row.number, bad.column, bad.reason)
                continue
            except ValueError as error:
                yield Reject(row.file, row.number, "", str(error))
                continue
            seen[problem.query_id] = f"{row.file} row {row.number}"
            yield problem


def _check_gradable(problem: Problem, languages: frozenset[str] | None) -> None:
    """Refuses what could only fail later, in the middle of a training run.

    Raises:
        BadRow: When the grader can't run its cases, or its failed programs are no programs.
    """
    if languages is not None and problem.language not in languages:
        known = ", ".join(sorted(languages))
        raise BadRow("language", f"{problem.language!r} is not one of those that the sandbox runs: {known}")
    if problem.language != "python" and (problem.fn_name or problem.prelude):
        raise BadRow("language", "functions can be called in python only")
    for index, case in enumerate(problem.cases):
        try:
            check_case(case)
        except ValueError as error:
            raise BadRow(f"case {index}", str(error)) from error
    failed_programs_of(problem)


def _converter(path: Path, options: ReadOptions) -> Callable[[Row], Problem]:
    chosen = detect_format(path) if options.format == "auto" else options.format
    if chosen == "leetcode":
        return lambda row: leetcode_format.read_leetcode_row(row, first_k=options.first_k)
    if chosen == "problems":
        return _stored_problem
    schema = parquet_schema(path)
    if schema is not None:
        user_format.check_user_schema(schema, path)
    return lambda row: user_format.read_user_row(
        row, first_k=options.first_k, remote_root=options.remote_root
    )


def detect_format(path: Path) -> str:
    """The format whose columns the first readable rows have.

    Raises:
        ValueError: When they fit none, naming the columns that were found.
    """
    found: set[str] = set()
    rows = itertools.islice(read_rows(path), _ROWS_TO_LOOK_AT)
    for row in rows:
        if isinstance(row, Reject):
            continue
        found |= set(row.values)
        for name, columns in (
            ("leetcode", leetcode_format.REQUIRED),
            ("problems", _PROBLEM_COLUMNS),
            ("user", user_format.REQUIRED),
        ):
            if set(columns) <= set(row.values):
                return name
    if found & {"input_output", "question", "query_id"}:
        return "user"  # its rows then say one by one what they lack
    columns_found = f"the columns found are {', '.join(sorted(found))}" if found else "no row can be read"
    raise ValueError(
        f"{path}: unknown format: {columns_found}; a record needs {', '.join(user_format.REQUIRED)} "
        f"(or set format to one of {', '.join(FORMATS[1:])})"
    )


def _stored_problem(row: Row) -> Problem:
    """A problem as ``Problem.to_json`` writes it; the ``ground_truth`` of an RL row is one."""
    return Problem.from_json(json.dumps(row.values))
