"""What every entry point shares: composing its config, and one line instead of a traceback for user errors.

Hydra's compose API is used instead of ``@hydra.main``, which changes the working directory and prints
tracebacks for mistyped overrides. Does not know any entry point or config key.
"""

from __future__ import annotations

import importlib.util
import math
import os
import re
import sys
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn

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


def compose(config_name: str, overrides: Sequence[str]) -> DictConfig:
    """Composes ``configs/<config_name>.yaml`` with command-line overrides; unknown keys are refused.

    Raises:
        HydraException: When an override or a group choice is not understood.
        ValueError: When required values (``???``) are left unset, naming them.
    """
    # Configs compute sizes from each other and name files beside them.
    OmegaConf.register_new_resolver("add", lambda *numbers: sum(numbers), replace=True)
    OmegaConf.register_new_resolver("mul", lambda *numbers: math.prod(numbers), replace=True)
    OmegaConf.register_new_resolver("div", lambda number, by: number // by, replace=True)
    OmegaConf.register_new_resolver("config_dir", lambda path: str(config_dir() / path), replace=True)
    with initialize_config_dir(config_dir=str(config_dir()), version_base=None, job_name=config_name):
        config = hydra_compose(config_name, overrides=list(overrides))
    missing = sorted(OmegaConf.missing_keys(config))
    if missing:
        raise ValueError(f"required config keys are not set: {', '.join(missing)} (give KEY=VALUE)")
    return config


def exit_without(package: str, extra: str) -> None:
    """Exits with one line when a package is missing that the entry point is about to import.

    Args:
        package: Name to import.
        extra: The extra of this project that brings it.
    """
    if importlib.util.find_spec(package) is None:
        print(f"error: {package} is not installed: pip install 'code-agentic[{extra}]'", file=sys.stderr)
        sys.exit(EXIT_USER_ERROR)


def run_main(main: Callable[[], None]) -> NoReturn:
    """Runs an entry point and exits.

    0 when done, 2 with one line on stderr for what the user can mend, 1 with the message of ``RunFailed``.

    ``HYDRA_FULL_ERROR=1`` prints the traceback as well. Any other exception is a bug of ours and keeps its
    traceback.
    """
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
        if unknown := _UNKNOWN_KEY.match(text):
            return f"unknown config key {unknown.group(1)!r}"
    if isinstance(error, OmegaConfBaseException) and (unset := _UNSET_VARIABLE.search(text)):
        name = unset.group(1)
        return f"{error.full_key} takes the environment variable {name}, which is not set: set it or the key"
    lines = [line.strip() for line in text.splitlines()]
    kept = [line for line in lines if line and not line.startswith("object_type=")]
    line = " ".join(kept) or type(error).__name__
    return f"sandbox: {line}" if isinstance(error, SandboxError) else line
