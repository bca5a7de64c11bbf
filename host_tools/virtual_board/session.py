"""One run of `python -m host_tools board`: a deployed virtual board that stays on, and its LCD in a file."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from conversion import files, photos
from host_tools import boards, payload
from host_tools.errors import BoardError
from host_tools.flashing import images
from host_tools.k210.requirements import require
from host_tools.serial_link import link_note
from host_tools.virtual_board.board import VirtualBoard
from host_tools.virtual_board.camera import PanAndZoom, Scene, look_at, mounted
from host_tools.virtual_board.emulation import EmulationOptions
from host_tools.virtual_board.faults import Faults
from host_tools.virtual_board.hardware import Hardware
from host_tools.virtual_board.remarks import Remarks

_PICTURE_EVERY = 1.0
STAND_IN = "the program under a PC's MicroPython, with stand-ins for MaixPy's modules"


@dataclass(frozen=True)
class BoardOptions:
    """What the command line asked for; None is a default."""

    model: Path | None
    board: str
    camera: Path | None
    link: Path | None
    lcd: Path | None
    sd: Path | None
    faults: tuple[str, ...]
    blank: bool = False
    firmware: Path | None = None
    flash: Path | None = None


def run(options: BoardOptions, over: threading.Event, show: Callable[[str], None], talk: Callable[[str], None]) -> None:
    """Keep a board on until `over`. `show` gets the port, `talk` what the virtual board says of itself."""
    the_board = boards.find(options.board)
    _check(options)
    talk = Remarks.of(talk)
    content = _content(options, the_board, talk)
    if options.link is not None:
        link_note.clear(options.link)
    with ExitStack() as parts:
        board = parts.enter_context(
            VirtualBoard(
                **content.parts,
                board=Hardware.of(the_board),
                camera=content.mounted(_scene(options.camera)),
                faults=Faults.parse(options.faults),
                link=options.link,
                tell=talk,
            )
        )
        show(board.port if options.link is None else f"{options.link} -> {board.port}")
        parts.enter_context(_noted(options.link, link_note.LinkNote(the_board.id, content.runs, os.getpid())))
        talk(f"{the_board.name}, {'blank, in download mode' if options.blank else 'deployed'}; Ctrl-C ends it")
        _watch(board, options.lcd, over)


def _check(options: BoardOptions) -> None:
    """BoardError for options that contradict each other."""
    if options.blank and (options.model is not None or options.firmware is not None):
        raise BoardError("a blank board has nothing on it: leave --model and --firmware out, and `flash` them")
    if options.flash is not None and not (options.blank or options.firmware):
        raise BoardError("--flash keeps the chip of a board whose firmware runs itself: name one with --firmware")
    if options.sd is None:
        return
    if not options.sd.is_dir() and not (options.firmware is not None and options.sd.is_file()):
        raise BoardError(f"{options.sd}: no such folder to be the SD card; with --firmware a card's image will do, too")


@dataclass(frozen=True)
class _Content:
    """What a virtual board is made of, as arguments of VirtualBoard, and in words what runs on it."""

    parts: dict
    runs: str
    card: Mapping | None = None

    def mounted(self, scene: Scene) -> Scene:
        """What the camera sees, mounted as the kmodel wants it."""
        return scene if self.card is None else mounted(scene, self.card)


def _content(options: BoardOptions, board: boards.Board, talk: Callable[[str], None]) -> _Content:
    """Nothing, the vendor's firmware with what `flash` and `deploy` put there, or the stand-in with the same."""
    if options.blank:
        emulate = _emulation_for_blank(options, talk)
        what = "whatever is flashed, on the emulated chip" if emulate else STAND_IN
        return _Content({"flash": b"", "flash_file": options.flash, "emulate": emulate, "sd": options.sd}, what)
    kmodel = payload.kmodel(options.model)
    card = payload.device_card(kmodel)
    if options.firmware is not None:
        return replace(_of_firmware(options, board, kmodel, talk), card=card)
    parts = {"model": kmodel, "card": card, "files": payload.files(board), "sd": options.sd}
    return _Content(parts, STAND_IN, card)


def _of_firmware(options: BoardOptions, board: boards.Board, kmodel: Path, talk: Callable[[str], None]) -> _Content:
    is_kept = options.flash is not None and options.flash.exists()
    parts = of_firmware(options.firmware, board, kmodel, talk, is_kept)
    parts |= {"flash_file": options.flash, "emulate": EmulationOptions(sd=options.sd)}
    return _Content(parts, f"{options.firmware.name} on the emulated chip")


def of_firmware(
    firmware: Path, board: boards.Board, kmodel: Path, talk: Callable[[str], None], is_kept: bool = False
) -> dict:
    """Arguments of VirtualBoard for a board on which this firmware runs itself, with kmodel and program deployed.

    BoardError or FlashError says why it cannot run. Where the flash chip `is_kept` the firmware is checked, no more.
    """
    data = real_firmware(firmware)
    # Not before it is known that the emulator is there.
    from host_tools.virtual_board import prepared

    return {"flash": None if is_kept else prepared.flash(data, board, kmodel, talk), "emulate": EmulationOptions()}


def real_firmware(path: Path) -> bytes:
    """A firmware that can run on the emulated chip; BoardError or FlashError say why it, or none, can."""
    data = images.read(path, "firmware")
    found = images.check_firmware(data, str(path))
    if found.test_image:
        raise BoardError(f"{path}: is {found}, which holds no program; take a MaixPy v1 .bin")
    require()
    return data


def _emulation_for_blank(options: BoardOptions, talk: Callable[[str], None]) -> EmulationOptions | None:
    """None, said in one line, where the emulated chip cannot be had: the stand-in runs in its place."""
    try:
        require()
    except BoardError as error:
        talk(f"{error}; what is flashed is not run, the stand-in runs in its place")
        return None
    return EmulationOptions(sd=options.sd)


@contextmanager
def _noted(link: Path | None, note: link_note.LinkNote) -> Iterator[None]:
    """Keep a note beside the link, which tools read, while the board is on."""
    if link is None:
        yield
        return
    link_note.write(link, note)
    try:
        yield
    finally:
        link_note.remove(link)


def _watch(board: VirtualBoard, lcd: Path | None, over: threading.Event) -> None:
    """Keep the LCD's picture up to date, and look after the board."""
    shown = b""
    while True:
        ended = over.wait(_PICTURE_EVERY)
        if lcd is not None and (picture := board.lcd_png()) != shown:
            files.write(lcd, picture)
            shown = picture
        board.check()
        if ended:
            return


def _scene(camera: Path | None) -> Scene:
    if camera is not None:
        return look_at(camera)
    try:
        return PanAndZoom(photos.bundled(photos.SAMPLE))
    except ImportError:
        raise BoardError(
            "the sample photo comes with scikit-image, which is not here; name a photo with --camera"
        ) from None
