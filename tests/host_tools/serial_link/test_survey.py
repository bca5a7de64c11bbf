"""`ports`: what is plugged in, which of it is a Maix board's bridge, which is something else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from host_tools import boards, cli
from host_tools.serial_link import ports, survey
from tests.command_line import Ended, invoke
from tests.host_tools.serial_link.test_ports import AMIGO, ARDUINO, BIT, BUILT_IN, entry

CP210X = entry("/dev/ttyUSB7", (0x10C4, 0xEA60), "0001", "1-7")
CMSIS_DAP = entry("/dev/ttyACM3", (0xC251, 0xF001), "0001", "1-8")
OTHER_WCH = entry("/dev/ttyUSB8", (0x1A86, 0x55D4), None, "1-10")


def shown(monkeypatch: pytest.MonkeyPatch, *entries: object, words: tuple[str, ...] = ()) -> Ended:
    monkeypatch.setattr(ports.list_ports, "comports", lambda: list(entries))
    monkeypatch.setattr(ports, "_USB_DEVICES", Path("/nowhere"))
    return invoke(cli.main, ["ports", *words])


def test_each_port_is_told_with_what_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    plugged = (BUILT_IN, CP210X, ARDUINO, CMSIS_DAP, BIT, *AMIGO)
    seen = json.loads(shown(monkeypatch, *plugged, words=("--json",)).stdout)
    by_name = {each["port"]: each for each in seen}
    assert [each["number"] for each in seen] == [1, 2, 3, None, None, None, None]
    assert by_name["/dev/ttyUSB0"]["what"] == "CH340"
    assert by_name["/dev/ttyUSB0"]["boards"] == ["maix_bit", "maix_dock"]
    assert by_name["/dev/ttyUSB1"]["number"] == 2
    assert by_name["/dev/ttyUSB7"] | {"remark": ""} == {
        "number": None,
        "port": "/dev/ttyUSB7",
        "usb": "10c4:ea60",
        "serial_number": "0001",
        "what": "CP210x",
        "maix": False,
        "boards": [],
        "remark": "",
    }
    assert by_name["/dev/ttyACM3"]["what"] == "CMSIS-DAP"
    assert "Maix Go" in by_name["/dev/ttyACM3"]["remark"]
    assert by_name["/dev/ttyACM0"]["what"] == "USB Serial"
    assert by_name["/dev/ttyS0"]["what"] == "no USB"


def test_the_number_is_what_port_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = json.loads(shown(monkeypatch, *AMIGO, BIT, OTHER_WCH, words=("--json",)).stdout)
    assert [ports.choose(str(each["number"])) for each in seen] == [each["port"] for each in seen]
    assert seen[2]["what"] == "a bridge of WCH"


def test_the_table_says_what_to_do_where_no_board_is(monkeypatch: pytest.MonkeyPatch) -> None:
    ended = shown(monkeypatch, CP210X)
    assert ended.exit_code == 0
    assert "10c4:ea60" in ended.stdout
    assert "name the port" in ended.stdout
    assert "cable that carries data" in ended.stderr
    nothing = shown(monkeypatch)
    assert nothing.stdout == ""
    assert "cable that carries data" in nothing.stderr


def test_what_tools_take_by_themselves_is_what_boards_have() -> None:
    vendors = {board.usb.vendor_id for board in boards.all_boards().values()}
    assert {bridge.vendor_id for bridge in survey.bridges() if bridge.maix} == vendors
    assert not {bridge.vendor_id for bridge in survey.bridges() if not bridge.maix} & vendors


def test_boards_lists_all(monkeypatch: pytest.MonkeyPatch) -> None:
    known = boards.all_boards()
    table = invoke(cli.main, ["boards"])
    assert all(board.id in table.stdout and board.firmware_build in table.stdout for board in known.values())
    listed = json.loads(invoke(cli.main, ["boards", "--json"]).stdout)
    assert [each["id"] for each in listed] == list(known)
    assert listed[0]["flash"]["model_address"] == known[listed[0]["id"]].flash.model_address
