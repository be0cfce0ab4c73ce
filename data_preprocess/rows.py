"""Rows of a file, one at a time, whatever the file's container: JSON array, JSON lines, gzip, parquet.

Owns reading and what a rejected row looks like. Does not know what the columns mean (``formats``). Nothing
here holds more than some rows (one, if it is large) and one read block in memory, because a file may be
larger than memory; a row that can't be read is reported and the next one is tried.
"""

from __future__ import annotations

import codecs
import gzip
import itertools
import json
import re
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, NamedTuple, cast

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from data_preprocess.json_text import read_json

_BLOCK_CHARS = 1 << 20
_CHUNK_ROWS = 256
_CHUNK_CHARS = 4 << 20
# A longer row is no record but an accident or a decompression bomb.
MAX_ROW_CHARS = 1 << 30
_GZIP_MAGIC = b"\x1f\x8b"
_PARQUET_MAGIC = b"PAR1"
_CUT_OFF = "\0cut off"
_NOT_UTF8 = re.compile("[\udc80-\udcff]")
# Everything that can change the nesting depth of a JSON text, and what hides it.
_JSON_MARKS = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{},]|"', re.DOTALL)


class Row(NamedTuple):
    """One record as it stands in the file; ``number`` is the 1-based row (JSON lines: the line)."""

    file: str
    number: int
    values: Mapping[str, Any]


class Reject(msgspec.Struct, frozen=True, array_like=True, tag=True, gc=False):
    """A row that is left out, and why.

    Attributes:
        file: Path of the file.
        row: 1-based row.
        column: Column at fault; empty when the row as a whole is.
        reason: What is wrong with it and, where it helps, what to do.
    """

    file: str
    row: int
    column: str
    reason: str

    def __str__(self) -> str:
        column = f", column {self.column}" if self.column else ""
        return f"{self.file}: row {self.row}{column}: {self.reason}"


class BadRow(ValueError):
    """Raised by a format for a row it can't take; becomes a ``Reject``."""

    def __init__(self, column: str, reason: str) -> None:
        super().__init__(f"{column}: {reason}")
        self.column = column
        self.reason = reason


@dataclass(frozen=True, slots=True)
class RawRows:
    """Neighbouring rows of a file as they stand there, for ``parse_rows``; cheap to send to another process.

    Attributes:
        file: Path of the file.
        texts: (row number, JSON text) of each; empty where ``batch`` is given.
        batch: Rows of a parquet file.
        first: Row number of the batch's first row.
    """

    file: str
    texts: tuple[tuple[int, str], ...] = ()
    batch: pa.RecordBatch | None = None
    first: int = 0

    @property
    def num_rows(self) -> int:
        """How many they are."""
        return len(self.texts) if self.batch is None else self.batch.num_rows


class _RowTooLong(Exception):
    """Its message is the row's number."""


def read_rows(path: Path) -> Iterator[Row | Reject]:
    """All rows of one file in file order.

    Raises:
        OSError: When the file can't be opened.
        ValueError: When it is no such container or breaks off in the middle.
    """
    for raw in raw_rows(path):
        yield from parse_rows(raw)


def raw_rows(path: Path) -> Iterator[RawRows]:
    """All rows of one file in file order, some at a time and not parsed yet.

    Raises:
        OSError: When the file can't be opened.
        ValueError: When it is no such container or breaks off in the middle.
    """
    if container_of(path) == "parquet":
        return _parquet_rows(path)
    return _json_rows(path)


def container_of(path: Path) -> str:
    """``parquet``, ``JSON``, or ``gzipped JSON`` (array or lines), by the first bytes.

    Raises:
        OSError: When the file can't be opened.
        ValueError: When it is empty.
    """
    with path.open("rb") as file:
        start = file.read(4)
    if not start:
        raise ValueError(f"{path}: the file is empty")
    if start == _PARQUET_MAGIC:
        return "parquet"
    return "gzipped JSON" if start.startswith(_GZIP_MAGIC) else "JSON"


def parse_rows(raw: RawRows) -> Iterator[Row | Reject]:
    """The rows, or what is wrong with them."""
    if raw.batch is not None:
        for number, values in enumerate(raw.batch.to_pylist(), start=raw.first):
            yield Row(raw.file, number, values)
    for number, text in raw.texts:
        yield _parsed(raw.file, number, text)


def parquet_schema(path: Path) -> pa.Schema | None:
    """The schema of a parquet file, None for any other."""
    with path.open("rb") as file:
        if file.read(4) != _PARQUET_MAGIC:
            return None
    try:
        return pq.read_schema(path)
    except pa.ArrowException as error:
        raise ValueError(f"{path}: not a readable parquet file: {error}") from error


def _parquet_rows(path: Path) -> Iterator[RawRows]:
    number = 1
    try:
        # Buffered, or a whole row group would be read at once.
        with pq.ParquetFile(path, buffer_size=_BLOCK_CHARS, pre_buffer=False) as file:
            for group in range(file.metadata.num_row_groups):
                size = file.metadata.row_group(group)
                row_bytes = max(1, size.total_byte_size // max(1, size.num_rows))
                rows = max(1, min(_CHUNK_ROWS, _CHUNK_CHARS // row_bytes))
                for batch in file.iter_batches(batch_size=rows, row_groups=[group]):
                    yield RawRows(str(path), batch=batch, first=number)
                    number += batch.num_rows
    except pa.ArrowException as error:
        raise ValueError(f"{path}: not a readable parquet file: {error}") from error


def _json_rows(path: Path) -> Iterator[RawRows]:
    gzipped = container_of(path) != "JSON"
    pending: list[tuple[int, str]] = []
    num_chars = 0
    try:
        with gzip.open(path, "rb") if gzipped else path.open("rb") as opened:
            blocks = _text_blocks(cast(IO[bytes], opened))
            first, first_char = "", ""
            for block in blocks:
                first += block
                first_char = first.lstrip("\ufeff \t\r\n")[:1]
                if first_char:
                    break
            if first_char not in ("{", "["):
                raise ValueError(f"{path}: neither JSON, JSON lines nor parquet (gzipped or not)")
            texts = array_items(first, blocks) if first_char == "[" else _lines(first, blocks)
            for number, text in texts:
                if text.isspace() or not text:
                    continue
                pending.append((number, text))
                num_chars += len(text)
                if len(pending) == _CHUNK_ROWS or num_chars >= _CHUNK_CHARS:
                    yield RawRows(str(path), tuple(pending))
                    pending, num_chars = [], 0
            if pending:
                yield RawRows(str(path), tuple(pending))
    except _RowTooLong as error:
        raise ValueError(f"{path}: row {error} is longer than {MAX_ROW_CHARS:,} characters") from error
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise ValueError(f"{path}: damaged gzip file: {error}") from error


def _text_blocks(file: IO[bytes]) -> Iterator[str]:
    """UTF-8 text; bytes that are no UTF-8 become lone surrogates, by which ``_parsed`` knows the row."""
    decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
    while block := file.read(_BLOCK_CHARS):
        yield decoder.decode(block)
    yield decoder.decode(b"", final=True)


def _lines(first: str, blocks: Iterator[str]) -> Iterator[tuple[int, str]]:
    # Only "\n" ends a line: str.splitlines would also cut at U+2028 inside a JSON string.
    pieces: list[str] = []
    number = num_chars = 0
    for block in _chained(first, blocks):
        *complete, rest = block.split("\n")
        for text in complete:
            number += 1
            yield number, "".join([*pieces, text])
            pieces, num_chars = [], 0
        pieces.append(rest)
        num_chars += len(rest)
        if num_chars > MAX_ROW_CHARS:
            raise _RowTooLong(number + 1)
    yield number + 1, "".join(pieces)


def array_items(first: str, blocks: Iterator[str]) -> Iterator[tuple[int, str]]:
    """The texts of a JSON array's items, found by nesting depth so that a broken item spoils only itself."""
    depth, number, item, rest = 0, 0, "", ""
    wait_for_chars = 0
    for block in itertools.chain(_chained(first, blocks), ("",)):
        text = rest + block
        if block and len(text) < wait_for_chars:
            rest = text
            continue
        position = 0
        taken = 0
        for mark in _JSON_MARKS.finditer(text):
            token = mark.group()
            if token == '"':  # a string that goes on in the next block
                break
            position = mark.end()
            if token in "[{":
                depth += 1
                if depth == 1:
                    taken = position
            elif token in "]}":
                depth -= 1
            if (depth == 1 and token == ",") or (depth == 0 and token == "]"):
                number += 1
                yield number, item + text[taken : mark.start()]
                item, taken = "", position
            if depth <= 0 and token == "]":
                return
        else:
            position = len(text)
        item += text[taken:position] if depth else ""
        rest = text[position:]
        if len(item) + len(rest) > MAX_ROW_CHARS:
            raise _RowTooLong(number + 1)
        # A string of many blocks is looked at again only when it has doubled.
        wait_for_chars = 2 * len(rest)
    yield number + 1, f"{item}{rest}{_CUT_OFF}"


def _chained(first: str, blocks: Iterator[str]) -> Iterator[str]:
    yield first.lstrip("\ufeff")
    yield from blocks


def _parsed(file: str, number: int, text: str) -> Row | Reject:
    if text.endswith(_CUT_OFF):
        return Reject(file, number, "", "broken JSON: the array ends here without its closing bracket")
    if not text.isascii() and _NOT_UTF8.search(text):
        return Reject(file, number, "", "not UTF-8 text")
    try:
        values = read_json(text)
    except json.JSONDecodeError as error:
        problem = error.msg.removesuffix(" at")
        return Reject(file, number, "", f"broken JSON: {problem} at character {error.pos + 1}")
    except ValueError as error:
        return Reject(file, number, "", f"broken JSON: {error}")
    if not isinstance(values, dict):
        return Reject(file, number, "", f"a record must be a JSON object, not {type(values).__name__}")
    return Row(file, number, values)
