"""``preprocess.py inspect FILE``: what a file is and what would be rejected, before anything is written."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from data_preprocess.parallel_reading import read_problems
from data_preprocess.reading import AUTO, ReadOptions, chosen_format
from data_preprocess.rows import Reject, container_of, parquet_schema, read_rows
from data_preprocess.seen_ids import SeenIds
from data_preprocess.settings import read_settings
from data_preprocess.toolchains import missing_toolchains, toolchain_lines
from verl_ext.cli import compose
from verl_ext.grading.problem import Problem

# Rows whose columns are looked at; a parquet file's schema says them all.
_ROWS_OF_COLUMNS = 200
# Kinds of rejects that are shown.
_SHOWN = 50
_PARTICULARS = re.compile(r"'[^']*'|\"[^\"]*\"|\d+")


@dataclass(slots=True)
class _Findings:
    """Counts over the rows of one file.

    Attributes:
        num_problems: Rows that become problems.
        kinds: ``stdin`` or ``call`` -> problems.
        languages: Language -> problems.
        num_cases: Of all problems.
        most_cases: Of one problem.
        largest: Characters of the cases of the largest problem, and its ``query_id``.
        with_reference: Problems that bring a right program.
        reasons: (column, reason without its particulars) -> rejects.
        examples: The same -> the first such reject.
    """

    num_problems: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    languages: Counter[str] = field(default_factory=Counter)
    num_cases: int = 0
    most_cases: int = 0
    largest: tuple[int, str] = (0, "")
    with_reference: int = 0
    reasons: Counter[tuple[str, str]] = field(default_factory=Counter)
    examples: dict[tuple[str, str], Reject] = field(default_factory=dict)

    def add(self, item: Problem | Reject) -> None:
        """Counts one row."""
        if isinstance(item, Reject):
            kind = (re.sub(r"\[\d+\]", "[n]", item.column), _PARTICULARS.sub("...", item.reason)[:160])
            self.reasons[kind] += 1
            self.examples.setdefault(kind, item)
            return
        self.num_problems += 1
        self.kinds[item.cases[0].kind] += 1
        self.languages[item.language] += 1
        self.num_cases += len(item.cases)
        self.most_cases = max(self.most_cases, len(item.cases))
        size = sum(len(case.input) + len(case.expected) for case in item.cases)
        self.largest = max(self.largest, (size, item.query_id))
        self.with_reference += item.reference is not None


def inspect_files(arguments: Sequence[str]) -> None:
    """Prints a report on each file.

    Args:
        arguments: Files, and ``key=value`` of ``configs/preprocess.yaml`` (``format``, ``remote_root``, ...).

    Raises:
        OSError: When a file can't be read.
        ValueError: When no file is named, one is no known container or format, or has no usable row.
    """
    paths = [Path(argument) for argument in arguments if "=" not in argument and not argument.startswith("-")]
    if not paths:
        raise ValueError("inspect needs a file: preprocess.py inspect FILE [format=...]")
    settings = read_settings(compose("preprocess", [one for one in arguments if one not in map(str, paths)]))
    with SeenIds() as seen:
        for path in paths:
            for line in report(
                path, settings.read, settings.num_read_processes, seen, embedded=settings.endpoint is None
            ):
                print(line)


def report(
    path: Path, options: ReadOptions, num_processes: int | None, seen: SeenIds, *, embedded: bool
) -> Iterator[str]:
    """The lines of the report on one file.

    Args:
        path: The file.
        options: How its records become problems.
        num_processes: See ``read_problems``.
        seen: Ids of the files before; those of this one are added.
        embedded: Programs would run in the embedded sandbox, of which missing toolchains are reported.

    Raises:
        OSError: When it can't be read.
        ValueError: When it is no known container or format, or has no usable row.
    """
    name = chosen_format(path, options)
    asked = "detected" if options.format == AUTO else "asked for"
    yield f"{path}: {container_of(path)}, {path.stat().st_size:,} bytes, format {name} ({asked})"
    yield f"  columns: {', '.join(_columns(path))}"
    findings = _Findings()
    for item in read_problems([path], options, num_processes=num_processes, seen=seen):
        findings.add(item)
    yield from _lines(findings)
    if embedded:
        yield from (f"  {line}" for line in toolchain_lines(missing_toolchains(findings.languages)))
    if not findings.num_problems:
        raise ValueError(f"{path}: no row is usable")


def _columns(path: Path) -> list[str]:
    """Each column with its types: of the schema, or of the first rows."""
    schema = parquet_schema(path)
    if schema is not None:
        return [f"{column.name} ({column.type})" for column in schema]
    types: dict[str, Counter[str]] = {}
    for row in itertools.islice(read_rows(path), _ROWS_OF_COLUMNS):
        if not isinstance(row, Reject):
            for column, value in row.values.items():
                kind = "null" if value is None else type(value).__name__
                types.setdefault(column, Counter())[kind] += 1
    return [f"{column} ({', '.join(sorted(kinds))})" for column, kinds in types.items()]


def _lines(findings: _Findings) -> Iterator[str]:
    num_problems, num_rejects = findings.num_problems, findings.reasons.total()
    yield (
        f"  rows: {num_problems + num_rejects:,}, of which {num_problems:,} become problems "
        f"and {num_rejects:,} would be rejected"
    )
    if findings.num_problems:
        yield f"  kinds of cases: {_counted(findings.kinds)}; languages: {_counted(findings.languages)}"
        yield (
            f"  cases: {findings.num_cases:,}, {findings.num_cases / findings.num_problems:.1f} per problem, "
            f"at most {findings.most_cases:,}; the largest problem is {findings.largest[1]} with "
            f"{findings.largest[0]:,} characters"
        )
        yield f"  problems with a reference program: {findings.with_reference:,}"
    for kind, count in findings.reasons.most_common(_SHOWN):
        yield f"  rejected {count:,} times, for example: {findings.examples[kind]}"
    if len(findings.reasons) > _SHOWN:
        rest = sum(count for _, count in findings.reasons.most_common()[_SHOWN:])
        yield f"  rejected {rest:,} times more, of {len(findings.reasons) - _SHOWN} other kinds"


def _counted(counts: Counter[str]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in counts.most_common())
