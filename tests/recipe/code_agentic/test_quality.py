"""Code quality is a number from 0 to 1 that depends on the text alone and does not rise with padding."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recipe.code_agentic.quality import program_quality

pytest.importorskip("radon")
pytest.importorskip("ruff")

CLEAN = "a = int(input())\nprint(a + 3)\n"
LINTY = "import os\na = int(input())\nif a == None: print(1)\nprint(a + 3)\n"
BRANCHES = "".join(f"{{i}}if x == {n}:\n{{i}}    print({n})\n" for n in range(25))


def nested(*headers: str) -> str:
    """Many branches inside of blocks."""
    indent = "    " * len(headers)
    opening = "".join("    " * depth + header + "\n" for depth, header in enumerate(headers))
    return "x = 1\n" + opening + BRANCHES.replace("{i}", indent)


def test_clean_and_simple_is_one_and_findings_cost_a_tenth_of_half_each():
    assert program_quality(CLEAN) == 1.0
    assert program_quality(LINTY) == pytest.approx(1 - 3 * 0.05)  # import, comparison, two on a line


@pytest.mark.parametrize(
    "program",
    [
        nested(),
        nested("def f(x):"),
        nested("class A:", "def f(self, x):"),
        nested("def f(x):", "def g():"),
        nested("def f(x):", "class A:", "def g(self):"),
        nested("class A:", "class B:", "def g(self, x):"),
        nested("class A:"),
        nested("async def f(x):"),
        "x = 1\nf = lambda: " + " or ".join(["x"] * 30) + "\n",
    ],
)
def test_branches_cost_the_half_wherever_they_stand(program):
    quality = program_quality(program)
    assert quality is not None
    assert quality <= 0.5


@pytest.mark.parametrize("program", [LINTY, nested("def f(x):"), nested()])
@pytest.mark.parametrize(
    "padding",
    [
        "# ruff: noqa\n",
        "# flake8: noqa\n",
        "\n" * 50,
        "# a comment\n" * 50,
        "def a():\n    return 1\n\n\n" * 30,
        "class A:\n    def b(self):\n        return 1\n\n\n",
    ],
)
def test_padding_and_switching_rules_off_gain_nothing(program, padding):
    assert program_quality(padding + program) <= program_quality(program)


def test_a_noqa_on_the_line_gains_nothing():
    assert program_quality(LINTY.replace("os\n", "os  # noqa\n")) == program_quality(LINTY)


@pytest.mark.parametrize("program", [f"exec({nested()!r})", "e = eval\nprint(e(input()))"])
def test_code_hidden_in_text_has_no_quality(program):
    assert program_quality(program) == 0.0


def test_names_that_a_prelude_may_define_do_not_count():
    assert program_quality("def f(xs: List[int]) -> int:\n    return max(xs)\n") == 1.0


@pytest.mark.parametrize(
    "program",
    ["def f(:", "a\0b", "\ud800", "(" * 5000, "-" * 100_000 + "1", "print 'x'", "#include <x>\nint a;"],
)
def test_a_text_that_is_no_python_has_none(program):
    assert program_quality(program) is None


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.text() | st.lists(st.sampled_from([*LINTY.splitlines(), "    x = 1", "def f():"])).map("\n".join))
def test_any_text_gets_a_number_from_0_to_1_or_none(program):
    quality = program_quality(program)
    assert quality is None or 0.0 <= quality <= 1.0
    program_quality.cache_clear()
    assert program_quality(program) == quality
