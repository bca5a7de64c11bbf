"""The model card that lies beside a kmodel: what it is, how its bytes are to be read, and how it was made."""

from __future__ import annotations

import hashlib
import json
import re
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path

from conversion import network
from conversion.decoding import fixed_point
from conversion.errors import ModelFormatError
from conversion.kmodel import sampling
from conversion.kmodel.kpu_network import KpuNetwork
from conversion.kmodel.plan import Plan, placed_layers
from conversion.kmodel.recognise import recognise
from conversion.kpu import time

FORMAT = "posenet-maix model card 1"
MAX_CARD_BYTES = 1024 * 1024
_FLAT_LIST = re.compile(r"\[[^\[\]{}\"]*\]")


def path_beside(kmodel: Path) -> Path:
    """NAME.kmodel.json for NAME.kmodel."""
    return kmodel.with_name(kmodel.name + ".json")


def kmodel_entry(file: str, data: bytes) -> dict:
    """What identifies the kmodel file itself: its name and what its bytes say."""
    found = recognise(data)
    return {
        "file": file,
        "version": found.version if found else None,
        "bytes": len(data),
        "crc32": zlib.crc32(data),
        "sha256": hashlib.sha256(data).hexdigest(),
    }


def network_entries(kpu_network: KpuNetwork, plan: Plan, main_memory_bytes: int) -> dict:
    """The entries that follow from network and plan: input, heads with their fixed-point constants, memory, work."""
    heads = [
        _head_entry(number, spec, head, step)
        for number, (spec, head, step) in enumerate(
            zip(network.HEADS, kpu_network.heads, plan.heads, strict=True), start=1
        )
    ]
    useful, executed = work(kpu_network, plan)
    estimate = expected_time(kpu_network, plan)
    return {
        "network": {
            "name": network.NAME,
            "multiplier": network.MULTIPLIER,
            "output_stride": network.OUTPUT_STRIDE,
        },
        "input": {"width": plan.picture.map.width, "height": plan.picture.map.height},
        "heads": heads,
        "sigmoid": fixed_point.sigmoid_table(heads[0]["scale"], heads[0]["zero_point"]),
        "memory": {"kpu_ram_bytes": plan.peak_bytes, "main_memory_bytes": main_memory_bytes},
        "layers": len(plan.steps),
        "macs": {"useful": useful, "executed": executed},
        "time": {
            "state": "estimated",
            "kpu_clock_hz": time.KPU_HZ,
            "kpu_us": round(1e6 * estimate.kpu),
            "copy_us": round(1e6 * estimate.copy),
            "total_us": round(1e6 * estimate.total),
            "layers_us": [round(1e6 * layer) for layer in estimate.layers],
        },
    }


def _head_entry(number: int, spec: network.HeadSpec, head: object, step: object) -> dict:
    multiplier, shift = fixed_point.multiplier_and_shift(head.scale)
    grid = step.destination.map
    return {
        "name": spec.name,
        "index": number,
        "channels": grid.channels,
        "height": grid.height,
        "width": grid.width,
        "scale": head.scale,
        "zero_point": head.zero_point,
        "multiplier": multiplier,
        "shift": shift,
    }


def work(kpu_network: KpuNetwork, plan: Plan) -> tuple[int, int]:
    """Multiply-accumulates of one picture: (useful, executed); the KPU also computes what it drops, and zeros."""
    counts = [sampling.macs(layer) for layer in placed_layers(kpu_network, plan)]
    return sum(useful for useful, _ in counts), sum(executed for _, executed in counts)


def expected_time(kpu_network: KpuNetwork, plan: Plan) -> time.Estimate:
    """What one picture is expected to take on the KPU, and the copy of the heads to main memory."""
    copied = sum(step.destination.map.bytes for step in plan.heads)
    return time.estimate((layer.registers for layer in placed_layers(kpu_network, plan)), copied)


def to_json(the_card: Mapping) -> bytes:
    """The card's file: indented, but each list of numbers on one line."""
    indented = json.dumps(the_card, indent=2, ensure_ascii=False)
    return (_FLAT_LIST.sub(lambda found: " ".join(found.group().split()), indented) + "\n").encode()


def read(path: Path) -> dict:
    """Read and check a card; ModelFormatError names what is wrong and what to do."""
    try:
        raw = path.read_bytes() if path.stat().st_size <= MAX_CARD_BYTES else b""
        card = json.loads(raw)
    except OSError as error:
        raise ModelFormatError(f"{path}: no model card ({error.strerror}); it is written beside the kmodel") from error
    except ValueError as error:
        raise ModelFormatError(f"{path}: not a model card ({error}); make it anew with `make kmodel`") from error
    problem = _problem(card)
    if problem:
        raise ModelFormatError(f"{path}: not a model card of this version: {problem}; make it anew with `make kmodel`")
    return card


def read_for(kmodel: Path, data: bytes) -> dict:
    """The card beside a kmodel; ModelFormatError if it belongs to another file than the one with these bytes."""
    path = path_beside(kmodel)
    card = read(path)
    found, expected = hashlib.sha256(data).hexdigest(), card["kmodel"]["sha256"]
    if found != expected:
        raise ModelFormatError(f"{kmodel}: sha256 {found}, but {path.name} describes {expected}; keep the two together")
    return card


def heads(card: Mapping) -> Sequence[Mapping]:
    """The entries of the heads, in the network's order."""
    return card["heads"]


def _problem(card: object) -> str | None:
    if not isinstance(card, dict) or card.get("format") != FORMAT:
        return f"format is not {FORMAT!r}"
    if not isinstance(card.get("kmodel"), dict) or not isinstance(card["kmodel"].get("sha256"), str):
        return "kmodel.sha256 is missing"
    sizes = card.get("input")
    if not isinstance(sizes, dict) or not all(isinstance(sizes.get(side), int) for side in ("width", "height")):
        return "input.width or input.height is missing"
    entries = card.get("heads")
    if not isinstance(entries, list) or len(entries) != len(network.HEADS):
        return "heads are missing"
    table = card.get("sigmoid")
    if not isinstance(table, list) or len(table) != 256 or not all(isinstance(entry, int) for entry in table):
        return "sigmoid is not a table of 256 integers"
    problems = (_head_problem(entry, spec) for entry, spec in zip(entries, network.HEADS, strict=True))
    return next(filter(None, problems), None)


_HEAD_INTEGERS = ("index", "channels", "height", "width", "zero_point", "multiplier", "shift")


def _head_problem(entry: object, spec: network.HeadSpec) -> str | None:
    if not isinstance(entry, dict) or entry.get("name") != spec.name or entry.get("channels") != spec.channels:
        return f"head {spec.name} is missing"
    if not all(isinstance(entry.get(field), int) for field in _HEAD_INTEGERS):
        return f"head {spec.name} lacks one of {', '.join(_HEAD_INTEGERS)}"
    if not isinstance(entry.get("scale"), float) or not 0 <= entry["zero_point"] <= 255:
        return f"head {spec.name} has no sound scale and zero point"
    return None
