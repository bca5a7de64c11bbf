"""Which serial port is the board's: found by the USB ids of the bridges on Maix boards, or named by the user.

Opening is in `opening.py`; `look_at`, `open_port` and `pulse_reset` are given here, too.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from serial.tools import list_ports

from host_tools import boards
from host_tools.errors import LinkError
from host_tools.serial_link.opening import look_at, open_port, pulse_reset

__all__ = ["Port", "attached", "candidates", "choose", "choose_all", "hidden", "look_at", "nothing_found",
           "open_port", "pulse_reset", "siblings"]  # fmt: skip

VARIABLE = "MAIX_PORT"
# Windows and macOS give no place of the port on the bus; FTDI's driver then marks a bridge's ports with A and B.
_FTDI = 0x0403
_USB_DEVICES = Path("/sys/bus/usb/devices")
_LIST_LIMIT = 16


@dataclass(frozen=True)
class Port:
    """A serial port as the system lists it; what is None is not known, or the port is on no USB."""

    device: str
    description: str
    vendor_id: int | None
    product_id: int | None
    serial_number: str | None
    location: str | None

    @property
    def bridge(self) -> tuple:
        """What the ports of one USB device have in common."""
        place = self.location.partition(":")[0] if self.location else None
        number = self.serial_number
        if place is None and number and self.vendor_id == _FTDI and number[-1] in "AB":
            number = number[:-1]
        if place is None and number is None:
            place = self.device
        return self.vendor_id, self.product_id, number, place

    @property
    def interface(self) -> str:
        """Which of a bridge's ports it is, as far as its place tells."""
        return (self.location or "").partition(":")[2]

    @property
    def ids(self) -> str | None:
        """Vendor and product as `1a86:7523`; None if it is on no USB."""
        return None if self.vendor_id is None else f"{self.vendor_id:04x}:{self.product_id or 0:04x}"

    def __str__(self) -> str:
        return f"{self.device} ({self.description}{f', USB {self.ids}' if self.ids else ''})"


def attached() -> list[Port]:
    """All serial ports of this computer, in the order of their names."""
    entries = (
        Port(entry.device, entry.description or "", entry.vid, entry.pid, entry.serial_number, entry.location)
        for entry in list_ports.comports()
    )
    return sorted(entries, key=lambda port: _natural(port.device))


def candidates(board: boards.Board | None = None) -> list[Port]:
    """Ports that may be a Maix board's (or this kind of board's), best first.

    Of a bridge with two ports only one is the K210's; all of those come before the others.
    """
    first, others = _candidates(board)
    return first + others


def choose(wanted: str | None, board: boards.Board | None = None) -> str:
    """The port to open: `wanted`, else what MAIX_PORT names, else the only board that is there.

    Both may be a name, a pyserial URL, a number of the list that the error shows, or `id:` and a USB serial number.
    LinkError if that leaves none, or several.
    """
    named = wanted or os.environ.get(VARIABLE)
    if named:
        return _named(named, board, "--port" if wanted else VARIABLE)
    first, others = _candidates(board)
    if not first:
        raise LinkError(nothing_found(board))
    if len(first) > 1:
        raise LinkError(
            f"several ports could be the board's: {_numbered(first + others)}; choose one with --port NUMBER, "
            f"--port NAME or {VARIABLE}"
        )
    return first[0].device


def choose_all(wanted: Sequence[str]) -> list[str]:
    """Several ports, each as `choose` takes it; nothing wanted is the only board. LinkError if one is named twice."""
    chosen = [choose(name) for name in wanted] or [choose(None)]
    for number, device in enumerate(chosen):
        if device in chosen[:number]:
            raise LinkError(f"{device}: named twice; name each port once")
    return chosen


def identity(name: str) -> Port | None:
    """The port of this name (or of the one that a link leads to), if it is on the USB."""
    device = os.path.realpath(name)
    return next((port for port in attached() if port.device in (name, device) and port.vendor_id is not None), None)


def find_again(lost: Port) -> str | None:
    """The name that a port has now: that of the same USB serial number and interface, else of the same place."""
    alike = [port for port in attached() if (port.vendor_id, port.product_id) == (lost.vendor_id, lost.product_id)]
    in_place = [port for port in alike if port.location == lost.location and port.serial_number == lost.serial_number]
    same = [port for port in alike if lost.serial_number and port.serial_number == lost.serial_number]
    same = [port for port in same if port.interface == lost.interface]
    found = in_place or same
    return found[0].device if len(found) == 1 or in_place else None


def siblings(device: str) -> list[str]:
    """The other ports of the USB bridge that a port belongs to."""
    own = identity(device)
    return [] if own is None else [port.device for port in attached() if port.bridge == own.bridge and port != own]


def _candidates(board: boards.Board | None) -> tuple[list[Port], list[Port]]:
    """The K210's port of each bridge, and the other ports."""
    known = [board] if board else list(boards.all_boards().values())
    vendors = {each.usb.vendor_id for each in known}
    # Of all boards with two ports only one has the K210 at the second; who has that one names the board.
    wanted = board.usb.k210_port if board else 1
    groups: dict[tuple, list[Port]] = {}
    for port in attached():
        if port.vendor_id in vendors:
            groups.setdefault(port.bridge, []).append(port)
    first, others = [], []
    for group in groups.values():
        group.sort(key=lambda port: (_natural(port.location or port.serial_number or ""), _natural(port.device)))
        k210 = group[min(wanted, len(group)) - 1]
        first.append(k210)
        others += [port for port in group if port is not k210]
    return first, others


def _named(name: str, board: boards.Board | None, source: str) -> str:
    if name.isdecimal():
        ports = candidates(board)
        if not 1 <= int(name) <= len(ports):
            raise LinkError(f"{source} {name}: there is no such number; {_numbered(ports) or nothing_found(board)}")
        return ports[int(name) - 1].device
    if name.startswith("id:"):
        return _with_serial_number(name.removeprefix("id:"), board, source)
    return name


def _with_serial_number(number: str, board: boards.Board | None, source: str) -> str:
    first, others = _candidates(board)
    for port in first + others + attached():
        if port.serial_number == number:
            return port.device
    known = sorted({port.serial_number for port in attached() if port.serial_number})
    there = ", ".join(known[:_LIST_LIMIT]) or "none"
    raise LinkError(f"{source} id:{number}: no USB port has this serial number; there are: {there}")


def _numbered(ports: Iterable[Port]) -> str:
    return ", ".join(f"{number}: {port}" for number, port in enumerate(ports, start=1))


def hidden() -> str | None:
    """Why a Maix board's bridge that is plugged in has no serial port, with the remedy; None where there is none."""
    found = _without_port(sorted({board.usb.vendor_id for board in boards.all_boards().values()}))
    return f"{found} is plugged in and has no serial port: {_driver_hint()}" if found else None


def nothing_found(board: boards.Board | None = None) -> str:
    """Why there may be no port, and what to do."""
    known = [board] if board else list(boards.all_boards().values())
    vendors = sorted({each.usb.vendor_id for each in known})
    ids = " or ".join(f"{vendor:04x}" for vendor in vendors)
    what = f"a {board.name}'s" if board else "a Maix board's"
    begin = f"no serial port of {what} USB bridge (USB vendor {ids}) is there"
    if hidden := _without_port(vendors):
        return f"{begin}, although {hidden} is plugged in: {_driver_hint()}"
    others = [port for port in attached() if port.vendor_id is not None]
    also = f"; other USB ports: {', '.join(map(str, others[:_LIST_LIMIT]))}" if others else ""
    return (
        f"{begin}: plug the board in with a cable that carries data, not only power, or name the port with --port or "
        f"{VARIABLE}{also}"
    )


def _without_port(vendors: Sequence[int]) -> str | None:
    """A bridge that Linux sees on the USB and that has no serial port (nor has one like it), as `1a86:7523`."""
    having = {(port.vendor_id, port.product_id) for port in attached()}
    for file in sorted(_USB_DEVICES.glob("*/idVendor")):
        try:
            vendor = int(file.read_text(), 16)
            product = int(file.with_name("idProduct").read_text(), 16)
        except (OSError, ValueError):
            continue
        if vendor in vendors and (vendor, product) not in having:
            return f"{vendor:04x}:{product:04x}"
    return None


def _driver_hint() -> str:
    if sys.platform == "linux":
        return (
            "the kernel's driver (ch341, ftdi_sio) is missing, or brltty has taken the bridge: "
            "`sudo apt remove brltty`, then plug it in again"
        )
    return "install the bridge's driver (CH340: WCH's; FT2232: FTDI's VCP)"


def _natural(name: str) -> list[tuple[bool, int, str]]:
    """A key that puts ttyUSB10 behind ttyUSB9."""
    return [(part.isdecimal(), int(part) if part.isdecimal() else 0, part) for part in re.split(r"([0-9]+)", name)]
