"""Mutations of every finder: they make the mistake that their kind names, and leave a program that parses."""

from __future__ import annotations

import ast
import gzip
import json
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_preprocess import cosmic_ray_slips, statement_slips, value_slips
from data_preprocess.concrete_tree import ConcreteTree
from data_preprocess.mutations import KINDS, compiles, find_mutations
from data_preprocess.source_edits import line_starts, smallest_edit

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"

# kind -> (program, what it can become)
EXAMPLES = {
    "slice_bound": ("b = a[1:n]", "b = a[1:n - 1]"),
    "loop_bound": ("for i in range(n, 0, -1):\n    f(i)", "for i in range(n - 1, 0, -1):\n    f(i)"),
    "initial_value": ("t = None\nfor x in a:\n    t += x", "t = 0\nfor x in a:\n    t += x"),
    "argument_order": ("f(a, b, c)", "f(b, a, c)"),
    "missing_conversion": ("a = sorted(b)", "a = b"),
    "shared_list": ("g = [[0] * m for _ in range(n)]", "g = [[0] * m] * n"),
    "shadowed_name": (
        "def f(a):\n    total = 0\n    for x in a:\n        total += sum(x)\n    return total",
        "def f(a):\n    sum = 0\n    for x in a:\n        sum += sum(x)\n    return sum",
    ),
    "wrong_branch": ("x = a if c else b", "x = b if c else a"),
    "missing_guard": (
        "def f(a):\n    if not a:\n        return 0\n    return a[0]",
        "def f(a):\n    return a[0]",
    ),
    "missing_update": ("for x in a:\n    n += 1\n    s.add(x)", "for x in a:\n    n += 1\n"),
    "wrong_update": ("n += x", "n = x"),
    "wrong_level": ("for x in a:\n    n += x\nprint(n)", "for x in a:\n    n += x\n    print(n)"),
    "statement_order": ("a = 1\nb = a", "b = a\na = 1"),
    "mutable_default": (
        "def f(x):\n    seen = []\n    return seen\nf(1)",
        "def f(x, seen=[]):\n    return seen\nf(1)",
    ),
    "binary_operator": ("a = b * c", "a = b / c"),
    "comparison_operator": ("if a < b:\n    c", "if a != b:\n    c"),
    "unary_operator": ("a = -b", "a = b"),
    "boolean_operator": ("if a and b:\n    c", "if a or b:\n    c"),
    "boolean_value": ("a = True", "a = False"),
    "break_continue": ("for x in a:\n    break", "for x in a:\n    continue"),
    "number": ("a = 1.5", "a = 2.5"),
    "missing_decorator": ("@cache\ndef f(x):\n    return x", "def f(x):\n    return x"),
    "zero_iterations": ("for x in a:\n    b", "for x in []:\n    b"),
}  # fmt: skip

PROGRAM = '''\
from functools import cache


class Solution:
    def solve(self, nums: List[int], k: int, text="é — ü") -> int:
        """Docstring."""
        if not nums:
            return 0
        best, total = -1, 0
        memo = {}
        grid = [[0] * k for _ in range(len(nums) + 1)]
        for i in range(1, len(nums)):  # comment
            for j in range(i, -1, -1):
                if nums[j] is None or nums[i] > nums[j] and i != j:
                    grid[i][j] = max(grid[i - 1][j], total)
                    continue
                elif k == 3:
                    total += sum(nums[j:i])
                else:
                    total -= 1
            best = max(best, total)
            memo[i] = best

        @cache
        def walk(x, path=()):
            seen = []
            seen.append(list(path))
            return walk(x - 1, path) if x > 0 else len(seen)

        while best < 10:
            best += 1
            if best % 2 == 0: break
        return round(best / 2) + walk(k) + len(text[:-1].strip())
'''


@pytest.mark.parametrize("kind", EXAMPLES)
def test_each_kind_makes_its_mistake(kind: str) -> None:
    program, broken = EXAMPLES[kind]
    made = [slip.apply(program) for slip in find_mutations(program, "python", (kind,))]
    assert broken in made


def test_every_kind_of_the_finders_has_an_example() -> None:
    made_here = {*value_slips.KINDS, *statement_slips.KINDS, *cosmic_ray_slips.KINDS}
    assert made_here == set(EXAMPLES)


@pytest.mark.parametrize("program", [PROGRAM, *(program for program, _ in EXAMPLES.values())])
def test_mutations_differ_from_each_other_and_from_the_program_and_parse(program: str) -> None:
    slips = find_mutations(program, "python")
    broken = [slip.apply(program) for slip in slips]
    assert len({program, *broken}) == len(broken) + 1
    for slip, text in zip(slips, broken, strict=True):
        if not slip.kind.startswith("syntax"):
            ast.parse(text)


def test_the_large_program_has_slips_of_nearly_every_kind() -> None:
    found = {slip.kind for slip in find_mutations(PROGRAM, "python")}
    made_here = {*value_slips.KINDS, *statement_slips.KINDS, *cosmic_ray_slips.KINDS}
    assert made_here - found <= {"argument_order", "boolean_value"}


def test_the_same_program_gives_the_same_mutations() -> None:
    assert find_mutations(PROGRAM, "python") == find_mutations(PROGRAM, "python")


def test_only_kinds_that_are_asked_for_are_made() -> None:
    for kinds in (("slice_bound",), ("name_error", "number"), ()):
        assert {slip.kind for slip in find_mutations(PROGRAM, "python", kinds)} == set(kinds)


def test_what_the_typing_slips_find_too_keeps_their_kind() -> None:
    found = {slip.apply("a = b + c"): slip.kind for slip in find_mutations("a = b + c", "python")}
    assert found["a = b - c"] == "operator_swap" and found["a = b * c"] == "binary_operator"


@pytest.mark.parametrize(
    "text", ["def f(:", "\0", "", "print('no", "x = 1\x0c\n\x0cy = 2\n", "s = '\u2028'\r\nt = s\r\n"]
)
def test_any_text_is_taken(text: str) -> None:
    for slip in find_mutations(text, "python"):
        assert slip.apply(text) != text


def test_a_language_without_a_finder_has_no_mutations() -> None:
    assert find_mutations("echo 1", "bash") == []


@pytest.mark.parametrize(
    ("text", "good"), [("a = 1", True), ("return 1", False), ("a is 1", True), ("a =", False), ("\0", False)]
)
def test_what_compiles_is_told_apart(text: str, good: bool) -> None:
    assert compiles(text) == good


@given(st.text(), st.text(), st.text(), st.text())
def test_a_smallest_edit_is_the_replacement(before: str, old: str, new: str, after: str) -> None:
    text = before + old + after
    slip = smallest_edit("kind", text, len(before), len(before) + len(old), new)
    assert slip.apply(text) == before + new + after
    assert len(before) <= slip.start <= slip.end <= len(before) + len(old)


def test_a_smallest_edit_keeps_words_whole() -> None:
    slip = smallest_edit("kind", "x = True", 4, 8, "False")
    assert (slip.start, slip.end, slip.text) == (4, 8, "False")


@given(st.text(alphabet="ab\r\n\x0c\u2028"))
def test_lines_start_where_python_starts_them(text: str) -> None:
    starts = line_starts(text)
    lines = [text[start:end] for start, end in pairwise(starts)]
    assert "".join(lines) == text
    assert all(line[:-1].rstrip("\r\n") == line[:-1].removesuffix("\r") for line in lines)


# Small programs of statements that nest, so that mutations meet each other's surroundings.
_EXPRESSIONS = st.sampled_from(
    ["x", "x + 1", "-y", "f(x, y, 1)", "a[x:]", "x if y else z", "[0] * x", "not x", "1.5"]
)
_SIMPLE = st.one_of(
    st.builds("{} = {}".format, st.sampled_from("xyz"), _EXPRESSIONS),
    st.builds("{} += {}".format, st.sampled_from("xyz"), _EXPRESSIONS),
    st.builds("a.append({})".format, _EXPRESSIONS),
)


def _nested(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    def block(head: str, body: list[str], tail: list[str]) -> str:
        lines = [head, *("    " + line for text in body for line in text.split("\n"))]
        return "\n".join([*lines, *tail])

    heads = st.sampled_from(["for x in range(1, y):", "while x < y:", "if x == y and z:", "def f(x, y, z):"])
    return st.builds(block, heads, st.lists(inner, min_size=1, max_size=3), st.lists(_SIMPLE, max_size=2))


@settings(max_examples=40, deadline=None)
@given(st.lists(st.recursive(_SIMPLE, _nested, max_leaves=6), min_size=1, max_size=3))
def test_mutations_of_made_up_programs_parse(parts: list[str]) -> None:
    program = "\n".join(parts) + "\n"
    for slip in find_mutations(program, "python"):
        broken = slip.apply(program)
        assert broken != program
        if not slip.kind.startswith("syntax"):
            ast.parse(broken)


@pytest.mark.skipif(not SHARED.is_dir(), reason=f"no real data at {SHARED}")
def test_mutations_of_real_programs_parse_but_for_a_few() -> None:
    with gzip.open(SHARED / "leetcode_v0.2.0_train.jsonl.gz", "rt", encoding="utf-8") as lines:
        programs = [json.loads(line)["completion"] for number, line in enumerate(lines) if number % 90 == 0]
    made, broken, kinds = 0, 0, set()
    for program in programs:
        ConcreteTree(program)
        for slip in find_mutations(program, "python"):
            if not slip.kind.startswith("syntax"):
                made += 1
                kinds.add(slip.kind)
                broken += not compiles(slip.apply(program))
    assert broken <= 0.002 * made
    assert len(kinds) > 0.8 * sum(not kind.startswith("syntax") for kind in KINDS)
