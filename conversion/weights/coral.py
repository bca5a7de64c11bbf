"""Coral's quantised TFLite files: dequantised exactly, with the ReLU6 that their number ranges only imply."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from conversion.errors import ModelFormatError, UnsupportedModelError
from conversion.outside import reading
from conversion.outside.text import shown
from conversion.posenet_weights import Normalisation, PoseNetWeights, checked
from conversion.weights import known, tflite_file, tflite_network
from conversion.weights.tflite_file import Operator, Quantisation, Tensor, TfliteFile
from conversion.weights.topology import Convolution

FORM = "Coral quantised TFLite"
DECODER = "PosenetDecoderOp"
EDGE_TPU = "edgetpu-custom-op"
# The pixel 128 is 0 and 255 is 127/128.
NORMALISATION = Normalisation(scale=1 / 128, offset=-1.0)
_INPUT_ZERO_POINT = 128
# The body's activations are uint8 with zero point 0 over [0, 6): saturation is what stands in for ReLU6. Coral's
# own range ends at 5.9998.
_RELU6_TOLERANCE = 0.01
# float32 products, rounded once.
_SCALE_TOLERANCE = 1e-6
# Short offsets reach some 60 px in the float network; a range that ends below this clips what decoding needs.
_SHORT_OFFSET_PX = 32


def load(path: Path) -> PoseNetWeights:
    """The weights of Coral's `..._quant_decoder.tflite`, or of the component `..._quant.tflite` with a note.

    Each number is (q - zero_point) * scale, computed exactly and rounded once to float32. Raises ModelFormatError for
    a damaged file, UnsupportedModelError for another network and for files compiled for the Edge TPU.
    """
    file, data = tflite_file.read(path)
    if any(op.name == EDGE_TPU for op in file.operators):
        raise UnsupportedModelError(
            f"{path}: is compiled for the Edge TPU, which hides the network in a binary; take the same model without "
            f"_edgetpu: {path.name.replace('_edgetpu', '')}"
        )
    _check_input(tflite_network.only_input(file), file)
    body, heads, notes = tflite_network.body_and_heads(file, _dequantised, _activation, DECODER)
    _check_scales(file)
    _check_decoder(file)
    origin = known.origin(FORM, {path.name: reading.sha256(data)}, notes + _clipped(file, heads))
    return checked(body, tflite_network.weights_of(heads), NORMALISATION, origin, str(path))


def claims(file: TfliteFile) -> bool:
    """Whether a TFLite file is this module's to load, or to refuse with its own words: uint8 input, or Edge TPU."""
    edge_tpu = any(op.name == EDGE_TPU for op in file.operators)
    return edge_tpu or any(file.tensor(index).dtype == "uint8" for index in file.inputs)


def _check_input(tensor: Tensor, file: TfliteFile) -> None:
    scale, zero_point = _one(tensor, file)
    if scale != NORMALISATION.scale or zero_point != _INPUT_ZERO_POINT:
        raise UnsupportedModelError(
            f"{file.where}: its input is (x - {zero_point}) * {scale:g}; expected Coral's (x - 128) / 128"
        )


def _one(tensor: Tensor, file: TfliteFile) -> tuple[float, int]:
    """The tensor's one scale (float32, as a Python float) and zero point."""
    quantisation = tensor.quantisation or Quantisation(np.empty(0), np.empty(0))
    if quantisation.scales.size != 1:
        raise UnsupportedModelError(
            f"{file.where}: tensor {shown(tensor.name)} has {quantisation.scales.size} scales; expected one per tensor"
        )
    scale, zero_point = float(quantisation.scales[0]), int(quantisation.zero_points[0])
    if not 0 < scale < np.inf or not 0 <= zero_point <= (0 if tensor.dtype == "int32" else 255):
        raise ModelFormatError(f"{file.where}: tensor {shown(tensor.name)} has scale {scale}, zero point {zero_point}")
    return scale, zero_point


def _dequantised(file: TfliteFile, index: int) -> np.ndarray:
    """Kernel (uint8) or bias (int32) as float32. At most 32 bits times 24 bits: exact in float64, then rounded once."""
    tensor = file.tensor(index)
    if tensor.dtype not in ("uint8", "int32"):
        raise UnsupportedModelError(
            f"{file.where}: the weights {shown(tensor.name)} are {shown(tensor.dtype)}, not uint8"
        )
    scale, zero_point = _one(tensor, file)
    return ((file.constant(index).astype(np.float64) - zero_point) * scale).astype(np.float32)


def _activation(op: Operator, output: Tensor) -> str:
    """ReLU6 where the output's range is [0, 6], whether the operator says so or not."""
    quantisation = output.quantisation
    if output.dtype != "uint8" or quantisation is None or quantisation.scales.size != 1:
        return "not quantised to uint8"
    implied = quantisation.zero_points[0] == 0 and abs(float(quantisation.scales[0]) * 255 - 6) < _RELU6_TOLERANCE
    stated = op.options["activation"]
    return "relu6" if implied and stated in ("none", "relu6") else str(stated)


def _check_scales(file: TfliteFile) -> None:
    """A bias has the scale of the sums that it is added to: input's times kernel's (TFLite's rule)."""
    for op in file.operators:
        if op.name not in tflite_network.KINDS:
            continue
        source, kernel, bias = (_one(file.tensor(index), file)[0] for index in op.inputs)
        if abs(bias - source * kernel) > _SCALE_TOLERANCE * bias:
            name = shown(file.tensor(op.inputs[1]).name)
            raise ModelFormatError(f"{file.where}: the scales of {name} and of its bias do not belong together")


def _check_decoder(file: TfliteFile) -> None:
    """The decoder, where there is one, reads three tensors: heatmap, offsets, displacements."""
    decoders = [op for op in file.operators if op.name == DECODER]
    if any(len(op.inputs) != 3 for op in decoders) or len(decoders) > 1:
        raise ModelFormatError(f"{file.where}: its {DECODER} does not read heatmap, offsets and displacements")


def _clipped(file: TfliteFile, heads: dict[str, Convolution]) -> tuple[str, ...]:
    """A note where the file's own offset output is clipped (the component file); the weights are not."""
    offset = heads.get("offset")
    if offset is None:
        return ()
    scale, zero_point = _one(file.tensor(int(offset.result)), file)
    reach = min(zero_point, 255 - zero_point) * scale
    if reach >= _SHORT_OFFSET_PX:
        return ()
    return (
        f"the file's own offset output is clipped to {reach:.0f} px (the weights, and so the kmodel, are not); to "
        "compare outputs, take the ..._quant_decoder.tflite file",
    )
