"""Fixtures shared by the whole tree."""

from __future__ import annotations

import json
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from verl_ext.grading.grader import Grader
from verl_ext.grading.harness import Limits
from verl_ext.sandbox.client import HttpSandbox
from verl_ext.sandbox.embedded import EmbeddedServer, serve

# No example is too slow on a loaded machine; CI draws the same ones in every run.
settings.register_profile(
    "tests", deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize="CI" in os.environ
)
settings.load_profile("tests")

SCHEMA = {
    "type": "function",
    "function": {
        "name": "enhanced_code_agentic_tool",
        "description": "Run code on the test cases.",
        "parameters": {"type": "object", "properties": {"code": {"type": "string"}}, "required": ["code"]},
    },
}


def _call(code: str) -> dict:
    function = {"name": "enhanced_code_agentic_tool", "arguments": {"code": code}}
    return {"role": "assistant", "content": "", "tool_calls": [{"type": "function", "function": function}]}


@pytest.fixture(scope="session")
def server() -> Iterator[EmbeddedServer]:
    """The embedded sandbox, one for the whole session."""
    with serve() as running:
        yield running


@pytest.fixture(scope="session")
def sandbox_endpoint(server: EmbeddedServer) -> str:
    """Its URL."""
    return server.endpoint


@pytest.fixture
async def sandbox(sandbox_endpoint: str) -> AsyncIterator[HttpSandbox]:
    """A client of it; one per test, because a client lives in one event loop."""
    async with HttpSandbox(sandbox_endpoint) as client:
        yield client


@pytest.fixture
def grader(sandbox: HttpSandbox) -> Grader:
    """Grades on it, with limits that keep failing programs short."""
    return Grader(sandbox, Limits(time_s=0.5, memory_limit_mb=256))


@pytest.fixture(scope="session")
def schema() -> dict:
    """The schema of a tool with one parameter."""
    return SCHEMA


@pytest.fixture(scope="session")
def debugging_conversation() -> list[dict]:
    """One wrong attempt that is not learned, its repair, and the final answer."""
    return [
        {"role": "system", "content": "Solve it with the tool."},
        {"role": "user", "content": "Read a. Print a plus 3."},
        {**_call("a=int(input())\nprint(a-3)"), "train": False},
        {"role": "tool", "content": "case 0: wrong_answer\ninput: 3\nexpected: 6\ngot: 0"},
        _call("a=int(input())\nprint(a+3)"),
        {"role": "tool", "content": "all 2 cases passed"},
        {"role": "assistant", "content": "done"},
    ]


@pytest.fixture(scope="session")
def sft_file(tmp_path_factory: pytest.TempPathFactory, debugging_conversation: list[dict]) -> Path:
    """A small SFT parquet file."""
    pa = pytest.importorskip("pyarrow")
    import pyarrow.parquet as pq

    path = tmp_path_factory.mktemp("sft") / "sft_train.parquet"
    rows = [{"messages": json.dumps(debugging_conversation), "tools": json.dumps([SCHEMA])}] * 8
    pq.write_table(pa.Table.from_pylist(rows), path)
    return path


@pytest.fixture(scope="session")
def tiny_model_dir(tmp_path_factory: pytest.TempPathFactory, sft_file: Path) -> Path:
    """The project's tiny model, made from the small SFT file."""
    pytest.importorskip("transformers")
    from recipe.code_agentic.tiny_model import TinyModelConfig, make_tiny_model

    return make_tiny_model(
        TinyModelConfig(
            conversations=sft_file,
            output_dir=tmp_path_factory.mktemp("tiny"),
            vocab_size=640,
            hidden_size=64,
            num_layers=2,
            num_heads=2,
            intermediate_size=160,
            max_position_embeddings=4096,
            rope_theta=10000.0,
            seed=0,
        )
    )


@pytest.fixture(scope="session")
def tokenizer(tiny_model_dir: Path):
    """The tiny model's tokenizer, loaded as a user's training run loads it."""
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(tiny_model_dir)
