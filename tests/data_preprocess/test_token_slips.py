"""Mutations of C++ and JavaScript programs: small, of the kind they say, and wrong when they are run."""

from __future__ import annotations

import shutil
from random import Random

import pytest

from data_preprocess.attempt_plan import AttemptMix, draw_attempts
from data_preprocess.bugs import GROUPS, ProgramPool, candidate_bugs
from data_preprocess.mutations import find_mutations
from data_preprocess.token_slips import KINDS, find_token_slips
from data_preprocess.wrong_programs import BugStatistics, BugSupply
from recipe.code_agentic.conversations import build_conversation
from recipe.code_agentic.tool import EnhancedCodeAgenticTool, ToolConfig
from verl_ext.grading.extract import fence_name
from verl_ext.grading.grader import Grader
from verl_ext.grading.problem import Case, Problem

CPP = """\
#include <cstdio>

int longer(int a, int b) { return a > b ? a : b; }

int main() {
    int n, v[100];
    scanf("%d", &n);
    for (int i = 0; i < n; i++) scanf("%d", &v[i]);
    int run = 1, top = 1;  // "longest" rising run
    for (int i = 1; i < n; i++) {
        if (v[i] > v[i - 1]) {
            run += 1;
        } else {
            run = 1;
        }
        top = longer(top, run);
    }
    printf("%d\\n", top);
    return 0;
}
"""
NODE = """\
const lines = require('fs').readFileSync(0, 'utf8').trim().split('\\n');
const n = parseInt(lines[0]);
const v = lines[1].split(/\\s+/).map(Number);
let run = 1, top = 1;  // longest rising run
for (let i = 1; i < n; i++) {
    if (v[i] > v[i - 1]) {
        run += 1;
    } else {
        run = 1;
    }
    top = Math.max(top, run);
}
console.log(`${top}`);
"""
CASES = (Case("5\n1 2 3 1 2\n", "3\n", public=True), Case("6\n1 1 2 3 4 0\n", "4\n"))
PROGRAMS = {"cpp": CPP, "nodejs": NODE}

EXAMPLES = {
    "comparison_flip": ("if (a < b) c();", "if (a <= b) c();"),
    "operator_swap": ("int x = a + b;", "int x = a - b;"),
    "wrong_constant": ("x = 3;", "x = 4;"),
    "wrong_update": ("x += 1;", "x -= 1;"),
    "wrong_function": ("x = min(a, b);", "x = max(a, b);"),
    "wrong_variable": ("int a = 1; int b = 2; f(a);", "int a = 1; int b = 2; f(b);"),
    "name_error": ("int sum = 1; f(sum);", "int sum = 1; f(smu);"),
    "missing_update": ("{\n  a++;\n}", "{\n}"),
    "missing_return": ("int f() { return 1; }", "int f() { 1; }"),
    "syntax_bracket": ("f(a);", "f(a;"),
    "syntax_semicolon": ("int a;\nint b;", "int a\nint b;"),
    "swapped_arguments": ("f(a, b);", "f(b, a);"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_makes_its_mistake(kind: str) -> None:
    program, broken = EXAMPLES[kind]
    assert broken in [slip.apply(program) for slip in find_token_slips(program, "cpp") if slip.kind == kind]


@pytest.mark.parametrize("language", PROGRAMS)
def test_mutations_differ_and_leave_the_rest_as_it_was(language: str) -> None:
    program = PROGRAMS[language]
    slips = find_mutations(program, language)
    broken = {slip.apply(program) for slip in slips}
    assert len(broken) == len(slips) > 60 and program not in broken
    for slip in slips:
        assert slip.apply(program).startswith(program[: slip.start])
        assert slip.apply(program).endswith(program[slip.end :])
    absent = {"syntax_semicolon", "missing_return", "operator_swap", "wrong_function"}
    assert {slip.kind for slip in slips} >= set(KINDS) - absent


@pytest.mark.parametrize(
    "text",
    [
        "// a < b\n", "/* a + 1 */", "#include <set>\n", "`${a} < 1`", '"a < 1"', "'a'",
        "s.split(/[<>]+/);", "vector<pair<int, int>> v;", "map<string, vector<int>> m;",
    ],
)  # fmt: skip
def test_comments_texts_and_template_arguments_are_left_alone(text: str) -> None:
    kinds = {slip.kind for slip in find_token_slips(text, "cpp")}
    assert not kinds & {"comparison_flip", "operator_swap", "wrong_constant", "name_error"}


def test_javascript_does_without_semicolons() -> None:
    assert "syntax_semicolon" not in {slip.kind for slip in find_token_slips(NODE, "nodejs")}


needs = {
    "cpp": pytest.mark.skipif(shutil.which("g++") is None, reason="no g++"),
    "nodejs": pytest.mark.skipif(shutil.which("node") is None, reason="no node"),
}


@pytest.mark.parametrize("language", [pytest.param(name, marks=needs[name]) for name in PROGRAMS])
async def test_a_conversation_is_made_as_for_python(language: str, grader: Grader, schema: dict) -> None:
    reference = PROGRAMS[language]
    problem = Problem("run", "Print the longest rising run.", CASES, language=language, reference=reference)
    kinds = ("comparison_flip", "wrong_constant", "wrong_update", "syntax_bracket")
    candidates = candidate_bugs(problem, ProgramPool([]), seed=1, kinds=kinds)
    assert candidates["one_slip"] and candidates["two_slips"]
    wanted = dict.fromkeys(GROUPS, 4)
    supply = BugSupply(grader, problem, candidates, wanted, BugStatistics(), explained=True)
    mix = AttemptMix((1.0,), {"one_slip": 1, "two_slips": 0, "other_program": 0}, "none", 0.5, None)
    plan = await draw_attempts(supply, reference, mix, Random(2), {"wrong_answer": 1})
    tool = EnhancedCodeAgenticTool(ToolConfig(), schema, grader)
    talk = await build_conversation(problem, plan.wrong, plan.right, tool, style="full", rng=Random(0))
    assert talk.verdicts == ("wrong_answer", "passed")
    assert f"```{fence_name(language)}\n{reference}```" in talk.messages[-1]["content"]
    assert (await grader.grade(reference, problem.hidden_cases, language=language)).all_passed
