"""Runs that a killed preprocessing had finished: kept on disk and not done again by the next start.

A preprocessing is a fixed sequence of steps whose only slow and only uncertain ones are runs in the sandbox.
Their results are stored as they come; a start after a kill reads its input again, finds the results, and so
comes to the point where the earlier one was and to the very same output. Keyed by the whole request, so that
a changed config reuses what it can.
"""

from __future__ import annotations

import hashlib
import re
import sqlite3
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

from verl_ext.grading.call_requests import driver
from verl_ext.sandbox.cases import succeeded
from verl_ext.sandbox.protocol import CasesRequest, RunRequest, RunResult, Sandbox

# A call's first line of input frames its answer and is another one in every run.
_NONCE = re.compile(r"[0-9a-f]{32}(?=\n)")


class RunStore:
    """Results by request in one file; a context manager.

    Attributes:
        num_earlier: Results that an earlier start left.
        num_run: Results that this start stored.
        num_reused: Times that a result of an earlier start was asked for.
    """

    def __init__(self, path: Path) -> None:
        """Opens the file, or starts one.

        Raises:
            OSError: When it is no such file or can't be written.
        """
        self._path = path
        self._done = False
        self._encoder = msgspec.msgpack.Encoder()
        self._decoder = msgspec.msgpack.Decoder(RunResult)
        self.num_run = self.num_reused = 0
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._database = sqlite3.connect(path, isolation_level=None)
            # What a kill of this process can't lose is enough.
            self._database.execute("PRAGMA synchronous = OFF")
            self._database.execute("PRAGMA journal_mode = WAL")
            self._database.execute(
                "CREATE TABLE IF NOT EXISTS result "
                "(key BLOB PRIMARY KEY, start INTEGER, nonce TEXT, result BLOB) WITHOUT ROWID"
            )
            self.num_earlier, self._start = self._database.execute(
                "SELECT count(*), coalesce(max(start), 0) + 1 FROM result"
            ).fetchone()
        except sqlite3.Error as error:
            raise OSError(f"{path}: {error}; remove it to start from the beginning") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        (num_runs,) = self._database.execute("SELECT count(*) FROM result").fetchone()
        self._database.close()
        if self._done or not num_runs:
            for suffix in ("", "-wal", "-shm"):
                self._path.with_name(self._path.name + suffix).unlink(missing_ok=True)

    def finish(self) -> None:
        """Nothing is to be resumed: leaving the block removes the file."""
        self._done = True

    def get(self, request: RunRequest) -> RunResult | None:
        """The result of the same request; None when it was never run to its end."""
        key, nonce = _key(request)
        row = self._database.execute(
            "SELECT start, nonce, result FROM result WHERE key = ?", (key,)
        ).fetchone()
        if row is None:
            return None
        start, nonce_then, encoded = row
        self.num_reused += start < self._start
        result = self._decoder.decode(encoded)
        if nonce and result.run is not None:
            stdout = result.run.stdout.replace(nonce_then, nonce)
            result = replace(result, run=replace(result.run, stdout=stdout))
        return result

    def put(self, request: RunRequest, result: RunResult) -> None:
        """Stores a result."""
        key, nonce = _key(request)
        values = (key, self._start, nonce, self._encoder.encode(result))
        self._database.execute("INSERT OR REPLACE INTO result VALUES (?, ?, ?, ?)", values)
        self.num_run += 1


class RememberingSandbox:
    """A ``Sandbox`` that runs nothing that the store has, and stores what it runs."""

    def __init__(self, sandbox: Sandbox, store: RunStore) -> None:
        self._sandbox = sandbox
        self._store = store

    async def run(self, request: RunRequest) -> RunResult:
        """The stored result, else that of a run."""
        result = self._store.get(request)
        if result is None:
            result = await self._sandbox.run(request)
            self._store.put(request, result)
        return result

    async def run_cases(self, request: CasesRequest) -> AsyncGenerator[RunResult, None]:
        """Stored results as far as there are some from the first on, then those of runs."""
        single = [replace(request.program, stdin=stdin) for stdin in request.stdins]
        num_known = 0
        for one in single:
            result = self._store.get(one)
            if result is None:
                break
            num_known += 1
            yield result
            if request.stop_at_failure and not succeeded(result):
                return
        if num_known == len(single):
            return
        rest = replace(request, stdins=request.stdins[num_known:])
        async with aclosing(self._sandbox.run_cases(rest)) as results:
            for one in single[num_known:]:
                result = await anext(results, None)
                if result is None:
                    return
                self._store.put(one, result)
                yield result

    async def ping(self) -> None:
        """Of the sandbox itself."""
        await self._sandbox.ping()

    async def aclose(self) -> None:
        """Closes the sandbox."""
        await self._sandbox.aclose()


def _key(request: RunRequest) -> tuple[bytes, str]:
    """A hash of the request without the nonce of a call, and that nonce."""
    nonce = ""
    calls = request.code in (driver("call_driver.py"), driver("call_driver.js"))
    if (
        request.stdin
        and (calls or "call_driver.hpp" in request.files)
        and (found := _NONCE.match(request.stdin))
    ):
        nonce = found[0]
        request = replace(request, stdin=request.stdin[len(nonce) :])
    return hashlib.sha256(msgspec.msgpack.encode(request, order="deterministic")).digest(), nonce
