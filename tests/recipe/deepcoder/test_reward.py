"""1.0 when every case passes, else 0.0, and neither for what is not the program's doing."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from pathlib import Path

import pytest

from recipe.deepcoder.reward import (
    Environment,
    RewardOptions,
    compute_score,
    deepcoder_code_reward,
    make_trl_reward,
    trl_reward,
)
from verl_ext.grading.problem import Case, Problem
from verl_ext.sandbox.errors import SandboxError

DOUBLE = "n = int(input())\nprint(n * 2)"
CASES = [{"input": "3", "output": "6"}, {"input": "5", "output": "10"}]
PROBLEM = Problem("double", "Print twice n.", tuple(Case(case["input"], case["output"]) for case in CASES))
NOWHERE = "http://127.0.0.1:9"
RIGHT, WRONG = (f"```python\n{program}\n```" for program in (DOUBLE, "print(6)"))


def fenced(program: str) -> str:
    return f"Here it is.\n```python\n{program}\n```"


@pytest.mark.parametrize(
    "cases",
    [
        CASES,
        [{"input": case["input"], "expected_output": case["output"]} for case in CASES],
        {"inputs": ["3\n", "5\n"], "outputs": ["6\n", "10\n"]},
        {"inputs": [["3"], ["5"]], "outputs": [["6"], ["10"]]},
        json.dumps(CASES),
        json.dumps({"inputs": ["3", "5"], "outputs": ["6", "10"]}),
        PROBLEM.to_json(),
    ],
    ids=["output", "expected_output", "parallel", "lines", "text", "parallel text", "problem"],
)
def test_every_form_of_test_cases_tells_right_from_wrong(cases):
    assert deepcoder_code_reward(RIGHT, ground_truth=cases).score == 1.0
    assert deepcoder_code_reward(WRONG, test_cases=cases).score == 0.0


def test_the_last_assistant_message_is_the_answer():
    messages = [
        {"role": "user", "content": "Print twice n."},
        {"role": "assistant", "content": RIGHT},
        {"role": "user", "content": "Again."},
    ]
    assert deepcoder_code_reward(messages, CASES).score == 1.0
    parts = [{"role": "assistant", "content": [{"type": "text", "text": RIGHT}]}]
    assert deepcoder_code_reward(parts, CASES).score == 1.0
    assert deepcoder_code_reward([*messages, {"role": "assistant", "content": WRONG}], CASES).score == 0.0
    assert deepcoder_code_reward(messages[:1], CASES).score == 0.0


def test_a_reward_says_what_it_saw_and_is_used_like_a_dict():
    reward = deepcoder_code_reward(fenced("print(6)"), CASES)
    assert (reward.score, float(reward), reward["score"]) == (0.0, 0.0, 0.0)
    assert reward.reason == "case 1: wrong_answer"
    assert reward.metrics["extracted_code"].reason == "print(6)"
    assert reward.metrics["passed"].score == 0.5
    assert [reward.metrics[f"case_{index}"].score for index in range(2)] == [1.0, 0.0]
    assert json.loads(json.dumps(dict(reward))) == reward.to_dict()


@pytest.mark.parametrize(
    ("text", "expected"),
    [("[1, 2, 3]", "6"), ('"[1,2,3]"', "6"), ('"5"', "5"), ("[]", "0")],
)
def test_a_target_function_gets_what_it_takes(text, expected):
    answer = fenced("def total(x: list[int]):\n    return x if isinstance(x, int) else sum(x)")
    case = [{"input": text, "expected_output": expected}]
    assert deepcoder_code_reward(answer, case, target_function="total").score == 1.0


def test_the_signature_of_the_task_wins_over_the_programs():
    answer = fenced("def size(x):\n    return len(x)")
    case = [{"input": "[1, 2]", "output": "6"}]
    assert deepcoder_code_reward(answer, case, target_function="size").score == 0.0
    header = "def size(x: str) -> int:"
    assert deepcoder_code_reward(answer, case, target_function="size", signature=header).score == 1.0


@pytest.mark.parametrize("answer", [RIGHT, "no code"])
def test_a_signature_of_no_such_function_is_refused_and_not_replaced_by_the_programs(answer):
    case = [{"input": "[1, 2]", "output": "6"}]
    for header in ("def length(x: str) -> int:", "size(x"):
        with pytest.raises(ValueError, match="no header of size"):
            deepcoder_code_reward(answer, case, target_function="size", signature=header)


@pytest.mark.parametrize(
    "program",
    [
        "import os\nos._exit(0)",
        "class Any:\n    def __eq__(self, other):\n        return True\nprint(Any())",
        "import sys\nsys.stdout.write('all 2 cases passed')\nsys.exit(0)",
        "import builtins\nbuiltins.print = lambda *a: None",
        "raise SystemExit(6)",
        "def broken(:",
        "while True: pass",
        "\ud800 = 1",
        "print(open('/proc/self/environ').read())",
        "import os\nos.fork()\nprint(6)",
        "n = int(input())\nprint(6 if n == 3 else 0)",
    ],
)
def test_no_program_gets_around_its_cases(program):
    assert deepcoder_code_reward(fenced(program), CASES, timeout=0.5).score == 0.0


@pytest.mark.parametrize(
    "program",
    [
        "class Any:\n    def __eq__(self, other):\n        return True\ndef f(x):\n    return Any()",
        "def g(x):\n    return 4",
        "f = 4",
        "def f(x, y):\n    return 4",
        "import os\ndef f(x):\n    print(4)\n    os._exit(0)",
    ],
)
def test_no_function_gets_around_its_cases(program):
    cases = [{"input": "2", "output": "4"}]
    assert deepcoder_code_reward(fenced(program), cases, target_function="f").score == 0.0


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "no code",
        "```python\nprint(6)",
        "```java\nint x;\n```",
        "<think>```python\nprint(6)\n```",
        "`" * 10_000,
    ],
)
def test_an_answer_without_a_program_earns_nothing(answer):
    reward = deepcoder_code_reward(answer, CASES)
    assert reward.score == 0.0 and reward.grade is None


@pytest.mark.parametrize(
    ("cases", "message"),
    [
        ([], "no test cases"),
        ("[]", "no test cases"),
        ("not json", "JSON"),
        ({"inputs": [], "outputs": []}, "every input needs one"),
        ({"inputs": ["1"], "outputs": []}, "every input needs one"),
        ([{"input": "1"}], "needs input and output"),
        ([{"input": "1", "output": "1", "outpt": "2"}], "outpt"),
        ([{"input": 1, "output": "1"}], "target_function"),
        ([{"input": "1", "output": "1", "fn_name": name} for name in "fg"], "several functions"),
        (7, "a list of objects .* not 7"),
        ("5", "a list of objects .* not 5"),
    ],
)
@pytest.mark.parametrize("answer", [RIGHT, "no code"])
def test_without_usable_tests_there_is_no_reward(cases, message, answer):
    with pytest.raises(ValueError, match=message):
        deepcoder_code_reward(answer, ground_truth=cases)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "exactly one"),
        ({"ground_truth": CASES, "test_cases": CASES}, "exactly one"),
        ({"ground_truth": CASES, "environment": "cloud"}, "environment"),
        ({"ground_truth": CASES, "api_key": "k"}, "api_key"),
        ({"ground_truth": CASES, "endpoint": NOWHERE}, "endpoint"),
        ({"ground_truth": CASES, "format_penalty": 1.0}, "format_penalty"),
        ({"ground_truth": CASES, "timeout": 0}, "timeout"),
        ({"ground_truth": CASES, "max_cases": 0}, "max_cases"),
        ({"ground_truth": CASES, "language": "cobol"}, "language"),
    ],
)
def test_arguments_that_make_no_sense_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        deepcoder_code_reward(RIGHT, **arguments)


@pytest.mark.parametrize("messages", [None, {"role": "assistant", "content": RIGHT}])
def test_what_is_no_conversation_is_refused(messages):
    with pytest.raises(ValueError, match="messages must be"):
        deepcoder_code_reward(messages, CASES)


def test_a_solved_problem_earns_more_than_an_unsolved_one_whatever_the_form():
    penalty = 0.9
    twice = f"{RIGHT}\n{RIGHT}"
    scores = [
        deepcoder_code_reward(text, CASES, format_penalty=penalty) for text in (RIGHT, twice, WRONG, "")
    ]
    assert [reward.score for reward in scores] == pytest.approx([1.0, 0.1, 0.0, -0.9])
    assert [reward.metrics["format"].score for reward in scores] == [1.0, 0.0, 1.0, 0.0]


def test_only_the_cases_of_the_longest_inputs_are_graded():
    cases = [{"input": str(n), "output": str(2 * n)} for n in (1, 22, 3, 444, 5)]
    right_for_long = fenced("n = int(input())\nprint(n * 2 if n > 20 else 0)")
    assert deepcoder_code_reward(right_for_long, cases, max_cases=2).score == 1.0
    assert deepcoder_code_reward(right_for_long, cases, max_cases=None).score == 0.0


def test_a_dead_sandbox_raises_and_is_never_a_zero():
    with pytest.raises(SandboxError):
        deepcoder_code_reward(RIGHT, CASES, environment="sandbox_fusion", endpoint=NOWHERE)
    with pytest.raises(SandboxError):
        asyncio.run(
            compute_score("x", RIGHT, CASES, environment="sandbox_fusion", endpoint=NOWHERE),
        )


async def test_trl_gets_none_for_what_could_not_be_judged_until_it_is_too_much():
    broken = RewardOptions(environment=Environment("sandbox_fusion", NOWHERE))
    columns = {"ground_truth": [CASES] * 3, "trainer_state": None}
    completions = [RIGHT, "no code", "no code"]
    scores = await make_trl_reward(broken, max_void_share=0.5)(
        prompts=[""] * 3, completions=completions, **columns
    )
    assert scores == [None, 0.0, 0.0]
    with pytest.raises(SandboxError, match="1 of 3 completions"):
        await make_trl_reward(broken)(prompts=[""] * 3, completions=completions, **columns)


async def test_trl_gets_one_score_per_completion_in_order(sandbox_endpoint):
    options = RewardOptions(environment=Environment("sandbox_fusion", sandbox_endpoint))
    answers = [RIGHT, WRONG, [{"role": "assistant", "content": RIGHT}], "nothing"]
    scores = await make_trl_reward(options)(
        prompts=["p"] * 4, completions=answers, completion_ids=[[1]] * 4, ground_truth=[json.dumps(CASES)] * 4
    )
    assert scores == [1.0, 0.0, 1.0, 0.0]
    functions = await make_trl_reward(options)(
        prompts=["p"],
        completions=[fenced("def f(s):\n    return s * 2")],
        test_cases=[[{"input": "[ab]", "output": "[ab][ab]"}]],
        target_function=["f"],
        signature=["def f(s: str) -> str:"],
        language=["python"],
    )
    assert functions == [1.0]
    with pytest.raises(ValueError, match="column ground_truth"):
        await trl_reward(prompts=["p"], completions=[RIGHT])


async def test_verl_gets_floats_and_the_verdicts_of_an_episode_win():
    judged = await compute_score("own", RIGHT, PROBLEM.to_json(), {"split": "train"})
    assert judged == {"score": 1.0, "solved": 1.0, "passed": 1.0}
    assert (await compute_score("own", "no code", CASES))["score"] == 0.0
    facts = {
        **dict.fromkeys(
            ("num_attempts", "num_failed_attempts", "num_tool_calls", "num_refused_calls", "num_turns"), 0
        ),
        **dict.fromkeys(("num_malformed_calls", "num_surplus_calls", "num_response_tokens"), 0),
        "void": False,
        "hidden_passed": 1,
        "hidden_total": 2,
        "first_solved_attempt": None,
        "stop_reason": "final_answer",
    }
    episode = {"episode": facts, "language": "python"}
    assert await compute_score("own", RIGHT, "", episode) == {"score": 0.0, "solved": 0.0, "passed": 0.5}
    judged = await compute_score("own", "", PROBLEM.to_json(), episode, format_penalty=0.5)
    assert judged["score"] == -0.5
    judged = await compute_score("own", WRONG, PROBLEM.to_json(), episode, format_penalty=0.5)
    assert judged["score"] == 0.0


def test_it_works_where_a_loop_is_running_and_leaves_nothing_behind(tmp_path: Path):
    script = tmp_path / "notebook.py"
    script.write_text(
        "import asyncio, sys\n"
        "from recipe.deepcoder.reward import deepcoder_code_reward, compute_score\n"
        "assert not {'torch', 'verl', 'ray', 'trl', 'transformers'} & set(sys.modules)\n"
        "async def cell():\n"
        f"    reward = deepcoder_code_reward({RIGHT!r}, {CASES!r})\n"
        f"    again = await compute_score('x', {WRONG!r}, {CASES!r})\n"
        "    print(reward.score, again['score'])\n"
        "asyncio.run(cell())\n"
        "import psutil\n"
        "print(len(psutil.Process().children(recursive=True)) > 0)\n"
    )
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stdout.split()) == (0, ["1.0", "0.0", "True"]), done.stderr
