"""An episode ends on a model token, answers every call, and is void when our side fails."""

from __future__ import annotations

import json
from collections.abc import Iterable

import pytest

from recipe.code_agentic.prompts import DebugLoopTexts
from verl_ext.agent_loop.chat import ChatFormat
from verl_ext.agent_loop.episode import Episode, StopReason
from verl_ext.agent_loop.loop import EpisodeRunner, LoopLimits, Rollout
from verl_ext.agent_loop.policy import ScriptedPolicy
from verl_ext.agent_loop.trajectory import (
    EpisodeOrigin,
    TrajectoryWriter,
    read_trajectories,
    trajectory_record,
)
from verl_ext.cli import config_dir
from verl_ext.grading.grader import Grader
from verl_ext.grading.problem import Case, Problem
from verl_ext.sandbox.errors import SandboxUnreachable
from verl_ext.sandbox.memory import InMemorySandbox, finished
from verl_ext.sandbox.protocol import RunRequest
from verl_ext.tools.registry import load_tools

PROBLEM = Problem(
    "add-3",
    "Read a. Print a plus 3.",
    (Case("1\n", "4\n", public=True), Case("2\n", "5\n", public=True), Case("7\n", "10\n")),
)
MESSAGES = [{"role": "system", "content": "Solve it."}, {"role": "user", "content": PROBLEM.question}]
RIGHT, WRONG, PUBLIC_ONLY = "print(int(input())+3)", "print(int(input())-3)", "print({1:4,2:5}[int(input())])"


def run_program(request: RunRequest):
    """What the three programs print; our side fails on any other."""
    program = request.files["program.py"].decode()
    value = int(request.stdin)
    if program == RIGHT:
        return finished(f"{value + 3}\n")
    if program == WRONG:
        return finished(f"{value - 3}\n")
    if program == PUBLIC_ONLY:
        return finished(f"{ {1: 4, 2: 5}.get(value, 0) }\n")
    return SandboxUnreachable("connection refused")


def call(code: str, name: str = "enhanced_code_agentic_tool") -> str:
    return "<tool_call>\n" + json.dumps({"name": name, "arguments": {"code": code}}) + "\n</tool_call>"


async def episode_of(tokenizer, turns: Iterable[str], *, stop: bool = True, **limits: int) -> Rollout:
    grader = Grader(InMemorySandbox(run_program))
    tools = load_tools(config_dir() / "tools" / "brief.yaml", grader=grader)
    bounds = {
        "max_turns": 4,
        "max_calls_per_turn": 1,
        "max_prompt_tokens": 1000,
        "max_response_tokens": 1000,
        "min_turn_tokens": 4,
    }
    runner = EpisodeRunner(
        ChatFormat(tokenizer, [tool.schema for tool in tools]),
        tools,
        grader,
        LoopLimits(**{**bounds, **limits}),
        DebugLoopTexts("full"),
    )
    script = iter(turns)
    policy = ScriptedPolicy(tokenizer, lambda prompt: next(script), stop=stop)
    return await runner.run(Episode(PROBLEM), MESSAGES, policy)


def sampled_text(tokenizer, rollout: Rollout) -> str:
    return tokenizer.decode(
        [t for t, keep in zip(rollout.response_ids, rollout.response_mask, strict=True) if keep]
    )


async def test_a_wrong_attempt_is_repaired(tokenizer):
    rollout = await episode_of(tokenizer, [call(WRONG), call(RIGHT), "done"])
    facts = rollout.facts
    assert (facts.solved, facts.first_solved_attempt, facts.num_failed_attempts) == (True, 2, 1)
    assert facts.stop_reason is StopReason.FINAL_ANSWER
    assert "wrong" in rollout.messages[3]["content"]


async def test_the_mask_is_one_on_exactly_what_was_sampled(tokenizer):
    turns = [call(WRONG), call(RIGHT), "done"]
    rollout = await episode_of(tokenizer, turns)
    assert sampled_text(tokenizer, rollout) == "".join(turn + "<|im_end|>" for turn in turns)
    assert len(rollout.response_ids) == len(rollout.response_mask) == len(rollout.logprobs)


@pytest.mark.parametrize(
    ("turns", "limits", "reason"),
    [
        (["done"], {}, StopReason.FINAL_ANSWER),
        ([call(WRONG)] * 4, {}, StopReason.MAX_TURNS),
        ([call(WRONG)], {"max_response_tokens": 60}, StopReason.MAX_RESPONSE_TOKENS),
        ([call(WRONG)], {"max_response_tokens": 10}, StopReason.MAX_RESPONSE_TOKENS),
    ],
)
async def test_every_episode_ends_on_a_model_token(tokenizer, turns, limits, reason):
    rollout = await episode_of(tokenizer, turns, **limits)
    assert rollout.facts.stop_reason is reason
    assert rollout.response_mask[-1] == 1
    assert len(rollout.response_ids) <= limits.get("max_response_tokens", 1000)


async def test_an_overlong_prompt_is_said_and_nothing_is_generated(tokenizer):
    rollout = await episode_of(tokenizer, [], max_prompt_tokens=5)
    assert rollout.facts.stop_reason is StopReason.OVERLONG_PROMPT
    assert rollout.response_ids == []


@pytest.mark.parametrize(
    ("turn", "counter", "answer"),
    [
        ("<tool_call>{broken</tool_call>", "num_malformed_calls", "could not be read"),
        (call(RIGHT, "other_tool"), "num_refused_calls", "no tool named"),
        (call(WRONG) + call(RIGHT), "num_surplus_calls", "Not run"),
    ],
)
async def test_calls_that_can_not_be_run_are_answered_and_counted(tokenizer, turn, counter, answer):
    rollout = await episode_of(tokenizer, [turn, "done"])
    assert getattr(rollout.facts, counter) == 1
    assert any(answer in message["content"] for message in rollout.messages if message["role"] == "tool")


async def test_a_sandbox_that_fails_in_the_tool_voids_the_episode(tokenizer):
    rollout = await episode_of(tokenizer, [call("print('outage')"), "done"])
    assert rollout.facts.void and not rollout.facts.solved
    assert "connection refused" in rollout.failure
    assert all("refused" not in message["content"] for message in rollout.messages)


async def test_a_sandbox_that_fails_in_grading_voids_the_episode(tokenizer):
    rollout = await episode_of(tokenizer, ["```python\nprint('outage')\n```"])
    assert rollout.facts.void
    assert rollout.final_grade is None


async def test_passing_only_the_public_cases_is_not_solved(tokenizer):
    rollout = await episode_of(tokenizer, [call(PUBLIC_ONLY), "done"])
    assert not rollout.facts.solved
    assert rollout.facts.num_failed_attempts == 0


async def test_hidden_cases_are_never_shown(tokenizer):
    rollout = await episode_of(tokenizer, [call(PUBLIC_ONLY), call(WRONG), "done"])
    shown = " ".join(message["content"] for message in rollout.messages)
    assert "10" not in shown.replace(PUBLIC_ONLY, "")


@pytest.mark.parametrize(
    ("final", "program", "attempts"),
    [
        ("done", WRONG, 1),
        (f"```python\n{RIGHT}\n```", RIGHT, 2),
        (f"```python\n{WRONG}\n```", WRONG, 1),
    ],
)
async def test_a_fenced_final_program_replaces_the_last_attempt(tokenizer, final, program, attempts):
    rollout = await episode_of(tokenizer, [call(WRONG), final])
    assert rollout.episode.final_program == program
    assert rollout.facts.num_attempts == attempts


async def test_an_answer_without_a_program_is_unsolved_and_not_void(tokenizer):
    facts = (await episode_of(tokenizer, ["I give up"])).facts
    assert (facts.void, facts.solved, facts.hidden_passed, facts.num_attempts) == (False, False, 0, 0)


async def test_a_turn_cut_by_the_token_limit_submits_nothing(tokenizer):
    rollout = await episode_of(tokenizer, [call(RIGHT)], stop=False)
    assert rollout.facts.num_attempts == 0
    assert rollout.facts.stop_reason is StopReason.MAX_RESPONSE_TOKENS


async def test_trajectories_survive_a_kill_in_the_middle_of_a_line(tokenizer, tmp_path):
    rollout = await episode_of(tokenizer, [call(WRONG), call(RIGHT), "done"])
    record = trajectory_record(rollout, EpisodeOrigin("rl", "train", 3, 0), {"score": 1.35})
    path = tmp_path / "t.jsonl"
    writer = TrajectoryWriter(path)
    writer.write(record)
    writer.close()
    with path.open("a") as file:
        file.write('{"schema": 1, "query')
    assert list(read_trajectories(path)) == [record]
    assert [attempt["verdicts"][0] for attempt in record["attempts"]] == ["wrong_answer", "passed"]


def test_a_broken_trajectory_line_is_named(tmp_path):
    path = tmp_path / "t.jsonl"
    path.write_text('{"a": 1}\nnot json\n{"a": 2}\n')
    with pytest.raises(ValueError, match=r"t\.jsonl:2"):
        list(read_trajectories(path))


@pytest.mark.parametrize(
    "turn",
    [
        call("print('\ud800')"),
        call("x = '\ud800' +"),
        call("raise ValueError('\ud800')"),
        call("print(x\ud800)"),
        call(RIGHT, name="no_tool_\ud800"),
        json.dumps(
            {
                "name": "enhanced_code_agentic_tool",
                "arguments": {"code": RIGHT, "\ud800": ["\ud800"], "b": {"c": 1}},
            }
        ),
    ],
)
@pytest.mark.parametrize("tools_file", ["enhanced.yaml", "brief.yaml"])
async def test_half_a_character_in_a_call_stops_neither_the_episode_nor_its_record(
    tokenizer, grader, tmp_path, turn, tools_file
):
    tools = load_tools(config_dir() / "tools" / tools_file, grader=grader)
    chat = ChatFormat(tokenizer, [tool.schema for tool in tools])
    runner = EpisodeRunner(chat, tools, grader, LoopLimits(4, 1, 4000, 4000, 4), DebugLoopTexts("full"))
    script = iter([turn, "done"])
    rollout = await runner.run(
        Episode(PROBLEM), MESSAGES, ScriptedPolicy(tokenizer, lambda prompt: next(script))
    )
    assert rollout.facts.stop_reason is StopReason.FINAL_ANSWER
    record = trajectory_record(rollout, EpisodeOrigin("rl", "train", 1, 0), {"score": 0.0})
    json.dumps(record, ensure_ascii=False).encode()
    writer = TrajectoryWriter(tmp_path / "episodes.jsonl")
    writer.write({**record, "source": "\ud800"})
    writer.close()
    [read] = read_trajectories(tmp_path / "episodes.jsonl")
    assert (read["source"], read["attempts"]) == ("\ud800", record["attempts"])


async def test_half_a_character_in_a_returned_value_or_a_case_is_shown(tokenizer, grader):
    problem = Problem(
        "half", "Return x.", (Case('["\\ud800"]', '"a\\ud800"', "f", True), Case('["b"]', '"b"', "f"))
    )
    tools = load_tools(config_dir() / "tools" / "enhanced.yaml", grader=grader)
    chat = ChatFormat(tokenizer, [tool.schema for tool in tools])
    runner = EpisodeRunner(chat, tools, grader, LoopLimits(4, 1, 4000, 4000, 4), DebugLoopTexts("full"))
    script = iter([call("def f(x):\n    return x"), "done"])
    messages = [{"role": "user", "content": "Return x, say \ud800."}]
    rollout = await runner.run(
        Episode(problem), messages, ScriptedPolicy(tokenizer, lambda prompt: next(script))
    )
    assert rollout.facts.solved
    assert "wrong" in rollout.messages[2]["content"]
