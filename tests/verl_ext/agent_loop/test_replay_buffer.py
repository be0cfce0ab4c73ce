"""Episode metrics are means over the episodes that count."""

from __future__ import annotations

import pytest

pytest.importorskip("verl")

from verl_ext.agent_loop.replay_buffer import NothingToTrainOn, check_trainable, episode_metrics


def fields(solved: float, stop: str, cache: dict | None = None) -> dict:
    facts = {
        "stop_reason": stop,
        "num_attempts": 2,
        "num_tool_calls": 2,
        "num_refused_calls": 0,
        "num_malformed_calls": 1,
        "num_surplus_calls": 3,
        "num_turns": 3,
    }
    return {
        "reward_extra_info": {"score": solved, "solved": solved},
        "episode": facts,
        "tool_s": 0.5,
        "cache": cache or {"hits": 0, "misses": 0},
    }


def test_reward_parts_facts_and_stop_reasons_are_averaged():
    metrics = episode_metrics([fields(1.0, "final_answer"), fields(0.0, "max_turns")])
    assert metrics["reward/solved"] == 0.5
    assert metrics["episode/num_malformed_calls"] == 1
    assert metrics["episode/num_surplus_calls"] == 3
    assert metrics["stop/final_answer"] == metrics["stop/max_turns"] == 0.5
    assert metrics["episode/tool_s"] == 0.5


def test_the_cache_s_hit_rate_is_that_of_all_cases_not_a_mean_of_episodes():
    some = [
        fields(1.0, "final_answer", {"hits": 9, "misses": 1}),
        fields(1.0, "final_answer", {"hits": 0, "misses": 20}),
    ]
    metrics = episode_metrics(some)
    assert metrics["sandbox/cache_hit_rate"] == 0.3
    assert metrics["sandbox/num_runs"] == 21
    assert "sandbox/cache_hit_rate" not in episode_metrics([fields(0.0, "max_turns")])


def test_a_step_in_which_everything_is_masked_says_what_to_do():
    check_trainable(3, [{"masked": True}, {"masked": False}])
    with pytest.raises(
        NothingToTrainOn, match=r"^step 3: all 2 episodes .*mask_truncated.*max_response_length"
    ):
        check_trainable(3, [{"masked": True}, {"masked": True}])
