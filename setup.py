"""Packages, extras and entry points. Exact pins of each profile are in requirements/."""

from pathlib import Path

from setuptools import find_namespace_packages, setup

ROOT = Path(__file__).parent


def requirements(profile: str) -> list[str]:
    """The lines of requirements/<profile>.txt that name a package."""
    lines = (ROOT / "requirements" / f"{profile}.txt").read_text().splitlines()
    return [line for line in lines if line and not line.startswith(("#", "-"))]


def configs() -> list[tuple[str, list[str]]]:
    """The files of configs/, installed where ``verl_ext.cli.config_dir`` looks when there is no checkout."""
    files = sorted(path.relative_to(ROOT) for path in (ROOT / "configs").rglob("*.yaml"))
    folders = sorted({path.parent for path in files})
    return [
        (f"share/code_agentic/{folder}", [str(path) for path in files if path.parent == folder])
        for folder in folders
    ]


setup(
    name="code-agentic",
    version="0.1.0",
    description="Train code models to debug: SFT, RL on verl with a sandboxed tool, and evaluation",
    python_requires=">=3.11,<3.13",
    packages=find_namespace_packages(
        include=["recipe", "recipe.*", "verl_ext", "verl_ext.*", "data_preprocess", "data_preprocess.*"]
    ),
    include_package_data=True,
    package_data={"": ["*.jsonl", "*.json", "*.yaml", "*.jinja", "*.sh", "*.js", "*.hpp"]},
    data_files=configs(),
    install_requires=requirements("base"),
    extras_require={
        profile: requirements(profile) for profile in ("cpu", "gpu", "data", "e2b", "quality", "trl", "dev")
    },
    entry_points={"verl.plugins": ["code_agentic_cpu = verl_ext.platform.plugin"]},
)
