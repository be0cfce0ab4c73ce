"""Slips are small, of the kind they say, and leave the rest of the program as it was."""

from __future__ import annotations

import ast
from random import Random

import pytest

from data_preprocess.bugs import ALL_KINDS, ProgramPool, candidate_bugs
from data_preprocess.mutations import find_mutations
from data_preprocess.slips import KINDS, find_slips
from recipe.code_agentic.problems.generate import generate_problems
from verl_ext.grading.problem import Case, Problem

PROGRAM = """\
from collections import defaultdict
def fact(n):
    if n < 2:
        return 1
    return n * fact(n - 1)
d = defaultdict(int)
l = list(map(int, input().split()))
for i in range(len(l)):
    d[l[i]] += 1
print(d.get(3, 0), sep=',')
k = 0
while k < 3:
    k += 1
s = 'é-' + str(max(l) // 2)
print(s.upper()[::-1])
"""

EXAMPLES = {
    "name_error": ("print(total)", "print(totla)"),
    "syntax_bracket": ("print(1)", "print(1"),
    "syntax_colon": ("if a:\n pass", "if a\n pass"),
    "syntax_string": ("print('a')", "print('a)"),
    "syntax_indentation": ("if a:\n  b", "if a:\nb"),
    "type_error": ("a=int(input())", "a=input()"),
    "index_error": ("a=l[0]", "a=l[1]"),
    "off_by_one": ("range(n)", "range(n-1)"),
    "key_error": ("d.get(k,0)", "d[k]"),
    "value_error": ("s.split()", 's.split(",")'),
    "zero_division": ("a//b", "a//(b-b)"),
    "attribute_error": ("l.append(1)", "l.add(1)"),
    "recursion_error": (
        "def f(n):\n if n<2:\n  return 1\n return f(n-1)",
        "def f(n):\n if False:\n  return 1\n return f(n-1)",
    ),
    "time_limit": ("while a<3: a+=1", "while True: a+=1"),
    "operator_swap": ("a+b", "a-b"),
    "swapped_arguments": ("a-b", "b-a"),
    "comparison_flip": ("a<b", "a<=b"),
    "wrong_constant": ("a=3", "a=4"),
    "wrong_separator": ("'-'.join(a)", "','.join(a)"),
    "wrong_function": ("min(a)", "max(a)"),
    "missing_argument": ("sorted(a,reverse=True)", "sorted(a)"),
    "wrong_variable": ("a=1\nb=2\nprint(a)", "a=1\nb=2\nprint(b)"),
    "missing_return": ("def f():\n return 5", "def f():\n 5"),
    "missing_print": ("print(a)", "a"),
    "output_type": ("def f():\n return 5", "def f():\n return str(5)"),
    "missing_step": ("a[::-1]", "a[:]"),
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_makes_its_mistake(kind: str) -> None:
    program, broken = EXAMPLES[kind]
    assert broken in [slip.apply(program) for slip in find_slips(program) if slip.kind == kind]


def test_a_slip_changes_only_its_own_characters() -> None:
    for slip in find_slips(PROGRAM):
        broken = slip.apply(PROGRAM)
        assert broken != PROGRAM
        assert broken.startswith(PROGRAM[: slip.start])
        assert broken.endswith(PROGRAM[slip.end :])


def test_only_syntax_slips_break_the_syntax() -> None:
    for slip in find_slips(PROGRAM):
        if not slip.kind.startswith("syntax"):
            ast.parse(slip.apply(PROGRAM))


@pytest.mark.parametrize("text", ["def f(:", "\0", "", "print('no"])
def test_what_is_no_program_gives_no_slips(text: str) -> None:
    assert find_slips(text) == []


def _problems() -> list[Problem]:
    return list(generate_problems(400, seed=0, num_cases=6))


def test_candidates_depend_on_seed_and_problem_alone() -> None:
    problems = _problems()
    pool, again = ProgramPool(problems), ProgramPool(_problems())
    made = [candidate_bugs(problem, pool, seed=1, kinds=ALL_KINDS) for problem in problems[:40]]
    assert made == [candidate_bugs(problem, again, seed=1, kinds=ALL_KINDS) for problem in problems[:40]]
    assert made != [candidate_bugs(problem, pool, seed=2, kinds=ALL_KINDS) for problem in problems[:40]]


def test_no_candidate_is_the_reference_and_none_comes_twice() -> None:
    problems = _problems()
    pool = ProgramPool(problems)
    for problem in problems[:100]:
        for bugs in candidate_bugs(problem, pool, seed=0, kinds=ALL_KINDS).values():
            programs = [bug.program for bug in bugs]
            assert problem.reference not in programs
            assert len(set(programs)) == len(programs)


def test_a_half_mended_program_is_one_slip_away_from_the_reference() -> None:
    problems = _problems()
    pool = ProgramPool(problems)
    for problem in problems[:50]:
        reference = problem.reference or ""
        singles = {slip.apply(reference) for slip in find_mutations(reference, "python")}
        for bug in candidate_bugs(problem, pool, seed=0, kinds=ALL_KINDS)["two_slips"]:
            assert {half.program for half in bug.halves} <= singles and bug.program not in singles


def _vague(name: str, separator: str) -> Problem:
    return Problem(
        query_id=f"join?s={separator}",
        question="Print the words joined.",
        cases=(Case("a b", f"a{separator}b", public=True),),
        reference=f"print('{separator}'.join(input().split()))",
        family=name,
        verdict_only=True,
    )


def test_a_vague_question_is_first_answered_with_another_parameter() -> None:
    problems = [_vague("join", separator) for separator in "-+:"]
    bugs = candidate_bugs(problems[0], ProgramPool(problems), seed=0, kinds=ALL_KINDS)["one_slip"]
    assert {bug.kind for bug in bugs[:2]} == {"sibling"}
    assert {bug.program for bug in bugs[:2]} == {problem.reference for problem in problems[1:]}


def test_other_programs_come_from_other_templates_of_the_same_form() -> None:
    problems = _problems()
    pool = ProgramPool(problems)
    for problem in problems[:40]:
        template = problem.query_id.partition("?")[0]
        for program in pool.others(problem, Random(0)):
            owners = [other for other in problems if other.reference == program]
            assert all(owner.fn_name == problem.fn_name for owner in owners)
            assert all(owner.query_id.partition("?")[0] != template for owner in owners)


def test_other_programs_are_in_the_language_of_the_problem() -> None:
    def named(query_id: str, language: str) -> Problem:
        cases = (Case("a", "a", public=True),)
        return Problem(query_id, "Echo.", cases, language=language, reference=f"program of {query_id}")

    problems = [named(f"{language} {n}", language) for language in ("python", "bash") for n in range(3)]
    pool = ProgramPool(problems)
    assert set(pool.others(problems[-1], Random(0))) == {"program of bash 0", "program of bash 1"}
