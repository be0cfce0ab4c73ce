"""The pipeline for real, in small: every stage is the command a user types."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.e2e
pytest.importorskip("verl")
pytest.importorskip("vllm")

ROOT = Path(__file__).resolve().parents[1]
PREPROCESS = [
    *(sys.executable, "data_preprocess/preprocess.py", "data=quickstart"),
    *("problem_set.families=[number_shift,number_scale]", "problem_set.variations_per_template=6"),
    *("splits.held_out_families=[number_scale]", "sft.num_conversations=64", "sft.num_val_conversations=16"),
]
SMALL_RL = [
    *(
        "data.train_batch_size=4",
        "actor_rollout_ref.actor.ppo_mini_batch_size=4",
        "actor_rollout_ref.rollout.n=2",
    ),
    *(
        "model.profile.rl.max_response_length=160",
        "model.profile.rl.max_turns=2",
        "model.profile.rl.save_freq=1",
    ),
]


def run(command: list[str], timeout_s: float = 600) -> str:
    """Runs one command in the checkout and returns what it printed."""
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=timeout_s)
    assert done.returncode == 0, (done.stdout + done.stderr)[-4000:]
    return done.stdout + done.stderr


def logged(folder: Path) -> dict[int, dict]:
    """Metrics by step over all parts of a run."""
    lines = [
        line
        for part in sorted((folder / "metrics").glob("*.jsonl"))
        for line in part.read_text().splitlines()
    ]
    return {entry["step"]: entry["data"] for entry in map(json.loads, lines)}


@pytest.fixture(scope="module")
def work(tmp_path_factory) -> Path:
    """Preprocessed data, the tiny model, and two steps of SFT."""
    out = tmp_path_factory.mktemp("pipeline")
    run([*PREPROCESS, f"output_dir={out}/data"])
    run(
        [
            *(sys.executable, "-m", "recipe.code_agentic.tiny_model"),
            *(f"conversations={out}/data/sft_train.parquet", f"output_dir={out}/base"),
        ]
    )
    run(
        [
            *(
                "bash",
                "recipe/code_agentic/run_sft.sh",
                f"model.profile.path={out}/base",
                f"data_dir={out}/data",
            ),
            *(f"output_dir={out}/sft", "trainer.total_training_steps=2"),
        ]
    )
    return out


def ppo(work: Path, *overrides: str) -> list[str]:
    return [
        *("bash", "recipe/code_agentic/run_ppo.sh", f"model.profile.path={work}/sft/model"),
        *(f"data_dir={work}/data", *SMALL_RL, *overrides),
    ]


def test_sft_trains_and_leaves_a_model_and_its_provenance(work):
    assert (work / "sft" / "model" / "config.json").is_file()
    assert {1, 2} <= set(logged(work / "sft"))
    (start,) = json.loads((work / "sft" / "provenance.json").read_text())["starts"]
    assert start["packages"]["verl"] and start["data"] and start["config"]["seed"] == 0


def test_rl_resumes_after_sigkill_and_samples_what_it_trains(work):
    command = ppo(work, f"output_dir={work}/rl", "trainer.total_training_steps=3")
    started = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    tracker = work / "rl" / "checkpoints" / "latest_checkpointed_iteration.txt"
    deadline = time.monotonic() + 420
    while not tracker.exists() and time.monotonic() < deadline and started.poll() is None:
        time.sleep(0.2)
    os.killpg(started.pid, signal.SIGKILL)
    started.wait(60)
    assert tracker.exists(), "no checkpoint was written before the deadline"
    killed_at = int(tracker.read_text())
    printed = run(command)
    if killed_at < 3:
        assert re.search(rf"resuming RL from step {killed_at}\b", printed)
    metrics = logged(work / "rl")
    assert {1, 2, 3} <= set(metrics)
    assert all(metrics[step]["training/rollout_actor_probs_pearson_corr"] >= 0.99 for step in (1, 2, 3))
    assert all(metrics[step]["episode/void_share"] == 0 for step in (1, 2, 3))
    assert (work / "rl" / "model" / "config.json").is_file()
    assert any((work / "rl" / "trajectories").glob("*.jsonl"))


def test_evaluation_writes_json_and_a_page_that_opens_offline(work):
    run(
        [
            *(sys.executable, "-m", "recipe.code_agentic.evaluate", f"data_dir={work}/data"),
            *(f"models=[{{name: base, path: {work}/base}}, {{name: sft, path: {work}/sft/model}}]",),
            *(f"output_dir={work}/evaluation", "max_problems=4", "num_samples=2", "max_response_length=96"),
        ]
    )
    evaluation = json.loads((work / "evaluation" / "evaluation.json").read_text())
    assert len(evaluation["models"]) == 2
    page = (work / "evaluation" / "report.html").read_text()
    assert "<html" in page and not re.search(r"""(?:src|href)=["']https?://""", page)
