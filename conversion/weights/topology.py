"""The network as a published file holds it: a chain of convolutions, checked step by step against `network.BODY`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from conversion import network
from conversion.errors import ModelFormatError, UnsupportedModelError
from conversion.network import LayerSpec
from conversion.outside.text import shown
from conversion.posenet_weights import ConvWeights

EXPECTED = f"expected PoseNet MobileNetV1 {network.MULTIPLIER} at output stride {network.OUTPUT_STRIDE}"

# How the published files call their heads. The first match counts: "mid_offset" is one of "offset" too.
# tfjs and .pb: heatmap_2, offset_2, displacement_fwd_2, displacement_bwd_2; the others are the TFLite files'.
_ROLES = (
    ("displacement_fwd", "displacement_fwd"),
    ("displacement_bwd", "displacement_bwd"),
    ("mid_offset", "mid_offsets"),
    ("long_offset", "long_offsets"),
    ("segment", "segments"),
    ("heatmap", "heatmap"),
    ("offset", "offset"),
)
# What a head without a telling name must be, by its channels; fwd and bwd have equally many.
_ROLE_OF_CHANNELS = {head.channels: head.name for head in network.HEADS if not head.name.startswith("displacement")}
# Heads of the wider family (person segmentation), which this project reads, names and leaves out.
LEFT_OUT = ("segments", "long_offsets")


@dataclass(frozen=True)
class Convolution:
    """One convolution with its bias and activation, however many operators the file spends on it.

    `kernel` is HWIO (depthwise [3, 3, C, 1]), `bias` [C_out]; both float32 (or dequantised to it). `names` are the
    names that the file has for it, `source` and `result` the tensors it reads and gives.
    """

    names: tuple[str, ...]
    kind: str
    source: str
    result: str
    kernel: np.ndarray
    bias: np.ndarray
    stride: tuple[int, int]
    dilation: tuple[int, int]
    padding: str
    activation: str

    @property
    def label(self) -> str:
        """What to call it in a message."""
        return shown(self.names[0])

    @property
    def role(self) -> str | None:
        """The head that its names speak of; None when they speak of none, or of two."""
        roles = {role for name in self.names if (role := head_role(name))}
        return roles.pop() if len(roles) == 1 else None


def head_role(name: str) -> str | None:
    """Which head a published name stands for: one of `network.HEAD_NAMES`, "mid_offsets" (fwd and bwd), or LEFT_OUT."""
    return next((role for part, role in _ROLES if part in name.lower()), None)


def body_and_heads(
    convolutions: Sequence[Convolution], source: str, where: str
) -> tuple[dict[str, ConvWeights], list[Convolution]]:
    """Follows the tensor `source` through `network.BODY`; gives the body and the convolutions that end the file.

    Raises UnsupportedModelError where the file's chain is another network's, or holds convolutions outside it.
    """
    readers: dict[str, list[Convolution]] = {}
    for convolution in convolutions:
        readers.setdefault(convolution.source, []).append(convolution)
    body = {}
    tensor = source
    for spec in network.BODY:
        found = readers.get(tensor, [])
        if len(found) != 1:
            raise _another_network(f"{len(found)} convolutions at the place of {spec.name}", convolutions, where)
        _check_layer(spec, found[0], convolutions, where)
        body[spec.name] = ConvWeights(found[0].kernel, found[0].bias)
        tensor = found[0].result
    heads = readers.get(tensor, [])
    if len(body) + len(heads) != len(convolutions):
        outside = len(convolutions) - len(body) - len(heads)
        raise _another_network(f"{outside} convolutions outside the chain", convolutions, where)
    for head in heads:
        _check_head(head, where)
    return body, heads


def heads_by_role(heads: Sequence[Convolution], where: str) -> dict[str, Convolution]:
    """The heads by what their names say (see `head_role`), else by channels; an unknown or second one is refused."""
    by_role: dict[str, Convolution] = {}
    for head in heads:
        role = head.role or _ROLE_OF_CHANNELS.get(head.bias.size)
        if role is None:
            found = f"the output {head.label} of {head.bias.size} channels has no name of this network's"
            raise UnsupportedModelError(f"{where}: {found}; {EXPECTED}")
        if role in by_role:
            raise ModelFormatError(f"{where}: has two outputs called {role}: {by_role[role].label} and {head.label}")
        by_role[role] = head
    return by_role


def describe(convolutions: Sequence[Convolution]) -> str:
    """In words, the network that a list of convolutions looks like."""
    depthwise = sum(convolution.kind == "depthwise" for convolution in convolutions)
    if not convolutions or depthwise < 10:
        return f"a network of {len(convolutions)} convolutions, {depthwise} of them depthwise"
    first = convolutions[0].kernel.shape[-1] if convolutions[0].kind != "depthwise" else 0
    stride = int(np.prod([convolution.stride[0] for convolution in convolutions], dtype=object))
    return f"a MobileNetV1 with {first} channels in its first layer (multiplier {first / 32:g}), output stride {stride}"


def _check_layer(spec: LayerSpec, found: Convolution, convolutions: Sequence[Convolution], where: str) -> None:
    if found.kind != ("depthwise" if spec.kind == "depthwise" else "conv") or found.kernel.shape != spec.kernel_shape:
        shape = "x".join(map(str, found.kernel.shape))
        raise _another_network(f"{found.label} is a {found.kind} layer of shape {shape}", convolutions, where)
    if found.stride != (spec.stride, spec.stride):
        raise _another_network(f"{found.label} has stride {found.stride}, not {spec.stride}", convolutions, where)
    if found.dilation != (1, 1):
        raise UnsupportedModelError(f"{where}: {found.label} is dilated by {found.dilation}; {EXPECTED}, not dilated")
    if found.padding != "SAME" and spec.kernel > 1:
        raise UnsupportedModelError(f"{where}: {found.label} has padding {shown(found.padding)}, expected SAME")
    if found.activation != "relu6":
        raise UnsupportedModelError(f"{where}: {found.label} has activation {shown(found.activation)}, expected ReLU6")


def _check_head(head: Convolution, where: str) -> None:
    plain = head.kind == "conv" and head.stride == head.dilation == (1, 1) and head.activation == "none"
    if not plain or head.kernel.shape[:3] != (1, 1, network.FEATURE_CHANNELS):
        raise UnsupportedModelError(f"{where}: the output {head.label} is not a 1x1 convolution alone; {EXPECTED}")


def _another_network(found: str, convolutions: Sequence[Convolution], where: str) -> UnsupportedModelError:
    return UnsupportedModelError(f"{where}: {describe(convolutions)} ({found}); {EXPECTED}")
