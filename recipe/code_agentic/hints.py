"""What probably went wrong: from one failed case to a targeted hint.

Owns the diagnosis. The wording is in ``feedback.py``; verdicts come from ``verl_ext.grading``. A diagnosis
uses only what the model may see: its own program, and the case it was shown.
"""

from __future__ import annotations

import ast
import builtins
import difflib
import re
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field

from recipe.code_agentic.answer_diff import diagnose_stdout, diagnose_value
from recipe.code_agentic.feedback import hint_text
from recipe.code_agentic.language_hints import diagnose_error
from verl_ext.grading.problem import Case
from verl_ext.grading.verdict import CaseResult, ProgramError, Verdict

_MAX_PARSED_CHARS = 100_000
_BUILTIN_TYPES = {kind.__name__: kind for kind in (int, float, str, list, tuple, dict, set, bytes, bool)}


@dataclass(frozen=True, slots=True)
class Hint:
    """A diagnosis: which wording applies, and what it names."""

    kind: str
    facts: dict[str, str] = field(default_factory=dict)


def suggest(
    program: str, result: CaseResult, case: Case, style: str = "full", language: str = "python"
) -> str:
    """One targeted suggestion for a failed case, as text; empty when the case passed.

    Args:
        program: Source as the model wrote it.
        result: What happened on the case.
        case: The (public) case itself.
        style: ``full`` or ``brief``.
        language: Of the program.
    """
    if result.passed:
        return ""
    hint = diagnose(program, result, case, language)
    return hint_text(style, hint.kind, hint.facts)


def diagnose(program: str, result: CaseResult, case: Case, language: str = "python") -> Hint:
    """The most specific diagnosis for a failed case."""
    if result.verdict is Verdict.WRONG_ANSWER:
        if case.fn_name is None:
            return Hint(*diagnose_stdout(program, result.actual, case.expected))
        if case.compare_as:  # what was compared is not what was returned
            return Hint("value_differs")
        return Hint(*diagnose_value(program, result.actual, case.expected, printed=result.stderr))
    if result.verdict in (Verdict.TIME_LIMIT, Verdict.MEMORY_LIMIT, Verdict.OUTPUT_LIMIT):
        return Hint(str(result.verdict))
    if result.error is None:
        return Hint("error")
    error = result.error
    if language != "python":
        found = diagnose_error(language, result.verdict, error, program, case)
        return Hint("error", {"line": _line(error)}) if found is None else Hint(*found)
    if result.verdict is Verdict.COMPILE_ERROR:
        return _syntax(error)
    return _runtime(error, program, case)


def _syntax(error: ProgramError) -> Hint:
    message, facts = error.message.lower(), {"line": _line(error), "source": error.source_line}
    if error.category in ("IndentationError", "TabError"):
        return Hint("indentation", facts)
    if any(text in message for text in ("was never closed", "unmatched", "does not match", "parenthes")):
        return Hint("bracket", facts)
    if "expected ':'" in message:
        return Hint("colon", facts)
    if "unterminated" in message:
        return Hint("quote", facts)
    return Hint("syntax", facts)


def _runtime(error: ProgramError, program: str, case: Case) -> Hint:
    message = error.message
    facts = {"line": _line(error), "source": error.source_line, "category": error.category}
    match error.category:
        case "NameError":
            return _undefined_name(error, program, case, facts)
        case "UnboundLocalError":
            return Hint("unbound_local", facts | {"name": _quoted(message)})
        case "TypeError":
            return Hint(_type_error_kind(message), facts)
        case "AttributeError":
            return _attribute(message, facts)
        case "ValueError":
            if "unpack" in message:
                return Hint("unpack", facts)
            parsing = "invalid literal" in message or "could not convert" in message
            return Hint("value_parse" if parsing else "value", facts)
        case "IndexError" | "KeyError" | "ZeroDivisionError" | "RecursionError" | "EOFError":
            return Hint(error.category, facts)
        case "ModuleNotFoundError" | "ImportError":
            return Hint("import", facts)
        case "ExitCode":
            return Hint("exit_code", facts)
        case "Signal":
            return Hint("signal", facts)
    return Hint("error", facts)


def _undefined_name(error: ProgramError, program: str, case: Case, facts: dict[str, str]) -> Hint:
    name = _quoted(error.message)
    defined, called = _names(program)
    facts = facts | {"name": name}
    if error.line is None and case.fn_name is not None and case.fn_name.endswith(name):
        near = _nearest(name, defined)
        return Hint("missing_function", facts | {"near": near}) if near else Hint("no_function", facts)
    near = _nearest(name, defined)
    if not near and name in sys.stdlib_module_names:
        return Hint("name_import", facts)
    if near := near or _nearest(name, dir(builtins)):
        return Hint("name_near", facts | {"near": near})
    return Hint("name_function" if name in called else "name", facts)


def _type_error_kind(message: str) -> str:
    if "NoneType" in message:
        return "type_none"
    if "positional argument" in message or "keyword argument" in message:
        return "type_arguments"
    if "not callable" in message:
        return "type_not_callable"
    texts = ("'str'", "str (not", 'not "str"', "must be str")
    if any(text in message for text in texts):
        return "type_text"
    return "type"


def _attribute(message: str, facts: dict[str, str]) -> Hint:
    if "NoneType" in message:
        return Hint("type_none", facts)
    match = re.match(r"'(\w+)' object has no attribute '(\w+)'", message)
    if match is None:
        return Hint("attribute", facts | {"name": _quoted(message)})
    facts = facts | {"type": match[1], "name": match[2]}
    near = _nearest(match[2], dir(_BUILTIN_TYPES[match[1]])) if match[1] in _BUILTIN_TYPES else ""
    return Hint("attribute_near", facts | {"near": near}) if near else Hint("attribute", facts)


def _names(program: str) -> tuple[list[str], set[str]]:
    """Names that the program defines, and names that it calls; empty when it can't be parsed."""
    defined: dict[str, None] = {}
    called: set[str] = set()
    if len(program) > _MAX_PARSED_CHARS:
        return [], called
    try:
        tree = ast.parse(program)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return [], called
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            defined[node.name] = None
        elif isinstance(node, ast.arg):
            defined[node.arg] = None
        elif isinstance(node, ast.alias):
            defined[(node.asname or node.name).partition(".")[0]] = None
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            defined[node.id] = None
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            called.add(node.func.id)
    return list(defined), called


def _nearest(name: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, [other for other in known if other != name], n=1, cutoff=0.6)
    return near[0] if near else ""


def _quoted(message: str) -> str:
    """The first quoted word of an exception's text: the name it is about."""
    match = re.search(r"'([^']*)'", message)
    return match[1] if match else ""


def _line(error: ProgramError) -> str:
    return "?" if error.line is None else str(error.line)
