"""Mistakes in programs of languages that are written like C: found among their tokens, without a parser.

Covers C++ and JavaScript (and C, Java, Go, ... as far as their tokens are the same). A slip may break what a
parser would have kept apart (a ``<`` that opens template arguments); a run tells. Python has its own finders.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from data_preprocess.source_edits import Slip

LANGUAGES = frozenset(("cpp", "nodejs"))

_TOKEN = re.compile(
    r"""(?P<skip>//[^\n]*|/\*.*?\*/|^[ \t]*\#[^\n]*|`(?:[^`\\]|\\.)*`
          |(?<=[(,=:\[!&|?{;+])\s*/(?![*/ ])(?:[^/\n\\]|\\.)+/[a-z]*)
      | (?P<text>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')
      | (?P<number>\b\d[\w.]*)
      | (?P<word>[A-Za-z_$][\w$]*)
      | (?P<operator>===|!==|>>>=?|<<=|>>=|\.\.\.|=>|->|::|\+\+|--|&&|\|\||[-+*/%&|^<>=!]=|<<|>>|\S)
    """,
    re.VERBOSE | re.MULTILINE | re.DOTALL,
)
_FLIPS = {
    "<": ("<=", ">"), "<=": ("<", ">="), ">": (">=", "<"), ">=": (">", "<="),
    "==": ("!=",), "!=": ("==",), "===": ("!==",), "!==": ("===",),
}  # fmt: skip
_SWAPS = {"+": "-", "-": "+", "*": "+", "/": "*", "%": "/", "&&": "||", "||": "&&", "&": "|", "|": "&"}
_UPDATES = {"+=": ("-=", "="), "-=": ("+=",), "*=": ("+=",), "++": ("--",), "--": ("++",)}
_FUNCTIONS = {
    "min": "max", "max": "min", "floor": "ceil", "ceil": "floor", "push": "unshift", "pop": "shift",
    "shift": "pop", "indexOf": "lastIndexOf", "begin": "end", "toUpperCase": "toLowerCase",
    "toLowerCase": "toUpperCase",
    "every": "some", "some": "every", "toupper": "tolower", "tolower": "toupper",
    "lower_bound": "upper_bound",
    "upper_bound": "lower_bound", "greater": "less", "less": "greater",
}  # fmt: skip
# Names after which ``<`` opens template arguments.
_TEMPLATES = frozenset(
    ("vector", "map", "set", "pair", "queue", "priority_queue", "deque", "stack", "list", "array",
     "tuple", "function", "template", "numeric_limits", "static_cast", "greater", "less", "complex",
     "bitset", "optional", "unique_ptr", "shared_ptr", "hash")
)  # fmt: skip
_KEYWORDS = frozenset(
    ("auto", "bool", "break", "case", "catch", "char", "class", "const", "constexpr", "continue",
     "default", "delete", "do", "double", "else", "enum", "export", "extends", "false", "final",
     "float", "for", "from", "function", "if", "import", "in", "include", "inline", "instanceof", "int",
     "let", "long", "namespace", "new", "nullptr", "null", "of", "operator", "private", "public",
     "return", "short", "signed", "size_t", "sizeof", "static", "std", "string", "struct", "super",
     "switch", "template", "this", "throw", "true", "try", "typedef", "typename", "typeof", "undefined",
     "unsigned", "using", "var", "vector", "void", "while", "yield", "async", "await")
)  # fmt: skip
_DECLARES = frozenset(
    ("auto", "bool", "char", "const", "double", "float", "int", "let", "long", "short", "size_t",
     "string", "unsigned", "var")
)  # fmt: skip

KINDS = (
    "comparison_flip", "operator_swap", "wrong_constant", "wrong_update", "wrong_function", "wrong_variable",
    "name_error", "missing_update", "missing_return", "syntax_bracket", "syntax_semicolon",
    "swapped_arguments",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    start: int
    end: int


def find_token_slips(program: str, language: str) -> list[Slip]:
    """Every slip that can be made, each giving another text; ``language`` is one of ``LANGUAGES``."""
    tokens = _tokens(program)
    finders = (_operators, _words, _constants, _statements, _brackets, _arguments)
    slips: dict[str, Slip] = {}
    for finder in finders:
        for slip in finder(program, tokens):
            broken = slip.apply(program)
            # JavaScript puts the semicolon in by itself.
            if broken != program and not (slip.kind == "syntax_semicolon" and language == "nodejs"):
                slips.setdefault(broken, slip)
    return list(slips.values())


def _tokens(program: str) -> list[_Token]:
    """The tokens without comments, preprocessor lines, regular expressions, and template arguments."""
    tokens: list[_Token] = []
    depth = 0
    for match in _TOKEN.finditer(program):
        kind = match.lastgroup or ""
        if kind == "skip":
            continue
        token = _Token(kind, match.group(kind), match.start(kind), match.end(kind))
        opens = token.text == "<" and bool(tokens) and _is_template(tokens[-1].text)
        if depth or opens:
            depth += {"<": 1, ">": -1, ">>": -2}.get(token.text, 0)
            depth = max(depth, 0)
            tokens.append(_Token("template", token.text, token.start, token.end))
        else:
            tokens.append(token)
    return tokens


def _is_template(name: str) -> bool:
    return name.removeprefix("unordered_").removeprefix("multi") in _TEMPLATES


def _operators(program: str, tokens: Sequence[_Token]) -> Iterator[Slip]:
    for before, token in pairwise(tokens):
        if token.kind != "operator":
            continue
        binary = before.kind in ("word", "number", "text") or before.text in (")", "]")
        if binary and before.text not in _KEYWORDS:
            for flip in _FLIPS.get(token.text, ()):
                yield Slip("comparison_flip", token.start, token.end, flip)
            if token.text in _SWAPS:
                yield Slip("operator_swap", token.start, token.end, _SWAPS[token.text])
        for update in _UPDATES.get(token.text, ()):
            if not (update == "=" and program[token.end : token.end + 1] == "="):
                yield Slip("wrong_update", token.start, token.end, update)


def _words(program: str, tokens: Sequence[_Token]) -> Iterator[Slip]:
    variables = _variables(tokens)
    for index, token in enumerate(tokens):
        if token.kind != "word" or token.text in _KEYWORDS:
            continue
        before = tokens[index - 1].text if index else ""
        if token.text in _FUNCTIONS:
            yield Slip("wrong_function", token.start, token.end, _FUNCTIONS[token.text])
        if token.text not in variables or before in (".", "->", "::") or _declares(tokens, index):
            continue
        for other in [name for name in variables if name != token.text][:4]:
            yield Slip("wrong_variable", token.start, token.end, other)
        name = token.text
        typo = name[:-2] + name[-1] + name[-2] if len(name) > 2 else name + name[-1]
        if typo not in variables and typo != name:
            yield Slip("name_error", token.start, token.end, typo)


def _variables(tokens: Sequence[_Token]) -> list[str]:
    """Names that are declared or assigned somewhere, sorted."""
    names = set()
    for index, token in enumerate(tokens):
        after = tokens[index + 1].text if index + 1 < len(tokens) else ""
        named = token.kind == "word" and token.text not in _KEYWORDS and after != "("
        if named and (_declares(tokens, index) or after == "="):
            names.add(token.text)
    return sorted(names)


def _declares(tokens: Sequence[_Token], index: int) -> bool:
    before = tokens[index - 1] if index else None
    return before is not None and (before.text in _DECLARES or before.kind == "template")


def _constants(program: str, tokens: Sequence[_Token]) -> Iterator[Slip]:
    for token in tokens:
        if token.kind == "number" and token.text.isdigit() and len(token.text) < 10:
            value = int(token.text)
            yield Slip("wrong_constant", token.start, token.end, str(value + 1))
            yield Slip("wrong_constant", token.start, token.end, str(abs(value - 1)))


def _statements(program: str, tokens: Sequence[_Token]) -> Iterator[Slip]:
    """A line that is one statement, left out; a returned value that is only computed; a lost semicolon."""
    for index, token in enumerate(tokens):
        if token.kind == "operator" and token.text == ";":
            after = program[token.end : program.find("\n", token.end) + 1 or len(program)]
            if not after.strip():
                yield Slip("syntax_semicolon", token.start, token.end, "")
                start = program.rfind("\n", 0, token.start) + 1
                yield from _removed(program, tokens, index, start, token.end + len(after))
        if token.text == "return" and index + 1 < len(tokens) and tokens[index + 1].text not in (";", "{"):
            yield Slip("missing_return", token.start, tokens[index + 1].start, "")


def _removed(program: str, tokens: Sequence[_Token], last: int, start: int, end: int) -> Iterator[Slip]:
    line = [token for token in tokens[max(0, last - 40) : last + 1] if token.start >= start]
    previous = next((token for token in reversed(tokens[:last]) if token.start < start), None)
    alone = previous is not None and previous.text in (";", "{", "}")
    if not line or not alone or line[0].text in _KEYWORDS or line[0].text in ("}", ")"):
        return
    if sum({"(": 1, ")": -1, "{": 1, "}": -1}.get(token.text, 0) for token in line):
        return
    if any(token.text in ("=", "(", "++", "--") or token.text in _UPDATES for token in line):
        yield Slip("missing_update", start, end, "")


def _brackets(program: str, tokens: Sequence[_Token]) -> Iterator[Slip]:
    for token in tokens:
        if token.kind == "operator" and token.text in (")", "]", "}"):
            yield Slip("syntax_bracket", token.start, token.end, "")


def _arguments(program: str, tokens: Sequence[_Token]) -> Iterator[Slip]:
    """``f(a, b)`` with two plain arguments, and ``a - b``: the wrong way round."""
    for index in range(1, len(tokens) - 4):
        name, opened, left, middle, right, closed = tokens[index - 1 : index + 5]
        plain = {left.kind, right.kind} <= {"word", "number", "text"}
        if plain and name.kind == "word" and (opened.text, middle.text, closed.text) == ("(", ",", ")"):
            yield Slip("swapped_arguments", left.start, right.end, f"{right.text}, {left.text}")
