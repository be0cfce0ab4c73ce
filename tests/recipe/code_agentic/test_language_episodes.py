"""A whole episode in JavaScript and in C++: prompt, tool, hint, repair, reward."""

import json
import shutil

import pytest

from recipe.code_agentic.prompts import DebugLoopTexts, build_messages
from verl_ext.agent_loop.chat import ChatFormat
from verl_ext.agent_loop.episode import Episode, StopReason
from verl_ext.agent_loop.loop import EpisodeRunner, LoopLimits
from verl_ext.agent_loop.policy import ScriptedPolicy
from verl_ext.cli import config_dir
from verl_ext.grading.grader import Grader
from verl_ext.grading.harness import Limits
from verl_ext.grading.problem import Case, Problem
from verl_ext.sandbox.client import HttpSandbox
from verl_ext.tools.registry import load_tools

CASES = (Case("[[1, 2], 3]", "9", "scaled", public=True), Case("[[48151623], 2]", "96303246", "scaled"))
PROBLEMS = {
    "nodejs": Problem(
        "js",
        "Return k times the sum of xs.",
        CASES,
        language="nodejs",
        starter_code="function scaled(xs, k) {",
    ),
    "cpp": Problem(
        "cpp",
        "Return k times the sum of xs.",
        CASES,
        language="cpp",
        starter_code="int scaled(vector<int> xs, int k) {",
        prelude="#include <bits/stdc++.h>\nusing namespace std;\nint scaled(vector<int> xs, int k);\n",
    ),
}
# (wrong, right, fence, tool's name of the language, executable, part of the hint)
PLAYS = {
    "nodejs": (
        "function scaled(xs, k) {\n  return k * xs.reduc((a, b) => a + b, 0) }",
        "function scaled(xs, k) {\n  return k * xs.reduce((a, b) => a + b, 0) }",
        "javascript",
        "JavaScript",
        "node",
        "no function",
    ),
    "cpp": (
        "int scaled(vector<int> xs, int k) {\n  return k * accumulat(xs.begin(), xs.end(), 0); }",
        "int scaled(vector<int> xs, int k) {\n  return k * accumulate(xs.begin(), xs.end(), 0); }",
        "cpp",
        "c++",
        "g++",
        "accumulat is used on line 2",
    ),
}


@pytest.mark.parametrize("language", PLAYS)
async def test_an_episode_repairs_a_program_and_solves_the_hidden_case(
    tokenizer, sandbox: HttpSandbox, language: str
) -> None:
    wrong, right, fence, tool_language, executable, hint = PLAYS[language]
    if shutil.which(executable) is None:
        pytest.skip(f"no {executable}")
    problem = PROBLEMS[language]
    grader = Grader(sandbox, Limits(time_s=5))
    tools = load_tools(config_dir() / "tools" / "enhanced.yaml", grader=grader)
    arguments = {"code": wrong, "language": tool_language}
    call = json.dumps({"name": "enhanced_code_agentic_tool", "arguments": arguments})
    script = iter([f"<tool_call>\n{call}\n</tool_call>", f"Fixed.\n```{fence}\n{right}\n```"])
    prompts: list[str] = []

    def speak(prompt: str) -> str:
        prompts.append(prompt)
        return next(script)

    runner = EpisodeRunner(
        ChatFormat(tokenizer, [tool.schema for tool in tools]),
        tools,
        grader,
        LoopLimits(
            max_turns=3,
            max_calls_per_turn=1,
            max_prompt_tokens=4000,
            max_response_tokens=4000,
            min_turn_tokens=4,
        ),
        DebugLoopTexts("full"),
    )
    messages = build_messages(problem, "full")
    episode = Episode(problem)
    rollout = await runner.run(episode, messages, ScriptedPolicy(tokenizer, speak, stop=True))
    assert rollout.facts.stop_reason is StopReason.FINAL_ANSWER, rollout
    assert rollout.facts.solved and rollout.facts.num_failed_attempts == 1
    assert f"```{fence}\n{problem.starter_code}\n```" in messages[1]["content"]
    assert f"last ```{fence} block" in messages[0]["content"]
    assert hint in prompts[1].lower()
    assert [attempt.program for attempt in episode.attempts] == [wrong, right]
    assert "96303246" not in prompts[1]
