"""One run of one program: request, reply, and the ``Sandbox`` protocol that every backend implements.

Field names and meanings are SandboxFusion's ``POST /run_code`` with units in the names; the extra reply
fields (``memory_exceeded``, ``output_truncated``, ``cpu_time_s``, ``files_left_out``) are False, None or
empty from a service that does not send them.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol


class StageStatus(StrEnum):
    """How one stage (compile or run) ended."""

    FINISHED = "Finished"
    TIME_LIMIT = "TimeLimitExceeded"
    ERROR = "Error"


@dataclass(frozen=True, slots=True)
class RunRequest:
    """One program to run.

    Attributes:
        code: Source text.
        language: SandboxFusion's language name.
        stdin: Standard input; None means immediate end of file.
        compile_timeout_s: Wall-clock seconds for the compile stage.
        run_timeout_s: Wall-clock seconds for the run stage.
        cpu_limit_s: CPU seconds for the run stage; None means wall-clock limit only. A CPU limit with a
            wider wall-clock guard keeps a busy machine from failing right programs.
        compile_cpu_limit_s: CPU seconds for the compile stage, likewise.
        memory_limit_mb: MiB; None means the service's default.
        files: Relative path -> content, written into the working directory before the run.
        fetch_files: Relative paths to read back after the run.
    """

    code: str
    language: str = "python"
    stdin: str | None = None
    compile_timeout_s: float = 10.0
    run_timeout_s: float = 10.0
    cpu_limit_s: float | None = None
    compile_cpu_limit_s: float | None = None
    memory_limit_mb: int | None = None
    files: Mapping[str, bytes] = field(default_factory=dict)
    fetch_files: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CasesRequest:
    """One program and its inputs.

    Attributes:
        program: What is run each time; its ``stdin`` does not count.
        stdins: Standard input of each case; None for immediate end of file.
        max_parallel: Cases at a time.
        stop_at_failure: Run one case after the other and end with the first that failed.
        stream: Answer case by case instead of at the end.
    """

    program: RunRequest
    stdins: tuple[str | None, ...]
    max_parallel: int = 4
    stop_at_failure: bool = False
    stream: bool = True


@dataclass(frozen=True, slots=True)
class StageResult:
    """What one stage did.

    Attributes:
        status: How it ended.
        execution_time_s: Wall-clock seconds.
        return_code: None after a time limit; negative signal number when killed by a signal.
        stdout: Decoded as UTF-8, undecodable bytes replaced; may be cut (``output_truncated``).
        stderr: Likewise.
        output_truncated: True when the cap on stdout or stderr was reached.
        memory_exceeded: True when the stage was stopped by its memory limit.
        cpu_time_s: CPU seconds of the program and the children it waited for; None when the service does not
            say.
    """

    status: StageStatus
    execution_time_s: float
    return_code: int | None
    stdout: str
    stderr: str
    output_truncated: bool = False
    memory_exceeded: bool = False
    cpu_time_s: float | None = None


@dataclass(frozen=True, slots=True)
class RunResult:
    """Reply to one ``RunRequest``.

    Attributes:
        compile: The compile stage; None for languages without one.
        run: The run stage; None when compilation failed.
        files: Relative path -> content of the requested ``fetch_files`` that exist.
        files_left_out: Relative path -> why a requested one is not in ``files``: missing, too large, not
            a regular file.
    """

    compile: StageResult | None
    run: StageResult | None
    files: Mapping[str, bytes] = field(default_factory=dict)
    files_left_out: Mapping[str, str] = field(default_factory=dict)


class Sandbox(Protocol):
    """Runs programs. Every method raises only ``verl_ext.sandbox.errors.SandboxError`` for our failures."""

    async def run(self, request: RunRequest) -> RunResult:
        """Runs one program to its end or limit."""
        ...

    def run_cases(self, request: CasesRequest) -> AsyncGenerator[RunResult, None]:
        """Runs one program on each of several inputs and yields the results in that order.

        Every case is a run of its own and its result is what ``run`` would answer. What fails to compile has
        the same result for every case. Ends after the first failure where the request says so; closing the
        generator ends what is still running. ``cases.run_each`` is this for a service that has only ``run``.
        """
        ...

    async def ping(self) -> None:
        """Returns when the service answers.

        Raises:
            SandboxError: When it does not.
        """
        ...

    async def aclose(self) -> None:
        """Releases connections; the object can't be used afterwards."""
        ...
