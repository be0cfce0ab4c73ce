"""From a request to a result: the stages of each language, run on a pool of fork servers.

Owns which files and limits a stage gets and how an outcome is read (time limit, memory exceeded). Knows
neither HTTP nor how a stage is confined.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, replace

from verl_ext.sandbox.cases import run_in_order, succeeded
from verl_ext.sandbox.errors import SandboxInternalError, SandboxOverloaded
from verl_ext.sandbox.languages import LANGUAGES, Language
from verl_ext.sandbox.limits import StageLimits
from verl_ext.sandbox.metrics import Metrics
from verl_ext.sandbox.protocol import CasesRequest, RunRequest, RunResult, StageResult, StageStatus
from verl_ext.sandbox.stage import Stage, StageOutcome
from verl_ext.sandbox.worker import Worker, WorkerConfig

# The last words of each language's runtime; Python's is the last line of a traceback.
_MEMORY_MARKS = re.compile(
    rb"^(?:[\w.]*\.)?_?(?:Array)?MemoryError\b[^\n]*\s*\Z"
    rb"|std::bad_alloc|JavaScript heap out of memory|Fatal process out of memory|cannot allocate memory"
    rb"|java\.lang\.OutOfMemoryError|\bOutOfMemoryException\b|NoMemoryError|OutOfMemoryError\(\)"
    rb"|Allowed memory size of \d+ bytes exhausted|memory allocation of \d+ bytes failed"
    rb"|^lua: not enough memory|^Out of memory\b|cannot allocate vector of size|runtime: out of memory"
    rb"|: x(?:re|m)alloc: cannot allocate \d+ bytes",
    re.MULTILINE,
)
_DRIVER = ".driver.py"
_COMPILER_MEMORY_MB = 2048
_COMPILER_PROCESSES = 64
_NEARLY_ALL = 0.95


@dataclass(frozen=True, slots=True)
class Defaults:
    """Limits a request does not speak of.

    Attributes:
        memory_mb: MiB when the request sets no limit.
        disk_mb: MiB of the working directory.
        processes: Processes and threads of a run.
    """

    memory_mb: int = 1024
    disk_mb: int = 256
    processes: int = 128


@dataclass(slots=True)
class _Build:
    """A program ready to run: what compiling it said, its run stage (None when that failed; with the code
    object once a run of Python has made one), its limit."""

    compiled: StageResult | None
    stage: Stage | None
    memory_mb: int


class Pool:
    """Fork servers behind one admission queue.

    Attributes:
        metrics: What it has done so far.
        num_running: Runs that have a slot.
        num_waiting: Runs that wait for one.
    """

    def __init__(
        self,
        config: WorkerConfig,
        defaults: Defaults,
        *,
        num_workers: int,
        max_running: int,
        max_waiting: int,
    ) -> None:
        self._defaults = defaults
        self.metrics = Metrics()
        self._workers = [
            Worker(config, index, on_restart=self.metrics.worker_restarted) for index in range(num_workers)
        ]
        self._slots = asyncio.Semaphore(max_running)
        self._max_waiting = max_waiting
        self.num_running = 0
        self.num_waiting = 0

    async def start(self) -> None:
        """Starts every fork server.

        Raises:
            SandboxInternalError: When one can't be started.
        """
        await asyncio.gather(*(worker.start() for worker in self._workers))

    def stop(self) -> None:
        """Ends every fork server and whatever runs there."""
        for worker in self._workers:
            worker.stop()

    async def run(self, request: RunRequest, language: Language | None = None) -> RunResult:
        """Runs one request, after waiting for a slot.

        Args:
            request: What to run.
            language: Instead of the one that the request names.

        Raises:
            SandboxOverloaded: When too many wait already.
            ToolchainMissing: When the jail holds no such compiler or interpreter.
            SandboxInternalError: When our side failed.
        """
        with self.metrics.run(request.language) as record:
            self._refuse_when_full()
            async with self._slot():
                record.start()
                result = await self._run_built(await self._build(request, language), request.stdin)
                record.finish(result)
                return result

    async def run_cases(self, request: CasesRequest) -> AsyncGenerator[RunResult, None]:
        """Runs one program on many inputs; the results come in case order.

        Every case waits for a slot of its own, so that a long request leaves room for others. After a failed
        compile stage there is one result.

        Raises:
            SandboxOverloaded: When too many wait already, before the first result.
            ToolchainMissing: When the jail holds no such compiler or interpreter.
            SandboxInternalError: When our side failed; the cases that are still to come are not run.
        """
        with self.metrics.run(request.program.language) as record:
            self._refuse_when_full()
            async with self._slot():
                record.start()
                build = await self._build(request.program)
            if build.stage is None:
                record.finish(RunResult(build.compiled, None))
            else:
                record.leave_out()  # the cases are what counts
        if build.stage is None:
            yield RunResult(build.compiled, None)
            return
        build.stage = replace(build.stage, share_code=build.stage.argv is None and len(request.stdins) > 1)

        async def run_case(index: int) -> RunResult:
            with self.metrics.run(request.program.language) as record:
                async with self._slot():
                    record.start()
                    result = await self._run_built(build, request.stdins[index])
                    record.finish(result)
                    return result

        max_parallel = 1 if request.stop_at_failure else request.max_parallel
        async with aclosing(run_in_order(run_case, len(request.stdins), max_parallel)) as results:
            async for result in results:
                yield result
                if request.stop_at_failure and not succeeded(result):
                    return

    def _refuse_when_full(self) -> None:
        if self._slots.locked() and self.num_waiting >= self._max_waiting:
            self.metrics.rejected("queue_full")
            raise SandboxOverloaded(f"{self.num_waiting} runs are waiting already")

    @asynccontextmanager
    async def _slot(self) -> AsyncIterator[None]:
        self.num_waiting += 1
        try:
            await self._slots.acquire()
        finally:
            self.num_waiting -= 1
        self.num_running += 1
        try:
            yield
        finally:
            self.num_running -= 1
            self._slots.release()

    async def _build(self, request: RunRequest, language: Language | None = None) -> _Build:
        """The compile stage, where the language has one."""
        language = (language or LANGUAGES[request.language]).for_source(request.code)
        files = {path: (content, 0o644) for path, content in request.files.items()}
        text = language.source_text(request.code)
        source = {language.source: (text.encode("utf-8", "surrogatepass"), 0o644)}
        if language.driver:
            source[_DRIVER] = (language.driver.encode(), 0o644)
        compiled: StageResult | None = None
        program = source
        if language.compile is not None:
            outcome = await self._worker().run(
                Stage(
                    main=language.source,
                    argv=language.compile,
                    files=files | source,
                    stdin=None,
                    limits=StageLimits(
                        wall_s=request.compile_timeout_s,
                        cpu_s=request.compile_cpu_limit_s,
                        memory_mb=_COMPILER_MEMORY_MB,
                        disk_mb=self._defaults.disk_mb,
                        processes=_COMPILER_PROCESSES,
                        bounded_address_space=not language.runtime_mb,
                    ),
                    fetch=(language.program,),
                )
            )
            compiled = _stage_result(outcome, _COMPILER_MEMORY_MB)
            if compiled.return_code != 0:
                return _Build(compiled, None, _COMPILER_MEMORY_MB)
            if outcome.files_left_out or not outcome.files:
                raise SandboxInternalError("the compiler left no program, or one too large to take over")
            program = {path: (content, 0o755) for path, content in outcome.files.items()}
        memory_mb = request.memory_limit_mb or self._defaults.memory_mb
        stage = Stage(
            main=_DRIVER if language.driver else language.source,
            argv=language.run_command(memory_mb),
            files=files | program,
            stdin=None,
            limits=StageLimits(
                wall_s=request.run_timeout_s,
                cpu_s=request.cpu_limit_s,
                memory_mb=memory_mb + language.runtime_mb,
                disk_mb=self._defaults.disk_mb,
                processes=self._defaults.processes,
                bounded_address_space=not language.runtime_mb,
            ),
            fetch=request.fetch_files,
        )
        return _Build(compiled, stage, memory_mb)

    async def _run_built(self, build: _Build, stdin: str | None) -> RunResult:
        """The run stage, on one input; where compilation failed, what came of it."""
        if build.stage is None:
            return RunResult(compile=build.compiled, run=None)
        content = None if stdin is None else stdin.encode("utf-8", "surrogatepass")
        outcome = await self._worker().run(replace(build.stage, stdin=content))
        if outcome.code:
            build.stage = replace(build.stage, code=outcome.code, share_code=False)
        return RunResult(
            compile=build.compiled,
            run=_stage_result(outcome, build.memory_mb),
            files=outcome.files,
            files_left_out=outcome.files_left_out,
        )

    def _worker(self) -> Worker:
        return min(self._workers, key=lambda worker: worker.num_running)


def _stage_result(outcome: StageOutcome, memory_mb: int) -> StageResult:
    timed_out = outcome.reason in ("wall", "cpu")
    failed = outcome.reason == "exit" and outcome.return_code != 0
    # A program that does not look at what malloc returned says nothing: it crashes with its memory full.
    memory_full = outcome.max_rss_kb >= _NEARLY_ALL * memory_mb * 1024
    last_words = outcome.stderr[-4000:]
    if len(outcome.stderr) > 4000:  # Go says it first, and shows every goroutine then
        last_words = outcome.stderr[:1000] + b"\n" + last_words
    out_of_memory = memory_full or _MEMORY_MARKS.search(last_words) is not None
    return StageResult(
        status=StageStatus.TIME_LIMIT if timed_out else StageStatus.FINISHED,
        execution_time_s=outcome.wall_s,
        return_code=None if timed_out else outcome.return_code,
        stdout=outcome.stdout.decode("utf-8", "replace"),
        stderr=outcome.stderr.decode("utf-8", "replace"),
        output_truncated=outcome.output_truncated,
        memory_exceeded=outcome.reason == "memory" or (failed and out_of_memory),
        cpu_time_s=outcome.cpu_s,
    )
