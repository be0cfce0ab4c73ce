"""What the server knows of each language: file names and command lines.

SandboxFusion's language names. Whether a toolchain is present is found out by starting it, inside the jail; a
missing one is a failure of the service, in whatever stage.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Language:
    """How programs of one language are compiled and run.

    Attributes:
        source: Name the program's source gets in the working directory.
        compile: Command line; None when there is nothing to compile.
        program: File that compilation leaves and the run stage needs; empty without compilation.
        run: Command line, where ``{memory_mb}`` stands for the limit; None for Python, which is forked
            instead of started.
        managed_memory: Whether the runtime keeps to a limit of its own (given in ``run``), reserves far more
            address space than it uses, and needs some for itself.
    """

    source: str
    compile: tuple[str, ...] | None = None
    program: str = ""
    run: tuple[str, ...] | None = None
    managed_memory: bool = False

    @property
    def tool(self) -> str | None:
        """The executable that has to be present."""
        command = self.compile or self.run
        return None if command is None else command[0]

    def run_command(self, memory_mb: int) -> tuple[str, ...] | None:
        """The run stage's command line for a memory limit."""
        if self.run is None:
            return None
        return tuple(word.format(memory_mb=memory_mb) for word in self.run)


LANGUAGES: dict[str, Language] = {
    "python": Language(source="main.py"),
    "bash": Language(source="main.sh", run=("bash", "main.sh")),
    "cpp": Language(
        source="main.cpp",
        compile=("g++", "-std=c++17", "-O2", "-o", "program", "main.cpp", "-lpthread"),
        program="program",
        run=("./program",),
    ),
    "nodejs": Language(
        source="main.js", run=("node", "--max-old-space-size={memory_mb}", "main.js"), managed_memory=True
    ),
}


def missing_toolchains(path: str) -> list[str]:
    """Languages whose executable is not on ``path``."""
    return [
        name
        for name, language in LANGUAGES.items()
        if language.tool and not shutil.which(language.tool, path=path)
    ]
