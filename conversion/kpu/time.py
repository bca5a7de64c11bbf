"""How long the KPU takes for a layer, by its registers: a model fitted to layer times that others measured on silicon.

The KPU reads and writes lines of 64 bytes, about one a cycle, once for every output channel: time follows lines, not
multiplications. A 1x1 kernel takes as long as a dense 3x3 one, a depthwise layer next to nothing, and a map of 20
columns, of which two channels share a line, wastes a third of each.

Sources of the times: nncase issues #77 and #92, bbs.sipeed.com topic 691; of the copy: nncase issues #95 and #96. They
lie in tests/conversion/kpu/layer_times.toml, with the errors that the model makes on them. No board of ours has
measured anything.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from conversion.feature_map import FeatureMap
from conversion.kmodel.layer import KERNELS
from conversion.kmodel.registers import Registers

# What MaixPy sets the KPU's clock to, and the clock of most published times.
KPU_HZ = 400_000_000
# The driver's work between two layers; the processor does it, so that it does not follow the KPU's clock.
LAYER_START_SECONDS = 6.5e-6
# The processor's copy of a result from KPU RAM to main memory.
COPY_SECONDS_A_BYTE = 21.4e-9
# What to expect of a whole network: published sums are met within 2 %, the rest is for what they do not hold.
ERROR = 0.05

# Cycles of a dense layer: a line of input for one output channel; a strip (64 columns of all rows) for one output
# channel, more with a 3x3 kernel; a line of output, before pooling.
_INPUT_LINE, _STRIP, _STRIP_3X3, _OUTPUT_LINE = 0.98, 3.56, 2.48, 1.19
# Weights arrive at this rate; the KPU loads those of the next channels while it computes.
_WEIGHT_BYTES_A_CYCLE = 2.9
# Cycles of a depthwise layer: a line, and a row of one channel.
_DEPTHWISE_LINE, _DEPTHWISE_ROW = 1.866, 1.044


@dataclass(frozen=True)
class Estimate:
    """What a network is expected to take, in seconds: each layer on the KPU in order, and the copy of its results."""

    layers: tuple[float, ...]
    copy: float

    @property
    def kpu(self) -> float:
        """Seconds of all layers, without the copy."""
        return sum(self.layers)

    @property
    def total(self) -> float:
        """Seconds from the start of the first layer until the results lie in main memory."""
        return self.kpu + self.copy


def cycles(registers: Registers) -> int:
    """KPU cycles from the start of a layer to its end, without the driver's work and any copy."""
    source = FeatureMap(registers.i_ch_num, registers.i_col_high, registers.i_row_wid)
    if registers.depth_wise_layer:
        return round(_DEPTHWISE_LINE * source.lines + _DEPTHWISE_ROW * source.channels * source.height)
    strips = source.lines // source.height
    a_line = _INPUT_LINE * source.height + _STRIP + (_STRIP_3X3 if KERNELS.get(registers.kernel_type) == 3 else 0)
    written = FeatureMap(registers.o_ch_num, source.height, source.width)
    computing = registers.o_ch_num * strips * a_line + _OUTPUT_LINE * written.lines
    load = registers.para_size / _WEIGHT_BYTES_A_CYCLE
    return round(load + max(computing, load * (registers.load_time - 1)))


def seconds(registers: Registers, clock_hz: int = KPU_HZ) -> float:
    """Seconds of a layer on a KPU of this clock, with the driver's work before it."""
    return cycles(registers) / clock_hz + LAYER_START_SECONDS


def estimate(layers: Iterable[Registers], copied_bytes: int, clock_hz: int = KPU_HZ) -> Estimate:
    """The time of layers that run one after another and of `copied_bytes` of results."""
    return Estimate(tuple(seconds(layer, clock_hz) for layer in layers), copied_bytes * COPY_SECONDS_A_BYTE)
