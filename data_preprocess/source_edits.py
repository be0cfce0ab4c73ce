"""Edits of a Python program's text at places that its syntax tree or its tokens name.

Owns offsets and replacements, so that what an edit does not touch keeps its spelling. Knows no mistakes
(``slips``).
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

_LINE_END = re.compile(r"\r\n|\r|\n")


@dataclass(frozen=True, slots=True)
class Slip:
    """One edit: the characters from ``start`` to ``end`` become ``text``."""

    kind: str
    start: int
    end: int
    text: str

    def apply(self, source: str) -> str:
        return source[: self.start] + self.text + source[self.end :]

    def overlaps(self, other: Slip) -> bool:
        """True when the two edits touch; a pair that does not can be applied together."""
        return self.start <= other.end and other.start <= self.end


def line_starts(text: str) -> list[int]:
    """Offsets of the first character of every line, and the text's length last.

    Lines end as Python sees it; ``str.splitlines`` also cuts at form feeds and U+2028.
    """
    ends = [match.end() for match in _LINE_END.finditer(text)]
    return [0, *ends] if ends and ends[-1] == len(text) else [0, *ends, len(text)]


def smallest_edit(kind: str, text: str, start: int, end: int, replacement: str) -> Slip:
    """The slip that puts ``replacement`` between two offsets, without the words that stay at either end."""
    old = text[start:end]
    same = _shared(old, replacement)
    left = _shared(old[same:][::-1], replacement[same:][::-1])
    return Slip(kind, start + same, end - left, replacement[same : len(replacement) - left])


def _shared(one: str, other: str) -> int:
    """Length of the common beginning that ends with a whole word."""
    pairs = enumerate(zip(one, other, strict=False))
    length = next((index for index, (a, b) in pairs if a != b), min(len(one), len(other)))
    while (
        length
        and is_word(one[length - 1])
        and any(is_word(text[length : length + 1]) for text in (one, other))
    ):
        length -= 1
    return length


def is_word(char: str) -> bool:
    """True for a character of names and numbers; False for any other and for the empty text."""
    return char.isalnum() or char == "_"


class Source:
    """A program with its tree, its tokens, and positions as character offsets."""

    def __init__(self, text: str) -> None:
        """Parses the program.

        Raises:
            SyntaxError: When it is no Python program.
        """
        self.text = text
        self.tree = ast.parse(text)
        self._line_starts = line_starts(text)
        self.tokens = list(tokenize.generate_tokens(io.StringIO(text).readline))
        self._functions = list(self.nodes(ast.FunctionDef))
        self._variables: dict[int, list[str]] = {}

    def variables(self, node: Any) -> list[str]:
        """Names that get a value in the function around a node, sorted; outside of functions all of them."""
        around = [
            function
            for function in self._functions
            if function.lineno < node.lineno <= (function.end_lineno or 0)
        ]
        owner = around[-1] if around else self.tree
        if id(owner) not in self._variables:
            inside = list(ast.walk(owner))
            self._variables[id(owner)] = sorted(
                {n.id for n in inside if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
                | {n.arg for n in inside if isinstance(n, ast.arg) and n.arg != "self"}
            )
        return self._variables[id(owner)]

    def nodes(self, *kinds: Any) -> Iterator[Any]:
        """Nodes of the tree in source order."""
        found = [node for node in ast.walk(self.tree) if isinstance(node, kinds)]
        yield from sorted(
            found, key=lambda node: (getattr(node, "lineno", 0), getattr(node, "col_offset", 0))
        )

    def span(self, node: Any) -> tuple[int, int]:
        """First and one past last character of a node."""
        return self._offset(node.lineno, node.col_offset), self._offset(node.end_lineno, node.end_col_offset)

    def of(self, node: Any) -> str:
        """The node's source text."""
        start, end = self.span(node)
        return self.text[start:end]

    def token_span(self, token: tokenize.TokenInfo) -> tuple[int, int]:
        """First and one past last character of a token."""
        start = self._line_starts[token.start[0] - 1] + token.start[1]
        return start, start + len(token.string)

    def line_start(self, lineno: int) -> int:
        """Offset of the first character of a 1-based line."""
        return self._line_starts[lineno - 1]

    def replace(self, kind: str, node: Any, text: str) -> Slip:
        """A slip that puts ``text`` in a node's place."""
        return Slip(kind, *self.span(node), text)

    def between(self, kind: str, left: Any, right: Any, old: str, new: str) -> Iterator[Slip]:
        """A slip at an operator, which the tree does not place: it stands between two nodes."""
        start, end = self.span(left)[1], self.span(right)[0]
        at = self.text.find(old, start, end)
        if at >= 0:
            yield Slip(kind, at, at + len(old), new)

    def _offset(self, lineno: int, utf8_column: int) -> int:
        start = self._line_starts[lineno - 1]
        line = self.text[start : self._line_starts[min(lineno, len(self._line_starts) - 1)]]
        return start + (utf8_column if line.isascii() else len(line.encode()[:utf8_column].decode()))
