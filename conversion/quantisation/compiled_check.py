"""Shows that a compiled network is the quantised one: every code equal, every layer's bytes what they should be."""

from __future__ import annotations

import numpy as np

from conversion import network
from conversion.errors import CompilerError
from conversion.kmodel.kpu_network import KpuNetwork
from conversion.kmodel.layer import KpuLayer
from conversion.kpu.activation import ActivationTable, BatchNorm
from conversion.network import LayerSpec
from conversion.quantisation.nncase_grid import LARGEST_BYTE
from conversion.quantisation.result import HEAD_SPECS, QuantisedLayer, QuantisedNetwork

# The KPU multiplies by integers and rounds three times, so that a byte may come out next to the exact one.
_TOLERANCE = 1
_PROBES = np.linspace(-16, LARGEST_BYTE + 16, 64)
_WEIGHT_ZERO_POINT = 128


def verify(compiled: KpuNetwork, quantised: QuantisedNetwork) -> int:
    """The number of codes compared, all equal; CompilerError names the layer and counts what differs.

    Also compared: what each channel makes of sums over its whole range, which scales, biases and ranges decide.
    """
    layers = (*compiled.body, *(head.layer for head in compiled.heads))
    if (len(compiled.body), len(compiled.heads)) != (len(network.BODY), len(HEAD_SPECS)):
        raise CompilerError(
            f"nncase made {len(compiled.body)} layers and {len(compiled.heads)} heads, not "
            f"{len(network.BODY)} and {len(HEAD_SPECS)}"
        )
    specs = network.BODY + HEAD_SPECS
    return sum(_verify(spec, layer, quantised.layers[spec.name]) for spec, layer in zip(specs, layers, strict=True))


def _verify(spec: LayerSpec, compiled: KpuLayer, chosen: QuantisedLayer) -> int:
    codes = _codes_in_kpu_order(spec, chosen.codes)
    found = np.frombuffer(compiled.weights, np.uint8).astype(np.int64) - _WEIGHT_ZERO_POINT
    if found.size != codes.size or (found != codes).any():
        different = (found != codes).sum() if found.size == codes.size else codes.size
        raise CompilerError(f"layer {spec.name}: {different} of {codes.size} weights changed in nncase")
    off = _differences(compiled, chosen, spec.name)
    if off > _TOLERANCE:
        raise CompilerError(
            f"layer {spec.name}: nncase's ranges are not the chosen ones, bytes differ by up to {off}: the calibration "
            f"photos do not reach the ends of every range; give more of them"
        )
    return codes.size


def _codes_in_kpu_order(spec: LayerSpec, codes: np.ndarray) -> np.ndarray:
    """[C_out][C_in][K][K], or [C][K][K] if depthwise, flat."""
    order = (2, 3, 0, 1) if spec.kind == "depthwise" else (3, 2, 0, 1)
    return codes.transpose(order).astype(np.int64).ravel()


def _differences(compiled: KpuLayer, chosen: QuantisedLayer, where: str) -> int:
    """The largest difference of a byte over sums that a channel can have and that its byte depends on."""
    scale, bias = (values.astype(np.float64)[:, None] for values in (chosen.scale, chosen.bias))
    most = np.abs(chosen.matrix.astype(np.int64)).sum(0)[:, None] * LARGEST_BYTE
    sums = np.rint((_PROBES - bias) / scale).clip(-most, most).astype(np.int64)
    expected = np.clip(np.rint(sums * scale + bias), 0, LARGEST_BYTE)
    found = ActivationTable(compiled.activation, where).apply(BatchNorm(compiled.batch_norm).apply(sums))
    return int(np.abs(found - expected).max())
