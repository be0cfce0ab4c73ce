"""What every entry point shares: its config, its usage, and one line instead of a traceback for user errors.

Hydra's compose API is used instead of ``@hydra.main``, which changes the working directory and prints
tracebacks for mistyped overrides. Does not know any entry point or config key.
"""

from __future__ import annotations

import argparse
import difflib
import importlib.util
import math
import os
import re
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NoReturn

from hydra import compose as hydra_compose
from hydra import initialize_config_dir
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from verl_ext.sandbox.errors import SandboxError

EXIT_FAILED = 1
EXIT_USER_ERROR = 2
EXIT_INTERRUPTED = 130
# Hydra goes on to advise "+key=value", which would add a key that nothing reads.
_UNKNOWN_KEY = re.compile(r"Could not override '(.*?)'\.")
_UNSET_VARIABLE = re.compile(r"Environment variable '(\w+)' not found")


class HelpFormatter(argparse.RawDescriptionHelpFormatter):
    """The help of a command line: its description as it stands, and the default of every option that has one.

    argparse's own formatter for defaults also says "(default: None)", and shows lists as Python writes them.
    """

    def _get_help_string(self, action: argparse.Action) -> str | None:
        default = action.default
        if not action.help or default is None or default is False or default in ("", [], argparse.SUPPRESS):
            return action.help
        text = " ".join(map(str, default)) if isinstance(default, list | tuple) else str(default)
        return f"{action.help} (default: {text.replace('%', '%%')})"


class RunFailed(Exception):
    """A job failed after it had started well; its message says what and where to look."""


def config_dir() -> Path:
    """The folder of the Hydra configs: the checkout's, else the one an installed package brought along.

    Raises:
        FileNotFoundError: When neither exists.
    """
    candidates = (
        Path(__file__).resolve().parents[1] / "configs",
        Path(sys.prefix) / "share" / "code_agentic" / "configs",
    )
    for candidate in candidates:
        if candidate.is_dir():
            return candidate
    raise FileNotFoundError(f"no configs folder at {' or '.join(map(str, candidates))}")


def take_flag(arguments: Sequence[str], flag: str) -> tuple[bool, list[str]]:
    """Whether the flag is among the arguments, and the others."""
    return flag in arguments, [argument for argument in arguments if argument != flag]


def compose(config_name: str, overrides: Sequence[str]) -> DictConfig:
    """Composes ``configs/<config_name>.yaml`` with command-line overrides; unknown keys are refused.

    Raises:
        HydraException: When an override or a group choice is not understood.
        ValueError: When a key is unknown, an argument is an option or a bare word instead of an override, or
            required values (``???``) are left unset, naming them.
    """
    if options := [override for override in overrides if override.startswith("-")]:
        raise ValueError(f"unknown option {options[0]}; give key=value, and see --help")
    if strays := [override for override in overrides if "=" not in override and not override.startswith("~")]:
        raise ValueError(f"{strays[0]!r} is no setting; give key=value, and see --help")
    # Configs compute sizes from each other and name files beside them.
    OmegaConf.register_new_resolver("add", lambda *numbers: sum(numbers), replace=True)
    OmegaConf.register_new_resolver("mul", lambda *numbers: math.prod(numbers), replace=True)
    OmegaConf.register_new_resolver("div", lambda number, by: number // by, replace=True)
    OmegaConf.register_new_resolver(
        "above_zero", lambda value: isinstance(value, int | float) and value > 0, replace=True
    )
    OmegaConf.register_new_resolver("config_dir", lambda path: str(config_dir() / path), replace=True)
    with initialize_config_dir(config_dir=str(config_dir()), version_base=None, job_name=config_name):
        try:
            config = hydra_compose(config_name, overrides=list(overrides))
        except HydraException as error:
            if unknown := _UNKNOWN_KEY.match(str(error)):
                raise ValueError(_unknown_key(unknown[1], hydra_compose(config_name))) from error
            raise
    # Unresolved: what an interpolation makes of a bad value is for the checks of the entry point to say.
    values = _settings(OmegaConf.to_container(config, resolve=False))
    missing = sorted(key for key, value in values if value == "???")
    if missing:
        raise ValueError(f"required config keys are not set: {', '.join(missing)} (give KEY=VALUE)")
    return config


def _unknown_key(key: str, config: DictConfig) -> str:
    known = [name for name, _ in _settings(OmegaConf.to_container(config, resolve=False))]
    alike = difflib.get_close_matches(key, known, n=1)
    return f"unknown config key {key!r}" + (f"; did you mean {alike[0]!r}?" if alike else "")


def _settings(node: Any, above: str = "") -> Iterator[tuple[str, Any]]:
    """(dotted key, value) of everything in a config, groups included."""
    for name, value in node.items() if isinstance(node, dict) else ():
        yield f"{above}{name}", value
        yield from _settings(value, f"{above}{name}.")


def exit_without(package: str, extra: str) -> None:
    """Exits with one line when a package is missing that the entry point is about to import.

    Args:
        package: Name to import.
        extra: The extra of this project that brings it.
    """
    if importlib.util.find_spec(package) is None:
        print(f"error: {package} is not installed: pip install 'code-agentic[{extra}]'", file=sys.stderr)
        sys.exit(EXIT_USER_ERROR)


def warn(line: str) -> None:
    """Says on stderr what does not stop a run."""
    print(f"warning: {line}", file=sys.stderr, flush=True)


def run_main(main: Callable[[], None], usage: str | None = None) -> NoReturn:
    """Runs an entry point and exits.

    0 when done, 2 with one line on stderr for what the user can mend, 1 with the message of ``RunFailed``.

    ``HYDRA_FULL_ERROR=1`` prints the traceback as well. Any other exception is a bug of ours and keeps its
    traceback.

    Args:
        main: Reads ``sys.argv``.
        usage: Printed instead for ``-h`` and ``--help``; None leaves those to ``main``.
    """
    if usage is not None and {"-h", "--help"} & set(sys.argv[1:]):
        print(usage.strip())
        sys.exit(0)
    try:
        main()
    except (ValueError, OSError, SandboxError, HydraException, OmegaConfBaseException) as error:
        if os.environ.get("HYDRA_FULL_ERROR") == "1":
            traceback.print_exc()
        print(f"error: {error_line(error)}", file=sys.stderr)
        sys.exit(EXIT_USER_ERROR)
    except RunFailed as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(EXIT_FAILED)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        sys.exit(EXIT_INTERRUPTED)
    sys.exit(0)


def error_line(error: BaseException) -> str:
    """One line that says what is wrong."""
    if isinstance(error, OSError) and error.filename is not None and error.strerror:
        return f"{error.filename}: {error.strerror}"
    text = str(error)
    if isinstance(error, HydraException):
        text = text.partition("Config search path:")[0]
    if isinstance(error, OmegaConfBaseException) and (unset := _UNSET_VARIABLE.search(text)):
        name = unset.group(1)
        return f"{error.full_key} takes the environment variable {name}, which is not set: set it or the key"
    lines = [line.strip() for line in text.splitlines()]
    kept = [line for line in lines if line and not line.startswith("object_type=")]
    line = " ".join(kept) or type(error).__name__
    return f"sandbox: {line}" if isinstance(error, SandboxError) else line
