"""The report is one file, complete, offline, and shows untrusted text as text."""

import json
import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

from recipe.code_agentic.metrics import compare_models, summarise_model
from recipe.code_agentic.report import read_metrics, write_report
from recipe.code_agentic.report_charts import Series, line_chart, round_ticks, smoothed
from recipe.code_agentic.report_episodes import choose_episodes, episodes_json, outcome

EVIL = "</script><script>document.title='owned'</script><img src=x onerror=\"document.title=1\">\ud800\u2028"


def episode(
    number=0, *, run="rl", first=2, attempts=2, void=False, text="thinking", code="print(1)", **fields
):
    """A record as the evaluation writes it: failing attempts until ``first``."""
    call = {"name": "enhanced_code_agentic_tool", "arguments": {"code": code}}
    messages = [{"role": "system", "content": "Solve it."}, {"role": "user", "content": f"Problem {number}"}]
    tries = []
    for position in range(1, attempts + 1):
        program = code + "\n" * (position - 1) + f"# try {position}"
        called = {**call, "arguments": {"code": program}}
        messages.append(
            {"role": "assistant", "content": f"{text}\n<tool_call>\n{json.dumps(called)}\n</tool_call>"}
        )
        messages.append({"role": "tool", "content": f"answer {position} {text}"})
        right = position == first
        tries.append(
            {
                "program": program,
                "source": "tool",
                "turn": position - 1,
                "verdicts": ["passed", "passed" if right else "wrong_answer"],
                "error": None,
                "first_solved": right,
            }
        )
    solved = not void and first is not None and first <= attempts
    return {
        "query_id": f"p{number}",
        "family": f"family{number % 3}",
        "difficulty": "easy",
        "verdict_only": number % 2 == 0,
        "source": "code_agentic",
        "run": run,
        "split": "test",
        "decoding": "sampled",
        "step": None,
        "sample": 0,
        "facts": {
            "void": void,
            "hidden_passed": int(solved),
            "hidden_total": 1,
            "first_solved_attempt": first if solved else None,
            "solved": solved,
            "num_attempts": attempts,
            "num_failed_attempts": attempts - 1,
            "num_tool_calls": attempts,
            "num_refused_calls": 0,
            "num_malformed_calls": 0,
            "num_surplus_calls": 0,
            "num_turns": attempts,
            "num_response_tokens": 50,
            "stop_reason": "sandbox_failure" if void else "final_answer",
        },
        "reward": {"score": 1.0, "part_base": 1.0},
        "messages": messages,
        "attempts": tries,
        "final_verdicts": ["passed"] if solved else ["wrong_answer"],
        "failure": "",
        "generate_s": 0.1,
        "tool_s": 0.2,
        **fields,
    }


def write_evaluation(folder: Path, of_model: dict[str, list[dict]], **fields) -> Path:
    for name, records in of_model.items():
        lines = "".join(json.dumps(record) + "\n" for record in records)
        (folder / f"{name}.trajectories.jsonl").write_text(lines)
    names = list(of_model)
    evaluation = {
        "schema": 1,
        "created": "2026-11-20T10:00:00+00:00",
        "title": "Evaluation",
        "seed": 0,
        "data": [{"path": "rl_test.parquet", "sha256": "0" * 64}],
        "metrics": {},
        "decodings": [{"name": "sampled", "num_samples": 1, "temperature": 1.0, "top_p": 1.0, "top_k": -1}],
        "models": [
            {
                "name": name,
                "path": f"/models/{name}",
                "trajectories": f"{name}.trajectories.jsonl",
                "summary": summarise_model(records, seed=0),
            }
            for name, records in of_model.items()
        ],
        "comparisons": [
            {
                "before": names[0],
                "after": name,
                "differences": compare_models(of_model[names[0]], of_model[name], seed=0),
            }
            for name in names[1:]
        ],
        **fields,
    }
    path = folder / "evaluation.json"
    path.write_text(json.dumps(evaluation))
    return path


class Page(HTMLParser):
    """Elements, addresses, the embedded episodes and the text of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.addresses: list[str] = []
        self.words: list[str] = []
        self.embedded = ""
        self._inside = ""
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.addresses += [value for name, value in attributes if name in ("src", "href")]
        self._inside = dict(attributes).get("id", "") if tag == "script" else ""

    def handle_data(self, data):
        if self._inside == "episodes":
            self.embedded += data
        self.words.append(data)


@pytest.fixture
def evaluation(tmp_path) -> Path:
    base = [episode(n, run="base", first=None, attempts=1) for n in range(6)]
    rl = [episode(n, first=1 + n % 2) for n in range(6)]
    return write_evaluation(tmp_path, {"base": base, "rl": rl})


def test_the_page_is_one_file_that_loads_nothing(evaluation):
    text = write_report(evaluation, max_episodes=10).read_text(encoding="utf-8")
    page = Page(text)
    assert page.addresses == []
    assert not re.search(r"url\(|@import|\bfetch\(|XMLHttpRequest|import\(", text)
    assert "default-src 'none'" in text


def test_the_headline_says_rates_intervals_and_differences(evaluation):
    words = " ".join(Page(write_report(evaluation, max_episodes=10).read_text()).words)
    assert re.search(
        r"Solved at the first attempt\s+0\.0\s+0\.0–39\.0\s+50\.0\s+18\.8–81\.2\s+\+50\.0", words
    )
    assert "Verdict-only problems, within 3 attempts" in words


def test_model_output_can_not_become_markup(tmp_path):
    evil = episode(text=EVIL, code=f"print('{EVIL}')", query_id=EVIL, family=EVIL, failure=EVIL)
    path = write_evaluation(tmp_path, {"rl": [evil]}, title=EVIL)
    text = write_report(path, max_episodes=10).read_text(encoding="utf-8")
    page = Page(text)
    assert page.tags.count("script") == 2
    assert "img" not in page.tags
    embedded = json.loads(page.embedded)
    assert any(EVIL in one for one in embedded["texts"])
    assert embedded["episodes"][0]["id"] == EVIL


def test_the_same_evaluation_gives_the_same_page(evaluation, tmp_path):
    first = write_report(evaluation, max_episodes=3).read_text()
    assert write_report(evaluation, max_episodes=3, output=tmp_path / "b.html").read_text() == first


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"first": 1}, "first"),
        ({"first": 2}, "recovered"),
        ({"first": None}, "failed"),
        ({"first": 1, "void": True}, "void"),
    ],
)
def test_outcomes(fields, expected):
    assert outcome(episode(**fields)) == expected


def test_an_episode_whose_right_attempt_was_replaced_is_spoiled():
    record = episode(first=1)
    record["facts"]["solved"] = False
    assert outcome(record) == "spoiled"


def test_chosen_episodes_show_every_outcome_and_spread_over_families():
    records = [episode(n, first=1) for n in range(100)]
    records += [episode(n, first=None) for n in range(100, 103)] + [episode(103, first=2)]
    chosen = choose_episodes(records, 10, seed=0)
    assert len(chosen) == 10
    assert {outcome(record) for record in chosen} == {"first", "failed", "recovered"}
    assert {record["family"] for record in chosen if outcome(record) == "first"} == {
        "family0",
        "family1",
        "family2",
    }
    assert len(choose_episodes(records, 1000, seed=0)) == len(records)


def test_calls_carry_their_verdicts_and_what_changed():
    record = episode(attempts=2, first=2, code="a = 1\nprint(a)")
    record["attempts"][1]["program"] = "a = 2\nprint(a)# try 1"
    arguments = {"code": "a = 2\nprint(a)# try 1", "timeout": 3}
    call = {"name": "enhanced_code_agentic_tool", "arguments": arguments}
    record["messages"][4]["content"] = f"Fix it.\n<tool_call>{json.dumps(call)}</tool_call>"
    found = json.loads(episodes_json([record]))
    text, second = found["episodes"][0]["turns"][4]["parts"]
    assert found["texts"][text["text"]] == "Fix it."
    assert (second["attempt"], second["verdicts"], second["right"]) == (2, ["passed", "passed"], True)
    assert second["arguments"] == '{"timeout": 3}'
    assert second["changed"] == [0]


def test_a_call_that_can_not_be_read_is_shown_with_its_reason():
    record = episode(attempts=1)
    record["messages"][2]["content"] = '<tool_call>{"name": </tool_call>'
    parts = json.loads(episodes_json([record]))["episodes"][0]["turns"][2]["parts"]
    assert parts[0]["kind"] == "unread"
    assert "not valid JSON" in parts[0]["reason"]


def test_metrics_of_a_resumed_run_are_read_from_all_parts_and_later_ones_win(tmp_path):
    def part(name, steps, value, tail=""):
        lines = [json.dumps({"step": s, "data": {"reward/score": value, "note": "x"}}) for s in steps]
        (tmp_path / name).write_text("\n".join(lines) + "\n" + tail)

    part("0000.jsonl", [1, 2, 3], 0.1, tail='{"step": 4, "da')
    part("0001.jsonl", [3, 4], 0.9)
    assert read_metrics(tmp_path) == {"reward/score": [(1, 0.1), (2, 0.1), (3, 0.9), (4, 0.9)]}
    assert read_metrics(tmp_path / "0001.jsonl") == {"reward/score": [(3, 0.9), (4, 0.9)]}


@pytest.mark.parametrize("content", ["{}\n", "[1]\n", "nonsense\n", '{"step": "x", "data": {}}\n'])
def test_a_line_that_is_no_metric_is_named(tmp_path, content):
    path = tmp_path / "metrics.jsonl"
    path.write_text(content)
    with pytest.raises(ValueError, match=r"metrics\.jsonl:1: not a line of metrics"):
        read_metrics(path)


def test_tensorboard_folders_are_read(tmp_path):
    tensorboard = pytest.importorskip("torch.utils.tensorboard")
    with tensorboard.SummaryWriter(str(tmp_path)) as writer:
        writer.add_scalar("reward/score", 0.5, 1)
        writer.add_scalar("reward/score", 0.75, 2)
    assert read_metrics(tmp_path) == {"reward/score": [(1, 0.5), (2, 0.75)]}


def test_learning_curves_are_drawn_for_what_was_logged(evaluation, tmp_path):
    metrics = tmp_path / "rl.jsonl"
    metrics.write_text(
        "".join(
            json.dumps({"step": s, "data": {"reward/solved": s / 30, "odd": float("nan")}}) + "\n"
            for s in range(30)
        )
    )
    text = write_report(evaluation, max_episodes=1, metrics={"rl": str(metrics)}).read_text()
    assert "Learning curves" in text
    assert "last 96.7 %" in text
    assert "Learning curves" not in write_report(evaluation, max_episodes=1, metrics={}).read_text()


@pytest.mark.parametrize("points", [[(1.0, 0.5)], [(1.0, 0.5), (2.0, 0.5)], [(0.0, -3e6), (1e5, 4e6)]])
def test_charts_of_few_flat_or_wide_data_stay_inside_their_frame(points):
    svg = str(line_chart([Series("<a&b>", 0, points)], percent=False, x_label="step"))
    numbers = [float(n) for n in re.findall(r'points="([^"]*)"', svg)[0].replace(",", " ").split()]
    assert all(0 <= n <= 380 for n in numbers)
    assert "<a&b>" not in svg


def test_ticks_are_round_and_within_the_range():
    assert round_ticks(0.0, 1.0, 4) == [0.0, 0.25, 0.5, 0.75, 1.0]
    assert round_ticks(3.2, 97.0, 5) == [20.0, 40.0, 60.0, 80.0]


@pytest.mark.parametrize(
    ("values", "percent", "labels"),
    [
        ([0.0, 0.0], True, ["0%", "25%", "50%", "75%", "100%"]),
        ([1.0, 1.0], True, ["99%", "99.25%", "99.5%", "99.75%", "100%"]),
        ([0.0, 0.0], False, ["0", "0.25", "0.5", "0.75", "1"]),
        ([-1.0, 1.0], False, ["-1", "0", "1"]),
    ],
)
def test_axes_show_no_value_that_can_not_be_and_whole_steps_only(values, percent, labels):
    points = list(enumerate(values, start=1))
    svg = str(line_chart([Series("s", 0, points)], percent=percent, x_label="step"))
    y_labels = re.findall(r'text-anchor="end">([^<]+)<', svg)
    assert [label for label in y_labels if label != "step"] == labels
    assert re.findall(r'text-anchor="middle">([^<]+)<', svg) == ["1", "2"]


def test_what_hardly_varies_is_drawn_flat_beside_numbers_that_differ():
    points = [(step, 1.0 - step * 1e-8) for step in range(5)]
    svg = str(line_chart([Series("r", 0, points)], percent=False, x_label="step"))
    labels = re.findall(r'text-anchor="end">([^<]+)<', svg)
    assert len(set(labels)) == len(labels) > 2 and "1" in labels
    heights = {float(y) for line in re.findall(r'points="([^"]+)"', svg) for y in re.findall(r",(\S+)", line)}
    assert max(heights) - min(heights) < 0.5


def test_a_running_average_of_a_constant_is_the_constant():
    assert smoothed([2.0] * 5, 3) == pytest.approx([2.0] * 5)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "not the result of an evaluation"),
        ("{}", "not the result of an evaluation"),
        ('{"schema": 99}', "schema 99"),
    ],
)
def test_a_file_that_is_no_evaluation_is_named(tmp_path, content, message):
    path = tmp_path / "evaluation.json"
    path.write_text(content)
    with pytest.raises(ValueError, match=message):
        write_report(path, max_episodes=1)


def test_the_summary_for_a_terminal_says_what_the_headline_says(evaluation):
    command = [sys.executable, "-m", "recipe.code_agentic.report", "--summary", str(evaluation)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    lines = done.stdout.splitlines()
    assert lines[0] == "test, sampled, T = 1, 1 episode per problem, 6 problems"
    first = next(line for line in lines if "first attempt" in line)
    assert re.search(r"0\.0 % \[0\.0, 39\.0\]\s+50\.0 % \[18\.8, 81\.2\]\s+\+50\.0", first)
    assert not (evaluation.parent / "report.html").exists()


def test_the_command_names_a_missing_file_in_one_line(tmp_path):
    command = [sys.executable, "-m", "recipe.code_agentic.report", str(tmp_path / "none.json")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert done.stderr.splitlines() == [f"error: {tmp_path}/none.json: No such file or directory"]


def test_importing_the_report_imports_neither_torch_nor_verl():
    code = (
        "import sys, recipe.code_agentic.report; print({'torch', 'verl', 'vllm', 'ray'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.strip() == "set()"


def test_the_page_works_in_a_browser(tmp_path):
    browser = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if browser is None:
        pytest.skip("no Chromium on this machine")
    base = [episode(n, run="base", first=None, attempts=1) for n in range(4)]
    evil = EVIL.replace("\ud800", "")  # --dump-dom itself can't print half a surrogate pair
    rl = [episode(n, text=evil, code=f"x = '''{evil}'''") for n in range(4)]
    path = write_report(write_evaluation(tmp_path, {"base": base, "rl": rl}), max_episodes=10)
    # Chooses a filter as a reader would, after the page's own script has run.
    script = """const pick = document.querySelector("[data-filter=model]");
        pick.value = "rl"; pick.dispatchEvent(new Event("input"));"""
    path.write_text(path.read_text().replace("</body>", f"<script>{script}</script></body>"))
    command = [browser, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-quic"]
    command += ["--disable-background-networking", "--disable-component-update", "--disable-sync"]
    command += [f"--user-data-dir={tmp_path / 'profile'}", "--dump-dom", path.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    dom = done.stdout
    assert "<title>Evaluation</title>" in dom, done.stderr[-500:]
    assert 'id="count">4 of 8<' in dom
    assert dom.count('class="item"') == 4
    assert dom.count("attempt 2") >= 1
    assert 'class="row changed"' in dom
    assert "&lt;/script&gt;&lt;script&gt;" in dom
