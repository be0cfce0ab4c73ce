"""Finding the program in what a model wrote.

Owns the rule which part of a message is the program. Does not judge whether it is valid source: a program
that does not parse is run like any other and gets its ``compile_error``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_FENCE_NAMES: dict[str, frozenset[str]] = {
    "python": frozenset({"python", "py", "python3"}),
    "nodejs": frozenset({"javascript", "js", "node", "nodejs"}),
    "cpp": frozenset({"cpp", "c++", "cc", "cxx"}),
    "csharp": frozenset({"csharp", "c#", "cs"}),
    "go": frozenset({"go", "golang"}),
    "rust": frozenset({"rust", "rs"}),
    "typescript": frozenset({"typescript", "ts"}),
    "bash": frozenset({"bash", "sh", "shell"}),
}
# Of the names of a language the one that models write at a fence.
_FENCE_NAME = {"nodejs": "javascript"}
_THINK, _END_THINK = "<think>", "</think>"
# Possessive: a line of a message that never ends must not cost more than its length.
_OPENING = re.compile(r"^([ \t]*+)(`{3,}+|~{3,}+)[ \t]*+([^`\s]*+)[^`]*+$")


@dataclass(frozen=True, slots=True)
class _Block:
    tag: str
    text: str


def extract_program(text: str, language: str = "python", allow_unfenced: bool = False) -> str | None:
    """The program in a model's message, or None when there is none.

    Thoughts (``<think>...</think>``) are dropped first, also when the opening tag stood in the prompt and
    when the message was cut inside the thought. Of the fenced blocks the last one tagged with the language
    wins; without any, the last untagged one. A fence that was never closed is a cut message, not a program.

    Args:
        text: The whole message.
        language: SandboxFusion's name of the language the program is to be in.
        allow_unfenced: Take the whole message when it has no fence at all.
    """
    text = _without_thoughts(text.replace("\r\n", "\n"))
    blocks, num_fences = _fenced_blocks(text)
    names = _FENCE_NAMES.get(language, frozenset({language.lower()}))
    for accepted in (names, frozenset({""})):
        for block in reversed(blocks):
            if block.tag in accepted and block.text.strip():
                return block.text
    if allow_unfenced and num_fences == 0 and text.strip():
        return text.strip("\n")
    return None


def language_name(text: str) -> str:
    """SandboxFusion's name of the language that people call so: ``js`` is ``nodejs``."""
    name = text.strip().lower()
    return next((known for known, names in _FENCE_NAMES.items() if name in names), name)


def fence_name(language: str) -> str:
    """The name of a language behind the opening fence of a program in it."""
    return _FENCE_NAME.get(language, language)


def is_one_program(text: str, language: str = "python") -> bool:
    """Whether a message has exactly one fence, closed, tagged with the language and not empty."""
    blocks, num_fences = _fenced_blocks(_without_thoughts(text.replace("\r\n", "\n")))
    names = _FENCE_NAMES.get(language, frozenset({language.lower()}))
    return num_fences == len(blocks) == 1 and blocks[0].tag in names and bool(blocks[0].text.strip())


def _without_thoughts(text: str) -> str:
    kept: list[str] = []
    position = 0
    while (start := text.find(_THINK, position)) >= 0 and (end := text.find(_END_THINK, start)) >= 0:
        kept.append(text[position:start])
        position = end + len(_END_THINK)
    text = "".join([*kept, text[position:]])
    if _END_THINK in text:
        text = text.rpartition(_END_THINK)[2]
    return "" if text.lstrip().startswith(_THINK) else text


def _fenced_blocks(text: str) -> tuple[list[_Block], int]:
    """Closed fenced blocks in order, and the number of opening fences (closed or not)."""
    blocks: list[_Block] = []
    num_fences = 0
    indent, fence, tag = "", "", ""
    body: list[str] = []
    for line in text.split("\n"):
        if not fence:
            opening = _OPENING.match(line)
            if opening:
                num_fences += 1
                indent, fence, tag = opening[1], opening[2], opening[3].strip("{.}").lower()
                body = []
            continue
        stripped = line.rstrip()
        if stripped.endswith(fence) and not stripped.strip().strip(fence[0]):
            blocks.append(_Block(tag, "\n".join(body)))
            fence = ""
        elif fence[0] == "`" and stripped.endswith(fence):
            # Models often put the closing fence right behind the last statement.
            body.append(stripped[: -len(fence)].removeprefix(indent))
            blocks.append(_Block(tag, "\n".join(body)))
            fence = ""
        else:
            body.append(line.removeprefix(indent))
    return blocks, num_fences
