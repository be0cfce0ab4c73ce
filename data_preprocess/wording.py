"""How often the same sentence comes back in conversations: what the model says, code and tool calls apart."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

_FENCED = re.compile(r"```.*?```", re.DOTALL)
_QUOTED = re.compile(r"`[^`]*`")
_END = re.compile(r"(?<=[.!?])\s+")
_SHOWN = 5


class Wording:
    """Counts in how many conversations each sentence stands; quoted code counts as one and the same."""

    def __init__(self) -> None:
        self.num_conversations = 0
        self._sentences: Counter[str] = Counter()

    def add(self, messages: Sequence[Mapping[str, Any]]) -> None:
        """Counts one conversation."""
        self.num_conversations += 1
        said = [message["content"] for message in messages if message["role"] == "assistant"]
        self._sentences.update({sentence for text in said for sentence in sentences(text)})

    def to_dict(self) -> dict[str, Any]:
        """How many sentences there are, and the share of conversations that hold the most frequent ones."""
        first = sorted(self._sentences.items(), key=lambda item: (-item[1], item[0]))[:_SHOWN]
        return {
            "distinct_sentences": len(self._sentences),
            "most_frequent": [
                {"sentence": sentence, "share": round(count / self.num_conversations, 4)}
                for sentence, count in first
            ],
        }


def sentences(text: str) -> list[str]:
    """The sentences of a text without its code blocks, every quoted piece of code written as one mark."""
    plain = _QUOTED.sub("`...`", _FENCED.sub("", text))
    return [sentence for sentence in _END.split(plain.strip()) if sentence]
