"""Opens feeds: of boards at serial ports, or of a recording."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from host_tools.errors import LinkError
from host_tools.monitor.feed import Feed
from host_tools.monitor.port_reader import PortReader
from host_tools.monitor.replay import Player


def of_ports(ports: Sequence[str], *, baud: int | None = None, patient: bool = True) -> Feed:
    """Opens the ports, and reads them until the feed is closed.

    `ports` are names as `ports.choose_all` gives them. `baud` is a higher speed for the line (FASTEST: as fast as it
    goes), raised again whenever the board has fallen back. A port that cannot be opened at the start is a LinkError;
    with `patient`, one that vanishes later is waited for, and Lost and Found events tell of it; else Lost is its last
    event.
    """
    readers: list[PortReader] = []
    try:
        for number, (port, name) in enumerate(zip(ports, short_names(ports), strict=True)):
            readers.append(PortReader(number, port, name, len(ports) > 1, baud, patient))
    except LinkError:
        for reader in readers:
            reader.close()
        raise
    return Feed(readers)


def of_recording(path: Path, speed: float = 1.0) -> Feed:
    """The events of a recording, `speed` times as fast as they came; 0 is as fast as they are read.

    RecordingError if the file cannot be read or is none.
    """
    return Feed([Player(path, speed)])


def short_names(ports: Sequence[str]) -> list[str]:
    """A name for each port, all different: what follows /dev/ or ://, or the file's name; else the whole."""
    names = []
    for port in ports:
        _, scheme, address = port.partition("://")
        in_dev = port.removeprefix("/dev/")
        names.append(address if scheme else in_dev if in_dev != port else Path(port).name)
    return [name if names.count(name) == 1 else port for name, port in zip(names, ports, strict=True)]
