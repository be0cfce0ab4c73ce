"""The online judge: which part of a completion is run, and when it is accepted."""

from __future__ import annotations

import json
import shutil
from typing import Any

import aiohttp
import pytest

from verl_ext.sandbox.completion_code import choose_code, extract_heuristic_code
from verl_ext.sandbox.embedded import EmbeddedServer

_ECHO = "```python\nprint(input())\n```"


@pytest.fixture
def submit(server: EmbeddedServer):
    async def post(completion: str, cases: list[tuple[str, str]], **config: Any) -> dict[str, Any]:
        test = [{"input": {"stdin": stdin}, "output": {"stdout": stdout}} for stdin, stdout in cases]
        fields = {"dataset_type": "CommonOJDataset", "language": "python", "provided_data": {"test": test}}
        body = {"dataset": "d", "id": 7, "completion": completion, "config": fields | config}
        async with aiohttp.ClientSession(server.endpoint) as session:
            async with session.post("/submit", json=body) as response:
                assert response.status == 200, await response.text()
                return await response.json()

    return post


@pytest.mark.parametrize(
    ("printed", "expected", "accepted"),
    [
        ("3", "3", True),
        ("3", "3\n\n", True),
        ("a  b ", "a b\n", True),
        ("YES", "Yes", True),
        ("0.3333333", "0.33333333333", True),
        ("3", "4", False),
        ("10000001", "10000000", False),
        ("a b", "b a", False),
        ("", "x", False),
        ("1\\n2", "1 2", False),
    ],
)
async def test_output_is_compared_line_by_line(submit, printed: str, expected: str, accepted: bool) -> None:
    reply = await submit(f"```python\nprint('{printed}')\n```", [("", expected)])
    assert reply["accepted"] is accepted
    assert [test["passed"] for test in reply["tests"]] == [accepted]


@pytest.mark.parametrize(
    "program",
    [
        "print(input()); raise SystemExit(1)",
        "print(input(), flush=True); 1 / 0",
        "print(input(), flush=True)\nwhile True: pass",
        "print(input(), flush=True); import os; os.kill(os.getpid(), 9)",
    ],
)
async def test_the_right_output_of_a_program_that_fails_is_not_accepted(submit, program: str) -> None:
    reply = await submit(f"```python\n{program}\n```", [("x", "x")], run_timeout=0.5)
    assert reply["accepted"] is False
    assert reply["tests"][0]["exec_info"]["run_result"]["stdout"] == "x\n"


async def test_cut_output_is_not_accepted_however_it_begins(submit) -> None:
    whole = "x" * (1 << 20)
    reply = await submit("```python\nprint('x' * 2_000_000)\n```", [("", whole)])
    assert reply["accepted"] is False


async def test_it_stops_at_the_first_failure_unless_all_are_asked_for(submit) -> None:
    cases = [("a", "a"), ("b", "?"), *[("c", "c")] * 10]
    reply = await submit(_ECHO, cases)
    assert [test["passed"] for test in reply["tests"]] == [True, False]
    reply = await submit(_ECHO, cases, extra={"run_all_cases": True})
    assert [test["passed"] for test in reply["tests"]] == [True, False, *[True] * 10]
    assert reply["accepted"] is False


async def test_the_reply_names_what_was_run_and_on_what(submit) -> None:
    reply = await submit(_ECHO, [("a" * 2000, "a" * 2000)])
    assert {name: reply[name] for name in ("id", "accepted", "extracted_code")} == {
        "id": 7, "accepted": True, "extracted_code": "print(input())"
    }  # fmt: skip
    assert reply["tests"][0]["test_info"] == {
        "input": {"stdin": "a" * 1000},
        "output": {"stdout": "a" * 1000},
    }
    reply = await submit(_ECHO, [("a" * 2000, "a" * 2000)], extra={"return_full_case": True})
    assert len(reply["tests"][0]["test_info"]["input"]["stdin"]) == 2000


async def test_cases_may_come_as_json_text(submit) -> None:
    cases = json.dumps([{"input": {"stdin": "a"}, "output": {"stdout": "a"}}])
    assert (await submit(_ECHO, [], provided_data={"test": cases}))["accepted"]


async def test_no_program_is_not_accepted_even_where_nothing_is_expected(submit) -> None:
    reply = await submit("I can't do that.", [("", "")])
    assert (reply["accepted"], reply["extracted_code"], reply["tests"]) == (False, "", [])
    assert reply["extracted_type"] == "empty"


async def test_the_expected_output_is_nowhere_in_the_jail(submit) -> None:
    program = (
        "import os, sys\nsecret = sys.stdin.read()[::-1]\n"
        "seen = repr(vars(sys)) + repr(dict(os.environ)) + open('/proc/self/cmdline').read()\n"
        "for folder, _, names in os.walk('.'):\n"
        "    for name in names: seen += open(os.path.join(folder, name)).read()\n"
        "print('found' if secret in seen.replace('secret', '') else 'nowhere')"
    )
    reply = await submit(f"```python\n{program}\n```", [("dc8f21-tsrif"[::-1], "first-12f8cd")])
    assert reply["tests"][0]["exec_info"]["run_result"]["stdout"] == "nowhere\n"


async def test_extraction_logic_runs_in_the_jail_and_its_block_is_taken(submit) -> None:
    logic = (
        "import os\nprint('it may print')\n"
        "blocks = extract_fenced_code(completion) + extract_heuristic_code(completion, 'python')\n"
        "where = os.getcwd() + ' ' + str(os.path.exists('/etc/shadow'))\n"
        "submit_code_blocks([CodeBlock(priority=40, language='python', code=f'print({where!r})')])"
    )
    reply = await submit(_ECHO, [("", "?")], custom_extract_logic=logic)
    code = reply["extracted_code"]
    assert "verl_ext-sandbox" in code or "/tmp/work" in code
    reply = await submit(_ECHO, [("a", "a")], custom_extract_logic="submit_code_blocks([])")
    assert reply["accepted"]


@pytest.mark.skipif(shutil.which("g++") is None, reason="no g++")
async def test_a_compiled_language(submit) -> None:
    code = "#include <iostream>\nint main() { int x; std::cin >> x; std::cout << 2 * x; }"
    reply = await submit(f"```c++\n{code}\n```", [("2", "4"), ("3", "6")], language="cpp", compile_timeout=60)
    assert reply["accepted"]
    reply = await submit("```cpp\nint main() {\n```", [("2", "4")], language="cpp", compile_timeout=60)
    assert not reply["accepted"]
    assert reply["tests"][0]["exec_info"]["compile_result"]["return_code"] == 1


@pytest.mark.parametrize(
    ("completion", "code"),
    [
        ("```python\na\n```\n```python\nb\n```", "a"),
        ("```cpp\na\n```\n```py\nb\n```", "b"),
        ("```\na\n```", "a"),
        ("```cpp\na\n```", "a"),
        ("text ```python\na\n```", "a"),
        ("  ```python\n  a\n  ```", "  a"),
        ("```Python3\na\n```", "a"),
        ("```python\na\r\nb\r\n```", "a\nb"),
        ("```python\na", "a"),
        ("```cpp\na\n```\n```python\nb", "a"),
        ("use `x` and ```y```", ""),
        ("```python\n```", ""),
        ("nothing", ""),
        ("", ""),
        ("Sure:\nimport os\ndef f():\n    return 1\n\nbye", "import os\ndef f():\n    return 1"),
    ],
)
def test_the_program_is_the_first_closed_block_in_the_language(completion: str, code: str) -> None:
    assert choose_code(completion, "python") == code


def test_extraction_takes_linear_time() -> None:
    for piece in ("```python\nx\n", "```x", "``", "def f():\n", "# x\n", "def f():\n x\n"):
        choose_code(piece * 50_000, "python")


def test_heuristics_find_definitions_with_the_imports_above_them() -> None:
    text = "import a\n# why\nclass A:\n    x = 1\nso\ndef g():\n    pass\ndef h(): pass\n"
    blocks = [block.code for block in extract_heuristic_code(text, "python")]
    assert blocks == ["import a\n# why\nclass A:\n    x = 1", "def g():\n    pass"]
    assert [block.code for block in extract_heuristic_code("ls\n\npwd", "bash")] == ["ls\npwd"]
    assert extract_heuristic_code("x", "cpp") == []
