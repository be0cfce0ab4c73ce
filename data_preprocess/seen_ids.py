"""Which ``query_id`` was where; beyond some number on disk, because there may be more than memory holds."""

from __future__ import annotations

import sqlite3
from types import TracebackType
from typing import Self

# About 60 MB.
_IN_MEMORY = 1 << 18


class SeenIds:
    """Remembers the place of every id; a context manager, whose file is gone afterwards."""

    def __init__(self, max_in_memory: int = _IN_MEMORY) -> None:
        """Remembers nothing yet.

        Args:
            max_in_memory: Ids that are kept in memory before they go to the file.
        """
        self._max_in_memory = max_in_memory
        self._recent: dict[str, str] = {}
        self._database: sqlite3.Connection | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Forgets everything."""
        self._recent.clear()
        if self._database is not None:
            self._database.close()
            self._database = None

    def first_place(self, query_id: str, place: str) -> str | None:
        """Where the id was seen before; None the first time, when ``place`` is noted."""
        known = self._recent.get(query_id)
        if known is None and self._database is not None:
            row = self._database.execute("SELECT place FROM seen WHERE id = ?", (query_id,)).fetchone()
            known = row[0] if row else None
        if known is None:
            self._recent[query_id] = place
            if len(self._recent) >= self._max_in_memory:
                self._spill()
        return known

    def _spill(self) -> None:
        if self._database is None:
            # An empty name is a temporary file that SQLite removes; it is written only beyond the cache.
            self._database = sqlite3.connect("", isolation_level=None)
            self._database.execute("PRAGMA cache_size = -32768")
            self._database.execute("CREATE TABLE seen (id TEXT PRIMARY KEY, place TEXT) WITHOUT ROWID")
            self._database.execute("BEGIN")
        # In the order of the key a page is written once and not once per id.
        self._database.executemany("INSERT INTO seen VALUES (?, ?)", sorted(self._recent.items()))
        self._recent.clear()
