"""The command end to end, on a real sandbox: promises about its files and what it says."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from data_preprocess.parquet_files import MANIFEST, SCHEMAS, OutputFolder
from data_preprocess.pipeline import _write_rl
from data_preprocess.preprocess import main
from data_preprocess.sandbox_session import SandboxOnDemand
from data_preprocess.settings import read_settings
from verl_ext.agent_loop.episode import Episode
from verl_ext.cli import compose, run_main
from verl_ext.grading.grader import Grader
from verl_ext.grading.harness import Limits
from verl_ext.grading.problem import Problem
from verl_ext.sandbox.client import HttpSandbox
from verl_ext.tools.registry import load_tools

ROOT = Path(__file__).resolve().parents[2]
SHARED = ROOT.parent / "shared" / "data"
FILES = {*(f"{name}.parquet" for name in SCHEMAS), MANIFEST}
OWN = (
    "data=quickstart",
    # Of all families, whatever the quickstart chooses.
    "problem_set.families=null",
    "splits.held_out_families=null",
    "splits.held_out_family_share=0.125",
    "problem_set.num_problems=48",
    "problem_set.max_reference_chars=60",
    "sft.num_conversations=48",
    "sft.num_val_conversations=5",
)


def _command(arguments: Sequence[str], folder: Path, sandbox_endpoint: str) -> int:
    overrides = [f"output_dir={folder}", f"code_agentic.sandbox.endpoint={sandbox_endpoint}"]
    with pytest.MonkeyPatch.context() as patch, pytest.raises(SystemExit) as end:
        patch.setattr("sys.argv", ["preprocess.py", *arguments, *overrides])
        run_main(main)
    return end.value.code


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory, sandbox_endpoint: str) -> Path:
    """Output of a small run over the own problems."""
    folder = tmp_path_factory.mktemp("own") / "data"
    assert _command(OWN, folder, sandbox_endpoint) == 0
    return folder


@pytest.fixture(scope="module")
def user(tmp_path_factory: pytest.TempPathFactory, sandbox_endpoint: str) -> Path:
    """Output of a run over records of the user's, one of whose references is wrong and one row broken."""
    folder = tmp_path_factory.mktemp("user")
    # Hidden inputs and answers are numbers that occur nowhere else.
    record = {
        "question": "Read a number and print it plus 3.",
        "input_output": {"inputs": ["4", "10", "48151623"], "outputs": ["7", "13", "48151626"]},
        "reference": "number = int(input())\nprint(number + 3)",
        "origin": "unit test",
    }
    rows = [json.dumps({**record, "query_id": f"add {index}"}) for index in range(8)]
    rows += ["{broken", json.dumps({**record, "query_id": "wrong", "reference": "print(7)"})]
    (folder / "records.jsonl").write_text("\n".join(rows))
    arguments = (
        "data=user",
        f"input={folder}/records.jsonl",
        "splits.val_share=0.1",
        "splits.test_share=0.2",
        "sft.num_conversations=24",
        "sft.num_val_conversations=2",
    )
    assert _command(arguments, folder / "data", sandbox_endpoint) == 0
    return folder / "data"


def _rows(folder: Path, name: str) -> list[dict]:
    return pq.read_table(folder / f"{name}.parquet").to_pylist()


def _conversations(folder: Path) -> list[tuple[dict, list[dict]]]:
    rows = _rows(folder, "sft_train") + _rows(folder, "sft_val")
    return [(row, json.loads(row["messages"])) for row in rows]


def _problems(folder: Path) -> dict[str, Problem]:
    rows = [row for name in ("rl_train", "rl_val", "rl_test") for row in _rows(folder, name)]
    stored = [Problem.from_json(row["reward_model"]["ground_truth"]) for row in rows]
    return {problem.query_id: problem for problem in stored}


def _submitted(messages: list[dict]) -> list[str]:
    return [m["tool_calls"][0]["function"]["arguments"]["code"] for m in messages if "tool_calls" in m]


@pytest.mark.parametrize("folder", ["own", "user"])
def test_all_files_are_there_with_the_rows_the_manifest_counts(
    folder: str, request: pytest.FixtureRequest
) -> None:
    output: Path = request.getfixturevalue(folder)
    assert {path.name for path in output.iterdir()} == FILES
    assert not output.with_name("data.partial").exists()
    manifest = json.loads((output / MANIFEST).read_text())
    for name in SCHEMAS:
        assert len(_rows(output, name)) == manifest["files"][f"{name}.parquet"]["rows"]
    assert sum(manifest["problems_by_split"].values()) == len(_problems(output))


@pytest.mark.parametrize("folder", ["own", "user"])
async def test_every_final_program_passes_and_every_wrong_one_fails(
    folder: str, own: Path, user: Path, sandbox_endpoint: str
) -> None:
    output = {"own": own, "user": user}[folder]
    problems = _problems(output)
    async with HttpSandbox(sandbox_endpoint) as sandbox:
        grader = Grader(sandbox)
        for row, messages in _conversations(output):
            *wrong, final = _submitted(messages)
            problem = problems[row["query_id"]]
            assert (await grader.grade(final, problem.cases)).all_passed
            for program, verdict in zip(wrong, row["verdicts"], strict=False):
                grade = await grader.grade(program, problem.public_cases)
                assert grade.first_failure is not None
                assert str(grade.first_failure.verdict) == verdict


async def test_every_tool_answer_is_the_one_that_the_tool_gives_again(
    own: Path, user: Path, sandbox_endpoint: str
) -> None:
    async with HttpSandbox(sandbox_endpoint) as sandbox:
        grader = Grader(sandbox, Limits(time_s=2.0))
        for output, tools in ((own, "brief"), (user, "enhanced")):
            problems = _problems(output)
            tool = load_tools(ROOT / "configs" / "tools" / f"{tools}.yaml", grader=grader)[0]
            for row, messages in _conversations(output)[:20]:
                episode = Episode(problems[row["query_id"]])
                answers = [await tool.call({"code": program}, episode) for program in _submitted(messages)]
                told = [message["content"] for message in messages if message["role"] == "tool"]
                assert [answer.text for answer in answers] == told


def test_the_manifest_says_how_the_programs_fail_and_how_often_a_sentence_comes(user: Path) -> None:
    sft = json.loads((user / MANIFEST).read_text())["sft"]
    rows = _rows(user, "sft_train") + _rows(user, "sft_val")
    shown = sft["error_kinds_shown"]
    assert sum(entry["number"] for entry in shown.values()) == sum(row["num_repairs"] for row in rows)
    assert sum(entry["share"] for entry in shown.values()) == pytest.approx(1, abs=0.01)
    assert sum(entry["asked"] or 0 for entry in shown.values()) == pytest.approx(1, abs=0.01)
    assert sum(sft["bug_kinds_shown"].values()) == sum(row["num_repairs"] for row in rows)
    assert len(sft["wording"]["most_frequent"]) == 5
    assert sft["wording"]["distinct_sentences"] > 2 * len(rows)


def test_error_kinds_that_are_not_asked_for_do_not_occur(
    tmp_path: Path, sandbox_endpoint: str, records: Callable[..., Path], make_record: Callable[..., dict]
) -> None:
    reference = "numbers = [int(x) for x in input().split()]\nprint(numbers[0] + 3)"
    path = records(*(make_record(f"p{n}", reference=reference) for n in range(8)))
    arguments = (
        f"input={path}", "verify=false", "splits.val_share=0", "splits.test_share=0",
        "sft.num_conversations=16", "sft.num_val_conversations=0", "sft.wrong_attempt_probs=[1.0]",
        "~sft.error_shares", "+sft.error_shares={index_error: 1, name_error: 1}",
    )  # fmt: skip
    assert _command(arguments, tmp_path / "out", sandbox_endpoint) == 0
    shown = json.loads((tmp_path / "out" / MANIFEST).read_text())["sft"]["error_kinds_shown"]
    assert set(shown) == {"index_error", "name_error"}
    assert all(entry["number"] >= 5 for entry in shown.values())


def test_failed_programs_of_the_records_come_first(
    tmp_path: Path,
    sandbox_endpoint: str,
    records: Callable[..., Path],
    make_record: Callable[..., dict],
    capsys: pytest.CaptureFixture[str],
) -> None:
    failed = [{"program": "print(int(input()) * 3)", "category": "wrong formula"}, "print(int(input()) - 3)"]
    path = records(*(make_record(f"p{n}", failed_programs=failed) for n in range(3)))
    program = "n = int(input())\nprint(n + 4)"
    more = records(
        *({"query_id": name, "program": program} for name in ("p0", "gone", "gone")), name="more.jsonl"
    )
    arguments = (
        f"input={path}", f"failed_programs={more}", "verify=false", "splits.val_share=0",
        "splits.test_share=0", "sft.num_conversations=14", "sft.num_val_conversations=0",
        "sft.wrong_attempt_probs=[1.0]",
        "sft.bug_shares.two_slips=0", "~sft.error_shares", "+sft.error_shares={wrong_answer: 1}",
    )  # fmt: skip
    assert _command(arguments, tmp_path / "out", sandbox_endpoint) == 0
    manifest = json.loads((tmp_path / "out" / MANIFEST).read_text())
    assert manifest["columns_not_read"] == {"origin": 3} and len(manifest["inputs"]) == 2
    assert manifest["failed_programs_without_problem"] == {"gone": 2}
    assert "note: 2 failed programs belong to no problem (gone; " in capsys.readouterr().out
    shown = manifest["sft"]["bug_kinds_shown"]
    assert shown["real: wrong formula"] >= 3 and shown["real: attempt"] >= 4
    assert shown["real: wrong formula"] + shown["real: attempt"] > 7


def test_rl_rows_have_the_columns_verl_reads(own: Path) -> None:
    for index, row in enumerate(_rows(own, "rl_train")):
        problem = Problem.from_json(row["reward_model"]["ground_truth"])
        assert row["data_source"] == "code_agentic" and row["ability"] == "code"
        assert row["reward_model"]["style"] == "rule" and row["agent_name"] == "code_agentic"
        assert row["extra_info"] == {
            "split": "train",
            "index": index,
            "query_id": problem.query_id,
            "difficulty": problem.difficulty,
            "family": problem.family,
        }
        assert [message["role"] for message in json.loads(row["prompt"])] == ["system", "user"]


def test_test_rows_tell_held_out_parameters_from_held_out_families(own: Path) -> None:
    rows = _rows(own, "rl_test")
    assert {row["extra_info"]["split"] for row in rows} == {"test", "held_out_families"}
    trained = {row["extra_info"]["family"] for row in _rows(own, "rl_train")}
    held_out = {r["extra_info"]["family"] for r in rows if r["extra_info"]["split"] == "held_out_families"}
    assert not trained & held_out


def test_conversations_are_about_their_own_split(own: Path) -> None:
    for name in ("train", "val"):
        known = {row["extra_info"]["query_id"] for row in _rows(own, f"rl_{name}")}
        assert {row["query_id"] for row in _rows(own, f"sft_{name}")} <= known


def test_right_first_time_one_and_several_repairs_all_occur(own: Path) -> None:
    rows = _rows(own, "sft_train")
    assert len(rows) == 48
    assert {0, 1, 2} <= {row["num_repairs"] for row in rows}
    for row in rows:
        assert row["num_repairs"] == len(row["bug_kinds"]) == len(row["verdicts"]) - 1
        assert row["verdicts"][-1] == "passed"
    manifest = json.loads((own / MANIFEST).read_text())
    counted = manifest["sft"]["conversations_by_wrong_attempts"]["train"]
    assert sum(counted.values()) == 48


def test_programs_of_other_problems_are_shown_and_not_learned_slips_are(own: Path) -> None:
    seen = set()
    for row, messages in _conversations(own):
        turns = [message for message in messages if "tool_calls" in message]
        for kind, turn in zip(row["bug_kinds"], turns, strict=False):
            assert turn.get("train", True) == (kind != "other_program")
            seen.add(kind == "other_program")
        assert "train" not in turns[-1] and "train" not in messages[-1]
    assert seen == {True, False}


def test_hidden_cases_reach_neither_prompts_nor_conversations(user: Path) -> None:
    texts = [row["prompt"] for name in ("rl_train", "rl_val", "rl_test") for row in _rows(user, name)]
    texts += [row["messages"] for name in ("sft_train", "sft_val") for row in _rows(user, name)]
    assert texts and not [text for text in texts if "48151623" in text or "48151626" in text]
    stored = [row["reward_model"]["ground_truth"] for row in _rows(user, "rl_train")]
    assert all("48151626" in text for text in stored)


def test_the_manifest_names_rejects_failing_references_and_hashes(user: Path) -> None:
    manifest = json.loads((user / MANIFEST).read_text())
    (reject,) = manifest["rejects"]
    assert (reject["row"], reject["column"]) == (9, "") and "broken JSON" in reject["reason"]
    verification = manifest["verification"]
    assert (verification["references"], verification["passed"]) == (9, 8)
    (failure,) = verification["failures"]
    assert failure["query_id"] == "wrong" and failure["verdict"] == "wrong_answer"
    assert "wrong" not in _problems(user)
    assert manifest["columns_not_read"] == {"origin": 9}
    assert [len(entry["sha256"]) for entry in manifest["inputs"]] == [64]
    assert (
        manifest["seed"] == 0 and manifest["config"]["format"] == "user" and manifest["packages"]["pyarrow"]
    )


def test_the_same_seed_gives_the_same_files_and_another_one_others(
    own: Path, tmp_path: Path, sandbox_endpoint: str
) -> None:
    same, other = tmp_path / "same", tmp_path / "other"
    assert _command(OWN, same, sandbox_endpoint) == 0
    assert _command((*OWN, "seed=1"), other, sandbox_endpoint) == 0
    for name in SCHEMAS:
        assert (same / f"{name}.parquet").read_bytes() == (own / f"{name}.parquet").read_bytes()
        assert (other / f"{name}.parquet").read_bytes() != (own / f"{name}.parquet").read_bytes()
    manifests = [json.loads((folder / MANIFEST).read_text()) for folder in (own, same)]
    for manifest in manifests:
        del manifest["config"]["output_dir"]
    assert manifests[0] == manifests[1]


def test_the_embedded_sandbox_is_started_where_no_service_is_named(tmp_path: Path) -> None:
    command = [
        sys.executable,
        str(ROOT / "data_preprocess" / "preprocess.py"),
        *OWN,
        "problem_set.num_problems=8",
    ]
    command += [f"output_dir={tmp_path}/data", "sft.num_conversations=6", "sft.num_val_conversations=0"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert {path.name for path in (tmp_path / "data").iterdir()} == FILES


def test_a_failing_reference_is_named_and_teaches_nothing_even_where_its_problem_is_kept(
    tmp_path: Path,
    sandbox_endpoint: str,
    records: Callable[..., Path],
    make_record: Callable[..., dict],
    capsys: pytest.CaptureFixture[str],
) -> None:
    # It passes the public cases and not the hidden one.
    wrong = "n = int(input())\nprint(n + 3 if n < 100 else 0)"
    path = records(make_record("right"), *(make_record(f"wrong {n}", reference=wrong) for n in range(7)))
    arguments = ("data=user", f"input={path}", "splits.val_share=0", "splits.test_share=0")
    small = (*arguments, "sft.num_conversations=8", "sft.num_val_conversations=0")
    assert _command((*small, "drop_unverified=false"), tmp_path / "kept", sandbox_endpoint) == 0
    printed = capsys.readouterr().out
    assert "references that pass all their cases: 1 of 8 (12.5%)" in printed
    assert "  no conversations about: wrong 0 (wrong_answer), wrong 1 (wrong_answer)" in printed
    assert "and 2 more, all of them in manifest.json" in printed
    assert len(_problems(tmp_path / "kept")) == 8
    assert {row["query_id"] for row in _rows(tmp_path / "kept", "sft_train")} == {"right"}
    assert _command(small, tmp_path / "dropped", sandbox_endpoint) == 0
    assert "  left out: wrong 0 (wrong_answer)" in capsys.readouterr().out
    assert set(_problems(tmp_path / "dropped")) == {"right"}
    path.write_text(path.read_text().partition("\n")[2])
    assert _command(small, tmp_path / "none", sandbox_endpoint) == 2
    assert (
        "no problem is left, 0 rows were rejected and 7 references failed: wrong 0" in capsys.readouterr().err
    )


NOBODY = "code_agentic.sandbox.endpoint=http://127.0.0.1:9"


def test_data_without_references_needs_no_sandbox(
    tmp_path: Path, run: Callable[..., int], records: Callable[..., Path], make_record: Callable[..., dict]
) -> None:
    path = records(*(make_record(f"p{number}", reference=None) for number in range(6)))
    assert run(f"input={path}", "verify=true", NOBODY, f"output_dir={tmp_path}/out") == 0
    manifest = json.loads((tmp_path / "out" / MANIFEST).read_text())
    left_out = manifest["sft"]["problems_left_out"]
    splits = manifest["problems_by_split"]
    assert left_out["without_reference"] == splits["train"] + splits["val"]
    assert manifest["verification"]["references"] == 0


def test_two_runs_do_not_write_the_same_folder(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    records: Callable[..., Path],
    make_record: Callable[..., dict],
) -> None:
    monkeypatch.setattr("data_preprocess.parquet_files._LOCK_PATIENCE_S", 0.2)
    final = tmp_path / "out"
    with OutputFolder(final) as first:
        (first.path("mark")).touch()
        with (
            pytest.raises(OSError, match=r"another run is writing .*out: wait until it ends"),
            OutputFolder(final),
        ):
            pass
        assert first.path("mark").exists()
    with OutputFolder(final):  # the lock is gone with the first
        pass
    (tmp_path / "out.partial" / "folder").mkdir(parents=True)  # somebody's
    with OutputFolder(final):
        pass
    assert not list(tmp_path.iterdir())


def test_a_run_that_waits_for_the_end_of_another_goes_on(tmp_path: Path) -> None:
    ended = threading.Event()

    def write() -> None:
        with OutputFolder(tmp_path / "out"):
            ended.wait(0.5)

    thread = threading.Thread(target=write)
    thread.start()
    while not (tmp_path / "out.partial" / "rl_train.parquet").exists():
        assert thread.is_alive()
        time.sleep(0.01)
    with OutputFolder(tmp_path / "out") as second:
        assert second.path("rl_train").exists()
    thread.join()


def test_references_that_nobody_runs_are_named(
    tmp_path: Path,
    run: Callable[..., int],
    capsys: pytest.CaptureFixture[str],
    records: Callable[..., Path],
    make_record: Callable[..., dict],
) -> None:
    path = records(make_record("a"), make_record("b"))
    only_rl = ("sft.num_conversations=0", "sft.num_val_conversations=0")
    assert run(f"input={path}", f"output_dir={tmp_path}/out", *only_rl) == 0
    assert "note: references that were not run, because of verify=false: 2" in capsys.readouterr().out


async def test_problems_are_kept_only_for_conversations_that_are_asked_for(
    tmp_path: Path, records: Callable[..., Path], make_record: Callable[..., dict]
) -> None:
    path = records(*(make_record(f"p{number}") for number in range(6)))
    kept = {}
    for train, val in ((0, 0), (5, 0), (0, 5)):
        config = compose(
            "preprocess",
            [
                "data=user", f"input={path}", "verify=false", "splits.val_share=0.3", NOBODY,
                f"sft.num_conversations={train}", f"sft.num_val_conversations={val}",
            ],
        )  # fmt: skip
        settings = read_settings(config)
        with OutputFolder(tmp_path / "out") as output:
            async with SandboxOnDemand(settings) as sandbox:
                problems = await _write_rl(settings, sandbox, [], output, {})
        kept[train, val] = [split for split, held in problems.to_converse.items() if held]
    assert kept == {(0, 0): [], (5, 0): ["train"], (0, 5): ["train", "val"]}


def test_the_cache_has_the_size_that_is_set(
    tmp_path: Path,
    sandbox_endpoint: str,
    records: Callable[..., Path],
    make_record: Callable[..., dict],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sizes = []

    def make_grader(*arguments: object, cache_size: int, **others: object) -> Grader:
        sizes.append(cache_size)
        return Grader(*arguments, cache_size=cache_size, **others)

    monkeypatch.setattr("data_preprocess.pipeline.Grader", make_grader)
    arguments = (
        f"input={records(make_record('p1'))}", "verify=false", "splits.val_share=0", "splits.test_share=0",
        "sft.num_conversations=6", "sft.num_val_conversations=0", "code_agentic.sandbox.cache_size=7",
    )  # fmt: skip
    assert _command(arguments, tmp_path / "out", sandbox_endpoint) == 0
    assert sizes == [7]


def test_a_failed_run_leaves_an_earlier_output_as_it_was(
    tmp_path: Path, run: Callable[..., int], records: Callable[..., Path], make_record: Callable[..., dict]
) -> None:
    without_sft = ["sft.num_conversations=0", "sft.num_val_conversations=0", f"output_dir={tmp_path}/out"]
    path = records(make_record("one"))
    assert run(f"input={path}", *without_sft) == 0
    before = (tmp_path / "out" / MANIFEST).read_bytes()
    path = records("{broken")
    assert run(f"input={path}", "format=user", *without_sft) == 2
    assert (tmp_path / "out" / MANIFEST).read_bytes() == before
    assert not (tmp_path / "out.partial").exists()


@pytest.mark.skipif(not SHARED.is_dir(), reason=f"no real data at {SHARED}")
def test_real_leetcode_references_pass_their_cases(tmp_path: Path, sandbox_endpoint: str) -> None:
    import gzip
    import itertools

    with gzip.open(SHARED / "leetcode_v0.2.0_train.jsonl.gz", "rt", encoding="utf-8") as lines:
        (tmp_path / "sample.jsonl").write_text("".join(itertools.islice(lines, 40)))
    arguments = (
        "data=leetcode_debugbench",
        f"input={tmp_path}/sample.jsonl",
        f"failed_programs={SHARED}/debugbench_python3.jsonl.gz",
        "sft.num_conversations=10",
        "sft.num_val_conversations=0",
    )
    assert _command(arguments, tmp_path / "data", sandbox_endpoint) == 0
    manifest = json.loads((tmp_path / "data" / MANIFEST).read_text())
    assert manifest["verification"]["references"] == 40
    assert manifest["verification"]["share"] >= 0.97
    assert any(kind.startswith("real: ") for kind in manifest["sft"]["bugs"]["kept"])
