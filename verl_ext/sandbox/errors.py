"""What can go wrong between us and a sandbox; never about the program that was to be run.

The tree is small and picklable, so that it crosses process and Ray boundaries:

    SandboxError
    ├── SandboxUnreachable      no connection, no reply in time, server going away (retryable)
    ├── SandboxOverloaded       the admission queue is full (retryable)
    ├── SandboxInternalError    the service answered ``SandboxError`` or 5xx (retryable)
    │   └── ToolchainMissing    it has no compiler or interpreter for the language (not retryable)
    └── SandboxProtocolError    the request was refused (4xx) or the reply makes no sense (not retryable)
"""

from __future__ import annotations


class SandboxError(Exception):
    """Base of all infrastructure failures; ``retryable`` says whether the same call may succeed later."""

    retryable: bool = False


class SandboxUnreachable(SandboxError):
    """No connection, a connection that broke, or no reply before the deadline."""

    retryable = True


class SandboxOverloaded(SandboxError):
    """The service refused the run because too many are waiting."""

    retryable = True


class SandboxInternalError(SandboxError):
    """The service itself failed while running the program."""

    retryable = True


class ToolchainMissing(SandboxInternalError):
    """A compiler or interpreter is not installed where the sandbox runs; says nothing about the program."""

    retryable = False

    def __init__(self, tool: str) -> None:
        super().__init__(tool)
        self.tool = tool

    def __str__(self) -> str:
        return f"{self.tool} is not installed where the sandbox runs"


class SandboxProtocolError(SandboxError):
    """The service refused the request as malformed, or its reply can't be read."""
