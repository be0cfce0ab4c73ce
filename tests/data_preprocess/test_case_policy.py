"""Which cases are public: what the reward needs stays hidden, unless everything is to be shown."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_preprocess.case_policy import FALLBACKS, POLICIES, PublicPolicy
from verl_ext.grading.problem import Case

FLAGS = st.lists(st.booleans(), min_size=1, max_size=12)
POLICY = st.builds(
    PublicPolicy,
    policy=st.sampled_from(POLICIES),
    fallback=st.sampled_from(FALLBACKS),
    first_k=st.integers(1, 9),
    share=st.floats(0.01, 0.99),
)


def _cases(flags: list[bool]) -> list[Case]:
    return [Case(str(index), f"{index}!", public=flag) for index, flag in enumerate(flags)]


def _public(policy: PublicPolicy, flags: list[bool], num_public: int | None = None) -> list[str]:
    return [case.input for case in policy.choose(_cases(flags), num_public) if case.public]


@given(POLICY, FLAGS, st.none() | st.integers(1, 20))
def test_no_case_is_lost_or_changed_and_public_ones_come_first(
    policy: PublicPolicy, flags: list[bool], num_public: int | None
) -> None:
    chosen = policy.choose(_cases(flags), num_public)
    assert sorted((case.input, case.expected) for case in chosen) == sorted(
        (case.input, case.expected) for case in _cases(flags)
    )
    marks = [case.public for case in chosen]
    assert marks == sorted(marks, reverse=True) and marks[0]


@given(POLICY, FLAGS, st.none() | st.integers(1, 20))
def test_one_of_several_cases_stays_hidden_unless_somebody_shows_everything(
    policy: PublicPolicy, flags: list[bool], num_public: int | None
) -> None:
    shows_all = num_public is None and (
        policy.policy == "all"
        or (policy.policy == "flagged" and (all(flags) or (policy.fallback == "all" and not any(flags))))
    )
    if len(flags) > 1 and not shows_all:
        assert not all(case.public for case in policy.choose(_cases(flags), num_public))


@given(POLICY, FLAGS, st.integers(1, 20))
def test_the_records_own_number_wins_over_every_policy(
    policy: PublicPolicy, flags: list[bool], num_public: int
) -> None:
    wanted = min(num_public, max(len(flags) - 1, 1))
    assert _public(policy, flags, num_public) == [str(index) for index in range(wanted)]


def test_each_policy_chooses_as_it_says() -> None:
    flags = [False, True, False, True, False, False, False, False]
    assert _public(PublicPolicy("flagged"), flags) == ["1", "3"]
    assert _public(PublicPolicy("first_k", first_k=3), flags) == ["0", "1", "2"]
    assert _public(PublicPolicy("share", share=0.5), flags) == ["0", "1", "2", "3"]
    assert _public(PublicPolicy("all"), flags) == [str(index) for index in range(8)]


def test_what_the_source_does_not_flag_goes_by_the_fallback() -> None:
    flags = [False] * 4
    assert _public(PublicPolicy("flagged", "first_k", first_k=2), flags) == ["0", "1"]
    assert _public(PublicPolicy("flagged", "share", share=0.25), flags) == ["0"]
    assert _public(PublicPolicy("flagged", "all"), flags) == ["0", "1", "2", "3"]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"policy": "some"}, "public_cases.policy=some is not one of first_k, share, flagged, all"),
        ({"fallback": "flagged"}, "public_cases.fallback=flagged is not one of first_k, share, all"),
        ({"first_k": 0}, "public_cases.first_k must be at least 1"),
        ({"share": 1.0}, "public_cases.share must be above 0 and below 1"),
    ],
)
def test_a_mistaken_policy_is_refused_by_name(changed: dict, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        PublicPolicy(**changed)
