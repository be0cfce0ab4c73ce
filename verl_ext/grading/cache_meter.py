"""How often a grader had no need to run a program: counts since the last look, to be summed and logged."""

from __future__ import annotations

from dataclasses import dataclass

from verl_ext.grading.grader import Grader


@dataclass(frozen=True, slots=True)
class CacheCounts:
    """Cases that were graded.

    Attributes:
        hits: Without a run of their own.
        misses: With one.
    """

    hits: int = 0
    misses: int = 0

    @property
    def hit_rate(self) -> float | None:
        """Share of hits (0 to 1); None when nothing was graded."""
        total = self.hits + self.misses
        return self.hits / total if total else None


class CacheMeter:
    """Reads a grader's counters in portions. One per grader: what one has taken, another does not see."""

    def __init__(self, grader: Grader) -> None:
        self._grader = grader
        self._taken = CacheCounts()

    def take(self) -> CacheCounts:
        """What was graded since the last call."""
        now = CacheCounts(self._grader.hits, self._grader.misses)
        new = CacheCounts(now.hits - self._taken.hits, now.misses - self._taken.misses)
        self._taken = now
        return new
