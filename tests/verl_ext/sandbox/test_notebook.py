"""The synchronous face: what a notebook sees, also where an event loop is running."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from verl_ext.sandbox.notebook import PythonSandbox

REPOSITORY = Path(__file__).resolve().parents[3]


def test_a_program_that_works_has_output_and_time_and_no_error() -> None:
    with PythonSandbox(timeout=5, memory_limit_mb=100) as sandbox:
        done = sandbox.execute("print(6 * 7)")
    assert (done.output, done.error, done.success) == ("42\n", "", True)
    assert 0 < done.execution_time < 5
    assert PythonSandbox().execute("print(input())", stdin="typed").output == "typed\n"


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("print(1); 1/0", "ZeroDivisionError"),
        ("print(1)\nprint(", "SyntaxError"),
        ("exit(3)", "exit code 3"),
        ("print(1, flush=True)\nwhile True: pass", "stopped after 0.5 s"),
        ("x = bytearray(10**9)", "more than 100 MiB of memory"),
    ],
)
def test_a_program_that_fails_says_why(code: str, error: str) -> None:
    done = PythonSandbox(timeout=0.5).execute(code)
    assert not done.success
    assert error in done.error


async def test_it_works_where_an_event_loop_is_running() -> None:
    assert PythonSandbox().execute("print('in a loop')").output == "in a loop\n"


def test_threads_share_one_server() -> None:
    outputs: list[str] = []
    code = "import os; print(os.getppid())"
    work = [
        threading.Thread(target=lambda: outputs.append(PythonSandbox().execute(code).output))
        for _ in range(4)
    ]
    for thread in work:
        thread.start()
    for thread in work:
        thread.join()
    assert len(outputs) == 4 and all(outputs)


@pytest.mark.parametrize(
    "limits", [{"timeout": 0}, {"memory_limit_mb": 0}, {"timeout": "a"}, {"memory_limit_mb": 1.5}]
)
def test_a_limit_of_nothing_is_refused(limits: dict) -> None:
    with pytest.raises(ValueError, match="must be above 0"):
        PythonSandbox(**limits)


def test_the_server_starts_with_the_first_program_and_ends_with_the_process() -> None:
    code = (
        "import psutil\n"
        "from verl_ext.sandbox.notebook import PythonSandbox\n"
        "sandbox = PythonSandbox()\n"
        "print(len(psutil.Process().children()))\n"
        "sandbox.execute('1')\n"
        "print(psutil.Process().children()[0].pid)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, timeout=60, check=True
    )
    before, pid = done.stdout.split()
    assert before == "0"
    assert not Path(f"/proc/{pid}").exists()
    assert done.stderr == ""
