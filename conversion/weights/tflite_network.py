"""The convolutions and heads in a TFLite file, float or quantised: what both TFLite importers share."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

import numpy as np

from conversion import network
from conversion.errors import ModelFormatError, UnsupportedModelError
from conversion.outside.text import shown
from conversion.posenet_weights import ConvWeights
from conversion.weights import topology
from conversion.weights.graph_nodes import check_input
from conversion.weights.tflite_file import Operator, Tensor, TfliteFile
from conversion.weights.topology import EXPECTED, Convolution

KINDS = {"CONV_2D": "conv", "DEPTHWISE_CONV_2D": "depthwise"}
# Channels of fwd, then of bwd, in the joined "mid offsets" of the TFLite files.
_MID_OFFSETS = ("displacement_fwd", "displacement_bwd")
_SPLIT = next(head.channels for head in network.HEADS if head.name == "displacement_fwd")

# Gives a constant tensor as float32.
Numbers = Callable[[TfliteFile, int], np.ndarray]
# Gives the activation that an operator applies, from the operator and its output tensor.
Activation = Callable[[Operator, Tensor], str]


def only_input(file: TfliteFile) -> Tensor:
    """The file's one input, a picture; UnsupportedModelError for anything else."""
    if len(file.inputs) != 1:
        raise UnsupportedModelError(f"{file.where}: has {len(file.inputs)} inputs; {EXPECTED}, with one input")
    tensor = file.tensor(file.inputs[0])
    check_input(tensor.shape or (0,), file.where)
    return tensor


def body_and_heads(
    file: TfliteFile, numbers: Numbers, activation: Activation, decoder: str | None = None
) -> tuple[dict[str, ConvWeights], dict[str, Convolution], tuple[str, ...]]:
    """Body layers, heads by role and what was left out, in words; `decoder` is a custom operator to look behind.

    The roles are those of `network.HEADS`; a joined mid-offset head is taken apart. Raises ModelFormatError and
    UnsupportedModelError.
    """
    convolutions = [_convolution(file, op, numbers, activation) for op in file.operators if op.name in KINDS]
    others = [op for op in file.operators if op.name not in KINDS]
    foreign = sorted({op.name for op in others} - {"CONCATENATION", decoder})
    if foreign:
        raise UnsupportedModelError(
            f"{file.where}: {topology.describe(convolutions)} with operators that this network lacks "
            f"({shown(', '.join(foreign))}); {EXPECTED}"
        )
    body, heads = topology.body_and_heads(convolutions, str(file.inputs[0]), file.where)
    joined = _joined(file, [op for op in others if op.name == "CONCATENATION"], heads)
    by_role = topology.heads_by_role([joined.get(head.result, head) for head in heads], file.where)
    _take_apart(by_role, file.where)
    left_out = tuple(
        f"the output {head.label} ({role.replace('_', ' ')}, channels: {head.bias.size}) is left out of the kmodel"
        for role, head in by_role.items()
        if role in topology.LEFT_OUT
    )
    return body, {role: head for role, head in by_role.items() if role not in topology.LEFT_OUT}, left_out


def weights_of(heads: dict[str, Convolution]) -> dict[str, ConvWeights]:
    """Kernel and bias of each head."""
    return {role: ConvWeights(head.kernel, head.bias) for role, head in heads.items()}


def _convolution(file: TfliteFile, op: Operator, numbers: Numbers, activation: Activation) -> Convolution:
    if len(op.inputs) != 3 or len(op.outputs) != 1 or not op.options:
        raise ModelFormatError(f"{file.where}: a {op.name} has no kernel, bias, output or options")
    source, kernel, bias = op.inputs
    output = file.tensor(op.outputs[0])
    return Convolution(
        names=(output.name, file.tensor(kernel).name),
        kind=KINDS[op.name],
        source=str(source),
        result=str(op.outputs[0]),
        kernel=_hwio(numbers(file, kernel), op, file),
        bias=numbers(file, bias),
        stride=op.options["stride"],
        dilation=op.options["dilation"],
        padding=op.options["padding"],
        activation=activation(op, output),
    )


def _hwio(kernel: np.ndarray, op: Operator, file: TfliteFile) -> np.ndarray:
    """TFLite's OHWI kernel (depthwise: [1, H, W, C]) in TensorFlow's order."""
    if kernel.ndim != 4 or (op.name == "DEPTHWISE_CONV_2D" and kernel.shape[0] != 1):
        raise ModelFormatError(f"{file.where}: a {op.name} has a kernel of shape {kernel.shape}")
    return kernel.transpose(1, 2, 3, 0)


def _joined(
    file: TfliteFile, concatenations: Sequence[Operator], heads: Sequence[Convolution]
) -> dict[str, Convolution]:
    """The heads that a concatenation joins (by the tensor they give), named fwd and bwd by their place in it."""
    by_result = {head.result: head for head in heads}
    joined = {}
    for op in concatenations:
        parts = [by_result.get(str(index)) for index in op.inputs]
        roles = [part.role for part in parts if part]
        named = roles == [*_MID_OFFSETS] or (roles == [None, None] and _is_mid_offsets(file, op))
        if None in parts or not named or op.options.get("axis") not in (3, -1) or op.options["activation"] != "none":
            raise UnsupportedModelError(
                f"{file.where}: a CONCATENATION joins something other than the displacements forward and backward"
            )
        for role, part in zip(_MID_OFFSETS, parts, strict=True):
            joined[part.result] = dataclasses.replace(part, names=(role,))
    return joined


def _is_mid_offsets(file: TfliteFile, op: Operator) -> bool:
    return any(topology.head_role(file.tensor(index).name) == "mid_offsets" for index in op.outputs)


def _take_apart(by_role: dict[str, Convolution], where: str) -> None:
    """A single convolution for the mid offsets becomes the two heads that it holds."""
    mid = by_role.pop("mid_offsets", None)
    if mid is None:
        return
    halves = (slice(None, _SPLIT), slice(_SPLIT, None))
    for role, half in zip(_MID_OFFSETS, halves, strict=True):
        if role in by_role:
            raise ModelFormatError(f"{where}: has both {mid.label} and {by_role[role].label}")
        by_role[role] = dataclasses.replace(mid, names=(role,), kernel=mid.kernel[..., half], bias=mid.bias[half])
