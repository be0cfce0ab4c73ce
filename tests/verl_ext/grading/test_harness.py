"""The mapping from what the sandbox saw to a verdict, and what a request holds; no sandbox needed."""

import json
import re
from dataclasses import replace

import pytest

from verl_ext.grading.harness import Limits, check_case, prepare_run, read_verdict
from verl_ext.grading.problem import Case
from verl_ext.grading.verdict import Verdict
from verl_ext.sandbox.errors import SandboxInternalError, SandboxProtocolError
from verl_ext.sandbox.protocol import RunResult, StageResult, StageStatus

CASE = Case("3 4", "7")
RIGHT = StageResult(StageStatus.FINISHED, 0.01, 0, "7\n", "")
MEMORY_TRACEBACK = (
    'Traceback (most recent call last):\n  File "program.py", line 2, in <module>\n    x\nMemoryError\n'
)
ROWS = [
    (RIGHT, Verdict.PASSED),
    (replace(RIGHT, stdout="8"), Verdict.WRONG_ANSWER),
    (replace(RIGHT, return_code=1), Verdict.RUNTIME_ERROR),
    (replace(RIGHT, return_code=-9), Verdict.RUNTIME_ERROR),
    (replace(RIGHT, return_code=-11), Verdict.RUNTIME_ERROR),
    (replace(RIGHT, return_code=127, stderr="node: not found"), Verdict.RUNTIME_ERROR),
    (replace(RIGHT, return_code=-24), Verdict.TIME_LIMIT),
    (replace(RIGHT, status=StageStatus.TIME_LIMIT, return_code=None), Verdict.TIME_LIMIT),
    (replace(RIGHT, return_code=-9, memory_exceeded=True), Verdict.MEMORY_LIMIT),
    (replace(RIGHT, return_code=1, stderr=MEMORY_TRACEBACK), Verdict.MEMORY_LIMIT),
    (replace(RIGHT, return_code=0, stderr=MEMORY_TRACEBACK), Verdict.PASSED),
    (replace(RIGHT, return_code=2, stderr="MemoryError"), Verdict.RUNTIME_ERROR),
    (replace(RIGHT, output_truncated=True), Verdict.OUTPUT_LIMIT),
    (
        replace(RIGHT, output_truncated=True, status=StageStatus.TIME_LIMIT, return_code=None),
        Verdict.OUTPUT_LIMIT,
    ),
    (replace(RIGHT, output_truncated=True, return_code=-9), Verdict.OUTPUT_LIMIT),
]


@pytest.mark.parametrize(("stage", "verdict"), ROWS)
def test_a_run_maps_to_exactly_one_verdict(stage: StageResult, verdict: Verdict) -> None:
    prepared = prepare_run("a\nb", CASE, Limits())
    assert read_verdict(prepared, RunResult(None, stage), 3).verdict is verdict


def test_a_failed_compile_stage_is_a_compile_error_with_its_first_line() -> None:
    compiled = StageResult(StageStatus.FINISHED, 0.1, 1, "", "main.rs:1: error: x\nmore")
    result = read_verdict(prepare_run("x", CASE, Limits(), language="rust"), RunResult(compiled, None), 0)
    assert result.verdict is Verdict.COMPILE_ERROR
    assert result.error is not None and result.error.message == "main.rs:1: error: x"


OUR_FAILURES = [
    (RunResult(None, None), SandboxProtocolError),
    (RunResult(None, replace(RIGHT, return_code=None)), SandboxProtocolError),
    (RunResult(None, replace(RIGHT, status=StageStatus.ERROR)), SandboxInternalError),
    (RunResult(StageResult(StageStatus.FINISHED, 0, 127, "", "g++: not found"), None), SandboxInternalError),
    (RunResult(StageResult(StageStatus.ERROR, 0, None, "", ""), None), SandboxInternalError),
]


@pytest.mark.parametrize(("reply", "error"), OUR_FAILURES)
def test_a_failure_of_ours_is_an_exception_and_no_verdict(reply: RunResult, error: type[Exception]) -> None:
    with pytest.raises(error):
        read_verdict(prepare_run("x", CASE, Limits()), reply, 0)


SECRET = "123454321"


@pytest.mark.parametrize(
    "case", [Case("in", SECRET), Case("[1]", SECRET, "f"), Case("[1]", f'"{SECRET}"', "f")]
)
def test_a_request_never_holds_the_expected_value(case: Case) -> None:
    request = prepare_run("def f(x): ...", case, Limits(), prelude="import math").request
    assert SECRET not in repr(request)


def answer(prepared_nonce: str, *texts: str) -> StageResult:
    return replace(RIGHT, stdout="".join(f"{prepared_nonce}{text}{prepared_nonce}" for text in texts))


@pytest.mark.parametrize(
    ("texts", "verdict"),
    [
        (['{"value": 7}'], Verdict.PASSED),
        (['{"value": 8}'], Verdict.WRONG_ANSWER),
        (['{"value": 7}', '{"value": 7}'], Verdict.RUNTIME_ERROR),
        (["not json"], Verdict.RUNTIME_ERROR),
        (["[7]"], Verdict.RUNTIME_ERROR),
        (["7"], Verdict.RUNTIME_ERROR),
        (["[" * 100_000], Verdict.WRONG_ANSWER),
        ([], Verdict.RUNTIME_ERROR),
        (['{"unsupported": "set", "repr": "7"}'], Verdict.WRONG_ANSWER),
        (['{"verdict": "passed"}'], Verdict.RUNTIME_ERROR),
    ],
)
def test_only_one_whole_answer_counts(texts: list[str], verdict: Verdict) -> None:
    prepared = prepare_run("x", Case("[1]", "7", "f"), Limits())
    assert read_verdict(prepared, RunResult(None, answer(prepared.nonce, *texts)), 0).verdict is verdict


def test_the_answer_of_another_run_does_not_count() -> None:
    case = Case("[1]", "7", "f")
    stage = answer(prepare_run("x", case, Limits()).nonce, '{"value": 7}')
    assert not read_verdict(prepare_run("x", case, Limits()), RunResult(None, stage), 0).passed


def test_printing_too_much_does_not_spoil_a_returned_value() -> None:
    prepared = prepare_run("x", Case("[1]", "7", "f"), Limits())
    stage = replace(answer(prepared.nonce, '{"value": 7}'), stderr="x" * 99, output_truncated=True)
    assert read_verdict(prepared, RunResult(None, stage), 0).passed


def test_the_wall_clock_guard_is_wider_than_the_cpu_limit() -> None:
    request = prepare_run("x", CASE, Limits(time_s=2, wall_clock_factor=6)).request
    assert (request.cpu_limit_s, request.run_timeout_s) == (2, 12)
    assert prepare_run("x", CASE, Limits(time_s=0.1)).request.run_timeout_s == 10


def test_a_compiler_that_waits_for_its_turn_is_not_cut_off_and_only_compilers_are_waited_for() -> None:
    limits = Limits(compile_time_s=4, wall_clock_factor=6)
    for language, guard_s in (("cpp", 24), ("anything", 24), ("python", 4)):
        request = prepare_run("x", CASE, limits, language=language).request
        assert (request.compile_cpu_limit_s, request.compile_timeout_s) == (4, guard_s)


def test_other_languages_are_run_as_they_are() -> None:
    request = prepare_run("int main(){}", CASE, Limits(), language="cpp").request
    assert (request.code, dict(request.files), request.stdin) == ("int main(){}", {}, "3 4")
    with pytest.raises(ValueError, match="prelude"):
        prepare_run("x", CASE, Limits(), prelude="y", language="cpp")


@pytest.mark.parametrize(
    ("case", "message"),
    [
        (Case("7", "7", "f"), "list of arguments"),
        (Case("[7", "7", "f"), "not JSON"),
        (Case("[7]", "seven", "f"), "expected value"),
        (Case("[7]", "7", "f()"), "identifier"),
        (Case("[7]", "7", "import os"), "identifier"),
    ],
)
def test_a_malformed_case_is_refused(case: Case, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        check_case(case)


@pytest.mark.parametrize(
    "values", [{"time_s": 0}, {"memory_limit_mb": -1}, {"wall_clock_factor": 0.5}, {"time_s": float("nan")}]
)
def test_limits_must_make_sense(values: dict) -> None:
    with pytest.raises(ValueError, match=next(iter(values))):
        Limits(**values)


def test_long_results_are_cut_and_marked() -> None:
    prepared = prepare_run("x", CASE, Limits(kept_chars=10))
    result = read_verdict(
        prepared, RunResult(None, replace(RIGHT, stdout="8" * 50, stderr="a" * 20 + "end")), 0
    )
    assert (result.actual, result.stderr, result.output_truncated) == ("8" * 10, "a" * 7 + "end", True)


def test_the_drivers_know_only_their_input() -> None:
    prepared = prepare_run("x", Case("[1]", "7", "Solution().f"), Limits())
    assert prepared.request.stdin is not None
    nonce, name, arguments = prepared.request.stdin.split("\n")
    assert re.fullmatch("[0-9a-f]{32}", nonce) and name == "f" and json.loads(arguments) == [1]
