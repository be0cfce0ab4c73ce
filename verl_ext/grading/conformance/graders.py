"""Adapters: our grader, verl's two scorers, and whatever ``module:attribute`` names.

Each is opened for the length of an ``async with`` block. verl's scorers are taken from the installed
package, file by file, so that neither torch nor Ray is imported. ``prime_code`` runs a program in a fork of
the process that scores, without isolation; so here the whole scorer runs inside our sandbox, row by row.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import json
import logging
import secrets
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from types import ModuleType
from typing import Any

from verl_ext.grading.compare import parse_value
from verl_ext.grading.conformance.suite import Judge
from verl_ext.grading.extract import extract_program
from verl_ext.grading.grader import Grader
from verl_ext.grading.harness import Limits
from verl_ext.grading.problem import Case
from verl_ext.grading.verdict import Verdict
from verl_ext.sandbox.client import HttpSandbox
from verl_ext.sandbox.embedded import serve
from verl_ext.sandbox.errors import SandboxInternalError
from verl_ext.sandbox.protocol import RunRequest

LIMITS = Limits(time_s=1.0, memory_limit_mb=256)
"""Of our grader; the rows ask for less or for much more. verl's scorers have their own."""
_VERL_MEMORY_LIMIT_MB = 1024
_PRIME_RUN_TIMEOUT_S = 90.0
_PRIME_MEMORY_LIMIT_MB = 2048
_PRIME_PROGRAM = """
import json, sys
token = sys.stdin.readline().strip()
with open("task.json") as file:
    task = json.load(file)
from prime_code import compute_score
score = compute_score(task["completion"], task["test_cases"], continuous=True)[0]
sys.stdout.write(f"\\n{token} {float(score)}\\n")
"""


@contextlib.asynccontextmanager
async def _sandbox(endpoint: str | None, *preload: str) -> AsyncIterator[tuple[HttpSandbox, str]]:
    with contextlib.ExitStack() as stack:
        if endpoint is None:
            endpoint = stack.enter_context(serve(["--preload", *preload])).endpoint
        async with HttpSandbox(endpoint) as sandbox:
            yield sandbox, endpoint


@contextlib.asynccontextmanager
async def open_ours(endpoint: str | None = None) -> AsyncIterator[Judge]:
    """This project's extraction and grader, on the embedded sandbox or the one at ``endpoint``."""
    async with _sandbox(endpoint) as (sandbox, _):
        grader = Grader(sandbox, LIMITS, cache_size=0)

        async def judge(completion: str, cases: Sequence[Case]) -> bool | Verdict:
            program = extract_program(completion)
            if program is None:
                return False
            grade = await grader.grade(program, cases, stop_at_first_failure=True)
            failure = grade.first_failure
            return Verdict.PASSED if failure is None else failure.verdict

        yield judge


@contextlib.asynccontextmanager
async def open_sandbox_fusion(endpoint: str | None = None) -> AsyncIterator[Judge]:
    """verl's ``sandbox_fusion`` scorer, as its reward calls it, against our sandbox."""
    scorer = verl_scorer("sandbox_fusion")
    logging.getLogger(scorer.__name__).setLevel(logging.CRITICAL)  # it logs every program that fails
    async with _sandbox(endpoint) as (_, url):

        def judge(completion: str, cases: Sequence[Case]) -> bool:
            test_cases = verl_test_cases(cases, printed_values=True)
            score, _ = scorer.compute_score(
                f"{url}/run_code", None, _VERL_MEMORY_LIMIT_MB, completion, test_cases, continuous=True
            )
            return score == 1.0

        yield judge


@contextlib.asynccontextmanager
async def open_prime_code(endpoint: str | None = None) -> AsyncIterator[Judge]:
    """verl's ``prime_code`` scorer, as its reward calls it, inside our sandbox."""
    files = {f"prime_code/{path.name}": path.read_bytes() for path in _verl_folder("prime_code").glob("*.py")}
    # The scorer imports numpy, which would be most of each run.
    async with _sandbox(endpoint, "numpy", "multiprocessing.managers") as (sandbox, _):

        async def judge(completion: str, cases: Sequence[Case]) -> bool:
            token = secrets.token_hex(16)
            task = {"completion": completion, "test_cases": verl_test_cases(cases)}
            result = await sandbox.run(
                RunRequest(
                    _PRIME_PROGRAM,
                    stdin=token,
                    files={**files, "task.json": json.dumps(task).encode()},
                    run_timeout_s=_PRIME_RUN_TIMEOUT_S,
                    memory_limit_mb=_PRIME_MEMORY_LIMIT_MB,
                )
            )
            said = result.run.stdout.rpartition(f"\n{token} ")[2] if result.run else ""
            if result.run is None or token not in result.run.stdout:
                stderr = result.run.stderr[-200:] if result.run else ""
                raise SandboxInternalError(f"the program ended the scorer: {stderr}")
            return float(said) == 1.0

        yield judge


GRADERS: dict[str, Callable[[str | None], AbstractAsyncContextManager[Judge]]] = {
    "ours": open_ours,
    "prime_code": open_prime_code,
    "verl_sandbox_fusion": open_sandbox_fusion,
}


def open_grader(name: str, endpoint: str | None = None) -> AbstractAsyncContextManager[Judge]:
    """The grader of a name, or the ``Judge`` that ``module:attribute`` names.

    Args:
        name: One of ``GRADERS``, or ``module:attribute``; modules beside the working directory are found.
        endpoint: Sandbox of the graders that need one; None starts the embedded server.

    Raises:
        ValueError: When there is no such grader.
    """
    if name in GRADERS:
        return GRADERS[name](endpoint)
    module_name, colon, attribute = name.partition(":")
    if not colon:
        raise ValueError(f"grader {name!r} is not one of {', '.join(GRADERS)} or module:attribute")
    if "" not in sys.path:
        sys.path.insert(0, "")
    try:
        judge = getattr(importlib.import_module(module_name), attribute)
    except (ImportError, AttributeError) as error:
        raise ValueError(f"grader {name!r}: {error}") from error
    if not callable(judge):
        raise ValueError(f"grader {name!r} can't be called")
    return contextlib.nullcontext(judge)


def verl_test_cases(cases: Sequence[Case], *, printed_values: bool = False) -> dict[str, Any]:
    """Cases as verl's scorers read them: ``inputs``, ``outputs`` and ``fn_name``.

    Args:
        cases: Of one problem. Arguments become JSON, one to a line.
        printed_values: Give an expected text without quotes, as the ``sandbox_fusion`` scorer prints it.
    """
    if not cases or cases[0].fn_name is None:
        return {"inputs": [case.input for case in cases], "outputs": [case.expected for case in cases]}
    inputs, outputs = [], []
    for case in cases:
        inputs.append("\n".join(json.dumps(value, default=str) for value in parse_value(case.input)))
        value = parse_value(case.expected)
        outputs.append(value if printed_values and isinstance(value, str) else case.expected)
    return {"inputs": inputs, "outputs": outputs, "fn_name": cases[0].fn_name.rpartition(".")[2]}


def verl_scorer(name: str) -> ModuleType:
    """The package ``verl.utils.reward_score.<name>``, loaded without verl itself.

    Raises:
        ValueError: When verl, or what the scorer needs, is not installed.
    """
    folder = _verl_folder(name)
    alias = f"_verl_reward_score_{name}"
    if alias in sys.modules:
        return sys.modules[alias]
    spec = importlib.util.spec_from_file_location(
        alias, folder / "__init__.py", submodule_search_locations=[str(folder)]
    )
    assert spec is not None and spec.loader is not None
    module = sys.modules[alias] = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except ImportError as error:
        del sys.modules[alias]
        raise ValueError(f"verl's {name} scorer can't be loaded: {error}") from error
    return module


def _verl_folder(name: str) -> Path:
    spec = importlib.util.find_spec("verl")
    if spec is None or spec.origin is None:
        raise ValueError("verl is not installed, so its scorers can't be asked (pip install verl==0.9.1)")
    return Path(spec.origin).parent / "utils" / "reward_score" / name
