"""DeepCoder's sparse reward: 1.0 when every (sampled) case passes, else 0.0.

    from recipe.deepcoder.reward import deepcoder_code_reward

    answer = "```python\nprint(int(input()) * 2)\n```"
    reward = deepcoder_code_reward(answer, [{"input": "3", "output": "6"}])
    reward.score, reward.reason  # (1.0, 'all 1 cases passed')

Alone, on TRL (``trl_reward``) and on verl (``compute_score``) it is the same judgement. No code, an error, a
limit or a wrong answer is 0.0. A sandbox that fails is none of these: it raises, and TRL gets None. Imports
neither torch nor verl nor TRL, and starts nothing before the first program is run.

Source: DeepCoder (Agentica and Together, 2025): sparse outcome reward, the 15 cases of the longest inputs.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from recipe.deepcoder.case_reading import CaseSet, read_cases
from recipe.deepcoder.grading_service import Environment, service
from verl_ext.agent_loop.episode import EpisodeFacts
from verl_ext.grading.extract import extract_program, is_one_program
from verl_ext.grading.grader import Grader
from verl_ext.grading.problem import Case
from verl_ext.grading.verdict import CaseResult, Grade
from verl_ext.sandbox.errors import SandboxError

MAX_CASES = 15
_LANGUAGE_NAMES = {"py": "python", "python3": "python", "javascript": "nodejs", "js": "nodejs", "c++": "cpp"}


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
    max_cases: int | None = MAX_CASES
    format_penalty: float = 0.0
    stop_at_first_failure: bool = True
    environment: Environment = field(default_factory=Environment)

    def __post_init__(self) -> None:
        self.environment.check()
        if not self.timeout > 0:
            raise ValueError(f"timeout must be above 0, got {self.timeout}")
        if self.max_cases is not None and self.max_cases < 1:
            raise ValueError(f"max_cases must be at least 1, got {self.max_cases}")
        if not 0 <= self.format_penalty < 1:
            raise ValueError(
                f"format_penalty must be from 0 to below 1, got {self.format_penalty}: a solved problem "
                "always earns more than an unsolved one"
            )


def deepcoder_code_reward(
    messages: str | Sequence[Mapping[str, Any]],
    ground_truth: Any = None,
    test_cases: Any = None,
    language: str = "python",
    timeout: float = 6.0,
    environment: str = "local",
    api_key: str | None = None,
    target_function: str | None = None,
    *,
    endpoint: str | None = None,
    signature: str | None = None,
    max_cases: int | None = MAX_CASES,
    format_penalty: float = 0.0,
    stop_at_first_failure: bool = False,
) -> DeepcoderReward:
    """Judges an answer, here and now; also where an event loop is running, as in a notebook.

    Args:
        messages: A conversation, of which the last assistant message is the answer, or the answer's text.
        ground_truth: Test cases in any form of ``case_reading``.
        test_cases: The same under another name; exactly one of the two.
        language: Of the program.
        timeout: CPU seconds per case; a stored problem's own limit wins.
        environment: ``local``, ``sandbox_fusion`` or ``e2b``, see ``grading_service``.
        api_key: E2B's.
        target_function: Function that the cases call; None takes the cases' own, else they are of stdin.
        endpoint: URL of SandboxFusion, or several with commas.
        signature: Header of the target function, which says how texts are meant (``target_arguments``).
        max_cases: Cases graded at most, those of the longest inputs; None grades all.
        format_penalty: Subtracted when the answer is not exactly one fenced program.
        stop_at_first_failure: Leave out the cases after the first that fails.

    Raises:
        ValueError: When there are no test cases, or an argument makes no sense.
        SandboxError: When our side failed; never because of the program.
    """
    if (ground_truth is None) == (test_cases is None):
        raise ValueError("give exactly one of ground_truth and test_cases")
    options = RewardOptions(
        timeout, max_cases, format_penalty, stop_at_first_failure, Environment(environment, endpoint, api_key)
    )
    cases = read_cases(test_cases if ground_truth is None else ground_truth, target_function)
    answer = answer_of(messages)
    running = service(options.environment)
    return running.loop.run(judge(running.grader, answer, cases, options, language, signature))


async def judge(
    grader: Grader,
    answer: str,
    case_set: CaseSet,
    options: RewardOptions,
    language: str = "python",
    signature: str | None = None,
) -> DeepcoderReward:
    """Judges one answer with a grader of the running loop.

    Raises:
        ValueError: When a case is malformed.
        SandboxError: When our side failed.
    """
    problem = case_set.problem
    language = problem.language if problem else _LANGUAGE_NAMES.get(language.lower(), language.lower())
    metrics: dict[str, Metric] = {}
    penalty = 0.0
    if options.format_penalty:
        followed = is_one_program(answer, language)
        penalty = 0.0 if followed else options.format_penalty
        metrics["format"] = Metric(float(followed), "as asked" if followed else "not one fenced program")
    program = extract_program(answer, language)
    # Read in any case: without cases there is no reward, whatever the answer.
    cases = longest_inputs(case_set.cases(program or "", signature), options.max_cases)
    if program is None:
        reason = f"no ```{language} program in the answer"
        return DeepcoderReward(0.0 - penalty, reason, {"extracted_code": Metric(0.0, reason), **metrics})
    grade = await grader.grade(
        program,
        cases,
        prelude=problem.prelude if problem else "",
        language=language,
        stop_at_first_failure=options.stop_at_first_failure,
        time_limit_s=(problem.time_limit_s if problem else None) or options.timeout,
        memory_limit_mb=problem.memory_limit_mb if problem else None,
    )
    failure = grade.first_failure
    reason = f"all {grade.total} cases passed" if failure is None else _failure_text(failure)
    metrics = {
        "extracted_code": Metric(1.0, program),
        "passed": Metric(grade.num_passed / grade.total, f"{grade.num_passed} of {grade.total} cases"),
        **metrics,
        **{
            f"case_{result.case_index}": Metric(float(result.passed), _failure_text(result))
            for result in grade.results
        },
    }
    return DeepcoderReward(float(grade.all_passed) - penalty, reason, metrics, grade)


def longest_inputs(cases: Sequence[Case], max_cases: int | None) -> tuple[Case, ...]:
    """The cases of the longest inputs, in their own order; None keeps all."""
    if max_cases is None or len(cases) <= max_cases:
        return tuple(cases)
    ranked = sorted(range(len(cases)), key=lambda index: -len(cases[index].input))
    return tuple(cases[index] for index in sorted(ranked[:max_cases]))


def answer_of(messages: str | Sequence[Mapping[str, Any]]) -> str:
    """The text of the last assistant message; empty when there is none."""
    if isinstance(messages, str):
        return messages
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


async def compute_score(
    data_source: str,
    solution_str: str,
    ground_truth: Any,
    extra_info: Mapping[str, Any] | None = None,
    *,
    timeout: float = 6.0,
    max_cases: int | None = MAX_CASES,
    format_penalty: float = 0.0,
    environment: str = "local",
    endpoint: str | None = None,
    **verl_arguments: Any,
) -> dict[str, float]:
    """verl's ``reward.custom_reward_function``.

    In this project's agent loop the program was run where the episode ran, on the sandbox of the run, and the
    verdicts come in ``extra_info["episode"]``. In verl's own loops the answer is judged here.

    Args:
        data_source: Not used.
        solution_str: The answer.
        ground_truth: Test cases in any form of ``case_reading``.
        extra_info: May hold ``episode`` (then also ``language``), ``target_function`` and ``signature``.
        timeout: As in ``RewardOptions``, like the following.
        max_cases: Cases graded at most.
        format_penalty: Subtracted when the answer is not exactly one fenced program.
        environment: Where programs run.
        endpoint: URL of SandboxFusion.
        verl_arguments: What verl passes on top (a reward router's address).

    Returns:
        ``score``, ``solved`` and ``passed`` (share of the cases); all floats.

    Raises:
        ValueError: When there are no test cases.
        SandboxError: When our side failed: verl then leaves the group out.
    """
    options = RewardOptions(timeout, max_cases, format_penalty, True, Environment(environment, endpoint))
    extra = extra_info or {}
    if "episode" in extra:
        facts = EpisodeFacts.from_dict(dict(extra["episode"]))
        score = float(facts.solved)
        if format_penalty and not is_one_program(solution_str, extra["language"]):
            score -= format_penalty
        passed = facts.hidden_passed / facts.hidden_total
        return {"score": score, "solved": float(facts.solved), "passed": passed}
    cases = read_cases(ground_truth, extra.get("target_function"))
    running = await asyncio.to_thread(service, options.environment)
    work = judge(running.grader, solution_str, cases, options, signature=extra.get("signature"))
    reward = await running.loop.arun(work)
    grade = reward.grade
    return {
        "score": reward.score,
        "solved": float(grade is not None and grade.all_passed),
        "passed": grade.num_passed / grade.total if grade else 0.0,
    }


class TrlReward(Protocol):
    """What TRL calls; ``columns`` are the data set's, one value per completion."""

    def __call__(
        self, prompts: Sequence[Any], completions: Sequence[Any], **columns: Any
    ) -> Awaitable[list[float | None]]: ...


def make_trl_reward(options: RewardOptions | None = None, *, max_void_share: float = 0.2) -> TrlReward:
    """A function for TRL's ``reward_funcs``.

    The data set needs the column ``ground_truth`` or ``test_cases``; ``target_function``, ``signature`` and
    ``language`` are read when they are there. What the sandbox could not judge is None: TRL leaves it out of
    the group's baseline and of the gradient.

    Args:
        options: How to judge; None means the defaults.
        max_void_share: Share of a call's completions that may be None.
    """
    chosen = options or RewardOptions()

    async def deepcoder_reward(
        prompts: Sequence[Any], completions: Sequence[Any], **columns: Any
    ) -> list[float | None]:
        """Scores of the completions; None where our side failed.

        Raises:
            ValueError: When a column is missing or test cases are malformed.
            SandboxError: When more than ``max_void_share`` of them failed.
        """
        given = columns.get("ground_truth", columns.get("test_cases"))
        if given is None:
            raise ValueError("the data set needs a column ground_truth or test_cases")
        running = await asyncio.to_thread(service, chosen.environment)
        failures: list[SandboxError] = []

        async def score(index: int) -> float | None:
            def column(name: str) -> Any:
                return columns[name][index] if name in columns else None

            answer = answer_of(completions[index])
            cases = read_cases(given[index], column("target_function"))
            language, signature = column("language") or "python", column("signature")
            try:
                reward = await judge(running.grader, answer, cases, chosen, language, signature)
            except SandboxError as error:
                failures.append(error)
                return None
            return reward.score

        async def scores() -> list[float | None]:
            return list(await asyncio.gather(*map(score, range(len(completions)))))

        found = await running.loop.arun(scores())
        if len(failures) > max_void_share * len(completions):
            raise SandboxError(
                f"{len(failures)} of {len(completions)} completions could not be judged, more than "
                f"max_void_share={max_void_share:g} allows; the last failure: {failures[-1]}"
            )
        return found

    return deepcoder_reward


async def trl_reward(
    prompts: Sequence[Any], completions: Sequence[Any], **columns: Any
) -> list[float | None]:
    """``make_trl_reward()``, to be named where only a function can be: ``reward_funcs=trl_reward``."""
    return await make_trl_reward()(prompts=prompts, completions=completions, **columns)
