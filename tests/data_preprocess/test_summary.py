"""What preprocessing says at its end, and what the manifest says of it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from data_preprocess.parquet_files import MANIFEST

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def run_into(run: Callable[..., int], sandbox_endpoint: str) -> Callable[[Sequence[str], Path], int]:
    """``run`` on the sandbox, with an output folder."""

    def command(arguments: Sequence[str], folder: Path) -> int:
        return run(*arguments, f"output_dir={folder}", f"code_agentic.sandbox.endpoint={sandbox_endpoint}")

    return command


def _conversations(folder: Path) -> list[list[dict]]:
    rows = pq.read_table(folder / "sft_train.parquet").to_pylist()
    return [json.loads(row["messages"]) for row in rows]


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["sft.num_conversations=0"], "sft_train.parquet has no rows: sft.num_conversations=0"),
        (
            ["input=none_has.jsonl"],
            "sft_train.parquet has no rows: no problem of the split has a reference",
        ),
        (["splits.val_share=0"], "rl_val.parquet has no rows: of 6 problems none is in its split (splits.*)"),
        (
            ["splits.val_share=0"],
            "sft_val.parquet has no rows: of 6 problems none is in its split (splits.*)",
        ),
        ([], "columns that are kept and not read: origin"),
    ],
)
def test_a_note_says_why(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    run_into: Callable[..., int],
    records: Callable[..., Path],
    make_record: Callable[..., dict],
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    why: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    records(*(make_record(f"p{n}", reference=None) for n in range(6)), name="none_has.jsonl")
    records(*(make_record(f"p{n}") for n in range(6)))
    small = ("data=user", "input=records.jsonl", "sft.num_conversations=2", "sft.num_val_conversations=1")
    assert run_into((*small, *arguments), tmp_path / "out") == 0
    assert f"note: {why}" in capsys.readouterr().out


def test_a_tool_of_the_users_own_is_not_said_to_show_what_it_does_not(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    run_into: Callable[..., int],
    records: Callable[..., Path],
    make_record: Callable[..., dict],
    capsys: pytest.CaptureFixture[str],
) -> None:
    page = (ROOT / "docs" / "episode.md").read_text()
    for name, language in (("my_tools.py", "python"), ("my_tools.yaml", "yaml")):
        (tmp_path / name).write_text(page.partition(f"```{language}\n")[2].partition("\n```")[0])
    monkeypatch.syspath_prepend(tmp_path)
    path = records(*(make_record(f"p{n}", prompt=None if n < 3 else "Use count_passed.") for n in range(4)))
    arguments = (
        "data=user", f"input={path}", f"tools_file={tmp_path}/my_tools.yaml",
        "sft.num_conversations=16", "sft.num_val_conversations=0",
        "splits.val_share=0", "splits.test_share=0",
    )  # fmt: skip
    assert run_into(arguments, tmp_path / "out") == 0
    note = "note: the prompts of 3 problems name enhanced_code_agentic_tool, and "
    assert f"{note}{tmp_path}/my_tools.yaml has count_passed: " in capsys.readouterr().out
    answers = set()
    for messages in _conversations(tmp_path / "out"):
        answers |= {message["content"] for message in messages if message["role"] == "tool"}
        said = [m["content"].partition("```")[0] for m in messages if m["role"] == "assistant"]
        assert not re.search(r"\bcases?\b|\bexamples|expected|Error|\bpass", " ".join(said)), said
    assert {"0 of 2 cases passed", "2 of 2 cases passed"} <= answers


@pytest.mark.parametrize(
    ("changed", "arguments", "columns"),
    [
        (
            {"solutions": "[]", "url": "u"},
            ["format=apps"],
            {"query_id", "prompt", "reference", "origin", "url"},
        ),
        ({"solutions": [], "failed_programs": []}, [], {"origin", "solutions"}),
        ({"solutions": []}, ["verify=true", "verify_solutions=2"], {"origin"}),
    ],
)
def test_columns_that_somebody_reads_are_not_called_unread(
    tmp_path: Path,
    run_into: Callable[..., int],
    records: Callable[..., Path],
    make_record: Callable[..., dict],
    changed: dict,
    arguments: list[str],
    columns: set[str],
) -> None:
    small = ("data=user", f"input={records(make_record('p', **changed))}", *arguments)
    nothing = ("sft.num_conversations=0", "sft.num_val_conversations=0")
    assert run_into((*small, *nothing), tmp_path / "out") == 0
    assert set(json.loads((tmp_path / "out" / MANIFEST).read_text())["columns_not_read"]) == columns


def test_conversations_that_repeat_are_counted_and_noted(
    tmp_path: Path,
    run_into: Callable[..., int],
    records: Callable[..., Path],
    make_record: Callable[..., dict],
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = records(make_record("p"))
    arguments = ("data=deepcoder", f"input={path}", "splits.val_share=0", "splits.test_share=0")
    assert run_into((*arguments, "sft.num_conversations=40"), tmp_path / "out") == 0
    rows = _conversations(tmp_path / "out")
    distinct = len({json.dumps(row) for row in rows})
    assert len(rows) == 40 and distinct < 20
    counted = json.loads((tmp_path / "out" / MANIFEST).read_text())["sft"]["distinct_conversations"]
    assert counted == {"train": distinct, "val": 0}
    note = (
        f"note: sft_train.parquet has 40 rows, of which {distinct} are distinct: lower sft.num_conversations"
    )
    assert note in capsys.readouterr().out
    assert run_into((*arguments, "sft.num_conversations=1"), tmp_path / "few") == 0
    assert "are distinct" not in capsys.readouterr().out
