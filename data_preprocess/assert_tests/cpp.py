"""C++ tests in MBXP's form -> cases, with values read by the types of the function's signature.

``int x0 = f(vector<int>{1, 2}); if (!(compare(x0, 3))) { throw ...; }`` for each case, in a ``main`` after a
``compare`` that is ``==``. Any other statement, and any type that the grader's C++ driver can't pass, refuses
the row.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from data_preprocess.assert_tests.scanner import Scanner
from verl_ext.grading.problem import Case
from verl_ext.grading.values import value_text

_WHOLE = frozenset({"int", "long", "long long", "unsigned", "unsigned int", "unsigned long long", "size_t"})
_LISTS = frozenset({"vector", "list", "deque"})
_SETS = frozenset({"set", "unordered_set", "multiset"})
_MAPS = frozenset({"map", "unordered_map"})
_NUM_PARAMETERS = {
    **dict.fromkeys((*_LISTS, *_SETS), 1),
    **dict.fromkeys((*_MAPS, "pair"), 2),
    **dict.fromkeys((*_WHOLE, "double", "float", "bool", "char", "string"), 0),
}
_TYPE_NAME = re.compile(r"(?:const\s+)?(?:std::)?(unsigned long long|unsigned int|long long|\w+)")
_HEAD = re.compile(
    r"template\s*<typename T>\s*bool compare\(T a, T b\)\s*\{\s*return a == b;\s*\}\s*"
    r"int main\([^)]*\)\s*\{"
)
_RESULT = re.compile(r"(\w+)\s*=\s*(\w+)\(")
_CHECK = re.compile(r"if\s*\(!\(compare\((\w+),")
_THROW = re.compile(r"\)\)\)\s*\{\s*throw\s+[^;]*;\s*\}")
_END = re.compile(r"return 0;\s*\}\s*$")
_CAST = re.compile(r"\((?:int|long|long long|double|float)\)")
_SUFFIX = re.compile(r"[uUlLfF]*")
_PARAMETER_NAME = re.compile(r"\s*&?\s*(\w+)?\s*")


@dataclass(frozen=True, slots=True)
class CppType:
    """A type by name, with the types it is made of."""

    name: str
    parts: tuple[CppType, ...] = ()


@dataclass(frozen=True, slots=True)
class Signature:
    """A function's types.

    Attributes:
        returns: Of its value.
        parameters: Of its arguments, in order.
    """

    returns: CppType
    parameters: tuple[CppType, ...]


def read_signature(text: str, fn_name: str) -> Signature:
    """The types in ``int f(vector<int> a, string b) {``.

    Raises:
        ValueError: When it declares no such function, or has a type that no case can hold.
    """
    scanner = Scanner(text)
    returns = _type(scanner)
    scanner.need(fn_name)
    scanner.need("(")

    def parameter() -> CppType:
        found = _type(scanner)
        if scanner.match(_PARAMETER_NAME) is None or scanner.text[scanner.at : scanner.at + 1] not in ",)":
            raise scanner.unexpected("a parameter's name")
        return found

    return Signature(returns, tuple(scanner.items(")", parameter)))


def read_cpp_tests(source: str, fn_name: str, signature: Signature) -> list[Case]:
    """The cases of a test program.

    Raises:
        ValueError: When a statement is no part of such a test, or a value no literal of its type.
    """
    scanner = Scanner(source)
    if scanner.match(_HEAD) is None:
        raise scanner.unexpected("a compare function and main")
    cases: list[Case] = []
    while scanner.match(_END) is None:
        _type(scanner)
        result = scanner.match(_RESULT)
        if result is None or result[2] != fn_name:
            raise scanner.unexpected(f"a call of {fn_name}")
        arguments: list[Any] = []
        for index, kind in enumerate(signature.parameters):
            if index:
                scanner.need(",")
            arguments.append(_literal(scanner, kind))
        scanner.need(")")
        scanner.need(";")
        check = scanner.match(_CHECK)
        if check is None or check[1] != result[1]:
            raise scanner.unexpected("a check of the result")
        expected = _literal(scanner, signature.returns)
        if scanner.match(_THROW) is None:
            raise scanner.unexpected("the end of the check")
        cases.append(Case(value_text(arguments), value_text(expected), fn_name))
    return cases


def _type(scanner: Scanner) -> CppType:
    found = scanner.match(_TYPE_NAME)
    name = found[1] if found else ""
    if name not in _NUM_PARAMETERS:
        raise ValueError(f"a case can't hold a value of the type {name!r}")
    parts: list[CppType] = []
    if _NUM_PARAMETERS[name]:
        scanner.need("<")
        parts = scanner.items(">", lambda: _type(scanner))
    if len(parts) != _NUM_PARAMETERS[name]:
        raise ValueError(f"{name} has {len(parts)} parts")
    return CppType(name, tuple(parts))


def _literal(scanner: Scanner, kind: CppType) -> Any:
    """A value of a type, whose name may stand before it."""
    name = kind.name
    if name == "string":
        named = scanner.take("string(") or scanner.take("std::string(")
        value = scanner.string().partition("\0")[0]  # a literal ends at its first NUL
        if named:
            scanner.need(")")
        return value
    if name == "char":
        return scanner.string()
    if name == "bool":
        for word, truth in (("true", True), ("false", False)):
            if scanner.take(word):
                return truth
        raise scanner.unexpected("true or false")
    if not kind.parts:
        scanner.match(_CAST)
        number = scanner.number()
        scanner.match(_SUFFIX)
        if name not in _WHOLE:
            return float(number)
        if not isinstance(number, int):
            raise scanner.unexpected(f"a value of the type {name}")
        return number
    scanner.skip_space()
    if scanner.text[scanner.at : scanner.at + 1] != "{":
        _type(scanner)
    scanner.need("{")
    if name in _MAPS:
        return dict(scanner.items("}", lambda: _pair(scanner, kind)))
    if name == "pair":
        scanner.at -= 1
        return list(_pair(scanner, kind))
    items = scanner.items("}", lambda: _literal(scanner, kind.parts[0]))
    return {_hashable(item) for item in items} if name in _SETS else items


def _pair(scanner: Scanner, kind: CppType) -> tuple[Any, Any]:
    scanner.need("{")
    first = _hashable(_literal(scanner, kind.parts[0]))
    scanner.need(",")
    second = _literal(scanner, kind.parts[1])
    scanner.need("}")
    return first, second


def _hashable(value: Any) -> Any:
    return tuple(_hashable(item) for item in value) if isinstance(value, list) else value
