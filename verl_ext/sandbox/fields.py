"""Reading the fields of a request body: each is checked, and whatever is wrong is one line that names it.

Shared by every endpoint; knows none of them. A name with points is how the error calls a field of an inner
object: its last part is looked up.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Collection, Mapping
from pathlib import PurePosixPath
from typing import Any, TypeVar

MAX_TIMEOUT_S = 3600.0
MAX_MEMORY_MB = 1 << 20
MAX_FILES = 1000
MAX_NAME_BYTES = 255

Default = TypeVar("Default", float, None)


class BadRequest(ValueError):
    """A request can't be answered as it is; the text is one line that names the field."""


def parse_object(body: bytes) -> dict[str, Any]:
    """A request body as a JSON object.

    Raises:
        BadRequest: When it is none.
    """
    try:
        parsed = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise BadRequest(f"the body is not JSON: {error}") from error
    return as_object(parsed, "the body")


def as_object(value: object, name: str) -> dict[str, Any]:
    """The value, which has to be an object; ``name`` is how it is called in the error."""
    if not isinstance(value, dict):
        raise BadRequest(f"{name} is not a JSON object")
    return value


def object_field(body: Mapping[str, Any], name: str) -> dict[str, Any]:
    """An object; empty when it is missing or null."""
    value = _value(body, name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise BadRequest(f"{name}: must be an object")
    return value


def _value(body: Mapping[str, Any], name: str, default: object = None) -> Any:
    return body.get(name.rpartition(".")[2], default)


def text_field(body: Mapping[str, Any], name: str) -> str:
    """A required string."""
    value = _value(body, name)
    if not isinstance(value, str):
        raise BadRequest(f"{name}: required, a string")
    return value


def optional_text_field(body: Mapping[str, Any], name: str) -> str | None:
    """A string, or None when it is missing or null."""
    value = _value(body, name)
    if value is not None and not isinstance(value, str):
        raise BadRequest(f"{name}: must be a string or null")
    return value


def language_field(body: Mapping[str, Any], languages: Collection[str], name: str = "language") -> str:
    """A required string that is one of ``languages``."""
    language = text_field(body, name)
    if language not in languages:
        raise BadRequest(f"{name}: {language!r:.80} is not one of {', '.join(sorted(languages))}")
    return language


def seconds_field(body: Mapping[str, Any], name: str, default: Default) -> float | Default:
    """Seconds above 0 and at most ``MAX_TIMEOUT_S``; ``default`` when missing or null."""
    value = _value(body, name)
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise BadRequest(f"{name}: must be a number of seconds")
    if not 0 < value <= MAX_TIMEOUT_S:  # false for NaN too
        raise BadRequest(f"{name}: must be above 0 and at most {MAX_TIMEOUT_S:g} seconds")
    return float(value)


def memory_field(body: Mapping[str, Any], name: str = "memory_limit_MB") -> int | None:
    """MiB; None when missing or -1, which is SandboxFusion's word for no limit of the request's own."""
    value = _value(body, name, -1)
    if isinstance(value, bool) or not isinstance(value, int) or not -1 <= value <= MAX_MEMORY_MB:
        raise BadRequest(f"{name}: must be an integer, -1 (the default) or 1 to {MAX_MEMORY_MB}")
    if value == 0:
        raise BadRequest(f"{name}: must be at least 1, or -1 for the default")
    return None if value == -1 else value


def files_field(body: Mapping[str, Any], name: str = "files") -> dict[str, bytes]:
    """Path in the working directory -> content, from base64 text."""
    value = object_field(body, name)
    if len(value) > MAX_FILES:
        raise BadRequest(f"{name}: {len(value)} files, at most {MAX_FILES} are taken")
    files: dict[str, bytes] = {}
    for path, content in value.items():
        inner = inner_path(name, path)
        if content is None:
            continue  # SandboxFusion makes no file of null
        if not isinstance(content, str):
            raise BadRequest(f"{name}: content of {path!r:.80} must be base64 text or null")
        try:
            files[inner] = base64.b64decode("".join(content.split()), validate=True)
        except ValueError:
            raise BadRequest(f"{name}: content of {path!r:.80} is not base64") from None
    for path in files:
        for parent in PurePosixPath(path).parents:
            if str(parent) in files:
                raise BadRequest(f"{name}: {str(parent)!r:.80} is both a file and a folder")
    return files


def paths_field(body: Mapping[str, Any], name: str = "fetch_files") -> tuple[str, ...]:
    """Paths in the working directory."""
    value = _value(body, name)
    if value is None:
        return ()
    if not isinstance(value, list):
        raise BadRequest(f"{name}: must be a list of paths")
    if len(value) > MAX_FILES:
        raise BadRequest(f"{name}: {len(value)} paths, at most {MAX_FILES} are taken")
    return tuple(inner_path(name, path) for path in value)


def inner_path(field: str, path: object) -> str:
    """A path that stays in the working directory, normalised."""
    if not isinstance(path, str) or not path.strip() or "\0" in path or len(path) > 1000:
        raise BadRequest(f"{field}: {path!r:.80} is not a path")
    pure = PurePosixPath(path)
    if pure.is_absolute() or ".." in pure.parts or not pure.parts:
        raise BadRequest(f"{field}: {path!r:.80} leads out of the working directory")
    try:
        longest = max(len(part.encode()) for part in pure.parts)
    except UnicodeEncodeError:
        raise BadRequest(f"{field}: {path!r:.80} is not valid text") from None
    if longest > MAX_NAME_BYTES:
        raise BadRequest(f"{field}: {path!r:.80} has a name of more than {MAX_NAME_BYTES} bytes")
    return str(pure)
