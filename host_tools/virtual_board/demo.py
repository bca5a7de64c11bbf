"""The demo: a virtual board whose camera pans over a photo; what its LCD showed and the poses it sent, as files."""

from __future__ import annotations

import io
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from PIL import Image

from conversion import files, photos
from conversion.card import turned
from conversion.progress import Talk
from host_tools import boards, payload, time_limits
from host_tools.errors import BoardError, VerificationError
from host_tools.serial_link import Event, Frame, Link, Print
from host_tools.virtual_board import session
from host_tools.virtual_board.board import Content, VirtualBoard
from host_tools.virtual_board.camera import PanAndZoom, mounted
from host_tools.virtual_board.clock import Clock
from host_tools.virtual_board.emulation import EmulationOptions
from host_tools.virtual_board.hardware import Hardware
from host_tools.virtual_board.remarks import Remarks

BOARD = "maix_bit"
FRAMES = 16
_READ_SECONDS = 0.2
POSES, ANIMATION, PICTURE = "poses.jsonl", "lcd.gif", "lcd.png"
WRITTEN = (POSES, PICTURE, ANIMATION)
_ANIMATION_MS = 300


@dataclass(frozen=True)
class Demo:
    """What a demo saw: whole frames, the LCD's picture after each, damaged lines, and the board's own prints."""

    board: str
    frames: tuple[Frame, ...]
    pictures: tuple[Image.Image, ...]
    damaged: int
    text: tuple[str, ...]

    @property
    def people(self) -> dict[int, tuple[int, ...]]:
        """How many people were seen, rising, and the numbers of the frames that show so many."""
        counts = sorted({len(frame.poses) for frame in self.frames})
        return {count: tuple(frame.number for frame in self.frames if len(frame.poses) == count) for count in counts}


def run(
    model: Path | None,
    talk: Talk,
    firmware: dict[str, Content] | None = None,
    count: int = FRAMES,
    maixpy: Path | None = None,
    clock: Clock | None = None,
    sd: Path | None = None,
) -> Demo:
    """Start a virtual board with this project's program (or other files), read `count` whole frames from its port.

    With `maixpy`, a .bin, that firmware itself runs on the emulated chip, the program on it as `deploy` puts it there.
    `clock` is the virtual board's, see VirtualBoard; `sd` is a folder that is its SD card.

    BoardError if it does not send them in time, with what it printed instead.
    """
    the_board, talk = boards.find(BOARD), Remarks.of(talk)
    if sd is not None and not sd.is_dir():
        raise BoardError(f"{sd}: no such folder to be the SD card")
    kmodel = payload.kmodel(model)
    card = payload.device_card(kmodel)
    if maixpy is not None:
        content = {**session.of_firmware(maixpy, the_board, kmodel, talk), "emulate": EmulationOptions(sd=sd)}
    else:
        files_of_it = payload.files(the_board) if firmware is None else firmware
        content = {"model": kmodel, "card": card, "files": files_of_it, "sd": sd}
    camera = mounted(PanAndZoom(photos.bundled(photos.SAMPLE)), card)
    hardware = Hardware.of(the_board)
    talk(f"starting a virtual {the_board.name} with {kmodel.name}")
    with (
        VirtualBoard(**content, board=hardware, camera=camera, tell=talk, clock=clock) as board,
        board.clock.host_waits(),
    ):
        seen = _watched(board, count)
    return _upright(seen) if turned(card) else seen


def _watched(board: VirtualBoard, count: int) -> Demo:
    seen: list[Frame] = []
    pictures: list[Image.Image] = []
    prints: list[str] = []
    with Link(board.port) as link:
        for event in _events(board, link):
            if isinstance(event, Print):
                prints.append(event.text)
            elif isinstance(event, Frame):
                seen.append(event)
                pictures.append(Image.open(io.BytesIO(board.lcd_png())))
            if len(seen) == count:
                return Demo(BOARD, tuple(seen), tuple(pictures), link.statistics.damaged, tuple(prints))
    said = " | ".join(prints[-5:]) or "nothing"
    raise BoardError(
        f"the virtual board sent {len(seen)} of {count} frames in {time_limits.DEMO.seconds:g} s (on a "
        f"busy computer: {time_limits.PATIENCE}=10); it printed: {said}"
    )


def _upright(demo: Demo) -> Demo:
    """As somebody sees it who stands before the board, which stands on its side."""
    pictures = (picture.transpose(Image.Transpose.TRANSPOSE) for picture in demo.pictures)
    return replace(demo, frames=tuple(frame.transposed() for frame in demo.frames), pictures=tuple(pictures))


def _events(board: VirtualBoard, link: Link) -> Iterator[Event]:
    """What the board says, until time is up."""
    deadline = time.monotonic() + time_limits.DEMO.seconds
    while time.monotonic() < deadline:
        board.check()
        yield from link.poll(_READ_SECONDS)


def check(demo: Demo) -> None:
    """VerificationError unless every frame shows the one person that the camera looks at."""
    wrong = {count: numbers for count, numbers in demo.people.items() if count != 1}
    if wrong:
        told = "; ".join(f"{count} in frame {', '.join(map(str, numbers))}" for count, numbers in wrong.items())
        raise VerificationError(
            f"the camera looks at one person, but the board saw {told}: the firmware or the model is not what it "
            "should be; `make kmodel` makes the default model"
        )


def write(demo: Demo, folder: Path) -> None:
    """Write the poses as JSON lines, the LCD as a picture (of the frame with the surest person) and as an animation."""
    lines = "".join(json.dumps(frame.to_dict(demo.board)) + "\n" for frame in demo.frames)
    files.write(folder / POSES, lines.encode())
    files.write_png(folder / PICTURE, demo.pictures[_surest(demo)])
    packed = io.BytesIO()
    first, *others = demo.pictures
    first.save(packed, "GIF", save_all=True, append_images=others, duration=_ANIMATION_MS, loop=0)
    files.write(folder / ANIMATION, packed.getvalue())


def _surest(demo: Demo) -> int:
    scores = [max((pose.score for pose in frame.poses), default=0) for frame in demo.frames]
    return scores.index(max(scores))
