"""The board files of `boards/`: reading and checking them, and what is made of them (pose_config.json, the table).

`python -m host_tools.boards` writes the table into `boards/README.md` again.
"""

from __future__ import annotations

import dataclasses
import types
import typing
from pathlib import Path

from conversion.toml import tomllib
from host_tools.errors import BoardError

FOLDER = Path(__file__).resolve().parents[1] / "boards"
CONFIG_FORMAT = "posenet-maix board 1"
TABLE_BEGIN = "<!-- begin of the table: python -m host_tools.boards -->"
TABLE_END = "<!-- end of the table -->"
RESET_WIRINGS = ("dan", "kd233", "goD")
KFLASH_BOARDS = ("kd233", "dan", "bit", "bit_mic", "goE", "goD", "maixduino", "trainer")
HIGHEST_PIN = 47
# IO4 and IO5 are the REPL, IO16 is the boot key: none of them may be anything else.
RESERVED_PINS = (4, 5, 16)


@dataclasses.dataclass(frozen=True)
class Usb:
    """The bridge between USB and the K210: `k210_port` is which of its ports is the K210's, from 1."""

    bridge: str
    vendor_id: int
    ports: int
    k210_port: int


@dataclasses.dataclass(frozen=True)
class Uart:
    """Baud rate of the REPL, and the highest that the bridge is known to carry."""

    baud: int
    raised_baud: int


@dataclasses.dataclass(frozen=True)
class Flash:
    """kflash's name of the board, its reset wiring, and the map of its flash in bytes."""

    kflash: str
    reset_wiring: str
    bytes: int
    model_address: int
    spiffs_address: int


@dataclasses.dataclass(frozen=True)
class Lcd:
    """Arguments of MaixPy's lcd.init(); rotation, mirror and bgr are -1 where its own setting stays."""

    width: int
    height: int
    type: int
    lcd_type: int
    freq: int
    invert: int
    rotation: int
    mirror: int
    bgr: int


@dataclasses.dataclass(frozen=True)
class Camera:
    """The usual sensors, and flips: -1 where the firmware's setting stays."""

    sensors: list[str]
    vflip: int
    hmirror: int


@dataclasses.dataclass(frozen=True)
class Button:
    """A key that pauses the program: its pin, and its level when pressed."""

    pin: int
    pressed: int


@dataclasses.dataclass(frozen=True)
class Board:
    """One board. `maixpy_config` is what MaixPy's own /flash/config.json must say, None where nothing."""

    id: str
    name: str
    verified_on_hardware: bool
    firmware_build: str
    remarks: list[str]
    usb: Usb
    uart: Uart
    flash: Flash
    camera: Camera
    lcd: Lcd | None = None
    pins: dict[str, int] = dataclasses.field(default_factory=dict)
    pause_button: Button | None = None
    maixpy_config: dict[str, dict[str, int]] | None = None


def load(path: Path) -> Board:
    """Read and check one file; BoardError names the file, the entry and what it must be."""
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BoardError(f"{path}: cannot be read as TOML: {error}") from error
    board = _made(Board, {"id": path.stem, **values}, f"{path}: ")
    for problem in _problems(board):
        raise BoardError(f"{path}: {problem}")
    return board


def all_boards(folder: Path = FOLDER) -> dict[str, Board]:
    """All boards by id, sorted."""
    return {path.stem: load(path) for path in sorted(folder.glob("*.toml"))}


def find(board_id: str, folder: Path = FOLDER) -> Board:
    """One board by its id; BoardError lists those that there are."""
    path = folder / f"{board_id}.toml"
    if Path(board_id).name != board_id or not path.is_file():
        known = ", ".join(sorted(file.stem for file in folder.glob("*.toml")))
        raise BoardError(f"there is no board {board_id!r}; known are: {known}")
    return load(path)


def pose_config(board: Board) -> dict:
    """The content of the board's `pose_config.json`, which `firmware/pose_config.py` reads."""
    return {
        "format": CONFIG_FORMAT,
        "board": board.id,
        "model": {"address": board.flash.model_address},
        "lcd": dataclasses.asdict(board.lcd) if board.lcd else None,
        "camera": {"vflip": board.camera.vflip, "hmirror": board.camera.hmirror},
        "pause_button": dataclasses.asdict(board.pause_button) if board.pause_button else None,
    }


def table(boards: dict[str, Board]) -> str:
    """The boards as a Markdown table."""
    heads = ("`BOARD=`", "board", "MaixPy build", "LCD", "camera", "USB bridge", "kflash", "reset", "pause key",
             "verified on hardware")  # fmt: skip
    lines = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    for board in boards.values():
        cells = (
            f"`{board.id}`",
            board.name,
            f"`{board.firmware_build}`",
            f"{board.lcd.width}x{board.lcd.height}" if board.lcd else "none",
            ", ".join(board.camera.sensors),
            f"{board.usb.bridge}, port {board.usb.k210_port} of {board.usb.ports}",
            f"`{board.flash.kflash}`",
            board.flash.reset_wiring,
            f"IO{board.pause_button.pin}" if board.pause_button else "none",
            "yes" if board.verified_on_hardware else "no",
        )
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def with_table(readme: str, boards: dict[str, Board]) -> str:
    """A README with its table made anew; BoardError where its marks are missing."""
    before, begin, rest = readme.partition(TABLE_BEGIN)
    _, end, after = rest.partition(TABLE_END)
    if not begin or not end:
        raise BoardError(f"boards/README.md: the marks of the table are missing; write {TABLE_BEGIN} and {TABLE_END}")
    return f"{before}{begin}\n\n{table(boards)}\n\n{end}{after}"


def _made(kind: type, values: object, where: str) -> object:
    """A dataclass from a TOML table, every entry of the type that it declares."""
    if not isinstance(values, dict):
        raise BoardError(f"{where}must be a table")
    hints = typing.get_type_hints(kind)
    for name in values:
        if name not in hints:
            raise BoardError(f"{where}{name} is no known entry; known are {', '.join(hints)}")
    made = {}
    for field in dataclasses.fields(kind):
        if field.name in values:
            made[field.name] = _checked(values[field.name], hints[field.name], f"{where}{field.name}")
        elif field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
            raise BoardError(f"{where}{field.name} is missing")
    return kind(**made)


def _checked(value: object, hint: object, where: str) -> object:
    if typing.get_origin(hint) is types.UnionType:
        hint = typing.get_args(hint)[0]
    if dataclasses.is_dataclass(hint):
        return _made(hint, value, f"{where}.")
    if typing.get_origin(hint) is dict:
        entry = typing.get_args(hint)[1]
        if not isinstance(value, dict):
            raise BoardError(f"{where} must be a table")
        return {name: _checked(item, entry, f"{where}.{name}") for name, item in value.items()}
    if typing.get_origin(hint) is list:
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise BoardError(f"{where} must be a list of texts")
        return value
    if type(value) is not hint:
        raise BoardError(f"{where} is {value!r}, must be of type {hint.__name__}")
    return value


def _problems(board: Board) -> list[str]:
    """What is of the right type but cannot be meant."""
    found = []

    def demand(sound: bool, problem: str) -> None:
        if not sound:
            found.append(problem)

    flash = board.flash
    demand(flash.kflash in KFLASH_BOARDS, f"flash.kflash {flash.kflash!r}: kflash knows {', '.join(KFLASH_BOARDS)}")
    demand(flash.reset_wiring in RESET_WIRINGS, f"flash.reset_wiring must be one of {', '.join(RESET_WIRINGS)}")
    demand(0 < flash.model_address < flash.spiffs_address < flash.bytes, "flash: the addresses are out of order")
    demand(flash.model_address % 0x10000 == 0, "flash.model_address must be a multiple of 0x10000")
    demand(1 <= board.usb.k210_port <= board.usb.ports, f"usb.k210_port must be from 1 to {board.usb.ports}")
    demand(0 < board.uart.baud <= board.uart.raised_baud <= 4_000_000, "uart: baud, raised_baud are out of order")
    demand(bool(board.camera.sensors), "camera.sensors is empty")
    for name, pin in board.pins.items():
        demand(0 <= pin <= HIGHEST_PIN, f"pins.{name} must be from 0 to {HIGHEST_PIN}")
    if board.pause_button:
        pin = board.pause_button.pin
        demand(0 <= pin <= HIGHEST_PIN and pin not in RESERVED_PINS, f"pause_button.pin {pin} is reserved or no pin")
        demand(board.pause_button.pressed in (0, 1), "pause_button.pressed must be 0 or 1")
    return found


def main() -> None:
    """Write the table into the README of the boards."""
    readme = FOLDER / "README.md"
    readme.write_text(with_table(readme.read_text(encoding="utf-8"), all_boards()), encoding="utf-8")


if __name__ == "__main__":
    main()
