"""Tools from YAML."""

from pathlib import Path

import pytest

from verl_ext.grading.grader import Grader
from verl_ext.sandbox.protocol import RunRequest, RunResult
from verl_ext.tools.registry import load_schemas, load_tools

CONFIGS = Path(__file__).parents[3] / "configs" / "tools"
GOOD = """
tools:
  - class_name: recipe.code_agentic.tool.EnhancedCodeAgenticTool
    config: {default_timeout: 30, max_debug_attempts: 5, enable_debug_prints: true}
    tool_schema: {type: function, function: {name: run_it, parameters: {type: object, properties: {}}}}
"""


class NoSandbox:
    async def run(self, request: RunRequest) -> RunResult:
        raise AssertionError("nothing is run here")

    async def ping(self) -> None: ...

    async def aclose(self) -> None: ...


@pytest.fixture
def grader() -> Grader:
    return Grader(NoSandbox())


@pytest.mark.parametrize("name", ["brief", "enhanced"])
def test_every_shipped_file_with_a_tool_loads(name: str, grader: Grader) -> None:
    path = CONFIGS / f"{name}.yaml"
    [tool] = load_tools(path, grader=grader)
    assert tool.name == "enhanced_code_agentic_tool"
    assert load_schemas(path) in ([tool.schema], [])
    assert tool.schema["function"]["parameters"]["required"] == ["code"]


def test_a_file_may_say_that_there_is_no_tool(grader: Grader) -> None:
    assert load_tools(CONFIGS / "none.yaml", grader=grader) == []
    assert load_schemas(CONFIGS / "none.yaml") == []
    assert {path.stem for path in CONFIGS.glob("*.yaml")} == {"brief", "enhanced", "none"}


def test_a_tool_is_named_by_its_schema(tmp_path: Path, grader: Grader) -> None:
    path = tmp_path / "tools.yaml"
    path.write_text(GOOD)
    assert [tool.name for tool in load_tools(path, grader=grader)] == ["run_it"]


BAD_FILES = [
    ("", "tools"),
    ("tools: {}", "tools"),
    ("tools: {a: 1}", "tools"),
    ("tools: [1", "can't be read"),
    ("tools: [7]", r"tools\[0\]"),
    (GOOD.replace("class_name:", "class:"), "unknown key class"),
    (GOOD.replace("tool.Enhanced", "tool.Missing"), "MissingCodeAgenticTool"),
    (GOOD.replace("recipe.code_agentic", "recipe.nowhere"), "nowhere"),
    (GOOD.replace("recipe.code_agentic.tool.EnhancedCodeAgenticTool", "pathlib.Path"), "pathlib.Path"),
    (GOOD.replace("recipe.code_agentic.tool.EnhancedCodeAgenticTool", "Tool"), "package.module.Class"),
    (GOOD.replace("max_debug_attempts", "max_attempts"), "unknown key max_attempts.*max_debug_attempts"),
    (GOOD.replace("attempts: 5", "attempts: 0"), "max_debug_attempts"),
    (GOOD.replace("attempts: 5", "attempts: many"), "max_debug_attempts"),
    (GOOD.replace("tool_schema: {type: function", "tool_schema: {type: tool"), "tool_schema"),
    (GOOD.replace("name: run_it", "title: run_it"), "tool_schema"),
    (GOOD.replace("parameters", "arguments"), "parameters"),
    (GOOD.split("    tool_schema")[0], "tool_schema"),
    (
        GOOD.replace("{default_timeout: 30, max_debug_attempts: 5, enable_debug_prints: true}", "[1]"),
        "config",
    ),
    (GOOD + GOOD.partition("tools:")[2], "same function name: run_it"),
]


@pytest.mark.parametrize(("text", "message"), BAD_FILES)
def test_a_bad_file_is_refused_in_one_line_that_names_the_place(
    tmp_path: Path, grader: Grader, text: str, message: str
) -> None:
    path = tmp_path / "tools.yaml"
    path.write_text(text)
    with pytest.raises(ValueError, match=message) as caught:
        load_tools(path, grader=grader)
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)


def test_a_missing_file_is_refused(grader: Grader, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="can't be read"):
        load_tools(tmp_path / "none.yaml", grader=grader)


def test_a_file_may_keep_its_schemas_out_of_the_prompt(tmp_path):
    path = tmp_path / "tools.yaml"
    path.write_text("schemas_in_prompt: false\n" + GOOD)
    assert load_schemas(path) == []


def test_an_unknown_key_of_the_file_is_named(tmp_path):
    path = tmp_path / "tools.yaml"
    path.write_text("schema_in_prompt: false\n" + GOOD)
    with pytest.raises(ValueError, match="schema_in_prompt"):
        load_schemas(path)
