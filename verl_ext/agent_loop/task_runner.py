"""verl's task runner with a sandbox on every node of the Ray cluster, for the length of the training."""

from __future__ import annotations

from typing import Any

import ray
from omegaconf import DictConfig
from verl.trainer.main_ppo import TaskRunnerV1

from verl_ext.sandbox.ray_servers import servers_on_every_node

_actor_class: Any = TaskRunnerV1
# What verl's decorator wrapped.
_TaskRunner: Any = _actor_class.__ray_metadata__.modified_class.__ray_actor_class__


@ray.remote
class SandboxTaskRunner(_TaskRunner):
    """The actor in which verl trains; it owns the sandbox servers, which end with it at the latest."""

    def run(self, config: DictConfig) -> None:
        """Trains.

        Args:
            config: verl's, with ``code_agentic.sandbox.num_workers``: cores of each node for its sandbox.

        Raises:
            SandboxUnreachable: When a server does not come up.
        """
        with servers_on_every_node(config.code_agentic.sandbox.num_workers):
            super().run(config)
