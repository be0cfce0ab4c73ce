"""The wrapper of every entry point: a user's mistake is one line, a bug keeps its traceback."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from verl_ext.cli import compose, run_main
from verl_ext.sandbox.errors import SandboxUnreachable


def _raise(error: BaseException) -> Callable[[], None]:
    def main() -> None:
        raise error

    return main


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (ValueError("seed=x must be\n a number"), "error: seed=x must be a number"),
        (FileNotFoundError(2, "No such file or directory", "/a/b"), "error: /a/b: No such file or directory"),
        (SandboxUnreachable("http://x: no reply"), "error: sandbox: http://x: no reply"),
        (SandboxUnreachable(), "error: sandbox: SandboxUnreachable"),
    ],
)
def test_a_users_mistake_is_one_line_and_exit_code_2(
    capsys: pytest.CaptureFixture[str], error: Exception, line: str
) -> None:
    with pytest.raises(SystemExit) as end:
        run_main(_raise(error))
    assert end.value.code == 2
    assert capsys.readouterr().err == f"{line}\n"


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        (["bogus=1"], "unknown config key 'bogus'"),
        (["sft.bogus=1"], "unknown config key 'sft.bogus'"),
        (["data=nothing"], "data/nothing"),
        (["data=user"], "input"),
        (["input=["], "'['"),
    ],
)
def test_a_mistyped_override_is_one_line_that_names_it(
    capsys: pytest.CaptureFixture[str], overrides: list[str], said: str
) -> None:
    with pytest.raises(SystemExit) as end:
        run_main(lambda: compose("preprocess", overrides) and None)
    assert end.value.code == 2
    printed = capsys.readouterr().err
    assert printed.startswith("error: ") and printed.count("\n") == 1
    assert said in printed


def test_a_bug_of_ours_keeps_its_traceback() -> None:
    with pytest.raises(ZeroDivisionError):
        run_main(_raise(ZeroDivisionError()))


def test_what_ends_well_exits_with_0() -> None:
    with pytest.raises(SystemExit) as end:
        run_main(lambda: None)
    assert end.value.code == 0
