"""Takes a stride of 2 in the depthwise layer, not in the pointwise one behind it, which then has a quarter to do.

nncase leaves it to the pointwise layer, because the pooling unit, which drops the pixels, is only ever used behind
dense layers. But a depthwise layer of a few channels can be written as a dense one whose other weights stand for zero:
the same sums, bit for bit. A dense 3x3 kernel takes the KPU hardly longer than a 1x1 one, so that this costs next to
nothing while the channels are few; a depthwise layer of many runs in parts.
"""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np

from conversion.feature_map import FeatureMap
from conversion.kmodel.kpu_network import KpuNetwork
from conversion.kmodel.layer import KpuLayer

# Pooling that keeps the left top pixel of each 2x2 (kmodel V3 compiler, kpu_pool_type_t).
LEFT_TOP = 5
# Parts of so many channels are next to the fastest at most sizes; `kpu/fastest.py` finds those of one size.
PART_CHANNELS = 16


def early(network: KpuNetwork) -> KpuNetwork:
    """The same network with every stride of 2 moved from a pointwise layer to the depthwise layer before it.

    A stride stays where it is if the depthwise layer's weights have no code for zero.
    """
    body = list(network.body)
    for at, (before, layer) in enumerate(itertools.pairwise(network.body), start=1):
        samples = layer.kernel == 1 and not layer.depthwise and layer.registers.pool_type == LEFT_TOP
        if samples and before.depthwise and before.stride == 1 and _zero_code(before) is not None:
            body[at - 1], body[at] = _pooling(before, LEFT_TOP), _pooling(layer, 0)
    return replace(network, body=tuple(body))


def _pooling(layer: KpuLayer, pool_type: int) -> KpuLayer:
    return replace(layer, registers=replace(layer.registers, pool_type=pool_type))


def runs_dense(layer: KpuLayer) -> bool:
    """Whether a network's layer has to run as dense ones: depthwise, and drops pixels."""
    return layer.depthwise and layer.stride > 1


def part_sizes(network: KpuNetwork) -> list[int]:
    """The numbers of channels that are worth a thought for the parts of layers that run dense; [0] if none does."""
    counts = {layer.registers.o_ch_num for layer in network.body if runs_dense(layer)}
    return sorted({size for count in counts for size in range(2, count + 1) if count % size == 0}) or [0]


def parts(source: FeatureMap, result: FeatureMap, size: int) -> list[range]:
    """The channels of each dense layer: equal parts, of `size` channels or the next fewer that are possible.

    A part is made of whole groups of both maps, so that no line of KPU RAM is shared by two.
    """
    group, channels = max(source.groups, result.groups), source.channels
    possible = [count for count in range(group, channels, group) if channels % count == 0] or [channels]
    chosen = max((count for count in possible if count <= size), default=possible[0])
    return [range(first, first + chosen) for first in range(0, channels, chosen)]


def dense_weights(layer: KpuLayer, channels: range) -> bytes:
    """[n][n][3][3]: the weights of n channels of a depthwise layer on the diagonal, the code for zero elsewhere."""
    count = len(channels)
    weights = np.full((count, count, layer.taps), _zero_code(layer), np.uint8)
    own = np.frombuffer(layer.weights, np.uint8).reshape(-1, layer.taps)
    weights[range(count), range(count)] = own[channels.start : channels.stop]
    return weights.tobytes()


def as_depthwise(layer: KpuLayer) -> KpuLayer:
    """A dense layer made by `dense_weights` as the depthwise layer that it stands for; any other as it is."""
    registers, count, zero = layer.registers, layer.registers.o_ch_num, _zero_code(layer)
    square = not layer.depthwise and layer.kernel == 3 and registers.i_ch_num == count > 1
    if not square or registers.pool_type != LEFT_TOP or zero is None:
        return layer
    weights = np.frombuffer(layer.weights, np.uint8).reshape(count, count, -1)
    if (weights[~np.eye(count, dtype=bool)] != zero).any():
        return layer
    diagonal = weights[range(count), range(count)].tobytes()
    return replace(layer, registers=replace(registers, depth_wise_layer=1), weights=diagonal)


def macs(layer: KpuLayer) -> tuple[int, int]:
    """Multiply-accumulates of a layer as the KPU runs it: (useful, executed); products with zero are of no use."""
    return as_depthwise(layer).macs[0], layer.macs[1]


def _zero_code(layer: KpuLayer) -> int | None:
    """The weight that adds nothing to a sum, whatever it is multiplied with; None if no byte does.

    A sum is that of (w + arg_x) * x and arg_w * w over all taps, and arg_add for each input channel: a channel whose
    weights are all -arg_x adds nothing if its arg_add makes up for its arg_w.
    """
    registers, code = layer.registers, -layer.registers.arg_x
    shifted = registers.shr_x or registers.shr_w
    if shifted or not 0 <= code <= 255 or registers.arg_add != -registers.arg_w * code * layer.kernel**2:
        return None
    return code
