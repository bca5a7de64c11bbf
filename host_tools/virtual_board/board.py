"""A virtual Maix board: the whole of it, to be started, looked at and switched off."""

from __future__ import annotations

import json
import re
import tempfile
import threading
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack, closing
from pathlib import Path

import numpy as np
from PIL import Image

from conversion import firmware_image
from host_tools.closing import Closing
from host_tools.errors import BoardError
from host_tools.flashing import images
from host_tools.virtual_board import pixels
from host_tools.virtual_board.camera import Photo, Scene, look_at
from host_tools.virtual_board.chip import Chip
from host_tools.virtual_board.clock import MICROSECONDS, Clock, RealClock
from host_tools.virtual_board.console import Console, Search
from host_tools.virtual_board.devices import Devices
from host_tools.virtual_board.emulation import Emulation, EmulationOptions
from host_tools.virtual_board.faults import Faults
from host_tools.virtual_board.flash_chip import FlashChip
from host_tools.virtual_board.hardware import Hardware
from host_tools.virtual_board.image_sensor import ImageSensor
from host_tools.virtual_board.models import Models
from host_tools.virtual_board.panel import Panel
from host_tools.virtual_board.process import Folders, demand_micropython
from host_tools.virtual_board.rom import BootRom, DownloadFault, Flip
from host_tools.virtual_board.rom.chip_end import ChipEnd
from host_tools.virtual_board.serial_line import SerialLine
from host_tools.virtual_board.uart import Uart

CARD_NAME = "pose_model.json"
_FLASH_FILE = "flash.bin"
# A virtual board that has failed is noticed so soon; only one that hangs is so late.
_POLL, _HANG_SECONDS = 0.2, 300.0
_TAIL = 800
# What stands for MaixPy at flash address 0 where nothing else is asked for: the virtual board has its own.
_MAIXPY = images.in_flash(firmware_image.make_test_image(b"of the virtual board"))
Content = bytes | str | Path


def ignore(message: str) -> None:
    """Say nothing."""


class VirtualBoard(Closing):
    """A board with its files in place. Use it as a context manager, or call close().

    `files` go to /flash by their names (a mapping, or paths), `card` becomes /flash/pose_model.json, `model` goes into
    flash at the hardware's address. `sd` is the content of an SD card: a mapping, or a folder that the board then
    writes to. `camera` is what the camera sees: a scene, a photo, or a path (see camera.look_at).

    `flash` is what the flash chip holds from address 0 on (bytes, or a file), b"" for a chip as it leaves the factory.
    As on a real board, the chip starts MaixPy only if a whole firmware lies at address 0, any firmware: what runs is
    the virtual board's own. Else it waits in download mode, for kflash. `download_faults` go wrong there.

    `clock` is the board's; without one it runs at real pace. With `emulate` what lies at flash address 0 is run itself,
    on the emulated chip, unless it is a test image, for which the stand-in goes on standing in; `files` and `card` are
    the stand-in's then, and `board` must be one of boards/. `flash_file` keeps the flash chip from run to run: what is
    in it already counts, and `flash` only where it is not there yet.
    """

    def __init__(
        self,
        model: bytes | Path | None = None,
        card: Mapping | None = None,
        files: Mapping[str, Content] | Iterable[Path] = (),
        board: Hardware | None = None,
        camera: Scene | Image.Image | Path | None = None,
        faults: Faults | None = None,
        sd: Mapping[str, Content] | Path | None = None,
        sd_delay_ms: int = 0,
        link: Path | None = None,
        tell: Callable[[str], None] = ignore,
        flash: bytes | Path | None = None,
        download_faults: Iterable[DownloadFault | Flip] = (),
        clock: Clock | None = None,
        emulate: EmulationOptions | None = None,
        flash_file: Path | None = None,
    ) -> None:
        if emulate is None:
            demand_micropython()
        self.hardware = board or Hardware()
        self.clock = clock or RealClock()
        self._seen = 0
        self._emulation: Emulation | None = None
        with ExitStack() as parts:
            self.folder = Path(parts.enter_context(tempfile.TemporaryDirectory(prefix="virtual-board-")))
            folders = self._make_folders(files, card, sd, sd_delay_ms)
            self._flash_path = flash_file or self.folder / _FLASH_FILE
            is_new = not self._flash_path.exists()
            self.flash = parts.enter_context(closing(FlashChip(self._flash_path)))
            if is_new:
                self._fill_flash(_MAIXPY if flash is None else flash, model)
            self._assemble(parts, folders, _scene(camera), faults or Faults(), tuple(download_faults), tell, emulate)
            if link is not None:
                self._line.link(link)
            self._chip.start()
            # From here on the parts are closed by close(), before it by any error.
            self._parts = parts.pop_all()

    def _fill_flash(self, content: bytes | Path, model: bytes | Path | None) -> None:
        content = content if isinstance(content, bytes) else _content(content)
        if not self.flash.program(0, content):
            raise BoardError(f"{len(content)} bytes do not fit the flash chip, which has {self.flash.size}")
        if model is not None:
            self.flash.write(self.hardware.model_address, model if isinstance(model, bytes) else _content(model))

    def _assemble(
        self,
        parts: ExitStack,
        folders: Folders,
        scene: Scene,
        faults: Faults,
        download_faults: tuple[DownloadFault | Flip, ...],
        tell: Callable[[str], None],
        emulate: EmulationOptions | None,
    ) -> None:
        """Connect everything; nothing runs yet but the line."""
        uart = Uart(self.clock, lambda: self._chip.interrupt())
        rom = BootRom(self.flash, download_faults, lambda data: self._line.answer(data), lambda: self._line.unplug())
        self._line = parts.enter_context(closing(SerialLine(faults, ChipEnd(uart, rom, self._is_emulated), self.clock)))
        self._console = parts.enter_context(closing(Console(lambda data: rom.active or self._transmit(data))))
        self._devices = Devices(
            self.hardware,
            folders,
            faults,
            self.flash,
            rom,
            Models(self.hardware.runs_v4, tell),
            ImageSensor(self.hardware.sensor, scene),
            Panel(self.hardware.glass),
            uart,
            self._console,
            self.clock,
            tell,
        )
        if emulate is not None:
            self._emulation = parts.enter_context(closing(Emulation(emulate, self._devices, self._flash_path, scene)))
        self._chip = parts.enter_context(closing(Chip(self._devices, self.folder / "micropython.log", self._emulation)))

    def _is_emulated(self) -> bool:
        """Whether it is the emulated chip that runs: its UART is timed by its own clock."""
        return self._emulation is not None and self._emulation.chosen

    def _transmit(self, data: bytes) -> None:
        (self._line.answer if self._is_emulated() else self._line.send)(data)

    def _make_folders(
        self,
        files: Mapping[str, Content] | Iterable[Path],
        card: Mapping | None,
        sd: Mapping[str, Content] | Path | None,
        sd_delay_ms: int,
    ) -> Folders:
        flash = self.folder / "flash"
        flash.mkdir()
        contents = files if isinstance(files, Mapping) else {path.name: path for path in files}
        for name, content in contents.items():
            if "/" in name:
                raise BoardError(f"{name}: /flash has no folders")
            _write(flash / name, content)
        if card is not None:
            _write(flash / CARD_NAME, json.dumps(card))
        if sd is None or isinstance(sd, Path):
            return Folders(flash, sd, sd_delay_ms)
        for name, content in sd.items():
            _write(self.folder / "sd" / name, content)
        (self.folder / "sd").mkdir(exist_ok=True)
        return Folders(flash, self.folder / "sd", sd_delay_ms)

    @property
    def port(self) -> str:
        """The path of the serial port."""
        return self._line.port

    @property
    def flash_folder(self) -> Path:
        """/flash, as a folder."""
        return self._devices.folders.flash

    @property
    def frames(self) -> int:
        """Frames that the camera has taken."""
        return self._emulation.frames if self._is_emulated() else self._devices.sensor.frames

    @property
    def pictures(self) -> int:
        """Pictures that the LCD has shown."""
        return self._emulation.pictures if self._is_emulated() else self._devices.panel.pictures

    @property
    def heap_free_at_start(self) -> int:
        """Bytes of MicroPython's heap that were free when the firmware's own programs began."""
        return self._chip.heap_free_at_start

    @property
    def system_heap_free(self) -> int:
        """Bytes of the system heap that are free."""
        return self._devices.heap.free

    def output(self) -> str:
        """Everything that the board has said, whoever listened."""
        return self._console.since(0).decode(errors="replace")

    def wait_for(self, text: str | re.Pattern[str], timeout: float = _HANG_SECONDS) -> re.Match[str]:
        """Wait until the board says something that it has not said before the last match.

        BoardError, with the last words, after `timeout` real seconds or if the virtual board itself has failed.
        """
        pattern = re.compile(re.escape(text)) if isinstance(text, str) else text
        found = threading.Event()
        with self.clock.host_waits() as statement:

            def end() -> None:
                statement.end()
                found.set()

            search = Search(pattern, self._seen, end)
            self._console.search(search)
            self._await(found, timeout, lambda: f"say {pattern.pattern!r}")
        self._seen += search.match.end()
        return search.match

    def pass_time(self, seconds: float) -> None:
        """Let so much of the board's time pass; BoardError if it does not."""
        if not self.clock.pass_time(round(seconds * MICROSECONDS), _HANG_SECONDS):
            raise BoardError(f"the board did not let {seconds:g} s pass")

    def _await(self, event: threading.Event, timeout: float, what: Callable[[], str]) -> None:
        left = timeout
        while not event.wait(_POLL):
            self.check()
            left -= _POLL
            if left <= 0:
                said = self._console.since(self._seen).decode("latin-1")
                raise BoardError(f"the board did not {what()} within {timeout:g} s; its last words: {said[-_TAIL:]!r}")

    def check(self) -> None:
        """BoardError if the virtual board itself has failed."""
        if self._chip.failure:
            raise BoardError(self._chip.failure)

    def lcd(self) -> np.ndarray:
        """What somebody before the board sees: uint8 [height, width, 3]."""
        return self._emulation.lcd() if self._is_emulated() else self._devices.panel.seen()

    def lcd_png(self) -> bytes:
        """The same as a PNG."""
        return pixels.png(self.lcd())

    def send(self, data: bytes) -> None:
        """Bytes for the board's UART, past line and faults."""
        self._devices.uart.receive(data)
        self.clock.hear()

    @property
    def unread(self) -> int:
        """Received bytes that lie in the UART's ring."""
        return self._devices.uart.waiting()

    @property
    def dropped(self) -> int:
        """Received bytes that found the ring full."""
        return self._devices.uart.dropped

    @property
    def stalled(self) -> bool:
        """Whether the chip, in download mode, neither answers nor reads any more."""
        return self._devices.rom.stalled

    def pin(self, number: int) -> int | None:
        """The level that the program drives a pin to; None if it does not."""
        return self._devices.outputs.get(number)

    def set_pin(self, number: int, level: int | None) -> None:
        """Hold a pin at a level, as a button does; None lets it go."""
        if self._is_emulated():
            self._emulation.set_pin(number, level)
        elif level is None:
            self._devices.inputs.pop(number, None)
        else:
            self._devices.inputs[number] = level
        self.clock.hear()

    def look_at(self, camera: Scene | Image.Image | Path) -> None:
        """Point the camera at something else."""
        scene = _scene(camera)
        self._devices.sensor.look_at(scene)
        if self._emulation is not None:
            self._emulation.machine.look_at(scene)

    def reset(self) -> None:
        """Press the reset button."""
        self._seen = self._console.position
        self._chip.reset()

    def close(self) -> None:
        """Switch the board off: no process, port, link or file is left."""
        self._parts.close()


def _scene(camera: Scene | Image.Image | Path | None) -> Scene:
    if camera is None:
        return Photo(Image.new("RGB", (320, 240)))
    if isinstance(camera, Path):
        return look_at(camera)
    return Photo(camera) if isinstance(camera, Image.Image) else camera


def _write(path: Path, content: Content) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(content, Path):
        content = _content(content)
    path.write_bytes(content.encode() if isinstance(content, str) else content)


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise BoardError(f"{path}: cannot be read for the board ({error.strerror})") from error
