"""Small record files for the preprocessing tests."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from data_preprocess.preprocess import main
from verl_ext.cli import run_main


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    """Runs the command line in this process and returns its exit code."""

    def command(*arguments: str) -> int:
        monkeypatch.setattr("sys.argv", ["preprocess.py", *arguments])
        with pytest.raises(SystemExit) as end:
            run_main(main)
        return end.value.code

    return command


def user_record(name: str, **changed: object) -> dict:
    """A record of the user's format; its hidden case holds a text that occurs nowhere else."""
    record = {
        "prompt": "You are a careful programmer.",
        "question": f"Read a number and print it plus 3. ({name})",
        "query_id": name,
        "input_output": {
            "inputs": ["4", "10", "48151623"],
            "outputs": ["7", "13", "48151626"],
            "remote": False,
        },
        "reference": "n = int(input())\nprint(n + 3)",
        "origin": "unit test",
    }
    return {**record, **changed}


@pytest.fixture
def records(tmp_path: Path) -> Callable[..., Path]:
    """Writes records (or raw lines) as JSON lines."""

    def write(*rows: object, name: str = "records.jsonl") -> Path:
        path = tmp_path / name
        lines = [row if isinstance(row, str) else json.dumps(row) for row in rows]
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return path

    return write


@pytest.fixture
def make_record() -> Callable[..., dict]:
    """``user_record``, for tests that can't import from here."""
    return user_record
