"""Puts the rows of the conformance table to a grader and says which it gets wrong.

Owns what counts as right, and the table of results. Knows no grader (``graders``).
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from verl_ext.grading.conformance.row import Row
from verl_ext.grading.problem import Case
from verl_ext.grading.verdict import Verdict

Answer = bool | Verdict | None


class Judge(Protocol):
    """A grader as the suite sees it; a plain function and a coroutine function both are."""

    def __call__(self, completion: str, cases: Sequence[Case], /) -> Answer | Awaitable[Answer]:
        """Grades a model's message on the cases of one problem.

        Returns:
            True or False for passed or not, a ``Verdict`` to have that compared, too, or None when the
            grader does not claim to read such cases.

        Raises:
            ValueError: When it refuses to grade; that counts as not passed.
        """
        ...


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a grader made of a row.

    Attributes:
        row: The row.
        answer: What it said; False when it refused.
        error: How it broke or why it refused; empty when it did neither.
        broke: True when it raised something else than ``ValueError``; that is never right.
    """

    row: Row
    answer: Answer
    error: str = ""
    broke: bool = False

    @property
    def is_read(self) -> bool:
        return self.answer is not None or self.broke

    @property
    def is_right(self) -> bool:
        """Whether the grader is right; of what it does not read, True."""
        if self.broke:
            return False
        if isinstance(self.answer, Verdict) and self.row.verdict is not None:
            return self.answer is self.row.verdict
        return self.answer is None or (self.answer in (True, Verdict.PASSED)) == self.row.passes

    @property
    def line(self) -> str:
        """One line for a report."""
        wanted = "not passed" if self.row.verdict is None else self.row.verdict.value
        said = "passed" if self.answer is True else "not passed" if self.answer is False else str(self.answer)
        because = f" ({self.error})" if self.error else ""
        return f"{self.row.group}, {self.row.kind}: {self.row.name}: {said}{because} instead of {wanted}"


async def run_suite(
    judge: Judge,
    rows: Sequence[Row],
    *,
    max_parallel: int = 4,
    on_outcome: Callable[[Outcome], None] = lambda outcome: None,
) -> list[Outcome]:
    """Puts every row to a grader.

    Args:
        judge: The grader. A plain function runs in threads.
        rows: In any order; outcomes come in the same.
        max_parallel: Rows at a time.
        on_outcome: Called with each outcome as it comes.
    """
    free = asyncio.Semaphore(max_parallel)

    async def one(row: Row) -> Outcome:
        async with free:
            outcome = await _ask(judge, row)
        on_outcome(outcome)
        return outcome

    return list(await asyncio.gather(*(one(row) for row in rows)))


async def _ask(judge: Judge, row: Row) -> Outcome:
    try:
        answer = await asyncio.to_thread(judge, row.completion, row.cases)
        if inspect.isawaitable(answer):
            answer = await answer
        if not (answer is None or isinstance(answer, bool | Verdict)):
            raise TypeError(f"a judge answers True, False, None or a Verdict, not {type(answer).__name__}")
    except ValueError as error:
        return Outcome(row, False, error=str(error)[:200])
    except Exception as error:  # the one boundary: a grader that breaks is a result of the suite
        return Outcome(row, None, error=f"{type(error).__name__}: {error}"[:200], broke=True)
    return Outcome(row, answer)


_COLUMNS = (
    ("must pass, stdin", "must pass", "stdin"),
    ("must pass, call", "must pass", "call"),
    ("must fail", "must fail", ""),
    ("must not be gamed", "must not be gamed", ""),
)


def results_table(results: Mapping[str, Sequence[Outcome]]) -> str:
    """Wrong verdicts per grader and group as Markdown, and below it what each gets wrong by name."""
    lines = [
        f"| wrong verdicts of | {' | '.join(title for title, _, _ in _COLUMNS)} | all |",
        f"|---|{'---|' * (len(_COLUMNS) + 1)}",
    ]
    for name, outcomes in results.items():
        cells = []
        for _, group, kind in (*_COLUMNS, ("all", "", "")):
            part = [
                outcome
                for outcome in outcomes
                if outcome.is_read and group in ("", outcome.row.group) and kind in ("", outcome.row.kind)
            ]
            cells.append(f"{sum(not outcome.is_right for outcome in part)} of {len(part)}")
        lines.append(f"| {name} | {' | '.join(cells)} |")
    for name, outcomes in results.items():
        wrong = [outcome for outcome in outcomes if not outcome.is_right]
        for title, group, kind in _COLUMNS:
            names = [o.row.name for o in wrong if o.row.group == group and kind in ("", o.row.kind)]
            if names:
                lines += ["", f"**{name}, {title}:** {'; '.join(names)}."]
    return "\n".join(lines)
