"""Makes random networks lively: batch norms that keep the bytes spread, so that a wrong byte early shows at the end."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from conversion.kmodel.kpu_network import KpuNetwork
from conversion.kmodel.layer import KpuLayer
from tests.conversion.kpu.layers import pack_batch_norm, relu6_table

# The table's span: as with nncase, a byte stands for many steps of a batch norm result.
SPAN = 1 << 24


def lively(network: KpuNetwork, picture: np.ndarray) -> KpuNetwork:
    """The network with batch norms and tables that spread the bytes of `picture`, uint8 [C, H, W], in every layer."""
    values = picture.astype(np.float64)
    body = []
    for layer in network.body:
        layer, values = _spread(layer, values)
        body.append(layer)
    heads = tuple(replace(head, layer=_spread(head.layer, values)[0]) for head in network.heads)
    return KpuNetwork(tuple(body), heads)


def _spread(layer: KpuLayer, values: np.ndarray) -> tuple[KpuLayer, np.ndarray]:
    """The layer so that a channel's mean comes out in the middle and two standard deviations at the ends."""
    sums = _sums(layer, values)[:, :: layer.stride, :: layer.stride]
    centres, widths = sums.mean((1, 2)), sums.std((1, 2)) + 1
    gains = SPAN / (4 * widths)
    shifts = np.clip(np.floor(22 - np.log2(gains)), 0, 15).astype(int)
    multipliers = np.minimum(gains * 2.0**shifts, 2**23 - 1).astype(int)
    offsets = (SPAN / 2 - centres * multipliers / 2.0**shifts).astype(int)
    batch_norm = pack_batch_norm(multipliers.tolist(), shifts.tolist(), offsets.tolist())
    levels = np.clip((sums - centres[:, None, None]) / (4 * widths[:, None, None]) + 0.5, 0, 1) * 255
    return replace(layer, batch_norm=batch_norm, activation=relu6_table(SPAN)), np.rint(levels)


def _sums(layer: KpuLayer, values: np.ndarray) -> np.ndarray:
    registers, edge = layer.registers, layer.kernel // 2
    kernel = np.frombuffer(layer.weights, np.uint8).astype(np.float64) + registers.arg_x
    kernel = kernel.reshape(registers.o_ch_num, -1, layer.kernel, layer.kernel)
    padded = np.pad(values, ((0, 0), (edge, edge), (edge, edge)), constant_values=registers.pad_value)
    windows = sliding_window_view(padded, kernel.shape[2:], (1, 2))
    if layer.depthwise:
        return np.einsum("cyxkl,ckl->cyx", windows, kernel[:, 0])
    return np.tensordot(kernel, windows, ((1, 2, 3), (0, 3, 4)))
