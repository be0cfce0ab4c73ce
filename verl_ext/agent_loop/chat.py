"""From messages to token ids, in pieces, the same way for SFT, RL and evaluation.

A conversation is tokenised piece by piece at the boundaries that generation has: the prompt up to the
generation header, each model turn up to and including its stop token, and what the template puts between
that stop token and the next turn. So SFT trains on exactly the token sequence that a rollout would produce,
and the loss mask is the set of model pieces. Rendering messages one at a time or re-tokenising a whole
conversation gives other ids at the joints.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

Message = Mapping[str, Any]

_LONE_SURROGATE = re.compile("[\ud800-\udfff]")

_PROBE: tuple[Message, ...] = (
    {"role": "user", "content": "question"},
    {
        "role": "assistant",
        "content": "",
        "tool_calls": [{"type": "function", "function": {"name": "probe", "arguments": {}}}],
    },
)


def encodable(text: str) -> str:
    """The text with lone surrogates, which neither a tokenizer nor UTF-8 takes, as replacement characters.

    They come out of JSON: a model may write ``"\\ud800"`` in a call, and a program may return it.
    """
    return _LONE_SURROGATE.sub("\ufffd", text)


class ChatFormat:
    """A tokenizer's chat template, cut at the boundaries of generation.

    Args:
        tokenizer: A Hugging Face tokenizer with a chat template that renders tools.
        tools: OpenAI function schemas to render into the prompt.

    Raises:
        ValueError: When the template can't be cut: it is not prefix-preserving, or a model turn does not end
            with the tokenizer's own stop token.
    """

    def __init__(self, tokenizer: Any, tools: Sequence[Mapping[str, Any]] = ()) -> None:
        self._tokenizer = tokenizer
        self._tools = [dict(tool) for tool in tools] or None
        self._between_cache: dict[tuple[str, ...], str] = {}
        self.stop_token: str = tokenizer.eos_token
        self.stop_token_id: int = tokenizer.eos_token_id
        self.between_text(("answer",))  # raises now rather than in the middle of a run

    def prompt_ids(self, messages: Sequence[Message]) -> list[int]:
        """Ids of the messages with the tools and the header that asks the model to speak."""
        return self.encode(self._render(messages, add_generation_prompt=True))

    def between_text(self, answers: tuple[str, ...]) -> str:
        """What the template puts between a model turn's stop token and the next one, around tool answers."""
        if answers not in self._between_cache:
            before = self._render(_PROBE)
            tool_messages = [{"role": "tool", "content": answer} for answer in answers]
            after = self._render([*_PROBE, *tool_messages], add_generation_prompt=True)
            _, stop, tail = before.rpartition(self.stop_token)
            if not stop or not after.startswith(before):
                raise ValueError(
                    "the chat template can't be cut into turns: a model turn must end with the stop token "
                    f"{self.stop_token!r} and adding tool messages must not change what stands before them; "
                    "use a template that does (docs/models.md)"
                )
            if len(self._between_cache) > 4096:
                self._between_cache.clear()
            self._between_cache[answers] = tail + after[len(before) :]
        return self._between_cache[answers]

    def between_ids(self, answers: Sequence[str]) -> list[int]:
        """Ids of ``between_text``."""
        return self.encode(self.between_text(tuple(answers)))

    def conversation(self, messages: Sequence[Message]) -> tuple[list[int], list[int]]:
        """Ids and loss mask of a whole conversation.

        Args:
            messages: Ends with an assistant message. An assistant message with ``"train": False`` is shown
                to the model but not learned.

        Returns:
            ``(ids, mask)`` of equal length; mask is 1 exactly on the tokens the model has to produce, each
            turn's stop token included.

        Raises:
            ValueError: When the template changes earlier turns as the conversation grows, or the last
                message is not the assistant's.
        """
        if not messages or messages[-1]["role"] != "assistant":
            raise ValueError("a conversation to learn from must end with an assistant message")
        plain = [{key: value for key, value in message.items() if key != "train"} for message in messages]
        ids: list[int] = []
        mask: list[int] = []
        rendered = ""
        for index, message in enumerate(messages):
            if message["role"] != "assistant":
                continue
            context = self._render(plain[:index], add_generation_prompt=True)
            full = self._render(plain[: index + 1])
            if not context.startswith(rendered) or not full.startswith(context):
                raise ValueError("the chat template rewrites earlier turns as the conversation grows")
            turn_text, stop, _ = full[len(context) :].rpartition(self.stop_token)
            if not stop:
                raise ValueError(f"a model turn does not end with the stop token {self.stop_token!r}")
            context_ids = self.encode(context[len(rendered) :])
            turn_ids = self.encode(turn_text + stop)
            ids += context_ids + turn_ids
            mask += [0] * len(context_ids) + [int(message.get("train", True))] * len(turn_ids)
            rendered = context + turn_text + stop
        return ids, mask

    def encode(self, text: str) -> list[int]:
        """Token ids of ``text`` with special tokens recognised and none added."""
        return self._tokenizer.encode(encodable(text), add_special_tokens=False)

    def decode_turn(self, ids: Sequence[int]) -> str:
        """Text of one model turn without its stop token; other special tokens stay visible."""
        ids = ids[:-1] if ids and ids[-1] == self.stop_token_id else ids
        return self._tokenizer.decode(ids, skip_special_tokens=False, clean_up_tokenization_spaces=False)

    def _render(self, messages: Sequence[Message], add_generation_prompt: bool = False) -> str:
        return self._tokenizer.apply_chat_template(
            list(messages),
            tools=self._tools,
            add_generation_prompt=add_generation_prompt,
            tokenize=False,
        )
