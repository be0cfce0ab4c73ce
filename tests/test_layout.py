"""The tree's shape: who may import whom, and what installs small."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
RECIPES = ("code_agentic", "deepcoder", "agent_coder")
# What a reward author uses: no torch, no verl, no Ray, no vLLM.
LIGHT = (
    "verl_ext.sandbox.client",
    "verl_ext.sandbox.backends",
    "verl_ext.sandbox.embedded",
    "verl_ext.sandbox.notebook",
    "verl_ext.sandbox.memory",
    "verl_ext.grading",
    "verl_ext.grading.grader",
    "verl_ext.grading.extract",
    "verl_ext.grading.conformance.__main__",
    "verl_ext.tools.registry",
    "verl_ext.agent_loop.loop",
    "verl_ext.agent_loop.trajectory",
    "verl_ext.agent_loop.reward_function",
    "recipe.code_agentic.problems.generate",
    "recipe.code_agentic.prompts",
    "recipe.code_agentic.tool",
    "recipe.code_agentic.reward",
    "recipe.code_agentic.regrade",
    "recipe.code_agentic.metrics",
    "recipe.code_agentic.report",
    "recipe.deepcoder.prompts",
    "recipe.deepcoder.reward",
    "recipe.deepcoder.transform",
)


def python_files(*folders: str) -> list[Path]:
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


def imported_modules(path: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
    return names


@pytest.mark.parametrize("path", python_files("verl_ext"), ids=lambda path: str(path.relative_to(ROOT)))
def test_verl_ext_imports_no_recipe(path):
    assert not {
        name for name in imported_modules(path) if name.split(".")[0] in ("recipe", "data_preprocess")
    }


@pytest.mark.parametrize("recipe", RECIPES)
def test_recipes_do_not_import_each_other(recipe):
    others = tuple(f"recipe.{other}" for other in RECIPES if other != recipe)
    for path in python_files(f"recipe/{recipe}"):
        assert not {name for name in imported_modules(path) if name.startswith(others)}, path


def test_recipe_is_a_namespace_package():
    assert not (ROOT / "recipe" / "__init__.py").exists()


@pytest.mark.parametrize("module", LIGHT)
def test_light_parts_import_without_torch_and_verl(module):
    heavy = ("torch", "verl", "ray", "vllm", "transformers", "trl", "pyarrow", "radon", "ruff")
    blocked = f"import sys\nfor name in {heavy}: sys.modules[name] = None\n"
    done = subprocess.run(
        [sys.executable, "-c", f"{blocked}import {module}"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("path", python_files("verl_ext", "recipe", "data_preprocess"), ids=str)
def test_modules_stay_readable_in_length(path):
    assert len(path.read_text().splitlines()) <= 500


@pytest.mark.parametrize("path", python_files("verl_ext", "recipe", "data_preprocess"), ids=str)
def test_sources_point_at_no_notes_outside_the_repository(path):
    assert "VERL_NOTES" not in path.read_text()


@pytest.mark.parametrize("path", python_files("verl_ext", "recipe"), ids=str)
def test_library_code_defines_nothing_pytest_would_collect(path):
    names = [node.name for node in ast.parse(path.read_text()).body if hasattr(node, "name")]
    assert not [name for name in names if name.startswith(("test_", "Test"))]
