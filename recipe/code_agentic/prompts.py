"""The words the model reads outside of tool answers: system prompts, the question, the loop's own notes.

Two styles, one choice per run: ``full`` for real models and ``brief`` for the tiny model, whose every token
costs. What the tool says is in ``feedback.py``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from recipe.code_agentic.language_hints import display_name
from verl_ext.grading.extract import fence_name
from verl_ext.grading.problem import Problem

STYLES = ("full", "brief")
# The tool that the full system prompt names.
TOOL_NAME = "enhanced_code_agentic_tool"

_SYSTEM = {
    "full": (
        "You are an expert programmer. Solve the problem with a {language} program. Submit it with the tool "
        "{tool}, which runs it on example cases and answers with verdicts and a hint; "
        "repair it until they pass. Other, hidden cases decide in the end, so solve the problem in general "
        "and never print memorised outputs. When you are done, answer without calling the tool: the program "
        "you submitted last counts, or the last ```{fence} block of your answer if it has one."
    ),
    "brief": "Solve it with the tool.",
}
_STDIN = {
    "full": "Read the input from standard input and print the answer to standard output.",
    "brief": "",
}
_CALL = {
    "full": "Write the function `{fn_name}`; it is called directly, so read no input and print nothing.",
    "brief": "",
}


def build_messages(problem: Problem, style: str) -> list[dict[str, str]]:
    """System and user message for one problem; the record's own system prompt wins over the recipe's."""
    system = problem.system_prompt or _system(style, problem.language)
    form = _STDIN[style] if problem.fn_name is None else _CALL[style].format(fn_name=problem.fn_name)
    starter = (
        f"Starter code:\n```{fence_name(problem.language)}\n{problem.starter_code}\n```"
        if problem.starter_code
        else ""
    )
    user = "\n\n".join([part for part in (problem.question.strip(), starter, form) if part])
    return [{"role": "system", "content": system}, {"role": "user", "content": user}]


@lru_cache
def _system(style: str, language: str) -> str:
    return _SYSTEM[style].format(language=display_name(language), fence=fence_name(language), tool=TOOL_NAME)


@dataclass(frozen=True, slots=True)
class DebugLoopTexts:
    """The loop's own notes to the model (``verl_ext.agent_loop.loop.LoopTexts``)."""

    style: str

    def malformed_call(self, reason: str) -> str:
        """Answer to a call that can't be read."""
        if self.style == "brief":
            return "bad call"
        return (
            f"The tool call could not be read: {reason}. Write one JSON object with name and arguments "
            "between <tool_call> and </tool_call>, with quotes and newlines inside strings escaped."
        )

    def unknown_tool(self, name: str, known: Sequence[str]) -> str:
        """Answer to a call of a tool that does not exist."""
        if self.style == "brief":
            return "no such tool"
        return f"There is no tool named {name!r}. Available: {', '.join(known)}."

    def surplus_call(self, limit: int) -> str:
        """Answer to a call beyond the limit per turn."""
        if self.style == "brief":
            return "one call at a time"
        return f"Not run: at most {limit} tool call(s) per message are run. Send it again on its own."
