"""The conversation that SFT learns from where there is no tool: a prompt and one answer."""

from __future__ import annotations

from typing import Any

from data_preprocess.attempt_plan import AttemptPlan
from data_preprocess.tasks import Task
from data_preprocess.wrong_programs import grade_cases
from recipe.code_agentic.conversations import AttemptMismatch, Conversation
from recipe.deepcoder import prompts as deepcoder_prompts
from verl_ext.grading.grader import Grader
from verl_ext.grading.problem import Problem


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
