"""Random programs on random cases: a verdict each time, and none passes that can't know the answer."""

from __future__ import annotations

import json
import random
import secrets

import pytest

from verl_ext.grading import Case, Grade, Grader, Verdict
from verl_ext.grading.conformance import ROWS
from verl_ext.grading.grader import grade_program
from verl_ext.grading.harness import Limits
from verl_ext.sandbox.client import HttpSandbox

NUM_PROGRAMS = 60
_PARTS = (
    'import os, sys, json\n', 'def f(*a, **k):\n', '    return ', 'print(', 'input()', 'open(0).read()',
    ')', '(', '[', ']', '{', '}', ':', '\n', '\n    ', ' ', 'a', 'f', 'f(f)', 'lambda: ', 'yield ',
    'while 0: pass\n', 'os._exit(0)', 'sys.exit(', '0', '1', "'", '"""', '\\', '\x00', '\ud800', 'é',
    '#', 'raise ', 'SystemExit', "Exception('x')", 'del f\n', 'sys.stdout = None\n',
    'sys.stdin.close()\n', 'os.close(1)\n', 'os.close(3)\n', 'json.dumps = f\n', 'class Solution:\n',
    '    f = f\n', '    f = property(lambda s: 1)\n', "float('nan')", 'None', 'True',
    "__import__('threading')",
)  # fmt: skip


def random_program(draw: random.Random) -> str:
    """Parts of programs in any order, or a program of the conformance table with a piece cut out."""
    if draw.random() < 0.5:
        return "".join(draw.choices(_PARTS, k=draw.randint(1, 25)))
    program = draw.choice([row for row in ROWS if row.group != "must fail"]).program
    start = draw.randrange(len(program) + 1)
    return program[:start] + program[start + draw.randint(1, 10) :]


def random_case(draw: random.Random, secret: str) -> Case:
    """A case whose answer no program can know."""
    stdin = "".join(draw.choices("0123456789 \n\r\té\0\ud800-.", k=draw.randint(0, 40)))
    if draw.random() < 0.5:
        return Case(stdin, draw.choice([secret, f"\r\n{secret}\n", f"1\n{secret}", f"{secret} 1.0"]))
    arguments = draw.choice([[], [1], [stdin], [[1, [2]], {"1": None}], [1e400], [10**50]])
    expected = draw.choice([secret, [secret], {"a": secret}, [[secret], None]])
    return Case(json.dumps(arguments), json.dumps(expected), "f", wrapped=draw.random() < 0.3)


async def test_random_programs_get_verdicts_and_never_pass(sandbox_endpoint: str) -> None:
    draw = random.Random(20261127)
    limits = Limits(time_s=0.3, memory_limit_mb=128, min_wall_clock_s=5)
    async with HttpSandbox(sandbox_endpoint) as sandbox:
        for _ in range(NUM_PROGRAMS):
            program = random_program(draw)
            secret = f"s{secrets.token_hex(8)}"
            cases = [random_case(draw, secret) for _ in range(draw.randint(1, 3))]
            grade = await grade_program(sandbox, program, cases, limits=limits)
            assert grade.num_passed == 0, (program, cases, grade)
            assert len(grade.results) == len(cases)
            assert secret not in repr([(r.actual, r.stderr, r.error) for r in grade.results])


@pytest.mark.parametrize(
    "case",
    [
        Case("", "", "f"),
        Case("[", "1", "f"),
        Case("{}", "1", "f"),
        Case("[1]", "", "f"),
        Case("[1]", "x", "f"),
        Case("null", "1", "f"),
        Case("[1]", "1", "f g"),
        Case("[1]", "1", ""),
        Case("[1]", "1", "f\n"),
        Case("[" * 5000, "1", "f"),
        Case("[1]", "[" * 5000 + "]" * 5000, "f"),
        Case('["\\ud8"]', "1", "f"),
    ],
)
async def test_a_hostile_case_is_refused_before_anything_runs(grader: Grader, case: Case) -> None:
    with pytest.raises(ValueError, match="case 0"):
        await grader.grade("def f(x):\n    return x", [case])


async def test_cases_of_any_text_are_graded(grader: Grader) -> None:
    for text in (
        "\0",
        "\ud800",
        "\u2028",
        "\x85",
        "\x1c",
        "a\x0bb",
        "\r",
        "x" * 100_000,
        "\ufeff7",
        "é" * 5000,
    ):
        grade = await grader.grade("import sys\nsys.stdout.write(sys.stdin.read())", [Case(text, text + "7")])
        assert grade.results[0].verdict in (Verdict.WRONG_ANSWER, Verdict.RUNTIME_ERROR)


async def test_an_empty_grade_raises(grader: Grader) -> None:
    for cases in ([], ()):
        with pytest.raises(ValueError, match="no cases"):
            await grader.grade("print(7)", cases)
    with pytest.raises(ValueError, match="empty grade"):
        Grade((), total=3)
