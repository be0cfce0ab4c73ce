"""SFT rows for verl's SFT trainer: conversations with the loss on exactly the model's tokens.

Set by ``data.custom_cls``. Messages and tools are JSON strings in the parquet file, because in a parquet
struct every message would have every key, null where it was missing. They are tokenised piece by piece by
``ChatFormat``, because verl's own class renders each message alone and expects the whole conversation to
render the same, which several chat templates (Qwen3's, Phi's) break.
"""

from __future__ import annotations

import json
import logging
from typing import Any

import pyarrow.parquet as pq
import torch
from omegaconf import DictConfig, ListConfig
from torch.utils.data import Dataset

from verl_ext.agent_loop.chat import ChatFormat

logger = logging.getLogger(__name__)


class SFTConversations(Dataset):
    """Conversations as right-padded tensors.

    Args:
        parquet_files: One path or several, with the columns ``messages`` and ``tools`` (JSON strings).
        tokenizer: Hugging Face tokenizer with a chat template.
        config: verl's ``data`` section; read are ``max_length`` (tokens), ``pad_mode`` (``right`` or
            ``no_padding``) and ``truncation`` (``error``; conversations are never cut).
        processor: Not used; there are no images.
        max_samples: Keep the first so many rows; -1 keeps all.

    Conversations longer than ``max_length`` are left out, and how many is said once.

    Raises:
        ValueError: When a row has no tokens to learn from, naming file and row, when no row is left, or when
            the config asks for a truncation.
    """

    def __init__(
        self,
        parquet_files: str | list[str] | ListConfig,
        tokenizer: Any,
        config: DictConfig,
        processor: Any = None,
        max_samples: int = -1,
    ) -> None:
        if config.truncation != "error":
            raise ValueError(
                f"data.truncation={config.truncation}: a cut conversation teaches to stop in the middle; "
                "use error and raise data.max_length or filter when preprocessing"
            )
        self._max_length: int = config.max_length
        self._pad = config.pad_mode == "right"
        self._pad_id: int = tokenizer.pad_token_id
        formats: dict[str, ChatFormat] = {}
        num_overlong = 0
        self._rows: list[tuple[torch.Tensor, torch.Tensor]] = []
        for path in [parquet_files] if isinstance(parquet_files, str) else parquet_files:
            table = pq.read_table(path, columns=["messages", "tools"])
            for index, row in enumerate(table.to_pylist()):
                if 0 <= max_samples <= len(self._rows):
                    break
                chat = formats.get(row["tools"])
                if chat is None:
                    chat = formats[row["tools"]] = ChatFormat(tokenizer, json.loads(row["tools"]))
                ids, mask = chat.conversation(json.loads(row["messages"]))
                if not any(mask):
                    raise ValueError(f"{path} row {index}: no token to learn from")
                if len(ids) > self._max_length:
                    num_overlong += 1
                    continue
                self._rows.append((torch.tensor(ids), torch.tensor(mask)))
        if num_overlong:
            logger.warning(
                "%d conversations are longer than data.max_length=%d tokens and left out",
                num_overlong,
                self._max_length,
            )
        if not self._rows:
            raise ValueError(
                f"no conversation in {parquet_files} fits data.max_length={self._max_length} tokens"
            )

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, index: int) -> dict[str, torch.Tensor]:
        """One conversation: ``input_ids``, ``position_ids``, ``loss_mask`` and, padded, ``attention_mask``.

        Shapes are (T,) with T = ``max_length`` when padded, else the conversation's own length.
        """
        ids, mask = self._rows[index]
        positions = torch.arange(len(ids))
        if not self._pad:
            return {"input_ids": ids, "position_ids": positions, "loss_mask": mask}
        padding = self._max_length - len(ids)
        return {
            "input_ids": torch.nn.functional.pad(ids, (0, padding), value=self._pad_id),
            "attention_mask": torch.nn.functional.pad(torch.ones_like(ids), (0, padding)),
            "position_ids": torch.nn.functional.pad(positions, (0, padding)),
            "loss_mask": torch.nn.functional.pad(mask, (0, padding)),
        }
