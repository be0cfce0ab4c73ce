"""Whatever a program or a model writes, reading it costs its length and breaks nothing.

The long texts took minutes or hours where an expression tried every way to match them; no clock is read.
"""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from verl_ext.grading.compare import compare_stdout
from verl_ext.grading.error_texts import read_cpp_compile_error, read_cpp_error, read_javascript_error
from verl_ext.grading.extract import extract_program
from verl_ext.grading.harness import Limits, prepare_run, read_verdict
from verl_ext.grading.problem import Case
from verl_ext.grading.traceback_text import read_python_error
from verl_ext.grading.verdict import Verdict
from verl_ext.sandbox.errors import SandboxError
from verl_ext.sandbox.protocol import RunResult, StageResult, StageStatus

LONG = 200_000
HEADER = "Traceback (most recent call last):\n"
LINK = "\nDuring handling of the above exception, another exception occurred:\n\n"


@pytest.mark.parametrize(
    "text",
    ["1" * LONG + "x", "1" * LONG + ".x", "1." + "1" * LONG + "e", "(" * LONG, " " * LONG + "x", "1 " * LONG],
    ids=lambda text: f"{text[:3]}..{text[-2:]}",
)  # fmt: skip
def test_long_output_is_compared_in_time(text: str) -> None:
    assert not compare_stdout(text, "1.0")
    assert not compare_stdout("1.0", text)


@pytest.mark.parametrize(
    "text",
    [
        "<think>" * LONG,
        "<think></think>" * (LONG // 10) + "```",
        "```" + "a" * LONG + "`",
        "~" * LONG + "`",
        "`" * LONG,
        "```" + " " * LONG + "`",
        "```python\n" * (LONG // 10),
    ],
    ids=lambda text: f"{text[:15]!r}",
)
def test_long_messages_are_read_in_time(text: str) -> None:
    assert extract_program(text) is None or "```python" in text


@pytest.mark.parametrize(
    "stderr",
    [
        (HEADER + "X: y\n" + LINK) * 20_000 + HEADER + "X: y\n",
        ' File "program.py", line 1\n' * 40_000 + "SyntaxError: x",
        HEADER + "\n" * LONG,
        HEADER + " " * LONG,
        HEADER + '  File "program.py", line 1\n' * 40_000 + "X: y",
        HEADER * 40_000,
    ],
    ids=["chain", "source", "blank lines", "space", "frames", "headers"],
)
def test_long_tracebacks_are_read_in_time(stderr: str) -> None:
    read = read_python_error(stderr, "x")
    assert read.error is None or read.error.category in ("X", "SyntaxError")


@pytest.mark.parametrize(
    "stderr",
    [
        "a: b:1: x" + ": Assertion `" * (LONG // 4),
        "undefined reference to `" * (LONG // 4),
        "a: b:1: x: Assertion `" + "'" * LONG,
        "    at " + "program.js:1" * (LONG // 4),
        "Error" * LONG + "!",
        "/" * LONG + "program.js",
        ("terminate called after throwing an instance of '" + "\n") * (LONG // 40),
    ],
    ids=lambda text: text[:12].strip(),
)
def test_long_errors_of_other_languages_are_read_in_time(stderr: str) -> None:
    assert read_javascript_error(stderr, "x").error is None
    assert read_cpp_error(stderr, -6, "x").error is not None
    read_cpp_compile_error(stderr, "x")


def test_a_line_number_of_6000_digits_is_no_line_number() -> None:
    number = "1" * 6000
    for stderr in (
        f'{HEADER}  File "program.py", line {number}\nX: y\n',
        f'  File "program.py", line {number}\n    x\nSyntaxError: x\n',
    ):
        read = read_python_error(stderr, "x")
        assert read.error is None or read.error.line is None
    read_javascript_error(f"program.js:{number}\nx\nTypeError: x\n    at program.js:{number}:1", "x")
    read_cpp_compile_error(f"program.cpp:{number}: error: x", "x")
    read_cpp_error(f"a: b:{number}: x: Assertion `x' failed.", -6, "x")


def test_an_error_says_little_however_much_was_written() -> None:
    read = read_python_error(HEADER + "X" * LONG + ": " + "y" * LONG + "\n", "x")
    assert read.error is not None
    assert len(read.error.category) <= 100 and len(read.error.message) <= 500


def test_of_a_chain_of_tracebacks_only_what_was_printed_is_left() -> None:
    read = read_python_error("printed\n" + (HEADER + "A: b\n" + LINK) * 3 + HEADER + "X: y\n", "x")
    assert read.error is not None
    assert (read.error.category, read.printed) == ("X", "printed\n")


def test_thoughts_are_dropped_in_pairs() -> None:
    block = "```python\nprint(1)\n```"
    assert extract_program(f"<think>a</think>\n{block}\n<think>```python\nx\n```</think>") == "print(1)"
    assert extract_program(f"<think><think>```python\nx\n```</think>\n{block}") == "print(1)"


_LINES = st.sampled_from(
    [
        HEADER,
        LINK,
        '  File "program.py", line 1\n',
        "SyntaxError: x\n",
        "    x\n",
        "X: y\n",
        "\n",
        "\0",
        "MemoryError\n",
    ]
)
_TEXTS = st.lists(_LINES | st.text(max_size=12), max_size=8).map("".join)
_STAGES = st.builds(
    StageResult,
    status=st.sampled_from(StageStatus),
    execution_time_s=st.just(0.1),
    return_code=st.none() | st.integers(-64, 255),
    stdout=_TEXTS,
    stderr=_TEXTS,
    output_truncated=st.booleans(),
    memory_exceeded=st.booleans(),
)


@settings(max_examples=300, deadline=None)
@given(_STAGES, st.booleans(), st.sampled_from(["7", '"x"', "[NaN]", "null"]))
def test_every_reply_is_a_verdict_or_a_failure_of_ours(
    stage: StageResult, framed: bool, expected: str
) -> None:
    for case in (Case("1", expected), Case("[1]", expected, "f")):
        prepared = prepare_run("x = 1\ny = 2", case, Limits())
        if framed:
            stage = replace(stage, stdout=f"{prepared.nonce}{stage.stdout}{prepared.nonce}")
        try:
            result = read_verdict(prepared, RunResult(None, stage), 0)
        except SandboxError:
            continue
        if result.verdict is Verdict.PASSED:
            assert (stage.status, stage.return_code) == (StageStatus.FINISHED, 0)
            assert not stage.memory_exceeded


@settings(max_examples=200, deadline=None)
@given(st.text(), st.text())
def test_any_two_outputs_can_be_compared(actual: str, expected: str) -> None:
    assert compare_stdout(actual, actual)
    if compare_stdout(actual, expected):
        assert bool(actual.strip()) == bool(expected.strip())


def _forged(text: str, expected: str, view: str = "") -> Verdict:
    prepared = prepare_run("x", Case("[]", expected, "f", compare_as=view), Limits())
    stage = StageResult(StageStatus.FINISHED, 0.1, 0, f"{prepared.nonce}{text}{prepared.nonce}", "")
    return read_verdict(prepared, RunResult(None, stage), 0).verdict


ONE_HASH = ", ".join(str((2**61 - 1) * number) for number in range(LONG))
DEEP = ["[" * depth + "1" + "]" * depth for depth in (300, 900, 980, 100_000)]


@pytest.mark.parametrize("deep", DEEP, ids=lambda text: str(len(text) // 2))
@pytest.mark.parametrize(
    "form",
    [
        '{"value": %s}',
        '{"tagged": %s}',
        '{"unsupported": %s}',
        '{"repr": %s, "unsupported": "x"}',
        '{"tagged": {"set": [%s]}}',
        '{"tagged": {"dict": [[%s, 1]]}}',
    ],
)
def test_no_depth_of_an_answer_breaks_the_grader(form: str, deep: str) -> None:
    for view in ("", "set", "sorted", "list", "len", "round:1", "close:0:0"):
        assert _forged(form % deep, "[[1]]", view) in (Verdict.WRONG_ANSWER, Verdict.RUNTIME_ERROR)


@pytest.mark.parametrize(
    ("text", "view"),
    [
        (f'{{"tagged": {{"set": [{ONE_HASH}]}}}}', ""),
        (f'{{"tagged": {{"dict": [[{ONE_HASH.replace(",", ",1],[")}, 1]]}}}}', ""),
        (f'{{"value": [{ONE_HASH}]}}', "set"),
    ],
    ids=["set", "dict", "view"],
)
def test_numbers_with_one_hash_do_not_stall_the_grader(text: str, view: str) -> None:
    assert _forged(text, "[1]", view) is Verdict.WRONG_ANSWER
