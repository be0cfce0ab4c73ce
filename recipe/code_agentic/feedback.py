"""What the tool says to the model: verdicts, hints, refusals.

All of the tool's wording, in two styles: ``full`` for real models, ``brief`` for the tiny model, whose every
token costs. Owns no diagnosis (``hints``) and no counting (``tool``). The loop's own words are in
``prompts.py``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from recipe.code_agentic.language_texts import LANGUAGE_HINTS
from verl_ext.grading.problem import Case
from verl_ext.grading.verdict import CaseResult, Grade, ProgramError, Verdict

STYLES = ("full", "brief")
_MAX_FACT_CHARS = 60

# kind -> (full, brief); {name} stands for a fact of the diagnosis.
HINTS: dict[str, tuple[str, str]] = {
    "bracket": ("Check the brackets on line {line}: each one needs its partner.", "bracket line {line}"),
    "indentation": ("Fix the indentation of line {line}: use four spaces per level.", "indent line {line}"),
    "colon": ("Line {line} needs a colon at its end.", "colon line {line}"),
    "quote": ("The string on line {line} is never closed.", "quote line {line}"),
    "syntax": ("Line {line} is not valid Python: {source}", "syntax line {line}"),
    "name_near": ("{name} is not defined; did you mean {near}?", "did you mean {near}"),
    "name_import": ("{name} is a module: import it first.", "import {name}"),
    "name_function": ("The function {name} is called and never defined or imported.", "define {name}"),
    "name": ("{name} is used on line {line} before any value is assigned to it.", "define {name}"),
    "missing_function": (
        "The function has to be called {name}; your program defines {near}.",
        "rename {near} to {name}",
    ),
    "no_function": ("Define a function called {name}; it is the one that gets called.", "define {name}"),
    "unbound_local": (
        "{name} is assigned somewhere in this function, which makes it local; give it a value before line "
        "{line}, or declare it global.",
        "set {name} first",
    ),
    "type_none": (
        "A value on line {line} is None: a function without return, or a method such as list.sort() that "
        "changes its object and returns None.",
        "value is None",
    ),
    "type_arguments": (
        "The number of arguments differs from the number of parameters: compare the call with the def.",
        "argument count",
    ),
    "type_not_callable": (
        "Something on line {line} is called that is no function: an operator is missing, or a variable has "
        "the name of a function.",
        "not a function",
    ),
    "type_text": (
        "Text and number are mixed on line {line}: convert with int() or str() first.",
        "convert text",
    ),
    "type": ("Line {line} works on a value of another type than it expects: {source}", "type line {line}"),
    "IndexError": (
        "The index on line {line} is beyond the end: check the range, and the empty case.",
        "index range",
    ),
    "KeyError": ("The key is not in the dictionary: test with 'in', or use .get().", "missing key"),
    "ZeroDivisionError": ("Line {line} divides by zero: treat a zero divisor first.", "zero divisor"),
    "RecursionError": (
        "The recursion never reaches its end: check the base case, or use a loop.",
        "base case",
    ),
    "EOFError": (
        "The program reads more lines than the input has: look at how the input is laid out.",
        "input lines",
    ),
    "value_parse": (
        "The text read from the input is not the number that line {line} expects: split the line into parts "
        "before converting them.",
        "input parsing",
    ),
    "unpack": (
        "Line {line} unpacks another number of values than there are: look at how the input is laid out.",
        "unpack count",
    ),
    "value": ("Line {line} gets a value that it does not accept: {source}", "value line {line}"),
    "attribute_near": ("A {type} has no {name}; did you mean {near}?", "did you mean {near}"),
    "attribute": ("The object on line {line} has no {name}: check its type.", "no {name}"),
    "import": ("This module is not available: use the standard library.", "no such module"),
    "exit_code": (
        "The program ended before its work was done: remove sys.exit() and os._exit() calls.",
        "exit early",
    ),
    "signal": ("The program crashed; very deep recursion is the usual reason.", "crash"),
    "error": ("Look at what line {line} does with this input.", "line {line}"),
    "time_limit": (
        "The program did not finish in time: look for a loop that never ends, or a faster algorithm.",
        "endless loop",
    ),
    "memory_limit": (
        "The program used too much memory: keep less, or look for a list that grows for ever.",
        "less memory",
    ),
    "output_limit": (
        "The program printed far too much: look for a print in a loop that never ends.",
        "less output",
    ),
    "never_called": ("Nothing was printed: the program defines a function and never calls it.", "call it"),
    "missing_print": ("Nothing was printed: print the result.", "print it"),
    "no_output": ("Nothing was printed for this input: check that print is reached.", "print not reached"),
    "input_prompt": (
        "The text passed to input() is printed too and counts as output: call input() without it.",
        "no prompt",
    ),
    "letter_case": ("Only upper and lower case differ.", "letter case"),
    "line_breaks": ("The values are right, the line breaks are not.", "line breaks"),
    "spaces": ("Only spaces differ.", "spaces"),
    "separator": (
        "The values are right and written in another format: compare separators, brackets and quotes.",
        "separator",
    ),
    "output_ends_early": ("The output ends before line {line}.", "line {line} missing"),
    "output_too_long": ("Line {line} of the output is one too many.", "extra line {line}"),
    "sign": ("The sign is wrong.", "sign"),
    "off_by_one": ("Off by one: check the bounds of ranges and comparisons.", "off by one"),
    "rounding": ("The number is close: check rounding, and / against //.", "rounding"),
    "misses_last": ("The last element is missing: check where the range ends.", "last missing"),
    "misses_first": ("The first element is missing: check where the range starts.", "first missing"),
    "one_too_many": ("There is one element too many: check the bounds of the range.", "one too many"),
    "reversed": ("It is in reverse order.", "reversed"),
    "order": ("These are the right elements in the wrong order.", "order"),
    "line_differs": ("Line {line} differs first: expected {want}, got {got}.", "line {line} differs"),
    "value_differs": ("Follow the program by hand on this input and compare.", "value differs"),
    "missing_return": ("The function returned None: return the result.", "return it"),
    "print_not_return": ("The function prints the result; return it instead.", "return it"),
    "return_type": ("The function has to return {want}; it returned {got}.", "return {want}"),
    **LANGUAGE_HINTS,
}


def hint_text(style: str, kind: str, facts: Mapping[str, str]) -> str:
    """The wording of one diagnosis."""
    short = {name: cut(value, _MAX_FACT_CHARS) for name, value in facts.items()}
    return HINTS[kind][STYLES.index(style)].format_map({"line": "?", **short})


def cut(text: str, max_chars: int) -> str:
    """Text of at most ``max_chars`` characters and a note on how much was cut."""
    if len(text) <= max_chars:
        return text
    return f"{text[:max_chars]}... [{len(text) - max_chars} more characters]"


@dataclass(frozen=True, slots=True)
class AnswerFacts:
    """What an answer to a call that ran is made from.

    Attributes:
        cases: The public cases that were run, with their index among the public ones.
        grade: What happened on them.
        suggestion: For the first failure; empty when all passed.
        notes: What was adjusted in the call's arguments.
        attempts_left: Failed attempts that may still follow.
        max_attempts: Failed attempts allowed in all.
        max_value_chars: Characters shown of each input, expected and actual value.
        max_shown_failures: Failed cases shown with their values.
        show_debug_prints: Show what the program wrote to standard error.
    """

    cases: Sequence[tuple[int, Case]]
    grade: Grade
    suggestion: str
    notes: Sequence[str]
    attempts_left: int
    max_attempts: int
    max_value_chars: int
    max_shown_failures: int
    show_debug_prints: bool


def render_answer(style: str, facts: AnswerFacts) -> str:
    """The tool's answer to a call that ran."""
    return _render_brief(facts) if style == "brief" else _render_full(facts)


def _render_brief(facts: AnswerFacts) -> str:
    grade = facts.grade
    result = grade.first_failure
    if result is None:
        return "\n".join(
            [*facts.notes, f"all {grade.total} cases passed" if grade.total > 1 else "case passed"]
        )
    index, case = facts.cases[result.case_index]
    lines = [*facts.notes, f"case {index}: {result.verdict}"]
    if result.verdict is not Verdict.COMPILE_ERROR:
        lines.append(_field("input", case.input, facts.max_value_chars))
    if result.verdict is Verdict.WRONG_ANSWER:
        lines.append(_field("expected", case.expected, facts.max_value_chars))
        lines.append(_field("got", _actual(result), facts.max_value_chars))
    if result.error is not None:
        lines.append(_error_text(result.error))
    if facts.show_debug_prints and result.stderr.strip():
        lines.append(_field("stderr", result.stderr, facts.max_value_chars))
    return "\n".join([*lines, f"hint: {facts.suggestion}"])


def _render_full(facts: AnswerFacts) -> str:
    grade = facts.grade
    lines = [*facts.notes, f"{grade.num_passed} of {grade.total} cases passed."]
    num_shown = 0
    for result in grade.results:
        index, case = facts.cases[result.case_index]
        if result.passed:
            lines.append(f"\ncase {index}: {result.verdict}")
        elif num_shown == facts.max_shown_failures or (num_shown and result.verdict is Verdict.COMPILE_ERROR):
            lines.append(f"\ncase {index}: {result.verdict} (values not shown)")
        else:
            num_shown += 1
            lines.append(f"\ncase {index}: {result.verdict}")
            lines += _failure_lines(result, case, facts)
    if grade.total > len(grade.results):
        lines.append(f"\n{grade.total - len(grade.results)} later case(s) not run after the first failure.")
    if facts.suggestion:
        left = f"{facts.attempts_left} of {facts.max_attempts} attempts left."
        lines.append(f"\nSuggestion: {facts.suggestion}\n{left}")
    return "\n".join(lines)


def _failure_lines(result: CaseResult, case: Case, facts: AnswerFacts) -> list[str]:
    limit = facts.max_value_chars
    lines: list[str] = []
    if result.verdict is not Verdict.COMPILE_ERROR:
        lines += [_field("input", call_text(case), limit), _field("expected", case.expected, limit)]
    if result.verdict in (Verdict.WRONG_ANSWER, Verdict.OUTPUT_LIMIT) or result.actual.strip():
        lines.append(_field("actual", _actual(result), limit))
        if result.output_truncated:
            lines.append("(the output was longer and has been cut)")
    if result.error is not None:
        lines.append(f"error: {_error_text(result.error)}")
        if result.error.source_line:
            lines.append(f"  {result.error.source_line}")
    if facts.show_debug_prints and result.stderr.strip():
        lines.append(_field("debug output" if case.fn_name else "stderr", result.stderr, limit))
    return lines


def _field(name: str, value: str, max_chars: int) -> str:
    text = cut(value.strip("\r\n"), max_chars)
    return f"{name}:\n{text}" if "\n" in text else f"{name}: {text}"


def _actual(result: CaseResult) -> str:
    return result.actual if result.actual.strip() else "(nothing)"


def call_text(case: Case) -> str:
    """A call case as the call it makes; a stdin case as its input."""
    if case.fn_name is None:
        return case.input
    return f"{case.fn_name}({case.input.strip()[1:-1]})"


def _error_text(error: ProgramError) -> str:
    where = "" if error.line is None else f"line {error.line}: "
    message = f": {error.message}" if error.message else ""
    return f"{where}{error.category}{message}"


# kind -> (full, brief)
_REFUSALS: dict[str, tuple[str, str]] = {
    "no_attempts_left": (
        "Not run: all {limit} attempts have failed. Answer now without calling the tool.",
        "no attempts left",
    ),
    "no_public_case": (
        "Not run: this problem has no public case. Answer with your final program.",
        "no public case",
    ),
    "no_code": ("Not run: pass the whole program as text in the argument 'code'.", "code missing"),
    "bad_index": (
        "Not run: test_case_index must be a whole number from 0 to {last}, or left out.",
        "index 0 to {last}",
    ),
    "bad_language": ("Not run: this problem is to be solved in {language}.", "use {language}"),
}
_NOTES: dict[str, tuple[str, str]] = {
    "timeout": (
        "Note: timeout must be a number of seconds above 0 and up to {limit}; {used} seconds were used.",
        "timeout above 0, up to {limit}",
    ),
    "timeout_cut": (
        "Note: {limit} seconds were used as timeout: that is the limit of this problem.",
        "",
    ),
    "fence": ("Note: the Markdown fence around the program was removed.", "fence removed"),
    "unknown_arguments": ("Note: ignored unknown argument(s): {names}.", "ignored {names}"),
}


def refusal_text(style: str, kind: str, **facts: object) -> str:
    """The answer to a call that is not run."""
    return _REFUSALS[kind][STYLES.index(style)].format_map(facts)


def note_text(style: str, kind: str, **facts: object) -> str:
    """A remark on an argument that was adjusted; empty where the style does without it."""
    return _NOTES[kind][STYLES.index(style)].format_map(facts)
