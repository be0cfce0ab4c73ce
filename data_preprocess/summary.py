"""What a finished run says on the terminal: rows, failing references, rejects, notes on what to look at."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from data_preprocess.parquet_files import MANIFEST, REJECTS
from data_preprocess.rejects import KEPT
from data_preprocess.rows import Reject
from data_preprocess.settings import Settings
from data_preprocess.splits import TRAIN, VAL
from data_preprocess.toolchains import toolchain_lines
from recipe.code_agentic.prompts import TOOL_NAME
from verl_ext.tools.registry import load_schemas

_SHOWN = 5
_NUM_CONVERSATIONS = {TRAIN: "sft.num_conversations", VAL: "sft.num_val_conversations"}


def say(settings: Settings, manifest: Mapping[str, Any], seconds: float) -> None:
    """Prints what a finished run did.

    Args:
        settings: Of the run.
        manifest: As ``make_manifest`` gives it.
        seconds: That it took.
    """
    files = ", ".join(
        f"{name.removesuffix('.parquet')} {entry['rows']}" for name, entry in manifest["files"].items()
    )
    print(f"wrote {settings.output_dir}: {files} rows in {seconds:.0f} s")
    verification = manifest["verification"]
    if verification and verification["references"]:
        print(
            f"references that pass all their cases: {verification['passed']} of {verification['references']} "
            f"({verification['share']:.1%})"
        )
    if verification and verification["failures"]:
        what = "left out" if settings.drop_unverified else "no conversations about"
        print(f"  {what}: {named(verification['failures'])}")
    if manifest["num_rejects"]:
        where = MANIFEST if manifest["num_rejects"] <= KEPT else REJECTS
        print(f"rejected rows: {manifest['num_rejects']} (all of them in {settings.output_dir / where})")
        for reject in manifest["rejects"][:_SHOWN]:
            print(f"  {Reject(**reject)}")
    if alone := manifest["failed_programs_without_problem"]:
        shown = ", ".join(list(alone)[:_SHOWN])
        print(
            f"note: {sum(alone.values())} failed programs belong to no problem ({shown}"
            f"{f' and {len(alone) - _SHOWN} more' if len(alone) > _SHOWN else ''}; all of them in {MANIFEST})"
        )
    if manifest["columns_not_read"]:
        print(f"note: columns that are kept and not read: {', '.join(manifest['columns_not_read'])}")
    for line in toolchain_lines(manifest["missing_toolchains"]):
        print(f"note: {line}")
    for split, num_distinct in (manifest["sft"] or {}).get("distinct_conversations", {}).items():
        rows = manifest["files"][f"sft_{split}.parquet"]["rows"]
        if 2 * num_distinct < rows:
            print(
                f"note: sft_{split}.parquet has {rows} rows, of which {num_distinct} are distinct: lower "
                f"{_NUM_CONVERSATIONS[split]}, or give more problems with a reference"
            )
    for name, entry in manifest["files"].items():
        if not entry["rows"]:
            print(f"note: {name} has no rows: {_why_empty(settings, manifest, name)}")


def tool_warnings(tools_file: Path, num_naming_ours: int) -> Iterator[str]:
    """Prompts that name a tool which the file does not have.

    Args:
        tools_file: Of the run.
        num_naming_ours: Problems whose prompt names the recipe's own tool.
    """
    tools = [schema["function"]["name"] for schema in load_schemas(tools_file)]
    if num_naming_ours and tools and TOOL_NAME not in tools:
        yield (
            f"the prompts of {num_naming_ours} problems name {TOOL_NAME}, and {tools_file} has "
            f"{', '.join(tools)}: give records a prompt of their own, or call the tool so"
        )


def named(failures: Sequence[Mapping[str, Any]]) -> str:
    """The first failing references and how they fail."""
    shown = ", ".join(f"{failure['query_id']} ({failure['verdict']})" for failure in failures[:_SHOWN])
    more = len(failures) - _SHOWN
    return f"{shown} and {more} more, all of them in {MANIFEST}" if more > 0 else shown


def _why_empty(settings: Settings, manifest: Mapping[str, Any], file_name: str) -> str:
    kind, split = file_name.removesuffix(".parquet").split("_")
    problems = manifest["problems_by_split"]
    if kind == "rl" or not problems.get(split):
        return f"of {sum(problems.values())} problems none is in its split (splits.*)"
    asked = {TRAIN: settings.num_conversations, VAL: settings.num_val_conversations}[split]
    return (
        "no problem of the split has a reference that passes" if asked else f"{_NUM_CONVERSATIONS[split]}=0"
    )
