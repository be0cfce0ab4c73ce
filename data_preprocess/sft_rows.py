"""From problems with references to SFT rows: bugs are drawn and run, and conversations made of them."""

from __future__ import annotations

import hashlib
import itertools
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

import msgspec

from data_preprocess.attempt_plan import ErrorSteering, draw_attempts
from data_preprocess.bugs import ProgramPool, candidate_bugs
from data_preprocess.error_kinds import ERROR_KINDS, error_kind
from data_preprocess.failed_programs import RealBug
from data_preprocess.in_order import run_in_order
from data_preprocess.parquet_files import OutputFolder
from data_preprocess.progress import progress_bar
from data_preprocess.settings import Settings
from data_preprocess.single_answer import single_answer
from data_preprocess.spilled import SpilledTexts
from data_preprocess.wording import Wording
from data_preprocess.wrong_programs import BugStatistics, BugSupply, grade_cases, tried_cases
from recipe.code_agentic.conversations import Conversation, build_conversation
from verl_ext.grading.grader import Grader
from verl_ext.grading.problem import Problem
from verl_ext.tools.tool import Tool

# Problems, at most, whose conversations are made before the error kinds are steered anew.
_STEERED_JOBS = 32

# (index of a problem, conversations about it)
_Job = tuple[int, int]


def sft_row(conversation: Conversation, tools_json: str) -> dict[str, Any]:
    """One conversation; messages and tool schemas are JSON text."""
    return {
        "messages": json.dumps(conversation.messages, ensure_ascii=False),
        "tools": tools_json,
        "query_id": conversation.query_id,
        "num_repairs": conversation.num_repairs,
        "bug_kinds": list(conversation.bug_kinds),
        "verdicts": list(conversation.verdicts),
    }


@dataclass(slots=True)
class SftStatistics:
    """What the manifest says about conversations.

    Attributes:
        bugs: What became of the candidates.
        reference_fails: Problems left out because their reference fails a public case.
        without_reference: Problems left out because there is no reference to end with.
        attempts: Split -> number of wrong attempts -> conversations.
        distinct: Split -> conversations, those with the same messages counted once.
        kinds: Kind of bug -> times it is shown in a conversation.
        errors: Error kind -> times it is shown.
        error_shares: Error kind -> share that was asked for; None where none were.
        wording: Sentences of the ``full`` style; None for ``brief``.
    """

    bugs: BugStatistics = field(default_factory=BugStatistics)
    reference_fails: list[str] = field(default_factory=list)
    without_reference: int = 0
    attempts: dict[str, Counter[int]] = field(default_factory=dict)
    distinct: dict[str, int] = field(default_factory=dict)
    kinds: Counter[str] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)
    error_shares: Mapping[str, float] | None = None
    wording: Wording | None = None

    def to_dict(self) -> dict[str, Any]:
        """Plain values in a fixed order."""
        return {
            "bugs": self.bugs.to_dict(),
            "problems_left_out": {
                "reference_fails_a_public_case": sorted(self.reference_fails),
                "without_reference": self.without_reference,
            },
            "conversations_by_wrong_attempts": {
                split: {str(number): counts[number] for number in sorted(counts)}
                for split, counts in self.attempts.items()
            },
            "distinct_conversations": self.distinct,
            "bug_kinds_shown": dict(sorted(self.kinds.items())),
            "error_kinds_shown": self._errors_shown(),
            "wording": self.wording.to_dict() if self.wording is not None else None,
        }

    def _errors_shown(self) -> dict[str, Any]:
        """Per error kind the number, its share, and the share that was asked for."""
        asked = self.error_shares or {}
        total = self.errors.total()
        return {
            kind: {
                "number": self.errors[kind],
                "share": round(self.errors[kind] / total, 4) if total else None,
                "asked": round(asked[kind], 4) if kind in asked else None,
            }
            for kind in ERROR_KINDS
            if kind in asked or self.errors[kind]
        }


class ConversationWriter:
    """Makes the bugs and conversations of one run.

    Attributes:
        statistics: Of everything written so far.
    """

    def __init__(
        self,
        settings: Settings,
        pool: ProgramPool,
        real_bugs: Mapping[str, Sequence[RealBug]],
        grader: Grader,
        tool: Tool | None,
        tools_json: str,
    ) -> None:
        """Runs nothing yet.

        Args:
            settings: Of the run.
            pool: Programs of the problems that are trained on.
            real_bugs: ``query_id`` -> bugs that came with the data.
            grader: Runs bugs; the tool's own, so that nothing runs twice.
            tool: Answers in the conversations; None where the task has none.
            tools_json: Schemas for the ``tools`` column.
        """
        shares = settings.mix.error_shares
        self._steering = ErrorSteering(shares) if shares is not None else None
        self.statistics = SftStatistics(
            error_shares=self._steering.asked if self._steering else None,
            wording=Wording() if settings.style == "full" else None,
        )
        self._settings = settings
        self._pool = pool
        self._real_bugs = real_bugs
        self._grader = grader
        self._tool = tool
        self._tools_json = tools_json

    async def write(self, split: str, problems: Sequence[Problem], total: int, output: OutputFolder) -> None:
        """Writes ``total`` conversations about problems with a reference into ``sft_<split>``, shuffled.

        The problems get equal numbers of them, as far as that goes, one with several real bugs as many times
        more; those whose reference fails a public case get none, and then there are fewer in all.

        Raises:
            SandboxError: When our side failed.
        """
        parts = [max(1, len(self._real_bugs.get(problem.query_id, ()))) for problem in problems]
        due = [job for job in enumerate(shared_out(total, parts)) if job[1]]
        rows = SpilledTexts()
        with progress_bar(f"conversations ({split})", "conversation", total if due else 0) as progress:
            for batch in self._batches(due):
                weights = self._error_weights(batch)

                async def play(
                    job: _Job, weights: Mapping[str, float] | None = weights
                ) -> list[Conversation]:
                    index, count = job
                    played = await self._play(split, problems[index], count, weights)
                    progress.update(len(played))
                    return played

                async for played in run_in_order(batch, play, max_parallel=self._settings.num_parallel):
                    for conversation in played:
                        rows.append(msgspec.json.encode(sft_row(conversation, self._tools_json)))
                    self._count(played)
        order = list(range(len(rows)))
        Random(f"order:{self._settings.seed}:{split}").shuffle(order)
        counts = self.statistics.attempts.setdefault(split, Counter())
        seen = set()
        for index in order:
            row = msgspec.json.decode(rows[index])
            output.add(f"sft_{split}", row)
            counts[row["num_repairs"]] += 1
            seen.add(hashlib.blake2b(row["messages"].encode(), digest_size=16).digest())
        self.statistics.distinct[split] = len(seen)

    def _batches(self, jobs: list[_Job]) -> Iterator[list[_Job]]:
        """All at once; where error kinds are steered by what came out before, some at a time."""
        size = max(len(jobs), 1)
        if self._steering is not None:
            size = min(_STEERED_JOBS, max(4, size // 8))
        return (jobs[start : start + size] for start in range(0, len(jobs), size))

    def _error_weights(self, batch: Sequence[_Job]) -> Mapping[str, float] | None:
        if self._steering is None:
            return None
        expected, reached = 0.0, 1.0
        for prob in self._settings.mix.wrong_attempt_probs:
            reached *= prob
            expected += reached
        return self._steering.weights(max(1, round(expected * sum(count for _, count in batch))))

    def _count(self, played: Sequence[Conversation]) -> None:
        for conversation in played:
            self.statistics.kinds.update(conversation.bug_kinds)
            errors = [error_kind(failure) for failure in conversation.failures]
            self.statistics.errors.update(errors)
            if self._steering is not None:
                self._steering.got.update(errors)
            if self.statistics.wording is not None:
                self.statistics.wording.add(conversation.messages)

    async def _play(
        self, split: str, problem: Problem, count: int, error_weights: Mapping[str, float] | None
    ) -> list[Conversation]:
        """Conversations about one problem, one after the other; none when its reference fails."""
        assert problem.reference is not None
        settings = self._settings
        grade = await grade_cases(self._grader, problem, problem.reference, tried_cases(problem))
        if not grade.all_passed:
            self.statistics.reference_fails.append(problem.query_id)
            return []
        candidates = candidate_bugs(
            problem,
            self._pool,
            seed=settings.seed,
            kinds=settings.bugs.kinds,
            real_bugs=self._real_bugs.get(problem.query_id, ()),
        )
        wanted = dict(settings.bugs.per_problem)
        if wanted["one_slip"]:
            wanted["one_slip"] = max(wanted["one_slip"], len(self._real_bugs.get(problem.query_id, ())))
        supply = BugSupply(
            self._grader,
            problem,
            candidates,
            wanted,
            self.statistics.bugs,
            explained=settings.style == "full",
        )
        rng = Random(f"conversations:{settings.seed}:{split}:{problem.query_id}")
        played = []
        for _ in range(count):
            plan = await draw_attempts(supply, problem.reference, settings.mix, rng, error_weights)
            if self._tool is None:
                conversation = single_answer(settings.task, problem, plan, self._grader, settings.style)
            else:
                conversation = build_conversation(
                    problem, plan.wrong, plan.right, self._tool, style=settings.style, rng=rng
                )
            played.append(await conversation)
        return played


def shared_out(total: int, weights: Sequence[int]) -> list[int]:
    """``total`` in whole parts proportional to the weights, spread evenly over the sequence."""
    bounds = [round(total * reached / sum(weights)) for reached in itertools.accumulate(weights)]
    return [high - low for low, high in itertools.pairwise([0, *bounds])]
