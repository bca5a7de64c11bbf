"""Draws single KPU layers for hypothesis: every register that changes the arithmetic, and tables of every kind."""

from __future__ import annotations

import struct
from dataclasses import replace

import numpy as np
from hypothesis import strategies as st

from conversion.feature_map import FeatureMap
from conversion.kmodel.layer import KpuLayer
from conversion.kmodel.registers import Registers
from conversion.kmodel.v3 import ConvLayer, Output, V3Model
from tests.conversion.kmodel import networks
from tests.conversion.kpu import literal

POOL_STEPS = {0: 1, 1: 2, 2: 2, 3: 4, 4: 4, 5: 2, 6: 2, 7: 4, 8: 1, 9: 1}
SEGMENTS = 16
LOWEST = -(1 << 35)
TABLE_KINDS = ("relu6", "relu6", "rising", "falling", "wild", "constant")
WIDTHS = st.one_of(st.integers(4, 16), st.integers(17, 32), st.integers(33, 64), st.integers(65, 70))


def pack_table(segments: list[tuple[int, int, int, int]]) -> bytes:
    """144 bytes of 16 (start, multiplier, shift, offset)."""
    words = [
        (start & (1 << 36) - 1) << 24 | (multiplier & 0xFFFF) << 8 | shift for start, multiplier, shift, _ in segments
    ]
    return struct.pack(f"<{SEGMENTS}Q", *words) + bytes(offset for *_, offset in segments)


def pack_batch_norm(multipliers: list[int], shifts: list[int], offsets: list[int]) -> bytes:
    """One 64-bit word a channel."""
    words = [
        multiplier & 0xFFFFFF | (offset & 0xFFFFFFFF) << 24 | shift << 56
        for multiplier, shift, offset in zip(multipliers, shifts, offsets, strict=True)
    ]
    return struct.pack(f"<{len(words)}Q", *words)


def relu6_table(reach: int, lowest: int = 0) -> bytes:
    """As nncase writes it: nothing below `lowest`, a line over `reach`, its last levels in 14 short pieces."""
    shift = 14 + max(0, (reach // 255).bit_length() - 1)
    multiplier = min((255 << shift) // reach, 0x7FFF)
    segments = [(LOWEST, 0, 0, 0), (lowest, multiplier, shift, 0)]
    for number in range(14):
        above = reach * (2026 + number) // 2040
        segments.append((lowest + above, multiplier, shift, min(int(255 * above / reach + 0.51), 255)))
    return pack_table(segments)


def table(generator: np.random.Generator, kind: str, reach: int) -> bytes:
    """A table whose pieces lie within about -reach..reach."""
    if kind == "relu6":
        return relu6_table(reach, int(generator.integers(-reach, 1)))
    starts = [LOWEST, *sorted(generator.integers(-reach, reach, SEGMENTS - 1).tolist())]
    if kind == "constant":
        return pack_table([(start, 0, 0, 77) for start in starts])
    sizes = np.diff([*starts[1:], reach], prepend=-2 * reach)
    segments, level = [], 0.0
    for start, size in zip(starts, sizes, strict=True):
        rise = generator.uniform(0, 40)
        shift = int(np.clip(np.floor(np.log2(max(size, 1) * 16384 / max(rise, 1))), 0, 43))
        multiplier = int(np.clip(rise / max(size, 1) * 2**shift, 0, 32767)) if start != LOWEST else 0
        offset = min(int(np.ceil(level)), 255)
        level += rise if start != LOWEST else 0
        segments.append((start, multiplier, shift, offset))
    if kind == "falling":
        segments = [(start, -multiplier, shift, 255 - offset) for start, multiplier, shift, offset in segments]
    if kind == "wild":
        segments = [
            (start, int(generator.integers(-32768, 32768)), int(shift), int(generator.integers(0, 256)))
            for (start, _, shift, _) in segments
        ]
    return pack_table(segments)


@st.composite
def layers(draw: st.DrawFn) -> KpuLayer:
    """A sound layer of a few channels; its batch norm spreads the sums over the pieces of its table."""
    depthwise, kernel = draw(st.booleans()), draw(st.sampled_from((1, 3)))
    source = FeatureMap(draw(st.integers(1, 6)), draw(st.integers(4, 9)), draw(WIDTHS))
    outputs = source.channels if depthwise else draw(st.integers(1, 9))
    generator = np.random.default_rng(draw(st.integers(0, 1 << 32)))
    base = networks.layer(generator, source, outputs, kernel, depthwise, 1)
    pool = draw(st.sampled_from(tuple(POOL_STEPS)))
    registers = with_destination(base.registers, FeatureMap(outputs, source.height, source.width), pool)
    registers = replace(registers, pad_value=draw(st.integers(0, 255)), **draw(_arguments()))
    reach = 1 << draw(st.sampled_from((8, 14, 17, 20, 24, 28)))
    picture = generator.integers(0, 256, (source.channels, source.height, source.width))
    sums = literal.convolved(literal.Words(registers.pack()), base.weights, picture).reshape(outputs, -1)
    bound = _bound(registers, base.taps)
    batch_norm = _batch_norm(
        generator, sums, bound, reach, draw(st.sampled_from(("rising", "rising", "rising", "any")))
    )
    activation = table(generator, draw(st.sampled_from(TABLE_KINDS)), reach)
    return KpuLayer(registers, base.weights, batch_norm, activation)


@st.composite
def _arguments(draw: st.DrawFn) -> dict[str, int]:
    """The four terms beside the products, as nncase writes them or anything."""
    if draw(st.booleans()):
        return {"arg_x": -128, "arg_w": -draw(st.integers(0, 255)), "arg_add": draw(st.integers(0, 1 << 18))}
    # As large as six channels allow before sums could leave 36 bits.
    factors, shifts = st.integers(-(1 << 19), 1 << 19), st.integers(0, 15)
    return {
        "arg_x": draw(st.one_of(st.integers(-255, 255), factors)),
        "arg_w": draw(factors),
        "shr_x": draw(shifts),
        "shr_w": draw(shifts),
        "arg_add": draw(st.integers(-(1 << 30), 1 << 30)),
    }


def _bound(registers: Registers, taps: int) -> int:
    """No sum of the layer is larger than this."""
    factors = 255 + (abs(registers.arg_x) >> registers.shr_x) + (abs(registers.arg_w) >> registers.shr_w) + 2
    return 255 * taps * factors + abs(registers.arg_add) * registers.i_ch_num


def _batch_norm(generator: np.random.Generator, sums: np.ndarray, bound: int, reach: int, signs: str) -> bytes:
    """Multipliers and offsets that bring each channel's sums, int64 [C, n], to somewhere around -reach..reach.

    Nothing up to `bound` leaves 36 bits, no offset its 32.
    """
    low, high = sums.min(1), sums.max(1)
    gains = 2 * reach / np.maximum(high - low, 1) * generator.uniform(0.3, 3, len(sums))
    gains = np.minimum(gains, np.minimum((1 << 30) / np.maximum(np.abs(sums).max(1), 1), (1 << 34) / bound))
    shifts = np.clip(np.floor(22 - np.log2(gains)), 0, 15).astype(int)
    multipliers = np.clip(gains * 2.0**shifts, 0, 2**23 - 1).astype(int)
    if signs == "any":
        multipliers *= generator.choice((-1, 0, 1), len(sums))
    centres = (low + high) // 2 * multipliers >> shifts
    offsets = generator.uniform(-reach, reach, len(sums)).astype(int) - centres
    return pack_batch_norm(multipliers.tolist(), shifts.tolist(), offsets.tolist())


def with_destination(registers: Registers, result: FeatureMap, pool: int) -> Registers:
    """The registers for a pool type; `result` is the map before pooling."""
    step = POOL_STEPS[pool]
    pooled = FeatureMap(result.channels, result.height // step, result.width // step)
    return replace(
        registers,
        pool_type=pool,
        o_row_wid=pooled.width,
        o_col_high=pooled.height,
        wb_channel_switch_addr=pooled.group_lines,
        wb_row_switch_addr=pooled.row_lines,
        wb_group=pooled.groups,
        channel_byte_num=pooled.height * pooled.width,
        dma_total_byte=pooled.bytes,
    )


def single(layer: KpuLayer) -> V3Model:
    """A model of one layer: picture at line 0, result behind it and in main memory."""
    placed = replace(layer, registers=replace(layer.registers, image_src_addr=0, image_dst_addr=layer.source.lines))
    size = layer.destination.bytes
    return V3Model((ConvLayer(placed, 0),), (Output(0, size),), -(-size // 8) * 8, 0)
