"""What the rows are for: the debugging task with its tool, or DeepCoder's single answer.

Owns the choice of prompts, whether cases are kept from the tool, and the conversation that SFT learns from.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from msgspec.structs import replace

from data_preprocess.attempt_plan import AttemptPlan
from data_preprocess.wrong_programs import grade_cases
from recipe.code_agentic import prompts as debugging_prompts
from recipe.code_agentic.conversations import AttemptMismatch, Conversation
from recipe.deepcoder import prompts as deepcoder_prompts
from verl_ext.grading.case_choice import sample_cases
from verl_ext.grading.grader import Grader
from verl_ext.grading.problem import Problem


@dataclass(frozen=True, slots=True)
class Task:
    """One kind of rows.

    Attributes:
        build_messages: The prompt of a problem in a style.
        uses_tool: Whether the model has a tool that shows it public cases; without one every case is graded.
    """

    build_messages: Callable[[Problem, str], list[dict[str, str]]]
    uses_tool: bool

    def prepared(self, problem: Problem, max_graded_cases: int | None) -> Problem:
        """The problem as its row carries it."""
        if self.uses_tool:
            return problem
        kept = problem.cases
        if max_graded_cases is not None:
            kept = sample_cases(kept, num_cases=max_graded_cases)
        # There is no tool that could show a public one.
        return replace(problem, cases=tuple(replace(case, public=False) for case in kept))


TASKS: Mapping[str, Task] = {
    "debugging": Task(debugging_prompts.build_messages, uses_tool=True),
    "deepcoder": Task(deepcoder_prompts.build_messages, uses_tool=False),
}


async def single_answer(
    task: Task, problem: Problem, plan: AttemptPlan, grader: Grader, style: str
) -> Conversation:
    """A prompt and one answer: the plan's first wrong program, or the right one when there is none.

    Raises:
        AttemptMismatch: When the program does not behave as claimed.
        SandboxError: When our side failed.
    """
    wrong = plan.wrong[:1]
    program = wrong[0].program if wrong else plan.right
    grade = await grade_cases(grader, problem, program, problem.cases, stop_early=True)
    if grade.all_passed == bool(wrong):
        claimed = "wrong" if wrong else "right"
        raise AttemptMismatch(f"{problem.query_id}: a {claimed} program was found not to be so")
    answer: dict[str, Any] = {
        "role": "assistant",
        "content": deepcoder_prompts.answer_text(program, problem.language),
    }
    failure = grade.first_failure
    return Conversation(
        problem.query_id,
        (*task.build_messages(problem, style), answer),
        tuple(attempt.kind for attempt in wrong),
        (str(failure.verdict) if failure else "passed",),
        (failure,) if failure else (),
    )
