"""How an answer is judged: options, the program in it, its grade on the cases, and what is said of it.

The entry points for users, TRL and verl are in ``reward``. Programs are run by ``verl_ext.grading``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from recipe.deepcoder.case_reading import CaseSet
from verl_ext.grading.case_choice import DEEPCODER_NUM_CASES, sample_cases
from verl_ext.grading.extract import extract_program, is_one_program, language_name
from verl_ext.grading.service import grade, grade_async
from verl_ext.grading.verdict import CaseResult, Grade
from verl_ext.sandbox.backends import E2B, configured_endpoints
from verl_ext.sandbox.languages import LANGUAGES

ENVIRONMENTS = ("local", "sandbox_fusion", "e2b")


@dataclass(frozen=True, slots=True)
class Metric:
    """One thing that was looked at: a number from 0 to 1 and what was seen."""

    score: float
    reason: str


@dataclass(frozen=True)
class DeepcoderReward(Mapping[str, Any]):
    """A reward and how it came about; also a mapping of its fields.

    Attributes:
        score: 1.0 or 0.0, less the format penalty where one is set.
        reason: One line.
        metrics: ``extracted_code`` (the program), ``passed`` (share of the cases), ``case_N`` for each case
            that was run, and ``format`` where a penalty is set.
        grade: Verdicts of the cases that were run; None when there was no program.
    """

    score: float
    reason: str
    metrics: Mapping[str, Metric]
    grade: Grade | None = None

    def __getitem__(self, name: str) -> Any:
        return self.to_dict()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.to_dict())

    def __len__(self) -> int:
        return len(self.to_dict())

    def __float__(self) -> float:
        return self.score

    def to_dict(self) -> dict[str, Any]:
        """Plain values, good for JSON."""
        metrics = {
            name: {"score": metric.score, "reason": metric.reason} for name, metric in self.metrics.items()
        }
        return {"score": self.score, "reason": self.reason, "metrics": metrics}


@dataclass(frozen=True, slots=True)
class Environment:
    """Where programs run.

    Attributes:
        name: ``local``: a server of this process's own, started when it is first needed. ``sandbox_fusion``:
            services by URL. ``e2b``: E2B.
        endpoint: ``sandbox_fusion``: one URL, or several with commas; None reads SANDBOX_FUSION_ENDPOINT.
        api_key: ``e2b``: its key; None reads E2B_API_KEY.

    Raises:
        ValueError: When the name is unknown or a value belongs to another environment.
    """

    name: str = "local"
    endpoint: str | None = None
    api_key: str | None = None

    def __post_init__(self) -> None:
        if self.name not in ENVIRONMENTS:
            raise ValueError(f"environment={self.name!r} is not one of {', '.join(ENVIRONMENTS)}")
        if self.endpoint is not None and self.name != "sandbox_fusion":
            raise ValueError(f"endpoint is for environment='sandbox_fusion', not for {self.name!r}")
        if self.api_key is not None and self.name != "e2b":
            raise ValueError(f"api_key is for environment='e2b', not for {self.name!r}")

    def where(self) -> dict[str, str | None]:
        """The arguments of ``verl_ext.grading.grade`` that say so."""
        if self.name == "sandbox_fusion":
            return {"endpoint": ",".join(configured_endpoints(self.endpoint))}
        return {"endpoint": E2B if self.name == "e2b" else None, "api_key": self.api_key}


@dataclass(frozen=True, slots=True)
class RewardOptions:
    """How the reward judges; the arguments of ``deepcoder_code_reward`` that do not change from case to case.

    Attributes:
        timeout: CPU seconds per case.
        max_cases: Cases graded at most, those of the longest inputs; None grades all.
        format_penalty: Subtracted when the answer is not exactly one fenced program, from 0 to below 1.
        stop_at_first_failure: Leave out the cases after the first that fails: the score is known.
        environment: Where programs run.

    Raises:
        ValueError: When a value is out of range.
    """

    timeout: float = 6.0
    max_cases: int | None = DEEPCODER_NUM_CASES
    format_penalty: float = 0.0
    stop_at_first_failure: bool = True
    environment: Environment = field(default_factory=Environment)

    def __post_init__(self) -> None:
        if not self.timeout > 0:
            raise ValueError(f"timeout must be above 0, got {self.timeout}")
        if self.max_cases is not None and self.max_cases < 1:
            raise ValueError(f"max_cases must be at least 1, got {self.max_cases}")
        if not 0 <= self.format_penalty < 1:
            raise ValueError(
                f"format_penalty must be from 0 to below 1, got {self.format_penalty}: a solved problem "
                "always earns more than an unsolved one"
            )


def judge_now(
    answer: str,
    case_set: CaseSet,
    options: RewardOptions,
    language: str = "python",
    signature: str | None = None,
) -> DeepcoderReward:
    """Judges one answer, also where an event loop is running, which waits for it.

    Raises:
        ValueError: When a case is malformed.
        SandboxError: When our side failed.
    """
    question = _question(answer, case_set, options, language, signature)
    return question.reward(None if question.program is None else grade(**question.arguments))


async def judge(
    answer: str,
    case_set: CaseSet,
    options: RewardOptions,
    language: str = "python",
    signature: str | None = None,
) -> DeepcoderReward:
    """Judges one answer, in any event loop.

    Raises:
        ValueError: When a case is malformed.
        SandboxError: When our side failed.
    """
    question = _question(answer, case_set, options, language, signature)
    return question.reward(None if question.program is None else await grade_async(**question.arguments))


@dataclass(frozen=True, slots=True)
class _Question:
    """What has to be known of an answer before its program is run.

    Attributes:
        program: None when the answer has none.
        arguments: Of ``grade``.
        penalty: For the form of the answer.
        metrics: Of the form, where there may be a penalty.
    """

    program: str | None
    arguments: Mapping[str, Any]
    penalty: float
    metrics: Mapping[str, Metric]

    def reward(self, found: Grade | None) -> DeepcoderReward:
        """The reward, once the program was run."""
        if self.program is None or found is None:
            reason = f"no ```{self.arguments['language']} program in the answer"
            metrics = {"extracted_code": Metric(0.0, reason), **self.metrics}
            return DeepcoderReward(0.0 - self.penalty, reason, metrics)
        failure = found.first_failure
        reason = f"all {found.total} cases passed" if failure is None else _failure_text(failure)
        metrics = {
            "extracted_code": Metric(1.0, self.program),
            "passed": Metric(found.num_passed / found.total, f"{found.num_passed} of {found.total} cases"),
            **self.metrics,
            **{
                f"case_{result.case_index}": Metric(float(result.passed), _failure_text(result))
                for result in found.results
            },
        }
        return DeepcoderReward(float(found.all_passed) - self.penalty, reason, metrics, found)


def _question(
    answer: str, case_set: CaseSet, options: RewardOptions, language: str, signature: str | None
) -> _Question:
    problem = case_set.problem
    language = problem.language if problem else language_name(language)
    if options.environment.name == "local" and language not in LANGUAGES:
        raise ValueError(f"language={language!r} is not one of {', '.join(LANGUAGES)}")
    metrics: dict[str, Metric] = {}
    penalty = 0.0
    if options.format_penalty:
        followed = is_one_program(answer, language)
        penalty = 0.0 if followed else options.format_penalty
        metrics["format"] = Metric(float(followed), "as asked" if followed else "not one fenced program")
    program = extract_program(answer, language)
    # Read in any case: without cases there is no reward, whatever the answer.
    cases = case_set.cases(program or "", signature)
    arguments = {
        "program": program,
        "cases": cases if options.max_cases is None else sample_cases(cases, num_cases=options.max_cases),
        "prelude": problem.prelude if problem else "",
        "language": language,
        "stop_at_first_failure": options.stop_at_first_failure,
        "time_limit_s": (problem.time_limit_s if problem else None) or options.timeout,
        "memory_limit_mb": problem.memory_limit_mb if problem else None,
        **options.environment.where(),
    }
    return _Question(program, arguments, penalty, metrics)


def answer_of(messages: str | Sequence[Mapping[str, Any]]) -> str:
    """The text of the last assistant message; empty when there is none."""
    if isinstance(messages, str):
        return messages
    if isinstance(messages, Mapping) or not isinstance(messages, Iterable):
        kind = type(messages).__name__
        raise ValueError(f"messages must be the answer's text or a list of messages, not {kind}")
    for message in reversed(messages):
        if message.get("role") == "assistant":
            content = message.get("content")
            if isinstance(content, str):
                return content
            parts = content if isinstance(content, list | tuple) else []
            return "".join(str(part.get("text", "")) for part in parts if isinstance(part, Mapping))
    return ""


def _failure_text(result: CaseResult) -> str:
    error = f" ({result.error.category}: {result.error.message})" if result.error else ""
    return f"case {result.case_index}: {result.verdict}{error}"[:500]
