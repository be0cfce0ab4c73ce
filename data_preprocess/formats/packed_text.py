"""Text stored as base64 of zlib of a pickle: unpacked with bounds, and without running anything."""

from __future__ import annotations

import base64
import binascii
import io
import pickle
import zlib
from typing import Any, NoReturn

from data_preprocess.rows import BadRow

# Twice the largest known tests of one row.
MAX_UNPACKED_BYTES = 512 << 20


class _PlainUnpickler(pickle.Unpickler):
    """Reads builtin values only: whatever would import a name or ask the outside is refused."""

    def find_class(self, module: str, name: str) -> NoReturn:
        raise pickle.UnpicklingError(f"it asks for {module}.{name}")

    def persistent_load(self, pid: Any) -> NoReturn:
        raise pickle.UnpicklingError("it asks for an object outside of it")


def unpacked_text(packed: str, column: str) -> str:
    """The text in base64 -> zlib -> pickle.

    Raises:
        BadRow: When a layer is damaged, holds anything but text, or is larger than ``MAX_UNPACKED_BYTES``.
    """
    try:
        compressed = base64.b64decode(packed, validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadRow(column, f"neither JSON nor base64: {error}") from error
    inflater = zlib.decompressobj()
    try:
        pickled = inflater.decompress(compressed, MAX_UNPACKED_BYTES)
    except zlib.error as error:
        raise BadRow(column, f"damaged zlib data: {error}") from error
    if inflater.unconsumed_tail:
        raise BadRow(column, f"unpacks to more than {MAX_UNPACKED_BYTES >> 20} MiB")
    if not inflater.eof:
        raise BadRow(column, "damaged zlib data: it breaks off")
    try:
        text = _PlainUnpickler(io.BytesIO(pickled)).load()
    # A hostile pickle can raise almost anything; nothing of it has been run.
    except Exception as error:
        raise BadRow(column, f"refused pickle: {error}") from error
    if not isinstance(text, str):
        raise BadRow(column, f"the pickle must hold text, not {type(text).__name__}")
    return text
