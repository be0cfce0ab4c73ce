"""The Python of the documentation runs."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from verl_ext.agent_loop.episode import Episode
from verl_ext.grading.grader import Grader
from verl_ext.grading.problem import Case, Problem
from verl_ext.sandbox.memory import InMemorySandbox, finished
from verl_ext.tools.registry import load_schemas, load_tools

DOCS = Path(__file__).resolve().parents[1] / "docs"


def blocks(page: str, language: str) -> list[str]:
    """The fenced blocks of a page in one language."""
    text = (DOCS / page).read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)


def test_sandbox_and_grader_are_used_from_python_as_documented() -> None:
    printed = []
    for code in blocks("sandbox.md", "python"):
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        printed.append(done.stdout.split())
    notebook, graded = printed
    assert notebook[:2] == ["42", "True"]
    assert graded == ["42", "0", "passed", "2", "1", "wrong_answer", "4", "True"]


def test_the_deepcoder_reward_is_used_from_python_as_documented() -> None:
    judged, on_trl = blocks("deepcoder.md", "python")
    done = subprocess.run(
        [sys.executable, "-c", judged + on_trl], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["1.0 all 2 cases passed", "0.0 case 0: wrong_answer"]


def test_programs_are_graded_in_one_call_as_documented() -> None:
    graded, judge = blocks("grading.md", "python")
    done = subprocess.run([sys.executable, "-c", graded], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["0 passed '2\\n'", "1 wrong_answer '4\\n'", "1 2 False", "True"]
    namespace: dict = {}
    exec(judge, namespace)
    assert namespace["my_judge"]("print(7)", [Case("", "7")]) is True
    assert namespace["my_judge"]("x", [Case("[]", "7", "f")]) is None


async def test_a_tool_of_ones_own_is_written_as_documented(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (code,), (entries,) = blocks("episode.md", "python"), blocks("episode.md", "yaml")
    (tmp_path / "my_tools.py").write_text(code)
    (tmp_path / "my_tools.yaml").write_text(entries)
    monkeypatch.syspath_prepend(tmp_path)
    sandbox = InMemorySandbox(lambda request: finished("7"))
    (tool,) = load_tools(tmp_path / "my_tools.yaml", grader=Grader(sandbox))
    assert load_schemas(tmp_path / "my_tools.yaml")[0]["function"]["name"] == tool.name == "count_passed"
    episode = Episode(Problem("q", "?", (Case("1", "7", public=True), Case("2", "8", public=True))))
    for _ in range(3):
        answer = await tool.call({"code": "print(7)"}, episode)
        assert (answer.text, answer.ran) == ("1 of 2 cases passed", True)
    assert not (await tool.call({"code": "print(7)"}, episode)).ran
    assert not (await tool.call({}, episode)).ran
    assert (episode.num_tool_calls, episode.num_failed_attempts, episode.num_refused_calls) == (3, 3, 2)
    (tmp_path / "my_tools.yaml").write_text(
        entries.replace("max_failed_attempts: 3", "max_failed_attempts: 0")
    )
    with pytest.raises(ValueError, match=r"tools\[0\]\.config: max_failed_attempts must be at least 1"):
        load_tools(tmp_path / "my_tools.yaml", grader=Grader(sandbox))
