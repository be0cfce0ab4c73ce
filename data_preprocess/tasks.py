"""What the rows are for: the debugging task with its tool, or DeepCoder's single answer.

Owns the choice of prompts, whether cases are kept from the tool.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from msgspec.structs import replace

from recipe.code_agentic import prompts as debugging_prompts
from recipe.deepcoder import prompts as deepcoder_prompts
from verl_ext.grading.case_choice import sample_cases
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
