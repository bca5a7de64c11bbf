"""Reads records that are described by data: names and struct formats, one after another."""

from __future__ import annotations

import struct
from collections.abc import Sequence

# (name, struct format without byte order): one value, or a tuple of them where the format has several.
Fields = Sequence[tuple[str, str]]


def size(fields: Fields) -> int:
    """Bytes of the record."""
    return sum(struct.calcsize(f"<{layout}") for _, layout in fields)


def decode(fields: Fields, data: bytes, offset: int) -> dict[str, object]:
    """The record at `offset`, by names. Raises struct.error where the data end too early."""
    values: dict[str, object] = {}
    for name, layout in fields:
        found = struct.unpack_from(f"<{layout}", data, offset)
        values[name] = found[0] if len(found) == 1 else found
        offset += struct.calcsize(f"<{layout}")
    return values
