"""The plugin acts when it is chosen and no accelerator is there, and not otherwise."""

import os
import subprocess
import sys

import pytest

REPORT = """
import verl
from verl.plugin.platform import PlatformRegistry, get_platform
import importlib.metadata
names = PlatformRegistry.registered_names()
print("registered", "cpu" in names, hasattr(importlib.metadata.version, "__wrapped__"))
"""


def report(code: str, **variables: str) -> str:
    """What a fresh Python prints; verl loads plugins when it is imported."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("VERL_")}
    environment |= {
        "VERL_USE_EXTERNAL_PLUGINS": "none",
        "VERL_USE_EXTERNAL_MODULES": "verl_ext.platform.plugin",
    }
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=environment | variables,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return done.stdout + done.stderr


@pytest.mark.parametrize("platform", [{}, {"VERL_PLATFORM": "nvidia"}])
def test_without_being_chosen_it_changes_nothing(platform: dict[str, str]) -> None:
    assert "registered False False" in report(REPORT, **platform)


def test_chosen_it_registers_the_cpu_for_verl() -> None:
    code = (
        REPORT
        + "print(get_platform().device_name, get_platform().current_device(), verl.utils.device.get_device_id())"
    )

    said = report(code, VERL_PLATFORM="cpu")

    assert "registered True True" in said
    assert "cpu cpu cpu" in said


def test_on_a_machine_with_a_gpu_it_changes_nothing() -> None:
    gpu = """
from verl.plugin.platform import PlatformRegistry
from verl.plugin.platform.platform_cuda import PlatformCUDA
PlatformCUDA.is_platform_available = lambda self, use_smi_check=False: True
from verl_ext.platform.plugin import register
print("acted", register(), "cpu" in PlatformRegistry.registered_names())
"""
    code = "import os; os.environ['VERL_PLATFORM'] = 'cpu'\n" + gpu

    assert "acted False False" in report(code, VERL_USE_EXTERNAL_MODULES="")


def test_another_verl_is_refused_when_the_platform_is_asked_for() -> None:
    code = """
import importlib.metadata
real = importlib.metadata.version
importlib.metadata.version = lambda name: "0.8.0" if name == "verl" else real(name)
from verl.plugin.platform import get_platform
get_platform()
"""
    said = report(code, VERL_PLATFORM="cpu")

    assert "ValueError: running without a GPU needs verl 0.9.1, found 0.8.0" in said
