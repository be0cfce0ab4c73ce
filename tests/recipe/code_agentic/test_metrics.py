"""Rates, intervals and differences of trajectory records."""

import math
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recipe.code_agentic.metrics import (
    RATES,
    compare_models,
    estimate,
    paired_difference,
    pass_at_k,
    recovered,
    solved,
    solved_within,
    summarise,
    summarise_model,
    wilson,
)


def record(query_id="p", first=None, attempts=1, *, is_solved=None, void=False, sample=0, **fields):
    """A record with the facts that matter; ``first`` is the first attempt that is right."""
    return {
        "query_id": query_id,
        "family": "sums",
        "difficulty": "easy",
        "verdict_only": False,
        "run": "rl",
        "split": "test",
        "decoding": "sampled",
        "sample": sample,
        "facts": {
            "void": void,
            "first_solved_attempt": first,
            "solved": not void and (first is not None if is_solved is None else is_solved),
            "num_attempts": attempts,
            "num_tool_calls": attempts,
            "num_refused_calls": 0,
            "num_malformed_calls": 0,
            "num_surplus_calls": 0,
            "num_turns": attempts + 1,
            "num_response_tokens": 10 * attempts,
            "stop_reason": "sandbox_failure" if void else "final_answer",
        },
        "reward": {} if void else {"score": float(first is not None)},
        "attempts": [],
        "final_verdicts": ["passed"] if first else ["passed", "wrong_answer"],
        "generate_s": 1.0,
        "tool_s": 0.5,
        **fields,
    }


@pytest.mark.parametrize(
    ("first", "expected"),
    [(1, [1, 1, 1, 1, 1]), (3, [0, 0, 1, 1, 1]), (6, [0, 0, 0, 0, 0]), (None, [0, 0, 0, 0, 0])],
)
def test_solved_within_k_counts_the_first_k_attempts(first, expected):
    assert [solved_within(k)(record(first=first, attempts=6)) for k in range(1, 6)] == expected


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"first": 1}, None),
        ({"first": None, "attempts": 0}, None),
        ({"first": 2, "attempts": 2}, 1.0),
        ({"first": None, "attempts": 3}, 0.0),
        ({"first": 2, "attempts": 3, "is_solved": False}, 0.0),
    ],
)
def test_recovery_is_about_episodes_whose_first_attempt_failed(fields, expected):
    assert recovered(record(**fields)) == expected


def test_void_episodes_are_reported_and_count_in_no_rate():
    records = [record("a", 1), record("b", None), record("c", None, void=True)]
    summary = summarise(records, seed=0)
    assert (summary["num_episodes"], summary["num_void"], summary["num_problems"]) == (2, 1, 2)
    assert summary["rates"]["solved"]["value"] == 0.5
    assert summary["means"]["reward"]["num_episodes"] == 2
    assert summary["stop_reasons"]["sandbox_failure"] == 1


def test_nothing_but_void_episodes_gives_no_rate_instead_of_zero():
    summary = summarise([record(void=True)], seed=0)
    assert set(summary["rates"].values()) == {None}
    assert summary["latency_s"] is None


def test_wilson_agrees_with_the_published_example():
    # Newcombe 1998, Statistics in Medicine 17, table I: 81 of 263
    low, high = wilson(81, 263)
    assert (round(low, 4), round(high, 4)) == (0.2553, 0.3662)


@given(st.integers(1, 400).flatmap(lambda num: st.tuples(st.integers(0, num), st.just(num))))
def test_wilson_holds_the_proportion_and_stays_within_0_and_1(hits_of):
    hits, num = hits_of
    low, high = wilson(hits, num)
    assert 0 <= low <= hits / num + 1e-12
    assert hits / num - 1e-12 <= high <= 1
    assert high > low


def test_one_episode_per_problem_takes_wilson():
    found = estimate([record(str(i), 1 if i < 3 else None) for i in range(10)], solved, is_rate=True, seed=0)
    assert (found.low, found.high) == wilson(3, 10)


def test_many_episodes_of_one_problem_do_not_narrow_the_interval():
    one_each = [record(str(i), 1 if i < 10 else None) for i in range(20)]
    many_each = [record(str(i), 1 if i < 10 else None, sample=s) for i in range(20) for s in range(50)]
    single = estimate(one_each, solved, is_rate=True, seed=0)
    clustered = estimate(many_each, solved, is_rate=True, seed=0)
    assert clustered.num_episodes == 1000
    assert clustered.high - clustered.low > 0.8 * (single.high - single.low)


@pytest.mark.parametrize(("solved_samples", "value"), [(4, 1.0), (2, 0.5), (0, 0.0)])
def test_problems_that_all_agree_still_have_an_interval(solved_samples, value):
    records = [
        record(str(i), 1 if s < solved_samples else None, sample=s) for i in range(10) for s in range(4)
    ]
    found = estimate(records, solved, is_rate=True, seed=0)
    assert (found.value, found.low, found.high) == (value, *wilson(10 * value, 10))


def test_the_same_seed_gives_the_same_interval():
    records = [record(str(i), (i + s) % 3 or None, sample=s) for i in range(12) for s in range(3)]
    assert summarise(records, seed=7) == summarise(records, seed=7)


@given(st.integers(1, 7).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n), st.integers(1, n))))
def test_pass_at_k_is_the_share_of_subsets_with_a_solved_sample(case):
    num, num_solved, k = case
    subsets = list(combinations([index < num_solved for index in range(num)], k))
    assert math.isclose(pass_at_k(num, num_solved, k), sum(map(any, subsets)) / len(subsets))


def test_pass_at_k_beyond_the_samples_is_refused():
    with pytest.raises(ValueError, match="needs at least 5 samples"):
        pass_at_k(4, 2, 5)


def test_pass_at_is_given_up_to_the_samples_every_problem_has():
    records = [record("a", 1, sample=s) for s in range(5)] + [record("b", None, sample=s) for s in range(4)]
    assert list(summarise(records, seed=0)["pass_at"]) == ["1", "2", "4"]
    assert summarise([record("a", 1)], seed=0)["pass_at"] == {}


def test_a_paired_difference_leaves_out_problems_that_one_side_lacks():
    before = [record("a", None), record("b", None), record("only-before", 1)]
    after = [record("a", 1), record("b", None), record("only-after", 1)]
    found = paired_difference(before, after, solved, seed=0)
    assert (found.value, found.num_problems) == (0.5, 2)


@pytest.mark.parametrize(("num", "excludes_zero"), [(1, False), (2, False), (20, True)])
def test_differences_that_all_agree_claim_no_more_than_their_number_allows(num, excludes_zero):
    before = [record(str(i), None) for i in range(num)]
    after = [record(str(i), 1) for i in range(num)]
    found = paired_difference(before, after, solved, seed=0)
    assert found.value == found.high == 1.0
    assert (found.low > 0) == excludes_zero


def test_pairing_narrows_the_difference_of_models_that_agree():
    before = [record(str(i), 1 if i < 50 else None) for i in range(100)]
    after = [record(str(i), 1 if i < 55 else None) for i in range(100)]
    found = paired_difference(before, after, solved, seed=0)
    apart = [estimate(records, solved, is_rate=True, seed=0) for records in (before, after)]
    assert found.low > 0
    assert apart[0].high > apart[1].low


def test_splits_decodings_and_verdict_only_problems_are_apart():
    records = [
        record("a", 1),
        record("a", None, decoding="greedy"),
        record("b", None, verdict_only=True),
        record("c", 1, split="held_out_families", family="words"),
    ]
    summary = summarise_model(records, seed=0)
    assert summary["sampled"]["test"]["verdict_only"]["rates"]["solved"]["value"] == 0.0
    assert summary["sampled"]["test"]["question_suffices"]["rates"]["solved"]["value"] == 1.0
    assert summary["greedy"]["test"]["all"]["rates"]["solved"]["value"] == 0.0
    assert list(summary["sampled"]["held_out_families"]["family"]) == ["words"]
    assert summary["sampled"]["held_out_families"]["verdict_only"] is None


def test_a_final_program_counts_with_its_first_failing_verdict():
    records = [
        record("a", final_verdicts=["passed", "time_limit", "wrong_answer"]),
        record("b", final_verdicts=[]),
        record("c", 1, final_verdicts=["passed"]),
    ]
    assert summarise(records, seed=0)["final_verdicts"] == {"time_limit": 1, "no_program": 1, "passed": 1}


def test_models_are_compared_only_where_both_have_episodes():
    before = [record("a", None), record("a", None, decoding="greedy")]
    after = [record("a", 1), record("a", 1, split="held_out_families")]
    found = compare_models(before, after, seed=0)
    assert {decoding: list(splits) for decoding, splits in found.items()} == {"sampled": ["test"]}
    assert found["sampled"]["test"]["all"]["solved"]["value"] == 1.0
    assert set(found["sampled"]["test"]["all"]) == set(RATES)
    assert found["sampled"]["test"]["verdict_only"]["solved"] is None
