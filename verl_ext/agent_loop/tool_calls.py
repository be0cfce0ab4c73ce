"""Reading tool calls out of a model's text, tolerantly, and saying why when they can't be read.

Takes Hermes ``<tool_call>{...}</tool_call>`` first, and where there is none also ``<tools>{...}</tools>``,
a fenced ```json block or a bare JSON object, which untrained Qwen2.5-Coder models emit. JSON is read from its
opening brace to its own end, so a program that contains ``</tool_call>`` is not cut, and raw newlines inside
strings are accepted.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from verl_ext.agent_loop.chat import encodable

_OPENINGS = (re.compile(r"<tool_call>\s*"), re.compile(r"<tools>\s*"), re.compile(r"```json\s*"))
_CLOSINGS = re.compile(r"\s*(</tool_call>|</tools>|```)?")
_DECODER = json.JSONDecoder(strict=False)


@dataclass(frozen=True, slots=True)
class ToolCall:
    """One readable call."""

    name: str
    arguments: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class MalformedCall:
    """Text that was meant as a call and can't be read as one; ``reason`` is written for the model."""

    reason: str


def parse_tool_calls(text: str) -> list[ToolCall | MalformedCall]:
    """All calls in ``text``, in order; empty when the text makes none."""
    for opening in _OPENINGS:
        calls = _parse_marked(text, opening, required=opening is not _OPENINGS[-1])
        if calls:
            return calls
    stripped = text.strip()
    if stripped.startswith("{") and '"name"' in stripped and '"arguments"' in stripped:
        return [_read_call(stripped, 0)[0]]
    return []


def _parse_marked(text: str, opening: re.Pattern[str], *, required: bool) -> list[ToolCall | MalformedCall]:
    """Calls behind each marker; where the marker is not proof of a call, unreadable ones are left out."""
    calls: list[ToolCall | MalformedCall] = []
    position = 0
    while match := opening.search(text, position):
        call, end = _read_call(text, match.end())
        position = max(end, match.end())
        if required or isinstance(call, ToolCall):
            calls.append(call)
    return calls


def _read_call(text: str, start: int) -> tuple[ToolCall | MalformedCall, int]:
    """Reads one JSON call at ``start``; also returns where reading may go on."""
    try:
        value, end = _DECODER.raw_decode(text, start)
    except json.JSONDecodeError as error:
        return MalformedCall(
            f"the call is not valid JSON: {error.msg} at character {error.pos - start}"
        ), start
    except (ValueError, RecursionError) as error:
        return MalformedCall(f"the call's JSON {_too_much(error)}"), start
    closing = _CLOSINGS.match(text, end)
    end = closing.end() if closing else end
    if not isinstance(value, dict) or not isinstance(value.get("name"), str):
        return MalformedCall('a call is an object with "name" and "arguments"'), end
    arguments = value.get("arguments", {})
    if isinstance(arguments, str):
        try:
            arguments = _DECODER.decode(arguments)
        except json.JSONDecodeError:
            return MalformedCall('"arguments" is a string that is not JSON'), end
        except (ValueError, RecursionError) as error:
            return MalformedCall(f'"arguments" {_too_much(error)}'), end
    if not isinstance(arguments, dict):
        return MalformedCall('"arguments" must be an object'), end
    readable = {
        encodable(name): encodable(argument) if isinstance(argument, str) else argument
        for name, argument in arguments.items()
    }
    return ToolCall(encodable(value["name"]), readable), end


def _too_much(error: ValueError | RecursionError) -> str:
    """What Python refuses to read although it is JSON."""
    return (
        "is nested too deeply" if isinstance(error, RecursionError) else "has a number with too many digits"
    )
