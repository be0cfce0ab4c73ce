"""What the service refuses: a 4xx with one line that names what is wrong, and it goes on answering."""

from __future__ import annotations

import gzip
import json
import string
from typing import Any

import aiohttp
import pytest
import requests
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from verl_ext.sandbox.embedded import EmbeddedServer

_POSTS = (
    "/run_code",
    "/run_cases",
    "/run_jupyter",
    "/submit",
    "/list_ids",
    "/get_prompts",
    "/get_prompt_by_id",
    "/get_metrics",
    "/get_metrics_function",
)
_GETS = ("/v1/ping", "/list_datasets", "/status")
_CODE = {"code": "1", "language": "python"}
_CASE = {"input": {"stdin": "1"}, "output": {"stdout": "1"}}
_CONFIG = {"dataset_type": "CommonOJDataset", "language": "python", "provided_data": {"test": [_CASE]}}
_SUBMISSION = {"dataset": "d", "id": 1, "completion": "```python\nprint(1)\n```", "config": _CONFIG}


async def _refused(
    server: EmbeddedServer, method: str, path: str, *, data: bytes | None = None, headers: dict | None = None
) -> tuple[int, str]:
    """Status and line of an answer that is no success; the service has to be alive after it."""
    headers = {"Content-Type": "application/json"} | (headers or {})
    async with aiohttp.ClientSession(server.endpoint) as session:
        async with session.request(method, path, data=data, headers=headers) as response:
            reply = await response.json()
            assert list(reply) == ["detail"]
        async with session.get("/v1/ping") as alive:
            assert await alive.json() == "pong"
    assert "\n" not in reply["detail"] and len(reply["detail"]) < 1000
    return response.status, reply["detail"]


@pytest.mark.parametrize("path", _POSTS)
@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b'{"code": "1", "language": "python"', "the body is not JSON: Expecting ',' delimiter"),
        (b"\xff\xfe", "the body is not JSON"),
        (b"", "the body is not JSON"),
        (b"[]", "the body is not a JSON object"),
        (b"null", "the body is not a JSON object"),
        (b"[" * 100_000, "the body is not JSON"),
        (b'{"a":' * 100_000, "the body is not JSON"),
        (b'{"a": ' + b"9" * 10_000 + b"}", "the body is not JSON"),
    ],
)
async def test_a_body_that_is_no_json_object(
    server: EmbeddedServer, path: str, body: bytes, said: str
) -> None:
    status, line = await _refused(server, "POST", path, data=body)
    assert status == 422
    assert said in line


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"code": None}, "code: required"),
        ({"language": "cobol"}, "language: 'cobol' is not one of R, bash, cpp"),
        ({"language": "\ud800" * 500}, "language: "),
        ({"run_timeout": 10**400}, "run_timeout: must be above 0 and at most 3600 seconds"),
        ({"run_timeout": float("nan")}, "run_timeout"),
        ({"compile_timeout": -1}, "compile_timeout"),
        ({"cpu_limit": float("inf")}, "cpu_limit"),
        ({"memory_limit_MB": 1 << 70}, "memory_limit_MB"),
        ({"files": {"../escape": ""}}, "files: '../escape' leads out of the working directory"),
        ({"files": {"/etc/passwd": ""}}, "files: '/etc/passwd' leads out"),
        ({"files": {"a/../../b": ""}}, "leads out"),
        ({"files": {"a": "b", "a/c": "d"}}, "files"),
        ({"files": {"a\0b": ""}}, "is not a path"),
        ({"files": {"x" * 5000: ""}}, "is not a path"),
        ({"fetch_files": ["../../etc/shadow"]}, "fetch_files: '../../etc/shadow' leads out"),
        ({"fetch_files": ["/etc/shadow"]}, "fetch_files"),
        ({"fetch_files": {"a": 1}}, "fetch_files: must be a list"),
    ],
)
async def test_bad_fields_of_run_code(server: EmbeddedServer, changed: dict, said: str) -> None:
    status, line = await _refused(server, "POST", "/run_code", data=json.dumps(_CODE | changed).encode())
    assert status == 422
    assert said in line


@pytest.mark.parametrize(
    ("changed", "config", "said"),
    [
        ({"completion": None}, {}, "completion: required"),
        ({"id": None}, {}, "id: required"),
        ({"id": True}, {}, "id: required"),
        ({"dataset": 5}, {}, "dataset: required"),
        ({"config": []}, {}, "config: must be an object"),
        ({}, {"dataset_type": None}, "config.dataset_type: None for data set 'd'; only CommonOJDataset"),
        ({}, {"dataset_type": "HumanEvalDataset"}, "only CommonOJDataset"),
        ({}, {"language": None}, "config.language: required"),
        ({}, {"language": "cobol"}, "config.language: 'cobol' is not one of"),
        ({}, {"run_timeout": 0}, "config.run_timeout"),
        ({}, {"extra": 5}, "config.extra"),
        ({}, {"custom_extract_logic": 5}, "config.custom_extract_logic"),
        ({}, {"custom_extract_logic": "1 / 0"}, "config.custom_extract_logic: ZeroDivisionError"),
        ({}, {"custom_extract_logic": "submit_code_blocks(5)"}, "config.custom_extract_logic: TypeError"),
        ({}, {"provided_data": None}, "config.provided_data: required"),
        ({}, {"provided_data": []}, "config.provided_data: required, the problem as an object"),
        ({}, {"provided_data": {}}, "config.provided_data.test: required, a list of at least one case"),
        ({}, {"provided_data": {"test": []}}, "at least one case"),
        ({}, {"provided_data": {"test": "[1"}}, "config.provided_data.test: not JSON"),
        ({}, {"provided_data": {"test": [5]}}, "config.provided_data.test[0] is not a JSON object"),
        ({}, {"provided_data": {"test": [_CASE, {"input": {}}]}}, "test[1].input: must be {'stdin': text}"),
        ({}, {"provided_data": {"test": [{"input": {"stdin": "1", "a.txt": ""}}]}}, "and nothing else"),
        (
            {},
            {"provided_data": {"test": [{"input": {"stdin": ""}, "output": {}}]}},
            "test[0].output: must be",
        ),
    ],
)
async def test_bad_fields_of_submit(server: EmbeddedServer, changed: dict, config: dict, said: str) -> None:
    body = _SUBMISSION | {"config": _CONFIG | config} | changed
    status, line = await _refused(server, "POST", "/submit", data=json.dumps(body).encode())
    assert status == 422
    assert said in line


@pytest.mark.parametrize("path", _POSTS)
@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "application/xml", ""])
async def test_a_content_type_that_is_not_json(server: EmbeddedServer, path: str, kind: str) -> None:
    data = json.dumps(_CODE).encode()
    status, line = await _refused(server, "POST", path, data=data, headers={"Content-Type": kind})
    assert status == 415
    assert "application/json" in line


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [("GET", path, "POST") for path in _POSTS] + [("POST", path, "GET,HEAD") for path in _GETS]
    + [("DELETE", "/run_code", "POST")],
)  # fmt: skip
async def test_a_wrong_method(server: EmbeddedServer, method: str, path: str, allowed: str) -> None:
    status, line = await _refused(server, method, path)
    assert status == 405
    assert line.endswith(f"use {allowed.replace(',', ' or ')}")


async def test_an_unknown_path(server: EmbeddedServer) -> None:
    assert await _refused(server, "POST", "/run_cod") == (404, "'/run_cod' is no endpoint of this service")


def test_a_body_of_100_mb_is_refused_and_the_server_lives(server: EmbeddedServer) -> None:
    with requests.Session() as session:
        body = b'{"code": "' + b"x" * 100_000_000 + b'", "language": "python"}'
        headers = {"Content-Type": "application/json"}
        reply = session.post(f"{server.endpoint}/run_code", data=body, headers=headers, timeout=60)
    assert reply.status_code == 413
    assert "67108864" in reply.json()["detail"]
    assert requests.get(f"{server.endpoint}/v1/ping", timeout=10).json() == "pong"


async def test_a_small_body_that_unpacks_to_a_large_one_is_refused(server: EmbeddedServer) -> None:
    bomb = gzip.compress(b'{"code": "' + b"x" * 80_000_000 + b'"}', 1)
    status, _ = await _refused(server, "POST", "/run_code", data=bomb, headers={"Content-Encoding": "gzip"})
    assert status in (400, 413)


# Fuzzing: whatever is sent, the answer is JSON, is no 5xx, and names what is wrong when it is a 4xx.
_scalars = (
    st.none() | st.booleans() | st.integers(-(10**30), 10**30) | st.floats() | st.text(max_size=20)
    | st.sampled_from(["python", "bash", "CommonOJDataset", "../x", "print(1)", "\ud800", "\0"])
)  # fmt: skip
_values = st.recursive(
    _scalars,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(string.ascii_letters), inner, max_size=3)
    ),
    max_leaves=8,
)
_FIELDS = (
    *("code", "language", "stdin", "compile_timeout", "run_timeout", "memory_limit_MB", "files"),
    *("cpu_limit", "compile_cpu_limit"),
    *(
        "fetch_files",
        "cells",
        "cell_timeout",
        "total_timeout",
        "kernel",
        "dataset",
        "id",
        "completion",
        "config",
    ),
    *("offset", "limit", "results", "args", "stdins", "max_parallel", "stop_at_failure", "stream"),
)
_CONFIG_FIELDS = (
    *("dataset_type", "language", "locale", "compile_timeout", "run_timeout", "custom_extract_logic"),
    *("provided_data", "extra", "test", "id", "content", "labels"),
)
# Half of the fields are right, so that requests get past the first check.
_RIGHT: dict[str, Any] = (
    _CODE | _SUBMISSION | {"cells": ["1"], "results": [], "run_timeout": 1, "total_timeout": 1}
)
_RIGHT |= {"stdins": ["1", None], "stream": False}
_bodies = st.builds(
    lambda body, config, left_out: {
        name: value
        for name, value in (_RIGHT | body | ({"config": _CONFIG | config} if config else {})).items()
        if name not in left_out
    },
    st.dictionaries(st.sampled_from(_FIELDS), _values, max_size=3),
    st.none() | st.dictionaries(st.sampled_from(_CONFIG_FIELDS), _values, max_size=2),
    st.sets(st.sampled_from(_FIELDS), max_size=2),
)


@settings(max_examples=100, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))
@given(path=st.sampled_from(_POSTS), body=_bodies)
def test_fuzzed_fields(http: requests.Session, server: EmbeddedServer, path: str, body: dict) -> None:
    _check_answer(http.post(server.endpoint + path, data=json.dumps(body), headers=_JSON, timeout=60))


@settings(max_examples=100, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    method=st.sampled_from(["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"]),
    path=st.sampled_from([*_POSTS, *_GETS]) | st.text("/ab%.?#*{é\u2028", max_size=8).map("/".__add__),
    body=st.binary(max_size=50),
    kind=st.sampled_from(["application/json", "application/json; charset=utf-16", "text/html", "a", ""]),
)
def test_fuzzed_requests(
    http: requests.Session, server: EmbeddedServer, method: str, path: str, body: bytes, kind: str
) -> None:
    headers = {"Content-Type": kind}
    _check_answer(http.request(method, server.endpoint + path, data=body, headers=headers, timeout=60))


_JSON = {"Content-Type": "application/json"}


@pytest.fixture(scope="module")
def http():
    with requests.Session() as session:
        yield session


def _check_answer(reply: requests.Response) -> None:
    assert reply.status_code < 500, reply.text
    parsed = reply.json()
    if reply.status_code != 200:
        assert reply.status_code in (400, 404, 405, 413, 415, 422)
        assert list(parsed) == ["detail"] and "\n" not in parsed["detail"]
