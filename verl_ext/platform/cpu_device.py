"""What verl expects of `torch.<device>`, for the CPU.

verl calls `get_torch_device().<name>()` for caches, memory figures and random state; `torch.cpu` lacks
most of them. Everything here is a no-op or says "none": the host's memory is not an accelerator's.
"""

from typing import Any

import torch
from torch.cpu import Event, Stream, current_stream, set_device, stream, synchronize

__all__ = ["Event", "Stream", "current_stream", "set_device", "stream", "synchronize"]


def is_available() -> bool:
    """False: there is no accelerator, so verl skips memory fractions and device random state."""
    return False


def is_initialized() -> bool:
    """False, as above."""
    return False


def current_device() -> str:
    """`"cpu"`: torch would read an int as an accelerator's index."""
    return "cpu"


def device_count() -> int:
    """One CPU device, however many cores."""
    return 1


def get_device_name(device: Any = None) -> str:
    """The device's name in verl's reports."""
    return "cpu"


def empty_cache() -> None:
    """Nothing is cached."""


def ipc_collect() -> None:
    """No device memory is shared."""


def memory_allocated(device: Any = None) -> int:
    """Bytes of accelerator memory in use: none."""
    return 0


memory_reserved = max_memory_allocated = max_memory_reserved = memory_allocated


def reset_peak_memory_stats(device: Any = None) -> None:
    """No peak is kept."""


def mem_get_info(device: Any = None) -> tuple[int, int]:
    """Free and total bytes of accelerator memory: none."""
    return 0, 0


def set_per_process_memory_fraction(fraction: float, device: Any = None) -> None:
    """The host's memory is not divided."""


def get_rng_state(device: Any = None) -> torch.Tensor:
    """The state of torch's CPU generator."""
    return torch.get_rng_state()


def set_rng_state(state: torch.Tensor, device: Any = None) -> None:
    """Set the state of torch's CPU generator."""
    torch.set_rng_state(state)


def manual_seed(seed: int) -> None:
    """Seed torch's CPU generator."""
    torch.manual_seed(seed)


manual_seed_all = manual_seed
