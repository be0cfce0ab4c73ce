"""What the loop asks of a model: token ids in, token ids out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Generation:
    """One model turn as sampled.

    Attributes:
        token_ids: What was sampled, the stop token included when the turn was finished.
        logprobs: One per token, as the sampler saw them; None when the backend gives none.
    """

    token_ids: Sequence[int]
    logprobs: Sequence[float] | None = None


class Policy(Protocol):
    """A model that continues a token sequence."""

    async def generate(self, prompt_ids: Sequence[int], *, max_tokens: int) -> Generation:
        """Samples one turn of at most ``max_tokens`` tokens after ``prompt_ids``."""
        ...


class ScriptedPolicy:
    """The double that ships for tests: answers from a function of the conversation so far.

    Args:
        tokenizer: Encodes the answers and decodes the prompt.
        answer: Called with the decoded prompt; returns the text of the turn.
        stop: Whether to end each turn with the tokenizer's stop token.
    """

    def __init__(self, tokenizer: Any, answer: Callable[[str], str], *, stop: bool = True) -> None:
        self._tokenizer = tokenizer
        self._answer = answer
        self._stop = stop

    async def generate(self, prompt_ids: Sequence[int], *, max_tokens: int) -> Generation:
        """Answers with the scripted text, cut at ``max_tokens``."""
        text = self._answer(self._tokenizer.decode(prompt_ids, skip_special_tokens=False))
        ids = self._tokenizer.encode(text, add_special_tokens=False)
        if self._stop:
            ids = [*ids, self._tokenizer.eos_token_id]
        ids = ids[:max_tokens]
        return Generation(ids, [-0.5] * len(ids))
