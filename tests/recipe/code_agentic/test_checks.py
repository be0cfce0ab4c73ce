"""What can't work is said in one line before anything starts."""

from __future__ import annotations

import pytest

from recipe.code_agentic import reward as own_reward
from recipe.code_agentic.checks import (
    check_device,
    check_episode,
    check_ppo,
    check_sandbox,
    check_sft,
    load_reward,
)
from recipe.code_agentic.main_sft import torchrun_command
from verl_ext.agent_loop.episode import EpisodeFacts, StopReason
from verl_ext.cli import compose
from verl_ext.sandbox.errors import SandboxError

pytest.importorskip("verl")

WEIGHTS = "reward.custom_reward_function.reward_kwargs"
OWN_BY_FILE = f"reward.custom_reward_function.path={own_reward.__file__}"


@pytest.mark.parametrize(
    ("overrides", "key"),
    [
        (["model.profile.rl.lr=abc"], r"^model\.profile\.rl\.lr=abc must be a number above 0$"),
        (["actor_rollout_ref.actor.optim.lr=-1"], r"^actor_rollout_ref\.actor\.optim\.lr=-1 must be"),
        (["model.profile.rl.max_turns=0"], r"^model\.profile\.rl\.max_turns=0 must be a whole number of"),
        (["code_agentic.episode.max_turns=0"], r"^code_agentic\.episode\.max_turns=0 must be"),
        (["code_agentic.sandbox.max_void_share=20"], "max_void_share=20 must be a number at least 0 and at"),
        (["model.profile.rl.total_steps=-1"], r"^model\.profile\.rl\.total_steps=-1 must be"),
        (["trainer.total_training_steps=0"], r"^trainer\.total_training_steps=0 must be .*, or null$"),
        (["trainer.save_freq=0"], r"^trainer\.save_freq=0 must be .*, or -1 \(never\)$"),
        (["scale.gpus_per_node=0"], r"^scale\.gpus_per_node=0 must be"),
        (["seed=x"], "^seed=x must be a whole number"),
        (["code_agentic.sandbox.endpoint=[]"], "endpoint=.* must be text, or a list of URLs, or null"),
        (["code_agentic.sandbox.hedge_after=p100"], "hedge_after=p100 must be seconds above 0, or p1 to p99"),
        (
            ["sandbox=ray", "code_agentic.sandbox.num_workers=null"],
            "num_workers=null: give the cores of each",
        ),
        (["data.train_batch_size=30"], "data.train_batch_size=30"),
        (["actor_rollout_ref.rollout.n=1"], "actor_rollout_ref.rollout.n=1"),
        (["scale.gpus_per_node=3", "data.train_batch_size=32"], "3 training processes"),
        (["scale.max_tokens_per_gpu=100"], "scale.max_tokens_per_gpu=100"),
        (["trainer.v1.trainer_mode=colocate_async"], "trainer_mode=sync"),
        (
            ["scale.nodes=2"],
            "the embedded sandbox serves this machine only; .*endpoint=URL$",
        ),
        (["algorithm.filter_groups.enable=true"], r"^algorithm\.filter_groups\.enable=True has no effect"),
        (["trainer.v1.sampler.sync_refill_failed_groups=true"], "sync_refill_failed_groups=True has no"),
    ],
)
def test_an_rl_setting_that_can_not_work_names_its_key(overrides, key):
    with pytest.raises(ValueError, match=key):
        check_ppo(compose("ppo", overrides))


@pytest.mark.parametrize(
    ("overrides", "key"),
    [
        (["data.train_batch_size=10"], r"data\.train_batch_size=10"),
        (["model.profile.sft.lr=abc"], r"^model\.profile\.sft\.lr=abc must be"),
        (
            ["model.profile.sft.micro_batch_size_per_gpu=abc"],
            r"^model\.profile\.sft\.micro_batch\w+=abc",
        ),
        (["model.profile.sft.lr_scheduler=linear"], "lr_scheduler=linear must be one of constant, cosine"),
        (["model.profile.sft.betas=0.9"], "betas=0.9 must be a list of two numbers"),
        (["trainer.save_freq=sometimes"], "save_freq=sometimes must be .*, or after_each_epoch$"),
        (["scale.nodes=2"], "on every node with torchrun.endpoint=HOST:PORT .* torchrun.node_rank=0 to 1$"),
        (["scale.nodes=2", "torchrun.endpoint=first"], "torchrun.endpoint=first: run the same command"),
        (["torchrun.node_rank=1"], r"torchrun\.node_rank=1 must be below scale\.nodes=1"),
    ],
)
def test_an_sft_setting_that_can_not_work_names_its_key(overrides, key):
    with pytest.raises(ValueError, match=key):
        check_sft(compose("sft", overrides))


@pytest.mark.parametrize("scale", ["cpu", "gpu1", "node8"])
def test_the_defaults_pass(scale):
    check_ppo(compose("ppo", [f"scale={scale}"]))
    check_sft(compose("sft", [f"scale={scale}", "model=qwen2_5_0_5b"]))
    load_reward(compose("ppo", []))
    check_episode(compose("ppo", []))


def test_sft_on_several_nodes_meets_at_the_first_one():
    nodes = ["scale=cluster", "scale.nodes=4", "model=qwen2_5_7b"]
    config = compose("sft", [*nodes, "torchrun.endpoint=node0:29500", "torchrun.node_rank=2"])
    check_sft(config)
    command = torchrun_command(config, ["a=1"])
    assert command[3:] == [
        *("--nnodes=4", "--node_rank=2", "--master_addr=node0", "--master_port=29500"),
        *("--nproc_per_node=8", "-m", "recipe.code_agentic.main_sft", "a=1"),
    ]
    assert "--standalone" in torchrun_command(compose("sft", []), [])


def test_a_gpu_scale_without_gpus_is_refused_and_a_dry_run_warns(monkeypatch, capsys):
    torch = pytest.importorskip("torch")
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    with pytest.raises(ValueError, match="gpus_per_node=8, but this machine has 0 GPUs; choose scale=cpu"):
        check_device("cuda", 8, "scale.gpus_per_node", dry_run=False)
    check_device("cuda", 8, "scale.gpus_per_node", dry_run=True)
    assert capsys.readouterr().err.startswith("warning: scale.gpus_per_node=8, but this machine has 0 GPUs")
    check_device("cuda", 0, "scale.gpus_per_node", dry_run=False)  # several nodes: Ray finds them
    check_device("cpu", 1, "scale.gpus_per_node", dry_run=False)
    assert capsys.readouterr().err == ""


def test_the_cpu_beside_a_gpu_is_refused(monkeypatch):
    torch = pytest.importorskip("torch")
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    with pytest.raises(ValueError, match="CUDA_VISIBLE_DEVICES"):
        check_device("cpu", 1, "scale.gpus_per_node", dry_run=False)


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (
            [f"{WEIGHTS}.debug_penalty=abc"],
            rf"^{WEIGHTS}\.debug_penalty=abc must be a number at least 0 and at most 100$",
        ),
        ([f"{WEIGHTS}.scale=1e-9"], rf"^{WEIGHTS}\.scale=1e-09 must be a number at least 0.001"),
        ([f"{WEIGHTS}.test_case_bonus=1e30"], "test_case_bonus=1e.30 must be .* at most 100"),
        ([f"{WEIGHTS}.quality_bonus=-1"], "quality_bonus=-1 must be a number at least 0"),
        ([f"{WEIGHTS}.efficiency_bonus=.nan"], "efficiency_bonus=.nan must be a number at least 0"),
        ([f"{WEIGHTS}.efficiency_floor_s=0"], "efficiency_floor_s=0 must be a number at least 0.001"),
        ([f"{WEIGHTS}.kind=shapd"], "kind=shapd must be one of shaped, all_pass"),
        (
            [f"{WEIGHTS}.debug_penalty=0.5"],
            rf"^{WEIGHTS}\.debug_penalty=0.5 times max_debug_attempts=5 plus .* is 2.55, .*; lower them",
        ),
        (
            [OWN_BY_FILE, f"{WEIGHTS}.debug_penalty=0.5"],
            rf"^{WEIGHTS}\.debug_penalty=0.5 times max_debug_attempts=5",
        ),
        ([f"+{WEIGHTS}.bonus=1"], f"^{WEIGHTS}: .*'bonus'"),
        ([f"~{WEIGHTS}"], rf"{WEIGHTS}\.kind=null must be"),
        (["reward.custom_reward_function.path=none.py"], "path=none.py, name=compute_score: no such file"),
        (["reward.custom_reward_function.path=pkg://no.such"], "can't be loaded: ModuleNotFoundError"),
        (["reward.custom_reward_function.name=none"], "name=none: can't be loaded: AttributeError"),
        (["reward.custom_reward_function.path=null"], "path is not set: choose reward=shaped"),
    ],
)
def test_a_reward_that_can_not_work_is_named(overrides, message):
    with pytest.raises(ValueError, match=message):
        load_reward(compose("ppo", overrides))


async def test_weights_are_the_own_rewards_business_only(tmp_path):
    own = tmp_path / "own.py"
    own.write_text("def compute_score(*given, debug_penalty, kind, **others): return debug_penalty\n")
    path = f"reward.custom_reward_function.path={own}"
    config = compose("ppo", [path, f"{WEIGHTS}.debug_penalty=9", f"{WEIGHTS}.kind=mine"])
    episode = EpisodeFacts(False, 1, 1, 1, 1, 0, 0, 0, 0, 0, 1, 5, StopReason.FINAL_ANSWER)
    scored = await load_reward(config).score(episode, source="s", answer="", program=None, language="python")
    assert scored == {"score": 9.0}


def test_a_reward_that_does_not_take_its_arguments_is_refused_before_the_run(tmp_path):
    own = tmp_path / "own.py"
    own.write_text("def compute_score(data_source, solution_str, ground_truth, extra_info, bonus): ...\n")
    config = compose("ppo", [f"reward.custom_reward_function.path={own}"])
    with pytest.raises(ValueError, match=rf"^{WEIGHTS}: .*'bonus'.*own\.py"):
        load_reward(config)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (
            "    return {}[extra_info['language']]",
            r"own\.py.*: fails on a made-up episode: KeyError: 'python'",
        ),
        ("    raise ValueError('no such weight')", "fails on a made-up episode: ValueError: no such weight"),
        ("    return 'high'", "must return a number, or a dict with a number 'score'; it returned 'high'"),
    ],
)
@pytest.mark.parametrize("keyword", ["def", "async def"])
def test_a_reward_is_tried_out_before_the_run(tmp_path, body, message, keyword):
    own = tmp_path / "own.py"
    own.write_text(f"{keyword} compute_score(data_source, solution_str, ground_truth, extra_info):\n{body}\n")
    with pytest.raises(ValueError, match=message):
        load_reward(compose("ppo", [f"reward.custom_reward_function.path={own}", f"~{WEIGHTS}"]))


def test_a_reward_of_ones_own_that_does_not_tell_solved_from_unsolved_is_warned_of(tmp_path, capsys):
    own = tmp_path / "own.py"
    own.write_text("def compute_score(*given): return -given[3]['episode']['hidden_passed']\n")
    load_reward(compose("ppo", [f"reward.custom_reward_function.path={own}", f"~{WEIGHTS}"]))
    assert "solved at once earns -1, one that is not solved 0" in capsys.readouterr().err
    load_reward(compose("ppo", []))
    assert not capsys.readouterr().err


def test_a_format_penalty_that_breaks_the_order_is_refused_before_the_run():
    with pytest.raises(ValueError, match="format_penalty"):
        load_reward(compose("ppo", ["reward=deepcoder", f"{WEIGHTS}.format_penalty=1.5"]))
    load_reward(compose("ppo", ["reward=deepcoder"]))


def test_times_that_a_reward_compares_are_taken_unless_that_is_refused():
    bonus = f"{WEIGHTS}.efficiency_bonus=0.1"
    assert compose("ppo", []).code_agentic.episode.time_reference is False
    assert compose("ppo", [bonus]).code_agentic.episode.time_reference is True
    with pytest.raises(ValueError, match=r"efficiency_bonus=0.1 has no effect with .*time_reference=False"):
        check_episode(compose("ppo", [bonus, "code_agentic.episode.time_reference=false"]))
    for override in (f"{WEIGHTS}.efficiency_bonus=abc", f"~{WEIGHTS}"):
        assert compose("ppo", [override]).code_agentic.episode.time_reference is False


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("code_agentic.episode.tools=none.yaml", "tools file none.yaml: can't be read: .*No such file"),
        ("model.profile.tools=none.yaml", "tools file .*/configs/none.yaml: can't be read"),
        ("code_agentic.episode.texts=none.Texts", "code_agentic.episode.texts=none.Texts: can't be used"),
        ("code_agentic.episode.texts=recipe.code_agentic.prompts.None", "can't be used: .*has no attribute"),
    ],
)
def test_tools_and_texts_that_can_not_be_made_are_named(override, message):
    with pytest.raises(ValueError, match=message):
        check_episode(compose("ppo", [override]))


def test_a_sandbox_that_does_not_answer_stops_the_run_before_it_starts():
    nobody = "code_agentic.sandbox.endpoint='http://127.0.0.1:9,http://127.0.0.1:11'"
    with pytest.raises(SandboxError, match=r"127\.0\.0\.1:9.*127\.0\.0\.1:11"):
        check_sandbox(compose("ppo", [nobody]).code_agentic.sandbox)
    check_sandbox(compose("ppo", []).code_agentic.sandbox)
    with pytest.raises(ValueError, match="hedge_after=2 needs several endpoints; the embedded"):
        check_sandbox(compose("ppo", ["code_agentic.sandbox.hedge_after=2"]).code_agentic.sandbox)
