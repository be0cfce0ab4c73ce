"""Whether a model that a user names is a folder on this machine, whether one is there, and how much it reads.

Asked before anything is loaded: what transformers says of a folder that is not there is about hub names.
"""

from __future__ import annotations

import json
from pathlib import Path


def local_model(path: str, key: str) -> Path | None:
    """The folder of a model on this machine; None for a hub name.

    A hub name is ``ORGANISATION/NAME`` where no folder ORGANISATION is; anything else is taken for a path.

    Args:
        path: What the user gave.
        key: Where: a config key or an option.

    Raises:
        ValueError: When the folder has no config.json.
    """
    folder = Path(path).expanduser()
    looks_local = path.startswith(("/", ".", "~", "outputs/")) or path.count("/") != 1
    if not looks_local and not folder.parent.is_dir():
        return None
    if not (folder / "config.json").is_file():
        raise ValueError(f"{key}={path}: no model there (config.json is missing)")
    return folder


def check_positions(folder: Path | None, longest: int, keys: str) -> None:
    """What is to be read at once must fit the positions that the model knows.

    Args:
        folder: Of the model; of one on a hub nothing is known yet.
        longest: Tokens.
        keys: Where that comes from.

    Raises:
        ValueError: When it does not. A model that scales its positions is left to whoever loads it.
    """
    if folder is None:
        return
    path = folder / "config.json"
    try:
        model = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path}: not JSON: {error}") from error
    if not isinstance(model, dict):
        raise ValueError(f"{path}: must be an object, not {type(model).__name__}")
    positions, rope = model.get("max_position_embeddings"), model.get("rope_parameters") or {}
    # Of the model, or of each kind of its layers.
    kinds = {one.get("rope_type", "default") for one in (rope, *rope.values()) if isinstance(one, dict)}
    if positions is None or model.get("rope_scaling") or kinds - {"default"}:
        return
    if longest > positions:
        raise ValueError(
            f"{keys}={longest} tokens are more than the {positions} positions of the model in {folder} "
            "(max_position_embeddings in its config.json)"
        )
