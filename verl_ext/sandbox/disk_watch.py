"""The size of a run's working directory in all, where no file system of its own bounds it.

Looks now and then. What a run deletes while it keeps it open is not seen; each file has its own bound.
"""

from __future__ import annotations

import os
import time

_INTERVAL_S = 0.1
# A look may use this share of one core.
_SHARE = 0.1
_MAX_FILES = 20_000
_BLOCK_BYTES = 512


class DiskWatch:
    """Watches one working directory.

    Attributes:
        reason: What a run is stopped for.
        pause_s: Seconds until the next look.
    """

    reason = "disk"

    def __init__(self, folder: str, limit_bytes: int) -> None:
        self._folder = folder
        self._limit_bytes = limit_bytes
        self.pause_s = _INTERVAL_S

    def exceeded(self) -> bool:
        """Whether there is more than allowed, or a folder that can't be looked into."""
        started_s = time.thread_time()
        try:
            over = self._is_over()
        except PermissionError:
            over = True
        self.pause_s = max(_INTERVAL_S, (time.thread_time() - started_s) / _SHARE)
        return over

    def _is_over(self) -> bool:
        used_bytes = num_files = 0
        folders = [self._folder]
        while folders:
            try:
                with os.scandir(folders.pop()) as entries:
                    for entry in entries:
                        num_files += 1
                        used_bytes += entry.stat(follow_symlinks=False).st_blocks * _BLOCK_BYTES
                        if used_bytes > self._limit_bytes or num_files > _MAX_FILES:
                            return True
                        if entry.is_dir(follow_symlinks=False):
                            folders.append(entry.path)
            except (FileNotFoundError, NotADirectoryError):
                pass  # the program works on it meanwhile
        return False

    def exceeded_at_end(self) -> bool:
        """It is removed now."""
        return False
