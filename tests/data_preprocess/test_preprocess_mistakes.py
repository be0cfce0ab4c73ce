"""What a user gets wrong is one line that names it, and leaves no output."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["input=absent.jsonl"], "absent.jsonl: No such file"),
        (["input=."], "directory"),
        (["data=user", "input=empty.jsonl"], "empty"),
        (["input=numbers.jsonl"], "unknown format: the columns found are number"),
        (["input=bad.jsonl"], "no problem is left, 2 rows were rejected; the first: bad.jsonl: row 1"),
        (["data=user", "input=acecode.jsonl"], "; the file looks like format acecode: give format=acecode"),
        (["input=mixed.jsonl", "strict=true"], "strict=true and 1 rows were rejected"),
        (["format=nonsense"], "format=nonsense is not one of"),
        (["style=loud"], "style=loud is not one of full, brief"),
        (["seed=one"], "seed=one must be a whole number"),
        (["strict=1"], "strict=1 must be true or false"),
        (["num_parallel=0"], "num_parallel=0 must be a whole number of at least 1"),
        (["bugs.time_limit_s=0"], "bugs.time_limit_s=0 must be a number above 0"),
        (["code_agentic.sandbox.num_workers=0"], "code_agentic.sandbox.num_workers=0 must be a whole number"),
        (["sft.learn_wrong_attempts=some"], "learn_wrong_attempts=some"),
        (["bugs.kinds=[typo]"], "unknown typo"),
        (["bugs.per_problem.one_slip=-1"], "per_problem"),
        (["sft.wrong_fix_share=2"], "wrong_fix_share must be from 0 to 1"),
        (["+sft.error_shares.typo=1"], "sft.error_shares: unknown typo"),
        (["failed_programs=absent.jsonl"], "absent.jsonl: No such file"),
        (["failed_programs=numbers.jsonl"], "numbers.jsonl: no row with a failed program"),
        (["sft.wrong_attempt_probs=[2]"], "from 0 to 1"),
        (["drop_unverified=true"], "needs verify=true"),
        (["tools_file=absent.yaml"], "absent.yaml"),
        (["remote_root=absent"], "absent: No such folder"),
        (["problem_set.max_reference_chars=1"], "selects no problem"),
        (["splits.held_out_families=[nothing]"], "nothing"),
        (["input=mixed.jsonl", "code_agentic.sandbox.endpoint=http://127.0.0.1:9"], "sandbox: http://127.0.0.1:9"),
    ],
)  # fmt: skip
def test_a_users_mistake_is_one_line_exit_code_2_and_no_output(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    run: Callable[..., int],
    make_record: Callable[..., dict],
    arguments: list[str],
    said: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("empty.jsonl").write_text("")
    Path("numbers.jsonl").write_text('{"number": 1}\n')
    Path("bad.jsonl").write_text('{"question": "q"}\n{"query_id": "a"}\n')
    Path("mixed.jsonl").write_text(json.dumps(make_record("one")) + '\n{"query_id": "a"}\n')
    other = {"id": "a1", "question": "Double it.", "test_cases": ["assert twice(1) == 2"]}
    Path("acecode.jsonl").write_text(json.dumps(other))
    small = ["problem_set.num_problems=2", "output_dir=out"]
    if not any("endpoint" in argument for argument in arguments):
        small += ["sft.num_conversations=0", "sft.num_val_conversations=0"]
    assert run(*small, *arguments) == 2
    printed = capsys.readouterr().err
    assert printed.startswith("error: ") and printed.count("\n") == 1, printed
    assert said in printed
    assert not Path("out").exists() and not Path("out.partial").exists()
