"""Grading in one call, for scripts and notebooks: ``grade`` without ``await``, ``grade_async`` with.

Both share one grader per endpoint and process, which lives in a background event loop and is made when it is
first used; so identical runs are done once, whoever asks and from whichever loop or thread. Everything ends
with the process. Whoever has a sandbox of their own uses ``Grader``.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import threading
from collections.abc import Sequence

from verl_ext.grading.grader import Grader
from verl_ext.grading.problem import Case
from verl_ext.grading.verdict import Grade
from verl_ext.sandbox.background import BackgroundLoop
from verl_ext.sandbox.languages import LANGUAGES


def grade(
    program: str,
    cases: Sequence[Case],
    *,
    language: str = "python",
    prelude: str = "",
    time_limit_s: float | None = None,
    memory_limit_mb: int | None = None,
    stop_at_first_failure: bool = False,
    endpoint: str | None = None,
    api_key: str | None = None,
) -> Grade:
    """Runs a program on every case; works from any thread, also where an event loop is running.

    Args:
        program: Source; ``extract_program`` finds it in a model's message.
        cases: At least one.
        language: SandboxFusion's language name.
        prelude: Source run before the program in the same namespace.
        time_limit_s: CPU seconds per case; None means 6.
        memory_limit_mb: MiB per case; None means 512.
        stop_at_first_failure: End after the first failing case, in case order.
        endpoint: URL of a sandbox service, or several with commas, or ``e2b``; None starts the embedded
            server, which all of a process share.
        api_key: E2B's; None reads ``E2B_API_KEY``.

    Raises:
        ValueError: When there is no case, a case, a limit or the endpoint is malformed, or the embedded
            server does not know the language.
        SandboxError: When our side failed; never turned into a verdict.
    """
    _check_language(language, endpoint)
    service = _service(endpoint, api_key)
    return service.loop.run(
        service.grader.grade(
            program,
            cases,
            prelude=prelude,
            language=language,
            stop_at_first_failure=stop_at_first_failure,
            time_limit_s=time_limit_s,
            memory_limit_mb=memory_limit_mb,
        )
    )


async def grade_async(
    program: str,
    cases: Sequence[Case],
    *,
    language: str = "python",
    prelude: str = "",
    time_limit_s: float | None = None,
    memory_limit_mb: int | None = None,
    stop_at_first_failure: bool = False,
    endpoint: str | None = None,
    api_key: str | None = None,
) -> Grade:
    """The same as ``grade``, awaited from any event loop; cancelling it cancels the runs."""
    _check_language(language, endpoint)
    service = _service(endpoint, api_key)
    return await service.loop.arun(
        service.grader.grade(
            program,
            cases,
            prelude=prelude,
            language=language,
            stop_at_first_failure=stop_at_first_failure,
            time_limit_s=time_limit_s,
            memory_limit_mb=memory_limit_mb,
        )
    )


def _check_language(language: str, endpoint: str | None) -> None:
    # A service of somebody else's may know more languages, and answers for itself.
    if endpoint is None and language not in LANGUAGES:
        raise ValueError(f"language={language!r} is not one of {', '.join(LANGUAGES)}")


class _Service:
    """A grader, its sandbox, and the loop they live in."""

    def __init__(self, endpoint: str | None, api_key: str | None) -> None:
        # Only here, so that who passes a sandbox of their own does not load what makes one.
        from verl_ext.sandbox.backends import sandbox_from_endpoint
        from verl_ext.sandbox.embedded import serve

        self._stack = contextlib.ExitStack()
        with contextlib.ExitStack() as opened:
            if endpoint is None:
                endpoint = opened.enter_context(serve()).endpoint
            sandbox = sandbox_from_endpoint(endpoint, api_key=api_key)
            self._stack = opened.pop_all()
        self.loop = BackgroundLoop("grading")
        self._sandbox = sandbox
        self.grader = Grader(sandbox)

    def close(self) -> None:
        if self.loop.pid != os.getpid():
            return  # a forked child: all of it is its parent's
        self.loop.run(self._sandbox.aclose())
        self.loop.close()
        self._stack.close()


_lock = threading.Lock()
_services: dict[tuple[str | None, str | None], _Service] = {}


def _service(endpoint: str | None, api_key: str | None) -> _Service:
    with _lock:
        known = _services.get((endpoint, api_key))
        if known is None or known.loop.pid != os.getpid():
            known = _services[endpoint, api_key] = _Service(endpoint, api_key)
            atexit.register(known.close)
        return known
