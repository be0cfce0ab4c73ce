"""A value that breaks its rule is one line with key, value and what it may be."""

from __future__ import annotations

import pytest
from omegaconf import OmegaConf

from verl_ext.config_values import (
    FLAG,
    TEXT,
    Rule,
    check_values,
    list_of,
    number,
    one_of,
    or_else,
    value_of,
    whole,
)


@pytest.mark.parametrize(
    ("rule", "good", "bad", "wanted"),
    [
        (FLAG, [True, False], [1, "true", None], "true or false"),
        (TEXT, ["a"], ["", 5, None], "text"),
        (whole(), [-1, 0], [1.0, True, "1", None], "a whole number"),
        (whole(1), [1, 5], [0, 1.5], "a whole number of at least 1"),
        (number(above=0), [1, 1e-6], [0, "abc", True, None, float("nan"), float("inf")], "a number above 0"),
        (number(low=0, high=1), [0, 0.5, 1], [-0.1, 20], "a number at least 0 and at most 1"),
        (number(above=0, high=1), [1], [0, 1.1], "a number above 0 and at most 1"),
        (one_of("a", "b"), ["a"], ["c", None, ["a"]], "one of a, b"),
        (list_of(number(), "numbers"), [[], [1, 2.5]], [["a"], "12", None], "a list of numbers"),
        (or_else(whole(1), None), [None, 1], [0, "null"], "a whole number of at least 1, or null"),
        (or_else(whole(1), -1, "never"), [-1, 1], [0], "a whole number of at least 1, or -1 (never)"),
    ],
)  # fmt: skip
def test_a_rule_takes_what_it_says(rule: Rule, good: list, bad: list, wanted: str) -> None:
    assert rule.wanted == wanted
    for value in good:
        assert value_of(OmegaConf.create({"a": {"b": value}}), "a.b", rule) == value
    for value in bad:
        with pytest.raises(ValueError, match=r"^a\.b=.* must be ") as raised:
            value_of(OmegaConf.create({"a": {"b": value}}), "a.b", rule)
        assert str(raised.value).endswith(wanted)


def test_keys_are_checked_in_the_order_of_the_rules_with_interpolations_resolved() -> None:
    config = OmegaConf.create({"profile": {"lr": "abc"}, "optim": {"lr": "${profile.lr}"}})
    rules = {"profile.lr": number(above=0), "optim.lr": number(above=0)}
    with pytest.raises(ValueError, match=r"^profile\.lr=abc must be a number above 0$"):
        check_values(config, rules)
    with pytest.raises(ValueError, match=r"^nothing\.here=null must be"):
        check_values(config, {"nothing.here": whole()})
