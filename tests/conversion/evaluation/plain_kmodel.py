"""Turns float weights into a kmodel by plain rounding, without nncase: what evaluation is tried on in a second."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from conversion import card, input_pixels, network
from conversion.feature_map import FeatureMap
from conversion.kmodel import assemble, sampling, v3
from conversion.kmodel.kpu_network import Head, KpuNetwork
from conversion.kmodel.layer import KpuLayer
from conversion.kmodel.plan import plan
from conversion.network import LayerSpec
from conversion.posenet_weights import ConvWeights, PoseNetWeights
from tests.conversion.kmodel import networks
from tests.conversion.kpu.layers import pack_batch_norm, relu6_table

# Real values of byte 0 and byte 255, wide enough for the published heads.
RANGES = {
    "heatmap": (-10.0, 6.0),
    "offset": (-63.0, 63.0),
    "displacement_fwd": (-110.0, 190.0),
    "displacement_bwd": (-190.0, 110.0),
}
BYTE = 6 / 255
# Batch norm results are bytes in steps of 2^-16.
STEPS = 1 << 16
LARGEST_CODE = 127


@dataclass(frozen=True)
class Scaling:
    """The real value of a byte and the byte that stands for 0, on one side of a layer."""

    step: float
    zero: int


def kpu_network(weights: PoseNetWeights, width: int = 256, height: int = 192) -> KpuNetwork:
    """The network with each output channel's weights rounded to 8 bits and activations in bytes of 6 / 255."""
    return sampling.early(as_compiled(weights, width, height))


def as_compiled(weights: PoseNetWeights, width: int = 256, height: int = 192) -> KpuNetwork:
    """The same as nncase compiles it: a stride of 2 is the pointwise layer's, behind the depthwise one."""
    source, scaling = (
        FeatureMap(network.INPUT_CHANNELS, height, width),
        Scaling(weights.normalisation.scale, input_pixels.PAD_PIXEL),
    )
    body, pending_stride = [], 1
    for spec in network.BODY:
        layer = weights.body[spec.name]
        if spec.kind == "conv":
            rest = layer.kernel.sum((0, 1, 2)) * input_pixels.rest(weights.normalisation)
            layer = ConvWeights(layer.kernel, layer.bias + rest)
        stride = spec.stride if spec.kind == "conv" else pending_stride if spec.kind == "pointwise" else 1
        pending_stride = spec.stride if spec.kind == "depthwise" else 1
        body.append(_layer(spec, layer, source, stride, scaling, Scaling(BYTE, 0)))
        source, scaling = body[-1].destination, Scaling(BYTE, 0)
    heads = []
    for head in network.HEADS:
        low, high = RANGES[head.name]
        scale = (high - low) / 255
        target = Scaling(scale, round(-low / scale))
        spec = LayerSpec(head.name, "pointwise", 1, 1, network.FEATURE_CHANNELS, head.channels)
        heads.append(Head(_layer(spec, weights.heads[head.name], source, 1, scaling, target), scale, target.zero))
    return KpuNetwork(tuple(body), tuple(heads))


def _layer(
    spec: LayerSpec, layer: ConvWeights, source: FeatureMap, stride: int, read: Scaling, written: Scaling
) -> KpuLayer:
    depthwise = spec.kind == "depthwise"
    base = networks.layer(np.random.default_rng(0), source, spec.out_channels, spec.kernel, depthwise, stride)
    kernel = layer.kernel.transpose(2, 3, 0, 1) if depthwise else layer.kernel.transpose(3, 2, 0, 1)
    scale = np.abs(kernel).max((1, 2, 3)) / LARGEST_CODE
    scale[scale == 0] = 1.0
    codes = (np.rint(kernel / scale[:, None, None, None]) + 128).astype(np.uint8)
    gain = scale * read.step / written.step * STEPS
    shift = np.clip(np.floor(22 - np.log2(gain)), 0, 15).astype(int)
    offset = np.rint((layer.bias / written.step + written.zero) * STEPS).astype(int)
    multiplier = np.rint(gain * 2.0**shift).astype(int)
    registers = replace(
        base.registers,
        pad_value=read.zero,
        arg_x=-128,
        arg_w=-read.zero,
        arg_add=128 * read.zero * spec.kernel**2,
    )
    return KpuLayer(
        registers=registers,
        weights=codes.tobytes(),
        batch_norm=pack_batch_norm(multiplier.tolist(), shift.tolist(), offset.tolist()),
        activation=relu6_table(255 * STEPS),
    )


def write(folder: Path, weights: PoseNetWeights, width: int, height: int, files: Mapping[str, str]) -> Path:
    """Kmodel and card in `folder`, the card naming weight `files` with their SHA-256; gives the kmodel's path."""
    the_network = kpu_network(weights)
    the_plan = plan(the_network, width, height)
    model = assemble.assemble(the_network, the_plan)
    data = v3.write(model)
    path = folder / "plain.kmodel"
    the_card = {
        "format": card.FORMAT,
        "kmodel": card.kmodel_entry(path.name, data),
        **card.network_entries(the_network, the_plan, model.main_memory_bytes),
        "source": {"form": weights.origin.form, "name": "unknown", "sha256": dict(files)},
    }
    folder.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    card.path_beside(path).write_bytes(card.to_json(the_card))
    return path


def rearranged(weights: PoseNetWeights, source: np.ndarray, gain: np.ndarray) -> PoseNetWeights:
    """The same network with other channels in conv0 and depthwise1: slot k holds channel source[k] times gain[k].

    A channel in several slots is shared out among them; one in none is lost.
    """
    first, second, third = (weights.body[name] for name in ("conv0", "depthwise1", "pointwise1"))
    share = 1 / np.bincount(source, minlength=len(first.bias))[source]
    body = {
        **weights.body,
        "conv0": ConvWeights(first.kernel[..., source] * gain, first.bias[source] * gain),
        "depthwise1": ConvWeights(second.kernel[:, :, source], second.bias[source] * gain),
        "pointwise1": ConvWeights(third.kernel[:, :, source] * (share / gain)[:, None], third.bias),
    }
    return replace(weights, body=body)
