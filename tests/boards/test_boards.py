"""The board files: sound, accepted by the program, and in the README's table; bad ones are refused in one line."""

from __future__ import annotations

import dataclasses
import importlib
import json
from pathlib import Path

import pytest

from host_tools import boards
from host_tools.errors import BoardError
from tests.firmware.app.board import Board as StandIns

BOARDS = boards.all_boards()
EXPECTED = {
    "maix_bit", "maix_bit_v2", "maix_dock", "maix_go", "maixduino", "maix_cube", "maix_amigo_tft", "maix_amigo_ips",
    "maix_nano", "m5stickv",
}  # fmt: skip
BIT = (boards.FOLDER / "maix_bit.toml").read_text()


def test_all_boards_are_there() -> None:
    assert set(BOARDS) == EXPECTED


def test_none_claims_to_be_verified() -> None:
    """Until somebody measures; then the README's sentence goes with it."""
    assert not any(board.verified_on_hardware for board in BOARDS.values())


@pytest.mark.parametrize("board", BOARDS.values(), ids=lambda board: board.id)
def test_the_program_accepts_what_is_made_of_it(board: boards.Board) -> None:
    values = json.loads(json.dumps(boards.pose_config(board)))
    with StandIns().modules():
        config = importlib.import_module("pose_config").Config(values)
    assert config.board == board.id
    assert config.model == {"address": board.flash.model_address}
    assert config.lcd == (dataclasses.asdict(board.lcd) if board.lcd else None)
    assert config.pause_button == (dataclasses.asdict(board.pause_button) if board.pause_button else None)
    assert {name: config.camera[name] for name in ("vflip", "hmirror")} == values["camera"]


def test_the_config_holds_integers_and_texts_only() -> None:
    def leaves(value: object) -> list[object]:
        return [leaf for item in value.values() for leaf in leaves(item)] if isinstance(value, dict) else [value]

    for board in BOARDS.values():
        assert all(type(leaf) in (int, str, type(None)) for leaf in leaves(boards.pose_config(board)))


def test_maixpys_own_config_agrees_with_ours() -> None:
    """Its values override the arguments of lcd.init() for LCD type 1: they must not say anything else."""
    for board in BOARDS.values():
        lcd = (board.maixpy_config or {}).get("lcd", {})
        for name in ("width", "height", "invert", "lcd_type"):
            assert lcd.get(name, getattr(board.lcd, name, None)) == getattr(board.lcd, name, None), (board.id, name)


def test_the_readmes_table_is_the_generated_one() -> None:
    readme = (boards.FOLDER / "README.md").read_text()
    assert boards.with_table(readme, BOARDS) == readme, "run `python -m host_tools.boards`"


def test_every_board_is_one_line_of_the_table() -> None:
    lines = boards.table(BOARDS).splitlines()
    assert len(lines) == 2 + len(BOARDS)
    assert len({line.count("|") for line in lines}) == 1
    assert any("`m5stickv`" in line and "240x135" in line and "IO36" in line for line in lines)


def test_a_readme_without_marks_is_refused() -> None:
    with pytest.raises(BoardError, match="marks of the table are missing"):
        boards.with_table("# Boards", BOARDS)


def test_an_unknown_board_lists_the_known_ones() -> None:
    with pytest.raises(BoardError, match=r"no board 'maix_bitt'; known are: m5stickv, .*maixduino"):
        boards.find("maix_bitt")


def test_a_name_cannot_leave_the_folder() -> None:
    with pytest.raises(BoardError, match="there is no board"):
        boards.find("../boards/maix_bit")


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('name = "Sipeed Maix Bit"', "name = 3", "name is 3, must be of type str"),
        ("verified_on_hardware = false", "verified_on_hardware = 0", "verified_on_hardware is 0, must be of type bool"),
        ("width = 320", "width = 320.0", "lcd.width is 320.0, must be of type int"),
        ("width = 320", "width = true", "lcd.width is True, must be of type int"),
        ("width = 320\n", "", "lcd.width is missing"),
        ("width = 320", "widht = 320", "lcd.widht is no known entry"),
        ("[usb]", "[usp]", "usp is no known entry"),
        ('kflash = "bit"', 'kflash = "bitt"', "kflash knows kd233"),
        ('reset_wiring = "dan"', 'reset_wiring = "none"', "reset_wiring must be one of dan"),
        ("model_address = 0x300000", "model_address = 0xE00000", "out of order"),
        ("model_address = 0x300000", "model_address = 0x300100", "multiple of 0x10000"),
        ("k210_port = 1", "k210_port = 2", "k210_port must be from 1 to 1"),
        ('sensors = ["OV2640"]', "sensors = []", "camera.sensors is empty"),
        ('sensors = ["OV2640"]', "sensors = [2640]", "camera.sensors must be a list of texts"),
        ("led_red = 13", "led_red = 48", "pins.led_red must be from 0 to 47"),
        ("led_red = 13", 'led_red = "13"', "pins.led_red is '13'"),
        ("[pins]", "[pause_button]\npin = 16\npressed = 0\n[pins]", "pause_button.pin 16 is reserved"),
        ("raised_baud = 1500000", "raised_baud = 9600", "baud, raised_baud are out of order"),
        ("[usb]", "[usb", "cannot be read as TOML"),
    ],
)
def test_a_wrong_file_is_refused_in_one_line(tmp_path: Path, old: str, new: str, says: str) -> None:
    assert old in BIT
    path = tmp_path / "mine.toml"
    path.write_text(BIT.replace(old, new, 1))
    with pytest.raises(BoardError) as caught:
        boards.load(path)
    assert says in str(caught.value)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BoardError, match="cannot be read"):
        boards.load(tmp_path / "none.toml")
