"""``inspect``: what a file is and what would be rejected, on one screen and without writing anything."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from data_preprocess.parquet_files import MANIFEST
from verl_ext.sandbox.languages import LANGUAGES, Language


def test_it_tells_container_format_columns_cases_and_rejects(
    tmp_path: Path,
    records: Callable[..., Path],
    make_record: Callable[..., dict],
    run: Callable[..., int],
    capsys: pytest.CaptureFixture[str],
) -> None:
    call = {"fn_name": "f", "inputs": [[1]], "outputs": [2]}
    path = records(
        make_record("one"),
        make_record("two", input_output=call),
        make_record("one"),
        "{broken",
        "{",
        '{"a": 1}',
    )
    before = set(tmp_path.iterdir())
    assert run("inspect", str(path)) == 0
    printed = capsys.readouterr().out
    for part in (
        f"{path}: JSON, {path.stat().st_size:,} bytes, format user (detected)",
        "query_id (str)",
        "input_output (dict)",
        "rows: 6, of which 2 become problems and 4 would be rejected",
        "stdin 1, call 1",
        "python 2",
        "cases: 4, 2.0 per problem, at most 3; the largest problem is one with",
        "with a reference program: 2",
        f"{path}: row 3, column query_id: duplicate of 'one' in {path} row 1",
        f"{path}: row 4: broken JSON",
        f"{path}: row 6, column question: missing",
    ):
        assert part in printed, printed
    assert set(tmp_path.iterdir()) == before


def test_a_format_can_be_asked_for_and_parquet_says_its_types(
    tmp_path: Path, run: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "rows.parquet"
    record = {"question": "q", "solutions": "[]", "input_output": '{"inputs": ["1"], "outputs": ["2"]}'}
    pq.write_table(pa.Table.from_pylist([record]), path)
    assert run("inspect", str(path), "format=apps") == 0
    printed = capsys.readouterr().out
    assert "parquet" in printed and "format apps (asked for)" in printed
    assert "question (string)" in printed and "1 become problems" in printed


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "inspect needs a file"),
        (("absent.jsonl",), "absent.jsonl: No such file"),
        (("empty.jsonl",), "empty.jsonl: the file is empty"),
        (("numbers.jsonl",), "numbers.jsonl: unknown format: the columns found are number"),
        (("bad.jsonl",), "bad.jsonl: no row is usable"),
        (("bad.jsonl", "format=nonsense"), "format=nonsense is not one of auto"),
        (("bad.jsonl", "formt=user"), "unknown config key 'formt'"),
    ],
)
def test_a_file_that_gives_nothing_is_one_line_and_exit_code_2(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    run: Callable[..., int],
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    said: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("empty.jsonl").write_text("")
    Path("numbers.jsonl").write_text('{"number": 1}\n')
    Path("bad.jsonl").write_text('{"question": "q"}\n')
    assert run("inspect", *arguments) == 2
    printed = capsys.readouterr().err
    assert printed.startswith("error: ") and printed.count("\n") == 1, printed
    assert said in printed


@pytest.mark.parametrize(
    ("sandbox", "said"), [((), True), (("code_agentic.sandbox.endpoint=http://127.0.0.1:9",), False)]
)
def test_a_language_that_the_embedded_sandbox_lacks_is_named(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    records: Callable[..., Path],
    make_record: Callable[..., dict],
    run: Callable[..., int],
    capsys: pytest.CaptureFixture[str],
    sandbox: tuple[str, ...],
    said: bool,
) -> None:
    monkeypatch.setitem(LANGUAGES, "julia", Language("main.jl", run=("no-such-julia", "main.jl")))
    foreign = (make_record(f"j{n}", language="julia", reference=None) for n in range(3))
    path = records(make_record("p", reference=None), *foreign)
    assert run("inspect", str(path), *sandbox) == 0
    line = "problems in julia: 3, and the embedded sandbox of this machine lacks no-such-julia: "
    assert (f"  {line}" in capsys.readouterr().out) == said
    assert run("data=user", f"input={path}", f"output_dir={tmp_path}/out", *sandbox) == 0
    assert (f"note: {line}" in capsys.readouterr().out) == said
    manifest = json.loads((tmp_path / "out" / MANIFEST).read_text())
    missing = {"julia": {"problems": 3, "missing": "no-such-julia"}}
    assert manifest["missing_toolchains"] == (missing if said else {})


def test_every_kind_of_reject_is_shown(
    records: Callable[..., Path],
    make_record: Callable[..., dict],
    run: Callable[..., int],
    capsys: pytest.CaptureFixture[str],
) -> None:
    kinds = ({"starter_code": 1}, {"language": "cobol"}, {"question": " "}, {"reference": []}, {"prompt": {}})
    rows = [
        make_record(f"r{n}", **changed) for n, changed in enumerate((*kinds, {"family": 1}, {"fn_name": 2}))
    ]
    assert run("inspect", str(records(make_record("p"), *rows))) == 0
    printed = capsys.readouterr().out
    assert printed.count("rejected 1 times, for example: ") == 7 and "times more" not in printed
