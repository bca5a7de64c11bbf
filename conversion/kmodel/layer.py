"""One KPU layer: a convolution with batch norm, activation table and pooling, and the parameters that it loads."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from conversion.errors import ModelFormatError
from conversion.feature_map import FeatureMap
from conversion.kmodel.registers import Registers

SEGMENTS = 16
ACTIVATION_BYTES = 8 * SEGMENTS + SEGMENTS
BATCH_NORM_BYTES = 8
WEIGHT_LOAD_BYTES = 30 * 1024  # what one load may hold: nncase k210 runtime, kpu_conv2d emission
# The top four bits of an activation segment mean nothing; nncase leaves them uninitialised.
_SEGMENT_BITS = (1 << 60) - 1

KERNELS = {0: 1, 1: 3}
# Pooling unit: how many pixels along each side become one, by register value (kmodel V3 compiler, kpu_pool_type_t).
POOL_FACTORS = {0: 1, 1: 2, 2: 2, 3: 4, 4: 4, 5: 2, 6: 2, 7: 4, 8: 1, 9: 1}


@dataclass(frozen=True)
class KpuLayer:
    """Registers and parameter blocks; weights are [C_out][C_in][K][K] bytes, or [C][K][K] if depthwise."""

    registers: Registers
    weights: bytes
    batch_norm: bytes
    activation: bytes

    @property
    def depthwise(self) -> bool:
        """True if every output channel reads only the input channel of its own number."""
        return bool(self.registers.depth_wise_layer)

    @property
    def kernel(self) -> int:
        """Side of the kernel: 1 or 3."""
        return KERNELS[self.registers.kernel_type]

    @property
    def stride(self) -> int:
        """Pixels along a side that the pooling unit turns into one: 1, 2 or 4."""
        return POOL_FACTORS[self.registers.pool_type]

    @property
    def source(self) -> FeatureMap:
        """The map that the layer reads."""
        return FeatureMap(self.registers.i_ch_num, self.registers.i_col_high, self.registers.i_row_wid)

    @property
    def destination(self) -> FeatureMap:
        """The map that the layer writes, after pooling."""
        return FeatureMap(self.registers.o_ch_num, self.registers.o_col_high, self.registers.o_row_wid)

    @property
    def taps(self) -> int:
        """Weights of one output channel."""
        return self.kernel**2 * (1 if self.depthwise else self.registers.i_ch_num)

    @property
    def macs(self) -> tuple[int, int]:
        """Multiply-accumulates: (useful, executed); the KPU computes every pixel, also those that pooling drops."""
        executed = self.taps * self.registers.o_ch_num * self.source.height * self.source.width
        useful = self.taps * self.destination.bytes
        return useful, executed


def masked_activation(table: bytes) -> bytes:
    """The 144 bytes of an activation table with the meaningless bits cleared, so that equal models are equal bytes."""
    segments = struct.unpack_from(f"<{SEGMENTS}Q", table)
    starts = struct.pack(f"<{SEGMENTS}Q", *(segment & _SEGMENT_BITS for segment in segments))
    return starts + table[8 * SEGMENTS : ACTIVATION_BYTES]


def check(layer: KpuLayer, where: str) -> None:
    """Raise ModelFormatError unless registers and parameter blocks fit each other; `where` names the layer."""
    problem = _problem(layer)
    if problem:
        raise ModelFormatError(f"{where}: {problem}")


def _problem(layer: KpuLayer) -> str | None:
    registers = layer.registers
    if registers.kernel_type not in KERNELS:
        return f"kernel type {registers.kernel_type}; the KPU has 0 (1x1) and 1 (3x3)"
    if registers.pool_type not in POOL_FACTORS:
        return f"pool type {registers.pool_type}; the KPU has 0 to 9"
    if registers.bypass_conv or registers.full_add or registers.first_stride or registers.pad_type:
        return "a register mode is set that no compiler emits"
    if layer.depthwise and registers.i_ch_num != registers.o_ch_num:
        return f"depthwise, but {registers.i_ch_num} channels in and {registers.o_ch_num} out"
    if len(layer.batch_norm) != BATCH_NORM_BYTES * registers.o_ch_num or len(layer.activation) != ACTIVATION_BYTES:
        return f"{len(layer.batch_norm)} bytes of batch norm for {registers.o_ch_num} channels"
    return _layout_problem(layer) or _load_problem(layer)


def _layout_problem(layer: KpuLayer) -> str | None:
    registers, source, destination = layer.registers, layer.source, layer.destination
    if (destination.height, destination.width) != (source.height // layer.stride, source.width // layer.stride):
        return f"pooling by {layer.stride} does not turn {source} into {destination}"
    reads = (registers.channel_switch_addr, registers.row_switch_addr, registers.coef_group)
    if reads != (source.group_lines, source.row_lines, source.groups):
        return f"input layout registers {reads} do not fit {source}"
    writes = (registers.wb_channel_switch_addr, registers.wb_row_switch_addr, registers.wb_group)
    if writes != (destination.group_lines, destination.row_lines, destination.groups):
        return f"output layout registers {writes} do not fit {destination}"
    sent = (registers.channel_byte_num, registers.dma_total_byte)
    if sent != (destination.height * destination.width, destination.bytes):
        return f"transfer registers {sent} do not fit {destination}"
    return None


def _load_problem(layer: KpuLayer) -> str | None:
    registers = layer.registers
    channels = registers.o_ch_num
    if len(layer.weights) != layer.taps * channels:
        return f"{len(layer.weights)} bytes of weights, {layer.taps * channels} expected"
    per_load, loads = weight_loads(layer.depthwise, layer.taps, channels)
    if (registers.o_ch_num_coef, registers.para_size) != (per_load, per_load * layer.taps):
        return f"{registers.o_ch_num_coef} channels a weight load, {per_load} expected"
    if registers.load_time != loads:
        return f"{registers.load_time} weight loads, {loads} expected"
    return None


def weight_loads(depthwise: bool, taps: int, channels: int) -> tuple[int, int]:
    """(output channels of one weight load, number of loads) for a layer, by nncase's rule."""
    if depthwise:
        return channels, 1
    per_load = max(1, min(channels, WEIGHT_LOAD_BYTES // taps))
    return per_load, -(-channels // per_load)
