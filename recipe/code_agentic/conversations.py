"""SFT conversations: a question, attempts with the tool's real answers, repairs, the final answer.

Every program in a conversation is really submitted to the tool, and its message is the tool's own. Owns the
shape of a conversation and which turns are learned. Does not know where wrong programs come from
(``data_preprocess.bugs``) or how rows are stored.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from recipe.code_agentic.prompts import build_messages
from recipe.code_agentic.sft_texts import BRIEF_FINAL, blind_repair, closing, opening, repair
from verl_ext.agent_loop.episode import Episode
from verl_ext.grading.problem import Problem
from verl_ext.grading.verdict import CaseResult, Grade
from verl_ext.tools.tool import Tool


@dataclass(frozen=True, slots=True)
class WrongAttempt:
    """A program that fails a public case.

    Attributes:
        program: Source text.
        kind: What is wrong with it, for the statistics.
        learn: Whether the turn that submits it is trained on.
    """

    program: str
    kind: str
    learn: bool


@dataclass(frozen=True, slots=True)
class Conversation:
    """One SFT row.

    Attributes:
        query_id: The problem.
        messages: System, user, then assistant and tool messages; the last is the assistant's. An assistant
            message that must not be learned has ``"train": False``.
        bug_kinds: Kinds of the wrong attempts, in order.
        verdicts: Per attempt the verdict of its first failing public case, or ``passed``.
        failures: Per wrong attempt its first failing public case.
    """

    query_id: str
    messages: tuple[Mapping[str, Any], ...]
    bug_kinds: tuple[str, ...]
    verdicts: tuple[str, ...]
    failures: tuple[CaseResult, ...]

    @property
    def num_repairs(self) -> int:
        """How often a failing program was followed by another."""
        return len(self.bug_kinds)


class AttemptMismatch(ValueError):
    """A right program failed, or a wrong one passed, when the tool ran it."""


async def build_conversation(
    problem: Problem, wrong: Sequence[WrongAttempt], right: str, tool: Tool, *, style: str, rng: Random
) -> Conversation:
    """Plays one conversation against the tool.

    Args:
        problem: What it is about.
        wrong: Attempts that fail, in order; fewer than the tool allows.
        right: The last attempt, which solves the problem.
        tool: Runs the public cases and answers.
        style: ``full`` or ``brief``, as in ``prompts``.
        rng: Chooses wordings.

    Raises:
        AttemptMismatch: When a program does not behave as claimed.
        SandboxError: When our side failed.
    """
    episode = Episode(problem)
    messages: list[Mapping[str, Any]] = [*build_messages(problem, style)]
    failures: list[CaseResult] = []
    programs = [*(attempt.program for attempt in wrong), right]
    said = ""
    for number, attempt in enumerate((*wrong, WrongAttempt(right, "", learn=True)), start=1):
        answer = await tool.call({"code": attempt.program}, episode)
        shown = answer.shows_verdicts
        if number == 1 and style == "full":
            said = opening(problem, rng, shows_verdicts=shown)
        messages.append(_call_message(tool.name, attempt, said))
        messages.append({"role": "tool", "content": answer.text})
        failure = _grade_of_last(episode, answer.ran).first_failure
        if (failure is None) != (attempt.program == right):
            claimed = "right" if failure else "wrong"
            raise AttemptMismatch(f"{problem.query_id}: the tool found a {claimed} program not to be so")
        if failure is not None:
            failures.append(failure)
            if style == "full" and shown:
                case = problem.public_cases[failure.case_index]
                said = repair(attempt.program, failure, case, programs[number], problem.language, rng)
            elif style == "full":
                said = blind_repair(attempt.program, programs[number], rng)
        episode.turn += 1
    final = BRIEF_FINAL
    if style == "full":
        final = closing(programs, problem.language, rng, shows_verdicts=shown)
    messages.append({"role": "assistant", "content": final})
    return Conversation(
        query_id=problem.query_id,
        messages=tuple(messages),
        bug_kinds=tuple(attempt.kind for attempt in wrong),
        verdicts=(*(str(failure.verdict) for failure in failures), "passed"),
        failures=tuple(failures),
    )


def _call_message(tool_name: str, attempt: WrongAttempt, content: str) -> dict[str, Any]:
    function = {"name": tool_name, "arguments": {"code": attempt.program}}
    message: dict[str, Any] = {
        "role": "assistant",
        "content": content,
        "tool_calls": [{"type": "function", "function": function}],
    }
    if not attempt.learn:
        message["train"] = False
    return message


def _grade_of_last(episode: Episode, ran: bool) -> Grade:
    grade = episode.attempts[-1].grade if ran and episode.attempts else None
    if grade is None:
        raise AttemptMismatch(f"{episode.problem.query_id}: the tool refused to run an attempt")
    return grade
