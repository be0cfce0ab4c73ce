"""From files to problems: which format a file has, its rows one by one, and the rows that are rejected."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from data_preprocess.case_policy import PublicPolicy
from data_preprocess.failed_programs import failed_programs_of
from data_preprocess.formats.catalogue import FORMATS, format_of
from data_preprocess.formats.format import NUM_PUBLIC, Format, FormatOptions
from data_preprocess.formats.user import REQUIRED
from data_preprocess.rows import BadRow, Reject, Row, parquet_schema, read_rows
from verl_ext.grading.call_requests import CALL_LANGUAGES
from verl_ext.grading.harness import check_case
from verl_ext.grading.problem import Problem
from verl_ext.sandbox.languages import LANGUAGES

AUTO = "auto"
# Enough to see a format behind a few bad rows.
_ROWS_TO_LOOK_AT = 50


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """How records become problems.

    Attributes:
        format: ``auto`` or a name of ``FORMATS``.
        public: Which of a record's cases become public (not for ``problems``, which say so themselves).
        remote_root: Folder that ``remote: true`` rows may read from.
        languages: What the sandbox runs; None when that is not known, and any name is taken.
    """

    format: str
    public: PublicPolicy
    remote_root: Path | None
    languages: frozenset[str] | None = frozenset(LANGUAGES)

    def __post_init__(self) -> None:
        if self.format not in (AUTO, *FORMATS):
            raise ValueError(f"format={self.format} is not one of {', '.join((AUTO, *FORMATS))}")
        if self.remote_root is not None and not self.remote_root.is_dir():
            raise FileNotFoundError(2, "No such folder (remote_root)", str(self.remote_root))


def chosen_format(path: Path, options: ReadOptions) -> str:
    """The format of a file: the one that is asked for, else the one it looks like.

    Raises:
        OSError: When the file can't be opened.
        ValueError: When it is no known container, or its format is unknown or not that of its columns.
    """
    name = detect_format(path) if options.format == AUTO else options.format
    check_schema = FORMATS[name].check_schema
    if check_schema is not None and (schema := parquet_schema(path)) is not None:
        check_schema(schema, path)
    return name


def read_row(row: Row, format_name: str, options: ReadOptions) -> Problem | Reject:
    """The problem of one record, or why there is none."""
    try:
        return _problem(row, FORMATS[format_name], options)
    except BadRow as bad:
        return Reject(row.file, row.number, bad.column, bad.reason)
    except ValueError as error:
        return Reject(row.file, row.number, "", str(error))


def _problem(row: Row, chosen: Format, options: ReadOptions) -> Problem:
    problem = chosen.read(row, FormatOptions(options.remote_root))
    if not chosen.decides_public:
        num_public = _num_public(row.values.get(NUM_PUBLIC))
        problem = replace(problem, cases=options.public.choose(problem.cases, num_public))
    _check_gradable(problem, options.languages)
    return problem


def _num_public(value: Any) -> int | None:
    if value is not None and (type(value) is not int or value < 1):
        raise BadRow(NUM_PUBLIC, f"must be a whole number of at least 1, not {value!r}")
    return value


def _check_gradable(problem: Problem, languages: frozenset[str] | None) -> None:
    """Refuses what could only fail later, in the middle of a training run.

    Raises:
        BadRow: When the grader can't run its cases, or its failed programs are no programs.
    """
    if languages is not None and problem.language not in languages:
        known = ", ".join(sorted(languages))
        raise BadRow("language", f"{problem.language!r} is not one of those that the sandbox runs: {known}")
    if problem.fn_name and problem.language not in CALL_LANGUAGES:
        raise BadRow("language", f"functions can be called in {', '.join(CALL_LANGUAGES)} only")
    if problem.prelude and problem.language != "python" and not problem.fn_name:
        raise BadRow("language", "a stdin program gets a prelude in python only")
    for index, case in enumerate(problem.cases if problem.fn_name is not None else ()):
        try:
            check_case(case)
        except ValueError as error:
            raise BadRow(f"case {index}", str(error)) from error
    failed_programs_of(problem)


def detect_format(path: Path) -> str:
    """The format that the first readable rows look like.

    Raises:
        OSError: When the file can't be opened.
        ValueError: When they fit none, naming the columns that were found.
    """
    found: set[str] = set()
    for row in itertools.islice(read_rows(path), _ROWS_TO_LOOK_AT):
        if isinstance(row, Reject):
            continue
        found |= set(row.values)
        if name := format_of(row.values):
            return name
    if found & {"input_output", "question", "query_id"}:
        return "user"  # its rows then say one by one what they lack
    columns_found = f"the columns found are {', '.join(sorted(found))}" if found else "no row can be read"
    raise ValueError(
        f"{path}: unknown format: {columns_found}; a record needs {', '.join(REQUIRED)} "
        f"(or set format to one of {', '.join(FORMATS)})"
    )
