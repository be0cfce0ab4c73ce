"""What the model says: true to the verdict and to the change, and rarely the same twice."""

from __future__ import annotations

import re
from collections import Counter
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recipe.code_agentic import sft_phrases
from recipe.code_agentic.phrases import num_phrases, phrase
from recipe.code_agentic.program_changes import describe_change
from recipe.code_agentic.sft_texts import closing, opening, repair
from verl_ext.grading.problem import Case, Problem
from verl_ext.grading.verdict import CaseResult, ProgramError, Verdict

CALL = Case("[[1, 2], 3]", "6", "total", public=True)
STDIN = Case("1 2", "3", public=True)
PROBLEM = Problem("p", "Add.", (CALL,))
BANKS = {
    "opening": sft_phrases.OPENINGS,
    "opening call": sft_phrases.OPENINGS_CALL,
    "closing": sft_phrases.CLOSINGS,
    "closing repaired": sft_phrases.CLOSINGS_REPAIRED,
    "opening plain": sft_phrases.OPENINGS_PLAIN,
    "closing plain": sft_phrases.CLOSINGS_PLAIN,
    **{f"symptom {kind}": bank for kind, bank in sft_phrases.SYMPTOMS.items()},
    **{f"cause {kind}": bank for kind, bank in sft_phrases.CAUSES.items()},
    **{f"change {kind}": bank for kind, bank in sft_phrases.CHANGES.items()},
}
FACTS = dict.fromkeys(
    ("fn_name", "call", "got", "want", "given", "index", "category", "line", "source", "message", "near",
     "name", "old", "new", "lines", "repairs"),
    "F",
)  # fmt: skip


def test_alternatives_are_chosen_and_facts_filled_in_last() -> None:
    said = {phrase("[a|b [c|]] {x}[|!]", Random(seed), {"x": "[1|2] {y}"}) for seed in range(80)}
    assert said == {f"{start} [1|2] {{y}}{end}" for start in ("a", "b c", "b") for end in ("", "!")}
    assert num_phrases("[a|b [c|]] {x}[|!]") == 6


@pytest.mark.parametrize("template", ["[a", "a]", "a|b", "[[a]"])
def test_a_template_with_a_lost_bracket_is_refused(template: str) -> None:
    with pytest.raises(ValueError, match="brackets"):
        num_phrases(template)


@pytest.mark.parametrize("name", BANKS)
def test_every_sentence_of_a_bank_is_one(name: str) -> None:
    for template in BANKS[name]:
        for seed in range(60):
            text = phrase(template, Random(seed), FACTS)
            assert not re.search(r"  | [.,;:]|\|\||[][{}]|[.,;:][.,]|^ | $", text), text
            assert text[-1] in ".:" and (text[0].isupper() or text[0] in "`F"), text


def test_banks_without_facts_are_large() -> None:
    for name, at_least in (
        ("opening", 5000),
        ("closing", 400),
        ("change unspecific", 80),
        ("opening plain", 400),
        ("closing plain", 80),
    ):
        assert sum(map(num_phrases, BANKS[name])) > at_least


@pytest.mark.parametrize("shown", [True, False])
def test_openings_and_closings_are_rarely_the_same(shown: bool) -> None:
    openings = Counter(opening(PROBLEM, Random(seed), shows_verdicts=shown) for seed in range(1500))
    assert 0.05 < openings.pop("") / 1500 < 0.15
    said = [closing(["p"], "python", Random(seed), shows_verdicts=shown) for seed in range(1500)]
    closings = Counter(text.partition("\n")[0] for text in said)
    assert max(openings.values()) / 1500 < 0.02 and max(closings.values()) / 1500 < 0.02


def _failure(verdict: Verdict, **fields: object) -> CaseResult:
    return CaseResult(0, verdict, **fields)


def _said(failure: CaseResult, case: Case = CALL, old: str = "a\nb\n", new: str = "a\nc\n") -> list[str]:
    return [repair(old, failure, case, new, "python", Random(seed)) for seed in range(40)]


def test_a_wrong_answer_is_told_with_its_values() -> None:
    for said in _said(_failure(Verdict.WRONG_ANSWER, actual="5")):
        assert "`total([1, 2], 3)`" in said and "`5`" in said and "`6`" in said
    for said in _said(_failure(Verdict.WRONG_ANSWER, actual="4"), STDIN):
        assert "`4`" in said and "`3`" in said


def test_values_that_are_too_long_are_not_quoted() -> None:
    for said in _said(_failure(Verdict.WRONG_ANSWER, actual="9" * 500)):
        assert "999" not in said and ("case 0" in said or "Case 0" in said)


def test_an_error_is_told_with_its_line() -> None:
    error = ProgramError("IndexError", "list index out of range", line=2, source_line="b")
    for said in _said(_failure(Verdict.RUNTIME_ERROR, error=error)):
        assert "IndexError" in said and "line 2" in said.lower() and "`b`" in said


def test_an_error_without_a_line_is_told_by_its_case() -> None:
    for said in _said(_failure(Verdict.RUNTIME_ERROR, error=ProgramError("ExitCode", "exit code 1"))):
        assert "ExitCode" in said and "case 0" in said.lower()


def test_a_compiler_is_quoted() -> None:
    error = ProgramError("CompileError", "p.cpp:3:5: error: expected ';'")
    for said in _said(_failure(Verdict.COMPILE_ERROR, error=error)):
        assert "p.cpp:3:5: error: expected ';'" in said


@pytest.mark.parametrize("verdict", [Verdict.TIME_LIMIT, Verdict.MEMORY_LIMIT, Verdict.OUTPUT_LIMIT])
def test_a_limit_is_named(verdict: Verdict) -> None:
    words = {"time_limit": "time|long|running", "memory_limit": "memory", "output_limit": "output|prints"}
    for said in _said(_failure(verdict)):
        assert re.search(words[str(verdict)], said)


def test_the_change_that_is_told_is_the_one_that_is_made() -> None:
    for said in _said(_failure(Verdict.TIME_LIMIT), old="x = 1\ny = 2\n", new="x = 1\ny = 3\n"):
        assert "`y = 3`" in said


@pytest.mark.parametrize(
    ("old", "new", "kind", "facts"),
    [
        ("a\nb\nc", "a\nd\nc", "line", {"line": "2", "old": "b", "new": "d"}),
        ("a\nb\nc", "a\n    b\nc", "indent", {"line": "2", "old": "b", "new": "b"}),
        ("a\nc", "a\nb\nc", "insert", {"line": "2", "new": "b"}),
        ("a\nb\nc", "a\nc", "delete", {"line": "2", "old": "b"}),
        ("a\nb\nc\nd", "a\nc\nb\nd", "order", {"line": "2", "old": "b", "new": "c"}),
        ("a\nb\nc\nd\ne", "x\nb\nc\nd\nyy", "lines", {"lines": "1 and 5", "new": "yy"}),
        ("a\nb\nc\nd", "w\nxxx\ny\nz", "rewrite", {"new": "xxx"}),
        ("a\nb", "a\nb", "unspecific", {}),
        ("a\n`b`", "a\nc", "unspecific", {}),
        ("a\n" + "b" * 200, "a\nc", "unspecific", {}),
        ("", "", "unspecific", {}),
    ],
)
def test_a_change_is_described(old: str, new: str, kind: str, facts: dict[str, str]) -> None:
    change = describe_change(old, new)
    assert (change.kind, change.facts) == (kind, facts)


_PROGRAMS = st.lists(st.sampled_from(["a", "b", "  a", "", "cc"]), max_size=6).map("\n".join)


@given(_PROGRAMS, _PROGRAMS)
def test_whatever_changes_is_described_by_what_is_there(old: str, new: str) -> None:
    change = describe_change(old, new)
    assert change.kind in sft_phrases.CHANGES
    for name, text in change.facts.items():
        if name in ("old", "new"):
            assert text in {line.strip() for line in (*old.splitlines(), *new.splitlines())}
    for template in sft_phrases.CHANGES[change.kind]:
        phrase(template, Random(0), change.facts)


def test_the_closing_words_say_what_was_wrong_and_end_with_the_program() -> None:
    attempts = ["a\nold\n", "a\nnew\n"]
    said = [closing(attempts, "python", Random(seed), shows_verdicts=True) for seed in range(60)]
    assert all(text.endswith("\n\n```python\na\nnew\n```") for text in said)
    assert any("`old`" in text for text in said) and any("1 repair" not in text for text in said)
