"""Error kinds: how a wrong program fails, and what a mistake mostly leads to.

The kinds are what ``sft.error_shares`` distributes: the verdict, and for runtime errors the exception.
"""

from __future__ import annotations

from verl_ext.grading.verdict import CaseResult, Verdict

_OF_EXCEPTION = {
    "NameError": "name_error",
    "UnboundLocalError": "name_error",
    "TypeError": "type_error",
    "IndexError": "index_error",
    "KeyError": "key_error",
    "ValueError": "value_error",
    "ZeroDivisionError": "zero_division",
    "AttributeError": "attribute_error",
    "RecursionError": "recursion_error",
}
ERROR_KINDS = (
    "wrong_answer", "compile_error", *dict.fromkeys(_OF_EXCEPTION.values()), "other_error",
    "time_limit", "memory_limit", "output_limit",
)  # fmt: skip

# Kind of mistake -> error kind that it mostly leads to; every other one: wrong_answer.
_EXPECTED = {
    "syntax_bracket": "compile_error",
    "syntax_colon": "compile_error",
    "syntax_string": "compile_error",
    "syntax_indentation": "compile_error",
    "syntax_semicolon": "compile_error",
    "name_error": "name_error",
    "shadowed_name": "name_error",
    "type_error": "type_error",
    "missing_conversion": "type_error",
    "index_error": "index_error",
    "key_error": "key_error",
    "value_error": "value_error",
    "zero_division": "zero_division",
    "attribute_error": "attribute_error",
    "recursion_error": "recursion_error",
    "missing_guard": "recursion_error",
    "time_limit": "time_limit",
    "missing_decorator": "time_limit",
}
# The same for the categories of DebugBench.
_EXPECTED_REAL = {
    "double": "compile_error",
    "triple": "compile_error",
    "quadruple": "compile_error",
    "illegal comment": "compile_error",
    "illegal indentation": "compile_error",
    "illegal keywords": "compile_error",
    "illegal separation": "compile_error",
    "missing colons": "compile_error",
    "misused == or =": "compile_error",
    "unclosed parentheses": "compile_error",
    "unclosed string": "compile_error",
    "undefined methods": "attribute_error",
    "undefined objects": "name_error",
    "variable error": "name_error",
}


def error_kind(failure: CaseResult) -> str:
    """The kind of a failed case."""
    if failure.verdict is Verdict.RUNTIME_ERROR:
        category = failure.error.category if failure.error is not None else ""
        return _OF_EXCEPTION.get(category, "other_error")
    return str(failure.verdict)


def expected_error_kind(bug_kind: str, language: str) -> str:
    """What a bug of some kind of ``bugs.ALL_KINDS`` mostly leads to.

    Of two mistakes (``a+b``) the one that stops the program first is seen.
    """
    kinds = [
        _EXPECTED_REAL.get(kind.removeprefix("real: "), "wrong_answer")
        if kind.startswith("real: ")
        else _EXPECTED.get(kind, "wrong_answer")
        for kind in bug_kind.split("+")
    ]
    if language == "python":
        stopped = ("compile_error", *(kind for kind in kinds if kind != "wrong_answer"))
        return next((kind for kind in stopped if kind in kinds), "wrong_answer")
    if not {"compile_error", "name_error"} & set(kinds):
        return "wrong_answer"
    # Without a compiler such a program ends with an error of its own.
    return "compile_error" if language == "cpp" else "other_error"
