"""Long sequences that live in a temporary file, so that memory does not grow with the input."""

from __future__ import annotations

import os
import tempfile
from array import array
from collections.abc import Sequence
from typing import overload

from verl_ext.grading.problem import Problem

# Kept in memory until there is more than this.
_IN_MEMORY_BYTES = 8 << 20


class SpilledTexts(Sequence[bytes]):
    """Byte strings in the order in which they were appended; the file goes with the object."""

    def __init__(self) -> None:
        self._file = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY_BYTES)  # noqa: SIM115
        self._ends = array("q", [0])

    def append(self, text: bytes) -> None:
        """Adds one at the end."""
        self._file.seek(0, os.SEEK_END)
        self._file.write(text)
        self._ends.append(self._ends[-1] + len(text))

    def __len__(self) -> int:
        return len(self._ends) - 1

    @overload
    def __getitem__(self, index: int) -> bytes: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[bytes]: ...
    def __getitem__(self, index: int | slice) -> bytes | Sequence[bytes]:
        if isinstance(index, slice):
            return [self[one] for one in range(*index.indices(len(self)))]
        if not 0 <= index < len(self):
            raise IndexError(index)
        start, end = self._ends[index], self._ends[index + 1]
        self._file.seek(start)
        return self._file.read(end - start)


class SpilledProblems(Sequence[Problem]):
    """Problems in the order in which they were appended."""

    def __init__(self) -> None:
        self._texts = SpilledTexts()

    def append(self, text: str) -> None:
        """Adds one, as JSON, at the end."""
        self._texts.append(text.encode())

    def __len__(self) -> int:
        return len(self._texts)

    @overload
    def __getitem__(self, index: int) -> Problem: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Problem]: ...
    def __getitem__(self, index: int | slice) -> Problem | Sequence[Problem]:
        if isinstance(index, slice):
            return [Problem.from_json(text) for text in self._texts[index]]
        return Problem.from_json(self._texts[index])
