"""The bodies of kmodel V3's layers as data: fields, and which main memory each type reads and writes.

Source: the argument structs of nncase v0.1.0-rc5 and of the Kendryte SDK's kpu.c. K210_CONV is not here: see
`conversion.kmodel.v3_container.conv`. Types that the format names but no runtime has are not here either.
"""

from __future__ import annotations

from typing import NamedTuple

from conversion.inspection.fields import Fields

_FLAGS = ("flags", "I")
_IN_OUT = (_FLAGS, ("input", "I"), ("output", "I"))
_POOL: Fields = (
    *_IN_OUT,
    ("in_width", "I"), ("in_height", "I"), ("in_channels", "I"),
    ("out_width", "I"), ("out_height", "I"), ("out_channels", "I"),
    ("kernel_width", "I"), ("kernel_height", "I"), ("stride_width", "I"), ("stride_height", "I"),
    ("padding_width", "I"), ("padding_height", "I"),
)  # fmt: skip
_RESIZE: Fields = (
    *_IN_OUT,
    ("in_width", "I"), ("in_height", "I"), ("in_channels", "I"),
    ("out_width", "I"), ("out_height", "I"), ("align_corners", "I"),
)  # fmt: skip
_SCALED: Fields = (*_IN_OUT, ("count", "I"), ("scale", "f"), ("bias", "f"))
_ELEMENTS: Fields = (*_IN_OUT, ("channels", "I"))
# A 4x4 map holds one value a channel between KPU and CPU: ADD_PADDING, REMOVE_PADDING.
PADDED_SIDE = 4

FLOAT, BYTE = 4, 1


class Buffer(NamedTuple):
    """A piece of memory: the field with its address, the fields whose product is its element count, element bytes."""

    address: str
    count: tuple[str, ...]
    element: int


class LayerType(NamedTuple):
    """Fields, what is read and written in main memory, and the fields of the maps (channels[, height, width])."""

    fields: Fields
    reads: tuple[Buffer, ...]
    writes: tuple[Buffer, ...]
    source: tuple[str, ...] = ()
    result: tuple[str, ...] = ()


_SOURCE = ("in_channels", "in_height", "in_width")
_RESULT = ("out_channels", "out_height", "out_width")
_RESIZED = ("in_channels", "out_height", "out_width")


def _same_size(fields: Fields, count: tuple[str, ...], read: int, written: int) -> LayerType:
    return LayerType(fields, (Buffer("input", count, read),), (Buffer("output", count, written),))


def _maps(fields: Fields, result: tuple[str, ...], element: int) -> LayerType:
    reads, writes = (Buffer("input", _SOURCE, element),), (Buffer("output", result, element),)
    return LayerType(fields, reads, writes, _SOURCE, result)


def _vector(read: int, written: int) -> LayerType:
    names = ("channels",)
    reads, writes = (Buffer("input", names, read),), (Buffer("output", names, written),)
    return LayerType(_ELEMENTS, reads, writes, names, names)


_SUM = (_FLAGS, ("input_a", "I"), ("input_b", "I"), ("output", "I"), ("count", "I"))
_ADDENDS = tuple((f"{which}_{part}", "i") for which in ("a", "b", "output") for part in ("offset", "mul", "shift"))


def _sum(fields: Fields, element: int) -> LayerType:
    addends = tuple(Buffer(name, ("count",), element) for name in ("input_a", "input_b"))
    return LayerType(fields, addends, (Buffer("output", ("count",), element),))


_FLATTENED = (*_IN_OUT, ("width", "I"), ("height", "I"), ("channels", "I"))
_UPLOADED = (_FLAGS, ("input", "I"), ("kpu_line", "I"), ("width", "I"), ("height", "I"), ("channels", "I"))
_FILLED = (_FLAGS, ("input", "I"), ("kpu_line", "I"), ("channels", "I"))
_WHOLE = ("channels", "height", "width")
# The ranges of a CONCAT follow its fields: `input_count` times start and size in bytes.
CONCAT: Fields = (_FLAGS, ("output", "I"), ("input_count", "I"))
# The pairs of a CHANNELWISE_DEQUANTIZE follow its fields: `channels` times scale and bias.
CHANNELWISE: Fields = (*_IN_OUT, ("channels", "I"), ("channel_size", "I"))
FULLY_CONNECTED: Fields = (*_IN_OUT, ("in_channels", "I"), ("out_channels", "I"), ("activation", "I"))

LAYER_TYPES = {
    1: _sum(_SUM, FLOAT),
    2: _sum((*_SUM, *_ADDENDS), BYTE),
    5: LayerType(
        (*_IN_OUT, ("kernel_size", "I"), ("channels", "I")),
        (Buffer("input", ("channels", "kernel_size"), FLOAT),),
        (Buffer("output", ("channels",), FLOAT),),
        (),
        ("channels",),
    ),
    8: _maps(_POOL, _RESULT, BYTE),
    9: _maps((*_POOL, ("activation", "I")), _RESULT, FLOAT),
    11: _same_size(_SCALED, ("count",), FLOAT, BYTE),
    12: _same_size(_SCALED, ("count",), BYTE, FLOAT),
    13: _same_size((*_IN_OUT, ("count", "I")), ("count",), BYTE, BYTE),
    14: _vector(FLOAT, FLOAT),
    15: _vector(FLOAT, FLOAT),
    16: LayerType(CONCAT, (), ()),
    17: LayerType(CONCAT, (), ()),
    18: LayerType(
        FULLY_CONNECTED,
        (Buffer("input", ("in_channels",), FLOAT),),
        (Buffer("output", ("out_channels",), FLOAT),),
        ("in_channels",),
        ("out_channels",),
    ),
    20: LayerType(
        _FLATTENED, (Buffer("input", _WHOLE, FLOAT),), (Buffer("output", _WHOLE, FLOAT),), _WHOLE
    ),
    22: _maps(_RESIZE, _RESIZED, FLOAT),
    23: _maps(_RESIZE, _RESIZED, BYTE),
    24: _same_size(CHANNELWISE, ("channels", "channel_size"), BYTE, FLOAT),
    25: _vector(FLOAT, FLOAT),
    10241: LayerType(_FILLED, (Buffer("input", ("channels",), BYTE),), ()),
    10242: LayerType(
        _ELEMENTS,
        (Buffer("input", ("channels",), BYTE * PADDED_SIDE**2),),
        (Buffer("output", ("channels",), BYTE),),
        (),
        ("channels",),
    ),
    10243: LayerType(_UPLOADED, (Buffer("input", _WHOLE, BYTE),), (), _WHOLE, _WHOLE),
}  # fmt: skip
