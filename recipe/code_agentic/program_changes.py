"""What differs between one attempt and the next, for the words that come with a repair.

Owns the comparison, line by line; the wording is in ``sft_phrases``. Works for any language.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass, field

_MAX_SHOWN_CHARS = 90
# Below this share of common lines a repair is a new program.
_REWRITTEN_BELOW = 0.5
_MAX_NAMED_LINES = 5


@dataclass(frozen=True, slots=True)
class Change:
    """How one program becomes the next.

    Attributes:
        kind: A key of ``sft_phrases.CHANGES``.
        facts: What its wording names: ``line`` (1-based, in the old program), ``old``, ``new``, ``lines``.
    """

    kind: str
    facts: dict[str, str] = field(default_factory=dict)


def describe_change(old: str, new: str) -> Change:
    """The change from one program to another."""
    before, after = old.rstrip().splitlines(), new.rstrip().splitlines()
    matcher = difflib.SequenceMatcher(None, before, after, autojunk=False)
    blocks = [block for block in matcher.get_opcodes() if block[0] != "equal"]
    if not blocks:
        return Change("unspecific")
    removed = [(number, before[number - 1]) for b in blocks for number in range(b[1] + 1, b[2] + 1)]
    added = [line for block in blocks for line in after[block[3] : block[4]]]
    if matcher.ratio() < _REWRITTEN_BELOW and len(after) > 3 and len(added) > 2:
        return _shown("rewrite", new=_longest(added))
    line = str(blocks[0][1] + 1)
    if len(blocks) == 1 and len(removed) == len(added) == 1:
        kind = "indent" if removed[0][1].strip() == added[0].strip() else "line"
        return _shown(kind, line=line, old=removed[0][1], new=added[0])
    if len(blocks) == 1 and not removed:
        return _shown("insert", line=line, new=added[0])
    texts = [text for _, text in removed]
    if not added:
        return _shown("delete", line=line, old=texts[0])
    if len(texts) <= 2 and sorted(texts) == sorted(added):
        # What difflib moves may be the line that stood first or the one that stood second.
        moved = added[0].strip()
        at = next(index for index, text in enumerate(before) if text.strip() == moved)
        was_later = at + 1 > blocks[0][1]
        other = before[blocks[0][1]] if was_later else before[min(at + 1, len(before) - 1)]
        first, second = (moved, other.strip()) if was_later else (other.strip(), moved)
        return _shown("order", line=line, old=second, new=first)
    numbers = [number for number, _ in removed] or [block[1] + 1 for block in blocks]
    if len(numbers) > _MAX_NAMED_LINES:
        return _shown("rewrite", new=_longest(added or after))
    named = " and ".join(filter(None, [", ".join(map(str, numbers[:-1])), str(numbers[-1])]))
    if len(numbers) == 1:
        return _shown(
            "line", line=str(numbers[0]), old=texts[0] if texts else "", new=_longest(added or after)
        )
    return _shown("lines", lines=named, new=_longest(added or after))


def _longest(lines: list[str]) -> str:
    return max(lines, key=lambda line: len(line.strip()))


def _shown(kind: str, **facts: str) -> Change:
    """The change, without its facts where a line can't be quoted."""
    short = {name: text.strip() for name, text in facts.items()}
    if any(not text or "`" in text or len(text) > _MAX_SHOWN_CHARS for text in short.values()):
        return Change("unspecific")
    return Change(kind, short)
