"""From problems with references to SFT rows: bugs are drawn and run, and conversations made of them."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

from tqdm import tqdm

from data_preprocess.attempt_plan import draw_attempts
from data_preprocess.bugs import ProgramPool, RealBug, candidate_bugs
from data_preprocess.in_order import run_in_order
from data_preprocess.parquet_files import OutputFolder, sft_row
from data_preprocess.settings import Settings
from data_preprocess.tasks import single_answer
from data_preprocess.wrong_programs import BugStatistics, BugSupply, grade_cases
from recipe.code_agentic.conversations import Conversation, build_conversation
from verl_ext.grading.grader import Grader
from verl_ext.grading.problem import Problem
from verl_ext.tools.tool import Tool


@dataclass(slots=True)
class SftStatistics:
    """What the manifest says about conversations.

    Attributes:
        bugs: What became of the candidates.
        reference_fails: Problems left out because their reference fails a public case.
        without_reference: Problems left out because there is no reference to end with.
        attempts: Split -> number of wrong attempts -> conversations.
        kinds: Kind of bug -> times it is shown in a conversation.
    """

    bugs: BugStatistics = field(default_factory=BugStatistics)
    reference_fails: list[str] = field(default_factory=list)
    without_reference: int = 0
    attempts: dict[str, Counter[int]] = field(default_factory=dict)
    kinds: Counter[str] = field(default_factory=Counter)

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
            "bug_kinds_shown": dict(sorted(self.kinds.items())),
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
        self.statistics = SftStatistics()
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
        weights = [max(1, len(self._real_bugs.get(problem.query_id, ()))) for problem in problems]
        jobs = list(zip(problems, shared_out(total, weights), strict=True))
        conversations: list[Conversation] = []
        with tqdm(total=total if jobs else 0, desc=f"conversations ({split})", mininterval=1) as progress:

            async def play(job: tuple[Problem, int]) -> list[Conversation]:
                played = await self._play(split, *job)
                progress.update(len(played))
                return played

            due = [job for job in jobs if job[1]]
            async for played in run_in_order(due, play, max_parallel=self._settings.num_parallel):
                conversations += played
        Random(f"order:{self._settings.seed}:{split}").shuffle(conversations)
        counts = self.statistics.attempts.setdefault(split, Counter())
        for conversation in conversations:
            output.add(f"sft_{split}", sft_row(conversation, self._tools_json))
            counts[conversation.num_repairs] += 1
            self.statistics.kinds.update(conversation.bug_kinds)

    async def _play(self, split: str, problem: Problem, count: int) -> list[Conversation]:
        """Conversations about one problem, one after the other; none when its reference fails."""
        assert problem.reference is not None
        settings = self._settings
        grade = await grade_cases(self._grader, problem, problem.reference, problem.public_cases)
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
        supply = BugSupply(self._grader, problem, candidates, wanted, self.statistics.bugs)
        rng = Random(f"conversations:{settings.seed}:{split}:{problem.query_id}")
        played = []
        for _ in range(count):
            plan = await draw_attempts(supply, problem.reference, settings.mix, rng)
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
