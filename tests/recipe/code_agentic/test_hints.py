"""Hints: every row is run for real, and the hint has to name what is wrong."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recipe.code_agentic.answer_diff import diagnose_stdout, diagnose_value
from recipe.code_agentic.feedback import HINTS, hint_text
from recipe.code_agentic.hints import diagnose, suggest
from verl_ext.grading.grader import Grader
from verl_ext.grading.problem import Case
from verl_ext.grading.verdict import CaseResult, ProgramError, Verdict

ADD = Case("3 4\n", "7\n")
SUM = Case("[[1, 2, 3]]", "6", "total")

# (program, case, kind of diagnosis, what the full wording has to contain)
ERROR_ROWS = [
    ("numbers = [1]\nprint(nubmers)", ADD, "name_near", "numbers"),
    ("prnt(7)", ADD, "name_near", "print"),
    ("print(math.sqrt(9))", ADD, "name_import", "math"),
    ("print(gcd_of_two(3, 4))", ADD, "name_function", "gcd_of_two"),
    ("print(zzz)", ADD, "name", "line 1"),
    ("def totl(xs):\n    return 6", SUM, "missing_function", "totl"),
    ("x = 6", SUM, "no_function", "total"),
    ("t = 0\ndef f():\n    t += 1\nf()", ADD, "unbound_local", "global"),
    ("print((3 + 4)", ADD, "bracket", "line 1"),
    ("x = [1, 2)\n", ADD, "bracket", "line 1"),
    ("if True:\nprint(7)", ADD, "indentation", "line 2"),
    ("if True\n    print(7)", ADD, "colon", "line 1"),
    ("print('7)", ADD, "quote", "line 1"),
    ("x = = 7", ADD, "syntax", "x = = 7"),
    ("print('a' + 1)", ADD, "type_text", "int()"),
    ("print(1 + input())", ADD, "type_text", "int()"),
    ("x = [2, 1].sort()\nprint(x[0])", ADD, "type_none", "None"),
    ("def f(a):\n    return a\nprint(f(1, 2))", ADD, "type_arguments", "parameters"),
    ("list = [1]\nprint(list((1, 2)))", ADD, "type_not_callable", "function"),
    ("print(len(5))", ADD, "type", "len(5)"),
    ("print([1][5])", ADD, "IndexError", "line 1"),
    ("print({}['a'])", ADD, "KeyError", ".get()"),
    ("print(int(input()))", ADD, "value_parse", "split"),
    ("a, b, c = input().split()", ADD, "unpack", "line 1"),
    ("print([1].index(2))", ADD, "value", "index(2)"),
    ("print(1 // 0)", ADD, "ZeroDivisionError", "zero"),
    ("[1].push(2)", ADD, "attribute", "push"),
    ("[1].apend(2)", ADD, "attribute_near", "append"),
    ("x = None\nx.y", ADD, "type_none", "None"),
    ("def f():\n    return f()\nf()", ADD, "RecursionError", "base case"),
    ("input()\ninput()", ADD, "EOFError", "lines"),
    ("import nothing_like_this", ADD, "import", "standard library"),
    ("exit(1)", ADD, "exit_code", "exit"),
    ("import os\nos.kill(os.getpid(), 11)", ADD, "signal", "crash"),
    ("assert 1 == 2", ADD, "error", "line 1"),
    ("while True:\n    pass", ADD, "time_limit", "loop"),
    ("x = [0] * 10**9", ADD, "memory_limit", "memory"),
    ("while True:\n    print('x' * 9999)", ADD, "output_limit", "print"),
    ("import os\ndef total(xs):\n    os._exit(0)", SUM, "exit_code", "exit"),
]


@pytest.mark.parametrize(("program", "case", "kind", "part"), ERROR_ROWS)
async def test_an_error_gets_its_own_hint(
    grader: Grader, program: str, case: Case, kind: str, part: str
) -> None:
    [result] = (await grader.grade(program, [case])).results
    assert diagnose(program, result, case).kind == kind, result
    assert part.lower() in suggest(program, result, case).lower()
    assert suggest(program, result, case, "brief")


P = "print(x)"
STDOUT_ROWS = [
    ("x = 1", "", "7", "missing_print"),
    ("if 0:\n    print(7)", "", "7", "no_output"),
    ("def main():\n    print(7)", "", "7", "never_called"),
    ("n = int(input('n? '))\nprint(7)", "n? 7", "7", "input_prompt"),
    (P, "yes", "YES", "letter_case"),
    (P, "1 2 3", "1\n2\n3", "line_breaks"),
    (P, "ab", "a b", "spaces"),
    (P, "[1, 2, 3]", "1 2 3", "separator"),
    (P, "1,2", "1 2", "separator"),
    (P, "8", "7", "off_by_one"),
    (P, "1 2 4", "1 2 3", "off_by_one"),
    (P, "-5", "5", "sign"),
    (P, "3.5", "3", "rounding"),
    (P, "3.33", "3.3333", "rounding"),
    (P, "1 2", "1 2 3", "misses_last"),
    (P, "2 3", "1 2 3", "misses_first"),
    (P, "0 1 2 3", "1 2 3", "one_too_many"),
    (P, "3 2 1", "1 2 3", "reversed"),
    (P, "2 1 3", "1 2 3", "order"),
    (P, "1\n2", "1\n2\n3", "output_ends_early"),
    (P, "1\n2\n3", "1\n2", "output_too_long"),
    (P, "1\n50\n3", "1\n2\n3", "line_differs"),
    (P, "50", "7", "value_differs"),
    (P, "1\n3\n3", "1\n2\n3", "off_by_one"),
]


@pytest.mark.parametrize(("program", "actual", "expected", "kind"), STDOUT_ROWS)
def test_wrong_output_is_told_by_what_it_looks_like(
    program: str, actual: str, expected: str, kind: str
) -> None:
    assert diagnose_stdout(program, actual, expected)[0] == kind


VALUE_ROWS = [
    ("null", "6", "6\n", "print_not_return"),
    ("null", "6", "", "missing_return"),
    ('"6"', "6", "", "return_type"),
    ("true", "1", "", "return_type"),
    ("[6]", "6", "", "return_type"),
    ("{1, 2} (no plain value: set)", "[1, 2]", "", "return_type"),
    ("7", "6", "", "off_by_one"),
    ("-6", "6", "", "sign"),
    ("2.5", "2", "", "rounding"),
    ("50", "6", "", "value_differs"),
    ('"abc"', '"ABC"', "", "letter_case"),
    ('"cba"', '"abc"', "", "reversed"),
    ('"a b"', '"ab"', "", "spaces"),
    ("[1, 2]", "[1, 2, 3]", "", "misses_last"),
    ("[3, 2, 1]", "[1, 2, 3]", "", "reversed"),
    ("[2, 1, 3]", "[1, 2, 3]", "", "order"),
    ("[2, 3]", "[1, 2]", "", "off_by_one"),
    ("[1, 3, 4]", "[1, 2, 3]", "", "off_by_one"),
    ("[2, -2]", "[1, 2]", "", "value_differs"),
    ('[{"a": 1}, 3]', '[{"a": 2}, 2]', "", "value_differs"),
    ("[]", "[[1]]", "", "value_differs"),
    ("false", "true", "", "value_differs"),
    ("1" * 5000, "2" * 5000, "", "value_differs"),
    ('{"a": 1}', '{"a": 2}', "", "value_differs"),
]


@pytest.mark.parametrize(("actual", "expected", "printed", "kind"), VALUE_ROWS)
def test_a_wrong_value_is_told_by_what_it_looks_like(
    actual: str, expected: str, printed: str, kind: str
) -> None:
    assert diagnose_value(P, actual, expected, printed=printed)[0] == kind


def test_a_passed_case_needs_no_hint() -> None:
    assert suggest("x", CaseResult(0, Verdict.PASSED), ADD) == ""


def test_the_first_differing_line_is_shown() -> None:
    text = suggest(P, CaseResult(0, Verdict.WRONG_ANSWER, actual="a\nx\nc"), Case("", "a\nb\nc"))
    assert "Line 2" in text and "expected b, got x" in text


@pytest.mark.parametrize("style", ["full", "brief"])
def test_every_wording_can_be_filled_in(style: str) -> None:
    names = [
        "line",
        "source",
        "name",
        "near",
        "type",
        "category",
        "want",
        "got",
        "language",
        "message",
        "limit",
        "index",
        "last",
    ]
    facts = dict.fromkeys(names, "X")
    for kind in HINTS:
        assert not re.search(r"[{}]", hint_text(style, kind, facts))


def test_brief_hints_are_brief() -> None:
    assert max(len(brief.split()) for _, brief in HINTS.values()) <= 5


@settings(max_examples=60, deadline=None)
@given(
    st.text(),
    st.text(),
    st.text(),
    st.sampled_from(["NameError", "TypeError", "AttributeError", "ValueError", "SyntaxError", "Odd", "{x}"]),
    st.sampled_from([verdict for verdict in Verdict if verdict is not Verdict.PASSED]),
)
def test_no_program_output_or_message_breaks_a_hint(
    program: str, actual: str, message: str, category: str, verdict: Verdict
) -> None:
    error = ProgramError(category, message, 1, program[:20])
    for case in (Case("1", "a 1\nb"), Case("[1]", '[1, "a"]', "f")):
        for style in ("full", "brief"):
            assert suggest(program, CaseResult(0, verdict, actual, message, error), case, style)
            assert suggest(program, CaseResult(0, verdict), case, style)
