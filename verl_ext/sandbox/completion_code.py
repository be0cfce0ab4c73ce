"""Which part of a completion the online judge takes for the program: SandboxFusion's rule, in linear time.

The first closed fenced block in the wanted language, else the first closed block; else the same of what an
unclosed fence began; else, for Python and bash, what looks like code. The project's own graders use
``verl_ext.grading.extract``. Needs nothing but the standard library: it is also run inside the jail, for
extraction logic that a request brings along.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

FENCED, UNCLOSED, HEURISTIC = 30, 20, 10
_ALIASES = {
    "python": "python py python3",
    "cpp": "cpp c++",
    "nodejs": "javascript js nodejs node",
    "go": "go golang",
    "java": "java",
    "php": "php",
    "csharp": "csharp c#",
    "bash": "bash sh shell",
    "typescript": "typescript ts",
    "rust": "rust rs",
    "julia": "julia jl",
    "lua": "lua",
    "perl": "perl",
    "R": "r",
    "ruby": "ruby",
    "scala": "scala",
    "kotlin_script": "kotlin kts",
    "lean": "lean lean4",
}
_LANGUAGE_OF = {alias: language for language, names in _ALIASES.items() for alias in names.split()}
_BEFORE_DEFINITION = re.compile(r"(?:import|from|#)")
_DEFINITION = re.compile(r"(?:def|class) ")


@dataclass
class CodeBlock:
    """A piece of a completion; what has the highest priority is taken."""

    priority: int
    language: str
    code: str


def extract_fenced_code(completion: str) -> list[CodeBlock]:
    """The closed fenced blocks, in order."""
    return [block for block in _blocks(completion) if block.priority == FENCED]


def extract_heuristic_code(completion: str, language: str = "") -> list[CodeBlock]:
    """What looks like code without a fence: for Python definitions with the imports above, for bash all."""
    lines = [line for line in completion.split("\n") if line.strip()]
    if language == "bash":
        return [CodeBlock(HEURISTIC, "bash", "\n".join(lines))]
    if language != "python":
        return []
    found: list[CodeBlock] = []
    above: list[str] = []
    body: list[str] = []
    for line in [*lines, ""]:
        if body and line[:1].isspace():
            body.append(line)
            continue
        if len(body) > 1:
            found.append(CodeBlock(HEURISTIC, "python", "\n".join([*above, *body])))
        if body:
            above, body = [], []
        if _DEFINITION.match(line):
            body = [line]
        elif _BEFORE_DEFINITION.match(line):
            above.append(line)
        else:
            above = []
    return found


def choose_code(completion: str, language: str, more: list[CodeBlock] | None = None) -> str:
    """The program in a completion; empty when there is none.

    Args:
        completion: What the model wrote.
        language: SandboxFusion's name of the language the program is to be in.
        more: Blocks found by other means.
    """
    blocks = [*_blocks(completion), *extract_heuristic_code(completion, language), *(more or [])]
    best = max((block.priority for block in blocks), default=0)
    blocks = [block for block in blocks if block.priority == best]
    blocks.sort(key=lambda block: block.language != language)
    return blocks[0].code if blocks else ""


def _blocks(completion: str) -> list[CodeBlock]:
    blocks: list[CodeBlock] = []
    language: str | None = None
    body: list[str] = []
    for line in completion.replace("\r\n", "\n").split("\n"):
        if language is None:
            _, fence, tag = line.partition("```")
            if fence and "`" not in tag:
                language, body = _LANGUAGE_OF.get(tag.strip().lower(), ""), []
        elif line.strip().startswith("```"):
            blocks.append(CodeBlock(FENCED, language, "\n".join(body)))
            language = None
        else:
            body.append(line)
    if language is not None:
        blocks.append(CodeBlock(UNCLOSED, language, "\n".join(body)))
    return blocks
