"""From problems with references to SFT rows: bugs are made and run once, conversations drawn from them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

from tqdm import tqdm

from data_preprocess.attempt_plan import draw_attempts
from data_preprocess.bugs import Bug, ProgramPool, candidate_bugs
from data_preprocess.in_order import run_in_order
from data_preprocess.parquet_files import OutputFolder, sft_row
from data_preprocess.settings import Settings
from data_preprocess.wrong_programs import BugStatistics, grade_cases, keep_failing
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
        real_bugs: Mapping[str, Sequence[tuple[str, str]]],
        grader: Grader,
        tool: Tool,
        tools_json: str,
    ) -> None:
        """Runs nothing yet.

        Args:
            settings: Of the run.
            pool: Programs of the problems that are trained on.
            real_bugs: ``query_id`` -> (category, program).
            grader: Runs bugs; the tool's own, so that nothing runs twice.
            tool: Answers in the conversations.
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
        """Writes ``total`` conversations about problems with a reference into ``sft_<split>``.

        Every problem gets one before any gets a second.

        Raises:
            SandboxError: When our side failed.
        """
        bugs = await self._make_bugs(split, problems[:total])
        usable = [problem for problem in problems if problem.query_id in bugs]
        jobs = [(index, usable[index % len(usable)]) for index in range(total)] if usable else []

        async def play(job: tuple[int, Problem]) -> Conversation:
            index, problem = job
            rng = Random(f"conversation:{self._settings.seed}:{split}:{index}:{problem.query_id}")
            wrong = draw_attempts(bugs[problem.query_id], self._settings.mix, rng)
            return await build_conversation(problem, wrong, self._tool, style=self._settings.style, rng=rng)

        counts = self.statistics.attempts.setdefault(split, Counter())
        with tqdm(total=len(jobs), desc=f"conversations ({split})", mininterval=1) as progress:
            async for conversation in run_in_order(
                jobs, play, max_parallel=self._settings.num_parallel, progress=progress
            ):
                output.add(f"sft_{split}", sft_row(conversation, self._tools_json))
                counts[conversation.num_repairs] += 1
                self.statistics.kinds.update(conversation.bug_kinds)

    async def _make_bugs(self, split: str, problems: Sequence[Problem]) -> dict[str, list[Bug]]:
        """Bugs by ``query_id``, without the problems whose reference fails."""
        bugs: dict[str, list[Bug]] = {}

        async def make(problem: Problem) -> tuple[str, list[Bug] | None]:
            return problem.query_id, await self._bugs_of(problem)

        with tqdm(total=len(problems), desc=f"bugs ({split})", unit="problem", mininterval=1) as progress:
            async for query_id, found in run_in_order(
                problems, make, max_parallel=self._settings.num_parallel, progress=progress
            ):
                if found is None:
                    self.statistics.reference_fails.append(query_id)
                else:
                    bugs[query_id] = found
        return bugs

    async def _bugs_of(self, problem: Problem) -> list[Bug] | None:
        """Bugs that really fail; None when the reference does."""
        assert problem.reference is not None
        grade = await grade_cases(self._grader, problem, problem.reference, problem.public_cases)
        if not grade.all_passed:
            return None
        candidates = candidate_bugs(
            problem,
            self._pool,
            seed=self._settings.seed,
            kinds=self._settings.bugs.kinds,
            real_bugs=self._real_bugs.get(problem.query_id, ()),
        )
        wanted = self._settings.bugs.per_problem
        return await keep_failing(self._grader, problem, candidates, wanted, self.statistics.bugs)
