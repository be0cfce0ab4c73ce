"""What the model itself says in SFT conversations of the ``full`` style: openings, diagnoses, closing words.

A diagnosis says only what the tool's answer showed. The ``brief`` style says nothing but ``BRIEF_FINAL``.
"""

from __future__ import annotations

from random import Random

from verl_ext.grading.extract import fence_name
from verl_ext.grading.verdict import CaseResult, Verdict

BRIEF_FINAL = "done"

_OPENINGS = (
    "",
    "I'll write a first version and run it on the example cases.",
    "Let me try this.",
    "Here is my program; let me check it against the examples.",
    "I'll test my solution first.",
)
_LOCATED = ("On line {line}, `{source}`: ", "Line {line} (`{source}`) is where it stops: ")
_ERRORS = {
    "NameError": ("a name is used that is not defined.", "I misspelled a name or never defined it."),
    "UnboundLocalError": ("a variable is read before it gets a value.",),
    "SyntaxError": ("the syntax is broken.", "that is not valid Python."),
    "IndentationError": ("the indentation is wrong.", "the block is not indented as it must be."),
    "TypeError": ("a value has the wrong type there.", "I mixed up types."),
    "IndexError": ("an index runs past the end.", "I am off by one at the end of the sequence."),
    "KeyError": ("a key is looked up that is not there.",),
    "ValueError": ("a value can't be converted the way I wrote it.", "I parse the value in the wrong way."),
    "ZeroDivisionError": ("I divide by zero.",),
    "AttributeError": ("that object has no such attribute.", "I called a method that does not exist."),
    "RecursionError": ("the recursion never ends; its base case is missing or never reached.",),
}
_ANY_ERROR = ("the program ends with an error there.",)
_VERDICTS = {
    Verdict.WRONG_ANSWER: (
        "It runs, but a case gets the wrong answer.",
        "The output differs from what is expected; there is a mistake in the logic.",
        "Wrong answer on one of the examples.",
    ),
    Verdict.TIME_LIMIT: (
        "It does not finish in time.",
        "It runs into the time limit; is there a loop that never ends?",
    ),
    Verdict.MEMORY_LIMIT: ("It uses too much memory.",),
    Verdict.OUTPUT_LIMIT: ("It prints far too much.",),
    Verdict.COMPILE_ERROR: ("It does not compile.",),
}
_REPAIRS = (
    "I'll fix that.",
    "Let me correct it.",
    "Here is the corrected program.",
    "Trying again with that mended.",
)
_FIRST_TIME = ("It passes the example cases.", "The examples pass, so this is my answer.")
_REPAIRED = ("Now it passes the example cases.", "The repaired program passes the examples.")


def opening(rng: Random) -> str:
    """Before the first attempt; may be empty."""
    return rng.choice(_OPENINGS)


def diagnosis(failure: CaseResult, rng: Random) -> str:
    """Before a repair: what the last verdict showed, and that it will be mended."""
    error = failure.error
    if error is None:
        said = rng.choice(_VERDICTS.get(failure.verdict, _ANY_ERROR))
        return f"{said} {rng.choice(_REPAIRS)}"
    said = rng.choice(_ERRORS.get(error.category, _ANY_ERROR))
    if error.line is not None and error.source_line:
        said = rng.choice(_LOCATED).format(line=error.line, source=error.source_line) + said
    else:
        said = said[0].upper() + said[1:]
    return f"{error.category}. {said} {rng.choice(_REPAIRS)}"


def closing(program: str, language: str, num_repairs: int, rng: Random) -> str:
    """The final answer, with the program in a fenced block."""
    said = rng.choice(_REPAIRED if num_repairs else _FIRST_TIME)
    return f"{said}\n\n```{fence_name(language)}\n{program.rstrip()}\n```"
