"""How many frames a second the vendor's firmware makes on the emulated chip, and where the time of a frame goes.

Everything is the board's own measurement in the board's own time: the stages that its frame sentences carry, and the
times at which they were computed. The emulated chip's time is an estimate, so what it rests on is part of the result.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

import numpy as np
from PIL import Image

from conversion import files, photos
from conversion.progress import Talk
from host_tools.boards import Board
from host_tools.errors import BoardError
from host_tools.k210.engine.clock import CYCLES_PER_INSTRUCTION
from host_tools.monitor import sources
from host_tools.serial_link import STAGES, Decoder, Frame
from host_tools.virtual_board import session
from host_tools.virtual_board.board import VirtualBoard
from host_tools.virtual_board.camera import Photo
from host_tools.virtual_board.hardware import Hardware

FRAMES = 100
# What comes first is not what stays: the line's speed is being raised, the camera begins.
SETTLING_SECONDS = 4.0
# Of real time: an emulated board on a busy computer.
_LIMIT_SECONDS = 1200.0
_POLL_SECONDS = 0.2
_SIZE = (320, 240)
# In the sample photo the person stands here, as a share of its width.
_PERSON = 0.44
REST = "rest"
RESTS_ON = {
    "capture": "instructions, and waiting for a camera of 30 frames a second",
    "kpu": "the KPU by the model of published layer times (±5 %), the rest instructions",
    "decode": "instructions",
    "draw": "instructions, and the LCD's bytes at the clock of its bus",
    "send": "instructions, and the line's bytes at its baud rate",
    REST: "instructions: collecting, questions of the host, the loop",
}


@dataclass(frozen=True)
class Measured:
    """One run: so many people before the camera, a host that listens or none; means over its frames."""

    size: str
    people: int
    host: str
    fps: float
    stages_ms: dict[str, float]

    def to_dict(self) -> dict:
        """As an entry of `build/fps.json`."""
        return {
            "size": self.size,
            "people": self.people,
            "host": self.host,
            "zoom": 0,
            "fps": round(self.fps, 2),
            "stages_ms": {name: round(value, 2) for name, value in self.stages_ms.items()},
        }


def crowd(count: int) -> Image.Image:
    """A picture in which the network sees `count` people, 1 to 4: the sample photo's person, side by side."""
    photo = photos.bundled(photos.SAMPLE)
    picture = Image.new("RGB", _SIZE)
    width = _SIZE[0] // count
    seen = photo.height * width // _SIZE[1]
    left = max(0, min(photo.width - seen, round(photo.width * _PERSON - seen / 2)))
    person = photo.crop((left, 0, min(photo.width, left + seen), photo.height)).resize((width, _SIZE[1]))
    for number in range(count):
        picture.paste(person, (number * width, 0))
    return picture


def measure(firmware: Path, board: Board, kmodel: Path, people: int, attached: bool, talk: Talk) -> Measured:
    """Boot, let it settle, and take the means of FRAMES frames; BoardError if they do not come."""
    content = session.of_firmware(firmware, board, kmodel, talk)
    scene = Photo(Image.fromarray(np.asarray(crowd(people))))
    with VirtualBoard(**content, board=Hardware.of(board), camera=scene, tell=talk) as virtual:
        frames = list(_settled(_attached(virtual) if attached else _overheard(virtual)))
        size = _size(virtual)
    seconds = (frames[-1].t_ms - frames[0].t_ms) / 1000
    period = 1000 * seconds / (frames[-1].number - frames[0].number)
    stages = {name: fmean(frame.stages_us[name] for frame in frames) / 1000 for name in STAGES}
    return Measured(
        size=size,
        people=round(fmean(len(frame.poses) for frame in frames)),
        host="monitor" if attached else "nobody",
        fps=1000 / period,
        stages_ms={**stages, REST: period - sum(stages.values())},
    )


def _settled(frames: Iterator[Frame]) -> Iterator[Frame]:
    """FRAMES of them, after the first seconds of the board's time."""
    first, taken = None, 0
    for frame in frames:
        first = frame.t_ms if first is None else first
        if frame.t_ms - first >= 1000 * SETTLING_SECONDS:
            yield frame
            taken += 1
        if taken == FRAMES:
            return


def _attached(board: VirtualBoard) -> Iterator[Frame]:
    """Frames as a monitor with its defaults gets them."""
    deadline = time.monotonic() + _LIMIT_SECONDS
    with closing(sources.of_ports([board.port])) as feed:
        while time.monotonic() < deadline:
            board.check()
            for item in feed.take(_POLL_SECONDS):
                if isinstance(item.event, Frame):
                    yield item.event
    raise BoardError(f"the board sent too few frames in {_LIMIT_SECONDS:g} s; it printed: {board.output()[-400:]!r}")


def _overheard(board: VirtualBoard) -> Iterator[Frame]:
    """Frames that the board sends though nobody has its port open."""
    decoder, heard = Decoder(), 0
    deadline = time.monotonic() + _LIMIT_SECONDS
    while time.monotonic() < deadline:
        board.check()
        said = board.output().encode()
        for event in decoder.feed(said[heard:], time.monotonic()):
            if isinstance(event, Frame):
                yield event
        heard = len(said)
        time.sleep(_POLL_SECONDS)
    raise BoardError(f"the board sent too few frames in {_LIMIT_SECONDS:g} s; it printed: {board.output()[-400:]!r}")


def _size(board: VirtualBoard) -> str:
    decoder = Decoder()
    decoder.feed(board.output().encode(), 0.0)
    if decoder.hello is None:
        raise BoardError("the board has not said which model it runs; `deploy` the program of this project")
    return f"{decoder.hello.width}x{decoder.hello.height}"


def write(path: Path, image: str, runs: list[Measured]) -> None:
    """Write the figures as JSON: image, cycles an instruction, and the runs."""
    document = {
        "image": image,
        "cycles_per_instruction": float(CYCLES_PER_INSTRUCTION),
        "runs": [run.to_dict() for run in runs],
    }
    files.write(path, (json.dumps(document, indent=2) + "\n").encode())
