"""The twelve 64-bit words that describe one KPU layer, as named fields.

Source of names and positions: `kpu_layer_argument_t` of the Kendryte standalone SDK (kpu.h).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field, fields
from typing import Any, NamedTuple

from conversion.errors import KpuMemoryError, ModelFormatError

WORDS = 12
PACKED_BYTES = 8 * WORDS


class _Field(NamedTuple):
    """Where a field lies: word, lowest bit, width; `less_one` fields store the value minus one."""

    word: int
    low: int
    width: int
    less_one: bool = False
    signed: bool = False


def _at(word: int, low: int, width: int, less_one: bool = False, signed: bool = False) -> Any:
    return field(metadata={"at": _Field(word, low, width, less_one, signed)})


@dataclass(frozen=True)
class Registers:
    """One layer's words. Fields that the chip stores as value - 1 hold the value itself here."""

    int_en: int = _at(0, 0, 1)
    ram_flag: int = _at(0, 1, 1)
    full_add: int = _at(0, 2, 1)
    depth_wise_layer: int = _at(0, 3, 1)
    image_src_addr: int = _at(1, 0, 15)
    image_dst_addr: int = _at(1, 32, 15)
    i_ch_num: int = _at(2, 0, 10, less_one=True)
    o_ch_num: int = _at(2, 32, 10, less_one=True)
    o_ch_num_coef: int = _at(2, 48, 10, less_one=True)
    i_row_wid: int = _at(3, 0, 10, less_one=True)
    i_col_high: int = _at(3, 10, 9, less_one=True)
    o_row_wid: int = _at(3, 32, 10, less_one=True)
    o_col_high: int = _at(3, 42, 9, less_one=True)
    kernel_type: int = _at(4, 0, 3)
    pad_type: int = _at(4, 3, 1)
    pool_type: int = _at(4, 4, 4)
    first_stride: int = _at(4, 8, 1)
    bypass_conv: int = _at(4, 9, 1)
    load_para: int = _at(4, 10, 1)
    dma_burst_size: int = _at(4, 16, 8)
    pad_value: int = _at(4, 24, 8)
    bwsx_base_addr: int = _at(4, 32, 32)
    load_coor: int = _at(5, 0, 1)
    load_time: int = _at(5, 1, 6, less_one=True)
    para_size: int = _at(5, 15, 17)
    para_start_addr: int = _at(5, 32, 32)
    coef_column_offset: int = _at(6, 0, 4)
    coef_row_offset: int = _at(6, 4, 12)
    channel_switch_addr: int = _at(7, 0, 15)
    row_switch_addr: int = _at(7, 16, 4)
    coef_size: int = _at(7, 20, 8)
    coef_group: int = _at(7, 28, 3)
    load_act: int = _at(7, 31, 1)
    active_addr: int = _at(7, 32, 32)
    wb_channel_switch_addr: int = _at(8, 0, 15)
    wb_row_switch_addr: int = _at(8, 16, 4)
    wb_group: int = _at(8, 20, 3)
    shr_w: int = _at(9, 0, 4)
    shr_x: int = _at(9, 4, 4)
    arg_w: int = _at(9, 8, 24, signed=True)
    arg_x: int = _at(9, 32, 24, signed=True)
    arg_add: int = _at(10, 0, 40, signed=True)
    send_data_out: int = _at(11, 0, 1)
    channel_byte_num: int = _at(11, 16, 16, less_one=True)
    dma_total_byte: int = _at(11, 32, 32, less_one=True)

    def pack(self) -> bytes:
        """The 96 bytes as they stand in a kmodel; KpuMemoryError names a value that its field cannot hold."""
        words = [0] * WORDS
        for name, at in _FIELDS.items():
            words[at.word] |= _encode(name, at, getattr(self, name)) << at.low
        return struct.pack(f"<{WORDS}Q", *words)

    @classmethod
    def unpack(cls, packed: bytes) -> Registers:
        """Read 96 bytes; ModelFormatError if a bit is set that belongs to no field."""
        words = struct.unpack(f"<{WORDS}Q", packed)
        for number, (word, known) in enumerate(zip(words, _KNOWN_BITS, strict=True)):
            if word & ~known:
                raise ModelFormatError(
                    f"layer word {number} is {word:#018x}: bits are set that the KPU does not define"
                )
        return cls(**{name: _decode(at, words[at.word]) for name, at in _FIELDS.items()})


def _encode(name: str, at: _Field, value: int) -> int:
    stored = value - 1 if at.less_one else value
    lowest, highest = (-(1 << at.width - 1), (1 << at.width - 1) - 1) if at.signed else (0, (1 << at.width) - 1)
    if not lowest <= stored <= highest:
        raise KpuMemoryError(f"register field {name} cannot hold {value}: it has {at.width} bits")
    return stored & ((1 << at.width) - 1)


def _decode(at: _Field, word: int) -> int:
    value = word >> at.low & ((1 << at.width) - 1)
    if at.signed:
        value = sign_extended(value, at.width)
    return value + 1 if at.less_one else value


def sign_extended(value: int, bits: int) -> int:
    """The lowest `bits` bits of value, read as a two's complement number."""
    value &= (1 << bits) - 1
    return value - (1 << bits) if value >> (bits - 1) else value


_FIELDS: dict[str, _Field] = {entry.name: entry.metadata["at"] for entry in fields(Registers)}


def _known_bits() -> list[int]:
    known = [0] * WORDS
    for at in _FIELDS.values():
        known[at.word] |= ((1 << at.width) - 1) << at.low
    return known


_KNOWN_BITS = _known_bits()
