"""How long the KPU takes for a layer, until somebody measures it on silicon: a model of published layer times.

In cycles of the KPU, with G channels in a line of 64 bytes (4 up to 16 pixels wide, 2 up to 32, else 1) and strips of
64 pixels: dense layers pass each input line once an output channel; depthwise layers each line once.
"""

from __future__ import annotations

from collections.abc import Callable

from host_tools.k210.kpu.sums import LINE_BYTES, Registers

# registers, bytes of weights loaded -> cycles of the KPU, its overhead in microseconds aside.
TimeModel = Callable[[Registers, int], float]
# Fitted to the layer times of nncase's issue 77 (silicon, 400 MHz), which it meets within 3 % a layer.
_LINE, _ROW_OF_1X1, _ROW_OF_3X3 = 0.98, 3.56, 2.48
_OUTPUT_LINE, _WEIGHT_BYTES_A_CYCLE = 1.19, 2.9
_DEPTHWISE_LINE, _DEPTHWISE_CHANNEL = 1.85, 31.6
# Microseconds a layer from its last word to its interrupt, beside the sums.
OVERHEAD = 6.5


def layer_cycles(registers: Registers, weight_bytes: int) -> float:
    """Cycles of the KPU for one layer."""
    group = 4 if registers.i_row_wid <= 16 else 2 if registers.i_row_wid <= 32 else 1
    strips, groups = -(-registers.i_row_wid // LINE_BYTES), -(-registers.i_ch_num // group)
    if registers.depth_wise_layer:
        return groups * strips * (_DEPTHWISE_LINE * registers.i_col_high + _DEPTHWISE_CHANNEL)
    row = _ROW_OF_1X1 + (_ROW_OF_3X3 if registers.kernel_type else 0)
    sums = groups * strips * registers.o_ch_num * (_LINE * registers.i_col_high + row)
    written = -(-registers.o_ch_num // group) * strips * registers.i_col_high
    first_load = min(weight_bytes, registers.para_size)
    cycles = sums + _OUTPUT_LINE * written + first_load / _WEIGHT_BYTES_A_CYCLE
    return max(cycles, weight_bytes / _WEIGHT_BYTES_A_CYCLE)
