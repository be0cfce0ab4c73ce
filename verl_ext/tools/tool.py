"""What a tool is: a name, a schema the chat template renders, and one coroutine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from verl_ext.agent_loop.episode import Episode


@dataclass(frozen=True, slots=True)
class ToolAnswer:
    """What the model reads back.

    Attributes:
        text: Shown to the model as the tool's message.
        ran: True when the tool really did its work (False for an answer that only explains a refusal).
        shows_verdicts: True when the text tells of the first failing case its number, verdict, values and
            error, and that all passed where they did. SFT conversations quote these facts of no other answer.
    """

    text: str
    ran: bool
    shows_verdicts: bool = False


class Tool(Protocol):
    """A function the model may call. State that lives for an episode belongs in the ``Episode``."""

    name: str
    schema: Mapping[str, Any]  # OpenAI function schema: {"type": "function", "function": {...}}

    async def call(self, arguments: Mapping[str, Any], episode: Episode) -> ToolAnswer:
        """Answers one call.

        Bad arguments are the model's fault and are answered in text.

        Raises:
            verl_ext.sandbox.errors.SandboxError: When our side failed; the loop then voids the episode.
        """
        ...
