"""How many frames a second the vendor's firmware makes on the emulated chip, and where the time of a frame goes.

Everything is the board's own measurement in the board's own time: the stages that its frame sentences carry, and the
times at which they were computed. Two runs give the same figures, whatever else the computer does. The emulated chip's
time is an estimate, so what it rests on is part of the result.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from statistics import fmean

from PIL import Image

from conversion import files, photos
from conversion.card import turned
from conversion.kpu.time import ERROR
from conversion.progress import Talk
from host_tools import payload, zoom_room
from host_tools.boards import Board
from host_tools.k210 import Machine, snapshot
from host_tools.serial_link import STAGES, Frame
from host_tools.virtual_board import prepared
from host_tools.virtual_board.camera import Photo, Scene, mounted
from host_tools.virtual_board.emulated_host import EmulatedHost
from host_tools.virtual_board.remarks import Remarks

FRAMES = 100
# What an instruction takes on average is a guess, which these bound.
CYCLES, FEWEST_CYCLES, MOST_CYCLES = Fraction(3, 2), Fraction(6, 5), Fraction(9, 5)
MONITOR, NOBODY = "monitor", "nobody"
# What comes first is not what stays: the camera begins, and the rate that the LCD shows.
_SETTLING_SECONDS = 1.5
# Of the board's time: to its first frame, with a restart for a larger heap; and for all frames, when few are sent.
_START_SECONDS, _RUN_SECONDS = 60.0, 120.0
# The camera's frame, of which the model sees the top left part; in the sample photo the person stands here, as a share
# of its width.
_CAMERA, _PERSON = (320, 240), 0.44
_LCD_HERTZ = 20_000_000
# LCDs of other sizes than the picture: M5StickV, Maix Cube, Maix Amigo.
_LCD_SIZES = ((240, 135), (240, 240), (480, 320))
WINDOWS, REST = "windows", "rest"
RESTS_ON = {
    "capture": "instructions, and waiting for a camera of 30 frames a second; with the rest where frames are not sent",
    "kpu": f"the KPU by the model of published layer times (±{100 * ERROR:.0f} %), and instructions",
    WINDOWS: "instructions: of zoom, the windows' pictures and the one that is shown",
    "decode": "instructions",
    "draw": "instructions, and the LCD's bytes at the clock of its bus",
    "send": "instructions, and the line's bytes at its baud rate; of frames that are not sent, nothing",
    REST: "instructions: the host's sentences, collecting, the loop",
}
# Frames a second that the default boards' program owes, a monitor attached and one person before the camera.
BARS = {"320x240": 13.5, "256x192": 19.0}
# And with one window that follows.
ZOOM_BARS = {"320x240": 8.0, "256x192": 13.0}
_BAR_BUFFERS, _BAR_LCD = 2, (320, 240)


@dataclass(frozen=True)
class Conditions:
    """What a run is made under: people before the camera, who listens, the LCD's clock in hertz and its size, and the
    camera's buffers (None: as the board's settings and the program have them), cycles an instruction, the setting
    `zoom`."""

    people: int = 1
    host: str = MONITOR
    lcd_hertz: int | None = None
    buffers: int | None = None
    cycles: Fraction = CYCLES
    lcd_size: tuple[int, int] | None = None
    zoom: int = 0

    def settings(self, heap_bytes: int | None = None) -> dict:
        """As entries of pose_config.json; `heap_bytes` is MicroPython's heap for zoom."""
        lcd = {} if self.lcd_hertz is None else {"freq": self.lcd_hertz}
        if self.lcd_size is not None:
            lcd |= dict(zip(("width", "height"), self.lcd_size, strict=True))
        entries = {"lcd": lcd} if lcd else {}
        if self.zoom:
            entries |= {"heap": heap_bytes, "settings": {"zoom": self.zoom}}
        return entries if self.buffers is None else {**entries, "camera": {"dual_buffer": self.buffers - 1}}


@dataclass(frozen=True)
class Measured:
    """One run: the conditions as they were found, the frame rate, and the mean milliseconds of a frame's stages."""

    size: str
    conditions: Conditions
    fps: float
    stages_ms: dict[str, float]

    def to_dict(self) -> dict:
        """As an entry of `build/fps.json`."""
        conditions = self.conditions
        return {
            "size": self.size,
            "people": conditions.people,
            "host": conditions.host,
            "zoom": conditions.zoom,
            "fps": round(self.fps, 2),
            "stages_ms": {name: round(value, 2) for name, value in self.stages_ms.items()},
            "lcd_hertz": conditions.lcd_hertz,
            "lcd_size": conditions.lcd_size and "x".join(map(str, conditions.lcd_size)),
            "buffers": conditions.buffers,
            "cycles_per_instruction": float(conditions.cycles),
        }


def plan(people: int | None, zoom: int | None = None) -> list[Conditions]:
    """The runs of a model: as it comes, with nobody there, with four people, with a faster LCD, with one buffer, at
    both ends of what an instruction may take, with LCDs of other sizes, with zoom. With `people`, so many stand there
    in all. With `zoom` only this, with a monitor and with nobody there."""
    usual = Conditions(people or 1)
    if zoom is not None:
        usual = replace(usual, zoom=zoom)
        return [usual, replace(usual, host=NOBODY)]
    crowded = [] if people else [replace(usual, people=4)]
    others = [replace(usual, lcd_hertz=_LCD_HERTZ), replace(usual, buffers=1)]
    ends = [replace(usual, cycles=cycles) for cycles in (FEWEST_CYCLES, MOST_CYCLES)]
    screens = [replace(usual, lcd_size=size) for size in _LCD_SIZES]
    return [usual, replace(usual, host=NOBODY), *crowded, *others, *ends, *screens, replace(usual, zoom=1)]


def before(count: int, card: Mapping) -> Scene:
    """The camera's scene in which the model of a device card sees `count` people, 1 to 4, upright or turned."""
    size, canvas = (card["input"]["width"], card["input"]["height"]), _CAMERA
    if turned(card):
        size, canvas = size[::-1], canvas[::-1]
    return mounted(Photo(crowd(count, size, canvas)), card)


def crowd(count: int, size: tuple[int, int], canvas: tuple[int, int] = _CAMERA) -> Image.Image:
    """The sample photo's person, `count` times side by side, in the top left part of that size."""
    photo = photos.bundled(photos.SAMPLE)
    picture = Image.new("RGB", canvas)
    width, height = size[0] // count, size[1]
    seen = photo.height * width // height
    left = max(0, min(photo.width - seen, round(photo.width * _PERSON - seen / 2)))
    person = photo.crop((left, 0, min(photo.width, left + seen), photo.height)).resize((width, height))
    for number in range(count):
        picture.paste(person, (number * width, 0))
    return picture


def measure(firmware: bytes, board: Board, kmodel: Path, conditions: Conditions, talk: Talk) -> Measured:
    """Let a board settle that takes frames, and measure FRAMES of them; WaitError if they do not come."""
    remarks = Remarks.of(talk)
    with remarks.on_crash():
        return _measured(running(firmware, board, kmodel, conditions, remarks), board, kmodel, conditions)


def _measured(machine: Machine, board: Board, kmodel: Path, conditions: Conditions) -> Measured:
    card = payload.device_card(kmodel)
    width, height = card["input"]["width"], card["input"]["height"]
    machine.look_at(before(conditions.people, card))
    host = EmulatedHost(machine)
    if conditions.host == MONITOR:
        host.attach()
    machine.run_for(_SETTLING_SECONDS)
    frames, buffers = _watched(host)
    found = replace(
        conditions,
        people=round(fmean(len(frame.poses) for frame in frames)),
        lcd_hertz=conditions.lcd_hertz or (board.lcd.freq if board.lcd else None),
        lcd_size=conditions.lcd_size or ((board.lcd.width, board.lcd.height) if board.lcd else None),
        buffers=buffers,
    )
    return of_frames(f"{width}x{height}", found, frames)


def of_frames(size: str, conditions: Conditions, frames: Sequence[Frame]) -> Measured:
    """What frames say that a board has sent, sending shared among all that it computed.

    A frame waits for the camera or not as the one before was sent or not: where some were not sent, capture is what
    remains of the time.
    """
    first, last = frames[0], frames[-1]
    computed = last.number - first.number
    period = (last.t_ms - first.t_ms) / computed
    stages = {name: fmean(frame.stages_us[name] for frame in frames[1:]) / 1000 for name in STAGES}
    stages[WINDOWS] = fmean(frame.windows_us for frame in frames[1:]) / 1000
    # A frame's sentence says how long the one before took to be sent.
    stages["send"] *= (len(frames) - 1) / computed
    if len(frames) - 1 < computed:
        stages["capture"] = 0.0
        return Measured(
            size, conditions, 1000 / period, {**stages, "capture": period - sum(stages.values()), REST: 0.0}
        )
    return Measured(size, conditions, 1000 / period, {**stages, REST: period - sum(stages.values())})


def running(firmware: bytes, board: Board, kmodel: Path, conditions: Conditions, talk: Talk) -> Machine:
    """A board that has sent its first frame, saved or started."""
    remarks = Remarks.of(talk)
    heap_bytes = zoom_room.fit_of(payload.of(board, kmodel)).heap_bytes if conditions.zoom else None
    flash = prepared.flash(firmware, board, kmodel, remarks, conditions.settings(heap_bytes))
    key = f"running {board.id} {conditions.cycles} ".encode() + flash
    machine = snapshot.booted(key, lambda: _started(flash, board, conditions.cycles, remarks))
    remarks.listen(machine)
    return machine


def _started(flash: bytes, board: Board, cycles: Fraction, talk: Remarks) -> Machine:
    talk("starting the board; its state is kept")
    machine = Machine(
        flash=flash, board=board.id, camera=Photo(Image.new("RGB", _CAMERA)), cycles_per_instruction=cycles
    )
    talk.listen(machine)
    machine.power_on()
    host = EmulatedHost(machine)
    host.wait(lambda: any(isinstance(event, Frame) for event in host.events), _START_SECONDS)
    machine.serial.on_sent = None
    return machine


def _watched(host: EmulatedHost) -> tuple[list[Frame], int]:
    """Frames that the board sends, until it has computed FRAMES more than the first; and its camera's buffers."""
    host.events.clear()
    places: set[int] = set()

    def done() -> bool:
        places.add(host.machine.bus.dvp.picture_address)
        frames = _frames(host)
        return bool(frames) and frames[-1].number - frames[0].number >= FRAMES

    host.wait(done, _RUN_SECONDS)
    return _frames(host), len(places)


def _frames(host: EmulatedHost) -> list[Frame]:
    return [event for event in host.events if isinstance(event, Frame)]


def missed(run: Measured) -> bool | None:
    """Whether a run is below the bar of its kind; None where there is none."""
    made = run.conditions
    usual = Conditions(lcd_hertz=made.lcd_hertz, lcd_size=_BAR_LCD, buffers=_BAR_BUFFERS)
    for bars, conditions in ((BARS, usual), (ZOOM_BARS, replace(usual, zoom=1))):
        if run.size in bars and made == conditions:
            return run.fps < bars[run.size]
    return None


def bar(run: Measured) -> float:
    """What a run owes that has a bar."""
    return (ZOOM_BARS if run.conditions.zoom else BARS)[run.size]


def has_room(board: Board, kmodel: Path, conditions: Conditions) -> bool:
    """Whether memory allows the conditions: zoom wants a heap of a size that there may not be."""
    return not conditions.zoom or zoom_room.fit_of(payload.of(board, kmodel)).heap_bytes is not None


def write(path: Path, image: str, runs: Sequence[Measured]) -> None:
    """Write the figures as JSON: image, cycles an instruction, and the runs."""
    document = {
        "image": image,
        "cycles_per_instruction": float(CYCLES),
        "runs": [run.to_dict() for run in runs],
    }
    files.write(path, (json.dumps(document, indent=2) + "\n").encode())
