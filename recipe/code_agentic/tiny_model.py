"""A model small enough to learn to debug on a CPU, made here: config, tokenizer and random weights.

``python -m recipe.code_agentic.tiny_model [key=value ...]``; configs/tiny_model.yaml says what there is.

Qwen2 architecture with untied embeddings (tied ones go stale in vLLM's CPU reload), a byte-level BPE of its
own trained on the SFT conversations, and the Qwen2.5 chat template. See docs/models.md for why these sizes.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import torch
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers
from transformers import Qwen2Config, Qwen2ForCausalLM, Qwen2Tokenizer

from verl_ext.cli import compose, run_main

CHAT_TEMPLATE = Path(__file__).with_name("qwen_chat_template.jinja")
SPECIAL_TOKENS = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
MARKERS = ("<tool_call>", "</tool_call>")
# Qwen2's own splitting rule (digits single): AutoTokenizer loads every qwen2 checkpoint with it, whatever was
# saved, so a tokenizer with another rule would change its ids silently.
QWEN_SPLIT = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)


@dataclass(frozen=True, slots=True)
class TinyModelConfig:
    """Sizes of the tiny model.

    Attributes:
        conversations: SFT parquet file whose text the tokenizer is trained on.
        output_dir: Folder for the model.
        vocab_size: Tokens, special ones included.
        hidden_size: Width.
        num_layers: Layers.
        num_heads: Attention heads; vLLM's CPU attention needs hidden_size / num_heads >= 32.
        intermediate_size: Width inside the MLP.
        max_position_embeddings: Longest sequence, tokens.
        rope_theta: Base of the rotary embedding.
        seed: For the weights.
    """

    conversations: Path
    output_dir: Path
    vocab_size: int
    hidden_size: int
    num_layers: int
    num_heads: int
    intermediate_size: int
    max_position_embeddings: int
    rope_theta: float
    seed: int


def train_tokenizer(texts: Iterator[str], vocab_size: int) -> Qwen2Tokenizer:
    """A byte-level BPE with Qwen's splitting rule, special tokens and chat template."""
    core = Tokenizer(models.BPE())
    core.normalizer = normalizers.NFC()
    core.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(QWEN_SPLIT), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    core.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size - len(SPECIAL_TOKENS) - len(MARKERS),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    core.train_from_iterator(texts, trainer)
    trained = json.loads(core.to_str())["model"]
    merges: Any = [tuple(merge) for merge in trained["merges"]]
    no_token: Any = None
    tokenizer = Qwen2Tokenizer(
        vocab=trained["vocab"],
        merges=merges,
        unk_token=no_token,
        bos_token=None,
        eos_token="<|im_end|>",
        pad_token="<|endoftext|>",
    )
    tokenizer.add_special_tokens({"additional_special_tokens": list(SPECIAL_TOKENS[1:2])})
    tokenizer.add_tokens([AddedToken(marker, normalized=False) for marker in MARKERS])
    tokenizer.chat_template = CHAT_TEMPLATE.read_text()
    return tokenizer


def conversation_texts(path: Path) -> Iterator[str]:
    """Every message of an SFT file as plain text, tool schemas and template words included."""
    template = CHAT_TEMPLATE.read_text()
    for row in pq.read_table(path, columns=["messages", "tools"]).to_pylist():
        yield template
        yield row["tools"]
        for message in json.loads(row["messages"]):
            yield message["content"]
            for call in message.get("tool_calls", ()):
                yield json.dumps(call["function"])


def make_tiny_model(config: TinyModelConfig) -> Path:
    """Makes the model folder and returns it.

    Raises:
        ValueError: When the head size is below what vLLM's CPU attention takes.
    """
    if config.hidden_size < 32 * config.num_heads:
        raise ValueError(
            f"hidden_size / num_heads is {config.hidden_size / config.num_heads:g}; "
            "vLLM on the CPU needs at least 32"
        )
    tokenizer = train_tokenizer(conversation_texts(config.conversations), config.vocab_size)
    torch.manual_seed(config.seed)
    model = Qwen2ForCausalLM(
        Qwen2Config(
            # exactly the tokenizer's: verl masks logits beyond it in the rollout only, which would make the
            # sampled and the trained policy differ
            vocab_size=len(tokenizer),
            hidden_size=config.hidden_size,
            intermediate_size=config.intermediate_size,
            num_hidden_layers=config.num_layers,
            num_attention_heads=config.num_heads,
            num_key_value_heads=config.num_heads,
            max_position_embeddings=config.max_position_embeddings,
            rope_parameters={"rope_type": "default", "rope_theta": config.rope_theta},
            tie_word_embeddings=False,
            bos_token_id=None,
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.pad_token_id,
        )
    )
    model.save_pretrained(config.output_dir)
    tokenizer.save_pretrained(config.output_dir)
    return config.output_dir


def main() -> None:
    """Makes the model that the command line describes."""
    values = compose("tiny_model", sys.argv[1:])
    paths = {key: Path(values[key]) for key in ("conversations", "output_dir")}
    config = TinyModelConfig(**{str(key): value for key, value in values.items()} | paths)
    if not config.conversations.is_file():
        raise ValueError(f"{config.conversations}: no such file; run data_preprocess/preprocess.py first")
    print(f"tiny model: {make_tiny_model(config)}")


if __name__ == "__main__":
    run_main(main, __doc__)
