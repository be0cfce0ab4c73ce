"""A solved episode always earns more than an unsolved one; a void one earns nothing at all."""

from __future__ import annotations

import json
from dataclasses import asdict

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from recipe.code_agentic.reward import KINDS, ShapedWeights, compute_score, efficiency, shaped_reward
from verl_ext.agent_loop.episode import EpisodeFacts, StopReason

VALUES = {
    "scale": 1.0,
    "test_case_bonus": 0.3,
    "tool_bonus": 0.05,
    "debug_penalty": 0.1,
    "max_debug_attempts": 5,
    "quality_bonus": 0.0,
    "efficiency_bonus": 0.0,
    "efficiency_floor_s": 0.02,
}
DEFAULTS = ShapedWeights(**VALUES)
OFF = {"quality_bonus", "efficiency_bonus"}


def facts(
    passed: int = 3,
    total: int = 3,
    failed: int = 0,
    calls: int = 1,
    void: bool = False,
    cpu_s: tuple | None = None,
    reference_s: tuple | None = None,
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
        program_cpu_s=cpu_s,
        reference_cpu_s=reference_s,
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


def bounded(low: float, high: float) -> st.SearchStrategy[float]:
    """Any number of a range, its ends and round numbers more often."""
    return st.floats(low, high) | st.sampled_from([low, high]) | st.integers(int(low) + 1, int(high))


@st.composite
def allowed_weights(draw: st.DrawFn) -> ShapedWeights:
    """Any that are not refused, up to the very edge of what may be given away."""
    tool_bonus = draw(st.floats(0, 0.99) | st.just(0))
    num_penalised = draw(st.integers(0, 10) | st.just(10**6))
    most = (0.99 - tool_bonus) / num_penalised if num_penalised else 100
    values = {
        "scale": draw(bounded(0.001, 1000)),
        "test_case_bonus": draw(bounded(0, 100)),
        "tool_bonus": tool_bonus,
        "debug_penalty": draw(st.floats(0, max(most, 0)) | st.just(max(most, 0))),
        "max_debug_attempts": num_penalised,
        "quality_bonus": draw(bounded(0, 100)),
        "efficiency_bonus": draw(bounded(0, 100)),
        "efficiency_floor_s": draw(bounded(0.001, 60)),
    }
    try:
        return ShapedWeights(**values)
    except ValueError:
        assume(False)
        raise


@st.composite
def facts_of(draw: st.DrawFn, total: int, solved: bool) -> EpisodeFacts:
    """Any episode on so many cases."""
    times = st.none() | st.tuples(*[st.floats(0, 100)] * min(total, 3))
    return facts(
        total if solved else draw(st.integers(0, total - 1) | st.just(total - 1)),
        total,
        draw(st.integers(0, 30)),
        draw(st.integers(0, 1)),
        # Never there for an unsolved episode; if they were, they must not count.
        cpu_s=draw(times),
        reference_s=draw(times),
    )


quality = st.none() | st.floats(0, 1)
# No clock decides: the machine may be busy.
unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


@unhurried
@given(allowed_weights(), st.integers(1, 50) | st.just(100_000), st.data())
def test_a_solved_episode_earns_more_than_an_unsolved_one_for_every_allowed_weight(weights, total, data):
    solved, unsolved = (
        shaped_reward(data.draw(facts_of(total, is_solved)), weights, data.draw(quality)).score
        for is_solved in (True, False)
    )
    assert solved > unsolved
    assert np.float32(solved) > np.float32(unsolved)  # what verl keeps


@unhurried
@given(allowed_weights(), st.integers(1, 50), st.booleans(), st.sampled_from(KINDS), st.data())
def test_every_score_is_finite_and_its_parts_keep_their_bounds(weights, total, solved, kind, data):
    episode = data.draw(facts_of(total, solved))
    result = compute_score(
        "",
        "",
        "",
        {"episode": episode.to_dict(), "program": "print(1)", "language": "python"},
        kind=kind,
        **{**asdict(weights), "quality_bonus": 0.0},
    )
    assert all(np.isfinite(value) for value in result.values())
    assert (result["score"] > 0) or not solved
    assert 0 <= result["part_efficiency_bonus"] <= weights.efficiency_bonus * weights.scale * solved


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"scale": 0.0}, "^scale=0.0 must be a number at least 0.001 and at most 1000$"),
        ({"scale": float("nan")}, "scale=nan"),
        ({"scale": float("inf")}, "scale=inf"),
        ({"scale": 1e-320}, "scale"),
        ({"tool_bonus": -0.1}, "tool_bonus=-0.1"),
        ({"test_case_bonus": 1e300}, "test_case_bonus=1e.300"),
        ({"test_case_bonus": True}, "test_case_bonus=True"),
        ({"debug_penalty": float("nan")}, "debug_penalty=nan"),
        ({"quality_bonus": -1e-9}, "quality_bonus"),
        ({"efficiency_bonus": 101}, "efficiency_bonus=101"),
        ({"efficiency_floor_s": 0.0}, "efficiency_floor_s=0.0"),
        ({"max_debug_attempts": 2.5}, "max_debug_attempts=2.5 must be a whole number"),
        ({"max_debug_attempts": -1}, "max_debug_attempts=-1"),
        ({"debug_penalty": 0.2}, "debug_penalty=0.2 times max_debug_attempts=5 plus .* is 1.05.* lower them"),
        ({"tool_bonus": 1.0}, "lower them until it is at most 0.99"),
        ({"tool_bonus": 1.0 - 1e-17, "debug_penalty": 0.0}, "at most 0.99"),
    ],
)
def test_weights_that_break_the_order_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        ShapedWeights(**{**VALUES, **change})


@pytest.mark.parametrize(
    ("reference_s", "program_s", "value"),
    [
        ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5), 1.0),
        ((0.5, 0.5, 0.5), (0.1, 0.1, 0.1), 1.0),  # faster earns no more
        ((0.5, 0.5, 0.5), (1.0, 1.0, 1.0), 0.5),
        ((0.5, 0.5, 0.5), (1.0, 9.0, 1.0), 0.5),  # one disturbed case changes nothing
        ((0.001, 0.002), (0.019, 0.02), 1.0),  # below the floor all are alike
        ((0.0,), (0.2,), 0.1),
        (None, (1.0,), None),
        ((1.0,), None, None),
    ],
)
def test_efficiency_is_a_capped_median_above_a_floor(reference_s, program_s, value):
    episode = facts(cpu_s=program_s, reference_s=reference_s)
    measured = efficiency(episode, 0.02)
    assert measured == (value if value is None else pytest.approx(value))
    unsolved = facts(passed=2, cpu_s=program_s, reference_s=reference_s)
    assert efficiency(unsolved, 0.02) is None


def test_the_optional_parts_are_off_by_default_and_change_nothing_then():
    episode = facts(cpu_s=(0.1, 0.1), reference_s=(0.1, 0.1))
    reward = shaped_reward(episode, DEFAULTS, quality=1.0)
    assert reward.score == pytest.approx(1.35)
    assert {name for name, value in reward.parts.items() if value == 0} == OFF | {"debug_penalty"}


def score(episode: EpisodeFacts, program: str | None, language: str = "python", **changes) -> dict:
    extra_info = {"episode": episode.to_dict(), "program": program, "language": language}
    return compute_score("own", "", "", extra_info, **{"kind": "shaped", **VALUES, **changes})


def test_quality_and_efficiency_come_on_top_of_a_solution_and_are_logged():
    pytest.importorskip("radon")
    episode = facts(cpu_s=(1.0,), reference_s=(0.5,))
    result = score(episode, "import os\nprint(1)\n", quality_bonus=0.2, efficiency_bonus=0.4, scale=2.0)
    assert result["part_quality_bonus"] == pytest.approx(2 * 0.2 * 0.95)
    assert result["part_efficiency_bonus"] == pytest.approx(2 * 0.4 * 0.5)
    assert (result["quality_measured"], result["efficiency_measured"]) == (1.0, 1.0)
    parts = [value for name, value in result.items() if name.startswith("part_")]
    assert result["score"] == pytest.approx(sum(parts))


@pytest.mark.parametrize(
    ("episode", "program", "language"),
    [
        (facts(passed=2), "print(1)", "python"),
        (facts(passed=0), None, "python"),
        (facts(), "int main() {}", "cpp"),
        (facts(), "def f(:", "python"),
    ],
)
def test_what_is_not_solved_or_not_python_gets_no_quality_and_says_so(episode, program, language):
    pytest.importorskip("radon")
    result = score(episode, program, language, quality_bonus=0.2)
    assert (result["part_quality_bonus"], result["quality_measured"]) == (0.0, 0.0)
    assert result["score"] == pytest.approx(score(episode, program, language)["score"])


def test_the_parts_add_up_to_the_score():
    reward = shaped_reward(facts(passed=1, failed=4), DEFAULTS)
    assert sum(reward.parts.values()) == pytest.approx(reward.score)


def test_a_void_episode_has_no_reward():
    with pytest.raises(ValueError, match="void"):
        shaped_reward(facts(void=True), DEFAULTS)


@pytest.mark.parametrize(("kind", "value"), [("shaped", 0.25), ("all_pass", 0.0)])
def test_the_function_verl_calls_returns_the_chosen_score_and_every_part(kind, value):
    result = score(facts(passed=2), "print(1)", kind=kind)
    assert result["score"] == pytest.approx(value)
    parts = ("base", "test_case_bonus", "tool_bonus", "debug_penalty", "quality_bonus", "efficiency_bonus")
    assert {f"part_{part}" for part in parts} < set(result)
    assert all(isinstance(value, float) for value in result.values())


@pytest.mark.parametrize(
    "episode", [facts(failed=2), facts(cpu_s=(0.1, 0.2, 0.3), reference_s=(0.1, 0.1, 0.1))]
)
def test_facts_survive_the_way_through_verl_and_json(episode):
    assert EpisodeFacts.from_dict(episode.to_dict()) == episode
    assert EpisodeFacts.from_dict(json.loads(json.dumps(episode.to_dict()))) == episode
