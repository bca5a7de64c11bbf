"""Opening ports: for one program only, without resetting a board, and every failure in words that help."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import termios
from pathlib import Path

import pytest
import serial

from host_tools import time_limits
from host_tools.errors import LinkError
from host_tools.serial_link import opening, ports
from host_tools.serial_link.opening import MissingPortError
from tests.host_tools.peer import Peer
from tests.patience import HANG_SECONDS

HOLD = "import os, sys, time; os.open(sys.argv[1], os.O_RDWR | os.O_NOCTTY); print(flush=True); time.sleep(3600)"


def test_a_pseudo_terminal_opens_and_reads_in_time() -> None:
    with Peer() as peer:
        port = ports.open_port(peer.port, timeout=0.05)
        assert (port.baudrate, port.timeout, port.write_timeout) == (115200, 0.05, time_limits.WRITE.seconds)
        assert port.read(1) == b""
        peer.send(b"x")
        port.timeout = HANG_SECONDS
        assert port.read(1) == b"x"
        opening.close(port)
        opening.close(ports.open_port(peer.port, 1500000))


def test_lines_that_reset_boards_are_not_touched(monkeypatch: pytest.MonkeyPatch) -> None:
    """pyserial asserts DTR and RTS, as the kernel has done by then; nothing may let one of them go."""
    changes = []
    monkeypatch.setattr(serial.Serial, "_update_dtr_state", lambda port: changes.append(("dtr", port._dtr_state)))
    monkeypatch.setattr(serial.Serial, "_update_rts_state", lambda port: changes.append(("rts", port._rts_state)))
    with Peer() as peer:
        opening.close(ports.open_port(peer.port))
    assert changes == [("dtr", True), ("rts", True)]


class _Lines:
    """A port that records what is done to its lines, beginning as an open port does."""

    port = "/dev/ttyUSB0"

    def __init__(self, error: OSError | None = None) -> None:
        self.states = [(True, True)]
        self.error = error

    def _set(self, dtr: bool, rts: bool) -> None:
        if self.error:
            raise self.error
        if (dtr, rts) != self.states[-1]:
            self.states.append((dtr, rts))

    dtr = property(fset=lambda self, value: self._set(value, self.states[-1][1]))
    rts = property(fset=lambda self, value: self._set(self.states[-1][0], value))


@pytest.mark.parametrize(
    ("wiring", "states"),
    [
        # RESET is low while RTS is asserted and DTR is not; the boot pin would be low the other way round.
        ("dan", [(True, True), (False, True), (False, False)]),
        ("kd233", [(True, True), (True, False), (False, False)]),
        ("goD", [(True, True), (False, True), (False, False), (True, False), (True, True)]),
    ],
)
def test_a_reset_pulls_the_boards_reset_and_never_its_boot_pin(wiring: str, states: list) -> None:
    lines = _Lines()
    assert ports.pulse_reset(lines, wiring) is True
    assert lines.states == states
    lines.states = [(False, False)]
    assert ports.pulse_reset(lines, wiring) is True
    boot_pin_low = {"dan": (True, False), "kd233": (False, True)}
    assert boot_pin_low.get(wiring) not in lines.states


def test_ports_without_such_lines() -> None:
    with Peer() as peer:
        port = ports.open_port(peer.port)
        assert ports.pulse_reset(port, "dan") is False
        opening.close(port)
    loop = ports.open_port("loop://")
    assert ports.pulse_reset(loop, "kd233") is False
    assert ports.pulse_reset(_Lines(OSError(errno.EINVAL, "no")), "dan") is False
    with pytest.raises(LinkError, match=r"/dev/ttyUSB0: the board cannot be reset over this port .Input"):
        ports.pulse_reset(_Lines(OSError(errno.EIO, "Input/output error")), "dan")


@pytest.mark.parametrize(
    ("name", "error", "words"),
    [
        ("/dev/ttyUSB77", MissingPortError, "no such port; is the board plugged in?"),
        ("/dev/pts/ptmx/x", MissingPortError, "no such port"),
        ("/dev/null", LinkError, "cannot be opened as a serial port .Inappropriate ioctl"),
        ("/tmp", LinkError, "cannot be opened as a serial port .Is a directory"),
        ("soket://x:1", LinkError, "not a URL that pyserial knows .*socket://HOST:PORT"),
        ("socket://127.0.0.1:1", MissingPortError, "nobody answers there"),
        ("socket://127.0.0.1", LinkError, "nobody answers there|not a URL"),
        ("socket://nowhere.invalid:1", MissingPortError, "nobody answers there"),
        ("rfc2217://127.0.0.1:1", MissingPortError, "nobody answers there"),
    ],
)
def test_what_cannot_be_opened_is_named(name: str, error: type, words: str) -> None:
    with pytest.raises(error, match=words) as caught:
        ports.open_port(name)
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith(name)


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.EACCES, r"no permission to open it; join the group \w+ with `sudo usermod -aG"),
        (errno.EPERM, "no permission"),
        (errno.EBUSY, "in use by another program .a serial monitor"),
        (errno.EIO, "no such port"),
        (errno.ENODEV, "no such port"),
        (errno.EMFILE, "cannot be opened as a serial port"),
    ],
)
def test_what_the_system_says_becomes_a_remedy(number: int, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> int:
        raise OSError(number, os.strerror(number))

    with Peer() as peer:
        monkeypatch.setattr(os, "open", refuse)
        with pytest.raises(LinkError, match=words):
            ports.open_port(peer.port)
        monkeypatch.undo()


def test_the_group_is_that_of_the_port(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "port"
    file.touch()
    monkeypatch.setattr(opening.grp, "getgrgid", lambda number: type("Group", (), {"gr_name": "uucp"}))
    assert "group uucp with `sudo usermod -aG uucp $USER`" in opening._permission_hint(str(file))
    monkeypatch.setattr(sys, "platform", "darwin")
    assert "ls -l" in opening._permission_hint(str(file))
    monkeypatch.setattr(sys, "platform", "win32")
    assert "close other programs" in opening._permission_hint("COM3")


def test_windows_errors_have_no_number_but_words(monkeypatch: pytest.MonkeyPatch) -> None:
    """pyserial raises there: could not open port 'COM9': FileNotFoundError(2, …)."""
    missing = serial.SerialException("could not open port 'COM9': FileNotFoundError(2, 'not found', None, 2)")
    assert isinstance(opening._failure("COM9", missing), MissingPortError)
    monkeypatch.setattr(sys, "platform", "win32")
    taken = serial.SerialException("could not open port 'COM9': PermissionError(13, 'Access is denied.', None, 5)")
    assert "in use by another program" in str(opening._failure("COM9", taken))


def test_who_has_a_port_open_is_told() -> None:
    with (
        Peer() as peer,
        subprocess.Popen([sys.executable, "-c", HOLD, peer.port], stdout=subprocess.PIPE) as other,
    ):
        try:
            other.stdout.readline()
            (holder,) = opening.holders(peer.port)
            assert holder.endswith(f"(process {other.pid})")
            assert f"in use by {holder}; close it" in opening._busy(peer.port, opening.holders(peer.port))
        finally:
            other.kill()
    assert opening.holders("/dev/ttyUSB77") == []


def test_a_real_port_that_another_program_has_open_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "_is_pseudo_terminal", lambda name: False)
    monkeypatch.setattr(opening, "holders", lambda name: ["screen (process 12)"])
    with Peer() as peer:
        with pytest.raises(LinkError, match=r"in use by screen \(process 12\); close it"):
            ports.open_port(peer.port)
        monkeypatch.setattr(opening, "holders", lambda name: [])
        opening.close(ports.open_port(peer.port))


def test_a_real_port_lets_nobody_in_until_it_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    done = []
    ioctl = opening.fcntl.ioctl

    def noted(*arguments: object) -> object:
        if arguments[1] in (termios.TIOCEXCL, termios.TIOCNXCL):
            done.append(arguments[1])
        return ioctl(*arguments)

    monkeypatch.setattr(opening, "_is_pseudo_terminal", lambda name: False)
    monkeypatch.setattr(opening.fcntl, "ioctl", noted)
    with Peer() as peer:
        port = ports.open_port(peer.port)
        assert done == [termios.TIOCEXCL]
        opening.close(port)
    assert done == [termios.TIOCEXCL, termios.TIOCNXCL]


def test_closing_what_is_gone_is_no_error() -> None:
    with Peer() as peer:
        port = ports.open_port(peer.port)
        peer.unplug()
        opening.close(port)
        opening.close(port)
