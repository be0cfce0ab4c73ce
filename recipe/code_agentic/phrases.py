"""Sentences with alternatives: ``[Let me|I'll] run it[ now|]`` is four sentences.

Owns the notation. Alternatives stand in square brackets, may be empty and may be nested; ``{name}`` is filled
in after the choice, so that a fact may hold any character.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from random import Random

_PARTS = re.compile(r"\[|\]|\||[^][|]+")
_FACT = re.compile(r"\{(\w+)\}")
# What an empty alternative leaves behind.
_BLANKS = re.compile(r" +(?=[ .,:;?])")

# A text, or a choice between sequences.
_Part = str | tuple[tuple["_Part", ...], ...]


def phrase(template: str, rng: Random, facts: Mapping[str, object] | None = None) -> str:
    """One of the sentences of a template, every alternative equally likely, with its facts filled in."""
    text = _BLANKS.sub("", "".join(_chosen(part, rng) for part in _parsed(template)))
    return _FACT.sub(lambda match: str((facts or {})[match[1]]), text)


def num_phrases(template: str) -> int:
    """How many sentences a template has."""
    return _product(_parsed(template))


def _chosen(part: _Part, rng: Random) -> str:
    if isinstance(part, str):
        return part
    return "".join(_chosen(inner, rng) for inner in rng.choice(part))


def _product(parts: tuple[_Part, ...]) -> int:
    number = 1
    for part in parts:
        number *= 1 if isinstance(part, str) else sum(map(_product, part))
    return number


@cache
def _parsed(template: str) -> tuple[_Part, ...]:
    """The parts of a template.

    Raises:
        ValueError: When its brackets do not match.
    """
    # Of each open bracket: its alternatives so far; the first one is the template itself.
    levels: list[list[list[_Part]]] = [[[]]]
    for token in _PARTS.findall(template):
        if token == "[":
            levels.append([[]])
        elif token == "|" and len(levels) > 1:
            levels[-1].append([])
        elif token == "]" and len(levels) > 1:
            alternatives = tuple(tuple(parts) for parts in levels.pop())
            levels[-1][-1].append(alternatives)
        elif token in "]|":
            raise ValueError(f"brackets do not match: {template}")
        else:
            levels[-1][-1].append(token)
    if len(levels) > 1:
        raise ValueError(f"brackets do not match: {template}")
    return tuple(levels[0][0])
