"""The options of a TFLite custom operator: a flexbuffer map, read without trusting it."""

from __future__ import annotations

import struct

from flatbuffers import flexbuffers

from conversion.inspection.model import plain

_MOST_OPTIONS = 64
# A longer text is data, such as the program of an Edge TPU: its size is what can be said of it.
_LONGEST_TEXT = 120
# What reading a damaged flexbuffer raises.
_DAMAGE = (ValueError, LookupError, TypeError, AttributeError, ArithmeticError, struct.error)


def decode(data: bytes) -> dict[str, object]:
    """Option name -> bool, int, float or text; "N bytes" for what is long, one entry "bytes" for what is no map."""
    try:
        root = flexbuffers.GetRoot(data)
        keys = root.AsMap.Keys if root.IsMap else ()
        if not keys or len(keys) > _MOST_OPTIONS:
            return {"bytes": len(data)}
        return {plain(key.AsKey): _value(root.AsMap[key.AsKey]) for key in keys}
    except _DAMAGE:
        return {"bytes": len(data)}


def _value(value: flexbuffers.Ref) -> object:
    for is_kind, get in (
        (value.IsBool, lambda: value.AsBool),
        (value.IsInt, lambda: value.AsInt),
        (value.IsFloat, lambda: float(f"{value.AsFloat:.7g}")),
        (value.IsString, lambda: _text(value.AsStringBytes)),
        (value.IsBlob, lambda: f"{len(value.AsBlob):,} bytes"),
    ):
        if is_kind:
            return get()
    return "a list or map"


def _text(raw: bytes) -> str:
    if len(raw) > _LONGEST_TEXT:
        return f"{len(raw):,} bytes"
    return plain(raw.decode(errors="replace"))
