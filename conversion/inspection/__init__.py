"""Looks into any file of this project's world: weights as published, TFLite, kmodels, K210 firmware, packages."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType

from conversion import firmware_image
from conversion.errors import ConversionError, UnsupportedModelError
from conversion.inspection import firmware, kmodel_v3, kmodel_v4, kmodel_v5, package
from conversion.inspection.model import FilePart, Inspection
from conversion.kmodel import v3_container, v4, v5_container
from conversion.kmodel.recognise import recognise
from conversion.outside import reading


def inspect(path: Path) -> Inspection:
    """What the file or folder holds, recognised by its content.

    Raises ModelFormatError for damage and UnsupportedModelError for anything else, one line each.
    """
    if not path.is_dir():
        data = reading.read_file(path)
        describe = _kmodel(data, path)
        if describe is not None:
            return describe(path, data, _part(path, data))
        if package.is_zip(data):
            return package.describe(path, data, _name_of_kmodel, _of_kmodel)
        found = firmware_image.recognise(data)
        if found is not None:
            return firmware.describe(path, data, _part(path, data), found)
    try:
        return _weights(path)
    except ConversionError as error:
        other = None if path.is_dir() else firmware.what_else(data)
        if other is None:
            raise
        raise UnsupportedModelError(f"{path}: is {other}") from error


def _name_of_kmodel(data: bytes) -> str | None:
    found = recognise(data)
    return found.name if found else None


def _of_kmodel(path: Path, data: bytes) -> Inspection:
    """The same of a kmodel that is in a package."""
    return _kmodel(data, path)(path, data, _part(path, data))


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
        raise UnsupportedModelError(f"{error}, or a kmodel V3, V4 or V5, or a firmware for the K210") from error


def _kmodel(data: bytes, path: Path) -> Callable[[Path, bytes, tuple[FilePart, ...]], Inspection] | None:
    """The module function that describes this kmodel; None for a file that is none."""
    found = recognise(data)
    if found is None:
        return None
    if found.encrypted:
        raise UnsupportedModelError(f"{path}: is {found.name}")
    if found.version not in _DESCRIBE:
        raise UnsupportedModelError(f"{path}: is {found.name}; V3, V4 and V5 are for the K210")
    return _DESCRIBE[found.version]


_DESCRIBE = {
    v3_container.VERSION: kmodel_v3.describe,
    v4.VERSION: kmodel_v4.describe,
    v5_container.VERSION: kmodel_v5.describe,
}


def _part(path: Path, data: bytes) -> tuple[FilePart, ...]:
    return (FilePart(path.name, len(data), reading.sha256(data)),)
