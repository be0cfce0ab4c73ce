"""Tests that are programs of asserts become cases, or the row is refused with the reason."""

import gzip
import itertools
from collections.abc import Callable
from pathlib import Path

import pytest

from data_preprocess.assert_tests.cpp import read_cpp_tests, read_signature
from data_preprocess.assert_tests.javascript import read_javascript_tests
from data_preprocess.assert_tests.python import AssertReader
from data_preprocess.case_policy import PublicPolicy
from data_preprocess.parallel_reading import read_problems
from data_preprocess.reading import ReadOptions
from data_preprocess.rows import BadRow, Reject
from verl_ext.grading.grader import Grader
from verl_ext.grading.harness import Limits
from verl_ext.grading.problem import Problem
from verl_ext.sandbox.client import HttpSandbox

# (assert without the word, input, expected, what is compared)
ASSERTS = [
    ("f(1, [2]) == 3", "[1, [2]]", "3", ""),
    ("3 == f(1)", "[1]", "3", ""),
    ("f((1, 2), {3}) == (4,)", "[(1, 2), {3}]", "(4,)", ""),
    ("f({1: 'a'}) == {(1, 2): 3}", "[{1: 'a'}]", "{(1, 2): 3}", ""),
    ("f('x') == {'b', 'a'}", '["x"]', "{'a', 'b'}", ""),
    ("f(3) == -2 + 1j", "[3]", "(-2+1j)", ""),
    ("f(3) is None", "[3]", "null", ""),
    ("f(3) is True", "[3]", "true", ""),
    ("f(3)", "[3]", "true", "bool"),
    ("not f(3)", "[3]", "false", "bool"),
    ("set(f(3)) == set([1, 2])", "[3]", "{1, 2}", "set"),
    ("sorted(f(3)) == [1, 2]", "[3]", "[1, 2]", "sorted"),
    ("tuple(f(3)) == (1, 2)", "[3]", "(1, 2)", "list"),
    ("len(f(3)) == 2", "[3]", "2", "len"),
    ("round(f(3), 2) == 1.5", "[3]", "1.5", "round:2"),
    ("math.isclose(f(3), 1.5, rel_tol=0.001)", "[3]", "1.5", "close:0.001:0.0"),
    ("isclose(1.5, f(3))", "[3]", "1.5", "close:1e-09:0.0"),
    ("np.allclose(f(3), [1.5])", "[3]", "[1.5]", "close:1e-05:1e-08"),
    ("f(3) == pytest.approx(1.5, abs=0.1)", "[3]", "1.5", "close:1e-06:0.1"),
    ("abs(f(3) - 1.5) < 1e-3", "[3]", "1.5", "close:0:0.001"),
    ("f([0] * 3, 'a' * 2, float('inf')) == 2 ** 5", '[[0, 0, 0], "aa", Infinity]', "32", ""),
    ("f(b=2, a=1) == 3", "[1, 2]", "3", ""),
    ("f(1) == 2, 'message'", "[1]", "2", ""),
    ("candidate(1) == 2", "[1]", "2", ""),
    ("Solution().f(1) == 2", "[1]", "2", ""),
]  # fmt: skip


@pytest.mark.parametrize(("text", "arguments", "expected", "view"), ASSERTS)
def test_an_assert_becomes_a_case(text: str, arguments: str, expected: str, view: str) -> None:
    reader = AssertReader("f", ["candidate"], ["a", "b"])
    reader.read(f"import math\nassert {text}", "test")
    [case] = reader.cases
    assert (case.input, case.expected, case.compare_as, case.fn_name) == (arguments, expected, view, "f")


REFUSED = [
    "f(1) != 2",
    "f(1) == f(2)",
    "f(1) == g(2)",
    "f(1) in (1, 2)",
    "f(1) > 2",
    "g(1) == 2",
    "f(x) == 2",
    "f(Node(1)) == 2",
    "f(*[1]) == 2",
    "f(c=1) == 2",
    "isinstance(f(1), int)",
    "f(1) or f(2)",
    "f(1) == [0] * 10 ** 9",
    "f(1) == 9 ** 9 ** 9",
    "f(1) == 'x' % 3",
    "f(1) == open('/etc/passwd').read()",
    "f(__import__('os').system('true')) == 0",
    "abs(f(1) - f(2)) < 1",
    "f(1) == {[]}",
    "f(1) == 1 / 0",
]


@pytest.mark.parametrize("text", REFUSED)
def test_an_assert_that_is_no_case_refuses_the_row(text: str) -> None:
    reader = AssertReader("f")
    with pytest.raises(BadRow):
        reader.read(f"assert f(0) == 0\nassert {text}", "test")


@pytest.mark.parametrize(
    "source", ["for x in y:\n    assert f(x) == 1", "x = g()", "def check(c):\n  c(1)", "assert ("]
)
def test_a_statement_that_is_no_assert_refuses_the_row(source: str) -> None:
    with pytest.raises(BadRow):
        AssertReader("f").read(source, "test")


JS_TEST = """
const _ = require("lodash")

function compare(object1, object2){
    return _.isEqual(object1, object2)
}

var arg00 = [1, -2.5, {'"a"': "x\\u00e9\\n", b: null, 3: true}];
var arg01 = new Set([[1], "y"]); // a comment
var x0 = f(arg00, arg01);
var v0 = {"k": [new Set([])]};
if(!compare(x0, v0)){
    throw 'Error at 1th assert statement. Value = ' + JSON.stringify(x)
}
"""


def test_a_javascript_test_becomes_a_case() -> None:
    [case] = read_javascript_tests(JS_TEST, "f")
    assert case.input == """[[1, -2.5, {'"a"': 'xé\\n', 'b': None, '3': True}], {'y', (1,)}]"""
    assert case.expected == "{'k': [set()]}"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("f(arg00", "g(arg00"),
        ("-2.5", "x"),
        ("if(", "while("),
        ("[1, ", "[1, ...y"),
        ("arg00, arg01)", "arg02)"),
    ],
)
def test_another_javascript_test_refuses_the_row(old: str, new: str) -> None:
    with pytest.raises((ValueError, KeyError)):
        read_javascript_tests(JS_TEST.replace(old, new), "f")


CPP_TEST = """
template <typename T> bool compare(T a, T b){
    return a == b;
}

int main(int argc, char* argv[]) {
    unordered_map<int, vector<string>> x0 = f(vector<int>{1, -2}, string("a,\\"b"),
        unordered_set<int>{3}, 'c', 2, true);
    if (!(compare(x0, {{1, {string("x")}}, {2, {}}}))) {
        throw runtime_error("Exception -- test case 0 did not pass.");
    }

    return 0;
}
"""
CPP_HEAD = (
    "unordered_map<int, vector<string>> f(vector<int> a, string s, unordered_set<int> t, char c, double d, "
    "bool b) {"
)


def test_a_cpp_test_becomes_a_case() -> None:
    [case] = read_cpp_tests(CPP_TEST, "f", read_signature(CPP_HEAD, "f"))
    assert case.input == "[[1, -2], 'a,\"b', {3}, 'c', 2.0, True]"
    assert case.expected == "{1: ['x'], 2: []}"


def test_a_cpp_text_ends_at_its_first_nul() -> None:
    ended = CPP_TEST.replace('string("x")', r'string("x\x00y")')
    [case] = read_cpp_tests(ended, "f", read_signature(CPP_HEAD, "f"))
    assert case.expected == "{1: ['x'], 2: []}"


@pytest.mark.parametrize(
    ("old", "new"),
    [("= f(", "= g("), ("{1, -2}", "{1, y}"), ("true)", "1)"), ("throw", "return"), ('string("x")', "7"),
     ("2, true", "2.5f, yes")],
)  # fmt: skip
def test_another_cpp_test_refuses_the_row(old: str, new: str) -> None:
    with pytest.raises(ValueError):
        read_cpp_tests(CPP_TEST.replace(old, new), "f", read_signature(CPP_HEAD, "f"))


@pytest.mark.parametrize(
    "head", ["int f(int* a)", "Node f(int a)", "vector f(int a)", "int g(int a)", "int f(int a"]
)
def test_a_signature_that_no_case_fits_is_refused(head: str) -> None:
    with pytest.raises(ValueError):
        read_signature(head, "f")


MBPP = {
    "task_id": 11,
    "text": "Write a function to add two numbers.",
    "code": "def add(a, b):\n    return base + a + b",
    "test_list": ["assert add(1, 2) == 3", "assert add(2, 2) == 4"],
    "test_setup_code": "import math\nbase = 0",
    "challenge_test_list": ["assert add(48151623, 0) == 48151623"],
}
ACECODE = {
    "id": "ace_1",
    "question": "Write square_all(xs).",
    "test_cases": ["assert square_all([2]) == [4]", "assert square_all([]) == []"],
    "inferences": [],
}
HUMANEVAL = {
    "task_id": "HumanEval/0",
    "prompt": 'from typing import List\n\ndef near(xs: List[int]) -> bool:\n    """ Are two equal?\n'
    '    >>> near([1, 1])\n    True\n    """\n',
    "canonical_solution": "    return len(set(xs)) < len(xs)\n",
    "entry_point": "near",
    "test": "METADATA = {}\ndef check(candidate):\n    assert candidate([1, 2]) == False\n"
    "    assert candidate([1, 1]) == True\n    assert True, 'odd'\n",
}
MBJSP = {
    "task_id": "MBJSP/1",
    "prompt": "/**\n * Write add.\n *\n * > add(1, 48151623)\n * 48151624\n */\nfunction add(a, b) {\n",
    "entry_point": "add",
    "test": JS_TEST.partition("var arg00")[0]
    + "var arg00 = 1;\nvar arg01 = 2;\nvar x0 = add(arg00, arg01);\nvar v0 = 3;\n"
    + "if(!compare(x0, v0)){ throw 'x' }\n"
    + "var arg10 = 1;\nvar arg11 = 48151623;\nvar x1 = add(arg10, arg11);\nvar v1 = 48151624;\n"
    + "if(!compare(x1, v1)){ throw 'x' }\n",
    "description": "Write a function to add two numbers.",
    "language": "javascript",
    "canonical_solution": "  return a + b;\n}",
}
MBCPP = {
    "task_id": "MBCPP/1",
    "prompt": "#include <bits/stdc++.h>\nusing namespace std;\n\n\n/**\n * Write add.\n"
    " * > add(1, 48151623)\n * 48151624\n */\nint add(int a, int b) {\n",
    "entry_point": "add",
    "test": CPP_TEST.partition("    unordered_map")[0]
    + "    int x0 = add(1, 2);\n    if (!(compare(x0, 3))) {\n        throw runtime_error(\"x\");\n    }\n"
    + "    int x1 = add(1, 48151623);\n    if (!(compare(x1, 48151624))) {\n"
    + "        throw runtime_error(\"x\");\n    }\n"
    + "    return 0;\n}\n",
    "description": "Write a function to add two numbers.",
    "language": "cpp",
    "canonical_solution": "  return a + b;\n}",
}  # fmt: skip
SHAPES = {"mbpp": MBPP, "acecode": ACECODE, "humaneval": HUMANEVAL, "mbjsp": MBJSP, "mbcpp": MBCPP}


def read(path: Path) -> list[Problem | Reject]:
    return list(read_problems([path], ReadOptions("auto", PublicPolicy(first_k=1), None)))


@pytest.mark.parametrize("shape", SHAPES)
def test_a_record_of_each_shape_is_recognised_and_shows_no_hidden_case(
    records: Callable[..., Path], shape: str
) -> None:
    [problem] = read(records(SHAPES[shape]))
    assert isinstance(problem, Problem), problem
    assert [case.public for case in problem.cases] == [True] + [False] * (len(problem.cases) - 1)
    shown = problem.question + problem.starter_code + (problem.reference or "")
    assert "48151623" not in shown


def test_what_the_docstring_shows_is_public(records: Callable[..., Path]) -> None:
    [problem] = read(records(HUMANEVAL))
    assert isinstance(problem, Problem)
    assert [case.input for case in problem.public_cases] == ["[[1, 1]]"]
    assert (problem.starter_code, problem.prelude) == (
        "from typing import List\n\ndef near(xs: List[int]) -> bool:",
        "from typing import List\n",
    )


@pytest.mark.parametrize("shape", [name for name in SHAPES if name != "acecode"])
async def test_the_reference_of_each_shape_passes_and_another_program_does_not(
    sandbox: HttpSandbox, records: Callable[..., Path], shape: str
) -> None:
    [problem] = read(records(SHAPES[shape]))
    assert isinstance(problem, Problem) and problem.reference is not None
    grader = Grader(sandbox, Limits())
    right, wrong = problem.reference, problem.reference.replace("a + b", "a - b").replace("<", "==")
    for program, passed in ((right, True), (wrong, False)):
        grade = await grader.grade(program, problem.cases, prelude=problem.prelude, language=problem.language)
        assert grade.all_passed is passed, grade


BROKEN = [
    (
        MBPP | {"test_list": ["assert add(1, 2) == 3", "assert add(1, 2) != 3"]},
        "test_list[1]",
        "no comparison",
    ),
    (MBPP | {"test_list": ["assert add(1) == sub(1)"]}, "test_list", "one function"),
    (MBPP | {"test_list": []}, "test_list", "no tests"),
    (MBPP | {"test_list": "assert add(1, 2) == 3"}, "test_list", "list of texts"),
    (MBPP | {"test_setup_code": "root = Node(1)"}, "test_setup_code", "no constant"),
    (MBPP | {"test_list": ["assert add(1 == 2"]}, "test_list[0]", "not Python"),
    (HUMANEVAL | {"test": "def check(candidate):\n    pass"}, "test", "none"),
    (HUMANEVAL | {"language": "ruby"}, "language", "ruby"),
    (HUMANEVAL | {"entry_point": 7}, "entry_point", "must be text"),
    (MBJSP | {"test": "assert(add(1, 2) == 3)"}, "test", "expected at"),
    (MBJSP | {"test": ""}, "test", "empty"),
    (MBCPP | {"prompt": "Node* add(int a) {"}, "prompt", "'Node'"),
]


@pytest.mark.parametrize(("record", "column", "reason"), BROKEN)
def test_a_bad_row_is_rejected_by_column_and_reason(
    records: Callable[..., Path], record: dict, column: str, reason: str
) -> None:
    [reject] = read(records(record))
    assert isinstance(reject, Reject), reject
    assert reject.column == column and reason in reject.reason


SHARED = Path(__file__).resolve().parents[2].parent / "shared" / "data"
REAL = ("mbpp", "mbjsp", "mbcpp", "mbpp_seed_gpt35", "mbpp_seed_starcoder")


@pytest.mark.parametrize("name", REAL)
async def test_real_records_are_read_and_their_references_pass(
    sandbox: HttpSandbox, tmp_path: Path, name: str
) -> None:
    path = SHARED / f"{name}.jsonl.gz"
    if not path.exists():
        pytest.skip("no ../shared/data")
    with gzip.open(path, "rt") as file:
        lines = list(itertools.islice(file, 40))
    sample = tmp_path / "sample.jsonl"
    sample.write_text("".join(lines))
    problems = [item for item in read(sample) if isinstance(item, Problem)]
    assert len(problems) >= 39
    grader = Grader(sandbox, Limits())
    passed = 0
    having = [problem for problem in problems if problem.reference is not None][:3]
    for problem in having:
        assert problem.reference is not None
        grade = await grader.grade(
            problem.reference, problem.cases, prelude=problem.prelude, language=problem.language
        )
        passed += grade.all_passed
    assert passed >= len(having) - 1
