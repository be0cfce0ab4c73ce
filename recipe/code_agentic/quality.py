"""Code quality of a Python program as a number from 0 to 1, from its text alone.

Half is complexity, half is lint. Each is made so that padding does not raise it: the most complex piece
counts and not the mean, findings are counted and not divided by the length, and comments that switch a rule
off are not obeyed. Needs radon and ruff (extra ``quality``); both versions are pinned, because another
version may find something else. Runs no program.
"""

from __future__ import annotations

import ast
import importlib.util
import json
import subprocess
import warnings
from functools import lru_cache

PACKAGES = ("radon", "ruff")
"""What has to be installed."""

# Cyclomatic complexity (radon's ranks): A ends at 5, C ends at 20.
_SIMPLE, _COMPLEX = 5, 20
_COST_PER_FINDING = 0.1
# Dead or doubtful code, needless statements and detours. No layout, no naming, no docstrings.
_RULES = "E7,E9,F,B,C4,PIE,RET,SIM"
# Names that a problem's prelude or starter code may define; a name nobody defines fails its cases anyway.
_NOT_COUNTED = "F821,F822"
_HIDES_CODE = frozenset({"exec", "eval"})
_RUFF_TIMEOUT_S = 60.0


def missing_packages() -> list[str]:
    """Those of ``PACKAGES`` that are not installed."""
    return [name for name in PACKAGES if importlib.util.find_spec(name) is None]


@lru_cache(maxsize=4096)  # the programs of a group are often the same
def program_quality(program: str) -> float | None:
    """Quality of a Python program, 0 to 1.

        quality    = (complexity + lint) / 2
        complexity = 1 where the most complex function, class or module body has a cyclomatic complexity of
                     at most 5, falling in a line to 0 at 20
        lint       = 1 - 0.1 for each of ruff's findings, not below 0

    A program that uses ``exec`` or ``eval`` hides code from both and has quality 0.

    Args:
        program: Source text.

    Returns:
        The number, or None for a text that can't be read as Python, or that ruff gives up on.

    Raises:
        ImportError: When radon or ruff is not installed.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about the program's string escapes
            tree = ast.parse(program)
            if any(isinstance(node, ast.Name) and node.id in _HIDES_CODE for node in ast.walk(tree)):
                return 0.0
            complexity = _complexity_score(tree)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    num_findings = _count_findings(program)
    if num_findings is None:
        return None
    return (complexity + max(0.0, 1.0 - _COST_PER_FINDING * num_findings)) / 2


def _complexity_score(tree: ast.AST) -> float:
    """Of the most complex function, class body or module body, wherever it is nested."""
    from radon.visitors import ComplexityVisitor

    pieces = [ComplexityVisitor.from_ast(tree).complexity]
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            (function,) = ComplexityVisitor.from_ast(node).functions
            pieces.append(function.complexity)
        elif isinstance(node, ast.ClassDef):
            (body,) = ComplexityVisitor.from_ast(node).classes
            pieces.append(body.real_complexity - sum(method.complexity for method in body.methods))
    worst = max(pieces)
    return min(1.0, max(0.0, (_COMPLEX - worst) / (_COMPLEX - _SIMPLE)))


def _count_findings(program: str) -> int | None:
    """Findings of ruff with its built-in settings; None when it could not read the program."""
    import ruff

    command = [
        ruff.find_ruff_bin(),
        *("check", "--isolated", "--no-cache", "--ignore-noqa", "--exit-zero", "--quiet"),
        *("--select", _RULES, "--ignore", _NOT_COUNTED, "--target-version", "py311"),
        *("--output-format", "json", "--stdin-filename", "program.py", "-"),
    ]
    done = subprocess.run(
        command, input=program.encode("utf-8", "replace"), capture_output=True, timeout=_RUFF_TIMEOUT_S
    )
    if done.returncode != 0:
        return None
    findings = json.loads(done.stdout)
    return None if any(finding["code"] == "invalid-syntax" for finding in findings) else len(findings)
