"""Calls are read wherever a model puts them; what can't be read is answered, not dropped."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from verl_ext.agent_loop.tool_calls import MalformedCall, ToolCall, parse_tool_calls

CALL = '{"name": "run", "arguments": {"code": "print(1)"}}'


@pytest.mark.parametrize(
    "text",
    [
        f"<tool_call>\n{CALL}\n</tool_call>",
        f"I try this.\n<tool_call>{CALL}",
        f"<tools>\n{CALL}\n</tools>",
        f"```json\n{CALL}\n```",
        CALL,
        '<tool_call>{"name": "run", "arguments": "{\\"code\\": \\"print(1)\\"}"}</tool_call>',
    ],
)
def test_a_call_is_read_in_every_form_models_use(text):
    assert parse_tool_calls(text) == [ToolCall("run", {"code": "print(1)"})]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('<tool_call>{"name": "run", "arguments": {"code": "x"}', "not valid JSON"),
        ("<tool_call>\nrun(code=1)\n</tool_call>", "not valid JSON"),
        ('<tool_call>{"arguments": {}}</tool_call>', '"name"'),
        ('<tool_call>{"name": "run", "arguments": [1]}</tool_call>', "object"),
        ('<tool_call>{"name": "run", "arguments": "print(1)"}</tool_call>', "string"),
        ("<tool_call>" + "[" * 100_000, "nested|valid JSON"),
        ('<tool_call>{"name": "run", "arguments": {"timeout": ' + "1" * 5000 + "}}", "too many digits"),
        (
            '<tool_call>{"name": "run", "arguments": "{\\"timeout\\": ' + "1" * 5000 + '}"}',
            "arguments. has a number",
        ),
        ('<tool_call>{"name": "run", "arguments": "' + "[" * 100_000 + '"}', "arguments. is nested|not JSON"),
    ],
)
def test_an_unreadable_call_says_why(text, reason):
    (call,) = parse_tool_calls(text)
    assert isinstance(call, MalformedCall)
    import re

    assert re.search(reason, call.reason)


@pytest.mark.parametrize(
    "text",
    ["", "The answer is 3.", "```python\nprint({'name': 1})\n```", '```json\n{"a": 1}\n```', '{"a": 1}'],
)
def test_text_without_a_call_has_no_calls(text):
    assert parse_tool_calls(text) == []


def test_several_calls_keep_their_order_and_a_broken_one_does_not_hide_the_next():
    text = f"<tool_call>{CALL}</tool_call><tool_call>oops</tool_call><tool_call>{CALL}</tool_call>"
    kinds = [type(call) for call in parse_tool_calls(text)]
    assert kinds == [ToolCall, MalformedCall, ToolCall]


@given(st.text())
def test_any_program_survives_the_round_trip(code):
    text = "<tool_call>\n" + json.dumps({"name": "run", "arguments": {"code": code}}) + "\n</tool_call>"
    assert parse_tool_calls(text) == [ToolCall("run", {"code": code})]


def test_raw_newlines_and_closing_tags_inside_a_program_are_kept():
    text = '<tool_call>{"name": "run", "arguments": {"code": "a=1\nprint(\'</tool_call>\')"}}</tool_call>'
    assert parse_tool_calls(text) == [ToolCall("run", {"code": "a=1\nprint('</tool_call>')"})]


@given(st.text())
def test_no_text_crashes_the_parser(text):
    parse_tool_calls("<tool_call>" + text)
    parse_tool_calls(text)
