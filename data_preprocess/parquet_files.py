"""The parquet files: columns, rows written in row groups, and a folder that appears only when complete."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pyarrow as pa
import pyarrow.parquet as pq

from data_preprocess.rl_rows import RL_SCHEMA, TEXT, RlRow, rl_batch

MANIFEST = "manifest.json"
REJECTS = "rejects.jsonl"
SFT_SCHEMA = pa.schema(
    [
        ("messages", TEXT),
        ("tools", TEXT),
        ("query_id", TEXT),
        ("num_repairs", pa.int64()),
        ("bug_kinds", pa.list_(TEXT)),
        ("verdicts", pa.list_(TEXT)),
    ]
)
SCHEMAS = {
    "rl_train": RL_SCHEMA,
    "rl_val": RL_SCHEMA,
    "rl_test": RL_SCHEMA,
    "sft_train": SFT_SCHEMA,
    "sft_val": SFT_SCHEMA,
}
# Columns worth a dictionary: the others hold another text in every row.
_REPEATED = ["data_source", "ability", "agent_name", "reward_model.style", "extra_info.split", "tools"]
_ROW_GROUP_ROWS = 1000
_ROW_GROUP_CHARS = 64 << 20
# Processes of a killed run may still be about to end.
_LOCK_PATIENCE_S = 2.0


class OutputFolder:
    """Writes all files into a folder beside the final one and moves them there at the end.

    As a context manager: leaving it by an exception removes what was written, and what an earlier run left in
    the final folder stays as it was. The folder beside is locked, so that no two runs write the same.

    Attributes:
        counts: File stem -> rows written.
    """

    def __init__(self, output_dir: Path) -> None:
        self._final = output_dir.resolve()
        self._partial = self._final.with_name(f"{self._final.name}.partial")
        self._writers: dict[str, pq.ParquetWriter] = {}
        self._pending: dict[str, list[Any]] = {name: [] for name in SCHEMAS}
        self._pending_chars = dict.fromkeys(SCHEMAS, 0)
        self.counts = dict.fromkeys(SCHEMAS, 0)

    def __enter__(self) -> Self:
        if self._final.exists() and not self._final.is_dir():
            raise NotADirectoryError(20, "Not a folder (output_dir)", str(self._final))
        self._lock = self._locked()
        for left in self._partial.iterdir():
            if left.is_dir() and not left.is_symlink():
                shutil.rmtree(left)
            else:
                left.unlink()
        for name, schema in SCHEMAS.items():
            self._writers[name] = pq.ParquetWriter(
                self.path(name), schema, compression="zstd", use_dictionary=_REPEATED
            )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for writer in self._writers.values():
            writer.close()
        shutil.rmtree(self._partial, ignore_errors=True)
        os.close(self._lock)

    def _locked(self) -> int:
        """The folder beside, open and locked; the lock goes with the last process that has it open."""
        deadline = time.monotonic() + _LOCK_PATIENCE_S
        while time.monotonic() < deadline:
            self._partial.mkdir(parents=True, exist_ok=True)
            with suppress(FileNotFoundError):  # another run has just removed it
                lock = os.open(self._partial, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    if os.path.samestat(os.fstat(lock), self._partial.stat()):
                        return lock
                except BlockingIOError:
                    pass
                except OSError:
                    os.close(lock)
                    raise
                os.close(lock)
            time.sleep(0.05)
        raise OSError(
            f"another run is writing {self._final}: wait until it ends, or choose another output_dir"
        )

    @property
    def rejects_path(self) -> Path:
        """Where rejected rows are listed when the manifest can't hold them all."""
        return self._partial / REJECTS

    def path(self, name: str) -> Path:
        """Where a file is being written."""
        return self._partial / f"{name}.parquet"

    def add(self, name: str, row: RlRow | Mapping[str, Any]) -> None:
        """Appends one row, of an RL file or of another, to ``name`` (a key of ``SCHEMAS``)."""
        pending = self._pending[name]
        pending.append(row)
        self._pending_chars[name] += len(row.ground_truth if isinstance(row, RlRow) else row["messages"])
        if len(pending) >= _ROW_GROUP_ROWS or self._pending_chars[name] >= _ROW_GROUP_CHARS:
            self._flush(name)

    def finish_rows(self) -> None:
        """Closes the parquet files; afterwards they can be hashed."""
        for name, writer in self._writers.items():
            self._flush(name)
            writer.close()

    def publish(self, manifest: Mapping[str, Any]) -> None:
        """Moves everything into place; the manifest goes away first and comes back last."""
        text = json.dumps(manifest, indent=2, ensure_ascii=False, sort_keys=True) + "\n"
        (self._partial / MANIFEST).write_text(text, encoding="utf-8")
        self._final.mkdir(parents=True, exist_ok=True)
        (self._final / MANIFEST).unlink(missing_ok=True)
        (self._final / REJECTS).unlink(missing_ok=True)
        if self.rejects_path.exists():
            self.rejects_path.replace(self._final / REJECTS)
        for name in SCHEMAS:
            self.path(name).replace(self._final / f"{name}.parquet")
        (self._partial / MANIFEST).replace(self._final / MANIFEST)

    def _flush(self, name: str) -> None:
        rows = self._pending[name]
        if not rows:
            return
        if SCHEMAS[name] is RL_SCHEMA:
            batch = rl_batch(rows)
        else:
            batch = pa.RecordBatch.from_pylist(rows, schema=SCHEMAS[name])
        self._writers[name].write_batch(batch)
        self.counts[name] += len(rows)
        self._pending[name] = []
        self._pending_chars[name] = 0
