"""One run of `python -m host_tools board`: a deployed virtual board that stays on, and its LCD in a file."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from conversion import files, photos
from host_tools import boards
from host_tools.deployment import payload
from host_tools.errors import BoardError
from host_tools.serial_link import link_note
from host_tools.virtual_board.board import VirtualBoard
from host_tools.virtual_board.camera import PanAndZoom, Scene, look_at
from host_tools.virtual_board.faults import Faults
from host_tools.virtual_board.hardware import Hardware

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


def run(options: BoardOptions, over: threading.Event, show: Callable[[str], None], talk: Callable[[str], None]) -> None:
    """Keep a board on until `over`. `show` gets the port, `talk` what the virtual board says of itself."""
    the_board = boards.find(options.board)
    if options.blank and options.model is not None:
        raise BoardError("a blank board has no kmodel: leave --model out, and write it with `flash`")
    if options.sd is not None and not options.sd.is_dir():
        raise BoardError(f"{options.sd}: no such folder to be the SD card")
    with ExitStack() as parts:
        board = parts.enter_context(
            VirtualBoard(
                **_content(options, the_board),
                board=Hardware.of(the_board),
                camera=_scene(options.camera),
                faults=Faults.parse(options.faults),
                sd=options.sd,
                link=options.link,
                tell=talk,
            )
        )
        show(board.port if options.link is None else f"{options.link} -> {board.port}")
        parts.enter_context(_noted(options.link, link_note.LinkNote(the_board.id, STAND_IN)))
        talk(f"{the_board.name}, {'blank, in download mode' if options.blank else 'deployed'}; Ctrl-C ends it")
        _watch(board, options.lcd, over)


def _content(options: BoardOptions, board: boards.Board) -> dict:
    """What lies in the board's flash chip and /flash: nothing, or what `flash` and `deploy` would put there."""
    if options.blank:
        return {"flash": b""}
    kmodel = payload.kmodel(options.model)
    return {"model": kmodel, "card": payload.device_card(kmodel), "files": payload.files(board)}


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
