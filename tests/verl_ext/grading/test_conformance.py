"""The conformance table and the suite that puts it to graders."""

from __future__ import annotations

import importlib.util
import json
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest

from verl_ext.grading import Case, Verdict
from verl_ext.grading.conformance import ROWS, Outcome, Row, run_suite
from verl_ext.grading.conformance.__main__ import main, update_page
from verl_ext.grading.conformance.graders import GRADERS, open_grader, verl_test_cases
from verl_ext.grading.conformance.suite import results_table

PAGE = Path(__file__).parents[3] / "docs" / "grading.md"
needs_verl = pytest.mark.skipif(importlib.util.find_spec("verl") is None, reason="verl is not installed")


def row(name: str, kind: str = "stdin") -> Row:
    (found,) = [row for row in ROWS if (row.name, row.kind) == (name, kind)]
    return found


def test_the_table_is_large_and_names_each_row_once() -> None:
    assert len(ROWS) >= 150
    for group in ("must pass", "must fail", "must not be gamed"):
        for kind in ("stdin", "call"):
            assert sum(row.group == group and row.kind == kind for row in ROWS) >= 25
    names = Counter((row.group, row.kind, row.name) for row in ROWS)
    assert not [name for name, count in names.items() if count > 1]


def test_every_kind_of_verdict_is_asked_for() -> None:
    assert {row.verdict for row in ROWS} == {None, *Verdict}


def test_rows_say_one_thing() -> None:
    for row in ROWS:
        assert row.passes is (row.verdict is Verdict.PASSED)
        assert row.cases or row.name == "no case at all"
        assert len({case.kind for case in row.cases}) <= 1


def test_exported_rows_can_be_read_without_python(tmp_path: Path) -> None:
    assert main(["--export", str(tmp_path / "rows.jsonl")]) == 0
    exported = [json.loads(line) for line in (tmp_path / "rows.jsonl").read_text().splitlines()]
    assert len(exported) == len(ROWS)
    assert {line["verdict"] for line in exported} == {"not passed", *(str(verdict) for verdict in Verdict)}


ANSWERS = [
    (True, "input()", True),
    (Verdict.PASSED, "input()", True),
    (False, "input()", False),
    (Verdict.TIME_LIMIT, "input()", False),
    (None, "input()", True),
    (False, "another number", True),
    (Verdict.WRONG_ANSWER, "another number", True),
    (Verdict.RUNTIME_ERROR, "another number", False),
    (True, "another number", False),
    (Verdict.PASSED, "every number", False),
    (Verdict.OUTPUT_LIMIT, "every number", True),
    (ValueError("refused"), "another number", True),
    (ValueError("refused"), "input()", False),
    (RuntimeError("broken"), "another number", False),
    (RuntimeError("broken"), "input()", False),
    ("wrong_answer", "input()", False),
    ({"score": 0.0}, "another number", False),
]


@pytest.mark.parametrize(("answer", "name", "is_right"), ANSWERS)
async def test_what_a_grader_says_is_right_or_wrong(answer: object, name: str, is_right: bool) -> None:
    def judge(completion: str, cases: Sequence[Case]) -> object:
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def awaited(completion: str, cases: Sequence[Case]) -> object:
        return judge(completion, cases)

    for asked in (judge, awaited):
        [outcome] = await run_suite(asked, [row(name)])  # type: ignore[arg-type]
        assert outcome.is_right is is_right, outcome.line


async def test_a_grader_that_passes_everything_is_wrong_about_all_that_must_not() -> None:
    outcomes = await run_suite(lambda completion, cases: True, ROWS)
    assert {outcome.row.name for outcome in outcomes if not outcome.is_right} == {
        row.name for row in ROWS if not row.passes
    }
    table = results_table({"all": outcomes})
    wrong = sum(not row.passes for row in ROWS)
    assert f"| {wrong} of {len(ROWS)} |" in table
    assert "**all, must not be gamed:**" in table


def test_what_is_not_read_is_not_counted() -> None:
    unread = Outcome(row("input()"), None)
    assert "| x | 0 of 0 | 0 of 0 | 0 of 0 | 0 of 0 | 0 of 0 |" in results_table({"x": [unread]})


def test_the_page_says_that_ours_is_right_about_the_table_as_it_is() -> None:
    line = re.search(r"^\| ours \|(.*)\|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert line is not None, "regenerate the table: see docs/grading.md"
    sizes = [
        sum(row.group == "must pass" and row.kind == "stdin" for row in ROWS),
        sum(row.group == "must pass" and row.kind == "call" for row in ROWS),
        sum(row.group == "must fail" for row in ROWS),
        sum(row.group == "must not be gamed" for row in ROWS),
        len(ROWS),
    ]
    assert [cell.strip() for cell in line[1].split("|")] == [f"0 of {size}" for size in sizes]


def test_a_page_is_updated_between_its_markers(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    begin, end = "<!-- conformance table: begin -->", "<!-- conformance table: end -->"
    page.write_text(f"a\n{begin}\nold\n{end}\nb\n")
    for _ in range(2):
        update_page(page, "new")
    assert page.read_text() == f"a\n{begin}\nnew\n{end}\nb\n"
    page.write_text("no markers")
    with pytest.raises(ValueError, match="needs the lines"):
        update_page(page, "new")


async def test_a_judge_of_ones_own_is_found_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "my_judge.py").write_text("def judge(completion, cases):\n    return 'print' in completion\n")
    monkeypatch.syspath_prepend(tmp_path)
    async with open_grader("my_judge:judge") as judge:
        [outcome] = await run_suite(judge, [row("input()")])
    assert outcome.is_right


@pytest.mark.parametrize("name", ["nobody", "no_such_module:judge", "json:no_such", "json:__name__"])
def test_a_grader_that_is_not_there_is_one_line(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--grader", name]) == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert line.startswith(f"error: grader {name!r}")


def test_cases_in_verls_form() -> None:
    calls = [Case('[[1, 2], "x"]', '"y"', "Solution().f"), Case("[]", "[1]", "Solution().f")]
    read = verl_test_cases(calls)
    assert read == {"inputs": ['[1, 2]\n"x"', ""], "outputs": ['"y"', "[1]"], "fn_name": "f"}
    assert verl_test_cases(calls, printed_values=True)["outputs"] == ["y", "[1]"]
    assert verl_test_cases([Case("1", "2")]) == {"inputs": ["1"], "outputs": ["2"]}
    assert verl_test_cases([]) == {"inputs": [], "outputs": []}


VERL_ROWS = [
    ("prime_code", "input()", True),
    ("prime_code", "another number", True),
    ("prime_code", "no case at all", False),
    ("verl_sandbox_fusion", "input()", True),
    ("verl_sandbox_fusion", "another number", True),
    ("verl_sandbox_fusion", "a float that is a little off", False),
    ("verl_sandbox_fusion", "wrong in the last of 15 cases", False),
]


@needs_verl
@pytest.mark.parametrize("grader", sorted(GRADERS.keys() - {"ours"}))
async def test_verls_scorers_are_really_asked(grader: str, sandbox_endpoint: str) -> None:
    asked = [(row(name), is_right) for of, name, is_right in VERL_ROWS if of == grader]
    async with open_grader(grader, sandbox_endpoint) as judge:
        outcomes = await run_suite(judge, [row for row, _ in asked], max_parallel=2)
    assert [outcome.is_right for outcome in outcomes] == [is_right for _, is_right in asked]
