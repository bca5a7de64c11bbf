"""Which published form a file or folder is, told from its content, never from its name."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

from conversion.errors import ConversionError, ModelFormatError, UnsupportedModelError
from conversion.kmodel.recognise import recognise as recognise_kmodel
from conversion.outside import foreign, reading
from conversion.weights import coral, frozen_graph, tfjs_checkpoint, tfjs_graph, tflite_file, tflite_float

ACCEPTED = (
    "accepted: the folder or JSON of a tfjs graph model or checkpoint, a frozen graph (.pb), a TFLite file (float or "
    "Coral's quantised)"
)
# Of a SavedModel; its graph is the form that is read.
_SAVED_MODEL = b"\x08\x01\x12"


def recognise(path: Path) -> tuple[ModuleType, Path]:
    """The importer module for a file or folder, and the file that it loads.

    Raises ModelFormatError or UnsupportedModelError with the list of what is accepted.
    """
    try:
        if path.is_dir():
            return _in_folder(path)
        found = _importer(path)
    except OSError as error:
        raise ModelFormatError(f"{path}: cannot be read ({error.strerror})") from error
    if found is None:
        raise UnsupportedModelError(f"{path}: {_what(path)}; {ACCEPTED}")
    return found, path


def _in_folder(folder: Path) -> tuple[ModuleType, Path]:
    found, damaged = [], None
    for path in sorted(folder.iterdir()):
        try:
            importer = _importer(path) if path.is_file() else None
        except ConversionError as error:
            damaged = damaged or error
            continue
        if importer is not None:
            found.append((importer, path))
    if len(found) > 1:
        names = ", ".join(path.name for _, path in found[:5])
        raise ModelFormatError(f"{folder}: more than one model in this folder ({names}); name one of them")
    if not found:
        raise damaged or ModelFormatError(f"{folder}: no model in this folder; {ACCEPTED}")
    return found[0]


def _importer(path: Path) -> ModuleType | None:
    """The module that reads this form, None for a foreign file. Raises ConversionError or OSError for a damaged one."""
    head = _head(path)
    if tflite_file.recognises(head):
        return coral if coral.claims(tflite_file.read(path)[0]) else tflite_float
    if frozen_graph.recognises(head):
        return frozen_graph
    # A file of plain numbers may begin with the same byte.
    if head.lstrip()[:1] != b"{" or not head.isascii():
        return None
    document = reading.parse_json(reading.read_file(path, reading.MAX_JSON_BYTES), path)
    return next((form for form in (tfjs_graph, tfjs_checkpoint) if form.recognises(document)), None)


def _head(path: Path) -> bytes:
    if reading.file_size(path) == 0:
        return b""
    with path.open("rb") as file:
        return file.read(foreign.HEAD_BYTES)


def _what(path: Path) -> str:
    head = _head(path)
    if not head:
        return "is empty"
    kmodel = recognise_kmodel(head)
    if kmodel:
        return f"is {kmodel.name}, the result of a conversion and not weights"
    if head.startswith(_SAVED_MODEL):
        return "is a SavedModel; freeze its graph first"
    known = foreign.recognise(head)
    return f"is {known}" if known else f"is no form of the weights (it begins with {head[:8].hex(' ')})"
