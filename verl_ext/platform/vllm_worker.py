"""How new weights reach vLLM on the CPU: the worker extension of verl's rollout.

Owns the reload of a running vLLM 0.28.0 CPU worker from verl 0.9.1's shared-memory buckets. vLLM
builds this class into its worker through the engine argument `worker_extension_cls`
(`rollout.engine_kwargs.vllm.worker_extension_cls` in `configs/scale/cpu.yaml`). Transport and LoRA
adapters are verl's own.
"""

from typing import Any

import torch
from verl.utils.vllm import resolve_weight_name
from verl.workers.rollout.vllm_rollout.bucketed_weight_transfer import BucketedWeightReceiver
from verl.workers.rollout.vllm_rollout.utils import vLLMColocateWorkerExtension

from verl_ext.platform.tied_weights import pack_tied_layers

NamedTensors = list[tuple[str, torch.Tensor]]


class CpuWorkerExtension(vLLMColocateWorkerExtension):
    """verl's worker extension, with weights that vLLM repacks for the CPU.

    At load vLLM packs each linear weight for oneDNN and drops the original, so verl's per-bucket
    `load_weights` finds nothing to load into. vLLM's own `reload_weights` restores the originals, loads
    and packs again; it needs all the weights in one call.
    """

    # Of vLLM's worker class, which is the other base of the class that runs.
    model_runner: Any

    def update_weights_from_ipc(
        self, peft_config: dict | None = None, base_sync_done: bool = False, use_shm: bool = False
    ) -> None:
        """Replace the weights by those that verl's trainer sends.

        Args:
            peft_config: the LoRA configuration when the policy is an adapter, else None.
            base_sync_done: whether the base weights are in place, so that only an adapter comes.
            use_shm: always true on the CPU.

        Raises:
            ValueError: the model ties weights in a way that cannot be packed again.
        """
        if peft_config and base_sync_done:
            # An adapter is not packed: verl's own way works.
            super().update_weights_from_ipc(peft_config, base_sync_done, use_shm)
            return
        model = self.model_runner.model
        weights = receive_weights(self._get_zmq_handle(), use_shm)
        if peft_config is not None:
            names = {name for name, _ in model.named_parameters(remove_duplicate=False)}
            weights = [(resolve_weight_name(model, name, names), tensor) for name, tensor in weights]
        self.model_runner.reload_weights(weights_iterator=iter(weights))
        pack_tied_layers(model)


def receive_weights(zmq_handle: str, use_shm: bool) -> NamedTensors:
    """All weights of one update, copied out of the sender's shared memory.

    Copied, because a bucket is reused for the next and its segment cannot be closed while views of it
    are alive.
    """
    weights: NamedTensors = []

    def keep(bucket: NamedTensors, is_last: bool) -> None:
        weights.extend((name, tensor.clone()) for name, tensor in bucket)

    receiver = BucketedWeightReceiver(zmq_handle=zmq_handle, device=torch.device("cpu"), use_shm=use_shm)
    receiver.receive_weights(on_bucket_received=keep)
    return weights
