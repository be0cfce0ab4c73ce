"""What is sent into the sandbox to call one function, per language: the source, the files, the input.

Owns which languages a function can be called in, and how the drivers are put around a program. What the
drivers answer is read by ``harness``.
"""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

from verl_ext.grading.compare import parse_value
from verl_ext.grading.problem import Case
from verl_ext.grading.values import to_tagged

CALL_LANGUAGES = ("python", "nodejs", "cpp")
"""Languages in which a function can be called."""

_NODES = ("ListNode", "TreeNode")
_NODE_FILE = "node_driver.py"
_SOLUTION = re.compile(r"\b(?:class|struct)\s+Solution\b")
# A precompiled standard header, where a machine has one, is used only if it comes first.
# After the program nothing of ours can be left to its macros, hence a return type that is no plain "int".
_CPP_MAIN = """#include <bits/stdc++.h>
#include "call_driver.hpp"
#include "prelude.hpp"
{declared}
#define main main_of_the_program
#include "program.cpp"
#undef main
signed main() {{
  call_driver::run<decltype({typed})>([](auto &...arguments) -> decltype(auto) {{
    return {called}(arguments...);
  }});
}}
"""


def call_request(
    program: str, case: Case, prelude: str, language: str, nonce: str
) -> tuple[str, dict[str, bytes], str]:
    """(source, files, standard input) of a run that calls ``case.fn_name``.

    Args:
        program: Source as the model wrote it.
        case: A ``call`` case that ``check_case`` has accepted.
        prelude: Source run before the program. In C++ a declaration of the function in it says what types
            the arguments have, and is no part of the program.
        language: One of ``CALL_LANGUAGES``.
        nonce: Frames the answer.

    Raises:
        ValueError: When functions can't be called in this language, or it has no such arguments.
    """
    assert case.fn_name is not None
    name = case.fn_name.rpartition(".")[2]
    files: dict[str, bytes] = {}
    if language == "python":
        arguments = case.input
        code = driver("call_driver.py")
        files = {"program.py": as_bytes(program), "prelude.py": as_bytes(prelude)}
        if any(node in text for node in _NODES for text in (program, prelude)):
            files[_NODE_FILE] = driver(_NODE_FILE).encode()
    elif language == "nodejs":
        arguments = json.dumps(to_tagged(parse_value(case.input)))
        code = driver("call_driver.js")
        files = {"program.js": as_bytes(program)}
        if prelude:
            files["prelude.js"] = as_bytes(prelude)
    elif language == "cpp":
        arguments = json.dumps(_positional(parse_value(case.input)), ensure_ascii=False)
        code, files = _cpp_program(program, name, prelude)
    else:
        raise ValueError(f"functions can be called in {', '.join(CALL_LANGUAGES)} only, not in {language}")
    return code, files, f"{nonce}\n{name}\n{arguments}"


def as_bytes(source: str) -> bytes:
    """A source file's content; models write lone surrogates, and that must not be our failure."""
    return source.encode("utf-8", "replace")


@cache
def driver(name: str) -> str:
    """The text of a driver."""
    return Path(__file__).with_name(name).read_text(encoding="utf-8")


def _cpp_program(program: str, name: str, prelude: str) -> tuple[str, dict[str, bytes]]:
    """The main source and its files; the types of the arguments are the record's, else the program's own."""
    declaration = re.compile(
        rf"^[^\n#/;{{}}]*[\w>&*]\s+[&*]?{name}\s*\([^;{{}}]*\)\s*[;{{]?[ \t]*$", re.MULTILINE
    )
    found = declaration.search(prelude)
    is_method = _SOLUTION.search(program) is not None
    typed, declared = (f"&Solution::{name}" if is_method else f"&{name}"), ""
    if found is not None:
        prelude = prelude[: found.start()] + prelude[found.end() :]
        declared = f"namespace declared_by_the_record {{ {found[0].strip().rstrip(';{').strip()}; }}"
        typed = f"&declared_by_the_record::{name}"
    called = f"Solution().{name}" if is_method else name
    code = _CPP_MAIN.format(declared=declared, typed=typed, called=called)
    files = {
        "call_driver.hpp": driver("call_driver.hpp").encode(),
        "prelude.hpp": as_bytes(prelude),
        "program.cpp": as_bytes(program),
    }
    return code, files


def _positional(value: Any) -> Any:
    """The value as plain JSON lists whose meaning the parameters' types give."""
    match value:
        case list() | tuple() | set() | frozenset():
            return [_positional(item) for item in value]
        case dict():
            return [[_positional(key), _positional(item)] for key, item in value.items()]
        case None | bool() | int() | float() | str():
            return value
    raise ValueError(f"a {type(value).__name__} can't be given to a C++ function")
