"""Reading at scale: in processes, in order, from disk; and a killed run goes on where it was."""

from __future__ import annotations

import hashlib
import json
import math
import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import asdict

from data_preprocess.bugs import ProgramPool
from data_preprocess.case_policy import PublicPolicy
from data_preprocess.entries import Entry, RowForm
from data_preprocess.json_text import read_json
from data_preprocess.parallel_reading import read_entries
from data_preprocess.parquet_files import MANIFEST, REJECTS, SCHEMAS
from data_preprocess.progress import progress_bar
from data_preprocess.reading import ReadOptions
from data_preprocess.rejects import KEPT
from data_preprocess.rl_rows import RL_SCHEMA, RlRow, rl_batch, text_column
from data_preprocess.rows import Reject
from data_preprocess.run_store import RememberingSandbox, RunStore
from data_preprocess.seen_ids import SeenIds
from data_preprocess.source_hashes import start_hashing
from data_preprocess.spilled import SpilledProblems, SpilledTexts
from data_preprocess.splits import chunks
from data_preprocess.tasks import TASKS
from verl_ext.grading.compare import parse_json
from verl_ext.grading.grader import Grader, Limits
from verl_ext.grading.problem import Case, Problem
from verl_ext.sandbox.client import HttpSandbox
from verl_ext.sandbox.memory import InMemorySandbox, finished

ROOT = Path(__file__).resolve().parents[2]
FORM = RowForm(TASKS["debugging"], "full")
OPTIONS = ReadOptions("user", PublicPolicy(), None)


def _problem(name: str, **changed: object) -> Problem:
    return Problem(**{"query_id": name, "question": "q", "cases": (Case("1", "2"),), **changed})


def test_a_row_with_half_a_character_is_rejected_and_spoils_no_file(
    records: Callable[..., Path], make_record: Callable[..., dict]
) -> None:
    text = json.dumps(make_record("half", question="a lone \ud800 surrogate"))
    (reject,) = read_entries([records(text)], OPTIONS, FORM)
    assert isinstance(reject, Reject) and "no Unicode" in reject.reason


@given(st.text(max_size=40))
@settings(max_examples=200, deadline=None)
def test_json_is_read_fast_only_where_that_gives_the_same_value(text: str) -> None:
    for candidate in (
        text,
        json.dumps(text),
        f"[{text}]",
        f"[1{text}, 1e{text}, NaN]",
        "[" + "9" * 5000 + "]",
    ):
        try:
            exact = parse_json(candidate)
        except ValueError:
            with pytest.raises(ValueError):
                read_json(candidate)
            continue
        assert repr(read_json(candidate)) == repr(exact)


def test_a_problem_travels_unchanged() -> None:
    problem = _problem("ü", reference="print(1)\n", extra={"a": [1.5, None, "\u2028"]}, time_limit_s=2.0)
    assert Problem.from_json(problem.to_json()) == problem == Problem.from_json(problem.to_json().encode())
    written = {**asdict(problem), "cases": [asdict(case) for case in problem.cases]}
    assert Problem.from_json(json.dumps(written)) == problem
    assert json.loads(problem.to_json()).keys() == {
        *("query_id", "question", "cases", "reference", "extra", "time_limit_s")
    }


@given(
    st.dictionaries(
        st.text(max_size=5),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
            lambda inner: (
                st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
            ),
            max_leaves=5,
        ),
        max_size=3,
    )
)
@settings(max_examples=200, deadline=None)
def test_other_columns_travel_exactly(extra: dict) -> None:
    problem = _problem("p", extra=extra)
    # repr, because NaN is not equal to itself and 1 is equal to 1.0
    assert repr(Problem.from_json(problem.to_json()).extra) == repr(extra)


@pytest.mark.parametrize("value", [float("nan"), float("-inf"), 1e308, 10**30, -(2**70), ["\u2028", 0.1]])
def test_what_other_json_writers_lose_is_kept(value: object) -> None:
    problem = _problem("p", extra={"value": value})
    assert repr(Problem.from_json(problem.to_json())) == repr(problem)


@pytest.mark.parametrize("value", [b"bytes", date(2026, 1, 1), {1, 2}, Decimal(1)])
def test_what_is_no_json_is_refused_and_not_written_as_something_else(value: object) -> None:
    with pytest.raises(TypeError):
        _problem("p", extra={"value": value}).to_json()


@pytest.mark.parametrize(
    "changed", [{"question": "\ud800"}, {"extra": {"a": "\ud800"}}, {"extra": {"a": ["\ud800"]}}]
)
def test_half_a_character_is_refused_where_it_would_be_written(changed: dict) -> None:
    with pytest.raises(ValueError, match="no Unicode"):
        _problem("p", **changed).to_json()


@pytest.mark.parametrize(
    "changed",
    [
        {"question": None},
        {"question": 1},
        {"cases": [{"input": "1", "expected": None}]},
        {"cases": [{"input": 1, "expected": "2"}]},
        {"cases": [{"input": "1", "expected": "2", "public": "yes"}]},
        {"cases": [{"input": "1"}]},
        {"cases": [{"input": "1", "expected": "2", "unknown": 1}]},
        {"cases": [None]},
        {"cases": []},
        {"cases": {}},
        {"extra": []},
        {"time_limit_s": "2"},
        {"time_limit_s": math.nan, "memory_limit_mb": 1.5},
        {"unknown": 1},
        {"difficulty": "brutal"},
    ],
)
def test_a_stored_problem_with_a_wrong_field_is_refused(changed: dict) -> None:
    stored = {"query_id": "p", "question": "q", "cases": [{"input": "1", "expected": "2"}]}
    assert Problem.from_json(json.dumps(stored)) == _problem("p")
    with pytest.raises(ValueError, match="not a stored problem"):
        Problem.from_json(json.dumps({**stored, **changed}))


def test_hashes_are_there_when_they_are_asked_for_and_so_is_the_error(tmp_path: Path) -> None:
    (path := tmp_path / "a").write_bytes(b"abc")
    known = hashlib.sha256(b"abc").hexdigest()
    assert start_hashing([path, path]).result() == [(path, known), (path, known)]
    with pytest.raises(FileNotFoundError):
        start_hashing([tmp_path / "missing"]).result()


def test_spilled_sequences_give_back_what_was_put_in() -> None:
    texts, problems = SpilledTexts(), SpilledProblems()
    for number in range(300):
        texts.append(str(number).encode() * number)
        problems.append(_problem(str(number)).to_json())
    assert texts[7] == b"7777777" and texts[0] == b"" and len(texts) == 300
    assert [problem.query_id for problem in problems] == list(map(str, range(300)))
    assert [problem.query_id for problem in problems[3:5]] == ["3", "4"]
    with pytest.raises(IndexError):
        texts[300]


@given(st.lists(st.none() | st.text(max_size=5), max_size=20))
def test_a_column_of_texts_is_what_pyarrow_makes_of_them(texts: list[str | None]) -> None:
    column = text_column(texts)
    column.validate(full=True)
    assert column.equals(pa.array(texts, pa.large_string()))


def test_rl_rows_become_columns() -> None:
    rows = [
        RlRow("ü", "[1]", "{}", "train", 0, "a", None, "f"),
        RlRow("s", "[2]", "{3}", "train", 1, "b", "easy", None),
    ]
    batch = rl_batch(rows)
    batch.validate(full=True)
    assert batch.to_pylist()[1] == {
        "data_source": "s",
        "prompt": "[2]",
        "ability": "code",
        "reward_model": {"style": "rule", "ground_truth": "{3}"},
        "extra_info": {"split": "train", "index": 1, "query_id": "b", "difficulty": "easy", "family": None},
        "agent_name": "code_agentic",
    }
    assert batch.equals(pa.RecordBatch.from_pylist(batch.to_pylist(), schema=RL_SCHEMA))


def test_ids_that_went_to_disk_are_still_known() -> None:
    with SeenIds(max_in_memory=10) as seen:
        assert not any(seen.first_place(f"id {number}", f"row {number}") for number in range(35))
        assert [seen.first_place(f"id {number}", "again") for number in (0, 9, 10, 29, 34)] == [
            *("row 0", "row 9", "row 10", "row 29", "row 34")
        ]
        assert seen.first_place("new", "row 35") is None


_ONLY_RL = ("data=user", "verify=false", "sft.num_conversations=0", "sft.num_val_conversations=0")


def test_a_run_that_runs_no_program_does_not_import_what_takes_long(
    tmp_path: Path, records: Callable[..., Path], make_record: Callable[..., dict]
) -> None:
    path = records(make_record("a"))
    code = (
        "import sys; from data_preprocess.preprocess import main\n"
        "main()\n"
        "print(*sorted({'aiohttp', 'libcst', 'cosmic_ray', 'pandas', 'torch'} & set(sys.modules)))"
    )
    command = [sys.executable, "-c", code, *_ONLY_RL, f"input={path}", f"output_dir={tmp_path / 'out'}"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == ""
    assert (tmp_path / "out" / MANIFEST).exists()


def test_a_chunk_of_large_problems_ends_early() -> None:
    large = Entry.of(_problem("large", cases=(Case("x" * (40 << 20), "1"),)), FORM)
    small = Entry.of(_problem("small"), FORM)
    sizes = [len(chunk) for chunk in chunks([small, large, large, small, small], 2)]
    assert sizes == [2, 2, 1]
    assert [len(chunk) for chunk in chunks([large, large, large], 512)] == [2, 1]


def test_the_pool_of_programs_stops_growing() -> None:
    many = (_problem(f"p{number}", reference=f"print({number})") for number in range(12_000))
    pool = ProgramPool(many)
    (kept,) = pool._by_form.values()
    assert len(kept) == 10_000 == len(set(kept))
    assert max(int(program[6:-1]) for program in kept) >= 10_000


def test_more_rejects_than_the_manifest_holds_are_all_in_a_file_of_their_own(
    tmp_path: Path, records: Callable[..., Path], make_record: Callable[..., dict], run: Callable[..., int]
) -> None:
    path = records(make_record("good"), *(["{broken"] * (KEPT + 5)))
    arguments = ("data=user", f"input={path}", f"output_dir={tmp_path}/data", "verify=false")
    nothing = ("sft.num_conversations=0", "sft.num_val_conversations=0")
    assert run(*arguments, *nothing) == 0
    manifest = json.loads((tmp_path / "data" / MANIFEST).read_text())
    assert (manifest["num_rejects"], len(manifest["rejects"])) == (KEPT + 5, KEPT)
    listed = (tmp_path / "data" / REJECTS).read_text().splitlines()
    assert [json.loads(line)["row"] for line in listed] == list(range(2, KEPT + 7))
    path.write_text(json.dumps(make_record("good")))
    assert run(*arguments, *nothing) == 0
    assert not (tmp_path / "data" / REJECTS).exists()


def test_a_log_stays_free_of_progress_in_the_first_minute(capfd: pytest.CaptureFixture[str]) -> None:
    with progress_bar("records", "record") as progress:
        progress.update(1000)
    assert capfd.readouterr().err == ""


async def test_a_finished_run_is_answered_from_the_store(tmp_path: Path, sandbox_endpoint: str) -> None:
    stdin = (Case("1", "2"), Case("2", "3"))
    call = (Case("[1]", "2", "f"), Case("[5]", "7", "f"))
    programs = ((stdin, "print(int(input()) + 1)"), (call, "def f(x):\n    return x + 1"))
    path = tmp_path / "data.runs"
    with RunStore(path) as store:
        async with HttpSandbox(sandbox_endpoint) as sandbox:
            grader = Grader(RememberingSandbox(sandbox, store), cache_size=0)
            first = [await grader.grade(program, cases) for cases, program in programs]
    assert [grade.num_passed for grade in first] == [2, 1] and path.exists()

    def refuse(request: object) -> object:
        raise AssertionError("this was run before")

    with RunStore(path) as store:
        assert store.num_earlier == 4
        grader = Grader(RememberingSandbox(InMemorySandbox(refuse), store), cache_size=0)
        assert [await grader.grade(program, cases) for cases, program in programs] == first
        with pytest.raises(AssertionError, match="run before"):
            await Grader(RememberingSandbox(InMemorySandbox(refuse), store), Limits(time_s=1)).grade(
                programs[0][1], stdin
            )
        store.finish()
    assert not list(tmp_path.iterdir())


async def test_what_the_store_lacks_is_run_and_comes_in_order(tmp_path: Path) -> None:
    asked: list[str | None] = []

    def answer(request: object) -> object:
        asked.append(request.stdin)
        return finished(request.stdin)

    with RunStore(tmp_path / "data.runs") as store:
        grader = Grader(RememberingSandbox(InMemorySandbox(answer), store), cache_size=0)
        await grader.grade("p", [Case("1", "1")])
        grade = await grader.grade("p", [Case("1", "1"), Case("2", "2"), Case("3", "4")])
        assert [result.passed for result in grade.results] == [True, True, False]
        assert asked == ["1", "2", "3"]


def test_a_killed_run_goes_on_where_it_was_and_ends_with_the_same_files(
    tmp_path: Path, records: Callable[..., Path], make_record: Callable[..., dict], sandbox_endpoint: str
) -> None:
    reference = "import time\ntime.sleep(0.1)\nn = int(input())\nprint(n + 3)"
    path = records(*(make_record(f"record {number}", reference=reference) for number in range(24)))

    def command(folder: str) -> list[str]:
        return [
            sys.executable,
            str(ROOT / "data_preprocess" / "preprocess.py"),
            "data=user",
            f"input={path}",
            f"output_dir={tmp_path}/{folder}",
            f"code_agentic.sandbox.endpoint={sandbox_endpoint}",
            "num_parallel=2",
            "num_read_processes=2",
            "sft.num_conversations=6",
            "sft.num_val_conversations=0",
            "bugs.kinds=[wrong_constant, operator_swap]",
        ]

    done = subprocess.run(command("whole"), capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    runs = tmp_path / "killed.runs"
    with subprocess.Popen(command("killed"), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        while process.poll() is None and _num_runs(runs) < 9:
            time.sleep(0.02)
        os.kill(process.pid, signal.SIGKILL)
    assert _num_runs(runs) >= 9 and not (tmp_path / "killed").exists()
    done = subprocess.run(command("killed"), capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    assert "going on where an earlier start was" in done.stdout
    for name in SCHEMAS:
        one, other = (tmp_path / folder / f"{name}.parquet" for folder in ("whole", "killed"))
        assert one.read_bytes() == other.read_bytes(), name
    assert not list(tmp_path.glob("*.runs*")) and not list(tmp_path.glob("*.partial"))


def test_what_an_earlier_start_had_run_does_not_count_as_run(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    records: Callable[..., Path],
    make_record: Callable[..., dict],
    run: Callable[..., int],
    sandbox_endpoint: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(RunStore, "finish", lambda self: None)  # as if killed just before
    path = records(*(make_record(f"record {number}") for number in range(3)))
    counts = []
    for _ in range(2):
        assert run(
            f"input={path}", "data=user", f"output_dir={tmp_path}/out", "num_parallel=1",
            f"code_agentic.sandbox.endpoint={sandbox_endpoint}",
            "splits.val_share=0", "splits.test_share=0",
            "sft.num_conversations=6", "sft.num_val_conversations=0",
        ) == 0  # fmt: skip
        said = re.search(
            r"runs of programs: (\d+) in this start, (\d+) known from an earlier one",
            capsys.readouterr().out,
        )
        assert said is not None
        counts.append([int(number) for number in said.groups()])
    (num_run, num_reused), again = counts
    assert num_run > 0 and num_reused == 0
    assert again[0] == 0 and again[1] >= num_run  # one result may be asked for twice


def _num_runs(path: Path) -> int:
    if not path.exists():
        return 0
    try:
        with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as database:
            return database.execute("SELECT count(*) FROM result").fetchone()[0]
    except sqlite3.Error:
        return 0
