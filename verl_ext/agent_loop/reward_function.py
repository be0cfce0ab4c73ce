"""The configured reward function: loaded from a file or package, and called on what an episode left.

The settings are verl's ``reward.custom_reward_function``. Training, evaluation and re-grading load and call
it here, so that they agree; needs neither torch nor verl. Knows no reward.
"""

from __future__ import annotations

import asyncio
import hashlib
import importlib
import importlib.util
import inspect
import math
import sys
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from omegaconf import DictConfig, OmegaConf

from verl_ext.agent_loop.episode import EpisodeFacts, StopReason

KEY = "reward.custom_reward_function"


@dataclass(frozen=True, slots=True)
class RewardFunction:
    """A reward function with its arguments.

    Attributes:
        function: Called as verl calls it, ``(data_source, solution_str, ground_truth, extra_info,
            **arguments)``, with an empty ``ground_truth``: the episode is graded. May be a coroutine
            function.
        arguments: The ``reward_kwargs``.
        where: Names it in messages.
    """

    function: Callable[..., Any]
    arguments: Mapping[str, Any]
    where: str

    def check_arguments(self) -> None:
        """Checks that the function takes the arguments.

        Raises:
            ValueError: When it does not.
        """
        try:
            inspect.signature(self.function).bind("", "", "", {}, **self.arguments)
        except TypeError as error:
            raise ValueError(f"{KEY}.reward_kwargs: {error} ({self.where})") from error

    def try_out(self) -> tuple[float, float]:
        """Calls the function on two made-up episodes, so that what can't work is known before a run.

        Returns:
            The scores of an episode that is solved by its first program, and of one that is not solved.

        Raises:
            ValueError: When it does not take its arguments, fails, or returns no score.
        """
        self.check_arguments()

        async def score(*, solved: bool) -> float:
            passed = int(solved)
            facts = EpisodeFacts(
                void=False,
                hidden_passed=passed,
                hidden_total=1,
                first_solved_attempt=1 if solved else None,
                num_attempts=1,
                num_failed_attempts=1 - passed,
                num_tool_calls=1,
                num_refused_calls=0,
                num_malformed_calls=0,
                num_surplus_calls=0,
                num_turns=2,
                num_response_tokens=10,
                stop_reason=StopReason.FINAL_ANSWER,
            )
            program = "print(1)"
            answer = f"```python\n{program}\n```"
            reward = await self.score(
                facts, source="code_agentic", answer=answer, program=program, language="python"
            )
            return reward["score"]

        async def both() -> tuple[float, float]:
            return await score(solved=True), await score(solved=False)

        with ThreadPoolExecutor(1) as thread:  # there may be a loop in this one
            try:
                return thread.submit(asyncio.run, both()).result()
            except Exception as error:  # somebody else's code
                if isinstance(error, ValueError) and str(error).startswith(KEY):
                    raise
                raise ValueError(
                    f"{self.where}: fails on a made-up episode: {type(error).__name__}: {error}"
                ) from error

    async def score(
        self, facts: EpisodeFacts, *, source: str, answer: str, program: str | None, language: str
    ) -> dict[str, Any]:
        """The reward of one episode.

        Args:
            facts: Of an episode that is not void; the function gets them as ``extra_info["episode"]``.
            source: The problem's data set, as ``data_source``.
            answer: The model's last message, as ``solution_str``.
            program: The final program, as ``extra_info["program"]``; None when there is none.
            language: Its language, as ``extra_info["language"]``.

        Returns:
            What the function returned, with the key ``score``; a plain number is a score.

        Raises:
            ValueError: When it returned neither, or a score that is no finite number.
        """
        assert not facts.void, "a void episode has no reward"
        extra_info = {"episode": facts.to_dict(), "program": program, "language": language}
        value = self.function(source, answer, "", extra_info, **self.arguments)
        if inspect.isawaitable(value):
            value = await value
        reward = dict(value) if isinstance(value, Mapping) else {"score": value}
        try:
            reward["score"] = float(reward["score"])
        except (KeyError, TypeError, ValueError):
            reward["score"] = math.nan
        if not math.isfinite(reward["score"]):
            raise ValueError(
                f"{self.where}: must return a number, or a dict with a number 'score'; "
                f"it returned {value!r:.80}"
            )
        return reward


def load_reward_function(settings: DictConfig) -> RewardFunction:
    """Loads what ``reward.custom_reward_function`` names.

    Args:
        settings: ``path`` (``pkg://MODULE``, or a file with or without ``file://``), ``name``, and if wanted
            ``reward_kwargs``.

    Raises:
        ValueError: When nothing is named or it can't be loaded.
    """
    path, name = settings.path, settings.name
    if not path:
        raise ValueError(f"{KEY}.path is not set: choose reward=shaped or name a file")
    where = f"{KEY}.path={path}, name={name}"
    try:
        function = getattr(_load_module(str(path)), str(name))
    except FileNotFoundError as error:
        raise ValueError(f"{where}: no such file") from error
    except Exception as error:  # whatever a user's file does while it is imported
        raise ValueError(f"{where}: can't be loaded: {type(error).__name__}: {error}") from error
    arguments = OmegaConf.to_container(settings.get("reward_kwargs") or OmegaConf.create(), resolve=True)
    assert isinstance(arguments, dict)
    return RewardFunction(function, {str(key): value for key, value in arguments.items()}, where)


def _load_module(path: str) -> ModuleType:
    if path.startswith("pkg://"):
        return importlib.import_module(path.removeprefix("pkg://").replace("/", "."))
    file = Path(path.removeprefix("file://")).resolve()
    if not file.is_file():
        raise FileNotFoundError(path)
    name = f"reward_function_{hashlib.sha256(str(file).encode()).hexdigest()[:12]}"
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise ImportError("not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses and pickle look there
    spec.loader.exec_module(module)
    return module
