"""SHA-256 of the files that are read, worked out beside the reading."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import Future
from pathlib import Path

from verl_ext.run_files import file_sha256


def start_hashing(paths: Sequence[Path]) -> Future[list[tuple[Path, str]]]:
    """Starts a thread that gives every path with its hash, or the ``OSError``; nobody has to wait for it."""
    found: Future[list[tuple[Path, str]]] = Future()

    def work() -> None:
        try:
            found.set_result([(path, file_sha256(path)) for path in paths])
        except OSError as error:
            found.set_exception(error)

    threading.Thread(target=work, daemon=True).start()
    return found
