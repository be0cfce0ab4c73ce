"""Stored episodes get the reward of another function; void ones get none, and our failures are no scores."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from pathlib import Path

import pytest

from recipe.code_agentic.prompts import DebugLoopTexts
from recipe.code_agentic.regrade import main, regrade, trajectory_files
from recipe.code_agentic.regrade_run import read_episode
from verl_ext.agent_loop.chat import ChatFormat
from verl_ext.agent_loop.episode import Episode
from verl_ext.agent_loop.loop import EpisodeRunner, LoopLimits
from verl_ext.agent_loop.policy import ScriptedPolicy
from verl_ext.agent_loop.reward_function import load_reward_function
from verl_ext.agent_loop.trajectory import EpisodeOrigin, trajectory_record
from verl_ext.cli import compose, config_dir, run_main
from verl_ext.grading.grader import Grader
from verl_ext.grading.problem import Case, Problem
from verl_ext.sandbox.errors import SandboxError, SandboxUnreachable
from verl_ext.sandbox.memory import InMemorySandbox, finished
from verl_ext.tools.registry import load_tools

RIGHT, WRONG, SLOW = "print(int(input())+3)", "print(int(input())-3)", "print(int(input())+2+1)"
WEIGHTS = "reward.custom_reward_function.reward_kwargs"


def problem(number: int, hidden: str = "10\n") -> Problem:
    return Problem(
        f"add-{number}",
        "Read a, print a plus 3.",
        (Case("1\n", "4\n", public=True), Case("7\n", hidden)),
        reference=RIGHT,
    )


def run_program(request):
    """Two right programs, of which one takes twice as long, and a wrong one; our side fails on any other."""
    program, value = request.files["program.py"].decode(), int(request.stdin)
    outcomes = {RIGHT: (3, 0.2), SLOW: (3, 0.4), WRONG: (-3, 0.2)}
    if program not in outcomes:
        return SandboxUnreachable("connection refused")
    shift, cpu_time_s = outcomes[program]
    return finished(f"{value + shift}\n", cpu_time_s=cpu_time_s)


def call(code: str) -> str:
    function = {"name": "enhanced_code_agentic_tool", "arguments": {"code": code}}
    return f"<tool_call>\n{json.dumps(function)}\n</tool_call>"


EPISODES = {
    "at once": [call(RIGHT), "done"],
    "repaired": [call(WRONG), call(WRONG), call(WRONG), call(SLOW), "done"],
    "unsolved": [call(WRONG), "done"],
    "no program": ["I do not know."],
    "void": [call("print('our side fails')"), "done"],
}


@pytest.fixture(scope="session")
def stored(tokenizer) -> list[dict]:
    """The records of the episodes as an evaluation writes them."""

    async def play() -> list[dict]:
        grader = Grader(InMemorySandbox(run_program))
        tools = load_tools(config_dir() / "tools" / "brief.yaml", grader=grader)
        chat = ChatFormat(tokenizer, [tool.schema for tool in tools])
        limits = LoopLimits(6, 1, 2000, 2000, 4)
        runner = EpisodeRunner(chat, tools, grader, limits, DebugLoopTexts("brief"))
        reward = load_reward_function(compose("regrade", NOTHING).reward.custom_reward_function)
        records = []
        for number, turns in enumerate(EPISODES.values()):
            script = iter(turns)
            policy = ScriptedPolicy(tokenizer, lambda prompt, script=script: next(script))
            messages = [{"role": "user", "content": "Read a, print a plus 3."}]
            rollout = await runner.run(Episode(problem(number)), messages, policy)
            parts = {}
            if not rollout.facts.void:
                parts = await reward.score(
                    rollout.facts,
                    source="code_agentic",
                    answer=rollout.answer,
                    program=rollout.episode.final_program,
                    language="python",
                )
            records.append(trajectory_record(rollout, EpisodeOrigin("rl", "test", None, 0), parts))
        return records

    return asyncio.run(play())


NOTHING = ["trajectories=none", "output=none"]


def write(path: Path, lines: list) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines))
    return path


@pytest.fixture
def files(tmp_path, stored) -> Path:
    """The records in a file."""
    return write(tmp_path / "in" / "rl.trajectories.jsonl", stored)


def configure(files: Path, *overrides: str):
    output = files.parent.parent / "out"
    return compose("regrade", [f"trajectories={files}", f"output={output}", "concurrency=2", *overrides])


def scored(files: Path) -> list[dict]:
    """The new records in the order of the old."""
    text = (files.parent.parent / "out" / files.name).read_text()
    return sorted(map(json.loads, text.splitlines()), key=lambda record: record["regrade"]["line"])


def scores(files: Path) -> list[float | None]:
    return [record["reward"].get("score") for record in scored(files)]


async def test_the_recorded_facts_give_the_recorded_reward(files, stored):
    result = await regrade(configure(files))
    assert scores(files) == [pytest.approx(s) if s else s for s in (1.35, 1.15, 0.05, 0.0, None)]
    assert [record["reward"] for record in scored(files)] == [record["reward"] for record in stored]
    assert result["agreement"] == {"num": 4, "same_score": 1.0, "correlation": pytest.approx(1.0)}
    assert (result["num_scored"], result["num_void"], result["solved"]["solved_to_unsolved"]) == (4, 1, 0)


@pytest.mark.parametrize("reward", ["all_pass", "deepcoder"])
async def test_another_reward_is_compared_with_the_old_one(files, reward):
    result = await regrade(configure(files, f"reward={reward}"))
    assert scores(files) == [1.0, 1.0, 0.0, 0.0, None]
    assert result["old"]["mean"] == pytest.approx((1.35 + 1.15 + 0.05) / 4)
    assert (result["new"]["mean"], result["new"]["min"], result["new"]["max"]) == (0.5, 0.0, 1.0)
    assert result["agreement"]["same_score"] == 0.25
    assert result["agreement"]["correlation"] > 0.9
    assert result["means"]["solved"] == 0.5
    assert json.loads((files.parent.parent / "out" / "regrade.json").read_text()) == result


async def test_quality_needs_nothing_but_the_record(files):
    pytest.importorskip("radon")
    result = await regrade(configure(files, f"{WEIGHTS}.quality_bonus=0.1"))
    assert scores(files)[:2] == [pytest.approx(1.45), pytest.approx(1.25)]
    assert result["means"]["quality_measured"] == 0.5


async def test_a_reward_of_the_users_own_gets_what_it_gets_in_training(files, tmp_path):
    own = tmp_path / "own.py"
    own.write_text(
        "async def mine(data_source, solution_str, ground_truth, extra_info):\n"
        "    assert extra_info['language'] == 'python'\n"
        "    return len(extra_info['program'] or '') + len(solution_str) / 100\n"
    )
    keys = [
        f"reward.custom_reward_function.path={own}",
        "reward.custom_reward_function.name=mine",
        f"~{WEIGHTS}",
    ]
    await regrade(configure(files, *keys))
    assert scores(files) == [len(RIGHT) + 0.04, len(SLOW) + 0.04, len(WRONG) + 0.04, 0.14, None]


def problem_file(tmp_path: Path, **hidden: str) -> list[str]:
    """RL rows of the problems, with other hidden answers where they are given."""
    pa, pq = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    rows = [
        {"reward_model": {"ground_truth": problem(n, hidden.get(f"p{n}", "10\n")).to_json()}}
        for n in range(len(EPISODES))
    ]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "rl.parquet")
    return ["rerun=true", f"data_files=[{tmp_path / 'rl.parquet'}]"]


async def test_a_rerun_grades_on_the_cases_that_are_given_and_reports_who_changed_sides(files, tmp_path):
    result = await regrade(
        configure(files, *problem_file(tmp_path, p0="11\n", p2="4\n")), InMemorySandbox(run_program)
    )
    assert scores(files) == [pytest.approx(0.05), pytest.approx(1.15), pytest.approx(1.35), 0.0, None]
    solved = result["solved"]
    assert (solved["old"], solved["new"], solved["solved_to_unsolved"], solved["unsolved_to_solved"]) == (
        *(2, 2),
        *(1, 1),
    )
    assert {(flip["query_id"], flip["direction"], flip["line"]) for flip in solved["examples"]} == {
        ("add-0", "solved_to_unsolved", 1),
        ("add-2", "unsolved_to_solved", 3),
    }
    assert result["num_other_cases"] == 2
    assert scored(files)[0]["final_verdicts"] == ["wrong_answer"]


async def test_a_rerun_measures_efficiency_against_the_reference(files, tmp_path):
    keys = [*problem_file(tmp_path), f"{WEIGHTS}.efficiency_bonus=0.2"]
    await regrade(configure(files, *keys), InMemorySandbox(run_program))
    first, repaired, *others = scored(files)
    assert first["reward"]["part_efficiency_bonus"] == pytest.approx(0.2)
    assert repaired["reward"]["part_efficiency_bonus"] == pytest.approx(0.1)
    assert repaired["facts"]["reference_cpu_s"] == [0.2]
    assert all(record["reward"].get("part_efficiency_bonus", 0) == 0 for record in others)


async def test_without_times_an_efficiency_bonus_says_how_to_get_them(files, capsys):
    await regrade(configure(files, f"{WEIGHTS}.efficiency_bonus=0.2"))
    assert "rerun=true" in capsys.readouterr().err


async def test_the_embedded_sandbox_agrees_with_what_was_recorded(files, tmp_path, sandbox):
    result = await regrade(configure(files, *problem_file(tmp_path)), sandbox)
    assert result["agreement"]["same_score"] == 1.0
    assert all(len(record["facts"]["program_cpu_s"]) == 1 for record in scored(files)[:2])


async def test_a_broken_sandbox_is_never_a_score_and_is_tried_again(files, tmp_path):
    keys = problem_file(tmp_path)

    def fails_on_slow(request):
        if request.files["program.py"].decode() == SLOW:
            return SandboxUnreachable("connection refused")
        return run_program(request)

    with pytest.raises(SandboxError, match=r"1 of 5 episodes .* connection refused"):
        await regrade(configure(files, *keys), InMemorySandbox(fails_on_slow))
    assert scores(files) == [pytest.approx(1.35), pytest.approx(0.05), 0.0, None]
    assert not (tmp_path / "out" / "regrade.json").exists()
    share = "code_agentic.sandbox.max_void_share=0.5"
    result = await regrade(configure(files, *keys, share), InMemorySandbox(fails_on_slow))
    assert [row["line"] for row in result["sandbox_failures"]] == [2]
    assert (result["num_known"], result["num_scored"]) == (4, 3)
    sandbox = InMemorySandbox(run_program)
    result = await regrade(configure(files, *keys), sandbox)
    assert (result["num_known"], result["num_scored"], result["sandbox_failures"]) == (4, 4, [])
    assert {request.files["program.py"].decode() for request in sandbox.requests} == {SLOW}


@pytest.mark.parametrize("num_kept", [0, 1, 3, 5])
async def test_a_killed_run_goes_on_where_it_was(files, num_kept):
    whole = await regrade(configure(files))
    target = files.parent.parent / "out" / files.name
    lines = target.read_bytes().splitlines(keepends=True)
    target.write_bytes(b"".join(lines[:num_kept]) + b"".join(lines[num_kept : num_kept + 1])[:-40])
    again = await regrade(configure(files))
    assert again == {**whole, "num_known": num_kept}
    assert [record["regrade"]["line"] for record in scored(files)] == [1, 2, 3, 4, 5]


async def test_new_records_are_added_and_others_are_not_mixed_in(files, stored):
    await regrade(configure(files))
    write(files, [*stored, stored[0]])
    assert (await regrade(configure(files)))["num_scored"] == 5
    with pytest.raises(ValueError, match=r"another reward.*resume=false"):
        await regrade(configure(files, "reward=all_pass"))
    write(files, [stored[1], *stored[1:], stored[0]])
    with pytest.raises(ValueError, match=r"rl\.trajectories\.jsonl:1: is another record"):
        await regrade(configure(files))
    write(files, stored[:2])
    with pytest.raises(ValueError, match=r"is another record|is gone"):
        await regrade(configure(files))
    assert (await regrade(configure(files, "resume=false")))["num_scored"] == 2


def damaged(record: dict, **changes) -> dict:
    return {**record, **changes}


async def test_bad_rows_are_named_and_the_others_are_scored(files, stored, capsys):
    good = stored[0]
    facts = good["facts"]
    rows = {
        "not a trajectory record: Expecting": "{oops",
        "a list instead of an object": [],
        "the record has no 'facts'": {"query_id": "x"},
        "the record has no 'attempts'": {name: good[name] for name in good if name != "attempts"},
        "facts: 0 of 0 hidden cases": damaged(good, facts={**facts, "hidden_total": 0, "hidden_passed": 0}),
        "facts: 3 of 1 hidden cases": damaged(good, facts={**facts, "hidden_passed": 3}),
        "hidden_total='2' must be a whole": damaged(good, facts={**facts, "hidden_total": "2"}),
        "makes no sense: .*surprise": damaged(good, facts={**facts, "surprise": 1}),
        "is not a valid Verdict": damaged(good, attempts=[{**good["attempts"][0], "verdicts": ["great"]}]),
        "a program that is no text": damaged(good, attempts=[{**good["attempts"][0], "program": 5}]),
        "score='high' is not a number": damaged(good, reward={"score": "high"}),
    }
    write(files, [good, *rows.values(), good])
    result = await regrade(configure(files))
    assert result["num_scored"] == 2
    named = result["bad_rows"]
    assert [row["line"] for row in named] == list(range(2, 2 + len(rows)))
    for row, reason in zip(named, rows, strict=True):
        with pytest.raises(AssertionError, match=reason):
            raise AssertionError(row["reason"])
    assert f"{files.name}:2: not a trajectory record" in capsys.readouterr().err


async def test_a_problem_that_is_not_there_or_stands_for_two_is_named(files, tmp_path, stored):
    keys = problem_file(tmp_path)
    write(files, [damaged(stored[0], query_id="other"), stored[1]])
    result = await regrade(configure(files, *keys), InMemorySandbox(run_program))
    assert [(row["line"], row["reason"]) for row in result["bad_rows"]] == [
        (1, "no problem 'other' in data_files")
    ]
    (tmp_path / "b").mkdir()
    both = f"data_files=[{tmp_path}/rl.parquet,{tmp_path}/b/rl.parquet]"
    problem_file(tmp_path / "b", p1="9\n")
    with pytest.raises(ValueError, match=r"b/rl\.parquet: row 2: add-1 stands for another problem"):
        await regrade(configure(files, "rerun=true", both), InMemorySandbox(run_program))


async def test_a_line_cut_by_a_kill_is_left_out_and_said(files, capsys):
    files.write_text(files.read_text()[:-30])
    result = await regrade(configure(files))
    assert (result["num_episodes"], result["num_cut_lines"], result["bad_rows"]) == (4, 1, [])
    assert "1 last lines were cut" in capsys.readouterr().err


def test_the_files_of_a_folder_are_those_of_its_kind(tmp_path):
    out = tmp_path / "out"
    with pytest.raises(ValueError, match=r"trajectories=.*/none: no such file or folder"):
        trajectory_files(tmp_path / "none", out)
    with pytest.raises(ValueError, match=r"no \*\.jsonl file there"):
        trajectory_files(tmp_path, out)
    plain = write(tmp_path / "metrics.jsonl", [])
    assert trajectory_files(tmp_path, out) == [plain]
    training = write(tmp_path / "trajectories" / "12.jsonl", [])
    assert trajectory_files(tmp_path, out) == [training]
    evaluated = write(tmp_path / "base.trajectories.jsonl", [])
    assert trajectory_files(tmp_path, out) == [evaluated]
    with pytest.raises(ValueError, match=r"output=.*: the trajectories are in that folder"):
        trajectory_files(evaluated, tmp_path)


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["rerun=true"], "give rerun=true and the RL files"),
        (["data_files=[x.parquet]"], "give rerun=true and the RL files"),
        (["rerun=true", "data_files=[none.parquet]"], "data_files: none.parquet: no such file"),
        (["rerun=maybe"], "rerun=maybe must be true or false"),
        (["concurrency=0"], "concurrency=0 must be"),
        ([f"{WEIGHTS}.debug_penalty=0.5"], "lower them"),
    ],
)
async def test_a_mistake_is_said_before_anything_is_written(files, overrides, message):
    with pytest.raises(ValueError, match=message):
        await regrade(configure(files, *overrides))
    assert not (files.parent.parent / "out").exists()


async def test_nothing_that_can_be_scored_is_a_mistake_in_the_command(files):
    write(files, ['{"question": "no episode"}', '{"question": "another one"}'])
    with pytest.raises(ValueError, match=r"none of 2 rows could be scored; the first: .*: line 1: "):
        await regrade(configure(files))
    assert not (files.parent.parent / "out" / "regrade.json").exists()


@pytest.mark.parametrize(
    ("lines", "code", "said"),
    [([], 0, ""), (["{oops"], 1, "1 rows could not be scored"), (None, 2, "no such")],
)
def test_exit_codes(files, stored, monkeypatch, capsys, lines, code, said):
    write(files, [*stored, *(lines or [])])
    place = files if lines is not None else "none"
    output = files.parent.parent / "out"
    monkeypatch.setattr(
        sys, "argv", ["regrade", f"trajectories={place}", f"output={output}", "reward=all_pass"]
    )
    with pytest.raises(SystemExit) as ended:
        run_main(main)
    assert ended.value.code == code
    printed = capsys.readouterr()
    assert said in printed.err
    assert ("5 episodes: 4 scored, 1 void" in printed.out) is (code < 2)


def test_it_runs_where_neither_verl_nor_torch_is_installed(files):
    code = (
        "import sys\n"
        "for name in ('torch', 'verl', 'ray', 'vllm', 'transformers', 'pyarrow', 'radon', 'ruff'):\n"
        "    sys.modules[name] = None\n"
        "from recipe.code_agentic.regrade import main\n"
        f"sys.argv[1:] = ['trajectories={files}', 'output={files.parents[1] / 'out'}', 'reward=all_pass']\n"
        "main()\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    assert "correlation" in done.stdout


def test_records_of_before_are_still_read(stored):
    old = {name: value for name, value in stored[1].items() if name not in ("language", "hidden_sha256")}
    old["facts"] = {k: v for k, v in old["facts"].items() if not k.endswith("cpu_s")}
    episode = read_episode(old)
    assert (episode.language, episode.program) == ("", SLOW)
    assert [attempt.failed for attempt in episode.attempts] == [True, True, True, False]
