"""Which cases of a problem are graded, and how their expected values are to be read.

Owns the sampling policies and the reading of APPS's one-element lists. Whoever cuts cases here keeps whole
``Case`` objects, so that neither ``fn_name`` nor anything else gets lost. Runs nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, get_args

from msgspec.structs import replace

from verl_ext.grading.compare import parse_value
from verl_ext.grading.problem import Case

CasePolicy = Literal["all", "longest_input", "hardest"]
POLICIES: tuple[str, ...] = get_args(CasePolicy)
DEEPCODER_NUM_CASES = 15
"""Cases that DeepCoder grades of problems in the shapes of TACO and SYNTHETIC-1."""


def sample_cases(
    cases: Sequence[Case],
    policy: str = "longest_input",
    num_cases: int = DEEPCODER_NUM_CASES,
    num_failures: Mapping[int, int] | None = None,
) -> tuple[Case, ...]:
    """At most ``num_cases`` cases in their own order; the same arguments always give the same cases.

    Args:
        cases: At least one.
        policy: ``all`` keeps every case, as DeepCoder does for LiveCodeBench and Codeforces;
            ``longest_input`` takes those with the longest inputs, as DeepCoder does otherwise; ``hardest``
            those that programs failed most often so far, and of equal ones those with the longer inputs.
        num_cases: How many to keep, at least 1; ``all`` pays no heed to it.
        num_failures: ``hardest``: how often programs failed, by position in ``cases``; others never did.

    Raises:
        ValueError: When there is no case, no such policy, or a number makes no sense.

    Source: DeepCoder, "A Fully Open-Source 14B Coder at O3-mini Level" (2025), on the 15 most challenging
        tests, identified by their input strings' length.
    """
    if not cases:
        raise ValueError("no cases to choose from: a program must be run on at least one case")
    if policy not in POLICIES:
        raise ValueError(f"case policy {policy!r} is not one of {', '.join(POLICIES)}")
    if num_cases < 1:
        raise ValueError(f"num_cases must be at least 1, got {num_cases}")
    if num_failures is not None and policy != "hardest":
        raise ValueError(f"num_failures is for the policy hardest, not for {policy}")
    failures = num_failures or {}
    if bad := [index for index in failures if not 0 <= index < len(cases)]:
        raise ValueError(f"num_failures names case {bad[0]}, there are {len(cases)}")
    if policy == "all":
        return tuple(cases)
    ranked = sorted(
        range(len(cases)), key=lambda index: (-failures.get(index, 0), -len(cases[index].input), index)
    )
    return tuple(cases[index] for index in sorted(ranked[:num_cases]))


def accept_unwrapped(cases: Sequence[Case]) -> tuple[Case, ...]:
    """Marks call cases whose expected value may be wrapped in a one-element list.

    APPS, TACO and what derives from them write ``[7]`` where the function is to return 7, and not always.
    Only where every case of a problem has a one-element list can that be meant; then a value counts with and
    without the list. For formats that never wrap (LiveCodeBench, LeetCode) this is not to be called.

    Args:
        cases: All cases of one problem.

    Raises:
        ValueError: When the expected value of a call case is not JSON.
    """
    if not all(case.fn_name is not None and _is_single(case.expected) for case in cases):
        return tuple(cases)
    return tuple(replace(case, wrapped=True) for case in cases)


def _is_single(expected: str) -> bool:
    value = parse_value(expected)
    return isinstance(value, list) and len(value) == 1
