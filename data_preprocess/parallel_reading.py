"""All problems of some files, in file order, converted by several processes; memory stays bounded.

Each process reads all the files and converts every n-th chunk of rows, so that no row has to be sent to it.
Cutting a file into chunks costs little beside converting them, a JSON array a third of it. Small inputs are
converted here.
"""

from __future__ import annotations

import fcntl
import gc
import itertools
import multiprocessing
import os
import pickle
import signal
import threading
import traceback
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, suppress
from multiprocessing.connection import Connection
from pathlib import Path

import msgspec

from data_preprocess.entries import Entry, RowForm
from data_preprocess.formats.catalogue import FORMATS
from data_preprocess.progress import progress_bar
from data_preprocess.reading import ReadOptions, chosen_format, read_row
from data_preprocess.rows import RawRows, Reject, parse_rows, raw_rows
from data_preprocess.seen_ids import SeenIds
from data_preprocess.tasks import TASKS
from verl_ext.grading.problem import Problem

_SMALL_BYTES = 2 << 20
# Some chunks wait here, so that no process waits for the other.
_PIPE_BYTES = 1 << 20
# For who wants problems and no rows.
_DEFAULT = RowForm(TASKS["debugging"], "brief")
# Of a file, the items by row number.
_Chunk = tuple[str, list[tuple[int, Entry | Reject]]]
_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(_Chunk)


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
        paths: The files; they must not change before they are read.
        options: How records become problems.
        form: What rows are made for.
        num_processes: That read and convert; 1 for this one only, None for one per core where the files are
            large. They are forked at the first item: no other thread may then hold a lock that reading needs.
        seen: Ids that count as seen, and to which those of these files are added; None for none.

    Raises:
        OSError: When a file can't be opened, or a converting process was killed.
        ValueError: When a file is no known container, its format is unknown, it changed while it was read, or
            ``num_processes`` is below 1.
    """
    if num_processes is None:
        large = sum(path.stat().st_size for path in paths) >= _SMALL_BYTES
        num_processes = len(os.sched_getaffinity(0)) if large else 1
    if num_processes < 1:
        raise ValueError(f"num_processes must be at least 1, got {num_processes}")
    files = [(path, chosen_format(path, options)) for path in paths]
    before = [_state(path) for path in paths]
    with ExitStack() as stack:
        known = stack.enter_context(SeenIds()) if seen is None else seen
        chunks = (
            _chunks(files, options, form)
            if num_processes == 1
            else _chunks_of_processes(files, options, form, num_processes, stack)
        )
        progress = stack.enter_context(progress_bar("records", "record"))
        for file, items in chunks:
            for number, item in items:
                if isinstance(item, Reject):
                    yield item
                    continue
                place = known.first_place(item.query_id, f"{file} row {number}")
                if place is None:
                    yield item
                else:
                    yield Reject(file, number, "query_id", f"duplicate of {item.query_id!r} in {place}")
            progress.update(len(items))
    for path, state in zip(paths, before, strict=True):
        if _state(path) != state:  # every process has cut it for itself
            raise ValueError(f"{path}: changed while it was read; start again")


def _state(path: Path) -> tuple[int, int, int]:
    found = path.stat()
    return found.st_ino, found.st_size, found.st_mtime_ns


def _chunks(
    files: Sequence[tuple[Path, str]], options: ReadOptions, form: RowForm, nth: int = 0, of: int = 1
) -> Iterator[_Chunk]:
    """Every ``of``-th chunk of all files from the ``nth``, converted."""
    chunks = ((raw, name) for path, name in files for raw in raw_rows(path))
    for raw, name in itertools.islice(chunks, nth, None, of):
        yield raw.file, convert_chunk(raw, name, options, form)


def _chunks_of_processes(
    files: Sequence[tuple[Path, str]],
    options: ReadOptions,
    form: RowForm,
    num_processes: int,
    stack: ExitStack,
) -> Iterator[_Chunk]:
    """All chunks in order; the processes, which wait until their next one is taken, end with ``stack``."""
    # Forked, they need not import again what takes longer than many a file.
    context = multiprocessing.get_context("fork")
    receivers: list[Connection] = []
    for nth in range(num_processes):
        receiver, sender = context.Pipe(duplex=False)
        with suppress(OSError):  # as many as the system gives
            fcntl.fcntl(sender.fileno(), fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
        process = context.Process(
            target=_send_chunks, args=(files, options, form, nth, num_processes, sender), daemon=True
        )
        process.start()
        sender.close()
        stack.callback(process.join)
        stack.callback(process.kill)
        receivers.append(stack.enter_context(receiver))
    return _received(receivers)


def _received(receivers: Sequence[Connection]) -> Iterator[_Chunk]:
    for receiver in itertools.cycle(receivers):
        try:
            received = receiver.recv_bytes()
            error = None if received else receiver.recv()
        except (EOFError, OSError) as broken:  # the end, or the middle of a message that has none
            raise OSError(
                "a process that converts records was killed, probably for want of memory; "
                "set num_read_processes=1"
            ) from broken
        if error is not None:
            raise error
        if not received:
            return
        yield _DECODER.decode(received)


def _send_chunks(
    files: Sequence[tuple[Path, str]],
    options: ReadOptions,
    form: RowForm,
    nth: int,
    num_processes: int,
    sender: Connection,
) -> None:
    """A process: sends its chunks, then an empty one, then what ended it: an error or None."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # who started it ends it
    gc.freeze()  # as in preprocess.main
    threading.Thread(target=_end_with_parent, daemon=True).start()
    end: BaseException | None = None
    try:
        for chunk in _chunks(files, options, form, nth, num_processes):
            sender.send_bytes(_ENCODER.encode(chunk))  # half the time of pickling
    except BaseException as error:  # of any kind: it is raised where the chunks are read
        end = _sendable(error)
    sender.send_bytes(b"")
    sender.send(end)


def _sendable(error: BaseException) -> BaseException:
    """The error, with the place where it was raised; as text where it can't be sent."""
    where = traceback.format_exc()
    error.add_note(where)
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:  # whatever its class does
        return RuntimeError(where)
    return error


def _end_with_parent() -> None:
    """Ends this process when the one that started it is killed; it would wait for ever to be read."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


def convert_chunk(
    raw: RawRows, format_name: str, options: ReadOptions, form: RowForm
) -> list[tuple[int, Entry | Reject]]:
    """(row number, entry or reject) of every row."""
    also_kept = FORMATS[format_name].also_kept
    converted: list[tuple[int, Entry | Reject]] = []
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
