"""The float TFLite file (multi_person_mobilenet_v1_075_float.tflite): one size, mid offsets joined, maybe segments."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from conversion.errors import UnsupportedModelError
from conversion.outside import reading
from conversion.outside.text import shown
from conversion.posenet_weights import FLOAT_NORMALISATION, PoseNetWeights, checked
from conversion.weights import known, tflite_file, tflite_network
from conversion.weights.tflite_file import TfliteFile
from conversion.weights.topology import EXPECTED

FORM = "TFLite float"


def load(path: Path) -> PoseNetWeights:
    """The weights of a float TFLite file; heads beyond PoseNet's four are left out and named in the notes.

    Raises ModelFormatError for a damaged file, UnsupportedModelError for another network or another number type.
    """
    file, data = tflite_file.read(path)
    source = tflite_network.only_input(file)
    if source.dtype != "float32":
        raise UnsupportedModelError(
            f"{path}: its input is {shown(source.dtype)}; {EXPECTED} in float32, or Coral's uint8"
        )
    body, heads, notes = tflite_network.body_and_heads(file, _float32, lambda op, _: op.options["activation"])
    origin = known.origin(FORM, {path.name: reading.sha256(data)}, notes)
    return checked(body, tflite_network.weights_of(heads), FLOAT_NORMALISATION, origin, str(path))


def _float32(file: TfliteFile, index: int) -> np.ndarray:
    tensor = file.tensor(index)
    if tensor.dtype != "float32":
        raise UnsupportedModelError(
            f"{file.where}: the weights {shown(tensor.name)} are {shown(tensor.dtype)}; take the float32 file"
        )
    return file.constant(index)
