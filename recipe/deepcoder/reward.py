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
from collections.abc import Awaitable, Mapping, Sequence
from typing import Any, Protocol

from recipe.deepcoder.case_reading import read_cases
from recipe.deepcoder.judgement import (
    DeepcoderReward,
    Environment,
    RewardOptions,
    answer_of,
    judge,
    judge_now,
)
from verl_ext.agent_loop.episode import EpisodeFacts
from verl_ext.grading.case_choice import DEEPCODER_NUM_CASES
from verl_ext.grading.extract import is_one_program
from verl_ext.sandbox.errors import SandboxError

__all__ = [
    "DeepcoderReward",
    "Environment",
    "RewardOptions",
    "compute_score",
    "deepcoder_code_reward",
    "make_trl_reward",
    "trl_reward",
]


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
    max_cases: int | None = DEEPCODER_NUM_CASES,
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
        environment: ``local``, ``sandbox_fusion`` or ``e2b``, see ``Environment``.
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
    return judge_now(answer_of(messages), cases, options, language, signature)


async def compute_score(
    data_source: str,
    solution_str: str,
    ground_truth: Any,
    extra_info: Mapping[str, Any] | None = None,
    *,
    timeout: float = 6.0,
    max_cases: int | None = DEEPCODER_NUM_CASES,
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
    reward = await judge(solution_str, cases, options, signature=extra.get("signature"))
    found = reward.grade
    return {
        "score": reward.score,
        "solved": float(found is not None and found.all_passed),
        "passed": found.num_passed / found.total if found else 0.0,
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
        failures: list[SandboxError] = []

        async def score(index: int) -> float | None:
            def column(name: str) -> Any:
                return columns[name][index] if name in columns else None

            answer = answer_of(completions[index])
            cases = read_cases(given[index], column("target_function"))
            language, signature = column("language") or "python", column("signature")
            try:
                reward = await judge(answer, cases, chosen, language, signature)
            except SandboxError as error:
                failures.append(error)
                return None
            return reward.score

        found = list(await asyncio.gather(*map(score, range(len(completions)))))
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
