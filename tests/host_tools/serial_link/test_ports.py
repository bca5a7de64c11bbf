"""The right port among others: by USB id, by number, by name; lists that help, and boards that come back elsewhere."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from host_tools import boards
from host_tools.errors import LinkError
from host_tools.serial_link import ports

CH340 = (0x1A86, 0x7523)
FT2232 = (0x0403, 0x6010)


def entry(device: str, ids: tuple = (None, None), serial: str | None = None, location: str | None = None) -> object:
    """A port as pyserial lists it."""
    return SimpleNamespace(
        device=device,
        description="USB Serial" if ids[0] else "n/a",
        vid=ids[0],
        pid=ids[1],
        serial_number=serial,
        location=location,
    )


BUILT_IN = entry("/dev/ttyS0")
BIT = entry("/dev/ttyUSB0", CH340, None, "1-3")
OTHER_BIT = entry("/dev/ttyUSB10", CH340, None, "1-4")
AMIGO = [entry("/dev/ttyUSB2", FT2232, "A1", "1-2:1.1"), entry("/dev/ttyUSB1", FT2232, "A1", "1-2:1.0")]
ARDUINO = entry("/dev/ttyACM0", (0x2341, 0x43), "X", "1-9")


@pytest.fixture(autouse=True)
def no_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MAIX_PORT", raising=False)
    monkeypatch.setattr(ports, "_USB_DEVICES", Path("/nowhere"))


@pytest.fixture
def plug(monkeypatch: pytest.MonkeyPatch) -> object:
    def plugged(*entries: object) -> None:
        monkeypatch.setattr(ports.list_ports, "comports", lambda: list(entries))

    return plugged


def names(found: list[ports.Port]) -> list[str]:
    return [port.device for port in found]


def test_bridges_of_maix_boards_are_candidates_in_natural_order(plug: object) -> None:
    plug(BUILT_IN, OTHER_BIT, ARDUINO, BIT)
    assert names(ports.candidates()) == ["/dev/ttyUSB0", "/dev/ttyUSB10"]
    assert names(ports.candidates(boards.find("maix_amigo_ips"))) == []


def test_of_a_bridge_with_two_ports_the_k210s_comes_first(plug: object) -> None:
    plug(*AMIGO, BIT)
    assert names(ports.candidates()) == ["/dev/ttyUSB0", "/dev/ttyUSB1", "/dev/ttyUSB2"]
    assert names(ports.candidates(boards.find("maix_go"))) == ["/dev/ttyUSB2", "/dev/ttyUSB1"]
    plug(*AMIGO)
    assert ports.choose(None) == "/dev/ttyUSB1"
    assert ports.choose(None, boards.find("maix_go")) == "/dev/ttyUSB2"


def test_on_windows_two_ports_are_told_apart_by_their_letters(plug: object) -> None:
    plug(entry("COM12", FT2232, "FT12B"), entry("COM9", FT2232, "FT12A"), entry("COM3", FT2232, "FT77A"))
    assert names(ports.candidates()) == ["COM3", "COM9", "COM12"]
    assert ports.siblings("COM9") == ["COM12"]
    assert ports.siblings("COM3") == []


def test_two_boards_without_serial_number_and_place_are_two(plug: object) -> None:
    plug(entry("COM4", CH340), entry("COM5", CH340))
    with pytest.raises(LinkError, match="1: COM4"):
        ports.choose(None)


def test_the_only_board_is_chosen(plug: object) -> None:
    plug(BUILT_IN, BIT, ARDUINO)
    assert ports.choose(None) == "/dev/ttyUSB0"
    assert ports.choose_all([]) == ["/dev/ttyUSB0"]


def test_several_are_listed_with_numbers_that_can_be_given(plug: object, monkeypatch: pytest.MonkeyPatch) -> None:
    plug(*AMIGO, BIT)
    with pytest.raises(LinkError) as caught:
        ports.choose(None)
    message = str(caught.value)
    for number, device in enumerate(["/dev/ttyUSB0", "/dev/ttyUSB1", "/dev/ttyUSB2"], start=1):
        assert f"{number}: {device} (USB Serial, USB " in message
        assert ports.choose(str(number)) == device
    assert "--port NUMBER" in message
    assert "\n" not in message
    for wrong in ("0", "4"):
        with pytest.raises(LinkError, match=f"--port {wrong}: there is no such number; 1: /dev/ttyUSB0"):
            ports.choose(wrong)
    monkeypatch.setenv("MAIX_PORT", "9")
    with pytest.raises(LinkError, match="MAIX_PORT 9: there is no such number"):
        ports.choose(None)


def test_names_urls_and_the_variable(plug: object, monkeypatch: pytest.MonkeyPatch) -> None:
    plug(BIT, OTHER_BIT)
    assert ports.choose("socket://localhost:4000") == "socket://localhost:4000"
    monkeypatch.setenv("MAIX_PORT", "/dev/serial/by-id/x")
    assert ports.choose(None) == "/dev/serial/by-id/x"
    assert ports.choose("COM3") == "COM3"
    monkeypatch.setenv("MAIX_PORT", "")
    with pytest.raises(LinkError, match="several"):
        ports.choose(None)


def test_a_serial_number_names_a_port(plug: object) -> None:
    plug(*AMIGO, BIT, ARDUINO)
    assert ports.choose("id:A1") == "/dev/ttyUSB1"
    assert ports.choose("id:A1", boards.find("maix_go")) == "/dev/ttyUSB2"
    assert ports.choose("id:X") == "/dev/ttyACM0"
    with pytest.raises(LinkError, match="id:Z: no USB port has this serial number; there are: A1, X"):
        ports.choose("id:Z")


def test_several_at_once(plug: object) -> None:
    plug(*AMIGO, BIT)
    assert ports.choose_all(["2", "loop://"]) == ["/dev/ttyUSB1", "loop://"]
    with pytest.raises(LinkError, match="/dev/ttyUSB1: named twice"):
        ports.choose_all(["2", "/dev/ttyUSB1"])


def test_none_found_says_what_to_look_at(plug: object, monkeypatch: pytest.MonkeyPatch) -> None:
    plug(BUILT_IN, ARDUINO)
    with pytest.raises(LinkError) as caught:
        ports.choose(None)
    for part in ("0403 or 1a86", "carries data", "--port", "MAIX_PORT", "/dev/ttyACM0 (USB Serial, USB 2341:0043)"):
        assert part in str(caught.value)
    assert "ttyS0" not in str(caught.value)
    plug()
    with pytest.raises(LinkError, match=r"Sipeed Maix Bit's USB bridge .USB vendor 1a86. is there"):
        ports.choose(None, boards.find("maix_bit"))
    with pytest.raises(LinkError, match=r"--port 1: there is no such number; no serial port"):
        ports.choose("1")


def test_a_bridge_without_a_port_is_a_missing_driver(
    plug: object, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    plug()
    for name, vendor, product in (("1-1", "2341", "0043"), ("1-2", "1a86", "7523"), ("1-3", "?", "")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "idVendor").write_text(vendor + "\n")
        (tmp_path / name / "idProduct").write_text(product + "\n")
    monkeypatch.setattr(ports, "_USB_DEVICES", tmp_path)
    with pytest.raises(LinkError, match=r"although 1a86:7523 is plugged in.*brltty"):
        ports.choose(None)
    monkeypatch.setattr(sys, "platform", "darwin")
    with pytest.raises(LinkError, match="install the bridge's driver"):
        ports.choose(None)


def test_a_board_is_found_again_by_serial_number_or_place(plug: object) -> None:
    plug(*AMIGO, BIT, OTHER_BIT)
    second = ports.identity("/dev/ttyUSB2")
    bit = ports.identity("/dev/ttyUSB0")
    assert ports.find_again(second) == "/dev/ttyUSB2"
    moved = [entry("/dev/ttyUSB8", FT2232, "A1", "3-1:1.1"), entry("/dev/ttyUSB7", FT2232, "A1", "3-1:1.0")]
    plug(*moved, entry("/dev/ttyUSB9", CH340, None, "1-3"))
    assert ports.find_again(second) == "/dev/ttyUSB8"
    assert ports.find_again(bit) == "/dev/ttyUSB9"
    # Another board of this kind, at another place, must not be taken for it.
    plug(OTHER_BIT)
    assert ports.find_again(bit) is None
    assert ports.find_again(second) is None
    assert ports.identity("/dev/ttyS0") is None


def test_the_other_port_of_a_bridge(plug: object) -> None:
    plug(*AMIGO, BIT)
    assert ports.siblings("/dev/ttyUSB2") == ["/dev/ttyUSB1"]
    assert ports.siblings("/dev/ttyUSB0") == []
    assert ports.siblings("socket://x:1") == []


def test_this_computers_own_ports_can_be_listed() -> None:
    assert all(isinstance(port, ports.Port) for port in ports.attached())
