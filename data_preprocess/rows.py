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
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import IO, Any, NamedTuple, cast

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from data_preprocess.json_text import read_json

_BLOCK_BYTES = 1 << 18
_CHUNK_ROWS = 256
_CHUNK_BYTES = 4 << 20
# A longer row is no record but an accident or a decompression bomb.
MAX_ROW_CHARS = 1 << 30
_GZIP_MAGIC = b"\x1f\x8b"
_PARQUET_MAGIC = b"PAR1"
_NOT_UTF8 = re.compile("[\udc80-\udcff]")
# The text of a JSON array up to the next sign that ends an item or changes the depth; so does a quote whose
# string does not end. Inside of an item a comma does not.
_STRING = r'"[^"\\]*+(?:\\.[^"\\]*+)*+"'
_BETWEEN_ITEMS, _INSIDE = (
    re.compile(rf"(?:[^{signs}]++|{_STRING})*+[{signs}]", re.DOTALL) for signs in (r'"\[\]{},', r'"\[\]{}')
)


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
        super().__init__(column, reason)
        self.column = column
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.column}: {self.reason}"


class RawRows(NamedTuple):
    """Neighbouring rows of a file as they stand there, for ``parse_rows``; nothing has looked at them yet.

    Attributes:
        file: Path of the file.
        first: Row number of the first of them.
        content: Whole JSON lines, or the texts of a JSON array's items, or rows of a parquet file.
    """

    file: str
    first: int
    content: bytes | list[str] | pa.RecordBatch


class _RowTooLong(Exception):
    """Its message is the row's number."""


class _CutOff(Exception):
    """A JSON array that has no end; its message is the number of its whole items."""


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
    content = raw.content
    if isinstance(content, pa.RecordBatch):
        for number, values in enumerate(content.to_pylist(), start=raw.first):
            yield Row(raw.file, number, values)
        return
    if isinstance(content, bytes):
        # Bytes that are no UTF-8 become lone surrogates, by which ``_parsed`` knows the row. Only "\n" ends a
        # line: str.splitlines would also cut at U+2028 inside a JSON string.
        content = content.decode("utf-8", "surrogateescape").split("\n")
    for number, text in enumerate(content, start=raw.first):
        if text and not text.isspace():
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
        with pq.ParquetFile(path, buffer_size=_BLOCK_BYTES, pre_buffer=False) as file:
            for group in range(file.metadata.num_row_groups):
                size = file.metadata.row_group(group)
                row_bytes = max(1, size.total_byte_size // max(1, size.num_rows))
                rows = max(1, min(_CHUNK_ROWS, _CHUNK_BYTES // row_bytes))
                for batch in file.iter_batches(batch_size=rows, row_groups=[group]):
                    yield RawRows(str(path), number, batch)
                    number += batch.num_rows
    except pa.ArrowException as error:
        raise ValueError(f"{path}: not a readable parquet file: {error}") from error


def _json_rows(path: Path) -> Iterator[RawRows]:
    gzipped = container_of(path) != "JSON"
    try:
        with gzip.open(path, "rb") if gzipped else path.open("rb") as opened:
            file = cast(IO[bytes], opened)
            start = b""
            while not start.strip() and (block := file.read(_BLOCK_BYTES)):
                start = (start + block).removeprefix(codecs.BOM_UTF8)
            first_char = start.lstrip()[:1]
            if first_char not in (b"{", b"["):
                raise ValueError(f"{path}: neither JSON, JSON lines nor parquet (gzipped or not)")
            for number, content in (_some_items if first_char == b"[" else _some_lines)(start, file):
                yield RawRows(str(path), number, content)
    except _RowTooLong as error:
        raise ValueError(f"{path}: row {error} is longer than {MAX_ROW_CHARS:,} characters") from error
    except _CutOff as error:
        raise ValueError(
            f"{path}: the JSON array breaks off behind item {error}: no closing bracket, or a bracket or "
            "quote that is missing in the next item"
        ) from error
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise ValueError(f"{path}: damaged gzip file: {error}") from error


def _some_lines(start: bytes, file: IO[bytes]) -> Iterator[tuple[int, bytes]]:
    """(number of the first, whole lines), about a block at a time."""
    number, lines = 1, start
    while lines:
        if not lines.endswith(b"\n"):
            lines += (rest := file.readline(MAX_ROW_CHARS + 1))
            if len(rest) > MAX_ROW_CHARS:
                raise _RowTooLong(number + lines.count(b"\n"))
        yield number, lines
        number += lines.count(b"\n")
        lines = file.read(_BLOCK_BYTES)


def _some_items(start: bytes, file: IO[bytes]) -> Iterator[tuple[int, list[str]]]:
    """(number of the first, texts) of an array's items, about a block at a time."""
    number, num_chars = 1, 0
    pending: list[str] = []
    decode = codecs.getincrementaldecoder("utf-8")("surrogateescape").decode
    blocks = itertools.chain((start,), iter(partial(file.read, _BLOCK_BYTES), b""))
    for text in array_items(map(decode, blocks)):
        pending.append(text)
        num_chars += len(text)
        if num_chars >= _BLOCK_BYTES:
            yield number, pending
            number += len(pending)
            pending, num_chars = [], 0
    yield number, pending


def array_items(blocks: Iterable[str]) -> Iterator[str]:
    """The texts of a JSON array's items, found by nesting depth so that a broken item spoils only itself.

    Raises:
        _CutOff: When there is no end of the array.
        _RowTooLong: When an item is too long.
    """
    depth, number, item, rest = 0, 0, "", ""
    wait_for_chars = 0
    for block in itertools.chain(blocks, ("",)):
        text = rest + block
        if block and len(text) < wait_for_chars:
            rest = text
            continue
        position = taken = 0
        while mark := (_INSIDE if depth > 1 else _BETWEEN_ITEMS).match(text, position):
            end = mark.end()
            sign = text[end - 1]
            if sign == '"':  # it goes on in the next block
                position = end - 1
                break
            position = end
            if sign in "[{":
                depth += 1
                if depth == 1:
                    taken = position
            elif sign == "]" or (sign == "}" and depth > 1):  # one too many spoils its item only
                depth -= 1
            if (depth == 1 and sign == ",") or depth == 0:
                number += 1
                yield item + text[taken : end - 1]
                item, taken = "", position
            if depth == 0:
                return
        else:
            position = len(text)
        item += text[taken:position] if depth else ""
        rest = text[position:]
        if len(item) + len(rest) > MAX_ROW_CHARS:
            raise _RowTooLong(number + 1)
        # A string of many blocks is looked at again only when it has doubled.
        wait_for_chars = 2 * len(rest)
    raise _CutOff(number)


def _parsed(file: str, number: int, text: str) -> Row | Reject:
    if not text.isascii() and _NOT_UTF8.search(text):
        return Reject(file, number, "", "not UTF-8 text")
    try:
        values = read_json(text)
    except json.JSONDecodeError as error:
        problem = error.msg.removesuffix(" at")
        hint = "; a record is one line, or an item of an array" if error.pos >= len(text.rstrip()) else ""
        return Reject(file, number, "", f"broken JSON: {problem} at character {error.pos + 1}{hint}")
    except ValueError as error:
        return Reject(file, number, "", f"broken JSON: {error}")
    if not isinstance(values, dict):
        return Reject(file, number, "", f"a record must be a JSON object, not {type(values).__name__}")
    return Row(file, number, values)
