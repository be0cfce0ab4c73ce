"""What probably went wrong in a JavaScript or C++ program: from its error to the kind of a hint.

As in ``hints.py``, which calls this: only the diagnosis, and only from what the model may see.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable

from verl_ext.grading.problem import Case
from verl_ext.grading.verdict import ProgramError, Verdict

Diagnosis = tuple[str, dict[str, str]]

_WORD = re.compile(r"[A-Za-z_$][\w$]*")
_DECLARED = {
    "nodejs": re.compile(r"\b(?:function|class|const|let|var)\s+([A-Za-z_$][\w$]*)"),
    "cpp": re.compile(
        r"\b(?:int|long|double|float|bool|char|string|auto|void|size_t|[\w:]+<[^;(){}]*>)[&*\s]+(\w+)"
    ),
}
_DISPLAY_NAMES = {"nodejs": "JavaScript", "cpp": "C++", "python": "Python"}


def display_name(language: str) -> str:
    """The name that people write for a language of SandboxFusion's."""
    return _DISPLAY_NAMES.get(language, language)


def diagnose_error(
    language: str, verdict: Verdict, error: ProgramError, program: str, case: Case
) -> Diagnosis | None:
    """The kind of hint for the error a program ended with, and its facts; None where nothing is known.

    Args:
        language: SandboxFusion's name.
        verdict: compile_error or runtime_error.
        error: What the program ended with.
        program: Source as the model wrote it.
        case: What it was run on.
    """
    diagnose = _DIAGNOSES.get(language)
    if diagnose is None:
        return None
    facts = {
        "line": "?" if error.line is None else str(error.line),
        "source": error.source_line,
        "category": error.category,
        "message": error.message,
        "language": display_name(language),
    }
    kind, more = diagnose(verdict, error, program, case)
    return kind, facts | more


def _javascript(verdict: Verdict, error: ProgramError, program: str, case: Case) -> Diagnosis:
    message = error.message
    if verdict is Verdict.COMPILE_ERROR:
        if "already been declared" in message:
            return "declared_twice", {"name": _quoted(message)}
        if "end of input" in message or "missing )" in message or "Unterminated" in message:
            return "unclosed", {}
        return "invalid", {}
    if error.category == "ReferenceError" and message.endswith("is not defined"):
        return _undeclared("nodejs", message.partition(" ")[0], error, program, case)
    if error.category == "ReferenceError":
        return "unbound_local", {"name": _quoted(message)}
    if error.category == "TypeError":
        if "of undefined" in message or "of null" in message or "is not iterable" in message:
            return "undefined_value", {}
        if message.endswith(("is not a function", "is not a constructor")):
            return "no_method", {"name": message.partition(" is not")[0]}
        if "constant variable" in message:
            return "constant", {}
        return "type", {}
    if error.category == "RangeError":
        if "call stack" in message:
            return "RecursionError", {}
        return "bad_length" if "array length" in message else "value", {}
    if error.category == "Uncaught":
        return "thrown", {}
    if "Cannot find module" in message:
        return "import", {}
    return _ended(error)


def _cpp(verdict: Verdict, error: ProgramError, program: str, case: Case) -> Diagnosis:
    message = error.message
    if verdict is not Verdict.COMPILE_ERROR:
        return _cpp_run(error)
    if message.startswith("undefined reference"):
        return "cpp_undefined", {"name": _quoted(message)}
    if "was not declared in this scope" in message or "has not been declared" in message:
        name = _quoted(message).rpartition("::")[2]
        return _undeclared("cpp", name, error, program, case)
    if error.line is None:
        if _quoted(message).rpartition("::")[2] == _fn_name(case) and "no matching" not in message:
            return "no_function", {"name": _fn_name(case)}
        return "cpp_signature", {}
    if re.match(r"expected .*['\"]?;", message):
        return "semicolon", {}
    if "at end of input" in message or "expected '}'" in message or "expected ')'" in message:
        return "unclosed", {}
    if "has no member named" in message:
        return "no_member", {"name": message.rpartition("'")[0].rpartition("'")[2]}
    if "no matching function" in message or "too many arguments" in message or "too few arguments" in message:
        return "cpp_call", {}
    if "redefinition of" in message or "redeclaration of" in message or "conflicting declaration" in message:
        return "declared_twice", {"name": _quoted(message)}
    if any(text in message for text in ("convert", "no match for", "invalid operands", "conversion")):
        return "cpp_conversion", {}
    return "cpp_error", {}


def _cpp_run(error: ProgramError) -> Diagnosis:
    if error.category == "Signal":
        return ("cpp_division" if "SIGFPE" in error.message else "cpp_crash"), {}
    if error.category in ("out_of_range", "length_error"):
        return "cpp_index", {}
    if error.category == "invalid_argument" and "sto" in error.message:
        return "cpp_parse", {}
    if error.category in ("ExitCode", "AssertionError"):
        return _ended(error)
    return "cpp_exception", {}


def _ended(error: ProgramError) -> Diagnosis:
    return {"ExitCode": "exit_code", "Signal": "signal"}.get(error.category, "error"), {}


def _undeclared(language: str, name: str, error: ProgramError, program: str, case: Case) -> Diagnosis:
    """A name that is nowhere declared: the function itself, a slip of the pen, or just missing."""
    declared = [other for other in _DECLARED[language].findall(program) if other != name]
    near = next(iter(difflib.get_close_matches(name, declared, n=1, cutoff=0.6)), "")
    if error.line is None and name == _fn_name(case):
        return ("missing_function" if near else "no_function"), {"name": name, "near": near}
    if near:
        return "name_near", {"name": name, "near": near}
    return "undeclared", {"name": name}


def _fn_name(case: Case) -> str:
    return (case.fn_name or "").rpartition(".")[2]


def _quoted(message: str) -> str:
    """What stands in the message's first quotes, without a signature's types."""
    found = re.search(r"'([^']*)'", message)
    if found is None:
        return ""
    words = _WORD.findall(found[1].partition("(")[0])
    return words[-1] if words else found[1]


_DIAGNOSES: dict[str, Callable[[Verdict, ProgramError, str, Case], Diagnosis]] = {
    "nodejs": _javascript,
    "cpp": _cpp,
}
