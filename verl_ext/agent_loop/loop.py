"""One episode: the model speaks, tools answer, until a final answer or a limit.

The loop is the same in training and evaluation; only the ``Policy`` differs. What it guarantees:

- the mask is 1 on exactly the tokens the policy sampled, and those tokens are passed on unchanged;
- the episode ends on a model token (GAE drops a reward that sits on a masked one);
- malformed, unknown and surplus calls are answered and counted, never dropped;
- a failure of our side voids the episode instead of scoring it (promise 1).
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from verl_ext.agent_loop.chat import ChatFormat, Message, encodable
from verl_ext.agent_loop.episode import Attempt, Episode, EpisodeFacts, StopReason
from verl_ext.agent_loop.hidden_grading import HiddenGrades, grade_attempts
from verl_ext.agent_loop.policy import Policy
from verl_ext.agent_loop.tool_calls import MalformedCall, ToolCall, parse_tool_calls
from verl_ext.grading.extract import extract_program
from verl_ext.grading.grader import Grader
from verl_ext.grading.verdict import Grade
from verl_ext.sandbox.errors import SandboxError
from verl_ext.tools.tool import Tool


@dataclass(frozen=True, slots=True)
class LoopLimits:
    """Bounds of one episode.

    Attributes:
        max_turns: Model turns.
        max_calls_per_turn: Tool calls run per model turn; further ones are answered as surplus.
        max_prompt_tokens: Tokens of the first prompt.
        max_response_tokens: Tokens after the first prompt, tool answers included.
        min_turn_tokens: Room that must be left for a model turn before a tool answer is put in front of it.
    """

    max_turns: int
    max_calls_per_turn: int
    max_prompt_tokens: int
    max_response_tokens: int
    min_turn_tokens: int


class LoopTexts(Protocol):
    """What the loop itself says to the model; every recipe brings its own wording."""

    def malformed_call(self, reason: str) -> str: ...

    def unknown_tool(self, name: str, known: Sequence[str]) -> str: ...

    def surplus_call(self, limit: int) -> str: ...


@dataclass(slots=True)
class Rollout:
    """A finished episode with its tokens.

    Attributes:
        prompt_ids: Ids of the first prompt.
        response_ids: Everything after it; empty only when nothing was generated.
        response_mask: 1 where the model spoke, 0 where a tool did.
        logprobs: As sampled, 0.0 on masked tokens; None when the backend gives none.
        messages: The conversation as text, for records.
        episode: Attempts and counters.
        final_grade: Verdicts of the final program on the hidden cases; None when there is no program or
            the episode is void.
        facts: What the reward reads.
        failure: What went wrong on our side; empty otherwise.
        generate_s: Seconds spent waiting for the model.
        tool_s: Seconds spent waiting for tools and grading.
    """

    prompt_ids: list[int]
    response_ids: list[int] = field(default_factory=list)
    response_mask: list[int] = field(default_factory=list)
    logprobs: list[float] | None = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)
    episode: Episode = field(init=False)
    final_grade: Grade | None = None
    facts: EpisodeFacts = field(init=False)
    failure: str = ""
    generate_s: float = 0.0
    tool_s: float = 0.0

    @property
    def answer(self) -> str:
        """The model's last message; empty when it said nothing."""
        last = self.messages[-1] if self.messages else {"role": ""}
        return last["content"] if last["role"] == "assistant" else ""

    def add(self, ids: Sequence[int], *, sampled: bool, logprobs: Sequence[float] | None = None) -> None:
        """Appends tokens; ``logprobs`` belong to sampled ones."""
        self.response_ids += ids
        self.response_mask += [int(sampled)] * len(ids)
        if not sampled:
            logprobs = [0.0] * len(ids)
        if logprobs is None or self.logprobs is None:
            self.logprobs = None
        else:
            self.logprobs += logprobs


class EpisodeRunner:
    """Runs episodes of one recipe with one set of tools.

    Args:
        chat: Chat format with the tools' schemas.
        tools: The tools the model may call.
        grader: Grades every attempt on the hidden cases.
        limits: Bounds of an episode.
        texts: The loop's own words.
        time_reference: Also run the problem's reference on the hidden cases of a solved episode.
    """

    def __init__(
        self,
        chat: ChatFormat,
        tools: Sequence[Tool],
        grader: Grader,
        limits: LoopLimits,
        texts: LoopTexts,
        *,
        time_reference: bool = False,
    ) -> None:
        self._chat = chat
        self._tools: Mapping[str, Tool] = {tool.name: tool for tool in tools}
        self._grader = grader
        self._limits = limits
        self._texts = texts
        self._time_reference = time_reference

    async def run(self, episode: Episode, messages: Sequence[Message], policy: Policy) -> Rollout:
        """Runs one episode to its end and grades what it submitted."""
        rollout = Rollout(prompt_ids=self._chat.prompt_ids(messages), messages=list(messages))
        rollout.episode = episode
        grades = HiddenGrades()
        try:
            stop_reason = await self._converse(rollout, policy)
            started = time.perf_counter()
            grades = await grade_attempts(
                self._grader, episode.problem, episode.attempts, time_reference=self._time_reference
            )
            rollout.tool_s += time.perf_counter() - started
        except SandboxError as error:
            stop_reason = StopReason.SANDBOX_FAILURE
            rollout.failure = f"{type(error).__name__}: {error}"
        rollout.final_grade = grade = grades.final
        rollout.facts = EpisodeFacts(
            void=stop_reason is StopReason.SANDBOX_FAILURE,
            hidden_passed=grade.num_passed if grade else 0,
            hidden_total=len(episode.problem.hidden_cases),
            first_solved_attempt=grades.first_solved_attempt,
            num_attempts=len(episode.attempts),
            num_failed_attempts=episode.num_failed_attempts,
            num_tool_calls=episode.num_tool_calls,
            num_refused_calls=episode.num_refused_calls,
            num_malformed_calls=episode.num_malformed_calls,
            num_surplus_calls=episode.num_surplus_calls,
            num_turns=sum(message["role"] == "assistant" for message in rollout.messages[len(messages) :]),
            num_response_tokens=sum(rollout.response_mask),
            stop_reason=stop_reason,
            program_cpu_s=grades.program_cpu_s,
            reference_cpu_s=grades.reference_cpu_s,
        )
        return rollout

    async def _converse(self, rollout: Rollout, policy: Policy) -> StopReason:
        limits, episode = self._limits, rollout.episode
        if len(rollout.prompt_ids) > limits.max_prompt_tokens:
            return StopReason.OVERLONG_PROMPT
        for turn in range(limits.max_turns):
            episode.turn = turn
            room = limits.max_response_tokens - len(rollout.response_ids)
            started = time.perf_counter()
            generation = await policy.generate(rollout.prompt_ids + rollout.response_ids, max_tokens=room)
            rollout.generate_s += time.perf_counter() - started
            rollout.add(generation.token_ids, sampled=True, logprobs=generation.logprobs)
            text = self._chat.decode_turn(generation.token_ids)
            rollout.messages.append({"role": "assistant", "content": text})
            if not generation.token_ids or generation.token_ids[-1] != self._chat.stop_token_id:
                return StopReason.MAX_RESPONSE_TOKENS
            calls = parse_tool_calls(text)
            if not calls:
                self._take_final_answer(episode, text)
                return StopReason.FINAL_ANSWER
            started = time.perf_counter()
            answers = await self._answer_calls(calls, episode)
            rollout.tool_s += time.perf_counter() - started
            if turn == limits.max_turns - 1:
                return StopReason.MAX_TURNS
            between = self._chat.between_ids(answers)
            if len(rollout.response_ids) + len(between) + limits.min_turn_tokens > limits.max_response_tokens:
                return StopReason.MAX_RESPONSE_TOKENS
            rollout.add(between, sampled=False)
            rollout.messages += [{"role": "tool", "content": answer} for answer in answers]
        raise AssertionError("max_turns must be at least 1")

    async def _answer_calls(self, calls: Sequence[ToolCall | MalformedCall], episode: Episode) -> list[str]:
        answers = []
        for index, call in enumerate(calls):
            if index >= self._limits.max_calls_per_turn:
                episode.num_surplus_calls += 1
                answers.append(self._texts.surplus_call(self._limits.max_calls_per_turn))
            elif isinstance(call, MalformedCall):
                episode.num_malformed_calls += 1
                answers.append(self._texts.malformed_call(call.reason))
            elif call.name not in self._tools:
                episode.num_refused_calls += 1
                answers.append(self._texts.unknown_tool(call.name, list(self._tools)))
            else:
                answers.append((await self._tools[call.name].call(call.arguments, episode)).text)
        return [encodable(answer) for answer in answers]

    def _take_final_answer(self, episode: Episode, text: str) -> None:
        """A fenced program in the final message is an attempt, unless it repeats the last one."""
        program = extract_program(text, episode.problem.language)
        if program is not None and (episode.final_program or "").strip() != program.strip():
            episode.attempts.append(Attempt(program, "final", episode.turn))
