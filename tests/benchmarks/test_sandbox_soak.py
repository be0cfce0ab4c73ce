"""A short soak: every kind of program gets its right verdict, and nothing leaks."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]


def test_a_short_soak_finds_no_fault() -> None:
    done = subprocess.run(
        [sys.executable, "benchmarks/sandbox_soak.py", "--runs", "300"],
        cwd=REPOSITORY, env=os.environ | {"PYTHONPATH": str(REPOSITORY)}, capture_output=True, text=True,
        timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.endswith("300 runs, 0 faults\n")
