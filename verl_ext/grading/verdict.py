"""Verdicts and grades: what happened to a program.

A verdict is always about the program. Anything that went wrong on our side (a sandbox that can't be
reached, a reply that makes no sense) is an exception of ``verl_ext.sandbox.errors`` and never a verdict.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """What happened to a program on one case."""

    PASSED = "passed"
    WRONG_ANSWER = "wrong_answer"
    RUNTIME_ERROR = "runtime_error"
    TIME_LIMIT = "time_limit"
    MEMORY_LIMIT = "memory_limit"
    OUTPUT_LIMIT = "output_limit"
    COMPILE_ERROR = "compile_error"


@dataclass(frozen=True, slots=True)
class ProgramError:
    """The error a program ended with.

    Attributes:
        category: Exception class name (``NameError``, ``SyntaxError``, ...) or ``ExitCode`` / ``Signal``.
        message: The exception's own text, one line.
        line: 1-based line in the program as the model wrote it; None when unknown.
        source_line: Text of that line, stripped; empty when unknown.
    """

    category: str
    message: str
    line: int | None = None
    source_line: str = ""


@dataclass(frozen=True, slots=True)
class CaseResult:
    """One program on one case.

    Attributes:
        case_index: Position of the case in the sequence that was graded.
        verdict: What happened.
        actual: What the program printed, or the JSON (else ``repr``) of what it returned; may be cut.
        stderr: What the program wrote to standard error, and for ``call`` cases what it printed.
        error: Set for runtime and compile errors.
        execution_time_s: Wall-clock seconds.
        output_truncated: True when the sandbox cut the output.
        cpu_time_s: CPU seconds of the run; None when the sandbox does not say.
    """

    case_index: int
    verdict: Verdict
    actual: str = ""
    stderr: str = ""
    error: ProgramError | None = None
    execution_time_s: float = 0.0
    output_truncated: bool = False
    cpu_time_s: float | None = None

    @property
    def passed(self) -> bool:
        return self.verdict is Verdict.PASSED


@dataclass(frozen=True, slots=True)
class Grade:
    """The verdicts of one program on a set of cases.

    Attributes:
        results: One per case that was run, in case order.
        total: Number of cases asked for; larger than ``len(results)`` after an early stop.

    Raises:
        ValueError: When there is nothing to grade (no tests, no reward).
    """

    results: tuple[CaseResult, ...]
    total: int

    def __post_init__(self) -> None:
        if not self.results or self.total < len(self.results):
            raise ValueError("an empty grade: a program must be run on at least one case")

    @property
    def num_passed(self) -> int:
        return sum(result.passed for result in self.results)

    @property
    def all_passed(self) -> bool:
        """True only when every case that was asked for was run and passed."""
        return self.num_passed == self.total

    @property
    def first_failure(self) -> CaseResult | None:
        return next((result for result in self.results if not result.passed), None)
