"""Which episodes the report carries, and what of them: turns cut into text, programs and verdicts.

Model output is untrusted: everything leaves here as JSON that can't end a ``<script>`` element, and the page
shows it as text only. Knows nothing of the page's layout.
"""

from __future__ import annotations

import difflib
import json
import random
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from verl_ext.agent_loop.tool_calls import ToolCall, parse_tool_calls

Record = Mapping[str, Any]

# Outcome -> its share of the episodes shown.
OUTCOMES: Mapping[str, float] = {"recovered": 0.4, "failed": 0.3, "spoiled": 0.05, "first": 0.2, "void": 0.05}
# Where a call begins, surest mark first.
_CALL_STARTS = tuple(re.compile(mark) for mark in (r"<tool_call>", r"<tools>", r"```json", r"\{"))
_FENCE = re.compile(r"```(\w*)\n(.*?)(?:```|\Z)", re.DOTALL)


def outcome(record: Record) -> str:
    """How an episode went.

    Returns:
        ``first`` (solved at once), ``recovered`` (solved after a failed attempt), ``spoiled`` (an attempt was
        right, the final program is not), ``failed`` or ``void``.
    """
    facts = record["facts"]
    if facts["void"]:
        return "void"
    if facts["solved"]:
        return "first" if facts["first_solved_attempt"] == 1 else "recovered"
    return "failed" if facts["first_solved_attempt"] is None else "spoiled"


def choose_episodes(records: Sequence[Record], limit: int, seed: int) -> list[Record]:
    """At most ``limit`` records that show every outcome, spread over splits, decodings and families."""
    of_outcome: dict[str, list[Record]] = {name: [] for name in OUTCOMES}
    for record in records:
        of_outcome[outcome(record)].append(record)
    chosen: list[Record] = []
    rest: list[Record] = []
    for name, share in OUTCOMES.items():
        spread = _spread(of_outcome[name], seed)
        wanted = max(1, round(share * limit))
        chosen += spread[:wanted]
        rest += spread[wanted:]
    return [*chosen, *rest][:limit]


def episodes_json(records: Iterable[Record]) -> str:
    """``{"texts": [...], "episodes": [...]}``, long texts held once, safe inside ``<script>``.

    A turn is ``{role, parts}``; a part ``{kind: text | program | call | unread, text: index in texts, ...}``.
    """
    texts: dict[str, int] = {}

    def intern(text: str) -> int:
        return texts.setdefault(text, len(texts))

    episodes = [_episode(record, intern) for record in records]
    return script_safe(json.dumps({"texts": list(texts), "episodes": episodes}, separators=(",", ":")))


def script_safe(text: str) -> str:
    """JSON that an HTML parser can't mistake for the end of its element."""
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def _episode(record: Record, intern: Any) -> dict[str, Any]:
    facts = record["facts"]
    return {
        "model": record["run"],
        "decoding": record["decoding"],
        "split": record["split"],
        "id": record["query_id"],
        "sample": record["sample"],
        "family": record["family"] or "",
        "difficulty": record["difficulty"] or "",
        "vague": record["verdict_only"],
        "outcome": outcome(record),
        "attempts": facts["num_attempts"],
        "solvedAt": facts["first_solved_attempt"],
        "tokens": facts["num_response_tokens"],
        "stop": facts["stop_reason"],
        "seconds": round(record["generate_s"] + record["tool_s"], 2),
        "reward": {name: round(value, 4) for name, value in record["reward"].items()},
        "final": record["final_verdicts"],
        "failure": record["failure"],
        "turns": _turns(record, intern),
    }


def _turns(record: Record, intern: Any) -> list[dict[str, Any]]:
    turns: list[dict[str, Any]] = []
    index = -1
    previous: str | None = None
    for message in record["messages"]:
        if message["role"] != "assistant":
            turns.append(
                {"role": message["role"], "parts": [{"kind": "text", "text": intern(message["content"])}]}
            )
            continue
        index += 1
        attempts = [attempt for attempt in record["attempts"] if attempt["turn"] == index]
        parts: list[dict[str, Any]] = []
        for part in _assistant_parts(message["content"]):
            program = part.pop("program", None)
            if program is not None:
                part["text"] = program
                part["changed"] = _changed_lines(previous, program)
                attempt = next((one for one in attempts if one["program"].strip() == program.strip()), None)
                if attempt is not None:
                    attempts.remove(attempt)
                    previous = program
                    part["attempt"] = record["attempts"].index(attempt) + 1
                    part["verdicts"] = attempt["verdicts"]
                    part["error"] = attempt["error"]
                    part["right"] = attempt["first_solved"]
            parts.append({**part, "text": intern(part["text"])})
        turns.append({"role": "assistant", "parts": parts})
    return turns


def _assistant_parts(content: str) -> Iterable[dict[str, Any]]:
    calls = parse_tool_calls(content)
    if not calls:
        yield from _prose(content)
        return
    starts = [found.start() for mark in _CALL_STARTS if (found := mark.search(content))]
    prefix = content[: starts[0]] if starts else ""
    if prefix.strip():
        yield from _prose(prefix)
    for call in calls:
        if not isinstance(call, ToolCall):
            yield {"kind": "unread", "text": content[len(prefix) :], "reason": call.reason}
            continue
        arguments = dict(call.arguments)
        program = arguments.pop("code", None)
        described = {
            "kind": "call",
            "name": call.name,
            "arguments": json.dumps(arguments) if arguments else "",
        }
        if isinstance(program, str):
            yield {**described, "program": program}
        else:
            yield {**described, "text": json.dumps(dict(call.arguments))}


def _prose(content: str) -> Iterable[dict[str, Any]]:
    """Text with its fenced programs apart."""
    position = 0
    for fence in _FENCE.finditer(content):
        if before := content[position : fence.start()].strip():
            yield {"kind": "text", "text": before}
        yield {"kind": "program", "program": fence.group(2).rstrip("\n")}
        position = fence.end()
    if (rest := content[position:].strip()) or not position:
        yield {"kind": "text", "text": rest}


def _changed_lines(before: str | None, after: str) -> list[int]:
    """0-based lines of ``after`` that ``before`` does not have there; none without a program before."""
    if before is None:
        return []
    matcher = difflib.SequenceMatcher(None, before.splitlines(), after.splitlines(), autojunk=False)
    return [
        line
        for tag, _, _, start, end in matcher.get_opcodes()
        if tag in ("replace", "insert")
        for line in range(start, end)
    ]


def _spread(records: list[Record], seed: int) -> list[Record]:
    """Takes one of each (split, decoding, family) in turn, drawn with ``seed``."""
    shuffled = random.Random(seed).sample(records, len(records))
    seen: dict[tuple[Any, ...], int] = {}
    ranked = []
    for record in shuffled:
        key = (record["split"], record["decoding"], record["family"])
        seen[key] = seen.get(key, 0) + 1
        ranked.append((seen[key], record))
    return [record for _, record in sorted(ranked, key=lambda pair: pair[0])]
