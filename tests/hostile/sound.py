"""Sound files of the forms that come from outside, small ones, for attacks and mutants to begin with."""

from __future__ import annotations

import io
import json
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image

from conversion import card as model_card
from conversion import network
from conversion.kpu.posenet import Simulation
from conversion.photos import FORMATS
from conversion.test_vector import test_vector as vector_of
from host_tools.monitor import record
from host_tools.monitor.feed import Item, Note
from host_tools.serial_link import events
from tests.host_tools.monitor import actors
from tests.host_tools.virtual_board import kmodels

KMODEL = "small.kmodel"


@cache
def card() -> dict:
    """The model card of `kmodel_in`, with the entries that only some tools read."""
    return {
        **kmodels.model_card(),
        "source": {"form": "tfjs graph model", "name": "unknown", "sha256": {"model.json": "0" * 64}},
        "test_vector": _test_vector(),
    }


@cache
def _test_vector() -> dict:
    return vector_of(Simulation(kmodels.model(), KMODEL), kmodels.model_card())


def identity(data: bytes) -> dict:
    """What a card says of these bytes."""
    return model_card.kmodel_entry(KMODEL, data)


def kmodel_in(folder: Path, the_card: object | None = None) -> Path:
    """A kmodel of 96x80 with its card beside it, or with this one."""
    path = folder / KMODEL
    path.write_bytes(kmodels.kmodel())
    path.with_name(KMODEL + ".json").write_text(json.dumps(card() if the_card is None else the_card))
    return path


@cache
def recording() -> tuple[dict, ...]:
    """The lines of one: a greeting, frames, and every kind of event once."""
    hello = events.Hello(1, "0.1.0", 7, "MaixPy", "v0.6.3", "bit", 0, 320, 240, 320, 240, 1000, None, 720, 115200)
    said = [
        hello, actors.frame(1, [actors.person(100, 60)]), actors.frame(2, [actors.person(110, 60)] * 2),
        events.Print("hello"), events.Trouble(23, 1, "no kmodel"), events.Restarted(hello), events.Lost("unplugged"),
        events.Settings(0, 5, 16384, 20, 0, 100, 1000, 0, 50), events.Found("ttyUSB0"), Note("note"),
        events.Digest(1, 2, dict.fromkeys(network.HEAD_NAMES, 3)), events.BlockLost("JPEG", 1, "lost"),
        events.SelfTest(1, 0, 2, 2, 1, 1, ""), events.OtherProtocol(2, "0.2.0"),
        events.Stats(1, 1, 2, 2, 0, 100, 10, 0, 0, 1000, 1000, -1, 115200), actors.frame(3),
    ]  # fmt: skip
    lines = [record.to_dict(Item("bit", event, 0.0), 10 * number) for number, event in enumerate(said)]
    return ({"format": record.FORMAT, "started": "2026-01-31T12:00:00Z"}, *lines)


@cache
def photos() -> dict[str, bytes]:
    """A photo of each format that is read, JPEG and PNG with EXIF."""
    noise = np.random.default_rng(3).integers(0, 256, (24, 32, 3), np.uint8)
    exif = Image.Exif()
    exif[0x0112], exif[0x010F], exif[0x8825] = 6, "maker", {1: "N", 2: (50.0, 1.0, 2.0)}
    made = {}
    for form in FORMATS:
        packed = io.BytesIO()
        options = {"exif": exif} if form in ("JPEG", "PNG", "WEBP") else {}
        Image.fromarray(noise).save(packed, form, **options)
        made[form] = packed.getvalue()
    return made


@cache
def annotations() -> dict:
    """One photo, a.png, and one person on it."""
    keypoints = [float(value) for part in range(17) for value in (part, part, 2)]
    person = {
        "id": 1, "image_id": 1, "category_id": 1, "keypoints": keypoints, "num_keypoints": 17, "area": 90.0,
        "bbox": [0.0, 0.0, 20.0, 20.0], "iscrowd": 0,
    }  # fmt: skip
    return {
        "images": [{"id": 1, "file_name": "a.png", "width": 48, "height": 40}],
        "annotations": [person],
        "categories": [{"id": 1, "name": "person", "keypoints": list(network.KEYPOINTS)}],
    }


# What helpers.py says at a board's prompt: firmware, the files, whether main.py is ours, digests, the kmodel.
PROMPT_ANSWERS = (
    {"platform": "MaixPy", "version": "v0.6.3", "mounted": ["flash", "sd"]},
    {"missing": [], "free": 1_000_000},
    {"file": "main.py", "bytes": 120},
    {"file": "boot.py", "bytes": 12},
    {"content": "posenet_files.json", "data": "e30="},
    {"holds": True, "begin": "aW1wb3J0"},
    {"digest": "main.py", "value": "sha256:" + "0" * 64},
    {"flash": "same"},
    {"path": "/flash/small.kmodel"},
)
ORDERS = (
    {"id": 1, "do": "poses", "board": 0, "max_poses": 5, "root_score": 16384, "nms_radius": 20, "pose_score": None},
    {"id": 2, "do": "mode", "board": 0, "mode": 1},
    {"id": 3, "do": "preview", "board": 0, "on": True, "quality": 50},
    {"id": 4, "do": "record", "on": True, "name": "one.jsonl"},
)
