"""Rows come out of every container, and a bad one spoils only itself."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_preprocess.rows import Reject, Row, _CutOff, array_items, read_rows

ROWS = [{"a": 1, "text": 'quote " bracket ] brace } comma , \\ \u2028'}, {"a": 2, "text": "ü\n"}]


def _write(folder: Path, container: str) -> Path:
    path = folder / "rows"
    text = json.dumps(ROWS, indent=1) if "array" in container else "\n".join(map(json.dumps, ROWS))
    if container == "parquet":
        pq.write_table(pa.Table.from_pylist(ROWS), path)
    elif container.endswith("gz"):
        path.write_bytes(gzip.compress(text.encode()))
    else:
        path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("container", ["array", "array.gz", "lines", "lines.gz", "parquet"])
def test_every_container_gives_the_same_rows(tmp_path: Path, container: str) -> None:
    path = _write(tmp_path, container)
    assert list(read_rows(path)) == [Row(str(path), number, row) for number, row in enumerate(ROWS, start=1)]


@pytest.mark.parametrize(
    ("text", "row", "reason"),
    [
        ('{"a": 1}\n{"a": \n{"a": 3}', 2, "broken JSON"),
        ('{"a": 1}\n[1, 2]\n{"a": 3}', 2, "must be a JSON object"),
        ('[{"a": 1}, {"a" 2}, {"a": 3}]', 2, "broken JSON"),
        ('[{"a": 1}, 5, {"a": 3}]', 2, "must be a JSON object"),
        ('[{"a": 1}, {"a": 2}}, {"a": 3}]', 2, "broken JSON"),
        ('{"a": 1}\n\n{"b": "\udcff"}\n{"a": 3}', 3, "not UTF-8"),
        ('{"a": 1}\n{"b": ' + "[" * 100_000 + "\n" + '{"a": 3}', 2, "nested too deeply"),
    ],
)
def test_a_bad_row_is_rejected_with_its_number_and_the_rest_goes_on(
    tmp_path: Path, text: str, row: int, reason: str
) -> None:
    path = tmp_path / "rows"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    first, rejected, last = read_rows(path)
    assert isinstance(first, Row) and isinstance(last, Row) and last.values == {"a": 3}
    assert isinstance(rejected, Reject)
    assert (rejected.file, rejected.row) == (str(path), row)
    assert reason in rejected.reason


def test_an_array_that_breaks_off_says_so(tmp_path: Path) -> None:
    path = tmp_path / "rows"
    path.write_text('[{"a": 1}, {"a": 2},')
    with pytest.raises(
        ValueError, match=f"{path}: the JSON array breaks off behind item 2: no closing bracket"
    ):
        list(read_rows(path))


def test_an_object_over_several_lines_is_told_how_records_are_written(tmp_path: Path) -> None:
    path = tmp_path / "rows"
    path.write_text(json.dumps({"a": 1}, indent=2))
    first, *_ = read_rows(path)
    assert isinstance(first, Reject) and "a record is one line, or an item of an array" in first.reason


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "empty"),
        (b"hello", "neither JSON"),
        (b"PAR1 and nothing else", "not a readable parquet file"),
        (gzip.compress(b'{"a": 1}\n' * 9)[:-12], "damaged gzip"),
    ],
)
def test_a_file_that_is_no_container_is_refused_by_name(
    tmp_path: Path, content: bytes, complaint: str
) -> None:
    path = tmp_path / "broken"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=complaint) as caught:
        list(read_rows(path))
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("opening", ["", "["])
def test_a_row_that_inflates_without_end_is_refused_before_it_fills_the_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, opening: str
) -> None:
    monkeypatch.setattr("data_preprocess.rows.MAX_ROW_CHARS", 5 << 20)
    path = tmp_path / "bomb"
    path.write_bytes(
        gzip.compress(f'{opening}{{"a": 1}}{"," if opening else chr(10)}{{"a": "{"x" * (8 << 20)}'.encode())
    )
    with pytest.raises(ValueError, match="row 2 is longer than 5,242,880 characters"):
        list(read_rows(path))


_VALUES = st.recursive(
    st.none() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
)


@settings(max_examples=30, deadline=None)
@given(st.lists(_VALUES, min_size=1, max_size=4), st.integers(1, 7))
def test_an_array_is_cut_into_its_items_wherever_the_blocks_end(values: list, size: int) -> None:
    text = json.dumps(values)
    blocks = [text[start : start + size] for start in range(0, len(text), size)]
    found = [json.loads(item) for item in array_items(blocks)]
    assert found == values


@given(st.text(st.sampled_from('[]{},"\\ a\n')), st.integers(1, 7))
def test_of_a_broken_array_no_text_is_lost_between_its_items(text: str, size: int) -> None:
    text = f"[{text}"
    blocks = [text[start : start + size] for start in range(0, len(text), size)]
    items, end = [], "]"
    try:
        for item in array_items(blocks):
            items.append(item)
    except _CutOff:
        items, end = [*items, ""], ""
    assert text.startswith(f"[{','.join(items)}{end}")
