"""The roundings that lie here as package data, by the weights that they are for; nothing that is damaged is taken."""

from __future__ import annotations

import hashlib
import lzma
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from conversion.errors import ModelFormatError, RoundingError
from conversion.outside import reading
from conversion.outside.text import shown
from conversion.posenet_weights import PoseNetWeights
from conversion.quantisation.known import packing
from conversion.quantisation.result import SPECS, QuantisedLayer, QuantisedNetwork

DESCRIPTION = "posenet_mobilenet_075.json"
CODES = "posenet_mobilenet_075.xz"
FOLDER = Path(__file__).parent
FORMAT = "posenet-maix rounding 1"
_MOST_BYTES = 4 << 20
_UNREADABLE = (ValueError, TypeError, LookupError, EOFError, ArithmeticError, lzma.LZMAError, zipfile.BadZipFile)


@dataclass(frozen=True)
class Shipped:
    """A shipped rounding: the network for nncase, at `size` (width, height), and what its description says of it."""

    network: QuantisedNetwork
    size: tuple[int, int]
    description: Mapping


def find(weights: PoseNetWeights, folder: Path = FOLDER) -> Shipped | None:
    """The rounding that is shipped for these very weights, None if there is none.

    RoundingError if there should be one but the files in `folder` are missing, damaged, or do not belong together.
    """
    path = folder / DESCRIPTION
    try:
        description = reading.parse_json(reading.read_file(path, _MOST_BYTES), path)
        known = {entry["sha256"] for entry in description["weights"]}
        if weights.digest() not in known:
            return None
        if description["format"] != FORMAT:
            raise ValueError(f"its format is {shown(description['format'])}, not {FORMAT}")
        packed = _packed(folder / CODES, description, weights)
        return Shipped(packed.network(weights), packed.size, description)
    except ModelFormatError as error:
        raise RoundingError(f"shipped rounding: {error}") from error
    except _UNREADABLE as error:
        raise RoundingError(f"shipped rounding: {path} and {CODES} are damaged ({shown(error)})") from error


def _packed(path: Path, description: Mapping, weights: PoseNetWeights) -> packing.Packed:
    data = reading.read_file(path, _MOST_BYTES)
    if reading.sha256(data) != description["file"]["sha256"]:
        raise ValueError(f"{path.name} has another SHA-256 than {DESCRIPTION} says")
    packed = packing.unpack(data, weights)
    if codes_sha256(packed.layers) != description["codes"]["sha256"]:
        raise ValueError("the codes that come out are not those that were chosen")
    return packed


def codes_sha256(layers: Mapping[str, QuantisedLayer]) -> str:
    """SHA-256 over all codes, as they lie in the kernels, in the network's order."""
    state = hashlib.sha256()
    for spec in SPECS:
        state.update(layers[spec.name].codes.tobytes())
    return state.hexdigest()
