"""Reading test programs from left to right: what the readers of JavaScript and C++ tests share."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

_SPACE = re.compile(r"(?:\s+|//[^\n]*|/\*.*?\*/)*", re.DOTALL)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "v": "\v", "0": "\0", "a": "\a", "\n": ""}
_NUMBER = re.compile(r"[-+]?(?:0[xX][0-9a-fA-F]+|(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)")


class Scanner:
    """A text and a place in it."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    def skip_space(self) -> None:
        """Goes past white space and comments."""
        found = _SPACE.match(self.text, self.at)
        assert found is not None  # it matches the empty text
        self.at = found.end()

    def match(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        """Goes past the pattern if it is next."""
        self.skip_space()
        found = pattern.match(self.text, self.at)
        if found is not None:
            self.at = found.end()
        return found

    def take(self, word: str) -> bool:
        """Goes past a word if it is next."""
        self.skip_space()
        if not self.text.startswith(word, self.at):
            return False
        self.at += len(word)
        return True

    def need(self, word: str) -> None:
        """Goes past a word.

        Raises:
            ValueError: When something else is next.
        """
        if not self.take(word):
            raise self.unexpected(f"{word!r}")

    def items(self, closing: str, read: Callable[[], Any]) -> list[Any]:
        """What ``read`` gives for each item of a list, up to ``closing``; a comma may end the list."""
        found: list[Any] = []
        while not self.take(closing):
            if found:
                self.need(",")
                if self.take(closing):
                    break
            found.append(read())
        return found

    def number(self) -> int | float:
        """A number, exact where it is whole.

        Raises:
            ValueError: When something else is next.
        """
        found = self.match(_NUMBER)
        if found is None:
            raise self.unexpected("a number")
        text = found[0]
        if re.search(r"[.eE]", text) and "x" not in text.lower():
            return float(text)
        return int(text, 16 if "x" in text.lower() else 10)

    def string(self) -> str:
        """A text in single or double quotes.

        Raises:
            ValueError: When something else is next, or it never ends.
        """
        self.skip_space()
        quote = self.text[self.at : self.at + 1]
        if quote not in ("'", '"'):
            raise self.unexpected("a string")
        self.at += 1
        parts: list[str] = []
        while (char := self.text[self.at : self.at + 1]) != quote:
            if char in ("", "\n"):
                raise self.unexpected("the end of a string")
            self.at += 1
            parts.append(self._escaped() if char == "\\" else char)
        self.at += 1
        # Surrogate pairs that were escaped one by one.
        return "".join(parts).encode("utf-16", "surrogatepass").decode("utf-16", "replace")

    def _escaped(self) -> str:
        char = self.text[self.at : self.at + 1]
        self.at += 1
        if char in ("x", "u"):
            size = 2 if char == "x" else 4
            digits = self.text[self.at : self.at + size]
            self.at += size
            return chr(int(digits, 16))
        return _ESCAPES.get(char, char)

    def unexpected(self, wanted: str) -> ValueError:
        """The error that says what was wanted and what is there."""
        there = self.text[self.at : self.at + 60].split("\n")[0]
        return ValueError(f"{wanted} is expected at {there!r}")
