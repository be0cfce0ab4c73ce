"""Hints for JavaScript and C++: every row is run for real, and the hint has to name what is wrong."""

import shutil

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recipe.code_agentic.hints import diagnose, suggest
from verl_ext.grading.grader import Grader
from verl_ext.grading.harness import Limits
from verl_ext.grading.problem import Case
from verl_ext.grading.verdict import CaseResult, ProgramError, Verdict
from verl_ext.sandbox.client import HttpSandbox

SUM = Case("[[1, 2, 3]]", "6", "total")
ADD = Case("3 4\n", "7\n")
LIMITS = Limits(time_s=2, memory_limit_mb=256)
CPP_PRELUDE = "#include <bits/stdc++.h>\nusing namespace std;\nint total(vector<int> xs);\n"
STD = "#include <bits/stdc++.h>\nusing namespace std;\n"

# (program, case, kind of diagnosis, what the full wording has to contain)
JAVASCRIPT_ROWS = [
    ("function total(xs) { return sumOf(xs) }\nfunction sumOff() {}", SUM, "name_near", "sumOff"),
    ("function total(xs) {\n  return gcd(xs) }", SUM, "undeclared", "line 2"),
    ("function totl(xs) { return 6 }", SUM, "missing_function", "totl"),
    ("let x = 6", SUM, "no_function", "total"),
    ("function total(xs) { return x; let x = 1 }", SUM, "unbound_local", "x"),
    ("function total(xs) {\n  return xs[7].a }", SUM, "undefined_value", "line 2"),
    ("function total(xs) {\n  return xs.sum() }", SUM, "no_method", "xs.sum"),
    ("function total(xs) {\n  const t = 0\n  t += 1 }", SUM, "constant", "let"),
    ("function total(xs) { return total(xs) }", SUM, "RecursionError", "base case"),
    ("function total(xs) { return new Array(-1) }", SUM, "bad_length", "length"),
    ("function total(xs) { throw 'too few' }", SUM, "thrown", "too few"),
    ("function total(xs) { return require('lodas') }", SUM, "import", "standard library"),
    ("function total(xs) {\n  return 1 +* 2 }", SUM, "invalid", "JavaScript"),
    ("function total(xs) {\n  return [1, 2", SUM, "unclosed", "never closed"),
    ("let a = 1\nlet a = 2", SUM, "declared_twice", "a is declared twice"),
    ("function total(xs) { xs.reduce((a, b) => a + b) }", SUM, "missing_return", "return"),
    ("function total(xs) { console.log(6) }", SUM, "print_not_return", "return"),
    ("function total(xs) { return 7 }", SUM, "off_by_one", "bounds"),
    ("const x = 1\nconsole.log(y)", ADD, "undeclared", "line 2"),
    ("let x = (1", ADD, "unclosed", "never closed"),
    ("process.exit(3)", ADD, "exit_code", "exit"),
]
CPP_ROWS = [
    ("int total(vector<int> xs) {\n  int sum = 0;\n  return smu; }", SUM, "name_near", "did you mean sum"),
    ("int total(vector<int> xs) {\n  int sum = 0\n  return sum; }", SUM, "semicolon", "line 3"),
    ("int totl(vector<int> xs) { return 6; }", SUM, "missing_function", "totl"),
    ("int total(int x) { return 6; }", SUM, "cpp_signature", "signature"),
    ("int total(vector<int> xs) {\n  string s = xs; return 6; }", SUM, "cpp_conversion", "line 2"),
    ("int total(vector<int> xs) { return xs.at(7); }", SUM, "cpp_index", "beyond the end"),
    ('int total(vector<int> xs) { return stoi("x"); }', SUM, "cpp_parse", "number"),
    (f"{STD}int main() {{\n  volatile int zero = 0; cout << 7 / zero; }}", ADD, "cpp_division", "zero"),
]  # fmt: skip


@pytest.mark.parametrize(("program", "case", "kind", "part"), JAVASCRIPT_ROWS)
async def test_a_javascript_error_gets_its_own_hint(
    sandbox: HttpSandbox, program: str, case: Case, kind: str, part: str
) -> None:
    if shutil.which("node") is None:
        pytest.skip("no node")
    await _check(sandbox, "nodejs", program, case, kind, part)


@pytest.mark.parametrize(("program", "case", "kind", "part"), CPP_ROWS)
async def test_a_cpp_error_gets_its_own_hint(
    sandbox: HttpSandbox, program: str, case: Case, kind: str, part: str
) -> None:
    if shutil.which("g++") is None:
        pytest.skip("no g++")
    await _check(sandbox, "cpp", program, case, kind, part)


async def _check(sandbox: HttpSandbox, language: str, program: str, case: Case, kind: str, part: str) -> None:
    prelude = CPP_PRELUDE if language == "cpp" and case.fn_name else ""
    grader = Grader(sandbox, LIMITS)
    [result] = (await grader.grade(program, [case], prelude=prelude, language=language)).results
    assert diagnose(program, result, case, language).kind == kind, result
    assert part.lower() in suggest(program, result, case, "full", language).lower()
    assert suggest(program, result, case, "brief", language)


@settings(max_examples=60, deadline=None)
@given(
    st.text(),
    st.text(),
    st.sampled_from(["ReferenceError", "TypeError", "Signal", "CompileError", "out_of_range", "Odd", "{x}"]),
    st.sampled_from([None, 1]),
    st.sampled_from([Verdict.RUNTIME_ERROR, Verdict.COMPILE_ERROR]),
)
def test_no_message_breaks_a_hint(
    program: str, message: str, category: str, line: int | None, verdict: Verdict
) -> None:
    result = CaseResult(0, verdict, error=ProgramError(category, message, line, program[:20]))
    for language in ("nodejs", "cpp", "rust"):
        for style in ("full", "brief"):
            assert suggest(program, result, SUM, style, language)
