"""Recognises PoseNet's chain of layers in any file, and gives layers and outputs the network's own names."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

from conversion import network
from conversion.inspection.model import Layer, Tensor
from conversion.network import LayerSpec
from conversion.weights import topology

# The first layer of MobileNetV1 1.0 has 32 channels.
_FULL_CHANNELS = 32
_HEADS = (*network.HEAD_NAMES, *topology.LEFT_OUT, "mid_offsets")
# Download, transpose, dequantise: what a compiler puts between a head and its output.
_MOST_STEPS = 8


def named(layers: Sequence[Layer]) -> tuple[tuple[Layer, ...], str | None]:
    """The layers with the network's names, and what the network is called; unchanged and None for another one.

    Names go by kernels and order, so that a file of another multiplier is named too; strides may differ, because on
    the KPU a depthwise layer leaves its stride to the layer after it, and a depthwise layer may run in parts.
    """
    convolutions = [layer for layer in layers if layer.convolution and layer.reads and layer.writes]
    chain = _follow(convolutions)
    if chain is None:
        return tuple(layers), None
    names, body_length = chain
    heads = convolutions[body_length:]
    for layer, name in zip(heads, head_names([layer.file_name for layer in heads], _channels(heads)), strict=True):
        names[layer.number] = (name, "")
    renamed = tuple(_renamed(layer, *names.get(layer.number, ("", ""))) for layer in layers)
    numbers = {layer.number for layer in convolutions[:body_length]}
    return renamed, _called([layer for layer in renamed if layer.number in numbers and layer.begins])


def _renamed(layer: Layer, name: str, part: str) -> Layer:
    return replace(layer, name=name, part=part) if name else layer


def _channels(layers: Sequence[Layer]) -> list[int]:
    return [layer.writes.channels for layer in layers if layer.writes]


def _follow(convolutions: Sequence[Layer]) -> tuple[dict[int, tuple[str, str]], int] | None:
    """Names and parts by layer number along `network.BODY`, and how many layers that took; None for another chain."""
    names: dict[int, tuple[str, str]] = {}
    place, channels = 0, 0
    for spec in network.BODY:
        taken = _take(spec, convolutions[place:], channels)
        if not taken:
            return None
        for part, layer in enumerate(taken, start=1):
            names[layer.number] = (spec.name, f"{part}/{len(taken)}" if len(taken) > 1 else "")
        place += len(taken)
        channels = taken[0].writes.channels if spec.kind != "depthwise" else channels
    heads = convolutions[place:]
    if not heads or any(not _is_head(layer, channels) for layer in heads):
        return None
    return names, place


def _take(spec: LayerSpec, following: Sequence[Layer], channels: int) -> list[Layer]:
    """The layers that make up `spec`: one, or those depthwise ones that together have all `channels`; else none."""
    if spec.kind != "depthwise":
        fits = following and not following[0].convolution.depthwise
        return [following[0]] if fits and following[0].convolution.kernel == (spec.kernel, spec.kernel) else []
    taken, sum_of_channels = [], 0
    for layer in following:
        if not layer.convolution.depthwise or layer.convolution.kernel != (spec.kernel, spec.kernel):
            break
        taken.append(layer)
        sum_of_channels += layer.writes.channels
        if sum_of_channels >= channels:
            break
    return taken if sum_of_channels == channels else []


def _is_head(layer: Layer, channels: int) -> bool:
    plain = not layer.convolution.depthwise and layer.convolution.kernel == (1, 1)
    return plain and layer.reads.channels == channels


def head_names(file_names: Sequence[str], channels: Sequence[int]) -> list[str]:
    """What heads are called: by their own names, else by their channels where these are exactly PoseNet's four."""
    by_name = [topology.head_role(name) or "" for name in file_names]
    if any(by_name) or tuple(channels) != tuple(head.channels for head in network.HEADS):
        return by_name
    return list(network.HEAD_NAMES)


def _called(body: Sequence[Layer]) -> str:
    """What the network is, by its layers; of one in parts the first part alone."""
    stride = math.prod(layer.convolution.stride[0] for layer in body)
    widths = tuple(layer.writes.channels for layer in body if not layer.convolution.depthwise)
    ours = tuple(spec.out_channels for spec in network.BODY if spec.kind != "depthwise")
    if widths == ours:
        return f"PoseNet MobileNetV1 {network.MULTIPLIER}, output stride {stride}"
    return f"MobileNetV1 of multiplier {widths[0] / _FULL_CHANNELS:g}, output stride {stride}"


def with_roles(outputs: Sequence[Tensor], layers: Sequence[Layer]) -> tuple[Tensor, ...]:
    """The outputs with the heads that they are: by their own names, else by those of the layers that give them."""
    by_number = {layer.number: layer for layer in layers}
    return tuple(output if output.role else replace(output, role=_role(output, by_number)) for output in outputs)


def _role(output: Tensor, layers: Mapping[int, Layer]) -> str:
    return topology.head_role(output.name) or role_of(layers.get(output.layer), layers)


def role_of(layer: Layer | None, layers: Mapping[int, Layer]) -> str:
    """The head that a layer is, or that reaches it through operators that only move or rescale it; else ""."""
    for _ in range(_MOST_STEPS):
        if layer is None:
            return ""
        if layer.convolution is not None or layer.name:
            return layer.name if layer.name in _HEADS else ""
        layer = layers.get(layer.sources[0]) if len(layer.sources) == 1 else None
    return ""
