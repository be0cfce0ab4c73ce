"""SandboxFusion's JSON: what one side writes the other reads unchanged."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from verl_ext.sandbox import wire
from verl_ext.sandbox.errors import SandboxProtocolError
from verl_ext.sandbox.languages import LANGUAGES
from verl_ext.sandbox.protocol import RunRequest, RunResult, StageResult, StageStatus

seconds = st.floats(min_value=1e-3, max_value=3600)
names = st.text("abc.é_-", min_size=1, max_size=5).filter(lambda name: name.strip(".") != "")
requests = st.builds(
    RunRequest,
    code=st.text(),
    language=st.sampled_from(sorted(LANGUAGES)),
    stdin=st.none() | st.text(),
    compile_timeout_s=seconds,
    run_timeout_s=seconds,
    cpu_limit_s=st.none() | seconds,
    compile_cpu_limit_s=st.none() | seconds,
    memory_limit_mb=st.none() | st.integers(1, 10_000),
    files=st.dictionaries(names, st.binary(max_size=20), max_size=3),
    fetch_files=st.lists(names, max_size=3).map(tuple),
)
finished = st.builds(
    StageResult,
    status=st.just(StageStatus.FINISHED),
    execution_time_s=st.floats(0, 100),
    return_code=st.integers(-64, 255),
    stdout=st.text(),
    stderr=st.text(),
    output_truncated=st.booleans(),
    memory_exceeded=st.booleans(),
    cpu_time_s=st.none() | st.floats(0, 100),
)
timed_out = st.builds(
    StageResult,
    status=st.just(StageStatus.TIME_LIMIT),
    execution_time_s=st.floats(0, 100),
    return_code=st.none(),
    stdout=st.text(),
    stderr=st.text(),
)
files = st.dictionaries(names, st.binary(max_size=20), max_size=2)
compiled = finished.filter(lambda stage: stage.return_code != wire.NO_TOOLCHAIN)
results = st.builds(RunResult, st.none() | compiled, finished | timed_out, files)


@given(requests)
def test_the_server_reads_what_the_client_asked(request: RunRequest) -> None:
    body = json.loads(json.dumps(wire.request_to_json(request)))
    assert wire.request_from_json(body, LANGUAGES) == request


@given(results)
def test_the_client_reads_what_the_server_answered(result: RunResult) -> None:
    assert wire.result_from_json(json.loads(json.dumps(wire.result_to_json(result)))) == result


@pytest.mark.parametrize("cpu_time", [-1, float("nan"), float("inf"), "fast", []])
def test_a_cpu_time_that_makes_no_sense_is_our_failure(cpu_time: object) -> None:
    stage = {"status": "Finished", "return_code": 0, "cpu_time": cpu_time}
    with pytest.raises(SandboxProtocolError):
        wire.result_from_json({"status": "Success", "run_result": stage})


@given(results)
def test_success_means_that_every_stage_finished_with_zero(result: RunResult) -> None:
    stages = [stage for stage in (result.compile, result.run) if stage]
    all_zero = all(stage.return_code == 0 for stage in stages)
    assert (wire.result_to_json(result)["status"] == "Success") is all_zero


def test_unknown_fields_are_ignored_and_defaults_are_those_of_sandbox_fusion() -> None:
    request = wire.request_from_json({"code": "x", "language": "python", "unknown": 1}, LANGUAGES)
    assert request == RunRequest("x")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("code", None),
        ("code", 5),
        ("language", "cobol"),
        ("language", None),
        ("stdin", 5),
        ("run_timeout", "ten"),
        ("run_timeout", 0),
        ("run_timeout", -1),
        ("run_timeout", 1e9),
        ("run_timeout", float("nan")),
        ("run_timeout", True),
        ("compile_timeout", float("inf")),
        ("cpu_limit", 0),
        ("compile_cpu_limit", -1),
        ("memory_limit_MB", 0),
        ("memory_limit_MB", -2),
        ("memory_limit_MB", 1.5),
        ("memory_limit_MB", 1 << 60),
        ("files", []),
        ("files", {"a": 5}),
        ("files", {"a": "not base64!"}),
        ("files", {"a": "é"}),
        ("files", {f"f{number}": "" for number in range(1001)}),
        ("fetch_files", ["a"] * 1001),
        ("files", {"a": "", "a/b": ""}),
        ("files", {"x" * 300: ""}),
        ("files", {"\ud800": ""}),
        ("fetch_files", "a"),
        ("fetch_files", [5]),
    ],
)
def test_a_bad_field_is_named(field: str, value: object) -> None:
    with pytest.raises(ValueError, match=field):
        wire.request_from_json({"code": "x", "language": "python", field: value}, LANGUAGES)
