"""Between the text of a case's input and a structured value: JSON arguments, or lines and tokens of stdin.

A value is made of None, bool, int, float, str and lists (and dicts for call cases). The value of a stdin
input is a list: the lines of its head, then, where some lines repeat, the list of these lines or groups of
lines, then the lines of its tail. Owns how a text is cut and put together; what the parts are like is in
``input_shapes``.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from verl_ext.grading.compare import parse_value
from verl_ext.grading.values import value_text

_INT = re.compile(r"0|-?[1-9][0-9]{0,17}")
_FLOAT = re.compile(r"-?(?:0|[1-9][0-9]{0,14})\.([0-9]{1,9})")
_MAX_HEAD_LINES, _MAX_TAIL_LINES, _MAX_GROUP_LINES = 3, 2, 4


class Form(Protocol):
    """Cuts the inputs of one problem into values and writes values as inputs."""

    def read(self, text: str) -> list[Any]:
        """The value of an input.

        Raises:
            ValueError: When the input has another form.
        """

    def write(self, value: Sequence[Any]) -> str:
        """The input of a value."""


@dataclass(frozen=True, slots=True)
class Arguments:
    """The list of arguments of a call case."""

    def read(self, text: str) -> list[Any]:
        value = parse_value(text)
        if not isinstance(value, list):
            raise ValueError("arguments must be a list")
        return value

    def write(self, value: Sequence[Any]) -> str:
        return value_text(list(value))


@dataclass(frozen=True, slots=True)
class Lines:
    """Lines of tokens: a head, groups of lines that repeat, a tail.

    Attributes:
        head: Lines before what repeats.
        group: Lines in one group; 0 when nothing repeats.
        tail: Lines after it.
        decimals: Digits after the point that floats are written with.
    """

    head: int
    group: int = 0
    tail: int = 0
    decimals: int = 0

    def read(self, text: str) -> list[Any]:
        lines = [_tokens(line) for line in _split_lines(text)]
        middle = lines[self.head : len(lines) - self.tail]
        if len(lines) < self.head + self.tail or (self.group == 0 and middle):
            raise ValueError(f"{len(lines)} lines")
        if self.group == 0:
            return lines
        if len(middle) % self.group:
            raise ValueError(f"{len(middle)} lines do not make groups of {self.group}")
        groups = (
            middle
            if self.group == 1
            else [middle[at : at + self.group] for at in range(0, len(middle), self.group)]
        )
        return [*lines[: self.head], groups, *lines[len(lines) - self.tail :]]

    def write(self, value: Sequence[Any]) -> str:
        lines = list(value)
        if self.group:
            groups = value[self.head]
            middle = groups if self.group == 1 else list(itertools.chain.from_iterable(groups))
            lines[self.head : self.head + 1] = middle
        return "\n".join(
            line if isinstance(line, str) else " ".join(map(self._token, line)) for line in lines
        )

    def _token(self, token: Any) -> str:
        return f"{token:.{self.decimals}f}" if isinstance(token, float) else str(token)


def find_form(inputs: Sequence[str], *, is_call: bool) -> Form | None:
    """The form that all inputs of a problem have; None when there is none that we know.

    stdin: the same number of lines in all, else lines that repeat as often as a number in the head says, else
    nothing but lines that repeat.
    """
    if is_call:
        return Arguments() if _reads_all(Arguments(), inputs) else None
    decimals = max((len(found) for text in inputs for found in _decimals(text)), default=0)
    counts = [len(_split_lines(text)) for text in inputs]
    if len(set(counts)) == 1:
        form = Lines(counts[0], decimals=decimals)
        return form if _reads_all(form, inputs) else None
    places = itertools.product(
        range(1, _MAX_HEAD_LINES + 1), range(_MAX_TAIL_LINES + 1), range(1, _MAX_GROUP_LINES + 1)
    )
    for head, tail, group in places:
        form = Lines(head, group, tail, decimals)
        if _reads_all(form, inputs) and _is_counted([form.read(text) for text in inputs], head):
            return form
    form = Lines(0, 1, decimals=decimals)
    return form if _reads_all(form, inputs) and _are_alike(inputs) else None


def _is_counted(values: Sequence[list[Any]], head: int) -> bool:
    """Whether the same token of the head is the number of groups in all values."""
    counting: set[tuple[int, int]] | None = None
    for value in values:
        here = {
            (line, place)
            for line in range(head)
            if isinstance(value[line], list)
            for place, token in enumerate(value[line])
            if type(token) is int and token == len(value[head])
        }
        counting = here if counting is None else counting & here
    return bool(counting)


def _are_alike(inputs: Sequence[str]) -> bool:
    """Whether all lines of all inputs have tokens of the same types: then any number of them makes sense."""
    lines = [_tokens(line) for text in inputs for line in _split_lines(text)]
    kinds = {frozenset(map(type, line)) if isinstance(line, list) else frozenset((list,)) for line in lines}
    return len(kinds) == 1 and kinds.isdisjoint((frozenset(), frozenset((list,))))


def _reads_all(form: Form, inputs: Sequence[str]) -> bool:
    """Whether what is read and written again is read as the same."""
    try:
        values = [form.read(text) for text in inputs]
        return all(form.read(form.write(value)) == value for value in values)
    except (ValueError, RecursionError):
        return False


def _split_lines(text: str) -> list[str]:
    lines = [line.rstrip() for line in text.split("\n")]
    while lines and not lines[-1]:
        lines.pop()
    return lines


def _tokens(line: str) -> list[Any] | str:
    """The tokens of a line, or the line itself where its spaces carry meaning."""
    words = line.split(" ")
    if not line or "" in words or "\t" in line:
        return line or []
    return [_value(word) for word in words]


def _value(word: str) -> Any:
    if _INT.fullmatch(word):
        return int(word)
    return float(word) if _FLOAT.fullmatch(word) else word


def _decimals(text: str) -> list[str]:
    found = (_FLOAT.fullmatch(word) for word in text.split())
    return [match.group(1) for match in found if match]
