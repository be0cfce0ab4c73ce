"""The debugging tool: what it answers, counts and never shows."""

from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from recipe.code_agentic.tool import EnhancedCodeAgenticTool, ToolConfig
from verl_ext.agent_loop.episode import Episode
from verl_ext.grading.grader import Grader
from verl_ext.grading.problem import Case, Problem
from verl_ext.sandbox.errors import SandboxUnreachable
from verl_ext.sandbox.memory import InMemorySandbox
from verl_ext.tools.registry import load_tools

CONFIGS = Path(__file__).parents[3] / "configs" / "tools"
RIGHT = "print(sum(map(int, input().split())))"
WRONG = "a, b = map(int, input().split())\nprint(a * b)"
SCHEMA = {"type": "function", "function": {"name": "enhanced_code_agentic_tool", "parameters": {}}}


@pytest.fixture
def problem() -> Problem:
    return Problem(
        "q1",
        "Add two numbers.",
        (Case("3 4\n", "7\n", public=True), Case("1 2\n", "3\n", public=True), Case("90909 1\n", "90910\n")),
    )


@pytest.fixture
def episode(problem: Problem) -> Episode:
    return Episode(problem)


def make_tool(grader: Grader, **config: Any) -> EnhancedCodeAgenticTool:
    return EnhancedCodeAgenticTool(ToolConfig(**config), SCHEMA, grader)


async def test_a_failed_case_shows_input_expected_actual_and_a_suggestion(
    grader: Grader, episode: Episode
) -> None:
    answer = await make_tool(grader).call({"code": WRONG}, episode)
    assert answer.ran
    for part in ("0 of 2 cases passed", "case 0: wrong_answer", "input: 3 4", "expected: 7", "actual: 12"):
        assert part in answer.text
    assert "Suggestion: " in answer.text and "4 of 5 attempts left" in answer.text


async def test_the_brief_style_is_this_short(grader: Grader, episode: Episode) -> None:
    [tool] = load_tools(CONFIGS / "brief.yaml", grader=grader)
    answers = [
        (await tool.call({"code": code}, episode)).text
        for code in ("print(8)", "print(x)", "print((1)", "while 1: pass", RIGHT)
    ]
    assert answers == [
        "case 0: wrong_answer\ninput: 3 4\nexpected: 7\ngot: 8\nhint: off by one",
        "case 0: runtime_error\ninput: 3 4\nline 1: NameError: name 'x' is not defined\nhint: define x",
        "case 0: compile_error\nline 1: SyntaxError: '(' was never closed\nhint: bracket line 1",
        "case 0: time_limit\ninput: 3 4\nhint: endless loop",
        "all 2 cases passed",
    ]


async def test_an_error_is_shown_with_category_line_and_source(grader: Grader, episode: Episode) -> None:
    text = (await make_tool(grader).call({"code": "x = 1\nprint(y)"}, episode)).text
    assert "line 2: NameError: name 'y' is not defined" in text and "  print(y)" in text
    assert "Traceback" not in text and "program.py" not in text


async def test_one_case_can_be_asked_for(grader: Grader, episode: Episode) -> None:
    text = (await make_tool(grader).call({"code": WRONG, "test_case_index": 1}, episode)).text
    assert "case 1: wrong_answer" in text and "case 0" not in text
    assert episode.attempts[0].grade is not None and episode.attempts[0].grade.total == 1


async def test_a_call_that_ran_is_an_attempt_and_a_refused_one_is_not(
    grader: Grader, episode: Episode
) -> None:
    episode.turn = 3
    tool = make_tool(grader)
    await tool.call({"code": WRONG}, episode)
    await tool.call({"code": RIGHT}, episode)
    refused = await tool.call({}, episode)
    assert not refused.ran
    assert [(attempt.program, attempt.source, attempt.turn) for attempt in episode.attempts] == [
        (WRONG, "tool", 3),
        (RIGHT, "tool", 3),
    ]
    assert [attempt.failed for attempt in episode.attempts] == [True, False]
    assert (episode.num_tool_calls, episode.num_refused_calls) == (2, 1)


BAD_ARGUMENTS = [
    {},
    {"code": None},
    {"code": 7},
    {"code": ["print(7)"]},
    {"code": "  \n"},
    {"code": RIGHT, "test_case_index": 2},
    {"code": RIGHT, "test_case_index": -1},
    {"code": RIGHT, "test_case_index": "0"},
    {"code": RIGHT, "test_case_index": 0.5},
    {"code": RIGHT, "test_case_index": True},
    {"code": RIGHT, "language": "cobol"},
    {"code": RIGHT, "language": 3},
    {"code": RIGHT, "language": "cpp"},
]


@pytest.mark.parametrize("style", ["full", "brief"])
@pytest.mark.parametrize("arguments", BAD_ARGUMENTS, ids=repr)
async def test_bad_arguments_are_answered_in_text(
    grader: Grader, episode: Episode, arguments: dict, style: str
) -> None:
    answer = await make_tool(grader, style=style).call(arguments, episode)
    assert answer.text and not answer.ran
    assert (episode.num_refused_calls, episode.num_tool_calls, episode.attempts) == (1, 0, [])


@pytest.mark.parametrize(
    "timeout", [0, -1, 1e9, float("nan"), float("inf"), "10", True, [1], 10**400], ids=lambda t: repr(t)[:8]
)
async def test_an_absurd_timeout_is_replaced_and_said_so(
    grader: Grader, episode: Episode, timeout: object
) -> None:
    answer = await make_tool(grader).call({"code": RIGHT, "timeout": timeout}, episode)
    assert answer.ran and "2 of 2 cases passed" in answer.text
    # The limit of the problem (the grader's default here) is what was really used.
    assert "timeout must be a number of seconds above 0 and up to 30; 0.5 seconds were used" in answer.text


async def test_the_timeout_asked_for_is_used(grader: Grader, episode: Episode) -> None:
    slow = (
        "import time\nend = time.process_time() + 0.3\nwhile time.process_time() < end:\n    pass\n" + RIGHT
    )
    tool = make_tool(grader)
    assert "time_limit" in (await tool.call({"code": slow, "timeout": 0.05}, episode)).text
    assert "2 of 2 cases passed" in (await tool.call({"code": slow, "timeout": 20}, episode)).text


async def test_the_problems_own_limit_is_not_exceeded_and_that_is_said(
    grader: Grader, problem: Problem
) -> None:
    problem = replace(problem, time_limit_s=0.3)
    asked = {"code": "while 1: pass", "timeout": 20}
    text = (await make_tool(grader).call(asked, Episode(problem))).text
    assert "time_limit" in text and "0.3 seconds were used as timeout" in text
    within = (await make_tool(grader).call({"code": RIGHT, "timeout": 0.3}, Episode(problem))).text
    assert "timeout" not in within
    brief = (await make_tool(grader, style="brief").call(asked, Episode(problem))).text
    assert brief.startswith("case 0: time_limit\n")


async def test_unknown_arguments_and_a_fence_are_said_to_be_ignored(grader: Grader, episode: Episode) -> None:
    answer = await make_tool(grader).call({"code": f"```python\n{RIGHT}\n```", "tests": 3}, episode)
    assert "2 of 2 cases passed" in answer.text
    assert "fence" in answer.text and "tests" in answer.text
    assert episode.attempts[0].program == RIGHT


@pytest.mark.parametrize("language", ["python", "Python", "py", "python3", None])
async def test_names_of_the_right_language_are_accepted(
    grader: Grader, episode: Episode, language: str | None
) -> None:
    assert (await make_tool(grader).call({"code": RIGHT, "language": language}, episode)).ran


async def test_calls_are_refused_once_the_failed_attempts_are_used_up(
    grader: Grader, episode: Episode
) -> None:
    tool = make_tool(grader, max_debug_attempts=2)
    await tool.call({"code": RIGHT}, episode)
    first = await tool.call({"code": WRONG}, episode)
    second = await tool.call({"code": "print(1)"}, episode)
    third = await tool.call({"code": RIGHT}, episode)
    assert "1 of 2 attempts left" in first.text and "0 of 2 attempts left" in second.text
    assert "all 2 attempts have failed" in third.text and not third.ran
    assert (episode.num_failed_attempts, episode.num_tool_calls, episode.num_refused_calls) == (2, 3, 1)


SNOOPING = [
    {"code": WRONG},
    {"code": RIGHT},
    {"code": "print(x)"},
    {"code": WRONG, "test_case_index": 2},
    {"code": "import os, sys\nprint(os.listdir(), sys.argv, dict(os.environ), file=sys.stderr)\nprint(1)"},
]


@pytest.mark.parametrize("arguments", SNOOPING, ids=range(len(SNOOPING)))
async def test_hidden_cases_never_appear(grader: Grader, episode: Episode, arguments: dict) -> None:
    answer = await make_tool(grader).call(arguments, episode)
    assert "90909" not in answer.text and "90910" not in answer.text


async def test_a_problem_without_public_cases_is_not_run(grader: Grader) -> None:
    episode = Episode(Problem("q", "?", (Case("1", "1"),)))
    answer = await make_tool(grader).call({"code": RIGHT}, episode)
    assert "no public case" in answer.text and not answer.ran
    assert (episode.num_tool_calls, episode.num_refused_calls, episode.attempts) == (0, 1, [])
    assert grader.misses == 0


async def test_long_values_are_cut_visibly(grader: Grader) -> None:
    episode = Episode(Problem("q", "?", (Case("a" * 1000, "b" * 2000, public=True),)))
    tool = make_tool(grader, max_value_chars=100)
    text = (
        await tool.call({"code": "import sys\nprint('c' * 3000)\nsys.stderr.write('d' * 400)"}, episode)
    ).text
    for letter, cut in (("a", 900), ("b", 1900), ("d", 300)):
        assert f"{letter * 100}... [{cut} more characters]" in text
        assert letter * 101 not in text
    assert f"{'c' * 100}... [2900 more characters]" in text


async def test_debug_prints_are_shown_when_enabled(grader: Grader, problem: Problem) -> None:
    code = "import sys\nprint('at a', file=sys.stderr)\nprint(0)"
    shown = await make_tool(grader).call({"code": code}, Episode(problem))
    hidden = await make_tool(grader, enable_debug_prints=False).call({"code": code}, Episode(problem))
    assert "stderr: at a" in shown.text and "at a" not in hidden.text


async def test_a_call_case_is_shown_as_the_call_it_makes(grader: Grader) -> None:
    episode = Episode(Problem("q", "?", (Case('[[1, 2], "x"]', "3", "total", public=True),)))
    text = (
        await make_tool(grader).call({"code": "def total(a, b):\n    print(a)\n    return 4"}, episode)
    ).text
    assert 'input: total([1, 2], "x")' in text and "actual: 4" in text and "debug output: [1, 2]" in text


async def test_only_so_many_failures_are_shown_with_their_values(grader: Grader) -> None:
    cases = tuple(Case(str(number), "7", public=True) for number in range(4))
    tool = make_tool(grader, max_shown_failures=2)
    text = (await tool.call({"code": "print(8)"}, Episode(Problem("q", "?", cases)))).text
    assert text.count("expected: 7") == 2 and text.count("(values not shown)") == 2


async def test_an_early_stop_says_what_was_not_run(grader: Grader, problem: Problem) -> None:
    tool = make_tool(grader, stop_at_first_failure=True)
    text = (await tool.call({"code": WRONG}, Episode(problem))).text
    assert "1 later case(s) not run" in text and "case 1" not in text


async def test_a_broken_sandbox_is_raised_and_leaves_the_episode_as_it_was(episode: Episode) -> None:
    broken = InMemorySandbox(lambda request: SandboxUnreachable("no route to 10.0.0.1"))
    with pytest.raises(SandboxUnreachable):
        await make_tool(Grader(broken)).call({"code": RIGHT}, episode)
    assert (episode.attempts, episode.num_tool_calls, episode.num_refused_calls) == ([], 0, 0)


@pytest.mark.parametrize(
    "config",
    [
        {"style": "loud"},
        {"max_debug_attempts": 0},
        {"max_debug_attempts": 2.5},
        {"default_timeout": -1},
        {"default_timeout": "30"},
        {"enable_debug_prints": "yes"},
        {"max_value_chars": True},
    ],
)
def test_a_config_out_of_range_is_refused_by_name(config: dict) -> None:
    with pytest.raises(ValueError, match=next(iter(config))):
        ToolConfig(**config)
