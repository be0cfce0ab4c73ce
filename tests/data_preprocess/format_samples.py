"""A record of every format, as small as it can be, with the cases that it has to give."""

from __future__ import annotations

import base64
import json
import pickle
import zlib
from typing import Any, NamedTuple


class Sample(NamedTuple):
    """A record and what it becomes.

    Attributes:
        format: Name of the format.
        name: What is special about it.
        record: As it stands in a file.
        cases: (input, expected, function or None, public by its source) of every case.
    """

    format: str
    name: str
    record: dict[str, Any]
    cases: list[tuple[str, str, str | None, bool]]


def packed(value: object) -> str:
    """LiveCodeBench's form of private tests."""
    return base64.b64encode(zlib.compress(pickle.dumps(value))).decode()


_STDIN = {"inputs": ["1\n", ["2", "3"]], "outputs": ["2\n", "6"]}
_STDIN_CASES = [("1\n", "2\n", None, False), ("2\n3", "6", None, False)]
_CALL = {"fn_name": "twice", "inputs": [[1], [[2, 3]]], "outputs": [[2], [[4, 6]]]}
_CALL_CASES = [("[1]", "2", "twice", False), ("[[2, 3]]", "[4, 6]", "twice", False)]
_BARE = {**_CALL, "outputs": [2, [4, 6]]}
_HUGE = "9" * 5000
_ITEMS = [{"input": "1\n", "output": "2\n"}, {"input": "2\n3", "output": "6"}]
_APPS = {"problem_id": 7, "question": "Double it.", "difficulty": "interview", "source_url": "kept"}
_SOLUTIONS = json.dumps(["print 2", "print(int(input()) * 2)"])
_ASSERTS = ["assert twice(1) == 2", "assert twice([2, 3]) == [4, 6]"]
_MESSAGES = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Double it."}]
_LCB = {"question_content": "Double it.", "question_id": "abc_a", "metadata": "{}", "starter_code": ""}
_PUBLIC = json.dumps([{"input": "1\n", "output": "2\n", "testtype": "stdin"}])
_PRIVATE = json.dumps([{"input": "2\n3", "output": "6", "testtype": "stdin"}])
_FLAGGED = [("1\n", "2\n", None, True), ("2\n3", "6", None, False)]

_MBJSP_TEST = """const _ = require("lodash")
function compare(object1, object2){
    return _.isEqual(object1, object2)
}
var arg00 = 1;
var x0 = twice(arg00);
var v0 = 2;
if(!compare(x0, v0)){
    throw 'Error at 1th assert statement. Value = ' + JSON.stringify(x)
}
"""
_MBCPP_TEST = """template <typename T> bool compare(T a, T b){
    return a == b;
}
int main(int argc, char* argv[]) {
    int x0 = twice(1);
    if (!(compare(x0, 2))) {
        throw runtime_error("Exception -- test case 0 did not pass.");
    }
    return 0;
}
"""


def _apps(name: str, tests: object, cases: list, **more: object) -> Sample:
    record = {**_APPS, "solutions": _SOLUTIONS, "input_output": tests, "starter_code": "", **more}
    return Sample("apps", name, record, cases)


def _typed(kind: str, stdin: str, call: str) -> list[dict[str, Any]]:
    if kind == "stdin":
        return [{**item, "type": stdin} for item in _ITEMS]
    tests = zip(_CALL["inputs"], _CALL["outputs"], strict=True)
    return [{"fn_name": "twice", "input": given, "output": value, "type": call} for given, value in tests]


SAMPLES = [
    _apps("JSON text", json.dumps(_STDIN), _STDIN_CASES),
    _apps("Python literal", repr(_STDIN), _STDIN_CASES),
    _apps("wrapped values", json.dumps(_CALL), _CALL_CASES),
    _apps("bare values", json.dumps(_BARE), _CALL_CASES),
    _apps(
        "one-item lists that the signature says are bare",
        json.dumps({"fn_name": "f", "inputs": [[1], [2]], "outputs": [[1], [2]]}),
        [("[1]", "[1]", "f", False), ("[2]", "[2]", "f", False)],
        starter_code="class Solution:\n    def f(self, n: int) -> List[int]:\n",
    ),
    _apps(
        "wrapped lists that the signature tells apart",
        json.dumps({"fn_name": "f", "inputs": [[1], [2]], "outputs": [[[1]], [[2]]]}),
        [("[1]", "[1]", "f", False), ("[2]", "[2]", "f", False)],
        starter_code="def f(n: int) -> list[int]:\n",
    ),
    _apps(
        "an integer of 5,000 digits",
        f'{{"fn_name": "f", "inputs": [[1], [{_HUGE}]], "outputs": [{_HUGE}, 1]}}',
        [("[1]", _HUGE, "f", False), (f"[{_HUGE}]", "1", "f", False)],
    ),
    _apps(
        "int keys as text",
        json.dumps({"fn_name": "f", "inputs": [[{"1": 2}]], "outputs": [{"2": 1}]}),
        [('[{"1": 2}]', '{"2": 1}', "f", False)],
    ),
    _apps("TACO limits", json.dumps(_STDIN), _STDIN_CASES, time_limit="2.0 seconds", memory_limit="64 MB"),
    Sample(
        "areal",
        "stdin",
        {"query_id": 3, "prompt": "Double it.", "input_output": {**_STDIN, "fn_name": "", "remote": False}},
        _STDIN_CASES,
    ),
    Sample(
        "areal",
        "call",
        {
            "query_id": "3",
            "prompt": "Double it.",
            "language": "PYTHON",
            "timeout": 4,
            "memory": 0,
            "input_output": json.dumps(_CALL),
        },
        _CALL_CASES,
    ),
    Sample(
        "livecodebench",
        "JSON",
        {**_LCB, "public_test_cases": _PUBLIC, "private_test_cases": _PRIVATE},
        _FLAGGED,
    ),
    Sample(
        "livecodebench",
        "packed",
        {**_LCB, "public_test_cases": _PUBLIC, "private_test_cases": packed(_PRIVATE)},
        _FLAGGED,
    ),
    Sample(
        "livecodebench",
        "functional",
        {
            **_LCB,
            "metadata": json.dumps({"func_name": "twice"}),
            "public_test_cases": "[]",
            "private_test_cases": json.dumps(
                [{"input": '[1, 2]\n"a"\n', "output": "3", "testtype": "functional"}]
            ),
        },
        [('[[1, 2], "a"]', "3", "twice", False)],
    ),
    *(
        Sample(
            "synthetic1",
            f"{kind}, {type(wrap).__name__}",
            {
                "prompt": "Double it.",
                "problem_id": "p1",
                "gold_standard_solution": "```python\nprint(2)\n```",
                "verification_info": wrap,
            },
            cases,
        )
        for kind, cases in (("stdin", _STDIN_CASES), ("call", _CALL_CASES))
        for info in ({"language": "python", "test_cases": _typed(kind, "stdin_stdout", "function_call")},)
        for wrap in (info, json.dumps(info))
    ),
    *(
        Sample(
            "deepcoder",
            name,
            {"problem": "Double it.", "tests": json.dumps(tests), "starter_code": ""},
            cases,
        )
        for name, tests, cases in (
            ("TACO stdin", _STDIN, _STDIN_CASES),
            ("TACO call", _CALL, _CALL_CASES),
            ("PrimeIntellect stdin", _typed("stdin", "stdin_stdout", ""), _STDIN_CASES),
            ("PrimeIntellect call", _typed("call", "", "function_call"), _CALL_CASES),
            (
                "LiveCodeBench",
                [
                    {
                        "input": "1\n[2]",
                        "output": "[3]",
                        "testtype": "functional",
                        "metadata": {"func_name": "f"},
                    }
                ],
                [("[1, [2]]", "[3]", "f", False)],
            ),
            ("Codeforces", _ITEMS, _STDIN_CASES),
        )
    ),
    *(
        Sample(
            "verl",
            name,
            {
                "data_source": "codecontests",
                "prompt": _MESSAGES,
                "ability": "code",
                "reward_model": {"style": "rule", "ground_truth": json.dumps(tests)},
                "extra_info": {"split": "train", "index": 0},
            },
            cases,
        )
        for name, tests, cases in (
            ("stdin", _STDIN, _STDIN_CASES),
            ("call", _CALL, _CALL_CASES),
            ("asserts", {"assert_case": _ASSERTS, "inputs": [], "outputs": []}, _CALL_CASES),
        )
    ),
    Sample(
        "codecontests",
        "all three kinds of tests",
        {
            "name": "1_A. Double",
            "description": "Double it.",
            "public_tests": {"input": ["1\n"], "output": ["2\n"]},
            "private_tests": {"input": [], "output": []},
            "generated_tests": {"input": ["2\n3"], "output": ["6"]},
            "solutions": {"language": [2, 3], "solution": ["int main(){}", "print(2)"]},
            "time_limit": {"seconds": 2, "nanos": 500000000},
            "memory_limit_bytes": 256000000,
        },
        _FLAGGED,
    ),
    Sample(
        "codeforces",
        "examples and tests",
        {
            "id": "1/A",
            "title": "Double",
            "description": "Double it.",
            "input_format": "A number.",
            "examples": _ITEMS[:1],
            "official_tests": _ITEMS,
            "time_limit": 2.0,
            "memory_limit": 256.0,
        },
        _FLAGGED,
    ),
    Sample("acecode", "asserts", {"id": "a1", "question": "Double it.", "test_cases": _ASSERTS}, _CALL_CASES),
    Sample(
        "mbpp",
        "asserts",
        {
            "task_id": 2,
            "text": "Double it.",
            "code": "def twice(x):\n    return x",
            "test_setup_code": "import math",
            "test_list": _ASSERTS[:1],
            "challenge_test_list": _ASSERTS[1:],
        },
        _CALL_CASES,
    ),
    Sample(
        "kodcode",
        "pytest",
        {
            "question_id": "k1",
            "question": "Double it.",
            "solution": "def twice(x):\n    return [2 * y for y in x] if isinstance(x, list) else 2 * x",
            "test": "from solution import twice\n\ndef test_number():\n    assert twice(1) == 2\n\n"
            "def test_list():\n    assert twice([2, 3]) == [4, 6]\n",
        },
        _CALL_CASES,
    ),
    Sample(
        "reward_kit",
        "stdin",
        {
            "id": "r1",
            "prompt": "Double it.",
            "test_cases": [{"input": item["input"], "expected_output": item["output"]} for item in _ITEMS],
        },
        _STDIN_CASES,
    ),
    Sample(
        "reward_kit",
        "call",
        {
            "id": "r2",
            "prompt": "Double it.",
            "target_function": "twice",
            "test_cases": json.dumps(
                [
                    {"input": "1", "expected_output": "2"},
                    {"input": "[2, 3]", "expected_output": "[4, 6]"},
                    {"input": "ab", "expected_output": "abab"},
                    {"input": '"5"', "expected_output": '"55"'},
                ]
            ),
        },
        [*_CALL_CASES, ('["ab"]', '"abab"', "twice", False), ('["5"]', '"55"', "twice", False)],
    ),
    Sample(
        "reward_kit",
        "call of two arguments",
        {
            "prompt": "Write def add(a: dict[str, int], b):",
            "target_function": "add",
            "test_cases": [{"input": "[1, [2]]", "expected_output": "3"}],
        },
        [("[1, [2]]", "3", "add", False)],
    ),
    Sample(
        "leetcode",
        "class Solution",
        {
            "task_id": "twice",
            "query": "Double it.",
            "prompt": "",
            "completion": "class Solution:\n    def twice(self, x):\n        return 2 * x",
            "entry_point": "Solution().twice",
            "input_output": repr(
                [{"input": "x = 1", "output": "2"}, {"input": "x = [2,3]", "output": "[4,6]"}]
            ),
        },
        _CALL_CASES,
    ),
    *(
        Sample("mbxp", language, {"task_id": f"MBXP/{language}", **record}, cases)
        for language, record, cases in (
            (
                "python",
                {
                    "language": "python",
                    "prompt": 'def twice(x):\n    """Double it.\n    >>> twice(1)\n    2\n    """\n',
                    "canonical_solution": "    return 2 * x\n",
                    "entry_point": "twice",
                    "test": "def check(candidate):\n    assert candidate(1) == 2\n"
                    "    assert candidate(3) == 6\n",
                },
                [("[1]", "2", "twice", True), ("[3]", "6", "twice", False)],
            ),
            (
                "javascript",
                {
                    "language": "javascript",
                    "prompt": "/**\n * Double it.\n */\nfunction twice(x) {\n",
                    "canonical_solution": "  return 2 * x;\n}\n",
                    "entry_point": "twice",
                    "test": _MBJSP_TEST,
                },
                [("[1]", "2", "twice", False)],
            ),
            (
                "c++",
                {
                    "language": "cpp",
                    "prompt": "#include <bits/stdc++.h>\nusing namespace std;\n\n/**\n * Double it.\n */\n"
                    "int twice(int x) { \n",
                    "canonical_solution": "  return 2 * x;\n}\n",
                    "entry_point": "twice",
                    "test": _MBCPP_TEST,
                },
                [("[1]", "2", "twice", False)],
            ),
        )
    ),
    Sample(
        "user", "stdin", {"question": "Double it.", "query_id": "u1", "input_output": _STDIN}, _STDIN_CASES
    ),
    Sample(
        "problems",
        "stored",
        {
            "query_id": "s1",
            "question": "Double it.",
            "cases": [
                {"input": "1\n", "expected": "2\n", "fn_name": None, "public": True},
                {"input": "2\n3", "expected": "6", "fn_name": None, "public": False},
            ],
        },
        _FLAGGED,
    ),
]
