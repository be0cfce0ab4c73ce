"""The rows that are left out: all of them in a file, the first of them at hand."""

from __future__ import annotations

import json
from pathlib import Path
from types import TracebackType
from typing import Self

from msgspec.structs import asdict

from data_preprocess.rows import Reject

KEPT = 1000


class Rejects:
    """Collects rejects; a context manager that closes its file.

    Attributes:
        first: The first ``KEPT`` of them.
        count: Of all.
    """

    def __init__(self, path: Path) -> None:
        """Starts with none.

        Args:
            path: File of all rejects, one JSON object per line; there is none while ``first`` holds them all.
        """
        self.first: list[Reject] = []
        self.count = 0
        self._path = path
        self._file = path.open("w", encoding="utf-8", errors="backslashreplace")

    def append(self, reject: Reject) -> None:
        """Adds one."""
        self.count += 1
        if self.count <= KEPT:
            self.first.append(reject)
        self._file.write(json.dumps(asdict(reject), ensure_ascii=False) + "\n")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.finish()

    def finish(self) -> None:
        """Closes the file and removes it when the manifest can hold all."""
        if not self._file.closed:
            self._file.close()
            if self.count <= KEPT:
                self._path.unlink(missing_ok=True)
