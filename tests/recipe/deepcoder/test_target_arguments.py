"""What a test case's text means is decided by what the function takes."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recipe.deepcoder.case_reading import read_cases
from recipe.deepcoder.target_arguments import Signature, arguments_of, expected_of, find_signature


def taking(*annotations: str | None, returns: str | None = None) -> Signature:
    return Signature(annotations, len(annotations), returns)


ONE_ARGUMENT = [
    # text, without annotation, as list, as str, as int
    ("[1, 2, 3]", [1, 2, 3], [1, 2, 3], "[1, 2, 3]", [1, 2, 3]),
    ('"[1,2,3]"', [1, 2, 3], [1, 2, 3], "[1,2,3]", [1, 2, 3]),
    ('"5"', "5", 5, "5", 5),
    ("5", 5, 5, "5", 5),
    ("hello", "hello", "hello", "hello", "hello"),
    ('"hello"', "hello", "hello", "hello", "hello"),
    ("two words", "two words", "two words", "two words", "two words"),
    ('{"a": 1}', {"a": 1}, {"a": 1}, '{"a": 1}', {"a": 1}),
    ("", "", "", "", ""),
    ('""', "", "", "", ""),
    ("null", None, None, "null", None),
    ("true", True, True, "true", True),
    ("007", "007", "007", "007", "007"),
    ("a\nb", "a\nb", "a\nb", "a\nb", "a\nb"),
    (str(10**30), 10**30, 10**30, str(10**30), 10**30),
    ("['a', None]", "['a', None]", ["a", None], "['a', None]", "['a', None]"),
    ("(1, 2)", "(1, 2)", [1, 2], "(1, 2)", "(1, 2)"),
    ("'a'", "'a'", "'a'", "'a'", "'a'"),
    ("(())", "(())", [], "(())", "(())"),
    ("[...]", "[...]", "[...]", "[...]", "[...]"),
    ("{1, 2}", "{1, 2}", "{1, 2}", "{1, 2}", "{1, 2}"),
]


@pytest.mark.parametrize(("text", "plain", "as_list", "as_str", "as_int"), ONE_ARGUMENT)
def test_one_argument_is_read_as_its_parameter_needs_it(text, plain, as_list, as_str, as_int):
    for annotation, wanted in ((None, plain), ("list[int]", as_list), ("str", as_str), ("int", as_int)):
        assert arguments_of(text, taking(annotation)) == [wanted], annotation


@pytest.mark.parametrize(
    ("given", "signature", "wanted"),
    [
        ("[1, 2]\n3", taking("list[int]", "int"), [[1, 2], 3]),
        ("[[1, 2], 3]", taking(None, None), [[1, 2], 3]),
        ('"ab"\n"5"', taking("str", "int"), ["ab", 5]),
        ("['a']\nTrue", taking("list", "bool"), [["a"], True]),
        ("True", taking("bool"), [True]),
        ("None", taking("typing.Optional[list[int]]"), [None]),
        ("(1, 2)", taking("t.Tuple[int, int]"), [[1, 2]]),
        ("()", taking("Union[str, None]"), ["()"]),
        ("()", taking("t.Optional[str]"), ["()"]),
        ("()", taking("list[int] | str"), ["()"]),
        ("()", taking("Any"), ["()"]),
        ("{1: 'a'}", taking("dict[int, str]"), ["{1: 'a'}"]),
        ("{'a': (1, [2])}", taking("dict"), [{"a": [1, [2]]}]),
        ("1_000", taking("list"), ["1_000"]),
        ("[1, 2]", taking(None), [[1, 2]]),
        ("[1, 2]", Signature((None, None), 1), [[1, 2]]),
        ("1\n2", taking(None), ["1\n2"]),
        ("", taking(), []),
        ("[]", taking(), []),
        ("[]", taking("list"), [[]]),
        ([[1, 2], 3], taking(None, None), [[1, 2], 3]),
        (["[1]"], taking("list"), ["[1]"]),
        (7, taking("int"), [7]),
        (None, taking(None), [None]),
    ],
)
def test_arguments_are_counted_by_the_signature_and_values_are_taken_as_they_are(given, signature, wanted):
    assert arguments_of(given, signature) == wanted


@pytest.mark.parametrize(
    ("wanted", "given", "returns", "value"),
    [
        ("5", "x", None, 5),
        ("5", "x", "str", "5"),
        ('"5"', "x", "str", "5"),
        ("ab", "x", "str", "ab"),
        ("[1]", "x", "list[int]", [1]),
        ("5", ["x"], None, "5"),
        (5, "x", "str", 5),
    ],
)
def test_an_expected_text_is_read_by_what_the_function_returns(wanted, given, returns, value):
    assert expected_of(wanted, given, taking(None, returns=returns)) == value


@pytest.mark.parametrize(
    ("source", "name", "signature"),
    [
        ("def f(a, b: int = 2) -> str: ...", "f", Signature((None, "int"), 1, "str")),
        ("def f(a: list[int]) -> int:", "f", Signature(("list[int]",), 1, "int")),
        (
            "class Solution:\n    def f(self, a: str):\n",
            "Solution().f",
            Signature(("str",), 1),
        ),
        ("class Solution:\n    @staticmethod\n    def f(a): pass", "f", Signature((None,), 1)),
        ("def f(a, *rest: int): ...", "f", Signature((None,), 1, has_rest=True)),
        ("x = 1", "f", None),
        ("def f(:", "f", None),
        ("\0", "f", None),
        ("(" * 5000, "f", None),
        ("-" * 100_000 + "1", "f", None),
        ("a" + ".a" * 200_000, "f", None),
        ("def f(x: a" + ".a" * 2500 + "): pass", "f", None),
    ],
)
def test_a_signature_is_found_in_programs_and_headers(source, name, signature):
    assert find_signature(source, name) == signature


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@given(st.lists(json_values, max_size=4), json_values)
def test_argument_lists_and_values_reach_the_case_unchanged(arguments, value):
    (case,) = read_cases([{"input": arguments, "output": value}], "f").cases("", None)
    assert json.loads(case.input) == arguments
    assert json.loads(case.expected) == value


@given(st.lists(json_values, min_size=2, max_size=4))
def test_arguments_one_per_line_and_as_one_list_are_the_same(arguments):
    if any(isinstance(item, str) for item in arguments):
        return  # what a quoted text holds may be unwrapped on a line of its own
    takes = taking(*[None] * len(arguments))
    lines = "\n".join(map(json.dumps, arguments))
    assert arguments_of(lines, takes) == arguments_of(json.dumps(arguments), takes) == arguments


@given(st.text(max_size=20))
def test_any_text_is_some_argument(text):
    for annotation in (None, "str", "int"):
        assert len(arguments_of(text, taking(annotation))) == 1
