"""JavaScript tests in MBXP's form -> cases.

``var arg00 = [1, 2]; var x0 = f(arg00); var v0 = 3; if(!compare(x0, v0)){ throw ... }`` for each case, after
a ``compare`` that is lodash's ``isEqual``. Any other statement refuses the row.
"""

from __future__ import annotations

import re
from typing import Any

from data_preprocess.assert_tests.scanner import Scanner
from verl_ext.grading.problem import Case
from verl_ext.grading.values import value_text

_HEAD = re.compile(
    r"const _ = require\([\"']lodash[\"']\);?\s*"
    r"function compare\(object1, object2\)\s*\{\s*return _\.isEqual\(object1, object2\);?\s*\}"
)
_VALUE = re.compile(r"(?:var|let|const)\s+(\w+)\s*=\s*(?!\w+\()")
_CALL = re.compile(r"(?:var|let|const)\s+(\w+)\s*=\s*(\w+)\(([\w\s,]*)\)\s*;")
_CHECK = re.compile(r"if\s*\(\s*!compare\((\w+),\s*(\w+)\)\s*\)\s*\{[^{}]*\}")
_KEY = re.compile(r"[A-Za-z_$][\w$]*")
_WORDS = {"true": True, "false": False, "null": None, "NaN": float("nan"), "Infinity": float("inf")}


def read_javascript_tests(source: str, fn_name: str) -> list[Case]:
    """The cases of a test program.

    Raises:
        ValueError: When a statement is no part of such a test, or a value no literal.
    """
    scanner = Scanner(source)
    scanner.match(_HEAD)
    values: dict[str, Any] = {}
    calls: dict[str, list[str]] = {}
    cases: list[Case] = []
    while True:
        scanner.skip_space()
        if scanner.at == len(source):
            return cases
        if call := scanner.match(_CALL):
            if call[2] != fn_name:
                raise ValueError(f"the tests call {call[2]}, not {fn_name}")
            calls[call[1]] = [name.strip() for name in call[3].split(",") if name.strip()]
        elif check := scanner.match(_CHECK):
            arguments = [values[name] for name in calls[check[1]]]
            cases.append(Case(value_text(arguments), value_text(values[check[2]]), fn_name))
        elif named := scanner.match(_VALUE):
            values[named[1]] = _literal(scanner)
            scanner.take(";")
        else:
            raise scanner.unexpected("an argument, a call or a check")


def _literal(scanner: Scanner) -> Any:
    scanner.skip_space()
    if scanner.take("["):
        return scanner.items("]", lambda: _literal(scanner))
    if scanner.take("{"):
        return dict(scanner.items("}", lambda: _property(scanner)))
    if scanner.take("new Set("):
        if scanner.take(")"):
            return set()
        items = _literal(scanner)
        scanner.need(")")
        return {_hashable(item) for item in items}
    if scanner.text[scanner.at : scanner.at + 1] in ("'", '"'):
        return scanner.string()
    for word, value in _WORDS.items():
        if scanner.take(word):
            return value
    return scanner.number()


def _property(scanner: Scanner) -> tuple[str, Any]:
    name = scanner.match(_KEY)
    if name is not None:
        key = name[0]
    elif scanner.text[scanner.at : scanner.at + 1] in ("'", '"'):
        key = scanner.string()
    else:
        key = str(scanner.number())
    scanner.need(":")
    return key, _literal(scanner)


def _hashable(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(_hashable(item) for item in value)
    if isinstance(value, dict):
        raise ValueError("an object in a Set has no form here")
    return value
