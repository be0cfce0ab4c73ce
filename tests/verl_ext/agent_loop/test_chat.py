"""The loss mask covers exactly what the model has to produce, and SFT tokens are rollout tokens."""

from __future__ import annotations

import pytest

from verl_ext.agent_loop.chat import ChatFormat


def test_the_mask_covers_exactly_the_learned_turns_with_their_stop_token(
    tokenizer, schema, debugging_conversation
):
    ids, mask = ChatFormat(tokenizer, [schema]).conversation(debugging_conversation)
    learned = tokenizer.decode([token for token, keep in zip(ids, mask, strict=True) if keep])
    assert learned == (
        '<tool_call>\n{"name": "enhanced_code_agentic_tool", "arguments": '
        '{"code": "a=int(input())\\nprint(a+3)"}}\n</tool_call><|im_end|>done<|im_end|>'
    )


def test_a_conversation_is_what_the_template_renders(tokenizer, schema, debugging_conversation):
    ids, _ = ChatFormat(tokenizer, [schema]).conversation(debugging_conversation)
    plain = [{k: v for k, v in m.items() if k != "train"} for m in debugging_conversation]
    rendered = tokenizer.apply_chat_template(plain, tools=[schema], tokenize=False)
    assert tokenizer.decode(ids) == rendered.removesuffix("\n")


def test_sft_ids_are_the_ids_a_rollout_would_have(tokenizer, schema, debugging_conversation):
    chat = ChatFormat(tokenizer, [schema])
    ids, _ = chat.conversation(debugging_conversation)
    rollout = chat.prompt_ids(debugging_conversation[:2])
    for message in debugging_conversation[2:]:
        if message["role"] == "tool":
            rollout += chat.between_ids([message["content"]])
        elif message.get("tool_calls"):
            code = message["tool_calls"][0]["function"]["arguments"]["code"].replace("\n", "\\n")
            rollout += chat.encode(
                '<tool_call>\n{"name": "enhanced_code_agentic_tool", "arguments": '
                f'{{"code": "{code}"}}}}\n</tool_call><|im_end|>'
            )
        else:
            rollout += chat.encode(message["content"] + "<|im_end|>")
    assert ids == rollout


def test_a_template_without_the_stop_token_is_refused(tokenizer, schema):
    class Templateless:
        eos_token, eos_token_id = "<never>", 0
        apply_chat_template = staticmethod(tokenizer.apply_chat_template)
        encode = staticmethod(tokenizer.encode)

    with pytest.raises(ValueError, match="stop token"):
        ChatFormat(Templateless(), [schema])


def test_a_template_that_rewrites_earlier_turns_is_refused(tokenizer, schema, debugging_conversation):
    class Rewriting:
        eos_token, eos_token_id = tokenizer.eos_token, tokenizer.eos_token_id
        encode = staticmethod(tokenizer.encode)

        @staticmethod
        def apply_chat_template(messages, **kwargs):
            return f"[{len(messages) if len(messages) > 3 else 0}]" + tokenizer.apply_chat_template(
                messages, **kwargs
            )

    with pytest.raises(ValueError, match="rewrites earlier turns"):
        ChatFormat(Rewriting(), [schema]).conversation(debugging_conversation)


def test_a_conversation_must_end_with_the_model(tokenizer, schema, debugging_conversation):
    with pytest.raises(ValueError, match="end with an assistant"):
        ChatFormat(tokenizer, [schema]).conversation(debugging_conversation[:-1])


@pytest.mark.parametrize(
    "text", ["a  b\t\n\n c", "12345", "é ü 漢字", "it's <tool_call> x", "  \n if x:\n\treturn"]
)
def test_the_tiny_tokenizer_round_trips_any_text(tokenizer, text):
    assert tokenizer.decode(tokenizer.encode(text, add_special_tokens=False)) == text


def test_digits_are_single_tokens(tokenizer):
    assert len(tokenizer.encode("1234567", add_special_tokens=False)) == 7
