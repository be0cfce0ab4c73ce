"""Edits of a Python program's text at places that its syntax tree or its tokens name.

Owns offsets and replacements, so that what an edit does not touch keeps its spelling. Knows no mistakes
(``slips``).
"""

from __future__ import annotations

import ast
import io
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any


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


class Source:
    """A program with its tree, its tokens, and positions as character offsets."""

    def __init__(self, text: str) -> None:
        """Parses the program.

        Raises:
            SyntaxError: When it is no Python program.
        """
        self.text = text
        self.tree = ast.parse(text)
        self._lines = text.splitlines(keepends=True)
        self._line_starts = [0]
        for line in self._lines:
            self._line_starts.append(self._line_starts[-1] + len(line))
        self.tokens = list(tokenize.generate_tokens(io.StringIO(text).readline))
        self.names = sorted(
            {node.id for node in self.nodes(ast.Name) if isinstance(node.ctx, ast.Store)}
            | {node.arg for node in self.nodes(ast.arg) if node.arg != "self"}
        )

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
        line = self._lines[lineno - 1] if lineno <= len(self._lines) else ""
        return self._line_starts[lineno - 1] + len(line.encode()[:utf8_column].decode())
