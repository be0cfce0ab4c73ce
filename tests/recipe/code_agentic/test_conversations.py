"""SFT conversations: shape, real answers, masks, and refusal to tell what did not happen."""

from __future__ import annotations

import re
from collections.abc import Mapping
from random import Random
from typing import Any

import pytest

from recipe.code_agentic.conversations import AttemptMismatch, WrongAttempt, build_conversation
from recipe.code_agentic.prompts import build_messages
from verl_ext.agent_loop.episode import Attempt, Episode
from verl_ext.grading.problem import Case, Problem
from verl_ext.grading.verdict import CaseResult, Grade, ProgramError, Verdict
from verl_ext.tools.tool import ToolAnswer

PROBLEM = Problem("p", "Print a plus 3.", (Case("1", "4", public=True), Case("2", "5")), reference="right")
ERROR = ProgramError("NameError", "name 'x' is not defined", line=2, source_line="print(x)")


class ScriptedTool:
    """Finds the program ``right`` right and every other one ending in a NameError."""

    name = "enhanced_code_agentic_tool"
    schema: Mapping[str, Any] = {}

    def __init__(self, shows_verdicts: bool = True) -> None:
        self._shows_verdicts = shows_verdicts

    async def call(self, arguments: Mapping[str, Any], episode: Episode) -> ToolAnswer:
        right = arguments["code"] in ("right", "also right")
        result = CaseResult(0, Verdict.PASSED) if right else CaseResult(0, Verdict.RUNTIME_ERROR, error=ERROR)
        episode.attempts.append(Attempt(arguments["code"], "tool", episode.turn, Grade((result,), 1)))
        return ToolAnswer(f"answer {len(episode.attempts)}", True, self._shows_verdicts)


async def _build(*wrong: WrongAttempt, style: str = "brief", right: str = "right", seed: int = 0):
    return await build_conversation(PROBLEM, wrong, right, ScriptedTool(), style=style, rng=Random(seed))


async def test_a_conversation_goes_from_the_prompt_over_the_attempts_to_a_final_answer() -> None:
    conversation = await _build(WrongAttempt("x", "name_error", True), WrongAttempt("y", "typo", True))
    assert [message["role"] for message in conversation.messages] == [
        "system", "user", "assistant", "tool", "assistant", "tool", "assistant", "tool", "assistant",
    ]  # fmt: skip
    assert list(conversation.messages[:2]) == build_messages(PROBLEM, "brief")
    submitted = [m["tool_calls"][0]["function"] for m in conversation.messages if "tool_calls" in m]
    assert submitted == [{"name": ScriptedTool.name, "arguments": {"code": c}} for c in ("x", "y", "right")]
    assert [m["content"] for m in conversation.messages if m["role"] == "tool"] == [
        "answer 1",
        "answer 2",
        "answer 3",
    ]
    assert conversation.bug_kinds == ("name_error", "typo")
    assert conversation.num_repairs == 2
    assert conversation.verdicts == ("runtime_error", "runtime_error", "passed")


async def test_only_attempts_that_must_not_be_learned_are_marked() -> None:
    conversation = await _build(WrongAttempt("x", "slip", True), WrongAttempt("y", "other_program", False))
    marks = [
        message.get("train", True) for message in conversation.messages if message["role"] == "assistant"
    ]
    assert marks == [True, False, True, True]
    assert all("train" not in message for message in conversation.messages if message["role"] != "assistant")


async def test_the_brief_style_says_nothing_but_the_last_word() -> None:
    conversation = await _build(WrongAttempt("x", "slip", True))
    said = [message["content"] for message in conversation.messages if message["role"] == "assistant"]
    assert said == ["", "", "done"]


@pytest.mark.parametrize("seed", range(5))
async def test_the_full_style_says_what_the_verdict_showed_and_ends_with_the_program(seed: int) -> None:
    conversation = await _build(WrongAttempt("x", "slip", True), style="full", right="also right", seed=seed)
    said = [message["content"] for message in conversation.messages if message["role"] == "assistant"]
    assert "NameError" in said[1] and "`print(x)`" in said[1] and "`also right`" in said[1]
    assert said[2].endswith("```python\nalso right\n```")


async def test_after_answers_without_verdicts_nothing_is_said_of_cases_and_errors() -> None:
    wrong = [WrongAttempt(f"a = 1\nprint({name})", "slip", True) for name in "xy"]
    for seed in range(40):
        conversation = await build_conversation(
            PROBLEM, wrong, "right", ScriptedTool(shows_verdicts=False), style="full", rng=Random(seed)
        )
        said = [message["content"] for message in conversation.messages if message["role"] == "assistant"]
        assert said[1] and said[2] and said[3].endswith("\n\n```python\nright\n```")
        told = re.findall(
            r"NameError|not defined|\bcases?\b|\bexamples|\bpass|expect|verdict|stops|ends in", " ".join(said)
        )
        assert not told, said


@pytest.mark.parametrize(("wrong", "right"), [("also right", "right"), ("x", "y")])
async def test_what_did_not_happen_is_not_told(wrong: str, right: str) -> None:
    with pytest.raises(AttemptMismatch, match="p: "):
        await _build(WrongAttempt(wrong, "slip", True), right=right)
