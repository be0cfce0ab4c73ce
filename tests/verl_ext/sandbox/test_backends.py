"""Which sandbox the endpoint setting means."""

from __future__ import annotations

import pytest
from omegaconf import OmegaConf

from verl_ext.sandbox.backends import ENDPOINT_VARIABLE, configured_endpoints, sandbox_from_endpoint
from verl_ext.sandbox.client import HttpSandbox
from verl_ext.sandbox.embedded import EmbeddedServer
from verl_ext.sandbox.failover import FailoverSandbox
from verl_ext.sandbox.ping import main


def test_the_endpoint_variable_is_read_at_the_call(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(ENDPOINT_VARIABLE, raising=False)
    assert configured_endpoints(None) == ["http://localhost:8080"]
    monkeypatch.setenv(ENDPOINT_VARIABLE, "http://elsewhere:1/")
    assert configured_endpoints(None) == ["http://elsewhere:1"]
    monkeypatch.setenv(ENDPOINT_VARIABLE, "http://here:1, http://there:2,")
    assert configured_endpoints(None) == ["http://here:1", "http://there:2"]
    assert configured_endpoints("http://given:2") == ["http://given:2"]


def test_one_url_is_a_client_and_several_are_one_after_the_other() -> None:
    assert isinstance(sandbox_from_endpoint("http://a:1"), HttpSandbox)
    for several in ("http://a:1,http://b:2", OmegaConf.create(["http://a:1", "http://b:2", "http://a:1/"])):
        sandbox = sandbox_from_endpoint(several, hedge_after="p95")
        assert isinstance(sandbox, FailoverSandbox)
        assert sandbox.endpoint == "http://a:1,http://b:2"


@pytest.mark.parametrize(
    ("endpoint", "hedge_after", "message"),
    [
        ("elsewhere:8080", None, "not an http"),
        ("http://a:1,elsewhere", None, "not an http"),
        (",", None, "no sandbox endpoint"),
        ("http://a:1", 2.0, "hedge_after=2.0 needs several"),
    ],
)
def test_what_is_no_endpoint_is_refused(endpoint: str, hedge_after: float | None, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        sandbox_from_endpoint(endpoint, hedge_after=hedge_after)


def test_a_ping_of_several_says_who_answers(
    server: EmbeddedServer, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([f"{server.endpoint},http://127.0.0.1:9"]) == 0
    said = capsys.readouterr()
    assert said.out == f"{server.endpoint}: pong\n"
    assert "http://127.0.0.1:9" in said.err
