"""The plugin acts when it is chosen and no accelerator is there, and not otherwise."""

import importlib.metadata
import os
import subprocess
import sys

import pytest

from verl_ext.platform.plugin import register

CHOSEN = """
import importlib.metadata
from verl.plugin.platform import get_platform
from verl.utils.device import get_device_id
print(get_platform().device_name, get_device_id(), hasattr(importlib.metadata.version, "__wrapped__"))

from verl.plugin.platform import platform_manager
from verl_ext.platform import cpu_platform
cpu_platform.installed_version = lambda name: "0.8.0"
try:
    platform_manager._create_platform("cpu")
except ValueError as refusal:
    print("refused:", refusal)
"""

WITH_A_GPU = """
from verl.plugin.platform import PlatformRegistry
from verl.plugin.platform.platform_cuda import PlatformCUDA
PlatformCUDA.is_platform_available = lambda self, use_smi_check=False: True
from verl_ext.platform.plugin import register
print("acted", register(), "cpu" in PlatformRegistry.registered_names())
"""


def said(code: str, modules: str) -> str:
    """What a fresh Python prints; verl imports `modules` as it imports its plugins."""
    environment = os.environ | {
        "VERL_PLATFORM": "cpu",
        "VERL_USE_EXTERNAL_PLUGINS": "none",
        "VERL_USE_EXTERNAL_MODULES": modules,
    }
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)
    return done.stdout + done.stderr


@pytest.mark.parametrize("platform", [None, "", "nvidia", "huawei"])
def test_without_being_chosen_it_changes_nothing(
    platform: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("VERL_PLATFORM", raising=False)
    if platform is not None:
        monkeypatch.setenv("VERL_PLATFORM", platform)
    finders, version = list(sys.meta_path), importlib.metadata.version

    assert register() is False
    assert (sys.meta_path, importlib.metadata.version) == (finders, version)


def test_chosen_it_gives_verl_the_cpu_and_refuses_another_verl() -> None:
    pytest.importorskip("verl")

    lines = said(CHOSEN, modules="verl_ext.platform.plugin")

    assert "cpu cpu True" in lines
    assert "refused: running without a GPU needs verl 0.9.1, found 0.8.0" in lines


def test_on_a_machine_with_a_gpu_it_changes_nothing() -> None:
    pytest.importorskip("verl")

    assert "acted False False" in said(WITH_A_GPU, modules="")
