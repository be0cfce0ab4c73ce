"""Progress on the terminal; elsewhere a line now and then, so that a log stays readable."""

from __future__ import annotations

import sys
from typing import Any

from tqdm import tqdm

_LOG_EVERY_S = 60.0


def progress_bar(what: str, unit: str, total: int | None = None) -> tqdm[Any]:
    """A bar on standard error: alive on a terminal, else silent in the first minute and one line per minute.

    Args:
        what: Name shown.
        unit: Of what is counted.
        total: How many there are; None when that is not known.
    """
    if sys.stderr.isatty():
        return tqdm(desc=what, unit=unit, total=total, mininterval=1)
    return tqdm(
        desc=what,
        unit=unit,
        total=total,
        mininterval=_LOG_EVERY_S,
        delay=_LOG_EVERY_S,
        bar_format="{desc}: {n_fmt} {unit} in {elapsed}, {rate_fmt}\n",
    )
