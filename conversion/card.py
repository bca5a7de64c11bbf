"""The model card that lies beside a kmodel: what it is, how its bytes are to be read, and how it was made."""

from __future__ import annotations

import hashlib
import json
import re
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path

from conversion import card_checks, network, portrait
from conversion.decoding import fixed_point
from conversion.errors import ModelFormatError
from conversion.kmodel import sampling
from conversion.kmodel.kpu_network import KpuNetwork
from conversion.kmodel.plan import RamPlan, placed_layers
from conversion.kmodel.recognise import recognise
from conversion.kmodel.v3 import V3Model
from conversion.kpu import time
from conversion.outside import json_text, reading
from conversion.outside.text import shown

FORMAT = card_checks.FORMAT
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


def network_entries(kpu_network: KpuNetwork, plan: RamPlan, main_memory_bytes: int, turned: bool = False) -> dict:
    """The entries that follow from network and plan: input, heads with their fixed-point constants, memory, work.

    `turned`: the picture lies on its side in memory; a card without this entry is of one that does not.
    """
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
        "input": {
            "width": plan.picture.map.width,
            "height": plan.picture.map.height,
            **({"turned": 1} if turned else {}),
        },
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


def work(kpu_network: KpuNetwork, plan: RamPlan) -> tuple[int, int]:
    """Multiply-accumulates of one picture: (useful, executed); the KPU also computes what it drops, and zeros."""
    counts = [sampling.macs(layer) for layer in placed_layers(kpu_network, plan)]
    return sum(useful for useful, _ in counts), sum(executed for _, executed in counts)


def expected_time(kpu_network: KpuNetwork, plan: RamPlan) -> time.Estimate:
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
        card = json_text.parse(reading.regular_bytes(path, MAX_CARD_BYTES), MAX_CARD_BYTES, unique=True)
    except OSError as error:
        raise ModelFormatError(f"{path}: no model card ({error.strerror}); it is written beside the kmodel") from error
    except ValueError as error:
        raise ModelFormatError(f"{path}: not a model card ({shown(error)}); make it anew with `make kmodel`") from error
    problem = card_checks.problem(card)
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


def check_fits(card: Mapping, kmodel: Path, data: bytes, model: V3Model) -> None:
    """ModelFormatError unless the card beside `kmodel` describes the model that these bytes are."""
    found = card_checks.misfit(card, data, model)
    if found:
        raise ModelFormatError(f"{path_beside(kmodel)}: {found}; make both anew with `make kmodel`")


def turned(card: Mapping) -> bool:
    """Whether the kmodel's picture lies on its side in memory."""
    return bool(card["input"].get("turned", 0))


def picture(card: Mapping) -> tuple[int, int]:
    """Width and height of the picture as people stand in it."""
    size = card["input"]["width"], card["input"]["height"]
    return portrait.size(size) if turned(card) else size


def heads(card: Mapping) -> Sequence[Mapping]:
    """The entries of the heads, in the network's order."""
    return card["heads"]
