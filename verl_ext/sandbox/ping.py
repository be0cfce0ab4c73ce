"""``python -m verl_ext.sandbox.ping [URL,URL,...]``: is a sandbox there?

One line per endpoint; exit code 0 when one of them answers, else 2.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from contextlib import aclosing

from verl_ext.sandbox.backends import ENDPOINT_VARIABLE, configured_endpoints, sandbox_from_endpoint
from verl_ext.sandbox.errors import SandboxError


async def _answers(endpoint: str, timeout_s: float) -> bool:
    try:
        async with aclosing(sandbox_from_endpoint(endpoint, connect_timeout_s=timeout_s)) as sandbox:
            await sandbox.ping()
    except (SandboxError, ValueError) as error:
        print(f"sandbox unreachable: {error}", file=sys.stderr)
        return False
    print(f"{endpoint}: pong")
    return True


async def _any_answers(endpoints: list[str], timeout_s: float) -> bool:
    return any(await asyncio.gather(*(_answers(endpoint, timeout_s) for endpoint in endpoints)))


def main(argv: list[str] | None = None) -> int:
    """Pings each endpoint once."""
    parser = argparse.ArgumentParser(prog="python -m verl_ext.sandbox.ping")
    parser.add_argument("url", nargs="?", help=f"one, or several with commas; default: ${ENDPOINT_VARIABLE}")
    parser.add_argument("--timeout", type=float, default=5.0, help="seconds")
    arguments = parser.parse_args(argv)
    endpoints = configured_endpoints(arguments.url)
    return 0 if asyncio.run(_any_answers(endpoints, arguments.timeout)) else 2


if __name__ == "__main__":
    sys.exit(main())
