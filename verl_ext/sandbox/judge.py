"""The online judge: ``POST /submit`` for cases that the request brings along.

Source: SandboxFusion's ``CommonOJDataset``. Programs run in the jail; expected outputs stay here, where they
are compared. Deliberately different: no case is not a pass, no program is not run, integers compare exactly
(there, any two numbers within 1e-5 are equal), a missing compiler and a failure of ours are refusals and no
verdicts, and ``custom_extract_logic`` runs in the jail instead of the server.
"""

from __future__ import annotations

import asyncio
import json
from contextlib import aclosing
from functools import cache
from pathlib import Path
from typing import Any

from verl_ext.grading.compare import compare_stdout
from verl_ext.sandbox import wire
from verl_ext.sandbox.completion_code import CodeBlock, choose_code
from verl_ext.sandbox.execution import Pool
from verl_ext.sandbox.fields import BadRequest
from verl_ext.sandbox.judge_requests import Submission
from verl_ext.sandbox.languages import Language
from verl_ext.sandbox.protocol import CasesRequest, RunRequest, RunResult, StageStatus

_PARALLEL_CASES = 4
_SHOWN_CHARS = 1000
_EXTRACTION = Language(".extract_driver.py")
_EXTRACTION_TIMEOUT_S = 10.0
_BLOCKS = ".blocks.json"


async def submit(pool: Pool, submission: Submission) -> dict[str, Any]:
    """Judges a submission; the reply.

    Raises:
        BadRequest: When its extraction logic fails.
        SandboxOverloaded: When too many runs wait already.
        SandboxInternalError: When our side failed.
    """
    more = await _custom_blocks(pool, submission)
    # Texts may be megabytes: what takes long must not hold up the event loop.
    code = await asyncio.to_thread(choose_code, submission.completion, submission.language, more)
    tests = await _run_cases(pool, submission, code) if code.strip() else []
    return {
        "id": submission.problem_id,
        "accepted": len(tests) == len(submission.cases) and all(test["passed"] for test in tests),
        "extracted_code": code,
        "full_code": None,
        "test_code": None,
        "tests": tests,
        "extracted_type": None if code.strip() else "empty",
        "extra": None,
    }


async def _run_cases(pool: Pool, submission: Submission, code: str) -> list[dict[str, Any]]:
    """One entry per case in case order, up to the first that fails unless all are to be run."""
    program = RunRequest(
        code=code,
        language=submission.language,
        compile_timeout_s=submission.compile_timeout_s,
        run_timeout_s=submission.run_timeout_s,
    )
    stdins = tuple(stdin for stdin, _ in submission.cases)
    tests: list[dict[str, Any]] = []
    async with aclosing(pool.run_cases(CasesRequest(program, stdins, _PARALLEL_CASES))) as results:
        async for result in results:
            stdin, expected = submission.cases[len(tests)]
            passed = await asyncio.to_thread(_passed, result, expected)
            cut = None if submission.whole_cases or not passed else _SHOWN_CHARS
            info = {"input": {"stdin": stdin[:cut]}, "output": {"stdout": expected[:cut]}}
            tests.append({"passed": passed, "exec_info": wire.result_to_json(result), "test_info": info})
            if not passed and not submission.run_all:
                break
    return tests


def _passed(result: RunResult, expected: str) -> bool:
    run = result.run
    ended_well = run is not None and run.status is StageStatus.FINISHED and run.return_code == 0
    if run is None or not ended_well or run.output_truncated:
        return False
    # As in SandboxFusion, upper and lower case are the same.
    return compare_stdout(run.stdout.lower(), expected.lower())


async def _custom_blocks(pool: Pool, submission: Submission) -> list[CodeBlock]:
    """What the submission's own logic finds, executed in the jail."""
    if submission.extract_logic is None:
        return []
    result = await pool.run(
        RunRequest(
            code=_source("extract_driver.py"),
            stdin=json.dumps({"completion": submission.completion, "logic": submission.extract_logic}),
            run_timeout_s=_EXTRACTION_TIMEOUT_S,
            files={"completion_code.py": _source("completion_code.py").encode()},
            fetch_files=(_BLOCKS,),
        ),
        _EXTRACTION,
    )
    assert result.run is not None
    try:
        found = json.loads(result.files[_BLOCKS])
        return [CodeBlock(int(priority), str(language), str(code)) for priority, language, code in found]
    except (KeyError, ValueError, TypeError, RecursionError):
        lines = result.run.stderr.strip().splitlines() or [f"{result.run.status}, no code blocks"]
        raise BadRequest(f"config.custom_extract_logic: {lines[-1]:.300}") from None


@cache
def _source(name: str) -> str:
    return Path(__file__).with_name(name).read_text(encoding="utf-8")
