"""RL rows for verl: verl's own dataset, with the prompt stored as a JSON string.

Set by ``data.custom_cls``. A JSON string keeps messages as they were written; in a parquet struct every
message would have every key, null where it was missing. Prompts are measured as the agent loop will build
them, tools included.
"""

from __future__ import annotations

import json
import logging
from typing import Any

import datasets
from verl.utils.dataset.rl_dataset import RLHFDataset

from verl_ext.agent_loop.chat import ChatFormat
from verl_ext.tools.registry import load_schemas

logger = logging.getLogger(__name__)


class RLProblems(RLHFDataset):
    """Problems to roll out; row columns are described in docs/data.md.

    The ``data`` section must hold ``tools``, the path of the tools YAML that the agent loop uses.
    """

    def _build_messages(self, example: dict[str, Any], key: str) -> list[dict[str, Any]]:
        """The row's messages, decoded."""
        return json.loads(example[key])

    def maybe_filter_out_long_prompts(self, dataframe: Any = None) -> datasets.Dataset:
        """Leaves out rows whose prompt is longer than ``max_prompt_length`` tokens and says how many.

        Raises:
            ValueError: When no row is left.
        """
        chat = ChatFormat(self.tokenizer, load_schemas(self.config.tools))
        kept = [
            index
            for index, prompt in enumerate(dataframe[self.prompt_key])
            if len(chat.prompt_ids(json.loads(prompt))) <= self.max_prompt_length
        ]
        if len(kept) < len(dataframe):
            logger.warning(
                "%d of %d prompts are longer than data.max_prompt_length=%d tokens and left out",
                len(dataframe) - len(kept),
                len(dataframe),
                self.max_prompt_length,
            )
        if not kept:
            raise ValueError(
                f"every prompt is longer than data.max_prompt_length={self.max_prompt_length} tokens"
            )
        return dataframe.select(kept)
