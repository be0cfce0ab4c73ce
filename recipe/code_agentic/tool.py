"""The debugging tool: runs a program on the public cases and answers with verdicts and a hint.

Owns the checks of the model's arguments, the count of attempts and what is shown of a case. Wording is in
``feedback.py``, diagnosis in ``hints.py``, running in ``verl_ext.grading``. Hidden cases are never read here.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from recipe.code_agentic.feedback import STYLES, AnswerFacts, note_text, refusal_text, render_answer
from recipe.code_agentic.hints import suggest
from recipe.code_agentic.language_hints import display_name
from verl_ext.agent_loop.episode import Attempt, Episode
from verl_ext.grading.extract import extract_program, language_name
from verl_ext.grading.grader import Grader
from verl_ext.grading.problem import Case, Problem
from verl_ext.tools.tool import ToolAnswer

_PARAMETERS = ("code", "test_case_index", "timeout", "language")


@dataclass(frozen=True, slots=True)
class ToolConfig:
    """How the tool behaves; the ``config`` of its entry in configs/tools/*.yaml.

    Attributes:
        default_timeout: Most CPU seconds per case; also used when the model names none. The problem's own
            limit, by which the program is graded in the end, is never exceeded.
        max_debug_attempts: Failed attempts per episode; later calls are refused.
        enable_debug_prints: Show what the program wrote to standard error (for ``call`` cases: printed).
        style: Wording, ``full`` or ``brief``.
        max_value_chars: Characters shown of each input, expected and actual value.
        max_shown_failures: Failed cases shown with their values; the others with their verdict only.
        stop_at_first_failure: Do not run the public cases after the first that fails.

    Raises:
        ValueError: When a value is out of range.
    """

    default_timeout: float = 30
    max_debug_attempts: int = 5
    enable_debug_prints: bool = True
    style: str = "full"
    max_value_chars: int = 500
    max_shown_failures: int = 3
    stop_at_first_failure: bool = False

    def __post_init__(self) -> None:
        if self.style not in STYLES:
            raise ValueError(f"style must be one of {', '.join(STYLES)}, got {self.style!r}")
        for name in ("enable_debug_prints", "stop_at_first_failure"):
            if not isinstance(getattr(self, name), bool):
                raise ValueError(f"{name} must be true or false, got {getattr(self, name)!r}")
        for name in ("max_debug_attempts", "max_value_chars", "max_shown_failures"):
            value = getattr(self, name)
            if type(value) is not int or value < 1:
                raise ValueError(f"{name} must be a whole number of at least 1, got {value!r}")
        if not _is_seconds(self.default_timeout):
            raise ValueError(f"default_timeout must be a positive number, got {self.default_timeout!r}")


@dataclass(frozen=True, slots=True)
class _Call:
    """A call whose arguments make sense."""

    program: str
    cases: tuple[tuple[int, Case], ...]
    timeout_s: float
    notes: tuple[str, ...]


class _Refused(Exception):
    """The call can't be run; its text says why, for the model."""


class EnhancedCodeAgenticTool:
    """``enhanced_code_agentic_tool(code, test_case_index=None, timeout=None, language="python")``."""

    config_type: ClassVar[type[ToolConfig]] = ToolConfig

    def __init__(self, config: ToolConfig, schema: Mapping[str, Any], grader: Grader) -> None:
        """Wires the tool.

        Args:
            config: How it behaves.
            schema: OpenAI function schema; its function name is the tool's.
            grader: Runs programs; stays the caller's to close.
        """
        self.name: str = schema["function"]["name"]
        self.schema = schema
        self._config = config
        self._grader = grader

    async def call(self, arguments: Mapping[str, Any], episode: Episode) -> ToolAnswer:
        """Runs the program on the public cases, or on the one asked for, and answers in text.

        A call that ran adds an ``Attempt`` to the episode; one that did not is counted as refused.

        Raises:
            verl_ext.sandbox.errors.SandboxError: When our side failed; the episode is left as it was.
        """
        try:
            call = self._read(arguments, episode)
        except _Refused as refusal:
            episode.num_refused_calls += 1
            return ToolAnswer(str(refusal), ran=False)
        problem, config = episode.problem, self._config
        grade = await self._grader.grade(
            call.program,
            [case for _, case in call.cases],
            prelude=problem.prelude,
            language=problem.language,
            stop_at_first_failure=config.stop_at_first_failure,
            time_limit_s=call.timeout_s,
            memory_limit_mb=problem.memory_limit_mb,
        )
        episode.num_tool_calls += 1
        episode.attempts.append(Attempt(call.program, "tool", episode.turn, grade))
        failure = grade.first_failure
        suggestion = ""
        if failure is not None:
            case = call.cases[failure.case_index][1]
            suggestion = suggest(call.program, failure, case, config.style, problem.language)
        facts = AnswerFacts(
            cases=call.cases,
            grade=grade,
            suggestion=suggestion,
            notes=call.notes,
            attempts_left=config.max_debug_attempts - episode.num_failed_attempts,
            max_attempts=config.max_debug_attempts,
            max_value_chars=config.max_value_chars,
            max_shown_failures=config.max_shown_failures,
            show_debug_prints=config.enable_debug_prints,
        )
        return ToolAnswer(render_answer(config.style, facts), ran=True, shows_verdicts=True)

    def _read(self, arguments: Mapping[str, Any], episode: Episode) -> _Call:
        """Checks the arguments of a call.

        Raises:
            _Refused: When it can't be run.
        """
        problem, config = episode.problem, self._config
        if episode.num_failed_attempts >= config.max_debug_attempts:
            raise self._refusal("no_attempts_left", limit=config.max_debug_attempts)
        public = problem.public_cases
        if not public:
            raise self._refusal("no_public_case")
        notes: list[str] = []
        program = arguments.get("code")
        if not isinstance(program, str) or not program.strip():
            raise self._refusal("no_code")
        language = arguments.get("language")
        if language is not None and language_name(str(language)) != problem.language:
            raise self._refusal("bad_language", language=display_name(problem.language))
        cases = tuple(enumerate(public))
        index = arguments.get("test_case_index")
        if index is not None:
            if type(index) is not int or not 0 <= index < len(public):
                raise self._refusal("bad_index", last=len(public) - 1)
            cases = (cases[index],)
        if program.lstrip().startswith("```"):
            fenced = extract_program(program, problem.language)
            if fenced is not None:
                program = fenced
                notes.append(note_text(config.style, "fence"))
        timeout_s, note = self._read_timeout(arguments.get("timeout"), problem)
        if note:
            notes.append(note)
        unknown = sorted(str(name) for name in arguments if name not in _PARAMETERS)
        if unknown:
            notes.append(note_text(config.style, "unknown_arguments", names=", ".join(unknown)[:200]))
        return _Call(program, cases, timeout_s, tuple(notes))

    def _read_timeout(self, asked: Any, problem: Problem) -> tuple[float, str]:
        """CPU seconds per case, and what has to be said when they are not those that were asked for."""
        config = self._config
        problem_limit_s = problem.time_limit_s or self._grader.limits.time_s
        longest_s = min(config.default_timeout, problem_limit_s)
        if asked is None:
            return longest_s, ""
        if not _is_seconds(asked) or asked > config.default_timeout:
            used, limit = f"{longest_s:g}", f"{config.default_timeout:g}"
            return longest_s, note_text(config.style, "timeout", limit=limit, used=used)
        if asked > problem_limit_s:
            return problem_limit_s, note_text(config.style, "timeout_cut", limit=f"{problem_limit_s:g}")
        return asked, ""

    def _refusal(self, kind: str, **facts: object) -> _Refused:
        return _Refused(refusal_text(self._config.style, kind, **facts))


def _is_seconds(value: Any) -> bool:
    return type(value) in (int, float) and 0 < value < math.inf
