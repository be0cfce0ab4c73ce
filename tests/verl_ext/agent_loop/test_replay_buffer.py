"""Episode metrics are means over the episodes that count."""

from __future__ import annotations

import pytest

pytest.importorskip("verl")

from verl_ext.agent_loop.replay_buffer import episode_metrics


def fields(solved: float, stop: str) -> dict:
    facts = {
        "stop_reason": stop,
        "num_attempts": 2,
        "num_tool_calls": 2,
        "num_refused_calls": 0,
        "num_malformed_calls": 1,
        "num_turns": 3,
    }
    return {"reward_extra_info": {"score": solved, "solved": solved}, "episode": facts, "tool_s": 0.5}


def test_reward_parts_facts_and_stop_reasons_are_averaged():
    metrics = episode_metrics([fields(1.0, "final_answer"), fields(0.0, "max_turns")])
    assert metrics["reward/solved"] == 0.5
    assert metrics["episode/num_malformed_calls"] == 1
    assert metrics["stop/final_answer"] == metrics["stop/max_turns"] == 0.5
    assert metrics["episode/tool_s"] == 0.5
