"""The state of one episode and the facts that the reward and the report read from it.

An episode is the whole conversation about one problem. The loop and the tools write to ``Episode`` while it
runs; ``EpisodeFacts`` is the frozen summary afterwards. Needs neither torch nor verl.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any, Literal

from verl_ext.grading.problem import Problem
from verl_ext.grading.verdict import Grade


class StopReason(StrEnum):
    """Why an episode ended."""

    FINAL_ANSWER = "final_answer"
    """The model answered without calling a tool."""
    MAX_TURNS = "max_turns"
    """The limit on model turns was reached."""
    MAX_RESPONSE_TOKENS = "max_response_tokens"
    """No room was left for another turn, or the model's turn was cut at the token limit."""
    OVERLONG_PROMPT = "overlong_prompt"
    """The prompt alone exceeds its limit; nothing was generated."""
    SANDBOX_FAILURE = "sandbox_failure"
    """Our side failed; the episode is void: no gradient, no part in the group's baseline."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One program the model submitted.

    Attributes:
        program: Source text.
        source: ``tool`` when submitted through the tool, ``final`` when taken from the final answer.
        turn: 0-based index of the model turn that submitted it.
        grade: Verdicts on the cases the tool ran; None for a final answer, which no tool ran.
    """

    program: str
    source: Literal["tool", "final"]
    turn: int
    grade: Grade | None = None

    @property
    def failed(self) -> bool:
        """True when the tool ran it and a case did not pass."""
        return self.grade is not None and not self.grade.all_passed


@dataclass(slots=True)
class Episode:
    """What has happened so far in one episode.

    Attributes:
        problem: What the episode is about.
        attempts: Programs submitted, in order.
        turn: 0-based index of the model turn being handled.
        num_tool_calls: Calls that a tool really ran.
        num_refused_calls: Calls answered without running: bad arguments, unknown tool, no attempts left.
        num_malformed_calls: Text that looked like a call and could not be read as one.
        num_surplus_calls: Calls beyond the limit per turn.
    """

    problem: Problem
    attempts: list[Attempt] = field(default_factory=list)
    turn: int = 0
    num_tool_calls: int = 0
    num_refused_calls: int = 0
    num_malformed_calls: int = 0
    num_surplus_calls: int = 0

    @property
    def num_failed_attempts(self) -> int:
        return sum(attempt.failed for attempt in self.attempts)

    @property
    def final_program(self) -> str | None:
        """The program that is graded: the last one submitted, None when there is none."""
        return self.attempts[-1].program if self.attempts else None


@dataclass(frozen=True, slots=True)
class EpisodeFacts:
    """What a reward may read about a finished episode; plain numbers, so that it crosses Ray and JSON.

    Attributes:
        void: True when our side failed: score nothing, train on nothing.
        hidden_passed: Hidden cases that the final program passed.
        hidden_total: Hidden cases there are; at least 1.
        first_solved_attempt: 1-based position of the first attempt that passed every hidden case, or None.
        num_attempts: Programs submitted.
        num_failed_attempts: Attempts the tool ran and found failing.
        num_tool_calls: Calls that really ran.
        num_refused_calls: See ``Episode``.
        num_malformed_calls: See ``Episode``.
        num_surplus_calls: See ``Episode``.
        num_turns: Model turns.
        num_response_tokens: Tokens the model produced.
        stop_reason: Why the episode ended.
        program_cpu_s: CPU seconds of the final program on each hidden case, of a solved episode; None where
            the sandbox does not say.
        reference_cpu_s: The same of the problem's reference program, where it was timed as well.
    """

    void: bool
    hidden_passed: int
    hidden_total: int
    first_solved_attempt: int | None
    num_attempts: int
    num_failed_attempts: int
    num_tool_calls: int
    num_refused_calls: int
    num_malformed_calls: int
    num_surplus_calls: int
    num_turns: int
    num_response_tokens: int
    stop_reason: StopReason
    program_cpu_s: tuple[float, ...] | None = None
    reference_cpu_s: tuple[float, ...] | None = None

    @property
    def solved(self) -> bool:
        """The final program passed every hidden case."""
        return not self.void and self.hidden_passed == self.hidden_total

    def to_dict(self) -> dict[str, Any]:
        """Plain values, ``solved`` included."""
        return {**asdict(self), "stop_reason": str(self.stop_reason), "solved": self.solved}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> EpisodeFacts:
        """Reads what ``to_dict`` wrote."""
        fields = {key: value for key, value in values.items() if key != "solved"}
        fields["stop_reason"] = StopReason(fields["stop_reason"])
        for name in ("program_cpu_s", "reference_cpu_s"):  # JSON knows no tuples
            if fields.get(name) is not None:
                fields[name] = tuple(fields[name])
        return cls(**fields)
