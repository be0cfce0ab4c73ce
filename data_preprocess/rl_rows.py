"""RL rows and the columns that they become.

There may be millions of them: the columns are made of buffers here, because ``pyarrow.array`` takes longer
and imports pandas first.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from itertools import accumulate
from typing import NamedTuple

import pyarrow as pa

AGENT_NAME = "code_agentic"
# large_string: a column chunk of plain strings overflows at 2 GB.
TEXT = pa.large_string()
_REWARD_MODEL = pa.struct([("style", TEXT), ("ground_truth", TEXT)])
_EXTRA_INFO = pa.struct(
    [("split", TEXT), ("index", pa.int64()), ("query_id", TEXT), ("difficulty", TEXT), ("family", TEXT)]
)
RL_SCHEMA = pa.schema(
    [
        ("data_source", TEXT),
        ("prompt", TEXT),
        ("ability", TEXT),
        ("reward_model", _REWARD_MODEL),
        ("extra_info", _EXTRA_INFO),
        ("agent_name", TEXT),
    ]
)


class RlRow(NamedTuple):
    """What differs between verl's rows; prompt and problem are JSON: no parquet struct null-fills that.

    ``number`` is the row's ``index`` in its split.
    """

    data_source: str
    prompt: str
    ground_truth: str
    split: str
    number: int
    query_id: str
    difficulty: str | None
    family: str | None


def rl_batch(rows: Sequence[RlRow]) -> pa.RecordBatch:
    """At least one row, as columns of ``RL_SCHEMA``."""
    source, prompt, ground_truth, split, number, query_id, difficulty, family = zip(*rows, strict=True)
    num_rows = len(rows)
    reward_model = [_repeated("rule", num_rows), text_column(ground_truth)]
    extra_info = [
        text_column(split),
        pa.Array.from_buffers(pa.int64(), num_rows, [None, pa.py_buffer(array("q", number))]),
        *map(text_column, (query_id, difficulty, family)),
    ]
    columns = [
        text_column(source),
        text_column(prompt),
        _repeated("code", num_rows),
        pa.StructArray.from_arrays(reward_model, fields=list(_REWARD_MODEL)),
        pa.StructArray.from_arrays(extra_info, fields=list(_EXTRA_INFO)),
        _repeated(AGENT_NAME, num_rows),
    ]
    return pa.RecordBatch.from_arrays(columns, schema=RL_SCHEMA)


def text_column(texts: Sequence[str | None]) -> pa.LargeStringArray:
    """``pa.array(texts, pa.large_string())``."""
    first = texts[0] if texts else None
    if texts.count(first) == len(texts):
        return _repeated(first, len(texts))
    present = None
    if None in texts:
        bits = "".join("0" if text is None else "1" for text in reversed(texts))
        present = pa.py_buffer(int(bits, 2).to_bytes(len(texts) // 8 + 1, "little"))
    encoded = [b"" if text is None else text.encode() for text in texts]
    ends = pa.py_buffer(array("q", accumulate(map(len, encoded), initial=0)))
    return pa.Array.from_buffers(TEXT, len(texts), [present, ends, pa.py_buffer(b"".join(encoded))])


def _repeated(text: str | None, count: int) -> pa.LargeStringArray:
    if text is None:
        return pa.nulls(count, TEXT)
    encoded = text.encode()
    ends = pa.py_buffer(array("q", (index * len(encoded) for index in range(count + 1))))
    return pa.Array.from_buffers(TEXT, count, [None, ends, pa.py_buffer(encoded * count)])
