"""The wrapper of every entry point: a user's mistake is one line, a bug keeps its traceback."""

from __future__ import annotations

import argparse
import ast
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from data_preprocess import preprocess
from verl_ext.cli import HelpFormatter, compose, config_dir, exit_without, run_main, take_flag
from verl_ext.sandbox.errors import SandboxUnreachable

ROOT = Path(__file__).resolve().parents[2]


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
        (
            ["sft.num_conversation=1"],
            "unknown config key 'sft.num_conversation'; did you mean 'sft.num_conversations'?",
        ),
        (["sft.bogus=1"], "unknown config key 'sft.bogus'"),
        (["data=nothing"], "data/nothing"),
        (["data=user"], "required config keys are not set: input"),
        (["--dryrun"], "unknown option --dryrun"),
        (["records.jsonl"], "'records.jsonl' is no setting; give key=value"),
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


@pytest.mark.parametrize(
    "command",
    [
        [sys.executable, "data_preprocess/preprocess.py", "--help"],
        [sys.executable, "-m", "recipe.code_agentic.evaluate", "-h"],
        [sys.executable, "-m", "recipe.code_agentic.tiny_model", "--help"],
        ["bash", "recipe/code_agentic/run_sft.sh", "--help"],
        ["bash", "recipe/code_agentic/run_ppo.sh", "-h"],
    ],
    ids=lambda command: command[-2],
)
def test_every_entry_point_has_a_usage(command: list[str]) -> None:
    pytest.importorskip("verl")
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stderr) == (0, "")
    assert "key=value" in done.stdout and "configs/" in done.stdout


def test_the_help_shows_the_description_as_it_stands_and_the_defaults_that_there_are() -> None:
    parser = argparse.ArgumentParser(
        prog="x", description="One.\n\n    two  three", formatter_class=HelpFormatter
    )
    parser.add_argument("--seed", default=0, help="of the draws")
    parser.add_argument("--names", nargs="+", default=["a", "50%"], help="of all")
    parser.add_argument("--paths", nargs="*", default=[], help="to look at")
    parser.add_argument("--output", help="where to")
    parser.add_argument("--dry-run", action="store_true", help="only look")
    text = parser.format_help()
    assert "One.\n\n    two  three\n" in text
    options = " ".join(text.partition("show this help message and exit")[2].split())
    assert options == (
        "--seed SEED of the draws (default: 0) --names NAMES [NAMES ...] of all (default: a 50%) "
        "--paths [PATHS ...] to look at --output OUTPUT where to --dry-run only look"
    )


@pytest.mark.parametrize(
    "path",
    [
        path
        for folder in ("recipe", "verl_ext", "data_preprocess", "benchmarks")
        for path in sorted((ROOT / folder).rglob("*.py"))
        if "argparse.ArgumentParser(" in path.read_text() and "sandbox" not in path.parts
    ],
    ids=lambda path: str(path.relative_to(ROOT)),
)
def test_every_command_shows_its_defaults(path: Path) -> None:
    calls = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
    for call in calls:
        given = {keyword.arg: ast.unparse(keyword.value) for keyword in call.keywords}
        called = ast.unparse(call.func)
        if called == "argparse.ArgumentParser":
            assert given["formatter_class"] == "HelpFormatter"
        elif called.endswith(".add_argument") or called == "add":
            assert "help" in given, ast.unparse(call)


def test_the_usage_of_preprocess_names_every_choice_of_data() -> None:
    usage = str(preprocess.__doc__)
    assert [name.stem for name in (ROOT / "configs/data").glob("*.yaml") if name.stem not in usage] == []
    assert "deepcoder, deepcoder_tiny" in usage


def test_a_flag_is_told_from_overrides() -> None:
    assert take_flag(["a=1", "--dry-run", "b=2"], "--dry-run") == (True, ["a=1", "b=2"])
    assert take_flag(["a=--dry-run"], "--dry-run") == (False, ["a=--dry-run"])


def test_a_remote_sandbox_without_an_address_says_what_to_set(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("SANDBOX_FUSION_ENDPOINT", raising=False)
    with pytest.raises(SystemExit) as end:
        run_main(lambda: print(compose("preprocess", ["sandbox=remote"]).code_agentic.sandbox.endpoint))
    assert end.value.code == 2
    assert capsys.readouterr().err == (
        "error: code_agentic.sandbox.endpoint takes the environment variable SANDBOX_FUSION_ENDPOINT, which "
        "is not set: set it or the key\n"
    )


def test_a_missing_package_is_one_line_that_names_its_extra(capsys: pytest.CaptureFixture[str]) -> None:
    exit_without("json", "data")
    with pytest.raises(SystemExit) as end:
        exit_without("no_such_package", "data")
    assert end.value.code == 2
    assert capsys.readouterr().err == (
        "error: no_such_package is not installed: pip install 'code-agentic[data]'\n"
    )


@pytest.mark.parametrize(
    "command", [["data_preprocess/preprocess.py"], ["-m", "recipe.code_agentic.evaluate"]]
)
def test_what_reads_parquet_says_so_where_pyarrow_is_missing(tmp_path: Path, command: list[str]) -> None:
    # Python's own mark of a module that can't be imported.
    (tmp_path / "sitecustomize.py").write_text("import sys\nsys.modules['pyarrow'] = None\n")
    done = subprocess.run(
        [sys.executable, *command],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (
        2,
        "error: pyarrow is not installed: pip install 'code-agentic[data]'\n",
    )


def test_the_configs_are_installed_where_they_are_looked_for(tmp_path: Path) -> None:
    shown = subprocess.run(
        [sys.executable, "setup.py", "--quiet", "install_data", "--install-dir", str(tmp_path)],
        cwd=ROOT, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert shown.returncode == 0, shown.stderr
    installed = tmp_path / "share" / "code_agentic" / "configs"
    wanted = {path.relative_to(config_dir()) for path in config_dir().rglob("*.yaml")}
    assert {path.relative_to(installed) for path in installed.rglob("*.yaml")} == wanted


def test_a_bug_of_ours_keeps_its_traceback() -> None:
    with pytest.raises(ZeroDivisionError):
        run_main(_raise(ZeroDivisionError()))


def test_what_ends_well_exits_with_0() -> None:
    with pytest.raises(SystemExit) as end:
        run_main(lambda: None)
    assert end.value.code == 0
