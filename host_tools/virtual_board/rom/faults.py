"""What can go wrong on purpose while a board's flash is written."""

from __future__ import annotations

from dataclasses import dataclass, field

from host_tools.errors import BoardError
from host_tools.flashing.isp import Operation

# Each does the named thing in place of what the request asks for, but for those that say so.
KINDS = {
    "bad_checksum": "answers that the data's checksum is wrong",
    "bad_write": "answers that the flash chip cannot be written",
    "busy": "answers that the flash chip is busy",
    "silent": "does not answer",
    "stall": "neither answers nor reads any more, until it is reset",
    "wrong_echo": "does it, and answers with another operation's number",
    "garbage": "does it, and answers with bytes that are no frame",
    "noise": "does it, and answers rightly after bytes that are no frame",
    "unplug": "is gone: the port vanishes",
    "reset": "starts anew, as after a dip of the supply",
}


@dataclass
class DownloadFault:
    """From the `first`th request for an operation since power-on (1 is the first) on, so many `times`; then no more."""

    kind: str
    operation: Operation
    first: int = 1
    times: int = 1
    _seen: int = field(default=0, repr=False)

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise BoardError(f"download fault {self.kind}: no such fault; there are {', '.join(KINDS)}")

    def strikes(self, operation: int) -> bool:
        """Whether it happens at this request; each request is asked about once."""
        if operation != self.operation:
            return False
        self._seen += 1
        return self.first <= self._seen < self.first + self.times


@dataclass
class Flip:
    """A bit of a byte that is written to this address is another one in flash, so many times; nobody says so."""

    address: int
    times: int = 1
    bit: int = 0

    def spoil(self, address: int, data: bytes) -> bytes:
        """What gets into flash of `data`, written to `address`."""
        at = self.address - address
        if not self.times or not 0 <= at < len(data):
            return data
        self.times -= 1
        return data[:at] + bytes([data[at] ^ 1 << self.bit]) + data[at + 1 :]
