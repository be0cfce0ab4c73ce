"""Tied weights after a reload."""

from typing import Any

import pytest

torch = pytest.importorskip("torch")

from verl_ext.platform.tied_weights import pack_tied_layers, tied_layers  # noqa: E402


class Packing:
    """A quant method that packs as vLLM's does: the layer computes with a copy of its weight."""

    def process_weights_after_loading(self, layer: Any) -> None:
        packed = layer.weight.detach().clone()
        layer.cpu_linear = lambda x: x @ packed.T


def layer(weight: Any) -> Any:
    module = torch.nn.Module()
    module.register_parameter("weight", weight)
    module.quant_method = Packing()
    module.quant_method.process_weights_after_loading(module)
    return module


def model(*, tied: bool) -> Any:
    """An embedding, a linear layer whose weight was dropped after packing, and a head."""
    root = torch.nn.Module()
    root.embed_tokens = layer(torch.nn.Parameter(torch.ones(3, 2)))
    root.linear = layer(torch.nn.Parameter(torch.ones(2, 2)))
    root.linear.weight = torch.nn.Parameter(torch.empty(0))
    root.other = layer(torch.nn.Parameter(torch.ones(2, 2)))
    root.other.weight = root.linear.weight
    root.lm_head = layer(root.embed_tokens.weight if tied else torch.nn.Parameter(torch.ones(3, 2)))
    return root


def test_a_tied_head_computes_with_the_new_weights_after_a_reload() -> None:
    tied = model(tied=True)
    with torch.no_grad():
        tied.embed_tokens.weight.mul_(2)
    stale = tied.lm_head.cpu_linear(torch.ones(1, 2))

    pack_tied_layers(tied)

    assert stale.tolist() == [[2, 2, 2]]
    assert tied.lm_head.cpu_linear(torch.ones(1, 2)).tolist() == [[4, 4, 4]]


@pytest.mark.parametrize(("tied", "names"), [(True, ["lm_head"]), (False, [])])
def test_only_the_second_user_of_a_weight_counts_as_tied(tied: bool, names: list[str]) -> None:
    assert [name for name, _ in tied_layers(model(tied=tied))] == names


def test_a_tied_layer_that_cannot_be_packed_is_refused() -> None:
    tied = model(tied=True)
    del tied.lm_head.quant_method

    with pytest.raises(ValueError, match=r"lm_head.*tie_word_embeddings=false"):
        pack_tied_layers(tied)
