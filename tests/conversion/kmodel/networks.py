"""Builds KPU networks of PoseNet's shape with seeded random parameters, so that planner and writer need no compiler."""

from __future__ import annotations

import struct

import numpy as np

from conversion import network
from conversion.feature_map import FeatureMap
from conversion.kmodel import sampling
from conversion.kmodel.kpu_network import Head, KpuNetwork
from conversion.kmodel.layer import KpuLayer, weight_loads
from conversion.kmodel.registers import Registers

_BLANK = Registers.unpack(bytes(96))


def posenet_like(seed: int = 0, channel_divisor: int = 1, width: int = 256, height: int = 192) -> KpuNetwork:
    """PoseNet's layers with random parameters; channels (not the heads') divided to make a small network."""
    return sampling.early(as_compiled(seed, channel_divisor, width, height))


def as_compiled(seed: int = 0, channel_divisor: int = 1, width: int = 256, height: int = 192) -> KpuNetwork:
    """The same as nncase compiles it: a stride of 2 is the pointwise layer's, behind the depthwise one."""
    generator = np.random.default_rng(seed)
    source = FeatureMap(network.INPUT_CHANNELS, height, width)
    body, pending_stride = [], 1
    for spec in network.BODY:
        channels = spec.out_channels // channel_divisor
        # A depthwise layer computes every pixel; the pointwise layer after it drops what a stride of 2 skips.
        stride = spec.stride if spec.kind == "conv" else pending_stride if spec.kind == "pointwise" else 1
        pending_stride = spec.stride if spec.kind == "depthwise" else 1
        body.append(layer(generator, source, channels, spec.kernel, spec.kind == "depthwise", stride))
        source = body[-1].destination
    heads = [Head(layer(generator, source, head.channels, 1, False, 1), 0.125, 128) for head in network.HEADS]
    return KpuNetwork(tuple(body), tuple(heads))


def layer(
    generator: np.random.Generator, source: FeatureMap, channels: int, kernel: int, depthwise: bool, stride: int
) -> KpuLayer:
    """One layer that reads `source`, with random weights and an activation that uses the whole range of bytes."""
    destination = FeatureMap(channels, source.height // stride, source.width // stride)
    taps = kernel**2 * (1 if depthwise else source.channels)
    per_load, loads = weight_loads(depthwise, taps, channels)
    fields = {
        "depth_wise_layer": int(depthwise),
        "i_ch_num": source.channels,
        "o_ch_num": channels,
        "o_ch_num_coef": per_load,
        "i_row_wid": source.width,
        "i_col_high": source.height,
        "o_row_wid": destination.width,
        "o_col_high": destination.height,
        "kernel_type": int(kernel == 3),
        "pool_type": 5 if stride == 2 else 0,
        "load_para": 1,
        "dma_burst_size": 15,
        "load_coor": 1,
        "load_time": loads,
        "para_size": per_load * taps,
        "channel_switch_addr": source.group_lines,
        "row_switch_addr": source.row_lines,
        "coef_group": source.groups,
        "load_act": 1,
        "wb_channel_switch_addr": destination.group_lines,
        "wb_row_switch_addr": destination.row_lines,
        "wb_group": destination.groups,
        "arg_x": -128,
        "channel_byte_num": destination.height * destination.width,
        "dma_total_byte": destination.bytes,
    }
    registers = type(_BLANK)(**{**vars(_BLANK), **fields})
    weights = generator.integers(0, 256, taps * channels, dtype=np.uint8).tobytes()
    return KpuLayer(registers, weights, _batch_norm(generator, taps, channels), _activation())


def _batch_norm(generator: np.random.Generator, taps: int, channels: int) -> bytes:
    """Scales sums of `taps` products to a few hundred, so that bytes come out neither all 0 nor all 255."""
    multiplier = max(1, int(2**15 * 4 / (73 * 147 * taps**0.5)))
    adds = generator.integers(0, 200, channels)
    return b"".join(struct.pack("<Q", multiplier | int(add) << 24 | 15 << 56) for add in adds)


def _activation() -> bytes:
    """Zero below 0, identity above: the shape of a ReLU, in 16 segments."""
    lowest = -(1 << 35) & ((1 << 36) - 1)
    segments = [lowest << 24] + [(start << 24) | (1 << 8) for start in range(15)]
    return struct.pack("<16Q", *segments) + bytes([0, *range(15)])
