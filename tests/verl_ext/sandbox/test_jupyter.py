"""Cells in one interpreter: what each printed, displayed and raised, and what ends them."""

from __future__ import annotations

import base64
from typing import Any

import aiohttp
import pytest

from verl_ext.sandbox import jupyter
from verl_ext.sandbox.embedded import EmbeddedServer


@pytest.fixture
def run_cells(server: EmbeddedServer):
    async def run(*cells: str, **fields: Any) -> dict[str, Any]:
        async with aiohttp.ClientSession(server.endpoint) as session:
            async with session.post("/run_jupyter", json={"cells": cells, **fields}) as response:
                assert response.status == 200, await response.text()
                return await response.json()

    return run


def _errors(reply: dict[str, Any]) -> list[str | None]:
    return [cell["error"][0]["ename"] if cell["error"] else None for cell in reply["cells"]]


@pytest.mark.parametrize(
    ("cell", "display"),
    [
        ("1 + 1", [{"text/plain": "2"}]),
        ("x = 5\nx", [{"text/plain": "5"}]),
        ("'a'", [{"text/plain": "'a'"}]),
        ("None", []),
        ("1 + 1;", []),
        ("x = 5", []),
        ("", []),
        ("# nothing", []),
        ("for i in range(2): i", []),
        ("display(1, 'b')\n3", [{"text/plain": "1"}, {"text/plain": "'b'"}, {"text/plain": "3"}]),
        ("import asyncio\nawait asyncio.sleep(0, 'slept')", [{"text/plain": "'slept'"}]),
        (
            "class Rich:\n    def __repr__(self): return 'R'\n    def _repr_html_(self): return '<b>R</b>'\n"
            "    def _repr_png_(self): return b'png'\n    def _repr_latex_(self): 1 / 0\nRich()",
            [{"text/plain": "R", "text/html": "<b>R</b>", "image/png": base64.b64encode(b"png").decode()}],
        ),
    ],
)
async def test_the_value_of_a_last_expression_is_displayed(run_cells, cell: str, display: list) -> None:
    reply = await run_cells(cell)
    assert reply["status"] == "Success"
    assert (reply["cells"][0]["display"], reply["cells"][0]["error"]) == (display, [])


async def test_cells_share_names_imports_and_the_last_value(run_cells) -> None:
    reply = await run_cells("import math\ndef f(x): return math.floor(x) + y", "y = 40", "f(2.5)", "_ + 1")
    assert [cell["display"] for cell in reply["cells"]] == [
        [], [], [{"text/plain": "42"}], [{"text/plain": "43"}]
    ]  # fmt: skip


async def test_output_belongs_to_its_cell_however_it_is_written(run_cells) -> None:
    reply = await run_cells(
        "print('one')",
        "import os, sys\nos.write(1, b'two'); print('err', file=sys.stderr)",
        "import subprocess\nsubprocess.run(['echo', 'three'])\nprint('four', end='')",
        r"os.write(1, b'\xff');",
    )
    assert [cell["stdout"] for cell in reply["cells"]] == ["one\n", "two", "three\nfour", "�"]
    assert [cell["stderr"] for cell in reply["cells"]] == ["", "err\n", "", ""]
    assert (reply["driver"]["stdout"], reply["driver"]["stderr"]) == ("", "")


async def test_an_error_ends_its_cell_and_the_next_one_runs(run_cells) -> None:
    reply = await run_cells(
        "x = 1\nprint('before')\n1 / 0\nprint('after')", "x = (", "import sys; sys.exit(3)", "x"
    )
    assert reply["status"] == "Success"
    assert _errors(reply) == ["ZeroDivisionError", "SyntaxError", "SystemExit", None]
    assert [cell["status"] for cell in reply["cells"]] == ["error", "error", "error", "ok"]
    assert reply["cells"][0]["stdout"] == "before\n"
    assert reply["cells"][3]["display"] == [{"text/plain": "1"}]


async def test_a_traceback_shows_the_lines_of_cells_and_nothing_of_ours(run_cells) -> None:
    reply = await run_cells("def f(x):\n    return 1 / x", "f(0)")
    (error,) = reply["cells"][1]["error"]
    assert error["evalue"] == "division by zero"
    text = "\n".join(error["traceback"])
    assert '"<cell 1>", line 2, in f' in text and "return 1 / x" in text
    assert '"<cell 2>", line 1' in text and "cell_driver" not in text


async def test_a_cell_timeout_ends_the_cell_only(run_cells) -> None:
    reply = await run_cells("print('x')\nwhile True: pass", "print('next')", cell_timeout=0.3)
    assert (reply["status"], _errors(reply)) == ("Success", ["CellTimeout", None])
    assert [cell["stdout"] for cell in reply["cells"]] == ["x\n", "next\n"]


async def test_a_cell_that_ignores_its_timeout_ends_the_notebook(run_cells) -> None:
    stubborn = "import time\nwhile True:\n    try:\n        time.sleep(5)\n    except BaseException: pass"
    reply = await run_cells("1", stubborn, "3", cell_timeout=0.3)
    assert (reply["status"], _errors(reply)) == ("Failed", [None, "DeadKernelError"])


async def test_the_total_timeout_keeps_what_was_done(run_cells) -> None:
    reply = await run_cells(
        "print('done'); 7", "print('partial')\nsum(range(10**12))", "3", total_timeout=0.7, fetch_files=["f"]
    )
    assert (reply["status"], reply["driver"]["status"]) == ("Failed", "TimeLimitExceeded")
    assert reply["driver"]["return_code"] is None
    assert _errors(reply) == [None, "TotalTimeout"]
    assert [cell["stdout"] for cell in reply["cells"]] == ["done\n", "partial\n"]
    assert reply["cells"][0]["display"] == [{"text/plain": "7"}]
    assert reply["files_left_out"] == {"f": "no such file"}


@pytest.mark.parametrize(
    ("fatal", "return_code"),
    [("import os; os._exit(3)", 3), ("import ctypes; ctypes.string_at(0)", -11)],
)
async def test_a_cell_that_kills_the_interpreter_is_named(run_cells, fatal: str, return_code: int) -> None:
    reply = await run_cells("print('fine')", f"print('last words')\n{fatal}", "3")
    assert (reply["status"], reply["driver"]["return_code"]) == ("Failed", return_code)
    assert _errors(reply) == [None, "DeadKernelError"]
    assert [cell["stdout"] for cell in reply["cells"]] == ["fine\n", "last words\n"]


async def test_output_beyond_the_cap_is_flagged_where_it_was_cut(run_cells) -> None:
    reply = await run_cells("print('a')", "print('x' * 3_000_000)", "print('lost'); 5")
    assert [cell["output_truncated"] for cell in reply["cells"]] == [False, True, True]
    assert reply["cells"][0]["stdout"] == "a\n"
    assert len(reply["cells"][1]["stdout"]) == (1 << 20) - len("a\n") - 32
    assert reply["cells"][2]["display"] == [{"text/plain": "5"}]


async def test_files_go_in_and_come_back(run_cells) -> None:
    reply = await run_cells(
        "import module\nopen('out.txt', 'w').write(module.TEXT);",
        files={"module.py": base64.b64encode(b"TEXT = 'from a file'").decode()},
        fetch_files=["out.txt"],
    )
    assert {path: base64.b64decode(text) for path, text in reply["files"].items()} == {
        "out.txt": b"from a file"
    }
    assert _errors(reply) == [None]


async def test_pickling_and_main_are_the_notebooks(run_cells) -> None:
    reply = await run_cells(
        "import pickle\nclass A: pass\ntype(pickle.loads(pickle.dumps(A()))) is A, __name__",
        "sorted(name for name in globals() if not name.startswith('_'))",
    )
    assert reply["cells"][0]["display"] == [{"text/plain": "(True, '__main__')"}]
    assert reply["cells"][1]["display"] == [{"text/plain": "['A', 'display', 'pickle']"}]


async def test_no_cells_are_no_cells(run_cells) -> None:
    assert (await run_cells())["cells"] == []


@pytest.mark.parametrize(
    "forged", ["[]", "5", "{", '{"display": 5, "error": [5, {"ename": "E"}]}', "[" * 99_999]
)
async def test_a_report_that_a_cell_forged_is_taken_for_what_fits(run_cells, forged: str) -> None:
    reply = await run_cells(f"open('.cells.jsonl', 'w').write({forged!r} + '\\n');", "2")
    assert reply["status"] == "Success"
    assert all(
        isinstance(entry, dict) for cell in reply["cells"] for entry in cell["display"] + cell["error"]
    )


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("cells", None),
        ("cells", "1"),
        ("cells", [1]),
        ("cells", ["1"] * 1001),
        ("kernel", "julia"),
        ("cell_timeout", -1),
        ("cell_timeout", "1"),
        ("total_timeout", 0),
        ("total_timeout", 1e9),
        ("files", {"../a": ""}),
        ("fetch_files", ["/etc/passwd"]),
        ("memory_limit_MB", 0),
    ],
)
def test_a_bad_field_is_named(field: str, value: object) -> None:
    with pytest.raises(ValueError, match=field):
        jupyter.request_from_json({"cells": ["1"], field: value})
