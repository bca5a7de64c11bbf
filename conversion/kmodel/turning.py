"""A network for a picture that lies on its side in memory: all kernels transposed, y and x of the heads exchanged.

A board that stands upright has its camera turned by 90 degrees and mirrored in one axis: memory then holds the
transposed picture. The network that finds people there is the same one with rows and columns exchanged, bit for bit: a
3x3 kernel and its transpose see the same pixels, pooling keeps the left top pixel of each 2x2 either way, and cell
(x, y) of the upright grid is cell (y, x) of the other. Codes, scales and tables stay as they are, and so does the time.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from conversion import portrait
from conversion.kmodel.kpu_network import KpuNetwork
from conversion.kmodel.layer import KpuLayer
from conversion.kmodel.v3 import V3Model
from conversion.network import HEADS, HeadSpec


def turned(network: KpuNetwork) -> KpuNetwork:
    """The network for transposed pictures; turned twice it is the network that it was."""
    heads = zip(HEADS, network.heads, strict=True)
    return replace(
        network,
        body=tuple(map(_transposed, network.body)),
        heads=tuple(replace(head, layer=_exchanged(spec, head.layer)) for spec, head in heads),
    )


def turned_file(model: V3Model) -> V3Model:
    """A kmodel's layers likewise, so that its network can be read back; the registers stay those of its own picture."""
    specs = iter(HEADS)
    layers = [
        replace(
            each, layer=_transposed(each.layer) if each.main_memory is None else _exchanged(next(specs), each.layer)
        )
        for each in model.convolutions
    ]
    return replace(model, layers=tuple(layers))


def _transposed(layer: KpuLayer) -> KpuLayer:
    kernels = np.frombuffer(layer.weights, np.uint8).reshape(-1, layer.kernel, layer.kernel)
    return replace(layer, weights=portrait.transposed(kernels).tobytes())


def _exchanged(spec: HeadSpec, layer: KpuLayer) -> KpuLayer:
    """A head with its channels for y and x changed over, if it has such."""
    if not portrait.HAS_AXES[spec.name]:
        return layer
    weights, batch_norm = (
        portrait.axes_exchanged(np.frombuffer(block, np.uint8).reshape(spec.channels, -1)).tobytes()
        for block in (layer.weights, layer.batch_norm)
    )
    return replace(layer, weights=weights, batch_norm=batch_norm)
