"""One line of the conformance table: what a model wrote, the cases, and the verdict that is right."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Literal

from verl_ext.grading.problem import Case
from verl_ext.grading.verdict import Verdict

Group = Literal["must pass", "must fail", "must not be gamed"]
FENCE = "```"


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table.

    Attributes:
        name: What is peculiar about it; unique in its group and kind.
        group: ``must pass``, ``must fail`` or ``must not be gamed``.
        program: Source text.
        cases: All of one kind; empty in the row that says that nothing passes without a test.
        verdict: Of the first case that does not pass, else ``passed``; None: anything but ``passed``.
        message: The model's whole message; empty for the program in a fence and nothing else.
    """

    name: str
    group: Group
    program: str
    cases: tuple[Case, ...]
    verdict: Verdict | None
    message: str = ""

    @property
    def completion(self) -> str:
        """What a grader gets to see."""
        return self.message or f"{FENCE}python\n{self.program}\n{FENCE}\n"

    @property
    def kind(self) -> str:
        """``stdin`` or ``call``."""
        return self.cases[0].kind if self.cases else "stdin"

    @property
    def passes(self) -> bool:
        """Whether the program is right."""
        return self.group == "must pass"

    def to_json(self) -> str:
        """One JSON line for graders that are not written in Python."""
        cases = [
            {"input": case.input, "expected": case.expected, "fn_name": case.fn_name} for case in self.cases
        ]
        verdict = "not passed" if self.verdict is None else self.verdict.value
        return json.dumps(
            {
                "name": self.name,
                "group": self.group,
                "completion": self.completion,
                "cases": cases,
                "verdict": verdict,
            },
            ensure_ascii=False,
        )


def stdin_row(name: str, program: str, stdin: str, expected: str, verdict: Verdict | None = None) -> Row:
    """A program that reads and prints; it must pass unless a verdict says otherwise."""
    right = verdict or Verdict.PASSED
    group: Group = "must pass" if right is Verdict.PASSED else "must fail"
    return Row(name, group, program.strip("\n"), (Case(stdin, expected),), right)


def call_row(
    name: str, program: str, arguments: list[Any], expected: Any, verdict: Verdict | None = None
) -> Row:
    """A function ``f`` that is called; it must pass unless a verdict says otherwise."""
    right = verdict or Verdict.PASSED
    group: Group = "must pass" if right is Verdict.PASSED else "must fail"
    case = Case(json.dumps(arguments), json.dumps(expected), "f")
    return Row(name, group, program.strip("\n"), (case,), right)


def gamed(name: str, program: str, case: Case) -> Row:
    """A program that tries to pass without being right."""
    return Row(name, "must not be gamed", program.strip("\n"), (case,), None)
