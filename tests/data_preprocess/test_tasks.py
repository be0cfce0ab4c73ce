"""Rows for single answers: no tool, every kept case graded, answers that are what they claim to be."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from data_preprocess.attempt_plan import AttemptPlan
from data_preprocess.pipeline import preprocess
from data_preprocess.settings import plain_config, read_settings
from data_preprocess.single_answer import single_answer
from data_preprocess.tasks import TASKS
from recipe.code_agentic.conversations import AttemptMismatch
from recipe.deepcoder.reward import deepcoder_code_reward
from verl_ext.cli import compose
from verl_ext.grading.grader import Grader
from verl_ext.grading.problem import Case, Problem

TASK = TASKS["deepcoder"]


def problem(num_cases: int) -> Problem:
    cases = tuple(Case(str(10**n), str(2 * 10**n), public=n == 0) for n in range(num_cases))
    return Problem("p", "Print twice n.", cases, reference="print(2*int(input()))")


def test_the_longest_inputs_are_kept_and_all_of_them_graded():
    kept = TASK.prepared(problem(20), 15)
    assert [len(case.input) for case in kept.hidden_cases] == list(range(6, 21))
    assert len(TASK.prepared(problem(20), None).hidden_cases) == 20
    assert TASKS["debugging"].prepared(problem(20), 15) == problem(20)


async def test_an_answer_that_is_not_what_it_claims_to_be_is_refused(grader: Grader):
    with pytest.raises(AttemptMismatch, match="a right program"):
        await single_answer(TASK, problem(2), AttemptPlan((), "print(1)"), grader, "brief")


async def test_single_answers_are_made_from_the_projects_problems(tmp_path: Path):
    config = compose(
        "preprocess",
        [
            *(
                "data=deepcoder_tiny",
                "problem_set.families=[composed_plus_end]",
                f"output_dir={tmp_path}/data",
            ),
            *("problem_set.variations_per_template=5", "sft.num_conversations=24"),
            *("sft.num_val_conversations=4", "splits.held_out_family_share=0"),
        ],
    )
    await preprocess(read_settings(config), plain_config(config))
    rows = pq.read_table(tmp_path / "data" / "sft_train.parquet").to_pylist()
    problems = {
        row["extra_info"]["query_id"]: (json.loads(row["prompt"]), row["reward_model"]["ground_truth"])
        for row in pq.read_table(tmp_path / "data" / "rl_train.parquet").to_pylist()
    }
    assert not any(Problem.from_json(cases).verdict_only for _, cases in problems.values())
    for row in rows:
        *prompt, answer = json.loads(row["messages"])
        asked, cases = problems[row["query_id"]]
        assert prompt == asked and row["tools"] == "[]" and answer["role"] == "assistant"
        reward = deepcoder_code_reward(answer["content"], cases)
        assert (reward.score == 1.0) == (row["verdicts"] == ["passed"]) == (row["bug_kinds"] == [])
    assert 0 < sum(row["num_repairs"] for row in rows) < len(rows)
