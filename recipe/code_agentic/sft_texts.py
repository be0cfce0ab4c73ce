"""What the model itself says in SFT conversations of the ``full`` style: openings, repairs, closing words.

A repair says what the tool's answer showed, what that points to, and what the next program changes; nothing
that the model could not know. After an answer that shows no verdicts it says only what changes. The sentences
are in ``sft_phrases``. The ``brief`` style says nothing but ``BRIEF_FINAL``.
"""

from __future__ import annotations

from random import Random

from recipe.code_agentic.feedback import call_text
from recipe.code_agentic.hints import diagnose
from recipe.code_agentic.phrases import num_phrases, phrase
from recipe.code_agentic.program_changes import describe_change
from recipe.code_agentic.sft_phrases import (
    CAUSES,
    CHANGES,
    CLOSINGS,
    CLOSINGS_PLAIN,
    CLOSINGS_REPAIRED,
    OPENINGS,
    OPENINGS_CALL,
    OPENINGS_PLAIN,
    SYMPTOMS,
)
from verl_ext.grading.extract import fence_name
from verl_ext.grading.problem import Case, Problem
from verl_ext.grading.verdict import CaseResult, Verdict

BRIEF_FINAL = "done"

# Values that are quoted in a sentence are no longer than this.
_MAX_VALUE_CHARS = 60
_SILENT_SHARE = 0.1
_MESSAGE_SHARE = 0.4
_CAUSE_SHARE = 0.6


def opening(problem: Problem, rng: Random, *, shows_verdicts: bool) -> str:
    """Before the first attempt; may be empty. Speaks of cases only where the tool's answer shows verdicts."""
    if rng.random() < _SILENT_SHARE:
        return ""
    if not shows_verdicts:
        return _one_of(OPENINGS_PLAIN, rng, {})
    bank = OPENINGS if problem.fn_name is None else (*OPENINGS, *OPENINGS_CALL)
    return _one_of(bank, rng, {"fn_name": (problem.fn_name or "").rpartition(".")[2]})


def repair(
    program: str, failure: CaseResult, case: Case, next_program: str, language: str, rng: Random
) -> str:
    """Before the attempt that follows a failed one, whose verdicts the tool has shown.

    Args:
        program: The attempt that failed.
        failure: Its first failing case.
        case: That (public) case.
        next_program: The attempt that comes with these words.
        language: Of both.
        rng: Chooses wordings.
    """
    sentences = [_symptom(failure, case, rng)]
    hint = diagnose(program, failure, case, language)
    if hint.kind in CAUSES and rng.random() < _CAUSE_SHARE and _quotable(*hint.facts.values()):
        sentences.append(_one_of(CAUSES[hint.kind], rng, hint.facts))
    sentences.append(blind_repair(program, next_program, rng))
    return " ".join(filter(None, sentences))


def blind_repair(program: str, next_program: str, rng: Random) -> str:
    """Before the attempt that follows a failed one, where the tool's answer shows no verdicts."""
    change = describe_change(program, next_program)
    return _one_of(CHANGES[change.kind], rng, change.facts)


def closing(attempts: list[str], language: str, rng: Random, *, shows_verdicts: bool) -> str:
    """The final answer after some attempts, the last of which is right, with that program in a fence.

    Args:
        attempts: Sources, in order.
        language: Of all.
        rng: Chooses wordings.
        shows_verdicts: Whether the tool's last answer does; else nothing is said of cases and mistakes.
    """
    facts: dict[str, str] = {}
    bank: tuple[str, ...] = CLOSINGS if shows_verdicts else CLOSINGS_PLAIN
    if shows_verdicts and len(attempts) > 1:
        change = describe_change(*attempts[-2:])
        repairs = len(attempts) - 1
        facts = {"repairs": "one repair" if repairs == 1 else f"{repairs} repairs"} | change.facts
        bank = (
            (*CLOSINGS, *CLOSINGS_REPAIRED) if change.kind == "line" else (*CLOSINGS, *CLOSINGS_REPAIRED[::3])
        )
    said = _one_of(bank, rng, facts)
    return f"{said}\n\n```{fence_name(language)}\n{attempts[-1].rstrip()}\n```"


def _symptom(failure: CaseResult, case: Case, rng: Random) -> str:
    """What the verdict showed."""
    facts = {"index": str(failure.case_index), "fn_name": (case.fn_name or "").rpartition(".")[2]}
    error = failure.error
    if failure.verdict is Verdict.WRONG_ANSWER:
        return _wrong_answer(failure, case, facts, rng)
    if error is None or failure.verdict not in (Verdict.RUNTIME_ERROR, Verdict.COMPILE_ERROR):
        return _one_of(SYMPTOMS[str(failure.verdict)], rng, facts)
    facts |= {"category": error.category, "message": error.message}
    if error.category == "CompileError":
        return _one_of(SYMPTOMS["compile"], rng, facts)
    if error.line is None or not _quotable(error.source_line):
        said = _one_of(SYMPTOMS["error"], rng, facts)
    else:
        said = _one_of(
            SYMPTOMS["located_error"], rng, facts | {"line": str(error.line), "source": error.source_line}
        )
    if error.message and len(error.message) <= _MAX_VALUE_CHARS and rng.random() < _MESSAGE_SHARE:
        said += " " + _one_of(SYMPTOMS["message"], rng, facts)
    return said


def _wrong_answer(failure: CaseResult, case: Case, facts: dict[str, str], rng: Random) -> str:
    got, want = failure.actual.strip(), case.expected.strip()
    if case.fn_name is not None:
        call = call_text(case)
        if _quotable(call, got, want):
            return _one_of(SYMPTOMS["wrong_call"], rng, facts | {"call": call, "got": got, "want": want})
        return _one_of(SYMPTOMS["wrong_call_long"], rng, facts)
    given = case.input.strip()
    if _quotable(given, got, want):
        return _one_of(SYMPTOMS["wrong_output"], rng, facts | {"given": given, "got": got, "want": want})
    return _one_of(SYMPTOMS["wrong_output_long"], rng, facts)


def _quotable(*values: str) -> bool:
    """Whether values fit into a sentence between backticks."""
    return all(value and len(value) <= _MAX_VALUE_CHARS and not {"\n", "`"} & set(value) for value in values)


def _one_of(templates: tuple[str, ...], rng: Random, facts: dict[str, str]) -> str:
    """A sentence of a bank; a template with more sentences comes more often."""
    (template,) = rng.choices(templates, [num_phrases(template) ** 0.5 for template in templates])
    return phrase(template, rng, facts)
