"""One program on one case: the request sent to the sandbox, and the verdict on its reply.

Owns the limits, the drivers' protocol and the mapping from a run to a verdict. Comparison happens here,
outside the sandbox; a request never holds an expected value. Does not schedule runs (``grader``).
"""

from __future__ import annotations

import re
import secrets
import signal
from dataclasses import dataclass
from typing import Any

from verl_ext.grading.call_requests import as_bytes, call_request, driver
from verl_ext.grading.compare import compare_stdout, parse_json, parse_value
from verl_ext.grading.error_texts import read_cpp_compile_error, read_cpp_error, read_javascript_error
from verl_ext.grading.problem import Case
from verl_ext.grading.traceback_text import ReadError, exit_error, read_python_error
from verl_ext.grading.values import from_tagged, value_text
from verl_ext.grading.verdict import CaseResult, ProgramError, Verdict
from verl_ext.grading.views import check_view, same_in_view
from verl_ext.sandbox.errors import SandboxInternalError, SandboxProtocolError
from verl_ext.sandbox.languages import LANGUAGES
from verl_ext.sandbox.protocol import RunRequest, RunResult, StageResult, StageStatus

_PROGRAM_FILE, _PRELUDE_FILE = "program.py", "prelude.py"
_FN_NAME = re.compile(r"(?:Solution(?:\(\))?\.)?([^\W\d]\w*)")
# Of a compile stage: how SandboxFusion says that there is no compiler; no source text can bring it about.
_NO_TOOLCHAIN = 127


@dataclass(frozen=True, slots=True)
class Limits:
    """What one run may use.

    Attributes:
        time_s: CPU seconds of one run.
        memory_limit_mb: MiB of one run.
        wall_clock_factor: Wall-clock guard as a multiple of ``time_s`` and ``compile_time_s``: wide, because
            on a busy machine a right program waits, and needed, because a sleeping one uses no CPU time.
        min_wall_clock_s: The guard of a run is never narrower than this.
        compile_time_s: CPU seconds of the compile stage.
        kept_chars: Characters of actual output and of standard error kept in a result.

    Raises:
        ValueError: When a limit is not positive or the guard is narrower than the limit.
    """

    time_s: float = 6.0
    memory_limit_mb: int = 512
    wall_clock_factor: float = 5.0
    min_wall_clock_s: float = 10.0
    compile_time_s: float = 30.0
    kept_chars: int = 20_000

    def __post_init__(self) -> None:
        for name in ("time_s", "memory_limit_mb", "compile_time_s", "kept_chars"):
            if not getattr(self, name) > 0:
                raise ValueError(f"limit {name} must be positive, got {getattr(self, name)!r}")
        if not self.wall_clock_factor >= 1:
            raise ValueError(f"wall_clock_factor must be at least 1, got {self.wall_clock_factor!r}")
        if not self.min_wall_clock_s >= 0:
            raise ValueError(f"min_wall_clock_s must not be negative, got {self.min_wall_clock_s!r}")


@dataclass(frozen=True, slots=True)
class PreparedRun:
    """A request, and what is needed to read its reply; ``nonce`` frames the answer of a call."""

    request: RunRequest
    program: str
    case: Case
    kept_chars: int
    nonce: str


def check_case(case: Case) -> None:
    """Checks that a case can be graded.

    Raises:
        ValueError: When a ``call`` case has a bad function name, arguments that are not a list in JSON (or
            a Python literal), an expected value that is neither, or an unknown view; and when it is no
            ``Case`` of texts.
    """
    if not (isinstance(case, Case) and isinstance(case.input, str) and isinstance(case.expected, str)):
        raise ValueError("must be a Case whose input and expected value are text")
    if case.fn_name is None:
        return
    if not _FN_NAME.fullmatch(case.fn_name):
        raise ValueError(f"function name {case.fn_name!r} is not an identifier")
    try:
        arguments = parse_value(case.input)
    except ValueError as error:
        raise ValueError(f"input of a call case is not JSON: {error}") from error
    if not isinstance(arguments, list):
        raise ValueError(f"input of a call case must be a list of arguments, got {case.input[:80]!r}")
    try:
        parse_value(case.expected)
    except ValueError as error:
        raise ValueError(f"expected value of a call case is not JSON: {error}") from error
    if case.compare_as:
        check_view(case.compare_as)


def prepare_run(
    program: str, case: Case, limits: Limits, prelude: str = "", language: str = "python"
) -> PreparedRun:
    """Makes the request that runs ``program`` on the input of ``case``.

    Raises:
        ValueError: When the case is malformed, or calls a function in a language in which that can't be done.
    """
    check_case(case)
    nonce, code, stdin = "", program, case.input
    files: dict[str, bytes] = {}
    if case.fn_name:
        nonce = secrets.token_hex(16)
        code, files, stdin = call_request(program, case, prelude, language, nonce)
    elif language == "python":
        files = {_PROGRAM_FILE: as_bytes(program), _PRELUDE_FILE: as_bytes(prelude)}
        code = driver("stdin_driver.py")
    elif prelude:
        raise ValueError(f"a stdin program gets a prelude in python only, not in {language}")
    request = RunRequest(
        code=code,
        language=language,
        stdin=stdin,
        compile_timeout_s=limits.compile_time_s * (limits.wall_clock_factor if _is_compiled(language) else 1),
        run_timeout_s=max(limits.time_s * limits.wall_clock_factor, limits.min_wall_clock_s),
        cpu_limit_s=limits.time_s,
        compile_cpu_limit_s=limits.compile_time_s,
        memory_limit_mb=limits.memory_limit_mb,
        files=files,
    )
    return PreparedRun(request, program, case, limits.kept_chars, nonce)


def _is_compiled(language: str) -> bool:
    """Whether there may be a compile stage; without one no client need wait for its guard."""
    return language not in LANGUAGES or LANGUAGES[language].compile is not None


def read_verdict(prepared: PreparedRun, reply: RunResult, case_index: int) -> CaseResult:
    """Judges what the sandbox saw.

    Raises:
        SandboxError: When the reply shows a failure of the service, not of the program.
    """
    compiled = reply.compile
    if compiled is not None and (compiled.status is not StageStatus.FINISHED or compiled.return_code != 0):
        if compiled.return_code == _NO_TOOLCHAIN or compiled.status is StageStatus.ERROR:
            raise SandboxInternalError(
                f"the sandbox can't compile {prepared.request.language}: {compiled.stderr[:200]}"
            )
        return CaseResult(
            case_index,
            Verdict.COMPILE_ERROR,
            stderr=compiled.stderr[: prepared.kept_chars],
            error=_compile_error(prepared, compiled.stderr),
        )
    run = reply.run
    if run is None:
        raise SandboxProtocolError("the sandbox's reply has neither a failed compile stage nor a run stage")
    if run.status is StageStatus.ERROR:
        raise SandboxInternalError(f"the sandbox failed to run the program: {run.stderr[:200]}")
    verdict, actual, stderr, error = _judge(prepared, run)
    return CaseResult(
        case_index=case_index,
        verdict=verdict,
        actual=actual[: prepared.kept_chars],
        # The end of standard error says more than its beginning.
        stderr=stderr[-prepared.kept_chars :],
        error=error,
        execution_time_s=run.execution_time_s,
        output_truncated=run.output_truncated or len(actual) > prepared.kept_chars,
        cpu_time_s=run.cpu_time_s,
    )


def _judge(prepared: PreparedRun, run: StageResult) -> tuple[Verdict, str, str, ProgramError | None]:
    """(verdict, actual, stderr, error) of a run that really happened."""
    is_call = prepared.case.fn_name is not None
    printed = "" if is_call else run.stdout
    if run.memory_exceeded:
        read = read_python_error(run.stderr, prepared.program)
        return Verdict.MEMORY_LIMIT, printed, read.printed, read.error
    answer = _read_answer(run.stdout, prepared.nonce) if is_call else None
    if run.output_truncated and not (
        run.return_code == 0 and (answer is not None or _is_whole(run, is_call))
    ):
        _check_room(prepared.case, run.stdout, is_call)
        return Verdict.OUTPUT_LIMIT, printed, run.stderr, None
    if run.status is StageStatus.TIME_LIMIT or run.return_code == -signal.SIGXCPU:
        return Verdict.TIME_LIMIT, printed, run.stderr, None
    if run.return_code is None:
        raise SandboxProtocolError("the sandbox's reply says Finished without a return code")
    if run.return_code != 0:
        return _judge_failed(prepared, run, printed)
    if not is_call:
        passed = compare_stdout(run.stdout, prepared.case.expected)
        return (Verdict.PASSED if passed else Verdict.WRONG_ANSWER), printed, run.stderr, None
    if answer is None:
        ended = ProgramError("ExitCode", "the program ended with exit code 0 before the function returned")
        return Verdict.RUNTIME_ERROR, "", run.stderr, ended
    passed, actual = _compare_answer(answer, prepared.case)
    return (Verdict.PASSED if passed else Verdict.WRONG_ANSWER), actual, run.stderr, None


def _is_whole(run: StageResult, is_call: bool) -> bool:
    """Whether a stdin program's output is known to be whole although something was cut.

    Standard error alone is cut when it holds more bytes than standard output: both have the same cap. An
    undecodable byte is one character and three encoded bytes, so this errs on the side of "cut".
    """
    return not is_call and len(run.stderr) > len(run.stdout.encode("utf-8", "replace"))


def _check_room(case: Case, stdout: str, is_call: bool) -> None:
    """Refuses to blame a program for output that a right one has, too.

    Raises:
        SandboxInternalError: When the sandbox keeps less than the case expects and cut a promising output.
    """
    if len(case.expected) > len(stdout) and (is_call or case.expected.startswith(stdout.rstrip())):
        raise SandboxInternalError(
            f"the case expects {len(case.expected)} characters, of which the sandbox keeps {len(stdout)}: "
            "start it with a larger --output-cap-kb"
        )


def _judge_failed(
    prepared: PreparedRun, run: StageResult, printed: str
) -> tuple[Verdict, str, str, ProgramError | None]:
    assert run.return_code is not None
    read = ReadError(None, False, run.stderr)
    if prepared.request.language == "python" and run.return_code == 1:
        read = read_python_error(run.stderr, prepared.program)
    elif prepared.request.language == "nodejs" and run.return_code == 1:
        read = read_javascript_error(run.stderr, prepared.program)
    elif prepared.request.language == "cpp":
        read = read_cpp_error(run.stderr, run.return_code, prepared.program)
    if read.error is None:
        return Verdict.RUNTIME_ERROR, printed, run.stderr, exit_error(run.return_code)
    verdict = Verdict.RUNTIME_ERROR
    if read.at_compile:
        verdict = Verdict.COMPILE_ERROR
    elif read.error.category == "MemoryError":
        verdict = Verdict.MEMORY_LIMIT
    return verdict, printed, read.printed, read.error


def _compile_error(prepared: PreparedRun, stderr: str) -> ProgramError:
    """What the compiler says first."""
    if prepared.request.language == "cpp" and (error := read_cpp_compile_error(stderr, prepared.program)):
        return error
    text = stderr.strip() or "compilation reached its time limit"
    return ProgramError("CompileError", text.splitlines()[0][:500])


def _read_answer(stdout: str, nonce: str) -> dict[str, Any] | None:
    """The call driver's answer; None unless it is the only thing on the private channel."""
    if len(stdout) < 2 * len(nonce) or not (stdout.startswith(nonce) and stdout.endswith(nonce)):
        return None
    if stdout.count(nonce) != 2:
        return None
    text = stdout[len(nonce) : -len(nonce)]
    try:
        answer = parse_json(text)
    except ValueError as error:
        if isinstance(error.__cause__, RecursionError):
            # Nested deeper than any expected value that could be read.
            return {"unsupported": str(error), "repr": text[:1000]}
        return None
    if not isinstance(answer, dict) or len({"value", "tagged", "unsupported"} & set(answer)) != 1:
        return None
    if "tagged" in answer:
        try:
            return {"value": from_tagged(answer["tagged"])}
        except ValueError as error:
            return {"unsupported": str(error), "repr": text[:1000]}
    return answer


def _compare_answer(answer: dict[str, Any], case: Case) -> tuple[bool, str]:
    """(right or not, the returned value as text)."""
    if "value" not in answer:
        shown, reason = answer.get("repr"), answer["unsupported"]
        # From a forged answer they may be anything, also what is too deep to be shown.
        if not (isinstance(shown, str) and isinstance(reason, str)):
            shown, reason = "an answer", "not what the driver writes"
        return False, f"{shown} (no plain value: {reason})"
    value, expected = answer["value"], parse_value(case.expected)
    right = same_in_view(value, expected, case.compare_as)
    if case.wrapped and not right and isinstance(expected, list) and len(expected) == 1:
        right = same_in_view(value, expected[0], case.compare_as)
    return right, _value_text(value)


def _value_text(value: Any) -> str:
    try:
        return value_text(value)
    except (RecursionError, ValueError):
        return "a value too deep or too large to show"
