"""Records in HumanEval's form, in Python, JavaScript and C++ (MBPP, MBJSP and MBCPP of MBXP; HumanEval).

``prompt`` is the beginning of the program with a comment that says what to do, ``test`` a program of asserts
about the function ``entry_point``, and ``canonical_solution`` what follows the prompt, or a whole program.
The comment often lists the very calls of the tests; so where there is a ``description``, that is the
question, and the comment is left out of question and reference. Where there is none, a case that the comment
shows becomes public.
"""

from __future__ import annotations

import ast
import doctest
import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from msgspec.structs import replace

from data_preprocess.assert_tests.cpp import read_cpp_tests, read_signature
from data_preprocess.assert_tests.javascript import read_javascript_tests
from data_preprocess.assert_tests.python import (
    AssertReader,
    called_function,
    called_functions,
    find_function,
    last_function,
    parameters_of,
)
from data_preprocess.formats.format import (
    Format,
    FormatOptions,
    extra_columns,
    identifier,
    optional_text,
    required_text,
)
from data_preprocess.rows import BadRow, Row
from verl_ext.grading.extract import language_name
from verl_ext.grading.problem import Case, Problem

_COLUMNS = ("task_id", "prompt", "entry_point", "test", "canonical_solution", "description", "language")
_CANDIDATE = "candidate"
_COMMENT = re.compile(r"/\*\*(.*?)\*/\s*", re.DOTALL)


class _Parts(NamedTuple):
    """What the columns of a record say, whatever its language."""

    question: str
    starter_code: str
    prelude: str
    reference: str | None
    cases: list[Case]


def read_mbxp_row(row: Row, options: FormatOptions) -> Problem:
    """One problem.

    Raises:
        BadRow: When a column is missing or has the wrong type, or the tests are no cases.
    """
    values = row.values
    language = language_name(optional_text(values, "language") or "python")
    if language not in _READERS:
        raise BadRow("language", f"tests in {language} can't be read; those in {', '.join(_READERS)} can")
    for column in ("prompt", "entry_point", "test"):
        required_text(values, column)
    parts = _READERS[language](values)
    if not parts.cases:
        raise BadRow("test", "no tests: a problem without tests can't earn a reward")
    query_id = identifier(values.get("task_id"), "task_id")
    return Problem(
        query_id=query_id,
        question=parts.question,
        cases=tuple(parts.cases),
        language=language,
        prelude=parts.prelude,
        starter_code=parts.starter_code,
        reference=parts.reference,
        source=query_id.partition("/")[0].lower() if "/" in query_id else "mbxp",
        extra=extra_columns(values, _COLUMNS),
    )


def whole_program(values: Mapping[str, Any]) -> str | None:
    """The reference as the record means it: behind its prompt, or by itself where it is a whole program."""
    solution = optional_text(values, "canonical_solution")
    if solution is None or last_function(solution) is not None:
        return solution
    return _with_newline(values["prompt"]) + solution


def _python(values: Mapping[str, Any]) -> _Parts:
    prompt, fn_name = values["prompt"], values["entry_point"]
    if not {fn_name, _CANDIDATE} & called_functions(values["test"], "test"):
        # MBPP's first function is taken for the entry point in places where it is a helper.
        fn_name = called_function(values["test"], "test")
    reference = whole_program(values)
    reader = AssertReader(fn_name, [_CANDIDATE], parameters_of(reference or prompt, fn_name))
    reader.read(values["test"], "test")
    begun = next((text for text in (prompt, f"{prompt}\n    pass") if last_function(text)), "")
    function = last_function(begun)
    comment = (function and ast.get_docstring(function)) or ""
    description = optional_text(values, "description")
    shown = set() if description else _calls(comment)
    starter = ""
    if function is not None and function.name == fn_name:
        starter = _without_docstring(begun, function).removesuffix("    pass").strip("\n")
    imports = [node for node in ast.parse(begun).body if isinstance(node, ast.Import | ast.ImportFrom)]
    return _Parts(
        question=description or comment or prompt.strip(),
        starter_code=starter,
        prelude="".join(f"{ast.unparse(node)}\n" for node in imports),
        reference=reference and _without_docstring(reference, find_function(reference, fn_name)),
        cases=[replace(case, public=case.input in shown) for case in reader.cases],
    )


def _javascript(values: Mapping[str, Any]) -> _Parts:
    signature, question = _uncommented(values)
    return _Parts(
        question=question,
        starter_code=signature,
        prelude="",
        reference=_uncommented_program(values),
        cases=_read(lambda: read_javascript_tests(values["test"], values["entry_point"])),
    )


def _cpp(values: Mapping[str, Any]) -> _Parts:
    start, question = _uncommented(values)
    head, _, line = start.rpartition("\n")
    signature = _read(lambda: read_signature(line, values["entry_point"]), "prompt")
    return _Parts(
        question=question,
        starter_code=start,
        # The declaration tells the grader's driver the types of the arguments.
        prelude=f"{head.strip()}\n{line.rstrip().removesuffix('{').strip()};\n",
        reference=_uncommented_program(values),
        cases=_read(lambda: read_cpp_tests(values["test"], values["entry_point"], signature)),
    )


_READERS: dict[str, Callable[[Mapping[str, Any]], _Parts]] = {
    "python": _python,
    "nodejs": _javascript,
    "cpp": _cpp,
}


def _read(read: Callable[[], Any], column: str = "test") -> Any:
    try:
        return read()
    except (ValueError, KeyError, RecursionError) as error:
        raise BadRow(column, str(error)) from error


def _uncommented(values: Mapping[str, Any]) -> tuple[str, str]:
    """(the prompt's code without the comment, the question)."""
    prompt = values["prompt"]
    comment = _COMMENT.search(prompt)
    code = re.sub(r"\n{3,}", "\n\n", _COMMENT.sub("", prompt)).strip()
    question = optional_text(values, "description")
    if not question and comment is not None:
        lines = [line.strip().lstrip("*").strip() for line in comment[1].splitlines()]
        # What follows are calls with their results: the tests.
        until = next((index for index, line in enumerate(lines) if line.startswith(">")), len(lines))
        question = "\n".join(lines[:until]).strip()
    return code, question or code


def _uncommented_program(values: Mapping[str, Any]) -> str | None:
    whole = whole_program(values)
    return None if whole is None else re.sub(r"\n{3,}", "\n\n", _COMMENT.sub("", whole, count=1))


def _with_newline(text: str) -> str:
    return text if text.endswith("\n") else f"{text}\n"


def _without_docstring(source: str, function: ast.FunctionDef | None) -> str:
    """The program without the lines of the function's docstring, where it stands on lines of its own."""
    if function is None or ast.get_docstring(function) is None:
        return source
    docstring = function.body[0]
    lines = source.split("\n")
    first, last = docstring.lineno - 1, docstring.end_lineno or docstring.lineno
    shares_a_line = function.lineno == docstring.lineno or (
        len(function.body) > 1 and function.body[1].lineno == last
    )
    return source if shares_a_line else "\n".join(lines[:first] + lines[last:])


def _calls(comment: str) -> set[str]:
    """The arguments of the calls that a docstring's examples make, as texts of cases."""
    try:
        examples = doctest.DocTestParser().get_examples(comment)
    except ValueError:
        return set()
    found: set[str] = set()
    for example in examples:
        try:
            call = ast.parse(example.source.strip(), mode="eval").body
        except (SyntaxError, ValueError):
            continue
        if isinstance(call, ast.Call):
            reader = AssertReader(ast.unparse(call.func))
            try:
                reader.read(f"assert {example.source.strip()}", "prompt")
            except BadRow:
                continue
            found.update(case.input for case in reader.cases)
    return found


FORMAT = Format(("task_id", "prompt", "entry_point", "test"), read_mbxp_row)
