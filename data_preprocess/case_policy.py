"""Which cases of a problem are public, by a policy from the config; all the others are hidden.

Public cases may be shown to the model, hidden ones are only graded (promise 3). Owns the choice and nothing
else: which of the cases are worth having is ``case_overlap``'s business.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from msgspec.structs import replace

from verl_ext.grading.problem import Case

FIRST_K, SHARE, FLAGGED, ALL = "first_k", "share", "flagged", "all"
POLICIES = (FIRST_K, SHARE, FLAGGED, ALL)
FALLBACKS = (FIRST_K, SHARE, ALL)


@dataclass(frozen=True, slots=True)
class PublicPolicy:
    """How public cases are chosen.

    Attributes:
        policy: ``first_k``, ``share`` (of the cases, from the first), ``flagged`` (those that the source
            calls public) or ``all`` (everything is shown, and everything is graded).
        fallback: What ``flagged`` does with a record whose source flags none; one of ``FALLBACKS``.
        first_k: Number for ``first_k``, at least 1.
        share: Share for ``share``, above 0 and below 1; at least one case.
    """

    policy: str = FLAGGED
    fallback: str = FIRST_K
    first_k: int = 2
    share: float = 0.25

    def __post_init__(self) -> None:
        if self.policy not in POLICIES:
            raise ValueError(f"public_cases.policy={self.policy} is not one of {', '.join(POLICIES)}")
        if self.fallback not in FALLBACKS:
            raise ValueError(f"public_cases.fallback={self.fallback} is not one of {', '.join(FALLBACKS)}")
        if self.first_k < 1:
            raise ValueError(f"public_cases.first_k must be at least 1, got {self.first_k}")
        if not 0 < self.share < 1:
            raise ValueError(
                f"public_cases.share must be above 0 and below 1, got {self.share} (policy=all shows all)"
            )

    def choose(self, cases: Sequence[Case], num_public: int | None = None) -> tuple[Case, ...]:
        """Marks the public cases and puts them first.

        Unless everything is to be shown, one of several cases always stays hidden, so that the reward sees
        something that the tool did not show.

        Args:
            cases: Of one problem, ``public`` where the source flags them so.
            num_public: The record's own choice, which wins: so many, from the first. None for no choice.
        """
        flagged = [case for case in cases if case.public]
        if num_public is None and self.policy == FLAGGED and flagged:
            return (*flagged, *(case for case in cases if not case.public))
        if flagged:
            cases = [replace(case, public=False) for case in cases]
        count = self._count(len(cases), num_public)
        return (*(replace(case, public=True) for case in cases[:count]), *cases[count:])

    def _count(self, num_cases: int, num_public: int | None) -> int:
        """How many cases become public, from the first."""
        policy = self.fallback if self.policy == FLAGGED else self.policy
        if num_public is None:
            if policy == ALL:
                return num_cases
            num_public = self.first_k if policy == FIRST_K else self.share_of(num_cases)
        return min(num_public, max(num_cases - 1, 1))

    def share_of(self, num_cases: int) -> int:
        """How many cases ``share`` makes public."""
        return max(1, math.floor(self.share * num_cases))
