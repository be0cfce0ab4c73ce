"""From the endpoint setting to a sandbox: one URL, several, the word ``ray`` or the word ``e2b``."""

from __future__ import annotations

import os
from collections.abc import Sequence

from verl_ext.config_values import TEXT, Rule, one_or_more
from verl_ext.sandbox.failover import FailoverSandbox, is_hedge_after
from verl_ext.sandbox.protocol import Sandbox

DEFAULT_ENDPOINT = "http://localhost:8080"
ENDPOINT_VARIABLE = "SANDBOX_FUSION_ENDPOINT"
RAY = "ray"
E2B = "e2b"
# What the settings may be.
ENDPOINTS = one_or_more(TEXT, "URLs")
HEDGE_AFTER = Rule("seconds above 0, or p1 to p99", is_hedge_after)


def sandbox_from_endpoint(
    endpoint: str | Sequence[str] | None = None,
    *,
    max_concurrency: int = 64,
    connect_timeout_s: float = 5.0,
    hedge_after: float | str | None = None,
    api_key: str | None = None,
) -> Sandbox:
    """A sandbox for the setting ``code_agentic.sandbox.endpoint``; the caller closes it.

    Args:
        endpoint: A URL; several, as a list or separated by commas, of which the first that works is used;
            ``ray`` for the servers of this process's Ray run; ``e2b`` for E2B. None reads
            ``SANDBOX_FUSION_ENDPOINT``, then takes SandboxFusion's default address.
        max_concurrency: Runs in flight.
        connect_timeout_s: Seconds to connect, and for a ping to answer.
        hedge_after: As for ``FailoverSandbox``.
        api_key: E2B's; None reads ``E2B_API_KEY``.

    Raises:
        ValueError: When an endpoint is no URL, or ``hedge_after`` is given for a single one.
        SandboxError: When Ray has no sandbox servers, or E2B's package is not installed.
    """
    endpoints = configured_endpoints(endpoint)
    if endpoints == [RAY]:
        from verl_ext.sandbox.ray_servers import cluster_sandbox

        return cluster_sandbox(max_concurrency=max_concurrency, hedge_after=hedge_after)
    if len(endpoints) == 1 and hedge_after is not None:
        raise ValueError(f"hedge_after={hedge_after} needs several sandbox endpoints, there is one")
    if endpoints == [E2B]:
        from verl_ext.sandbox.e2b import E2BSandbox

        return E2BSandbox(api_key=api_key, max_concurrency=max_concurrency)
    # aiohttp takes a tenth of a second, also of those who only want the rules above.
    from verl_ext.sandbox.client import HttpSandbox

    if len(endpoints) == 1:
        return HttpSandbox(endpoints[0], max_concurrency=max_concurrency, connect_timeout_s=connect_timeout_s)
    return FailoverSandbox(
        {
            url: HttpSandbox(
                url, max_concurrency=max_concurrency, connect_timeout_s=connect_timeout_s, max_attempts=1
            )
            for url in endpoints
        },
        max_concurrency=max_concurrency,
        hedge_after=hedge_after,
    )


def configured_endpoints(setting: str | Sequence[str] | None) -> list[str]:
    """The endpoints that a setting, else the environment, else SandboxFusion's default names, each once.

    Raises:
        ValueError: When there is none.
    """
    setting = setting or os.environ.get(ENDPOINT_VARIABLE) or DEFAULT_ENDPOINT
    given = setting.split(",") if isinstance(setting, str) else setting
    endpoints = list(dict.fromkeys(part.strip().rstrip("/") for part in given if part.strip()))
    if not endpoints:
        raise ValueError(f"no sandbox endpoint in {setting!r}")
    return endpoints
