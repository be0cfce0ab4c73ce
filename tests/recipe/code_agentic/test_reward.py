"""A solved episode always earns more than an unsolved one; a void one earns nothing at all."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from recipe.code_agentic.reward import ShapedWeights, compute_score, shaped_reward
from verl_ext.agent_loop.episode import EpisodeFacts, StopReason

DEFAULTS = ShapedWeights(1.0, 0.3, 0.05, 0.1, 5)


def facts(
    passed: int = 3, total: int = 3, failed: int = 0, calls: int = 1, void: bool = False
) -> EpisodeFacts:
    return EpisodeFacts(
        void=void,
        hidden_passed=passed,
        hidden_total=total,
        first_solved_attempt=failed + 1 if passed == total else None,
        num_attempts=failed + 1,
        num_failed_attempts=failed,
        num_tool_calls=calls,
        num_refused_calls=0,
        num_malformed_calls=0,
        num_surplus_calls=0,
        num_turns=2,
        num_response_tokens=10,
        stop_reason=StopReason.FINAL_ANSWER,
    )


@pytest.mark.parametrize(
    ("episode", "score"),
    [
        (facts(), 1.35),
        (facts(calls=0), 1.3),
        (facts(failed=1), 1.35),
        (facts(failed=3), 1.15),
        (facts(failed=20), 0.85),
        (facts(passed=0), 0.05),
        (facts(passed=2), 0.25),
        (facts(passed=0, failed=2, calls=0), -0.1),
    ],
)
def test_the_shaped_reward_follows_its_formula(episode, score):
    assert shaped_reward(episode, DEFAULTS).score == pytest.approx(score)


weights = st.builds(
    dict,
    scale=st.floats(0.01, 100),
    test_case_bonus=st.floats(0, 10),
    tool_bonus=st.floats(0, 0.99),
    debug_penalty=st.floats(0, 1),
    max_debug_attempts=st.integers(0, 10),
)
total_cases = st.integers(1, 50)


@given(weights, total_cases, st.data())
def test_a_solved_episode_earns_more_than_an_unsolved_one_for_every_allowed_weight(values, total, data):
    assume(values["debug_penalty"] * values["max_debug_attempts"] + values["tool_bonus"] < 1)
    allowed = ShapedWeights(**values)
    draw = data.draw
    solved = facts(total, total, draw(st.integers(0, 30)), draw(st.integers(0, 1)))
    unsolved = facts(
        draw(st.integers(0, total - 1)), total, draw(st.integers(0, 30)), draw(st.integers(0, 1))
    )
    assert shaped_reward(solved, allowed).score > shaped_reward(unsolved, allowed).score


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"scale": 0.0}, "scale"),
        ({"tool_bonus": -0.1}, "tool_bonus"),
        ({"debug_penalty": 0.2}, "below 1"),
        ({"tool_bonus": 1.0}, "below 1"),
    ],
)
def test_weights_that_break_the_order_are_refused(change, message):
    values = {
        "scale": 1.0,
        "test_case_bonus": 0.3,
        "tool_bonus": 0.05,
        "debug_penalty": 0.1,
        "max_debug_attempts": 5,
    }
    with pytest.raises(ValueError, match=message):
        ShapedWeights(**{**values, **change})


def test_the_parts_add_up_to_the_score():
    reward = shaped_reward(facts(passed=1, failed=4), DEFAULTS)
    assert sum(reward.parts.values()) == pytest.approx(reward.score)


def test_a_void_episode_has_no_reward():
    with pytest.raises(ValueError, match="void"):
        shaped_reward(facts(void=True), DEFAULTS)


@pytest.mark.parametrize(("kind", "score"), [("shaped", 0.25), ("all_pass", 0.0)])
def test_the_function_verl_calls_returns_the_chosen_score_and_every_part(kind, score):
    result = compute_score(
        "own",
        "",
        "",
        {"episode": facts(passed=2).to_dict()},
        kind=kind,
        scale=1.0,
        test_case_bonus=0.3,
        tool_bonus=0.05,
        debug_penalty=0.1,
        max_debug_attempts=5,
    )
    assert result["score"] == pytest.approx(score)
    assert {"part_base", "part_test_case_bonus", "part_tool_bonus", "part_debug_penalty"} < set(result)
    assert all(isinstance(value, float) for value in result.values())


def test_facts_survive_the_way_through_verl():
    episode = facts(failed=2)
    assert EpisodeFacts.from_dict(episode.to_dict()) == episode
