"""An evaluation runs each episode once, resumes, and says in one line what is wrong."""

import asyncio
import importlib.util
import json
import subprocess
import sys
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from recipe.code_agentic.evaluate import evaluate, main
from recipe.code_agentic.evaluation_inputs import read_models, read_rows, settings_hash
from recipe.code_agentic.evaluation_run import EvaluationRow, draw_rows, plan_jobs
from recipe.code_agentic.prompts import build_messages
from verl_ext.agent_loop.policy import ScriptedPolicy
from verl_ext.agent_loop.vllm_policy import ModelUnavailable
from verl_ext.cli import run_main
from verl_ext.grading.problem import Case, Problem
from verl_ext.sandbox.errors import SandboxError, SandboxUnreachable
from verl_ext.sandbox.memory import InMemorySandbox, finished

pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")
pytest.importorskip("verl")

RIGHT, WRONG = "print(int(input())+3)", "print(int(input())-3)"


def problem(number: int) -> Problem:
    return Problem(
        f"add-{number}",
        f"Problem {number}: read a, print a plus 3.",
        (Case("1\n", "4\n", public=True), Case("7\n", "10\n")),
        family="even" if number % 2 == 0 else "odd",
        difficulty="easy",
        verdict_only=number == 0,
    )


def write_rows(path: Path, problems, split="test") -> Path:
    rows = [
        {
            "data_source": one.source,
            "prompt": json.dumps(build_messages(one, "brief")),
            "reward_model": {"style": "rule", "ground_truth": one.to_json()},
            "extra_info": {"split": split, "index": index},
            "agent_name": "code_agentic",
        }
        for index, one in enumerate(problems)
    ]
    pq.write_table(pa.Table.from_pylist(rows), path)
    return path


def run_program(request):
    shift = 3 if RIGHT in request.files["program.py"].decode() else -3
    return finished(f"{int(request.stdin) + shift}\n")


def call(code: str) -> str:
    function = {"name": "enhanced_code_agentic_tool", "arguments": {"code": code}}
    return f"<tool_call>\n{json.dumps(function)}\n</tool_call>"


def always_wrong(prompt: str) -> str:
    return call(WRONG) if "<tool_response>" not in prompt else "done"


def repairs(prompt: str) -> str:
    return [call(WRONG), call(RIGHT), "done"][prompt.count("<tool_response>")]


class Scripted:
    """Opens scripted models by name and counts what they were asked."""

    def __init__(self, tokenizer, **answers):
        self.tokenizer = tokenizer
        self.answers = answers
        self.samplings = []
        self.opened = []

    @asynccontextmanager
    async def __call__(self, spec, stop_token_id):
        assert stop_token_id == self.tokenizer.eos_token_id
        self.opened.append(spec.name)
        self.current = spec.name
        yield self

    def policy(self, sampling):
        self.samplings.append(sampling)
        return ScriptedPolicy(self.tokenizer, self.answers[self.current])


@pytest.fixture
def configure(tmp_path, tiny_model_dir):
    from verl_ext.cli import compose

    data = write_rows(tmp_path / "rl_test.parquet", [problem(number) for number in range(3)])

    def make(*overrides: str, names=("rl",)):
        models = ",".join(f"{{name: {name}, path: {tiny_model_dir}}}" for name in names)
        return compose(
            "evaluate",
            [
                f"models=[{models}]",
                f"data_files=[{data}]",
                f"output_dir={tmp_path / 'out'}",
                "num_samples=2",
                "max_prompt_length=2000",
                "max_response_length=2000",
                "code_agentic.sandbox.time_limit_s=2",
                *overrides,
            ],
        )

    return make


def records(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text().splitlines()]


async def test_models_are_told_apart_by_what_their_episodes_did(configure, tokenizer, tmp_path):
    models = Scripted(tokenizer, base=always_wrong, rl=repairs)
    report = await evaluate(configure(names=("base", "rl")), models, InMemorySandbox(run_program))
    result = json.loads((tmp_path / "out" / "evaluation.json").read_text())
    base, rl = (model["summary"]["sampled"]["test"]["all"] for model in result["models"])
    assert (base["num_problems"], base["num_episodes"], base["rates"]["solved"]["value"]) == (3, 6, 0.0)
    assert [rl["rates"][f"solved_within_{k}"]["value"] for k in (1, 2)] == [0.0, 1.0]
    assert rl["rates"]["error_recovery"]["value"] == 1.0
    assert rl["means"]["num_attempts"]["value"] == 2.0
    assert result["comparisons"][0]["differences"]["greedy"]["test"]["all"]["solved"]["value"] == 1.0
    assert "</html>" in report.read_text()
    assert (tmp_path / "out" / "provenance.json").exists()


async def test_reward_and_temperature_are_those_of_training(configure, tokenizer, tmp_path):
    models = Scripted(tokenizer, rl=repairs)
    await evaluate(configure(), models, InMemorySandbox(run_program))
    assert sorted({sampling.temperature for sampling in models.samplings}) == [0.0, 1.0]
    assert len({sampling.seed for sampling in models.samplings}) == len(models.samplings)
    rewards = {record["reward"]["score"] for record in records(tmp_path / "out" / "rl.trajectories.jsonl")}
    assert [round(reward, 6) for reward in rewards] == [1.35]


async def test_a_reward_of_the_users_own_is_the_one_that_counts(configure, tokenizer, tmp_path):
    file = tmp_path / "own_reward.py"
    file.write_text(
        "def turns(data_source, solution_str, ground_truth, extra_info, weight=1.0):\n"
        "    return {'score': weight * extra_info['episode']['num_turns']}\n"
    )
    own = [
        f"reward.custom_reward_function.path={file}",
        "reward.custom_reward_function.name=turns",
        "~reward.custom_reward_function.reward_kwargs",
    ]
    await evaluate(configure(*own), Scripted(tokenizer, rl=repairs), InMemorySandbox(run_program))
    kept = records(tmp_path / "out" / "rl.trajectories.jsonl")
    assert {record["reward"]["score"] for record in kept} == {3.0}
    file.write_text(file.read_text().replace("weight *", "2 * weight *"))
    with pytest.raises(ValueError, match="resume=false"):
        await evaluate(configure(*own), Scripted(tokenizer, rl=repairs), InMemorySandbox(run_program))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("def other(): ...", "own.py, name=score: can't be loaded"),
        ("import nothing_of_this_name", "nothing_of_this_name"),
        ("def score(facts): ...", "reward_kwargs: too many positional arguments .*own.py"),
        ("def score(*given): return {'reward': 1.0}", "own.py.*must return a number, or a dict with"),
        ("async def score(*given): return float('nan')", "own.py.*must return .*; it returned nan"),
    ],
)
async def test_a_reward_that_can_not_be_used_is_named(configure, tokenizer, tmp_path, text, message):
    (tmp_path / "own.py").write_text(text)
    own = [
        f"reward.custom_reward_function.path={tmp_path / 'own.py'}",
        "reward.custom_reward_function.name=score",
        "~reward.custom_reward_function.reward_kwargs",
    ]
    with pytest.raises(ValueError, match=message):
        await evaluate(configure(*own), Scripted(tokenizer, rl=repairs), InMemorySandbox(run_program))


@pytest.mark.parametrize(
    "override",
    [
        "engine.dtype=bfloat16",
        "engine.enforce_eager=false",
        "code_agentic.sandbox.memory_limit_mb=64",
        "top_k=5",
    ],
)
def test_a_setting_that_changes_episodes_changes_their_fingerprint(configure, override):
    plain = ["engine.dtype=float32", "engine.enforce_eager=true"]
    [spec] = read_models(configure())
    before = settings_hash(configure(*plain), spec)
    assert before != settings_hash(configure(*plain, override), spec)
    assert before == settings_hash(configure(*plain, "concurrency=3"), spec)


def test_a_model_may_be_named_from_the_home_folder(configure, tiny_model_dir, monkeypatch):
    monkeypatch.setenv("HOME", str(Path(tiny_model_dir).parent))
    named = f'models=[{{name: rl, path: "~/{Path(tiny_model_dir).name}"}}]'
    assert [spec.path for spec in read_models(configure(named))] == [str(tiny_model_dir)]


async def test_finished_episodes_are_not_run_again(configure, tokenizer):
    await evaluate(configure(), Scripted(tokenizer, rl=repairs), InMemorySandbox(run_program))
    again = Scripted(tokenizer, rl=repairs)
    await evaluate(configure(), again, InMemorySandbox(run_program))
    assert again.opened == []
    more = Scripted(tokenizer, rl=repairs)
    await evaluate(configure("num_samples=3"), more, InMemorySandbox(run_program))
    assert len(more.samplings) == 3


async def test_an_episode_cut_by_a_kill_is_run_again_on_a_line_of_its_own(configure, tokenizer, tmp_path):
    await evaluate(configure(), Scripted(tokenizer, rl=repairs), InMemorySandbox(run_program))
    path = tmp_path / "out" / "rl.trajectories.jsonl"
    path.write_text(path.read_text()[:-40])
    again = Scripted(tokenizer, rl=repairs)
    await evaluate(configure(), again, InMemorySandbox(run_program))
    assert len(again.samplings) == 1
    assert len(records(path)) == 9


async def test_episodes_of_other_settings_are_refused_unless_started_over(configure, tokenizer):
    await evaluate(configure(), Scripted(tokenizer, rl=repairs), InMemorySandbox(run_program))
    with pytest.raises(ValueError, match=r"rl\.trajectories\.jsonl.*resume=false"):
        await evaluate(
            configure("temperature=0.5"), Scripted(tokenizer, rl=repairs), InMemorySandbox(run_program)
        )
    over = Scripted(tokenizer, rl=repairs)
    await evaluate(configure("temperature=0.5", "resume=false"), over, InMemorySandbox(run_program))
    assert len(over.samplings) == 9


async def test_void_episodes_get_one_more_try(configure, tokenizer, tmp_path):
    failures = iter([SandboxUnreachable("gone")] * 2)
    sandbox = InMemorySandbox(lambda request: next(failures, None) or run_program(request))
    await evaluate(configure("concurrency=1"), Scripted(tokenizer, rl=repairs), sandbox)
    summary = json.loads((tmp_path / "out" / "evaluation.json").read_text())["models"][0]["summary"]
    assert summary["greedy"]["test"]["all"]["num_void"] == 0
    assert summary["greedy"]["test"]["all"]["num_episodes"] == 3


async def test_too_many_void_episodes_end_the_evaluation_without_a_result(configure, tokenizer, tmp_path):
    sandbox = InMemorySandbox(lambda request: SandboxUnreachable("gone"))
    with pytest.raises(SandboxError, match="9 of 9 episodes of rl were lost to sandbox failures"):
        await evaluate(configure(), Scripted(tokenizer, rl=repairs), sandbox)
    assert not (tmp_path / "out" / "evaluation.json").exists()
    back = Scripted(tokenizer, rl=repairs)
    await evaluate(configure(), back, InMemorySandbox(run_program))
    assert len(back.samplings) == 9


async def test_episodes_that_ended_before_the_model_died_are_kept(configure, tokenizer, tmp_path):
    answered = []

    def dies(prompt: str) -> str:
        answered.append(prompt)
        if len(answered) > 6:
            raise ModelUnavailable("the engine died")
        return repairs(prompt)

    with pytest.raises(ModelUnavailable, match="the engine died"):
        await evaluate(configure("concurrency=1"), Scripted(tokenizer, rl=dies), InMemorySandbox(run_program))
    assert len(records(tmp_path / "out" / "rl.trajectories.jsonl")) == 2
    rest = Scripted(tokenizer, rl=repairs)
    await evaluate(configure(), rest, InMemorySandbox(run_program))
    assert len(rest.samplings) == 7


async def test_no_more_episodes_than_asked_are_in_flight(configure, tokenizer):
    running, most = 0, 0

    class Slow(ScriptedPolicy):
        async def generate(self, prompt_ids, *, max_tokens):
            nonlocal running, most
            running += 1
            most = max(most, running)
            await asyncio.sleep(0.001)
            running -= 1
            return await super().generate(prompt_ids, max_tokens=max_tokens)

    models = Scripted(tokenizer, rl=repairs)
    models.policy = lambda sampling: Slow(tokenizer, repairs)
    await evaluate(configure("concurrency=2"), models, InMemorySandbox(run_program))
    assert most == 2


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["models=[]"], "models is empty"),
        (["models=[{name: a, path: /nope}]"], r"models\[0\]\.path=/nope: no model there"),
        (["models=[{name: ../a, path: /nope}]"], r"models\[0\]\.name=\.\./a: must be unique"),
        (["models=[{nam: a}]"], r"models\[0\]=.*give name and path"),
        (["data_files=[/nope.parquet]"], "nope.parquet"),
        (["splits=[held_out]"], r"no rows of \['held_out'\]; the files hold \['test'\]"),
        (["data_files=/nope.parquet"], "data_files: /nope.parquet: no such file; run data_preprocess"),
        (["decoding=[beam]"], "must be a list of greedy, sampled or both"),
        (["decoding=[]"], "decoding is empty"),
        (["code_agentic.episode.tools=none.yaml"], "tools file none.yaml: can't be read"),
        (["num_samples=0"], "num_samples=0 must be a whole number of at least 1"),
        (["max_response_length=2097"], "=4097 tokens are more than the 4096 positions of the model in"),
    ],
)
async def test_bad_input_is_named_before_anything_runs(configure, tokenizer, tmp_path, overrides, message):
    models = Scripted(tokenizer, rl=repairs)
    with pytest.raises((ValueError, OSError), match=message):
        await evaluate(configure(*overrides), models, InMemorySandbox(run_program))
    assert models.opened == []
    assert not (tmp_path / "out").exists()


def test_a_bad_row_is_named_with_its_file_and_number(tmp_path):
    path = write_rows(tmp_path / "rl.parquet", [problem(0), problem(1)])
    table = pq.read_table(path).to_pylist()
    table[1]["reward_model"]["ground_truth"] = "{}"
    pq.write_table(pa.Table.from_pylist(table), path)
    with pytest.raises(ValueError, match=r"rl\.parquet: row 2: not an RL row"):
        read_rows([path], None)


def test_a_problem_that_stands_twice_in_a_split_is_refused(tmp_path):
    path = write_rows(tmp_path / "rl.parquet", [problem(0), problem(0)])
    with pytest.raises(ValueError, match="add-0 is in split test twice"):
        read_rows([path], None)


def test_the_draw_of_problems_depends_on_nothing_but_the_seed():
    rows = [EvaluationRow(problem(n), [], "test" if n % 3 else "held_out") for n in range(30)]
    drawn = draw_rows(rows, 4, seed=1)
    assert drawn == draw_rows(rows, 4, seed=1) != draw_rows(rows, 4, seed=2)
    assert [row.split for row in drawn].count("test") == [row.split for row in drawn].count("held_out") == 4
    assert plan_jobs(drawn, [], 0) == []
    assert draw_rows(rows, None, seed=1) == rows


def test_a_mistake_on_the_command_line_is_one_line_and_exit_code_2(tmp_path):
    command = [sys.executable, "-m", "recipe.code_agentic.evaluate", "models=[{name: a, path: /nope}]"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith("error: models[0].path=/nope: no model there")
    assert "Traceback" not in done.stderr


def test_a_dry_run_checks_everything_and_writes_nothing(tmp_path, tiny_model_dir, monkeypatch, capsys):
    data = write_rows(tmp_path / "rl_test.parquet", [problem(number) for number in range(3)])
    overrides = [f"models=[{{name: a, path: {tiny_model_dir}}}]", f"data_files={data}", "num_samples=2"]

    def run(*arguments: str) -> int:
        monkeypatch.setattr("sys.argv", ["evaluate", *overrides, f"output_dir={tmp_path}/out", *arguments])
        with pytest.raises(SystemExit) as end:
            run_main(main)
        return end.value.code

    assert run("--dry-run") == 0
    printed = capsys.readouterr().out
    assert f"output_dir: {tmp_path}/out" in printed and "3 problems, 9 episodes per model" in printed
    assert run("--dry-run", "scale=gpu1", "engine.tensor_parallel=1000") == 0
    assert "warning: engine.tensor_parallel=1000, but this machine has" in capsys.readouterr().err
    assert run("scale=gpu1", "engine.tensor_parallel=1000") == 2
    assert run("--dry-run", "code_agentic.sandbox.endpoint=http://127.0.0.1:9") == 2
    (tmp_path / "manifest.json").write_text('{"config": {"style": "full"}}')
    assert run("--dry-run") == 2
    assert "was made with style=full" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.e2e
async def test_a_model_folder_is_evaluated_by_vllm_in_the_embedded_sandbox(configure, tmp_path):
    if importlib.util.find_spec("vllm") is None:
        pytest.skip("vLLM is not installed")
    report = await evaluate(configure("max_prompt_length=700", "max_response_length=64"))
    kept = records(tmp_path / "out" / "rl.trajectories.jsonl")
    assert len(kept) == 9
    assert all(record["facts"]["num_response_tokens"] <= 64 for record in kept)
    assert not any(record["facts"]["void"] for record in kept)
    assert report.exists()
