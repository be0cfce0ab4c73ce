"""When an answer is right."""

import math

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from verl_ext.grading.compare import compare_stdout, compare_values, parse_value

BIG = "1" * 5000

SAME_OUTPUT = [
    ("3\n", "3"),
    ("3\r\n4\r\n", "3\n4"),
    ("3  \n4\t\n\n\n", "3\n4"),
    ("\n\n3", "3"),
    ("1  2", "1 2"),
    ("1.0", "1"),
    ("1", "1.0"),
    ("0.3333333", "0.3333334"),
    ("1e5", "100000"),
    (".5", "0.50"),
    ("2.", "2"),
    ("1000000.5", "1000001.0"),
    ("[0.1, 2]", "[0.10000000001, 2]"),
    ("(1.50)", "(1.5)"),
    ("nan", "nan"),
    ("", "\n"),
    (BIG, BIG),
]
DIFFERENT_OUTPUT = [
    ("3", "4"),
    ("", "3"),
    ("3", ""),
    ("YES", "yes"),
    ("1\n2", "1 2"),
    ("1 2", "1\n2"),
    ("1\n\n2", "1\n2"),
    ("2\n1", "1\n2"),
    ("1 2 3", "1 2"),
    ("1000000000000000001", "1000000000000000000"),
    ("0101", "101"),
    ("1.1", "1.2"),
    ("nan", "0.5"),
    ("inf", "1e5"),
    ("1e999", "1e998"),
    ("1_0.0", "10.0"),
    ("0x1.8", "1.5"),
    ("[1.0", "1.0"),
    ("12", "1 2"),
    ("*", "  *"),
    ("| |", "|   |"),
    (BIG + "1", BIG + "2"),
]


@pytest.mark.parametrize(("actual", "expected"), SAME_OUTPUT)
def test_output_that_is_right(actual: str, expected: str) -> None:
    assert compare_stdout(actual, expected)


@pytest.mark.parametrize(("actual", "expected"), DIFFERENT_OUTPUT)
def test_output_that_is_wrong(actual: str, expected: str) -> None:
    assert not compare_stdout(actual, expected)


@settings(max_examples=60, deadline=None)
@given(st.text(alphabet="ab1.-e \n"), st.sampled_from([" ", "\t", "\r"]))
def test_line_endings_and_space_at_line_ends_never_matter(text: str, space: str) -> None:
    padded = "\n\n" + text.replace("\n", space + "\n") + space + "\n\n"
    assert compare_stdout(padded, text)
    assert compare_stdout(text, padded)


@settings(max_examples=60, deadline=None)
@given(st.integers(), st.integers())
def test_integers_are_exact(left: int, right: int) -> None:
    assert compare_stdout(str(left), str(right)) is (left == right)
    assert compare_values(left, right) is (left == right)


SAME_VALUES = [
    (None, None),
    ((1, 2), [1, 2]),
    ([(1, [2])], [[1, [2]]]),
    ({1: "a", 2: "b"}, {"2": "b", "1": "a"}),
    ({1.5: 0}, {"1.5": 0}),
    ({True: 0}, {"true": 0}),
    (1.0, 1),
    (2, 2.0000000001),
    (math.nan, math.nan),
    ([math.inf], [math.inf]),
    (10**400, 10**400),
]
DIFFERENT_VALUES = [
    (True, 1),
    (1, True),
    (1.0, True),
    (False, 0),
    (0, None),
    (None, []),
    ("", None),
    ("1", 1),
    ("a", "A"),
    ("a ", "a"),
    ([1, 2], [2, 1]),
    ([1], [1, 2]),
    ([[1]], [1]),
    ([5], 5),
    ({"a": 1}, {"a": 2}),
    ({"a": 1}, {"a": 1, "b": 1}),
    ({1: 1, "1": 1}, {"1": 1}),
    (math.inf, -math.inf),
    (math.nan, 0.0),
    (10**400, 10**400 + 1),
    (10**400, 1.5),
    ({1, 2}, [1, 2]),
    (2**53 + 1, 2**53),
]


@pytest.mark.parametrize(("actual", "expected"), SAME_VALUES)
def test_values_that_are_right(actual: object, expected: object) -> None:
    assert compare_values(actual, expected)


@pytest.mark.parametrize(("actual", "expected"), DIFFERENT_VALUES)
def test_values_that_are_wrong(actual: object, expected: object) -> None:
    assert not compare_values(actual, expected)


class AlwaysEqual:
    def __eq__(self, other: object) -> bool:
        return True

    __hash__ = None  # type: ignore[assignment]


class AlwaysEqualInt(int):
    def __eq__(self, other: object) -> bool:
        return True

    __hash__ = int.__hash__


@pytest.mark.parametrize("value", [AlwaysEqual(), AlwaysEqualInt(1), [AlwaysEqual()]])
def test_an_object_that_claims_to_be_equal_is_not(value: object) -> None:
    assert not compare_values(value, [5] if isinstance(value, list) else 5)


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=8,
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(JSON_VALUES)
def test_every_value_equals_itself(value: object) -> None:
    assert compare_values(value, value)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(JSON_VALUES, JSON_VALUES)
def test_only_numbers_are_equal_across_types(left: object, right: object) -> None:
    if compare_values(left, right):
        assert type(left) is type(right) or {type(left), type(right)} <= {int, float}


def test_integers_beyond_4300_digits_are_read_and_compared_exactly() -> None:
    assert compare_values(parse_value(BIG), parse_value(BIG))
    assert not compare_values(parse_value(f"[{BIG}1]"), parse_value(f"[{BIG}2]"))
    assert not compare_values(parse_value(BIG), 1.0)


def test_depth_is_no_danger() -> None:
    deep: list[object] = []
    for _ in range(100_000):
        deep = [deep]
    assert not compare_values(deep, [])
    with pytest.raises(ValueError, match="deep"):
        parse_value("[" * 100_000 + "]" * 100_000)
