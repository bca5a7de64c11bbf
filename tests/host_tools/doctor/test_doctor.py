"""`doctor`: each line says what is, and what to do; a board is looked at and left alone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from host_tools import cli, payload
from host_tools.doctor import computer
from host_tools.doctor.findings import State
from host_tools.serial_link import ports
from tests.command_line import invoke
from tests.host_tools.serial_link.test_ports import BIT, entry
from tests.host_tools.verification import small


def findings(*arguments: object) -> tuple[int, dict[str, dict]]:
    """Exit code, and what --json prints, by subject."""
    ended = invoke(cli.main, ["doctor", "--json", *arguments])
    return ended.exit_code, {each["subject"]: each for each in json.loads(ended.stdout)}


def test_a_board_that_runs_is_well(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(payload, "BUILD", tmp_path)
    small.write(tmp_path / "posenet-mobilenet-075-96x80.kmodel")
    with small.board() as board:
        board.wait_for("$FRAME,")
        code, found = findings("--port", board.port)
        # Nothing was stopped.
        board.wait_for("$FRAME,")
        shown = invoke(cli.main, ["doctor", "--port", board.port])
    assert code == 0, found
    assert {each["state"] for each in found.values()} <= {"ok", "note"}
    assert found["firmware"]["text"].startswith("MaixPy v0.6.3")
    assert found["program"]["text"] == "0.1.0, running"
    assert "96x80" in found["model"]["text"]
    assert found["model"]["text"].endswith("posenet-mobilenet-075-96x80.kmodel")
    assert "of MicroPython's heap free" in found["memory"]["text"]
    assert len(shown.stdout.splitlines()) >= len(found)


def test_a_board_in_trouble_says_what_to_do() -> None:
    with small.board(kmodel=b"nothing") as board:
        board.wait_for("$ERROR,")
        code, found = findings("--port", board.port)
    assert code == 1
    assert found["model"] == {
        "subject": "model",
        "state": "mend",
        "text": "none is loaded",
        "remedy": "`flash`, then `deploy`, both with the same kmodel",
    }


def test_a_board_at_its_prompt_is_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    with small.board({"main.py": "print('mine')\n"}) as board:
        board.wait_for(">>> ")
        # A limit runs out in which all must have been heard: with a longer one where it was not.
        for patience in ("0.3", "3", "10"):
            monkeypatch.setenv("POSENET_MAIX_PATIENCE", patience)
            with board.clock.host_waits():
                code, found = findings("--port", board.port)
            if "at MicroPython's prompt" in found["program"]["text"]:
                break
    assert code == 1
    assert "at MicroPython's prompt" in found["program"]["text"]
    assert "deploy" in found["program"]["remedy"]


def test_without_a_port_the_remedy_is_a_cable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MAIX_PORT", raising=False)
    monkeypatch.setattr(ports.list_ports, "comports", lambda: [])
    monkeypatch.setattr(ports, "_USB_DEVICES", Path("/nowhere"))
    code, found = findings()
    assert code == 1
    assert found["port"]["state"] == "mend"
    assert "cable that carries data" in found["port"]["remedy"]
    assert "permission" not in found


def test_a_port_that_may_not_be_opened_is_no_silent_board(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(ports.list_ports, "comports", lambda: [entry(str(tmp_path / "gone"), (0x1A86, 0x7523))])
    code, found = findings()
    assert code == 1
    assert found["port"]["state"] == "ok"
    assert "CH340" in found["port"]["text"]
    assert found["permission"]["state"] == "mend"
    assert "program" not in found


def test_brltty_is_found_by_its_rules_and_by_what_it_took(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(computer, "_UDEV", (tmp_path / "rules",))
    monkeypatch.setattr(ports, "_USB_DEVICES", tmp_path / "usb")
    assert computer.brltty().state is State.OK
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "85-brltty.rules").touch()
    assert computer.brltty().state is State.NOTE
    device = tmp_path / "usb" / "1-1"
    device.mkdir(parents=True)
    (device / "idVendor").write_text("1a86\n")
    (device / "idProduct").write_text("7523\n")
    monkeypatch.setattr(ports.list_ports, "comports", lambda: [])
    assert computer.brltty().state is State.BAD
    # One that has its port is none that was taken.
    monkeypatch.setattr(ports.list_ports, "comports", lambda: [BIT])
    assert computer.brltty().state is State.NOTE


def test_packages_that_are_missing_are_named_with_their_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    find = computer.importlib.util.find_spec
    monkeypatch.setattr(
        computer.importlib.util, "find_spec", lambda name: None if name in ("aiohttp", "unicorn") else find(name)
    )
    found = {each.subject: each for each in computer.packages()}
    assert found["packages (host)"].state is State.BAD
    assert "aiohttp" in found["packages (host)"].text
    assert "`host`" in found["packages (host)"].remedy
    assert found["packages (emulator)"].state is State.NOTE
    assert found["packages (board)"].state is State.OK
