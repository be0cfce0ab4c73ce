"""The cases of all problems of a run: duplicates out, generated ones in, overlap and mutation score reported.

Stands between reading and writing in ``preprocess``; what is done to a problem is in ``case_overlap``,
``case_generation`` and ``mutants``.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from tqdm import tqdm

from data_preprocess.case_generation import GenerationStatistics, generate_cases
from data_preprocess.case_overlap import OverlapReport
from data_preprocess.case_policy import ALL
from data_preprocess.in_order import run_in_order
from data_preprocess.mutants import MutationScore, ProblemScore, score_problem
from data_preprocess.progress import progress_bar
from data_preprocess.sandbox_session import SandboxOnDemand
from data_preprocess.settings import Settings
from data_preprocess.verification import Verified
from verl_ext.grading.grader import Grader
from verl_ext.grading.problem import Problem

_Result = TypeVar("_Result")


@dataclass(slots=True)
class CaseStage:
    """What is done to the cases of one run, and what came of it.

    Attributes:
        settings: Of the run.
        sandbox: Opened when the first program has to be run.
        overlap: What was found in the problems as they are written.
        generation: What became of the inputs that were made.
        score: How many mutants the cases catch.
    """

    settings: Settings
    sandbox: SandboxOnDemand
    overlap: OverlapReport = field(default_factory=OverlapReport)
    generation: GenerationStatistics = field(default_factory=GenerationStatistics)
    score: MutationScore = field(default_factory=MutationScore)
    _bars: dict[str, tqdm[Any]] = field(default_factory=dict)

    @property
    def runs_programs(self) -> bool:
        """Whether ``extend`` does anything."""
        return bool(self.settings.generate.max_cases or self.settings.max_mutants)

    async def extend(
        self, problems: Sequence[Verified], witnesses: Mapping[str, Sequence[str]] | None = None
    ) -> list[Problem]:
        """The problems with their generated cases, in order; mutants are run on the way.

        Args:
            problems: Of some rows; those whose reference fails stay as they are.
            witnesses: ``query_id`` -> more programs said to be right; those that pass the problem's cases
                have to agree on generated ones.

        Raises:
            SandboxError: When our side failed.
        """
        settings = self.settings
        if not self.runs_programs:
            return [verified.problem for verified in problems]
        sandbox = await self.sandbox.get()
        grader = Grader(sandbox, settings.limits, cache_size=0)
        stopping = Grader(sandbox, settings.limits, cache_size=0, max_parallel=1)

        async def extend_one(verified: Verified) -> Problem:
            if verified.passed is False or not settings.generate.max_cases:
                return verified.problem
            return await generate_cases(
                grader,
                verified.problem,
                settings.generate,
                seed=settings.seed,
                statistics=self.generation,
                witnesses=verified.witnesses,
                more_witnesses=(witnesses or {}).get(verified.problem.query_id, ()),
                public=settings.read.public.policy == ALL,
            )

        async def score_one(pair: tuple[Verified, Problem]) -> ProblemScore | None:
            verified, problem = pair
            if verified.passed is False or not settings.max_mutants:
                return None
            return await score_problem(
                stopping,
                problem,
                max_mutants=settings.max_mutants,
                seed=settings.seed,
                time_limit_s=settings.bugs.time_limit_s,
            )

        extended = await self._each("generated cases", problems, extend_one)
        if settings.max_mutants:
            pairs = list(zip(problems, extended, strict=True))
            for (verified, _), score in zip(
                pairs, await self._each("mutation score", pairs, score_one), strict=True
            ):
                if verified.passed is not False:
                    self.score.add(score)
        return extended

    def finish(self) -> None:
        """Closes the progress bars and the report; nothing can be added afterwards."""
        for bar in self._bars.values():
            bar.close()
        self.overlap.close()

    def to_dict(self) -> dict[str, Any]:
        """What the manifest says."""
        return {
            "overlap": self.overlap.to_dict(),
            "generation": self.generation.to_dict() if self.settings.generate.max_cases else None,
            "mutation_score": self.score.to_dict() if self.settings.max_mutants else None,
        }

    async def _each(
        self, what: str, items: Sequence[Any], work: Callable[[Any], Awaitable[_Result]]
    ) -> list[_Result]:
        if what not in self._bars:
            self._bars[what] = progress_bar(what, "problem")
        bar = self._bars[what]

        async def counted(item: Any) -> _Result:
            result = await work(item)
            bar.update()
            return result

        results = run_in_order(items, counted, max_parallel=self.settings.num_parallel)
        return [result async for result in results]


def case_lines(cases: Mapping[str, Any]) -> list[str]:
    """What is said on the terminal about generated cases and the mutation score of a manifest."""
    lines = []
    if generation := cases["generation"]:
        kept, extended = sum(generation["kept"].values()), generation["problems"].get("extended", 0)
        lines.append(
            f"generated cases: {kept} in {extended} problems, of {generation['tried']} inputs tried "
            f"({sum(generation['invalid'].values())} invalid, {generation['nondeterministic']} with two "
            f"answers, {generation['disputed']} disputed)"
        )
    if (score := cases["mutation_score"]) and score["mutants"]:
        lines.append(
            f"mutation score: the cases catch {score['caught_after']} of {score['mutants']} injected bugs "
            f"({score['score_after']:.1%}"
            + (f", {score['score_before']:.1%} before" if cases["generation"] else "")
            + f"); {score['survivors']['count']} survive, some of which may change nothing"
        )
    return lines
