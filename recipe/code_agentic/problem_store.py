"""The problems of RL files by ``query_id``, kept on disk: as many as there are, in any order.

Needs pyarrow (extra ``data``) to read the files, nothing else.
"""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from verl_ext.grading.problem import Problem

_BATCH_ROWS = 256


class ProblemStore:
    """A temporary database, gone at the end of its block."""

    def __init__(self, files: Sequence[Path]) -> None:
        self._files = files
        self._folder = tempfile.TemporaryDirectory(prefix="problems-")
        self._database = sqlite3.connect(Path(self._folder.name) / "problems.sqlite", isolation_level=None)

    def __enter__(self) -> Self:
        """Reads the files.

        Raises:
            ValueError: When a file or row can't be read, or a ``query_id`` stands for two problems.
        """
        database = self._database
        for pragma in ("journal_mode=OFF", "synchronous=OFF"):
            database.execute(f"PRAGMA {pragma}")
        database.execute("CREATE TABLE problems (query_id TEXT PRIMARY KEY, problem TEXT)")
        database.execute("BEGIN")
        for file in self._files:
            for number, text in enumerate(_stored_problems(file), start=1):
                try:
                    query_id = Problem.from_json(text).query_id
                except (TypeError, ValueError) as error:
                    raise ValueError(f"{file}: row {number}: not an RL row: {error}") from error
                if (known := self._text(query_id)) not in (None, text):
                    raise ValueError(f"{file}: row {number}: {query_id} stands for another problem before")
                if known is None:
                    database.execute("INSERT INTO problems VALUES (?, ?)", (query_id, text))
        database.execute("COMMIT")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._database.close()
        self._folder.cleanup()

    def get(self, query_id: str) -> Problem | None:
        """The problem; None when the files have none of this name."""
        text = self._text(query_id)
        return None if text is None else Problem.from_json(text)

    def _text(self, query_id: str) -> str | None:
        row = self._database.execute(
            "SELECT problem FROM problems WHERE query_id = ?", (query_id,)
        ).fetchone()
        return None if row is None else row[0]


def _stored_problems(file: Path) -> Iterator[str]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(file) as parquet:
            for batch in parquet.iter_batches(batch_size=_BATCH_ROWS, columns=["reward_model"]):
                yield from (row["ground_truth"] for row in batch.column("reward_model").to_pylist())
    except (pa.ArrowException, KeyError, TypeError) as error:
        reason = (str(error) or type(error).__name__).splitlines()[0]
        raise ValueError(f"{file}: not a readable RL file: {reason}") from error
