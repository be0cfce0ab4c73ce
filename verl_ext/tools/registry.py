"""Tools from a ``tools:`` YAML file (verl's tool-config format) to objects.

Owns the file's format. A tool's class brings ``config_type`` (a frozen dataclass that checks its own values)
and is constructed as ``Class(config=..., schema=..., grader=...)``.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import yaml

from verl_ext.grading.grader import Grader
from verl_ext.tools.tool import Tool

_ENTRY_KEYS = ("class_name", "config", "tool_schema")


@dataclass(frozen=True, slots=True)
class _Entry:
    class_name: str
    config: Mapping[str, Any]
    schema: Mapping[str, Any]
    place: str  # file and position, for messages


def load_tools(path: str | Path, *, grader: Grader) -> list[Tool]:
    """Builds the tools that a file lists.

    Args:
        path: YAML file with a list ``tools``, each entry with ``class_name``, ``config`` and ``tool_schema``.
        grader: Passed to every tool.

    Raises:
        ValueError: When the file can't be read, or an entry names an unknown class or config key, holds a
            bad value, or has no usable schema.
    """
    return [_build(entry, grader) for entry in _read_entries(path)]


def load_schemas(path: str | Path) -> list[Mapping[str, Any]]:
    """The schemas that the prompt shows, without building any tool.

    Empty where the file says ``schemas_in_prompt: false``: a model that learnt the call in SFT needs none,
    and for a tiny model they are most of its tokens. Training, rollout and evaluation all ask here.

    Raises:
        ValueError: When the file can't be read or an entry has no usable schema.
    """
    schemas = [entry.schema for entry in _read_entries(path)]
    return schemas if _read_document(path).get("schemas_in_prompt", True) else []


def _read_document(path: str | Path) -> dict[str, Any]:
    try:
        document = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        reason = " ".join(str(error).split())
        raise ValueError(f"tools file {path}: can't be read: {reason}") from error
    if not isinstance(document, dict) or not isinstance(document.get("tools"), list):
        raise ValueError(f"tools file {path}: needs a list 'tools' ([] for none)")
    unknown = sorted(map(str, document.keys() - {"tools", "schemas_in_prompt"}))
    if unknown:
        raise ValueError(
            f"tools file {path}: unknown key {', '.join(unknown)}; known: tools, schemas_in_prompt"
        )
    return document


def _read_entries(path: str | Path) -> list[_Entry]:
    values = _read_document(path)["tools"]
    entries = [_read_entry(value, f"{path}: tools[{index}]") for index, value in enumerate(values)]
    names = [entry.schema["function"]["name"] for entry in entries]
    if len(set(names)) < len(names):
        raise ValueError(f"tools file {path}: two tools with the same function name: {', '.join(names)}")
    return entries


def _read_entry(value: Any, place: str) -> _Entry:
    if not isinstance(value, dict):
        raise ValueError(f"{place}: must be a mapping with {', '.join(_ENTRY_KEYS)}")
    unknown = sorted(map(str, value.keys() - set(_ENTRY_KEYS)))
    if unknown:
        raise ValueError(f"{place}: unknown key {', '.join(unknown)}; known: {', '.join(_ENTRY_KEYS)}")
    class_name = value.get("class_name")
    if not isinstance(class_name, str) or "." not in class_name:
        raise ValueError(f"{place}.class_name: must be 'package.module.Class', got {class_name!r}")
    config = value.get("config") or {}
    if not isinstance(config, dict):
        raise ValueError(f"{place}.config: must be a mapping, got {config!r}")
    schema = value.get("tool_schema")
    function = schema.get("function") if isinstance(schema, dict) else None
    if (
        not isinstance(schema, dict)
        or schema.get("type") != "function"
        or not isinstance(function, dict)
        or not isinstance(function.get("name"), str)
    ):
        raise ValueError(f"{place}.tool_schema: needs 'type: function' and a 'function' with a 'name'")
    if not isinstance(function.get("parameters"), dict):
        raise ValueError(f"{place}.tool_schema.function.parameters: missing")
    return _Entry(class_name, config, schema, place)


def _build(entry: _Entry, grader: Grader) -> Tool:
    module_name, _, name = entry.class_name.rpartition(".")
    try:
        tool_class = getattr(importlib.import_module(module_name), name)
        config_type = tool_class.config_type
    except (ImportError, AttributeError) as error:
        raise ValueError(f"{entry.place}.class_name: no tool class {entry.class_name}: {error}") from error
    known = [field.name for field in fields(config_type)]
    unknown = sorted(map(str, entry.config.keys() - set(known)))
    if unknown:
        raise ValueError(f"{entry.place}.config: unknown key {', '.join(unknown)}; known: {', '.join(known)}")
    try:
        config = config_type(**entry.config)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{entry.place}.config: {error}") from error
    return tool_class(config=config, schema=entry.schema, grader=grader)
