"""Functions in JavaScript and C++: right ones pass, wrong ones get their verdict, tricks gain nothing."""

import shutil

import pytest
from msgspec.structs import replace

from verl_ext.grading.grader import Grader
from verl_ext.grading.harness import Limits, prepare_run
from verl_ext.grading.problem import Case
from verl_ext.grading.verdict import Verdict
from verl_ext.sandbox.client import HttpSandbox

CPP_PRELUDE = "#include <bits/stdc++.h>\nusing namespace std;\n"
SUM = Case("[[1, 2, 3]]", "6", "total")
LIMITS = Limits(time_s=5, memory_limit_mb=256)


@pytest.fixture
def js(sandbox: HttpSandbox) -> Grader:
    if shutil.which("node") is None:
        pytest.skip("no node")
    return Grader(sandbox, LIMITS)


@pytest.fixture
def cpp(sandbox: HttpSandbox) -> Grader:
    if shutil.which("g++") is None:
        pytest.skip("no g++")
    return Grader(sandbox, LIMITS)


JS_PASSES = [
    ("prints", "function total(xs) { console.log('hi'); process.stdout.write('x'); return 6 }", SUM),
    ("writes to 1", "function total(xs) { require('fs').writeSync(1, '7'); return 6 }", SUM),
    ("arrow", "const total = (xs) => xs.reduce((a, b) => a + b, 0)", SUM),
    ("class", "class Solution { total(xs) { return xs[0] + xs[1] + xs[2] } }", SUM),
    ("exported", "module.exports = { total: (xs) => 6 }", SUM),
    ("async", "async function total(xs) { await null; return 6n }", SUM),
    ("set in", "const total = (s) => s.size", Case("[{1, 2, 3}]", "3", "total")),
    ("set out", "const total = (x) => new Set([[x, 1]])", Case("[2]", "{(2, 1)}", "total")),
    ("map", "const total = (x) => new Map([[x, [1.5]]])", Case("[2]", "{2: [1.5]}", "total")),
    (
        "object",
        "const total = (o) => ({ ...o, 2: null })",
        Case("[{1: 'a'}]", '{"1": "a", "2": null}', "total"),
    ),
    (
        "own toJSON",
        "const total = (x) => ({ a: 1, toJSON: 3 })",
        Case("[2]", '{"a": 1, "toJSON": 3}', "total"),
    ),
    ("view", "const total = (xs) => [3, 1]", Case("[[1]]", "[1, 3]", "total", compare_as="sorted")),
    ("float", "const total = (x) => 0.1 + 0.2", Case("[0]", "0.3", "total")),
    ("unicode", "const total = (x) => x + '\\u20ac\\n'", Case('["ü😀"]', '"ü😀€\\n"', "total")),
]
JS_FAILS = [
    ("wrong", "const total = (xs) => 5", Verdict.WRONG_ANSWER, None),
    ("true is not 1", "const total = (xs) => true", Verdict.WRONG_ANSWER, None),
    ("undefined", "function total(xs) {}", Verdict.WRONG_ANSWER, None),
    ("text", "const total = (xs) => '6'", Verdict.WRONG_ANSWER, None),
    ("syntax", "let a = 1\nfunction total(xs) { return a +; }", Verdict.COMPILE_ERROR, ("SyntaxError", 2)),
    ("name", "function total(xs) {\n  return summ(xs) }", Verdict.RUNTIME_ERROR, ("ReferenceError", 2)),
    ("null", "function total(xs) {\n\n  return xs.a.b }", Verdict.RUNTIME_ERROR, ("TypeError", 3)),
    ("missing", "function totl(xs) { return 6 }", Verdict.RUNTIME_ERROR, ("ReferenceError", None)),
    ("thrown", "function total(xs) { throw 'up' }", Verdict.RUNTIME_ERROR, ("Uncaught", None)),
    ("endless", "function total(xs) { for (;;); }", Verdict.TIME_LIMIT, None),
    ("never resolved", "const total = () => new Promise(() => {})", Verdict.RUNTIME_ERROR, None),
    ("exits", "process.exit(0)", Verdict.RUNTIME_ERROR, ("ExitCode", None)),
    # Tricks: what passes has to be the right answer itself.
    ("valueOf", "const total = () => ({ valueOf: () => 6, toJSON: () => 6 })", Verdict.WRONG_ANSWER, None),
    ("patched", "JSON.stringify = () => '6'; Array.isArray = () => true\nconst total = () => 5", None, None),
    ("fake verdict", "console.log('passed'); process.reallyExit(0)", Verdict.RUNTIME_ERROR, None),
    ("cross-class", "class X { constructor() { this.a = 6 } }\nconst total = () => new X()", None, None),
]


@pytest.mark.parametrize(("what", "program", "case"), JS_PASSES, ids=[row[0] for row in JS_PASSES])
async def test_a_right_javascript_function_passes(js: Grader, what: str, program: str, case: Case) -> None:
    [result] = (await js.grade(program, [case], language="nodejs")).results
    assert result.passed, result


@pytest.mark.parametrize(("what", "program", "verdict", "error"), JS_FAILS, ids=[row[0] for row in JS_FAILS])
async def test_a_wrong_javascript_function_gets_its_verdict(
    js: Grader, what: str, program: str, verdict: Verdict | None, error: tuple | None
) -> None:
    [result] = (await js.grade(program, [SUM], language="nodejs", time_limit_s=1)).results
    assert not result.passed
    assert verdict in (None, result.verdict), result
    if error is not None:
        assert result.error is not None and (result.error.category, result.error.line) == error


CPP_TYPES = """using Named = unordered_map<string, vector<int>>;
Named merged(Named m, set<int> s, vector<bool> v, pair<int, string> p, char c, double d,
             vector<vector<string>> w) {
    cout << "printed";
    m[p.second + c] = {p.first, int(s.size()), v[1], int(d * 2)};
    m["long"] = {int(w[0][0].size())};
    return m;
}
tuple<long long, double, string, set<pair<int, int>>, map<int, bool>, optional<int>> made(long long n) {
    return {n * n, 0.1 + 0.2, "a\\"\\n\\u00fc", {{2, 1}}, {{5, true}}, nullopt};
}
struct Chatty { Chatty() { puts("before main"); } } chatty;
int main() { return 3; }
"""
MERGED = Case(
    "[{'a': [1]}, {1, 2}, [True, False], (7, 'k'), '!', 1.5, [['ü']]]",
    '{"a": [1], "k!": [7, 2, 0, 3], "long": [2]}',
    "merged",
)
MADE = Case("[3000000000]", "[9000000000000000000, 0.3, 'a\"\\nü', {(2, 1)}, {5: True}, None]", "made")
# (what, program, verdict, (category, line)); all declared as int total(vector<int> xs)
CPP_ROWS = [
    ("wrong", "int total(vector<int> xs) { return 5; }", Verdict.WRONG_ANSWER, None),
    ("overloaded", "int total(const vector<int>& v) { return 6; }\nint total(int) { return 1; }", None, None),
    ("method", "class Solution { public: int total(vector<int>& xs) { return xs[0] + 5; } };", None, None),
    ("undeclared", "int total(vector<int> xs) {\n  return y; }", Verdict.COMPILE_ERROR, ("CompileError", 2)),
    ("missing", "int totl(vector<int> xs) { return 6; }", Verdict.COMPILE_ERROR, ("CompileError", None)),
    ("thrown", "int total(vector<int> x) { return x.at(9); }", Verdict.RUNTIME_ERROR, ("out_of_range", None)),
    ("crash", "int total(vector<int>) { return *(int volatile*)0;}", Verdict.RUNTIME_ERROR, ("Signal", None)),
    ("exits", 'int total(vector<int> xs) { puts("6"); exit(0); }', Verdict.RUNTIME_ERROR, ("ExitCode", None)),
]  # fmt: skip


async def test_values_of_many_types_go_in_and_out_of_cpp_functions(cpp: Grader) -> None:
    for case in (MERGED, MADE):
        [result] = (await cpp.grade(CPP_TYPES, [case], prelude=CPP_PRELUDE, language="cpp")).results
        assert result.passed, result
        assert result.stderr.startswith("before main")


@pytest.mark.parametrize(("what", "program", "verdict", "error"), CPP_ROWS, ids=[row[0] for row in CPP_ROWS])
async def test_a_cpp_function_gets_its_verdict(
    cpp: Grader, what: str, program: str, verdict: Verdict | None, error: tuple | None
) -> None:
    prelude = f"{CPP_PRELUDE}int total(vector<int> xs);\n"
    [result] = (await cpp.grade(program, [SUM], prelude=prelude, language="cpp")).results
    assert result.verdict is (verdict or Verdict.PASSED), result
    if error is not None:
        assert result.error is not None and (result.error.category, result.error.line) == error


@pytest.mark.parametrize("language", ["python", "nodejs", "cpp"])
def test_no_expected_value_is_in_the_request(language: str) -> None:
    case = Case("[[1, 2], {3}]", '"48151623"', "total")
    prelude = "int total(vector<int> a, set<int> b);" if language == "cpp" else ""
    request = prepare_run("program", case, Limits(), prelude, language).request
    texts = [request.code, request.stdin or "", *(content.decode() for content in request.files.values())]
    assert not any("48151623" in text for text in texts)
    changed = prepare_run("program", replace(case, expected="1"), Limits(), prelude, language).request
    assert (changed.code, changed.files) == (request.code, request.files)


def test_a_function_in_another_language_is_refused() -> None:
    with pytest.raises(ValueError, match="can be called in python, nodejs, cpp only"):
        prepare_run("x", SUM, Limits(), language="rust")
