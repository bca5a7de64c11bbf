"""Looks into any file of this project's world: weights as published, TFLite, kmodel V3, V4, V5."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

from conversion.errors import UnsupportedModelError
from conversion.inspection import kmodel_v3, kmodel_v4, kmodel_v5
from conversion.inspection.model import FilePart, Inspection
from conversion.kmodel import v3_container, v4, v5_container
from conversion.outside import reading

# First words of files for the K210 that hide their content (the firmware's own numbers for them).
_ENCRYPTED = {
    0x2713: "an encrypted kmodel V3",
    0x534D444C: "an encrypted kmodel V4",
    0x454D444C: "an encrypted .emodel",
}
_WORDS = struct.Struct("<2I")


def inspect(path: Path) -> Inspection:
    """What the file or folder holds, recognised by its content.

    Raises ModelFormatError for damage and UnsupportedModelError for anything else, one line each.
    """
    if not path.is_dir():
        data = reading.read_file(path)
        describe = _kmodel(data, path)
        if describe is not None:
            return describe(path, data, _part(path, data))
    return _weights(path)


def _weights(path: Path) -> Inspection:
    """The same of weights. Their readers need packages that who only reads kmodels does without."""
    from conversion.inspection import tensorflow_files, tflite
    from conversion.weights import frozen_graph, tfjs_checkpoint, tfjs_graph

    importer, file = _recognised(path)
    if importer in (tfjs_graph, frozen_graph, tfjs_checkpoint):
        return tensorflow_files.describe(importer, file)
    data = reading.read_file(file)
    return tflite.describe(file, data, _part(file, data))


def _recognised(path: Path) -> tuple[ModuleType, Path]:
    """The importer of a weights file; the list of what is accepted names kmodels too."""
    from conversion.weights.recognise import ACCEPTED, recognise

    try:
        return recognise(path)
    except UnsupportedModelError as error:
        if ACCEPTED not in str(error):
            raise
        raise UnsupportedModelError(f"{error}, or a kmodel V3, V4 or V5") from error


def _kmodel(data: bytes, path: Path) -> Callable[[Path, bytes, tuple[FilePart, ...]], Inspection] | None:
    """The module function that describes this kmodel; None for a file that is none."""
    first, second = _WORDS.unpack(data[: _WORDS.size].ljust(_WORDS.size, b"\0"))
    if first in _ENCRYPTED:
        raise UnsupportedModelError(f"{path}: is {_ENCRYPTED[first]}, which only the board it was made for can read")
    if first == v3_container.VERSION:
        return kmodel_v3.describe
    if first != v5_container.IDENTIFIER:
        return None
    if second not in _DESCRIBE:
        raise UnsupportedModelError(f"{path}: is a kmodel V{second}; V3, V4 and V5 are for the K210")
    return _DESCRIBE[second]


_DESCRIBE = {v4.VERSION: kmodel_v4.describe, v5_container.VERSION: kmodel_v5.describe}


def _part(path: Path, data: bytes) -> tuple[FilePart, ...]:
    return (FilePart(path.name, len(data), reading.sha256(data)),)
