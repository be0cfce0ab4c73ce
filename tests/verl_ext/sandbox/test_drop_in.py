"""Other people's clients against our server, unchanged: the official one, and verl's reward."""

from __future__ import annotations

import asyncio
import base64
import importlib.util
import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from verl_ext.sandbox.embedded import EmbeddedServer

sandbox_fusion = pytest.importorskip("sandbox_fusion", reason="no sandbox-fusion client")
from sandbox_fusion import (  # noqa: E402
    GetPromptByIdRequest,
    GetPromptsRequest,
    RunCodeRequest,
    RunJupyterRequest,
    SubmitRequest,
    SummaryMapping,
    TestConfig,
)

TestConfig.__test__ = False
_SUM = "Sum:\n```python\nprint(sum(map(int, input().split())))\n```"
_CASES = [
    {"input": {"stdin": "1 2"}, "output": {"stdout": "3"}},
    {"input": {"stdin": "20 22\n"}, "output": {"stdout": "42\n"}},
]


@pytest.fixture(autouse=True)
def _endpoint(server: EmbeddedServer) -> Iterator[None]:
    """As a user of the client would set it."""
    sandbox_fusion.set_endpoint(server.endpoint)
    yield
    sandbox_fusion.set_endpoint("http://localhost:8080")


def _submission(completion: str, **config: object) -> SubmitRequest:
    data = {"test": config.pop("test", _CASES)}
    fields = {"dataset_type": "CommonOJDataset", "language": "python", "provided_data": data} | config
    return SubmitRequest(dataset="any", id="p1", completion=completion, config=TestConfig(**fields))


def test_run_code_and_its_summary() -> None:
    outcomes = {
        "print(1)": "ok",
        "import sys; sys.exit(1)": "run failed",
        "while True: pass": "run timeout",
        "x = (": "run failed",
    }
    mapping = SummaryMapping(Success="ok", RunFailed="run failed", RunTimeout="run timeout")
    for code, summary in outcomes.items():
        reply = sandbox_fusion.run_code(
            RunCodeRequest(code=code, language="python", run_timeout=0.5), max_attempts=1
        )
        assert sandbox_fusion.summary_run_code_result(reply, mapping) == summary
    assert "SyntaxError" in reply.run_result.stderr


async def test_run_code_async_many_at_a_time() -> None:
    requests = [RunCodeRequest(code=f"print({number})", language="python") for number in range(30)]
    replies = await asyncio.gather(*map(sandbox_fusion.run_code_async, requests))
    assert [reply.run_result.stdout for reply in replies] == [f"{number}\n" for number in range(30)]


def test_run_concurrent() -> None:
    requests = [[RunCodeRequest(code=f"print({number})", language="python")] for number in range(40)]
    replies = sandbox_fusion.run_concurrent(sandbox_fusion.run_code, args=requests)
    assert [reply.run_result.stdout for reply in replies] == [f"{number}\n" for number in range(40)]


def test_files_go_in_and_come_back() -> None:
    request = RunCodeRequest(
        code="open('out', 'wb').write(open('a/in', 'rb').read() * 2)",
        language="python",
        files={"a/in": base64.b64encode(b"\x00\xff").decode(), "nothing": None},
        fetch_files=["out", "nothing"],
    )
    reply = sandbox_fusion.run_code(request, max_attempts=1)
    assert {path: base64.b64decode(text) for path, text in reply.files.items()} == {"out": b"\x00\xff" * 2}


def test_10_mb_in_and_200_mb_out() -> None:
    request = RunCodeRequest(
        code="import sys\nprint(len(sys.stdin.read()))", language="python", stdin="é" * 5_000_000
    )
    assert sandbox_fusion.run_code(request, max_attempts=1).run_result.stdout == "5000000\n"
    flood = RunCodeRequest(code="for _ in range(200): print('x' * 1_000_000)", language="python")
    reply = sandbox_fusion.run_code(flood, max_attempts=1)
    assert (reply.status, len(reply.run_result.stdout)) == ("Failed", 1 << 20)


def test_signals_and_output_that_is_not_utf8() -> None:
    code = r"import os; os.write(1, b'a\xff'); os.kill(os.getpid(), 15)"
    reply = sandbox_fusion.run_code(RunCodeRequest(code=code, language="python"), max_attempts=1)
    assert (reply.status, reply.run_result.status) == ("Failed", "Finished")
    assert (reply.run_result.return_code, reply.run_result.stdout) == (-15, "a\ufffd")


@pytest.mark.skipif(shutil.which("g++") is None, reason="no g++")
def test_a_compile_error() -> None:
    reply = sandbox_fusion.run_code(RunCodeRequest(code="int main() {", language="cpp"), max_attempts=1)
    assert (reply.status, reply.compile_result.return_code, reply.run_result) == ("Failed", 1, None)


def test_run_jupyter_sync_and_async() -> None:
    request = RunJupyterRequest(cells=["a = 123", "a", "print(a)", "raise RuntimeError('no')"])
    for reply in (
        sandbox_fusion.run_jupyter(request, max_attempts=1),
        asyncio.run(sandbox_fusion.run_jupyter_async(request, max_attempts=1)),
    ):
        assert (reply.status, reply.driver.return_code) == ("Success", 0)
        assert [cell.stdout for cell in reply.cells] == ["", "", "123\n", ""]
        assert reply.cells[1].display == [{"text/plain": "123"}]
        assert [error["ename"] for error in reply.cells[3].error] == ["RuntimeError"]


def test_submit_sync_and_async() -> None:
    for completion, accepted in ((_SUM, True), (_SUM.replace("sum", "max"), False)):
        for result in (
            sandbox_fusion.submit(_submission(completion), max_attempts=1),
            asyncio.run(sandbox_fusion.submit_async(_submission(completion), max_attempts=1)),
        ):
            assert (result.id, result.accepted) == ("p1", accepted)
            assert len(result.tests) == (2 if accepted else 1)
            assert result.tests[0].exec_info.run_result.status == "Finished"


def test_submit_safe_and_what_it_does_with_a_refusal() -> None:
    assert sandbox_fusion.submit_safe(_submission(_SUM)).accepted
    refused = sandbox_fusion.submit_safe(_submission(_SUM, test=[]), max_attempts=1)
    assert (refused.accepted, refused.tests) == (False, [])


def test_prompts_of_provided_data() -> None:
    rows = [{"id": n, "content": f"Problem {n}", "labels": '{"level": 1}'} for n in range(3)]
    config = TestConfig(dataset_type="CommonOJDataset", language="cpp", provided_data=rows)
    prompts = sandbox_fusion.get_prompts(GetPromptsRequest(dataset="any", config=config, offset=1, limit=5))
    assert [(prompt.id, prompt.labels) for prompt in prompts] == [(1, {"level": 1}), (2, {"level": 1})]
    assert prompts[0].prompt.startswith("Problem 1\n\n") and "C++" in prompts[0].prompt
    one = TestConfig(dataset_type="CommonOJDataset", provided_data=rows[2])
    request = GetPromptByIdRequest(dataset="any", config=one, id=2)
    assert sandbox_fusion.get_prompt_by_id(request).id == 2


@pytest.fixture(scope="module")
def verl_reward():
    """verl's own package, unchanged, by itself: importing all of verl takes most of a minute."""
    verl = importlib.util.find_spec("verl")
    if verl is None or not verl.submodule_search_locations:
        pytest.skip("no verl")
    folder = Path(verl.submodule_search_locations[0], "utils", "reward_score", "sandbox_fusion")
    name = "verls_sandbox_fusion"
    spec = importlib.util.spec_from_file_location(
        name, folder / "__init__.py", submodule_search_locations=[str(folder)]
    )
    assert spec is not None and spec.loader is not None
    sys.modules[name] = module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_verls_reward_scores_standard_input(server: EmbeddedServer, verl_reward) -> None:
    cases = {"inputs": ["1 2", "20 22", "5 5"], "outputs": ["3", "42\n", "11"]}

    def score(completion: str) -> tuple[float, list[str]]:
        value, metadata = verl_reward.compute_score(
            f"{server.endpoint}/run_code", None, 512, completion, json.dumps(cases), timeout=2
        )
        return value, [entry["status"] for entry in metadata]

    assert score(_SUM) == (pytest.approx(2 / 3), ["success", "success", "wrong_answer"])
    assert score("```python\nraise ValueError\n```") == (0.0, ["runtime_error"] * 3)
    assert score("```python\nwhile True: pass\n```") == (0.0, ["timeout"] * 3)
    assert score("```python\nx = bytearray(4 << 30)\n```") == (0.0, ["runtime_error"] * 3)


def test_verls_reward_calls_functions(server: EmbeddedServer, verl_reward) -> None:
    cases = {"inputs": ["[1, 2]\n3", "[]\n1"], "outputs": ["[1, 2, 3]", "[1]"], "fn_name": "with_last"}
    completion = "```python\nclass Solution:\n    def with_last(self, xs, x):\n        return xs + [x]\n```"
    score, metadata = verl_reward.compute_score(
        f"{server.endpoint}/run_code", None, 512, completion, cases, timeout=5
    )
    assert score == 1.0, metadata
