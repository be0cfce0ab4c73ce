"""What ``manifest.json`` says: inputs, counts, rejects, verification, bugs, config, versions. No clock in it,
so that the same input, config and seed give the same file."""

from __future__ import annotations

import platform
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from msgspec.structs import asdict

from data_preprocess.parquet_files import SCHEMAS, OutputFolder
from data_preprocess.rejects import Rejects
from data_preprocess.settings import Settings
from verl_ext.run_files import file_sha256, git_output, package_version

_PACKAGES = ("pyarrow", "hydra-core", "aiohttp", "cosmic-ray", "hypothesis", "libcst")


def make_manifest(
    settings: Settings,
    config: object,
    source_hashes: Iterable[tuple[Path, str]],
    output: OutputFolder,
    splits: Mapping[str, int],
    rejects: Rejects,
    columns_not_read: Mapping[str, int],
    missing_toolchains: Mapping[str, Mapping[str, Any]],
    verification: Mapping[str, Any] | None,
    cases: Mapping[str, Any],
    programs_without_problem: Mapping[str, int],
    sft: Mapping[str, Any] | None,
) -> dict[str, Any]:
    """Puts the manifest together; the output's rows must be finished.

    Args:
        settings: Of the run.
        config: The resolved config.
        source_hashes: Files that were read, with their SHA-256.
        output: The written files.
        splits: Split -> problems.
        rejects: Rows left out; the first of them are listed.
        columns_not_read: Column that is kept and that nobody reads -> records that have it.
        missing_toolchains: Language that the embedded sandbox could not run here -> its problems and why.
        verification: Result of running the references; None when not asked for.
        cases: What overlaps, what was generated, how many mutants are caught.
        programs_without_problem: ``query_id`` that only ``failed_programs`` know -> their programs.
        sft: Statistics of bugs and conversations; None when none were asked for.
    """
    return {
        "schema": 1,
        "inputs": [{"path": str(path), "sha256": sha256} for path, sha256 in source_hashes],
        "problem_set": "code_agentic" if not settings.inputs else None,
        "files": {
            f"{name}.parquet": {"rows": output.counts[name], "sha256": file_sha256(output.path(name))}
            for name in SCHEMAS
        },
        "problems_by_split": dict(splits),
        "num_rejects": rejects.count,
        "rejects": [asdict(reject) for reject in rejects.first],
        "columns_not_read": dict(columns_not_read),
        "missing_toolchains": dict(missing_toolchains),
        "failed_programs_without_problem": dict(programs_without_problem),
        "verification": verification,
        "cases": cases,
        "sft": sft,
        "seed": settings.seed,
        "config": config,
        "python": platform.python_version(),
        "packages": {name: package_version(name) for name in _PACKAGES},
        "git_commit": git_output("rev-parse", "HEAD"),
    }
