"""From the text of a test case to what the target function gets, and to what it should return.

Test cases of functions are written in many ways: ``[1, 2, 3]``, ``"[1,2,3]"``, ``"5"``, ``hello``, one
argument per line. What is meant depends on what the function takes, which its signature says. The
signature is the task's own (``signature`` of the reward) where there is one, else that of the program.

Rules, in this order; *text* is a case given as a string, everything else is a value.

1. A value that is a list is the list of arguments; any other value is the only argument.
2. A text of as many lines as the function takes arguments (two or more), each of them a value by rule 3, is
   one argument per line. A text that is a JSON list of as many items as the function takes (two or more) is
   the list of arguments. A function that takes none gets none from an empty text or ``[]``. Any other text is
   one argument.
3. One argument from a text, by the annotation of its parameter:
   ``str``: a quoted JSON string gives what it holds, everything else is taken as it stands;
   another annotation: its JSON value, and a quoted JSON string gives the value that it holds; where it is one
   of ``bool``, ``None``, a list, tuple or dict, also what Python writes for such a value (a tuple is a list);
   none: its JSON value, a quoted list or object gives that list or object, and what is no JSON stays text.
4. An expected text beside an input text is read by the annotation of the return value, by rule 3. Beside
   arguments that are values it is a value too: the string.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, repeat
from typing import Any

from verl_ext.grading.compare import parse_json
from verl_ext.grading.values import parse_literal

_STRINGS = frozenset(
    {"str", "Optional[str]", "str | None", "None | str", "Union[str, None]", "Union[None, str]"}
)
_NO_JSON = object()
_MODULE = re.compile(r"\b\w+\.")
_LITERAL = re.compile(r"(Optional\[)?(bool|None|[Ll]ist|[Tt]uple|[Dd]ict|Sequence|Iterable|Mapping)\b")
_TEXT_TOO = re.compile(r"\| ?str\b|^str ?\|")
# What reading a program may end with: it may nest anything, its annotations too.
_UNREADABLE = (SyntaxError, ValueError, RecursionError, MemoryError)


@dataclass(frozen=True, slots=True)
class Signature:
    """What a function takes and returns.

    Attributes:
        annotations: Of its positional parameters in order, without ``self``; None where there is none.
        num_required: How many of them have no default.
        returns: Annotation of the returned value.
        has_rest: Whether ``*args`` takes any further ones.
    """

    annotations: tuple[str | None, ...]
    num_required: int
    returns: str | None = None
    has_rest: bool = False

    def takes(self, num_arguments: int) -> bool:
        """Whether so many positional arguments can be passed."""
        return self.num_required <= num_arguments and (
            self.has_rest or num_arguments <= len(self.annotations)
        )

    @property
    def count_text(self) -> str:
        """How many can be passed, in words: ``1 argument``, ``1 to 3 arguments``, ``2 or more arguments``."""
        least, most = self.num_required, len(self.annotations)
        if self.has_rest:
            return f"{least} or more arguments"
        count = str(most) if most == least else f"{least} to {most}"
        return f"{count} argument{'' if count == '1' else 's'}"


# Of a function of which nothing is known: one argument of any type.
UNKNOWN = Signature((None,), 1)


def find_signature(source: str, fn_name: str) -> Signature | None:
    """The signature of a function, or of the method of ``class Solution``, in a program or a header of one.

    Args:
        source: A program, or just ``def name(...):`` (a body is not needed).
        fn_name: As the cases name it; a leading ``Solution().`` does not count.
    """
    try:
        return _signature_in(_parsed(source), fn_name.rpartition(".")[2])
    except _UNREADABLE:
        return None


def defined_functions(source: str) -> list[str]:
    """Functions that a program or a header of one defines, methods as ``Class.method``.

    Methods that Python itself calls (``__init__``) do not count: a class with no other is data.
    """
    try:
        tree = _parsed(source)
    except _UNREADABLE:
        return []
    kinds = ast.FunctionDef | ast.AsyncFunctionDef
    names = []
    for node in tree.body:
        if isinstance(node, kinds):
            names.append(node.name)
        elif isinstance(node, ast.ClassDef):
            names += [
                f"{node.name}.{item.name}"
                for item in node.body
                if isinstance(item, kinds) and not item.name.startswith("__")
            ]
    return names


def _signature_in(tree: ast.Module, name: str) -> Signature | None:
    found: ast.FunctionDef | ast.AsyncFunctionDef | None = None
    is_method = False
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and node.name == "Solution":
            for item in node.body:
                if isinstance(item, ast.FunctionDef) and item.name == name:
                    found, is_method = item, not _is_static(item)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name == name:
            found, is_method = node, False
    if found is None:
        return None
    parameters = [*found.args.posonlyargs, *found.args.args][is_method:]
    num_required = max(0, len(parameters) - len(found.args.defaults))
    annotations = tuple(_text_of(parameter.annotation) for parameter in parameters)
    return Signature(annotations, num_required, _text_of(found.returns), found.args.vararg is not None)


def arguments_of(given: Any, signature: Signature) -> list[Any]:
    """The arguments of one case; see the module's rules 1 to 3."""
    if not isinstance(given, str):
        return list(given) if isinstance(given, list | tuple) else [given]
    if not signature.annotations and given.strip() in ("", "[]"):
        return []
    lines = given.strip().splitlines()
    if (
        len(lines) > 1
        and signature.takes(len(lines))
        and all(_read(line, annotation) is not _NO_JSON for line, annotation in _annotated(lines, signature))
    ):
        return _each(lines, signature)
    value = _json(given)
    if (
        isinstance(value, list)
        and len(value) > 1
        and signature.num_required > 1
        and signature.takes(len(value))
    ):
        return value
    return _each([given], signature)


def expected_of(wanted: Any, given: Any, signature: Signature) -> Any:
    """The value that the function should return for what was given; see the module's rule 4."""
    is_text = isinstance(wanted, str) and isinstance(given, str)
    return _value(wanted, signature.returns) if is_text else wanted


def _each(texts: Sequence[str], signature: Signature) -> list[Any]:
    return [_value(text, annotation) for text, annotation in _annotated(texts, signature)]


def _annotated(texts: Sequence[str], signature: Signature) -> Iterator[tuple[str, str | None]]:
    return zip(texts, chain(signature.annotations, repeat(None)), strict=False)


def _value(text: str, annotation: str | None) -> Any:
    value = _read(text, annotation)
    if value is _NO_JSON:
        return text
    if annotation is not None and _is_string(annotation):
        return value if isinstance(value, str) else text
    if isinstance(value, str):
        inner = _json(value)
        if inner is not _NO_JSON and (annotation is not None or isinstance(inner, list | dict)):
            return inner
    return value


def _read(text: str, annotation: str | None) -> Any:
    """The value of a text that is JSON, or the Python literal of what the annotation asks for."""
    value = _json(text)
    if value is not _NO_JSON or annotation is None or not _asks_for_literal(annotation):
        return value
    try:
        literal = _with_lists(parse_literal(text))
        value = _json(json.dumps(literal))
    except (ValueError, TypeError, RecursionError):
        return _NO_JSON
    # Keys that are no text would become text; other literals are more likely texts: 'a', 1_000.
    is_same = value == literal and (literal is None or isinstance(literal, bool | list | dict))
    return value if is_same else _NO_JSON


def _with_lists(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_with_lists(item) for item in value]
    if isinstance(value, dict):
        return {key: _with_lists(item) for key, item in value.items()}
    return value


def _asks_for_literal(annotation: str) -> bool:
    plain = _MODULE.sub("", annotation.strip("'\""))
    return _LITERAL.match(plain) is not None and not _TEXT_TOO.search(plain)


def _json(text: str) -> Any:
    try:
        return parse_json(text)
    except ValueError:
        return _NO_JSON


def _is_string(annotation: str) -> bool:
    return _MODULE.sub("", annotation.strip("'\"")) in _STRINGS


def _parsed(source: str) -> ast.Module:
    try:
        return ast.parse(source)
    except SyntaxError:
        # Starter code often ends with a header, behind which the body is to come.
        indent = " " * (len(source) - len(source.lstrip()) + 8)
        return ast.parse(f"{source.rstrip()}\n{indent}pass\n")


def _is_static(function: ast.FunctionDef) -> bool:
    return any(isinstance(mark, ast.Name) and mark.id == "staticmethod" for mark in function.decorator_list)


def _text_of(annotation: ast.expr | None) -> str | None:
    return None if annotation is None else ast.unparse(annotation)


def json_text(value: Any) -> str:
    """The JSON of an argument list or an expected value, as ``Case`` carries it.

    Raises:
        ValueError: When it has none.
    """
    try:
        return json.dumps(value, ensure_ascii=False)
    except (TypeError, RecursionError) as error:
        raise ValueError(f"a test case must be made of plain JSON values: {error}") from error
