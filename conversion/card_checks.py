"""What a model card from outside must hold before anything computes with it, and how it must fit its kmodel."""

from __future__ import annotations

import re
from collections.abc import Mapping

from conversion import network
from conversion.decoding import board_decoder
from conversion.errors import ModelFormatError
from conversion.kmodel import v3
from conversion.kmodel.v3 import V3Model
from conversion.outside import names
from conversion.outside.text import shown
from firmware import pose_decoder

FORMAT = "posenet-maix model card 1"
# A card that names another file, main.py say, would put the kmodel in its place.
SUFFIX = ".kmodel"
# V3 is ours, 4 and 5 are nncase's.
_VERSIONS = (3, 5)
_WORD = (0, 2**32 - 1)
_SHA256 = re.compile(r"[0-9a-f]{64}")
# Wider than any picture of the KPU; what the decoder takes at most is checked by the decoder itself.
_SIDE = (1, 4096)
_MULTIPLIER, _SHIFT = (1, (1 << 24) - 1), (1, 39)
_MOST_TEXT = 200


def problem(card: object) -> str | None:
    """What is wrong with a card, in words for one line; None where it is sound: then the decoder takes it, too."""
    if not isinstance(card, dict) or card.get("format") != FORMAT:
        return f"format is not {FORMAT!r}"
    parts = (_kmodel_problem, _input_problem, _heads_problem, _sigmoid_problem, _memory_problem, _rest_problem)
    found = next(filter(None, (part(card) for part in parts)), None)
    return found or _decoder_problem(card)


def misfit(card: Mapping, data: bytes, model: V3Model) -> str | None:
    """Where a sound card describes another kmodel than these bytes, whose model this is; None if it fits.

    That its SHA-256 is right says nothing: whoever made the card chose both.
    """
    picture = model.convolutions[0].layer.source if model.convolutions else None
    described = (card["input"]["width"], card["input"]["height"])
    if picture is None or (picture.width, picture.height) != described:
        found = "none" if picture is None else f"{picture.width}x{picture.height}"
        return f"its input is {described[0]}x{described[1]}, the kmodel's {found}"
    if card["kmodel"]["version"] != v3.VERSION or card["kmodel"]["bytes"] != len(data):
        return f"it is for a kmodel V{card['kmodel']['version']} of {card['kmodel']['bytes']} bytes, not {len(data)}"
    if "memory" in card and card["memory"]["main_memory_bytes"] != model.main_memory_bytes:
        return f"its main memory is {card['memory']['main_memory_bytes']} bytes, the kmodel's {model.main_memory_bytes}"
    return None


def _kmodel_problem(card: dict) -> str | None:
    entry = card.get("kmodel")
    if not isinstance(entry, dict) or not _is_sha256(entry.get("sha256")):
        return "kmodel.sha256 is missing"
    if not names.is_plain(entry.get("file")) or not entry["file"].endswith(SUFFIX):
        return f"kmodel.file {shown(entry.get('file'))} is no plain name of a {SUFFIX} file ({names.ALPHABET})"
    wanted = {"version": _VERSIONS, "bytes": (1, v3.GENERAL_RAM_BYTES), "crc32": _WORD}
    return _integers_problem(entry, "kmodel", wanted)


def _input_problem(card: dict) -> str | None:
    sizes = card.get("input")
    if not isinstance(sizes, dict):
        return "input.width or input.height is missing"
    wanted = {"width": _SIDE, "height": _SIDE, **({"turned": (0, 1)} if "turned" in sizes else {})}
    found = _integers_problem(sizes, "input", wanted)
    stride = network.OUTPUT_STRIDE
    return found or next(
        (f"input.{side} is no multiple of {stride}" for side in ("width", "height") if sizes[side] % stride), None
    )


def _heads_problem(card: dict) -> str | None:
    entries = card.get("heads")
    if not isinstance(entries, list) or len(entries) != len(network.HEADS):
        return "heads are missing"
    rows, columns = (card["input"][side] // network.OUTPUT_STRIDE for side in ("height", "width"))
    for number, (entry, spec) in enumerate(zip(entries, network.HEADS, strict=True), start=1):
        if not isinstance(entry, dict) or entry.get("name") != spec.name or entry.get("channels") != spec.channels:
            return f"head {spec.name} is missing"
        wanted = {
            "index": (number, number),
            "height": (rows, rows),
            "width": (columns, columns),
            "zero_point": (0, 255),
            "multiplier": _MULTIPLIER,
            "shift": _SHIFT,
        }
        if found := _integers_problem(entry, f"head {spec.name}:", wanted):
            return found
        if not isinstance(entry.get("scale"), float) or not 0 < entry["scale"] < 1 << 16:
            return f"head {spec.name}: scale is no sound number"
    return None


def _sigmoid_problem(card: dict) -> str | None:
    table = card.get("sigmoid")
    if not isinstance(table, list) or len(table) != 256 or not all(type(entry) is int for entry in table):
        return "sigmoid is not a table of 256 integers"
    return None


def _memory_problem(card: dict) -> str | None:
    """The deploy's own check says where it is missing."""
    if "memory" not in card:
        return None
    limit = (0, v3.GENERAL_RAM_BYTES)
    if not isinstance(card["memory"], dict):
        return "memory is no object"
    return _integers_problem(card["memory"], "memory", {"main_memory_bytes": limit, "kpu_ram_bytes": limit})


def _rest_problem(card: dict) -> str | None:
    """What only some tools read: where the weights come from, and the answer to the test card."""
    source, vector = card.get("source", {}), card.get("test_vector")
    if not isinstance(source, dict) or not all(_is_short(source.get(key, "")) for key in ("name", "form")):
        return "source.name or source.form is no text"
    if not names.is_plain(source.get("name", "unknown")):
        return f"source.name {shown(source['name'])} is no plain name"
    sums = source.get("sha256", {})
    if not isinstance(sums, dict) or not all(map(names.is_plain, sums)) or not all(map(_is_sha256, sums.values())):
        return "source.sha256 is no table of plain file names"
    if vector is None:
        return None
    if not isinstance(vector, dict) or not isinstance(vector.get("poses"), list):
        return "test_vector.poses is missing"
    if not _is_sha256(vector.get("heads_sha256")):
        return "test_vector.heads_sha256 is missing"
    vote = {"vote": (0, pose_decoder.MAX_VOTE)} if "vote" in vector else {}
    return _integers_problem(vector, "test_vector", {"heads_crc32": _WORD, **vote})


def _decoder_problem(card: dict) -> str | None:
    """What the firmware's decoder refuses: pictures too large, a sigmoid that falls, distances out of range."""
    try:
        board_decoder.decoder_for(card)
    except ModelFormatError as error:
        return str(error)
    return None


def _integers_problem(entry: Mapping, name: str, wanted: Mapping[str, tuple[int, int]]) -> str | None:
    separator = " " if name.endswith(":") else "."
    for key, (low, high) in wanted.items():
        value = entry.get(key)
        if type(value) is not int or not low <= value <= high:
            allowed = str(low) if low == high else f"from {low} to {high}"
            return f"{name}{separator}{key} is {shown(value)}, must be {allowed}"
    return None


def _is_short(value: object) -> bool:
    return isinstance(value, str) and len(value) <= _MOST_TEXT


def _is_sha256(value: object) -> bool:
    return isinstance(value, str) and _SHA256.fullmatch(value) is not None
