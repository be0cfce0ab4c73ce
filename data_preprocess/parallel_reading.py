"""All problems of some files, in file order, converted by several processes; memory stays bounded.

This process cuts files into rows, the others parse and convert them. Small inputs are converted here:
starting processes would take longer.
"""

from __future__ import annotations

import gc
import multiprocessing
import os
import threading
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack
from pathlib import Path

import msgspec
from tqdm import tqdm

from data_preprocess.entries import Entry, RowForm
from data_preprocess.formats.catalogue import FORMATS
from data_preprocess.progress import progress_bar
from data_preprocess.reading import ReadOptions, chosen_format, read_row
from data_preprocess.rows import RawRows, Reject, parse_rows, raw_rows
from data_preprocess.seen_ids import SeenIds
from data_preprocess.tasks import TASKS
from verl_ext.grading.problem import Problem

_SMALL_BYTES = 16 << 20
# Chunks under way per process: one at work, one waiting.
_AHEAD = 2
# For who wants problems and no rows.
_DEFAULT = RowForm(TASKS["debugging"], "brief")
_Converted = tuple[int, Entry | Reject]
_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(list[_Converted])


def read_problems(
    paths: Sequence[Path],
    options: ReadOptions,
    *,
    num_processes: int | None = 1,
    seen: SeenIds | None = None,
) -> Iterator[Problem | Reject]:
    """What ``read_entries`` gives, as problems."""
    for item in read_entries(paths, options, _DEFAULT, num_processes=num_processes, seen=seen):
        yield item if isinstance(item, Reject) else item.problem


def read_entries(
    paths: Sequence[Path],
    options: ReadOptions,
    form: RowForm,
    *,
    num_processes: int | None = 1,
    seen: SeenIds | None = None,
) -> Iterator[Entry | Reject]:
    """The problems and rejects of all files, in file order; a ``query_id`` counts once over all files.

    Args:
        paths: The files.
        options: How records become problems.
        form: What rows are made for.
        num_processes: That convert; 1 for this one only, None for one per core where the files are large.
        seen: Ids that count as seen, and to which those of these files are added; None for none.

    Raises:
        OSError: When a file can't be opened, or a converting process was killed.
        ValueError: When a file is no known container, or its format is unknown.
    """
    if num_processes is None:
        large = sum(path.stat().st_size for path in paths) >= _SMALL_BYTES
        num_processes = len(os.sched_getaffinity(0)) if large else 1
    with ExitStack() as stack:
        known = stack.enter_context(SeenIds()) if seen is None else seen
        progress = stack.enter_context(progress_bar("records", "record"))
        for file, number, item in _converted(paths, options, form, num_processes, stack, progress):
            if isinstance(item, Reject):
                yield item
                continue
            place = known.first_place(item.query_id, f"{file} row {number}")
            if place is None:
                yield item
            else:
                yield Reject(file, number, "query_id", f"duplicate of {item.query_id!r} in {place}")


def _converted(
    paths: Sequence[Path],
    options: ReadOptions,
    form: RowForm,
    num_processes: int,
    stack: ExitStack,
    progress: tqdm[None],
) -> Iterator[tuple[str, int, Entry | Reject]]:
    """(file, row number, entry or reject) of every row, in order."""
    chunks = (
        (raw, name) for path in paths for name in [chosen_format(path, options)] for raw in raw_rows(path)
    )
    if num_processes == 1:
        for raw, name in chunks:
            for number, item in convert_chunk(raw, name, options, form):
                yield raw.file, number, item
            progress.update(raw.num_rows)
        return
    pool = ProcessPoolExecutor(
        num_processes, multiprocessing.get_context("spawn"), initializer=_start_process
    )
    stack.callback(pool.shutdown, wait=True, cancel_futures=True)
    try:
        for raw_file, num_rows, items in _in_order(pool, chunks, (options, form), _AHEAD * num_processes):
            for number, item in items:
                yield raw_file, number, item
            progress.update(num_rows)
    except BrokenProcessPool as error:
        raise OSError(
            "a process that converts records was killed, probably for want of memory; "
            "set num_read_processes=1"
        ) from error


def _in_order(
    pool: ProcessPoolExecutor,
    chunks: Iterable[tuple[RawRows, str]],
    how: tuple[ReadOptions, RowForm],
    max_ahead: int,
) -> Iterator[tuple[str, int, list[_Converted]]]:
    under_way: deque[tuple[str, int, Future[bytes]]] = deque()
    for raw, name in chunks:
        under_way.append((raw.file, raw.num_rows, pool.submit(_encoded_chunk, raw, name, *how)))
        if len(under_way) >= max_ahead:
            file, num_rows, future = under_way.popleft()
            yield file, num_rows, _DECODER.decode(future.result())
    for file, num_rows, future in under_way:
        yield file, num_rows, _DECODER.decode(future.result())


def _encoded_chunk(raw: RawRows, format_name: str, options: ReadOptions, form: RowForm) -> bytes:
    """What ``convert_chunk`` gives, encoded: half the time of pickling."""
    return _ENCODER.encode(convert_chunk(raw, format_name, options, form))


def convert_chunk(raw: RawRows, format_name: str, options: ReadOptions, form: RowForm) -> list[_Converted]:
    """(row number, entry or reject) of every row."""
    also_kept = FORMATS[format_name].also_kept
    converted: list[_Converted] = []
    for row in parse_rows(raw):
        if isinstance(row, Reject):
            converted.append((row.row, row))
            continue
        problem = read_row(row, format_name, options)
        if isinstance(problem, Problem):
            try:
                converted.append((row.number, Entry.of(problem, form, also_kept)))
            except ValueError as error:
                converted.append((row.number, Reject(row.file, row.number, "", str(error))))
        else:
            converted.append((row.number, problem))
    return converted


def _start_process() -> None:
    """Ends this process when the one that started it is killed; waiting for work it would never know."""
    gc.freeze()  # what is imported is looked at in no collection: a tenth of the time
    parent = multiprocessing.parent_process()
    assert parent is not None

    def watch() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
