"""Which ``query_id`` was where, on disk: there may be more of them than memory holds."""

from __future__ import annotations

import sqlite3
from types import TracebackType
from typing import Self


class SeenIds:
    """Remembers the place of every id; a context manager, whose file is gone afterwards."""

    def __init__(self) -> None:
        # An empty name is a temporary file that SQLite itself removes; it is written only beyond the cache.
        self._database = sqlite3.connect("", isolation_level=None)
        self._database.execute("PRAGMA cache_size = -32768")
        self._database.execute("CREATE TABLE seen (id TEXT PRIMARY KEY, place TEXT) WITHOUT ROWID")
        self._database.execute("BEGIN")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Forgets everything."""
        self._database.close()

    def first_place(self, query_id: str, place: str) -> str | None:
        """Where the id was seen before; None the first time, when ``place`` is noted."""
        done = self._database.execute("INSERT OR IGNORE INTO seen VALUES (?, ?)", (query_id, place))
        if done.rowcount:
            return None
        return self._database.execute("SELECT place FROM seen WHERE id = ?", (query_id,)).fetchone()[0]
