"""How a wrong answer differs from the right one: the first difference, and the slip it looks like.

Owns the comparison for hints only; whether an answer is right was decided by ``verl_ext.grading.compare``.
Returns the name of a wording in ``feedback.py`` with the facts that it needs.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from verl_ext.grading.compare import compare_stdout, parse_value

_WORDS = re.compile(r"\w+")
_PRINTS = re.compile(r"\bprint\s*\(|\bstdout\b|\bos\.write\b")
_PROMPT = re.compile(r"""\binput\s*\(\s*(["'])(.+?)\1""")
_CALLED_LATER = re.compile(r"^(?:def\s+\w+|class\s+\w+)", re.MULTILINE)
_TOP_LEVEL = re.compile(r"^(?!def\b|class\b|import\b|from\b|@|#|\"|')\S", re.MULTILINE)

Diagnosis = tuple[str, dict[str, str]]


def diagnose_stdout(program: str, actual: str, expected: str) -> Diagnosis:
    """Why printed output is wrong: (kind, facts)."""
    got, want = actual.strip(), expected.strip()
    if not got:
        if _CALLED_LATER.search(program) and not _TOP_LEVEL.search(program):
            return "never_called", {}
        return ("no_output" if _PRINTS.search(program) else "missing_print"), {}
    if any(text in got and text not in want for _, text in _PROMPT.findall(program)):
        return "input_prompt", {}
    if got.lower() == want.lower():
        return "letter_case", {}
    if got.split() == want.split():
        return ("line_breaks" if _num_lines(got) != _num_lines(want) else "spaces"), {}
    if "".join(got.split()) == "".join(want.split()):
        return "spaces", {}
    if _WORDS.findall(got) == _WORDS.findall(want) and not _differ_in_sign(got, want):
        return "separator", {}
    return _diagnose_lines(got.splitlines(), want.splitlines())


def diagnose_value(program: str, actual: str, expected: str, *, printed: str) -> Diagnosis:
    """Why a returned value is wrong: (kind, facts).

    Args:
        program: Source as the model wrote it.
        actual: Text of the returned value, or a note on a value that has none.
        expected: Text of the expected value.
        printed: What the program printed meanwhile.
    """
    want = _listed(parse_value(expected))
    if actual.startswith("undefined "):  # JavaScript's way to return nothing
        actual = "null"
    try:
        got = _listed(parse_value(actual))
    except ValueError:
        # No value: cut, or of a type that has no form as text.
        return "return_type", {"want": _type_name(want), "got": "something else"}
    if got is None and want is not None:
        if compare_stdout(printed, expected):
            return "print_not_return", {}
        return "missing_return", {}
    if type(got) is not type(want) and not {type(got), type(want)} <= {int, float, Decimal}:
        return "return_type", {"want": _type_name(want), "got": _type_name(got)}
    if isinstance(got, str):
        return _diagnose_text(got, want)
    if isinstance(got, list):
        return _diagnose_sequence(got, want)
    return _diagnose_number(got, want) or ("value_differs", {})


def _diagnose_text(got: str, want: str) -> Diagnosis:
    if got.lower() == want.lower():
        return "letter_case", {}
    if "".join(got.split()) == "".join(want.split()):
        return "spaces", {}
    if got[::-1] == want:
        return "reversed", {}
    return _diagnose_sequence(list(got), list(want))


def _diagnose_lines(got: Sequence[str], want: Sequence[str]) -> Diagnosis:
    index = next(
        (
            index
            for index, (left, right) in enumerate(zip(got, want, strict=False))
            if left.rstrip() != right.rstrip()
        ),
        min(len(got), len(want)),
    )
    if index == len(got):
        return "output_ends_early", {"line": str(index + 1)}
    if index == len(want):
        return "output_too_long", {"line": str(index + 1)}
    got_words, want_words = got[index].split(), want[index].split()
    facts = {"line": str(index + 1), "want": want[index].strip(), "got": got[index].strip()}
    if len(want_words) > 1:
        kind = _diagnose_sequence(got_words, want_words)[0]
        if kind != "value_differs":
            return kind, facts
    if len(got_words) == len(want_words):
        differing = [pair for pair in zip(got_words, want_words, strict=True) if pair[0] != pair[1]]
        kinds = {_diagnose_word(*pair) for pair in differing}
        if len(kinds) == 1 and (kind := kinds.pop()):
            return kind, facts
    return ("line_differs" if len(want) > 1 else "value_differs"), facts


def _diagnose_word(got: str, want: str) -> str:
    try:
        numbers = [float(word) if re.search(r"[.eE]", word) else int(word) for word in (got, want)]
    except ValueError:
        return ""
    found = _diagnose_number(*numbers)
    return found[0] if found else ""


def _diagnose_number(got: Any, want: Any) -> Diagnosis | None:
    if not all(type(value) in (int, float) for value in (got, want)):
        return None
    if got == -want:
        return "sign", {}
    if type(got) is type(want) is int and abs(got - want) == 1:
        return "off_by_one", {}
    if type(got) is not type(want) and abs(got - want) <= 1:
        return "rounding", {}
    if type(got) is type(want) is float and abs(got - want) <= 0.01 * max(1.0, abs(want)):
        return "rounding", {}
    return None


def _diagnose_sequence(got: Sequence[Any], want: Sequence[Any]) -> Diagnosis:
    if got and len(got) + 1 == len(want):
        if list(got) == list(want[:-1]):
            return "misses_last", {}
        if list(got) == list(want[1:]):
            return "misses_first", {}
    if len(got) == len(want) + 1 and list(want) in (list(got[:-1]), list(got[1:])):
        return "one_too_many", {}
    if list(got) == list(reversed(want)):
        return "reversed", {}
    if len(got) == len(want) and sorted(map(repr, got)) == sorted(map(repr, want)):
        return "order", {}
    if got and len(got) == len(want):
        kinds = [
            _diagnose_number(left, right) for left, right in zip(got, want, strict=True) if left != right
        ]
        first = kinds[0] if kinds else None
        if first is not None and all(kind == first for kind in kinds):
            return first
    return "value_differs", {}


def _differ_in_sign(got: str, want: str) -> bool:
    return got.count("-") != want.count("-")


def _num_lines(text: str) -> int:
    return len(text.splitlines())


def _listed(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _type_name(value: Any) -> str:
    names = {
        type(None): "None",
        dict: "a dict",
        list: "a list",
        set: "a set",
        str: "a string",
        bytes: "bytes",
        bool: "True or False",
    }
    return names.get(type(value), "a number")
