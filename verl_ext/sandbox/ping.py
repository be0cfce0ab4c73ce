"""``python -m verl_ext.sandbox.ping [URL]``: is a sandbox there? Exit code 0, or 2 with one line."""

from __future__ import annotations

import argparse
import asyncio
import sys

from verl_ext.sandbox.client import ENDPOINT_VARIABLE, sandbox_from_endpoint
from verl_ext.sandbox.errors import SandboxError


async def _ping(endpoint: str | None, timeout_s: float) -> str:
    async with sandbox_from_endpoint(endpoint, connect_timeout_s=timeout_s) as sandbox:
        await sandbox.ping()
        return sandbox.endpoint


def main(argv: list[str] | None = None) -> int:
    """Pings once."""
    parser = argparse.ArgumentParser(prog="python -m verl_ext.sandbox.ping")
    parser.add_argument("url", nargs="?", help=f"default: ${ENDPOINT_VARIABLE}")
    parser.add_argument("--timeout", type=float, default=5.0, help="seconds")
    arguments = parser.parse_args(argv)
    try:
        endpoint = asyncio.run(_ping(arguments.url, arguments.timeout))
    except (SandboxError, ValueError) as error:
        print(f"sandbox unreachable: {error}", file=sys.stderr)
        return 2
    print(f"{endpoint}: pong")
    return 0


if __name__ == "__main__":
    sys.exit(main())
