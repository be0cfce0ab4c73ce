"""What the server knows of each language: file names, command lines, and what has to be installed for it.

SandboxFusion's language names. A toolchain is looked for where programs see it (``PATH`` of the jail) at the
server's start; one that is missing is answered for, and never becomes something a program did.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

_RUN_PYTEST = "import sys, pytest\nsys.exit(pytest.main(['--color=no', 'test_main.py']))\n"
_FIND_MODULE = "import importlib.util, sys\nsys.exit(importlib.util.find_spec(sys.argv[1]) is None)"
# One collector thread and no perf data: a short program starts faster. The stack is as for other languages.
_JVM = ("-Xmx{memory_mb}m", "-Xss64m", "-XX:+UseSerialGC", "-XX:-UsePerfData")
_JAVAC = ("javac", "-J-Xmx1024m", "-J-XX:+UseSerialGC", "-J-XX:-UsePerfData", "-encoding", "UTF-8")
_PHP_ERRORS = ("-d", "display_errors=stderr", "-d", "log_errors=0")
# JUnit and what it stands on, by name: a class path of all that is there may be more files than a program may
# open. What does not exist is passed over.
_JARS = ":".join(
    f"/usr/share/java/{name}.jar"
    for name in (
        *("junit-platform-console-standalone", "junit-platform-console", "junit-platform-reporting"),
        *("junit-platform-launcher", "junit-platform-engine", "junit-platform-commons"),
        *("junit-jupiter-engine", "junit-jupiter-params", "junit-jupiter-api"),
        *("opentest4j", "apiguardian-api", "picocli", "univocity-parsers"),
    )
)
# tsx's command starts a second node and opens a socket, which tier B refuses; its loader does neither. A
# constant text: nothing of a request gets into it.
_TSX = (
    'tsx=$(readlink -f "$(command -v tsx)"); loader="${tsx%/*}/loader.mjs"; '
    '[ -f "$loader" ] || exec tsx main.ts; '
    'exec node --max-old-space-size={memory_mb} --import "file://$loader" main.ts'
)
# Settings that toolchains keep outside of /usr.
_SETTINGS = ("/etc/java*", "/etc/R", "/etc/php", "/etc/mono", "/etc/perl", "/etc/scala", "/etc/kotlin")


@dataclass(frozen=True, slots=True)
class Language:
    """How programs of one language are compiled and run.

    Attributes:
        source: Name the program's source gets in the working directory; ``{main}``: see ``main_name``.
        compile: Command line; None when there is nothing to compile.
        program: What compilation leaves and the run stage needs: a file, or a folder (``/`` at the end).
        run: Command line, where ``{memory_mb}`` stands for the limit; None for Python, which is forked
            instead of started.
        driver: Python text of ours that is forked in place of the source; empty to run the source.
        needs: What else has to be there: executables, files (a ``/`` in it, may be a pattern), or importable
            modules (``import NAME``).
        runtime_mb: MiB that a runtime which keeps to a limit of its own (given in ``run``) needs for itself;
            such runtimes reserve far more address space than they use. 0 for all others.
        main_name: Finds the name that ``{main}`` stands for in a source; ``Main`` where it finds none.
        opening: Put before a source that does not contain it.
    """

    source: str
    compile: tuple[str, ...] | None = None
    program: str = ""
    run: tuple[str, ...] | None = None
    driver: str = ""
    needs: tuple[str, ...] = ()
    runtime_mb: int = 0
    main_name: str = ""
    opening: str = ""

    @property
    def tools(self) -> tuple[str, ...]:
        """The executables that have to be present."""
        commands = [command[0] for command in (self.compile, self.run) if command is not None]
        return tuple(name for name in (*commands, *self.needs) if "/" not in name and " " not in name)

    def run_command(self, memory_mb: int) -> tuple[str, ...] | None:
        """The run stage's command line for a memory limit."""
        if self.run is None:
            return None
        return tuple(word.replace("{memory_mb}", str(memory_mb)) for word in self.run)

    def for_source(self, code: str) -> Language:
        """This language with the names that this program asks for."""
        if not self.main_name:
            return self
        found = re.search(self.main_name, code)
        name = found[1] if found else "Main"
        return replace(
            self,
            source=self.source.replace("{main}", name),
            compile=self.compile and tuple(word.replace("{main}", name) for word in self.compile),
            run=self.run and tuple(word.replace("{main}", name) for word in self.run),
        )

    def source_text(self, code: str) -> str:
        """The source as it is written to its file."""
        return code if not self.opening or self.opening.strip() in code else self.opening + code

    def missing_part(self, path: str, python: str) -> str:
        """What is not installed of all that it needs; empty when everything is there.

        Args:
            path: PATH of the programs.
            python: Interpreter of Python programs.
        """
        for name in dict.fromkeys((*self.tools, *self.needs)):
            if name.startswith("import "):
                found = (
                    subprocess.run([python, "-c", _FIND_MODULE, name.split()[1]], check=False).returncode == 0
                )
            elif "/" in name:
                found = bool(_matching(name))
            else:
                found = shutil.which(name, path=path) is not None
            if not found:
                return name.removeprefix("import ")
        return ""


LANGUAGES: dict[str, Language] = {
    "python": Language("main.py"),
    "pytest": Language("test_main.py", driver=_RUN_PYTEST, needs=("import pytest",)),
    "bash": Language("main.sh", run=("bash", "main.sh")),
    "cpp": Language(
        "main.cpp",
        compile=("g++", "-std=c++17", "-O2", "-o", "program", "main.cpp", "-lpthread"),
        program="program",
        run=("./program",),
    ),
    "rust": Language(
        "main.rs",
        compile=("rustc", "--edition=2021", "-O", "-o", "program", "main.rs"),
        program="program",
        run=("./program",),
        needs=("cc",),
    ),
    "go": Language(
        "main.go",
        compile=("go", "build", "-o", "program", "main.go"),
        program="program",
        run=("./program",),
        runtime_mb=256,
    ),
    "go_test": Language("main_test.go", run=("go", "test", "main_test.go"), runtime_mb=1024),
    "java": Language(
        "Main.java",
        compile=(*_JAVAC, "-cp", ".:*", "-d", "classes", "Main.java"),
        program="classes/",
        run=("java", *_JVM, "-ea", "-cp", "classes:.:*", "Main"),
        runtime_mb=1024,
    ),
    "junit": Language(
        "{main}.java",
        compile=(*_JAVAC, "-cp", f".:*:{_JARS}", "-d", "classes", "{main}.java"),
        program="classes/",
        run=(
            *(
                "java",
                *_JVM,
                "-ea",
                "-cp",
                f"classes:.:*:{_JARS}",
                "org.junit.platform.console.ConsoleLauncher",
            ),
            *("--disable-banner", "--disable-ansi-colors", "--scan-class-path=classes"),
        ),
        needs=("/usr/share/java/junit-platform-console-standalone.jar",),
        runtime_mb=1024,
        main_name=r"\bpublic\s+(?:(?:abstract|final)\s+)?class\s+(\w+)",
    ),
    "scala": Language(
        "main.scala",
        compile=("scalac", "-d", "program.jar", "main.scala"),
        program="program.jar",
        run=("scala", "-J-Xmx{memory_mb}m", "-cp", "program.jar", "{main}"),
        needs=("java",),
        runtime_mb=1024,
        main_name=r"\bobject\s+(\w+)",
    ),
    "kotlin_script": Language(
        "main.kts",
        run=("kotlinc", "-J-Xmx{memory_mb}m", "-script", "main.kts"),
        needs=("java",),
        runtime_mb=1024,
    ),
    "csharp": Language(
        "main.cs",
        compile=("mcs", "-optimize+", "-out:program.exe", "main.cs"),
        program="program.exe",
        # Without a limit of its heap the runtime's own allocations fail first: it says so on standard output
        # and ends with 0.
        run=("env", "MONO_GC_PARAMS=max-heap-size={memory_mb}m", "mono", "program.exe"),
        needs=("mono",),
        runtime_mb=256,
    ),
    "nodejs": Language(
        "main.js", run=("node", "--max-old-space-size={memory_mb}", "main.js"), runtime_mb=256
    ),
    "typescript": Language("main.ts", run=("sh", "-c", _TSX), needs=("node", "tsx"), runtime_mb=512),
    "jest": Language(
        "main.test.js",
        run=("jest", "--ci", "--config={}", "--rootDir=.", "main.test.js"),
        needs=("node",),
        runtime_mb=512,
    ),
    "php": Language(
        "main.php",
        run=("php", "-d", "memory_limit={memory_mb}M", *_PHP_ERRORS, "main.php"),
        opening="<?php\n",
    ),
    "perl": Language("main.pl", run=("perl", "main.pl")),
    "ruby": Language("main.rb", run=("ruby", "main.rb")),
    "lua": Language("main.lua", run=("lua", "main.lua")),
    "R": Language("main.R", run=("Rscript", "main.R")),
    "julia": Language("main.jl", run=("julia", "main.jl"), runtime_mb=512),
    "lean": Language("Main.lean", run=("lean", "Main.lean"), runtime_mb=1024),
}


def missing_toolchains(path: str, python: str) -> Mapping[str, str]:
    """Language -> the part of its toolchain that is not installed, for those where one is missing."""
    missing = {name: language.missing_part(path, python) for name, language in LANGUAGES.items()}
    return {name: part for name, part in missing.items() if part}


def settings_paths() -> tuple[str, ...]:
    """Folders of settings that installed toolchains need to see; they hold no secret."""
    return tuple(path for pattern in _SETTINGS for path in _matching(pattern))


def _matching(pattern: str) -> list[str]:
    """The paths that an absolute pattern stands for."""
    return sorted(str(path) for path in Path("/").glob(pattern.lstrip("/")))
