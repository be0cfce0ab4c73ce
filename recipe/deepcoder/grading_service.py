"""Where the reward runs programs: one grader per environment and process, made when it is first used.

The grader lives in a background event loop, so that plain functions, notebooks, TRL's loop and verl's loop
all use the same one, with its shared runs and its connections. ``local`` starts the embedded sandbox server;
everything ends with the process. Importing this starts nothing.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import threading
from collections.abc import Coroutine
from typing import Any, NamedTuple, TypeVar

from verl_ext.grading.grader import Grader
from verl_ext.sandbox.backends import E2B, configured_endpoints, sandbox_from_endpoint
from verl_ext.sandbox.background import BackgroundLoop
from verl_ext.sandbox.embedded import serve
from verl_ext.sandbox.protocol import Sandbox

T = TypeVar("T")

ENVIRONMENTS = ("local", "sandbox_fusion", "e2b")


class Environment(NamedTuple):
    """Where programs run.

    Attributes:
        name: ``local``: a server of this process's own. ``sandbox_fusion``: services by URL. ``e2b``: E2B.
        endpoint: ``sandbox_fusion``: one URL, or several with commas; None reads SANDBOX_FUSION_ENDPOINT.
        api_key: ``e2b``: its key; None reads E2B_API_KEY.
    """

    name: str = "local"
    endpoint: str | None = None
    api_key: str | None = None

    def check(self) -> None:
        """Refuses what can't be.

        Raises:
            ValueError: When the name is unknown or an argument belongs to another environment.
        """
        if self.name not in ENVIRONMENTS:
            raise ValueError(f"environment={self.name!r} is not one of {', '.join(ENVIRONMENTS)}")
        if self.endpoint is not None and self.name != "sandbox_fusion":
            raise ValueError(f"endpoint is for environment='sandbox_fusion', not for {self.name!r}")
        if self.api_key is not None and self.name != "e2b":
            raise ValueError(f"api_key is for environment='e2b', not for {self.name!r}")


class GradingService:
    """A grader and the loop that it lives in."""

    def __init__(self, environment: Environment) -> None:
        """Starts or connects what the environment names.

        Raises:
            ValueError: When an endpoint is no URL.
            SandboxError: When the embedded server does not start, or a package is missing.
        """
        environment.check()
        self.loop = BackgroundLoop(f"deepcoder-{environment.name}")
        self._stack = contextlib.ExitStack()
        try:
            self._sandbox: Sandbox = self.loop.run(self._open(environment))
        except BaseException:
            self._stack.close()
            self.loop.close()
            raise
        self.grader = Grader(self._sandbox)

    async def _open(self, environment: Environment) -> Sandbox:
        if environment.name == "local":
            return sandbox_from_endpoint(self._stack.enter_context(serve()).endpoint)
        if environment.name == "e2b":
            if environment.api_key is None:
                return sandbox_from_endpoint(E2B)
            from verl_ext.sandbox.e2b import E2BSandbox

            return E2BSandbox(api_key=environment.api_key)
        return sandbox_from_endpoint(configured_endpoints(environment.endpoint))

    def close(self) -> None:
        """Closes connections and, where it is ours, the server."""
        if self.loop.pid != os.getpid():
            return  # a forked child: all of it is its parent's
        self.loop.run(self._sandbox.aclose())
        self.loop.close()
        self._stack.close()

    async def arun(self, work: Coroutine[Any, Any, T]) -> T:
        """Awaits work of the service's loop from another one."""
        return await self.loop.arun(work)


_lock = threading.Lock()
_services: dict[Environment, GradingService] = {}


def service(environment: Environment) -> GradingService:
    """The service of an environment, started by the first who asks in this process.

    Raises:
        ValueError: When the environment can't be.
        SandboxError: When it does not start; the next call tries again.
    """
    with _lock:
        known = _services.get(environment)
        if known is None or known.loop.pid != os.getpid():
            known = _services[environment] = GradingService(environment)
            atexit.register(known.close)
        return known
