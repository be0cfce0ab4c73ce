"""A problem on its way from a record to its RL row, as texts that travel between processes cheaply.

Everything about it that needs no other problem is worked out once, where the record is read: its JSON, its
prompt, its duplicate cases, what its question tells. Only who runs its programs decodes it again.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

import msgspec

from data_preprocess.case_overlap import Duplicates, Look, look_at, without_duplicates
from data_preprocess.rl_rows import RlRow
from data_preprocess.solutions import solutions_of
from data_preprocess.tasks import Task
from verl_ext.grading.problem import Problem


class RowForm(NamedTuple):
    """What rows are made for.

    Attributes:
        task: Kind of rows.
        style: Wording of prompts.
        max_graded_cases: Cases of a row, where the task has no tool; None for all.
    """

    task: Task
    style: str
    max_graded_cases: int | None = None


class Entry(msgspec.Struct, frozen=True, array_like=True, tag=True, gc=False):
    """One problem, without duplicate cases.

    Attributes:
        query_id: Of the problem.
        text: The problem as its row carries it, as JSON.
        whole: The problem with all its cases, as JSON; empty where ``text`` has them.
        prompt: Its messages as JSON.
        source: Its data set.
        difficulty: Of the problem.
        family: Of the problem.
        language: Of the problem.
        columns_not_read: Columns that are kept and whose format does not read them.
        has_reference: Whether it has a reference.
        has_solutions: Whether it has further programs that are said to be right.
        duplicates: Cases that were taken out.
        look: What was found in the problem alone.
    """

    query_id: str
    text: str
    whole: str
    prompt: str
    source: str
    difficulty: str | None
    family: str | None
    language: str
    columns_not_read: tuple[str, ...]
    has_reference: bool
    has_solutions: bool
    duplicates: Duplicates
    look: Look

    @classmethod
    def of(cls, problem: Problem, form: RowForm, also_kept: Collection[str] = ()) -> Entry:
        """The entry of a problem.

        Args:
            problem: With all its cases.
            form: What its row is made for.
            also_kept: Columns in its ``extra`` that its format has read.

        Raises:
            ValueError: When a text in it is no Unicode.
        """
        distinct, duplicates, keys = without_duplicates(problem)
        prepared = form.task.prepared(distinct, form.max_graded_cases)
        same = prepared is distinct
        return cls(
            problem.query_id,
            prepared.to_json(),
            "" if same else distinct.to_json(),
            msgspec.json.encode(form.task.build_messages(prepared, form.style)).decode(),
            problem.source,
            problem.difficulty,
            problem.family,
            problem.language,
            tuple([name for name in problem.extra if name not in also_kept]),
            problem.reference is not None,
            bool(solutions_of(problem)),
            duplicates,
            look_at(prepared, keys if same else None),
        )

    @property
    def problem(self) -> Problem:
        """The problem with all its cases, decoded anew."""
        return Problem.from_json(self.whole or self.text)

    def row(self, split: str, index: int) -> RlRow:
        """Its RL row, the ``index``-th of the split."""
        return RlRow(
            self.source,
            self.prompt,
            self.text,
            split,
            index,
            self.query_id,
            self.difficulty,
            self.family,
        )
