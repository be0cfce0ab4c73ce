"""Both trainers for real, in small: TRL and verl call the reward and run to the end."""

from __future__ import annotations

import json
import math
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from recipe.deepcoder.prompts import answer_text, build_messages
from recipe.deepcoder.reward import Environment, RewardOptions, make_trl_reward
from recipe.deepcoder.transform import task_row
from verl_ext.agent_loop.episode import StopReason
from verl_ext.cli import compose
from verl_ext.grading.problem import Case, Problem

pytest.importorskip("torch")

ROOT = Path(__file__).resolve().parents[3]


def problem(factor: int) -> Problem:
    cases = tuple(Case(str(n), str(factor * n)) for n in (1, 2, 5))
    return Problem(f"times_{factor}", f"Given n, print n times {factor}.", cases)


def program(factor: int) -> str:
    return f"n=int(input())\nprint(n*{factor})"


@pytest.mark.parametrize(
    ("stop_reason", "mask_truncated", "trained"),
    [
        (StopReason.MAX_RESPONSE_TOKENS, True, False),
        (StopReason.MAX_RESPONSE_TOKENS, False, True),
        (StopReason.FINAL_ANSWER, True, True),
    ],
)
def test_only_truncated_episodes_are_masked_and_only_when_asked_for(stop_reason, mask_truncated, trained):
    pytest.importorskip("verl")
    from verl_ext.agent_loop.verl_loop import loss_mask

    rollout = SimpleNamespace(facts=SimpleNamespace(stop_reason=stop_reason), response_mask=[1, 1, 0, 1])
    wanted = [1, 1, 0, 1] if trained else [0, 0, 0, 0]
    assert loss_mask(rollout, mask_truncated=mask_truncated) == wanted  # type: ignore[arg-type]


async def test_verls_own_reward_manager_calls_it(tokenizer):
    """In verl's own loops the answer is judged by the reward, on test cases of the row."""
    pytest.importorskip("verl")
    import numpy as np
    import torch
    from verl import DataProto
    from verl.experimental.reward_loop.reward_manager.naive import NaiveRewardManager
    from verl.trainer.ppo.reward import get_custom_reward_fn

    config = compose("ppo", ["task=deepcoder"])
    manager = NaiveRewardManager(config, tokenizer, get_custom_reward_fn(config))
    extra = {"target_function": "double", "signature": "def double(text: str) -> str:"}
    cases = json.dumps([{"input": "[1]", "output": "[1][1]"}])
    for body, score in (("text * 2", 1.0), ("text", 0.0)):
        answer = answer_text(f"def double(text):\n    return {body}", "python")
        ids = torch.tensor([tokenizer.encode(answer, add_special_tokens=False)])
        row = {"data_source": "own", "reward_model": {"ground_truth": cases}, "extra_info": dict(extra)}
        data = DataProto.from_single_dict(
            {
                "responses": ids,
                "attention_mask": torch.ones_like(ids),
                **{name: np.array([value], dtype=object) for name, value in row.items()},
            }
        )
        result = await manager.run_single(data)
        assert result["reward_score"] == score
        assert result["reward_extra_info"] == {"score": score, "solved": score, "passed": score}


def test_sampled_answers_follow_the_seed_and_their_task(tiny_model_dir):
    from transformers import AutoModelForCausalLM, AutoTokenizer

    from recipe.deepcoder.sampling import Task, sample_answers

    tokenizer = AutoTokenizer.from_pretrained(tiny_model_dir)
    model = AutoModelForCausalLM.from_pretrained(tiny_model_dir)
    tasks = [Task(str(f), build_messages(problem(f), "brief"), "") for f in (2, 3)]

    def sampled(seed: int) -> list[list[str]]:
        return sample_answers(
            model, tokenizer, tasks, num_samples=3, temperature=1.0, max_new_tokens=8, seed=seed
        )

    first = sampled(0)
    assert [len(answers) for answers in first] == [3, 3] and first == sampled(0) != sampled(1)


def test_answers_are_judged_by_their_own_tasks():
    from recipe.deepcoder.sampling import Task, solved_shares

    tasks = [Task(str(f), [], problem(f).to_json()) for f in (2, 3)]
    right, wrong = answer_text(program(2), "python"), "no code"
    assert solved_shares(tasks, [[right, wrong], [right, right]], RewardOptions()) == [0.5, 0.0]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b'{"prompt": [], "ground_truth": "[]"}\n\n{"name": "\xff"}', "line 3: not UTF-8: byte 0xff"),
        (b'{"prompt": ', "line 1: broken JSON: Expecting value at character 12"),
        (b"[]", "line 1: no task: needs an object"),
        (b'{"prompt": []}', "line 1: no task: .* ground_truth"),
        (b"\n", "no task in it"),
    ],
)
def test_a_file_that_holds_no_tasks_is_named_with_its_line(tmp_path, content, message):
    from recipe.deepcoder.sampling import read_tasks

    tasks = tmp_path / "tasks.jsonl"
    tasks.write_bytes(content)
    with pytest.raises(ValueError, match=f"^{tasks}:? {message}"):
        read_tasks(tasks)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--steps", "0"], "--steps 0: must be at least 1"),
        (["--group-size", "1"], "--group-size 1: must be at least 2"),
        (["--prompts-per-step", "0"], "--prompts-per-step 0: must be at least 1"),
        (
            ["--prompts-per-step", "3", "--group-size", "5"],
            "--prompts-per-step 3 times --group-size 5 is 15 answers per round: must be even",
        ),
        (["--save-steps", "0"], "--save-steps 0: must be at least 2"),
        (["--save-steps", "3"], "--save-steps 3: must be even"),
        (["--steps", "3"], "--steps 3: must be even"),
        (["--num-test", "0"], "--num-test 0: must be at least 1"),
        (
            ["--model", "/no/such/folder"],
            r"--model=/no/such/folder: no model there \(config.json is missing\)",
        ),
    ],
)
def test_the_trl_command_says_which_option_can_not_be_and_writes_nothing(
    tmp_path, monkeypatch, options, message
):
    pytest.importorskip("trl")
    from recipe.deepcoder import minimal_grpo_trl

    needed = ["--model", "a/b", "--train", "none.jsonl", "--output-dir", str(tmp_path / "out")]
    monkeypatch.setattr(sys, "argv", ["minimal_grpo_trl", *needed, *options])
    with pytest.raises(ValueError, match=f"^{message}"):
        minimal_grpo_trl.main()
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("second", "message"),
    [
        ("sft=/no/such", "sft=/no/such: no model there"),
        ("sft", "sft: give NAME=PATH"),
        ("base=a/b", "base=a/b: give another name, base is "),
    ],
)
def test_a_model_that_can_not_be_measured_is_named_before_any_is(
    tmp_path, tiny_model_dir, monkeypatch, second, message
):
    from recipe.deepcoder import solve_rate

    models = [f"base={tiny_model_dir}", second]
    monkeypatch.setattr(sys, "argv", ["solve_rate", "--tasks", str(tmp_path / "none.jsonl"), *models])
    with pytest.raises(ValueError, match=f"^{message}"):
        solve_rate.main()


def test_a_folder_is_gone_on_with_by_the_run_that_made_its_checkpoint_and_by_no_other(tmp_path):
    pytest.importorskip("trl")
    from omegaconf import OmegaConf

    from recipe.deepcoder import minimal_grpo_trl as command
    from verl_ext.run_files import write_provenance

    def start(**changed: object) -> None:
        chosen = {"output-dir": tmp_path, "steps": 8, "lr": 1e-6} | changed
        options = command.parse(
            ["--model", "m", "--train", "t", *(f"--{name}={value}" for name, value in chosen.items())]
        )
        command._check_same_run(options)
        arguments = {name: str(value) for name, value in vars(options).items()}
        write_provenance(tmp_path, OmegaConf.create(arguments), [])

    start()
    start(lr=1e-5)  # the first was killed before its first checkpoint
    (tmp_path / "trainer" / "checkpoint-4").mkdir(parents=True)
    (tmp_path / "trainer" / "checkpoint-4" / "trainer_state.json").write_text('{"global_step": 4}')
    start(lr=1e-5)
    start(lr=1e-5, steps=4)
    with pytest.raises(ValueError, match=r"holds another run \(--lr 1e-05 there, 1e-06 now\)"):
        start()
    with pytest.raises(ValueError, match=r"--steps 2: .* has 4 updates already"):
        start(lr=1e-5, steps=2)
    (tmp_path / "model").mkdir()
    with pytest.raises(ValueError, match="model is in the way"):
        start(lr=1e-5)


@pytest.mark.e2e
def test_trl_learns_from_what_could_be_judged_only(tiny_model_dir, sandbox_endpoint, tmp_path):
    """One update on answers that are made up: right, wrong, and one whose sandbox is away."""
    trl = pytest.importorskip("trl")
    from datasets import Dataset
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(tiny_model_dir)
    alive = make_trl_reward(RewardOptions(environment=Environment("sandbox_fusion", sandbox_endpoint)))
    dead = make_trl_reward(
        RewardOptions(environment=Environment("sandbox_fusion", "http://127.0.0.1:9")), max_void_share=1.0
    )
    seen: list[list[float | None]] = []

    async def partly_broken(prompts, completions, **columns):
        scores = await alive(prompts=prompts, completions=completions, **columns)
        lost = await dead(prompts=prompts, completions=completions, **columns)
        seen.append([*scores[:3], lost[3]])
        return seen[-1]

    answers = [answer_text(program(factor), "python") for factor in (2, 3, 4, 2)]

    def made_up(prompts, trainer):
        ids = [tokenizer.encode(f"{answer}<|im_end|>", add_special_tokens=False) for answer in answers]
        prompt_ids = [
            tokenizer.encode(
                tokenizer.apply_chat_template(prompt, add_generation_prompt=True, tokenize=False)
            )
            for prompt in prompts
        ]
        return {
            "prompt_ids": prompt_ids,
            "completion_ids": ids,
            "logprobs": [[0.0] * len(one) for one in ids],
        }

    trainer = trl.GRPOTrainer(
        model=AutoModelForCausalLM.from_pretrained(tiny_model_dir),
        reward_funcs=partly_broken,
        args=trl.GRPOConfig(
            output_dir=str(tmp_path),
            max_steps=1,
            per_device_train_batch_size=4,
            num_generations=4,
            max_completion_length=64,
            use_cpu=True,
            bf16=False,
            logging_steps=1,
            save_strategy="no",
            report_to="none",
        ),
        train_dataset=Dataset.from_list([task_row(problem(2), "brief")]),
        processing_class=tokenizer,
        rollout_func=made_up,
    )
    trainer.train()
    assert seen == [[1.0, 0.0, 0.0, None]]
    logged = trainer.state.log_history[0]
    # One of the three that count: the lost one is no part of the mean.
    assert logged["reward"] == pytest.approx(1 / 3, abs=1e-4)
    assert math.isfinite(logged["loss"]) and logged["grad_norm"] > 0


@pytest.mark.e2e
def test_the_trl_command_runs_to_the_end_and_shows_answers_before_and_after(tiny_model_dir, tmp_path):
    pytest.importorskip("trl")
    tasks = tmp_path / "tasks.jsonl"
    tasks.write_text("".join(json.dumps(task_row(problem(f), "brief")) + "\n" for f in (2, 3, 4)))
    command = [
        *(sys.executable, "-m", "recipe.deepcoder.minimal_grpo_trl", "--model", str(tiny_model_dir)),
        *("--train", str(tasks), "--output-dir", str(tmp_path / "out"), "--steps", "2", "--lr", "1e-3"),
        *("--prompts-per-step", "2", "--group-size", "2", "--max-completion-length", "12"),
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-3000:]
    assert "before                                               | after" in done.stdout
    assert re.search(r"solved: 0\.0% before, 0\.0% after 2 updates", done.stdout)
    assert "rewards/deepcoder_reward/mean" in done.stdout
    assert (tmp_path / "out" / "model" / "config.json").is_file()
    (start,) = json.loads((tmp_path / "out" / "provenance.json").read_text())["starts"]
    assert start["config"]["lr"] == "0.001" and start["packages"]["trl"]
    cut_off = tmp_path / "out" / "trainer" / "checkpoint-4"
    cut_off.mkdir()
    (cut_off / "trainer_state.json").write_text('{"global_step": 4,')
    longer = command.copy()
    longer[longer.index("2", longer.index("--steps"))] = "4"
    done = subprocess.run(longer, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-3000:]
    assert "going on after update 2" in done.stdout and "after 4 updates" in done.stdout
    assert json.loads((tmp_path / "out/model/trainer_state.json").read_text())["global_step"] == 4
    again = subprocess.run(longer, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert again.returncode == 0 and "already trained: 4 updates" in again.stdout
    other = subprocess.run([*longer, "--seed", "5"], cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert other.returncode == 2 and "--seed 0 there, 5 now" in other.stderr.splitlines()[-1]
    measure = [
        *(sys.executable, "-m", "recipe.deepcoder.solve_rate", "--tasks", str(tasks), "--num-samples", "1"),
        *("--max-completion-length", "8", "--output", str(tmp_path / "rates.json")),
        f"trained={tmp_path}/out/model",
    ]
    done = subprocess.run(measure, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-3000:]
    rates = json.loads((tmp_path / "rates.json").read_text())
    assert rates == {"trained": {"sampled": {"all": 0.0}, "greedy": {"all": 0.0}}}


@pytest.mark.e2e
def test_verl_runs_the_task_to_the_end(tiny_model_dir, tmp_path):
    pytest.importorskip("verl")
    pytest.importorskip("vllm")
    records = tmp_path / "problems.jsonl"
    records.write_text("".join(problem(factor).to_json() + "\n" for factor in range(2, 8)))
    data = [
        *(sys.executable, "data_preprocess/preprocess.py", "data=deepcoder_tiny", f"input={records}"),
        *(
            "format=problems",
            "splits.val_share=0.2",
            "sft.num_conversations=0",
            "sft.num_val_conversations=0",
        ),
        f"output_dir={tmp_path}/data",
    ]
    rl = [
        *("bash", "recipe/deepcoder/run_grpo.sh", f"model.profile.path={tiny_model_dir}"),
        *(f"data_dir={tmp_path}/data", f"output_dir={tmp_path}/rl", "trainer.total_training_steps=2"),
        *("data.train_batch_size=2", "actor_rollout_ref.actor.ppo_mini_batch_size=2"),
        *("actor_rollout_ref.rollout.n=2", "model.profile.rl.max_response_length=24"),
        # An untrained model hardly ever stops: with its cut answers masked there is nothing to train on.
        "code_agentic.episode.mask_truncated=false",
    ]
    for command in (data, rl):
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600)
        assert done.returncode == 0, (done.stdout + done.stderr)[-4000:]
    (metrics,) = (tmp_path / "rl" / "metrics").glob("*.jsonl")
    steps = {entry["step"]: entry["data"] for entry in map(json.loads, metrics.read_text().splitlines())}
    for step in (1, 2):
        assert steps[step]["reward/solved"] == steps[step]["reward/score"] == 0.0
        assert steps[step]["episode/num_turns"] == 1 and steps[step]["episode/void_share"] == 0
        assert steps[step]["stop/max_response_tokens"] >= 0.25
    assert (tmp_path / "rl" / "model" / "config.json").is_file()
