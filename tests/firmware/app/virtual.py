"""The whole program on the virtual board: a real MicroPython runs the firmware's files, the host plays the hardware."""

from __future__ import annotations

import base64
import json
import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np
from PIL import Image

from conversion import card, test_vector
from conversion.decoding import board_decoder
from conversion.kmodel import assemble, plan, v3
from conversion.kmodel.kpu_network import KpuNetwork
from conversion.kpu.posenet import Simulation
from host_tools import boards
from host_tools.virtual_board import Faults, Hardware
from host_tools.virtual_board.panel import Glass
from tests.conversion.kmodel import networks
from tests.firmware.app import sentences
from tests.jumping import VirtualBoard

FIRMWARE = Path(__file__).resolve().parents[3] / "firmware"
CHANNEL_DIVISOR = 8
HOST_CHUNK = 720
RANDOM = "random.kmodel"


@dataclass(frozen=True)
class Model:
    """A kmodel, its device card, the same on the host, and its model card."""

    data: bytes
    device_card: dict
    simulation: Simulation
    card: dict


def model_of(network: KpuNetwork, width: int, height: int, name: str) -> Model:
    """The kmodel of a network, as the conversion writes it, with its device card and test vector."""
    the_plan = plan.plan(network, width, height)
    kmodel = assemble.assemble(network, the_plan)
    data = v3.write(kmodel)
    model_card = {
        "format": card.FORMAT,
        "kmodel": card.kmodel_entry(name, data),
        **card.network_entries(network, the_plan, kmodel.main_memory_bytes),
    }
    simulation = Simulation(kmodel, name)
    model_card["test_vector"] = test_vector.test_vector(simulation, model_card)
    return Model(data, board_decoder.device_card(model_card), simulation, model_card)


@lru_cache
def random_model(width: int, height: int, channel_divisor: int = CHANNEL_DIVISOR) -> Model:
    """PoseNet's layers with fewer channels and random weights: heads that say something else at every place."""
    return model_of(networks.posenet_like(3, channel_divisor, width, height), width, height, RANDOM)


def write_random_model(folder: Path, width: int, height: int, channel_divisor: int = CHANNEL_DIVISOR) -> Path:
    """Its file and its model card in a folder; with all channels (1) as large as the published network's."""
    model, path = random_model(width, height, channel_divisor), folder / RANDOM
    path.write_bytes(model.data)
    path.with_name(f"{RANDOM}.json").write_bytes(card.to_json(model.card))
    return path


def scene(seed: int = 0) -> Image.Image:
    """Something to look at: large coloured patches, 320x240."""
    patches = np.random.default_rng(seed).integers(0, 256, (6, 8, 3)).astype(np.uint8)
    return Image.fromarray(patches).resize((320, 240), Image.Resampling.BICUBIC)


class Program(VirtualBoard):
    """A virtual board with the program on it; speaks its sentences. `glass` is another LCD than the board's."""

    def __init__(
        self,
        board_id: str = "maix_bit",
        size: tuple[int, int] = (64, 64),
        files: Mapping[str, object] | None = None,
        config: Mapping[str, object] | None = None,
        faults: Faults | None = None,
        model: Model | None = None,
        camera: object = None,
        glass: Glass | None = None,
        **more: object,
    ) -> None:
        self.model = model or random_model(*size)
        board = boards.find(board_id)
        hardware = Hardware.of(board)
        on_flash = {path.name: path for path in FIRMWARE.glob("*.py")}
        on_flash["pose_config.json"] = json.dumps({**boards.pose_config(board), **(config or {})})
        if board.maixpy_config:
            on_flash["config.json"] = json.dumps(board.maixpy_config)
        super().__init__(
            model=self.model.data,
            card=self.model.device_card,
            files={**on_flash, **(files or {})},
            board=replace(hardware, glass=glass) if glass else hardware,
            camera=camera or scene(),
            faults=faults,
            **more,
        )

    def tell(self, body: str) -> None:
        """Send a sentence, past the line."""
        self.send(sentences.made(body))

    def ask(self, body: str) -> tuple:
        """Send a sentence; status, value and text of its reply."""
        request = body.split(",")[1]
        self.tell(body)
        return self.next("REPLY", rf"{request},").fields[1:]

    def next(self, kind: str, begins: str = "") -> sentences.Sentence:
        """The next sentence of a type after the last match whose fields begin like this."""
        match = self.wait_for(re.compile(rf"\${kind},{begins}[^*\n]*\*[0-9A-F]{{4}}\r\n"))
        return sentences.sentence(match[0].encode())

    def sentences(self) -> list[sentences.Sentence]:
        """All whole sentences so far, checked; what does not begin with `$` was for people."""
        lines = self.output().encode().splitlines(keepends=True)
        return [sentences.sentence(line) for line in lines if line.startswith(b"$") and line.endswith(b"\r\n")]

    def frames(self) -> list[tuple[tuple, list[tuple]]]:
        """All frames but the last one, which may still be on its way."""
        found = self.sentences()
        last = max(number for number, item in enumerate(found) if item.type == "FRAME")
        return sentences.frames(found[:last])

    def reach(self, number: int) -> None:
        """Wait for a frame of this number or a later one: a fast board skips some."""
        while self.next("FRAME").fields[0] < number:
            pass

    def upload(self, data: bytes) -> None:
        """Send pixels, chunk by chunk as each is acknowledged."""
        width, height = self.model.simulation.width, self.model.simulation.height
        assert self.ask(f"PIXELS,100,{width},{height},{zlib.crc32(data)}")[0] == 0
        for number, at in enumerate(range(0, len(data), HOST_CHUNK)):
            piece = base64.b64encode(data[at : at + HOST_CHUNK]).decode()
            assert self.ask(f"CHUNK,{200 + number},{number},{piece}")[:2] == (0, number + 1)
