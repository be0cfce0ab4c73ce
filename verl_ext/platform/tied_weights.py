"""Weights that two layers share, after a reload in vLLM on the CPU.

Owns one repair of vLLM 0.28.0's reload; see `vllm_worker.py` for the reload itself.
"""

from typing import Any

import torch


def tied_layers(model: torch.nn.Module) -> list[tuple[str, torch.nn.Module]]:
    """The layers that use the weight of an earlier layer, such as an output head tied to the embedding."""
    owners: set[int] = set()
    tied = []
    for name, layer in model.named_modules():
        weight = layer._parameters.get("weight")
        # Packed layers hold an empty weight each.
        if weight is None or weight.numel() == 0:
            continue
        if id(weight) in owners:
            tied.append((name, layer))
        owners.add(id(weight))
    return tied


def pack_tied_layers(model: torch.nn.Module) -> None:
    """Pack again every layer whose weight came with another layer.

    vLLM 0.28.0 reloads a tied weight through its first owner only (`model_loader/reload`, limitation 2).
    The output head keeps the packed copy of the old weights, and sampling drifts from the policy
    without an error.

    Raises:
        ValueError: a tied layer has no method to pack its weight with.
    """
    for name, layer in tied_layers(model):
        method: Any = getattr(layer, "quant_method", None)
        if method is None or not hasattr(layer, "cpu_linear"):
            raise ValueError(
                f"{type(model).__name__} ties the weight of {name}, which cannot be reloaded on the CPU: "
                "train a model with tie_word_embeddings=false"
            )
        method.process_weights_after_loading(layer)
