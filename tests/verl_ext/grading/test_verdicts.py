"""What the conformance table does not show: preludes, linked nodes, errors, limits of the service."""

import json

import pytest

from verl_ext.grading.grader import Grader, grade_program
from verl_ext.grading.harness import Limits
from verl_ext.grading.problem import Case
from verl_ext.grading.verdict import Verdict
from verl_ext.sandbox.client import HttpSandbox
from verl_ext.sandbox.errors import SandboxInternalError

ADD = Case("3 4\n", "7\n")
SUM = Case("[[1, 2, 3]]", "6", "total")
# Finds the driver's nonce and private descriptor, and writes an answer of its own.
FORGE = """
import os, sys
def {name}(*args):
    frame = sys._getframe()
    while "nonce" not in frame.f_locals:
        frame = frame.f_back
    nonce, fd = frame.f_locals["nonce"], frame.f_locals["answer_fd"]
    {body}
"""


async def test_a_forged_answer_is_worth_what_it_says(grader: Grader) -> None:
    """The forgeries of the conformance table do reach the driver's channel; only the right answer passes."""
    body = "os.write(fd, (nonce + '{\"value\": 6}' + nonce).encode()); os._exit(0)"
    [result] = (await grader.grade(FORGE.format(name="total", body=body), [SUM])).results
    assert result.passed, result


async def test_a_sleeping_program_meets_the_wall_clock_guard(sandbox_endpoint: str) -> None:
    limits = Limits(time_s=0.2, min_wall_clock_s=0.0)
    async with HttpSandbox(sandbox_endpoint) as sandbox:
        grade = await grade_program(sandbox, "import time\ntime.sleep(60)", [ADD], limits=limits)
    assert grade.results[0].verdict is Verdict.TIME_LIMIT


PRELUDE = """from typing import *
class ListNode:
    def __init__(self, val=0, next=None):
        self.val = val
        self.next = next
class TreeNode:
    def __init__(self, val=0, left=None, right=None):
        self.val, self.left, self.right = val, left, right
"""
NODE_ROWS = [
    ("head: Optional[ListNode]) -> Optional[ListNode]", "return head.next", [[1, 2, 3]], [2, 3]),
    ("head: Optional[ListNode]) -> Optional[ListNode]", "return head", [[]], []),
    ("head: 'ListNode') -> int", "return head.next.val", [[1, 2]], 2),
    ("heads: List[Optional[ListNode]]) -> ListNode", "return heads[1]", [[[1], [2, 3]]], [2, 3]),
    ("heads: List[ListNode]) -> List[ListNode]", "return heads[::-1]", [[[1], []]], [[], [1]]),
    ("root: TreeNode) -> TreeNode", "return root.right", [[1, 2, 3, None, None, None, 4]], [3, None, 4]),
    ("root: Optional[TreeNode]) -> Optional[TreeNode]", "return root", [[1, None, 2, 3]], [1, None, 2, 3]),
    ("root: TreeNode | None) -> bool", "return root is None", [[]], True),
    ("root: TreeNode, k: int) -> int", "return root.left.val + k", [[1, 2], 5], 7),
]


@pytest.mark.parametrize(("signature", "body", "arguments", "expected"), NODE_ROWS)
@pytest.mark.parametrize(
    "prelude", [PRELUDE, "from typing import *\nclass ListNode: pass\nclass TreeNode: pass\n"]
)
async def test_annotations_turn_lists_into_nodes_and_back(
    grader: Grader, signature: str, body: str, arguments: list, expected: object, prelude: str
) -> None:
    own_classes = "" if prelude is PRELUDE else PRELUDE
    program = f"{own_classes}class Solution:\n    def f(self, {signature}:\n        {body}\n"
    case = Case(json.dumps(arguments), json.dumps(expected), "f")
    [result] = (await grader.grade(program, [case], prelude=prelude)).results
    assert result.passed, result


async def test_the_preludes_signature_fills_in_for_a_program_without_annotations(grader: Grader) -> None:
    stub = PRELUDE + "class Solution:\n    def f(self, head: ListNode) -> ListNode: ...\n"
    program = "class Solution:\n    def f(self, head):\n        return head.next\n"
    [result] = (await grader.grade(program, [Case("[[1, 2]]", "[2]", "f")], prelude=stub)).results
    assert result.passed, result


async def test_a_list_that_never_ends_is_an_error_of_the_program(grader: Grader) -> None:
    program = "def f(head: ListNode) -> ListNode:\n    head.next = head\n    return head\n"
    case = Case("[[1]]", "[1]", "f")
    [result] = (await grader.grade(program, [case], prelude=PRELUDE, time_limit_s=5)).results
    assert result.verdict is Verdict.RUNTIME_ERROR


async def test_the_preludes_function_is_never_the_answer(grader: Grader) -> None:
    [result] = (await grader.grade("x = 1", [SUM], prelude="def total(xs): return 6")).results
    assert result.verdict is Verdict.RUNTIME_ERROR


async def test_a_function_named_like_one_that_the_prelude_imports_is_called(grader: Grader) -> None:
    program = "def gcd(a, b):\n    return a if b == 0 else gcd(b, a % b)"
    [result] = (
        await grader.grade(program, [Case("[4, 6]", "2", "gcd")], prelude="from math import *")
    ).results
    assert result.passed, result
    [result] = (
        await grader.grade("x = 1", [Case("[4, 6]", "2", "gcd")], prelude="from math import *")
    ).results
    assert result.verdict is Verdict.RUNTIME_ERROR


async def test_nodes_do_not_depend_on_the_folder_that_the_program_is_in(grader: Grader) -> None:
    program = "import os\nos.chdir('/')\ndef f(head: ListNode) -> int:\n    return head.next.val\n"
    [result] = (await grader.grade(program, [Case("[[1, 2]]", "2", "f")], prelude=PRELUDE)).results
    assert result.passed, result


async def test_an_array_of_numpy_is_a_list(grader: Grader) -> None:
    program = (
        "import numpy as np\ndef f():\n    return [np.arange(3), np.int64(7), np.float32(0.5), np.bool_(1)]"
    )
    case = Case("[]", "[[0, 1, 2], 7, 0.5, true]", "f")
    [result] = (await grader.grade(program, [case], time_limit_s=10)).results
    if result.error is not None and result.error.category == "ModuleNotFoundError":
        pytest.skip("the sandbox's interpreter has no numpy")
    assert result.passed, result


@pytest.mark.parametrize("depth", [900, 20_000])
async def test_a_result_nested_too_deeply_is_a_wrong_answer(grader: Grader, depth: int) -> None:
    program = f"def f():\n    v = []\n    for _ in range({depth}):\n        v = [v]\n    return v"
    [result] = (await grader.grade(program, [Case("[]", "[[]]", "f")])).results
    assert result.verdict is Verdict.WRONG_ANSWER


async def test_a_program_is_not_blamed_for_what_the_sandbox_cuts(grader: Grader) -> None:
    size = 1_500_000
    for program, case in (
        (f"print('x' * {size})", Case("", "x" * size)),
        (f"def f():\n    return 'x' * {size}", Case("[]", json.dumps("x" * size), "f")),
    ):
        with pytest.raises(SandboxInternalError, match="--output-cap-kb"):
            await grader.grade(program, [case])
    [result] = (await grader.grade(f"print('y' * {size})", [Case("", "x" * size)])).results
    assert result.verdict is Verdict.OUTPUT_LIMIT


async def test_noise_on_standard_error_does_not_spoil_a_right_output(grader: Grader) -> None:
    program = "import sys\nsys.stderr.write('x' * 1_500_000)\nprint(7)"
    [result] = (await grader.grade(program, [ADD])).results
    assert result.passed and result.output_truncated


ERROR_ROWS = [
    ("x = 1\nprint(y)", "NameError", 2, "print(y)"),
    ("def f():\n    return 1 / 0\n\nf()", "ZeroDivisionError", 2, "return 1 / 0"),
    ("import json\njson.loads('{')", "JSONDecodeError", 2, "json.loads('{')"),
    ("x = 1\nif x\n    pass", "SyntaxError", 2, "if x"),
    ("if 1:\nx = 1", "IndentationError", 2, "x = 1"),
    ("try:\n    1 / 0\nexcept ZeroDivisionError:\n    int('x')", "ValueError", 4, "int('x')"),
    ("class Own(Exception):\n    pass\nraise Own('why')", "Own", 3, "raise Own('why')"),
    ("assert False", "AssertionError", 1, "assert False"),
]


@pytest.mark.parametrize(("program", "category", "line", "source"), ERROR_ROWS)
@pytest.mark.parametrize("prelude", ["", "import math\n" * 50])
async def test_an_error_names_the_line_the_model_wrote(
    grader: Grader, program: str, category: str, line: int, source: str, prelude: str
) -> None:
    for case, text in ((ADD, program), (Case("[]", "1", "go"), program)):
        [result] = (await grader.grade(text, [case], prelude=prelude)).results
        assert result.error is not None
        assert (result.error.category, result.error.line, result.error.source_line) == (
            category,
            line,
            source,
        )


async def test_debug_prints_are_kept_apart_from_answer_and_traceback(grader: Grader) -> None:
    program = "def f(x):\n    print('seen', x)\n    return x"
    [right] = (await grader.grade(program, [Case("[3]", "3", "f")])).results
    assert (right.actual, right.stderr) == ("3", "seen 3\n")
    [wrong] = (await grader.grade("import sys\nprint('seen', file=sys.stderr)\n1 / 0", [ADD])).results
    assert wrong.stderr == "seen\n"


async def test_a_program_can_not_feign_a_missing_toolchain(grader: Grader) -> None:
    feigned = "echo 'bash is not installed where the sandbox runs' >&2\nexec /no/such/program"
    (result,) = (await grader.grade(feigned, [ADD], language="bash")).results
    assert result.verdict is Verdict.RUNTIME_ERROR
