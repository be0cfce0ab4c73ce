"""Values as text and in tagged form, sets, and what a test looks at in a value."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from verl_ext.grading.compare import compare_values, parse_value
from verl_ext.grading.harness import check_case
from verl_ext.grading.problem import Case
from verl_ext.grading.values import from_tagged, to_tagged, value_text
from verl_ext.grading.views import check_view, same_in_view

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text()
    | st.binary(max_size=4)
    | st.complex_numbers(allow_nan=False, allow_infinity=False)
)
HASHABLE = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3).map(tuple), max_leaves=4)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(HASHABLE, inner, max_size=3)
        | st.sets(HASHABLE, max_size=3)
    ),
    max_leaves=8,
)


@given(VALUES)
def test_a_value_comes_back_from_its_text_with_its_types(value: object) -> None:
    again = parse_value(value_text(value))
    assert again == value and type(again) is type(value)


@given(VALUES)
def test_a_value_travels_in_tagged_form_and_still_equals_itself(value: object) -> None:
    again = from_tagged(json.loads(json.dumps(to_tagged(value))))
    assert compare_values(again, value), (again, value)


@pytest.mark.parametrize(
    "tagged",
    [
        {},
        {"set": 1},
        {"set": [], "dict": []},
        {"dict": [[1]]},
        {"other": []},
        {"bytes": [999]},
        {"set": [1, 1]},
    ],
)
def test_what_is_no_tagged_value_is_refused(tagged: object) -> None:
    with pytest.raises(ValueError):
        from_tagged(tagged)


SETS = [
    ({1, 2}, {2, 1}, True),
    ({1, 2}, {1}, False),
    ({1}, {True}, False),
    ({1}, [1], False),
    (frozenset({(1, 2)}), {(1, 2)}, True),
    ({0.1 + 0.2}, {0.3}, True),
    ({0.1 + 0.2, 5}, {0.3, 6}, False),
    ({frozenset({1, 2})}, {frozenset({2, 1})}, True),
    (1j, 1.0000000001j, True),
    (2 + 0j, 2, True),
    (b"a", "a", False),
    ({(1, 2): 3}, {(1, 2): 3}, True),
    ({(1, 2): 3}, {(2, 1): 3}, False),
]


@pytest.mark.parametrize(("actual", "expected", "same"), SETS)
def test_sets_compare_as_sets_with_the_tolerance_of_their_items(
    actual: object, expected: object, same: bool
) -> None:
    assert compare_values(actual, expected) is same


VIEWS = [
    ([2, 1, 1], {1, 2}, "set", True),
    ([[1, 2]], {(1, 2)}, "set", True),
    ([2], {1}, "set", False),
    ([2, 1], [1, 2], "sorted", True),
    ("ba", ["a", "b"], "sorted", True),
    ([2, "a"], [1, 2], "sorted", False),
    ("ab", ["a", "b"], "list", True),
    ([1, 2], 2, "len", True),
    (7, 1, "len", False),
    ([], False, "bool", True),
    (-2, 2, "abs", True),
    (2, 2.0, "float", True),
    (1.234, 1.23, "round:2", True),
    (3.14159, 3.1416, "close:0.001:0.0", True),
    (3.2, 3.1416, "close:0.001:0.0", False),
    ([1.0001, 2], [1, 2], "close:0:0.001", True),
    ("3.1", 3.1, "close:0.1:0.1", False),
    (None, 3.1, "close:0.1:0.1", False),
]


@pytest.mark.parametrize(("actual", "expected", "view", "same"), VIEWS)
def test_a_view_is_what_the_test_compares(actual: object, expected: object, view: str, same: bool) -> None:
    check_view(view)
    assert same_in_view(actual, expected, view) is same


@pytest.mark.parametrize("view", ["sum", "round", "round:x", "close:1", "set:1", "close:nan:0"])
def test_an_unknown_view_is_refused_before_anything_runs(view: str) -> None:
    with pytest.raises(ValueError, match="compare_as"):
        check_case(Case("[1]", "1", "f", compare_as=view))


@pytest.mark.parametrize("text", ["f(1)", "__import__('os')", "[x for x in y]", "1 +", "(" * 5000])
def test_nothing_but_a_literal_is_read(text: str) -> None:
    with pytest.raises(ValueError):
        parse_value(text)
