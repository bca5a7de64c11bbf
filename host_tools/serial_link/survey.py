"""All serial ports of this computer, and what is known of each: a Maix board's bridge, something else, or no USB."""

from __future__ import annotations

import functools
import os
from dataclasses import dataclass
from pathlib import Path

from conversion.toml import tomllib
from host_tools import boards
from host_tools.errors import LinkError
from host_tools.serial_link import link_note, ports
from host_tools.serial_link.ports import Port

_BRIDGES = Path(__file__).with_name("bridges.toml")


@dataclass(frozen=True)
class Bridge:
    """A kind of USB device; `product_id` 0 is every other one of the vendor's. `maix`: tools take it by themselves."""

    vendor_id: int
    product_id: int
    name: str
    maix: bool
    remark: str


@dataclass(frozen=True)
class Seen:
    """A port: its number for `--port`, None where tools do not take it by number; its bridge, None if not known."""

    port: Port
    number: int | None
    bridge: Bridge | None
    boards: tuple[str, ...]

    @property
    def what(self) -> str:
        """In words."""
        if self.port.vendor_id is None:
            return "no USB"
        if self.bridge is None:
            return self.port.description or "unknown"
        return self.bridge.name

    @property
    def remark(self) -> str:
        """Which boards have it, or what it is else."""
        return self.bridge.remark if self.bridge else ""

    def to_dict(self) -> dict:
        """As `ports --json` prints it; ids as `1a86:7523`, None where the port is on no USB."""
        return {
            "number": self.number,
            "port": self.port.device,
            "usb": self.port.ids,
            "serial_number": self.port.serial_number,
            "what": self.what,
            "maix": self.bridge is not None and self.bridge.maix,
            "boards": list(self.boards),
            "remark": self.remark,
        }


@functools.cache
def bridges() -> tuple[Bridge, ...]:
    """Those of bridges.toml."""
    return tuple(Bridge(**entry) for entry in tomllib.loads(_BRIDGES.read_text(encoding="utf-8"))["bridge"])


def bridge_of(port: Port) -> Bridge | None:
    """The kind of a port's USB device; None if it is not known, or on no USB."""
    of_vendor = [bridge for bridge in bridges() if bridge.vendor_id == port.vendor_id]
    exact = [bridge for bridge in of_vendor if bridge.product_id == port.product_id]
    return next(iter(exact or [bridge for bridge in of_vendor if not bridge.product_id]), None)


def survey() -> list[Seen]:
    """Every port that there is, those that tools take first, with the numbers that `--port` takes."""
    taken = ports.candidates()
    seen = [_seen(port, number) for number, port in enumerate(taken, start=1)]
    others = [port for port in ports.attached() if port not in taken]
    return seen + [_seen(port, None) for port in others]


def named(name: str) -> str:
    """What is known of a port that a user named: a virtual board's link, a URL, a device; in words."""
    if note := link_note.read(name):
        return str(note)
    if "://" in name:
        return "served over the network"
    device = os.path.realpath(name)
    port = next((port for port in ports.attached() if port.device in (name, device)), None)
    return _seen(port, None).what if port else "a device that is in no list of serial ports"


def permitted(name: str) -> str | None:
    """Why a port cannot be opened, with the remedy; None if it can be."""
    try:
        ports.open_port(name).close()
    except LinkError as error:
        return str(error)
    return None


def _seen(port: Port, number: int | None) -> Seen:
    bridge = bridge_of(port)
    known = boards.all_boards().values() if bridge and bridge.maix else ()
    return Seen(port, number, bridge, tuple(board.id for board in known if board.usb.vendor_id == port.vendor_id))
