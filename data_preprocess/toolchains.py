"""Languages whose programs the embedded sandbox of this machine could not run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from verl_ext.sandbox.languages import LANGUAGES
from verl_ext.sandbox.worker import WorkerConfig


def missing_toolchains(languages: Mapping[str, int]) -> dict[str, dict[str, Any]]:
    """Of each language that could not be run: its ``problems``, and what is ``missing`` of its toolchain.

    Args:
        languages: Language that the sandbox knows -> its problems.
    """
    sandbox = WorkerConfig(tier="")  # looks where the server looks that ``open_sandbox`` starts
    return {
        language: {"problems": num_problems, "missing": missing}
        for language, num_problems in sorted(languages.items())
        if (missing := LANGUAGES[language].missing_part(sandbox.search_path, sandbox.python))
    }


def toolchain_lines(toolchains: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """What is said about them on the terminal."""
    for language, found in toolchains.items():
        yield (
            f"problems in {language}: {found['problems']:,}, and the embedded sandbox of this machine lacks "
            f"{found['missing']}: their episodes would be void; install it, or name a sandbox that has it"
        )
