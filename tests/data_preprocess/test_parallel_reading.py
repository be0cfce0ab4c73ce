"""Reading in processes: what one process gives, in order, whatever happens to a process or to the file."""

from __future__ import annotations

import gzip
import json
import multiprocessing
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from data_preprocess.case_policy import PublicPolicy
from data_preprocess.entries import RowForm
from data_preprocess.parallel_reading import read_entries
from data_preprocess.parquet_files import REJECTS
from data_preprocess.reading import ReadOptions
from data_preprocess.rows import BadRow, Reject, raw_rows
from data_preprocess.tasks import TASKS

ROOT = Path(__file__).resolve().parents[2]
FORM = RowForm(TASKS["debugging"], "full")
OPTIONS = ReadOptions("user", PublicPolicy(), None)
_ONLY_RL = ("data=user", "verify=false", "sft.num_conversations=0", "sft.num_val_conversations=0")


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files of some rows have many chunks; the processes are forked and inherit it."""
    monkeypatch.setattr("data_preprocess.rows._BLOCK_BYTES", 4096)
    monkeypatch.setattr("data_preprocess.rows._CHUNK_ROWS", 16)


@pytest.mark.parametrize("container", ["lines", "lines.gz", "array", "parquet"])
def test_processes_give_what_one_process_gives_in_the_same_order(
    tmp_path: Path, make_record: Callable[..., dict], small_blocks: None, container: str
) -> None:
    rows = [make_record(f"record {number}") for number in range(200)]
    rows[60], rows[170] = make_record("", question=""), make_record("record 5")
    path = tmp_path / "records"
    if container == "parquet":
        pq.write_table(pa.Table.from_pylist(rows), path)
    else:
        text = json.dumps(rows) if container == "array" else "\n".join(map(json.dumps, rows))
        path.write_bytes(gzip.compress(text.encode()) if container == "lines.gz" else text.encode())
    assert len(list(raw_rows(path))) > 9
    alone = list(read_entries([path, path], OPTIONS, FORM))
    assert len(alone) == 400
    for num_processes in (2, 3):
        assert list(read_entries([path, path], OPTIONS, FORM, num_processes=num_processes)) == alone
    rejects = [item for item in alone if isinstance(item, Reject)]
    assert [(reject.row, reject.column) for reject in rejects[:2]] == [(61, "question"), (171, "query_id")]
    assert "record 5' in" in rejects[1].reason and "row 6" in rejects[1].reason
    assert not multiprocessing.active_children()


def test_what_is_wrong_with_a_file_is_said_by_its_process_after_the_rows_before_it(
    tmp_path: Path, make_record: Callable[..., dict], small_blocks: None
) -> None:
    lines = [json.dumps(make_record(f"record {number}")) for number in range(200)]
    path = tmp_path / "records"
    path.write_bytes(gzip.compress("\n".join(lines).encode(), compresslevel=0)[:-4000])
    found = []
    with pytest.raises(ValueError, match=f"{re.escape(str(path))}: damaged gzip file"):
        for entry in read_entries([path], OPTIONS, FORM, num_processes=2):
            found.append(entry)
    assert 150 < len(found) < 200
    assert not multiprocessing.active_children()


@pytest.mark.parametrize("pipe_bytes", [4096, 1 << 20])
def test_a_killed_process_ends_the_reading_with_advice(
    records: Callable[..., Path],
    make_record: Callable[..., dict],
    monkeypatch: pytest.MonkeyPatch,
    pipe_bytes: int,
) -> None:
    monkeypatch.setattr("data_preprocess.parallel_reading._PIPE_BYTES", pipe_bytes)
    path = records(*(make_record(f"record {number}", question="q" * 4000) for number in range(1000)))
    entries = read_entries([path], OPTIONS, FORM, num_processes=2)
    next(entries)
    time.sleep(0.5)  # with the small pipe both are then in the middle of a message
    for process in multiprocessing.active_children():
        process.kill()
    with pytest.raises(OSError, match=r"was killed, .* set num_read_processes=1"):
        list(entries)
    assert not multiprocessing.active_children()


class _Local(Exception):
    def __init__(self, one: int, two: int) -> None:
        super().__init__("one message")


@pytest.mark.parametrize(
    ("error", "kind", "text"),
    [
        (BadRow("column", "why"), BadRow, "column: why"),
        (MemoryError(), MemoryError, ""),
        (_Local(1, 2), RuntimeError, "_Local: one message"),
        (SystemExit(3), SystemExit, "3"),
    ],
)
def test_what_goes_wrong_in_a_process_is_raised_where_its_rows_are_read(
    records: Callable[..., Path],
    make_record: Callable[..., dict],
    monkeypatch: pytest.MonkeyPatch,
    error: BaseException,
    kind: type[BaseException],
    text: str,
) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr("data_preprocess.parallel_reading.read_row", fail)
    with pytest.raises(kind) as caught:
        list(read_entries([records(make_record("a"))], OPTIONS, FORM, num_processes=2))
    assert text in str(caught.value)
    assert "in fail" in "".join([*getattr(caught.value, "__notes__", ()), str(caught.value)])


def test_a_file_that_changes_while_it_is_read_is_refused(
    records: Callable[..., Path], make_record: Callable[..., dict]
) -> None:
    path = records(make_record("a"), make_record("b"))
    entries = read_entries([path], OPTIONS, FORM)
    next(entries)
    with path.open("a") as file:
        file.write(json.dumps(make_record("c")))
    with pytest.raises(ValueError, match=f"{re.escape(str(path))}: changed while it was read"):
        list(entries)


def test_a_number_of_processes_below_one_is_refused(
    records: Callable[..., Path], make_record: Callable[..., dict]
) -> None:
    with pytest.raises(ValueError, match="num_processes must be at least 1, got 0"):
        list(read_entries([records(make_record("a"))], OPTIONS, FORM, num_processes=0))


def test_the_processes_end_with_the_one_that_started_them(
    records: Callable[..., Path], make_record: Callable[..., dict]
) -> None:
    path = records(*(make_record(f"record {number}", question="q" * 4000) for number in range(1000)))
    code = (
        "import multiprocessing, sys; from pathlib import Path; sys.path.insert(0, sys.argv[1])\n"
        "from data_preprocess.case_policy import PublicPolicy\n"
        "from data_preprocess.parallel_reading import read_problems\n"
        "from data_preprocess.reading import ReadOptions\n"
        "options = ReadOptions('user', PublicPolicy(), None)\n"
        "problems = read_problems([Path(sys.argv[2])], options, num_processes=2); next(problems)\n"
        "print(*(process.pid for process in multiprocessing.active_children()), flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", code, str(ROOT), str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        pids = process.stdout.readline().split()
        process.kill()
    assert len(pids) == 2
    deadline = time.monotonic() + 30
    while any(map(_is_alive, pids)):
        assert time.monotonic() < deadline, "they wait for ever to be read"
        time.sleep(0.05)


def _is_alive(pid: str) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.parametrize("num_processes", [1, 2])
def test_ctrl_c_while_rows_are_read_ends_the_run_at_once(
    tmp_path: Path, records: Callable[..., Path], make_record: Callable[..., dict], num_processes: int
) -> None:
    path = records(*(make_record(f"record {number}") for number in range(20_000)))
    many = ",".join([str(path)] * 100)  # half a minute
    command = [
        *(sys.executable, "data_preprocess/preprocess.py", *_ONLY_RL),
        *(f"input=[{many}]", f"output_dir={tmp_path / 'out'}", f"num_read_processes={num_processes}"),
    ]
    with subprocess.Popen(
        command, cwd=ROOT, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        rejects = tmp_path / "out.partial" / REJECTS
        while not (rejects.exists() and rejects.stat().st_size):
            assert process.poll() is None
            time.sleep(0.05)
        os.killpg(process.pid, signal.SIGINT)
        _, errors = process.communicate()
    assert (process.returncode, errors) == (130, "interrupted\n")
    assert list(tmp_path.iterdir()) == [path]
