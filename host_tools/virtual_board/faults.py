"""What can go wrong on purpose: on the line, in the camera, in memory, with the power."""

from __future__ import annotations

import random
from dataclasses import dataclass, field, fields

from host_tools.errors import BoardError


@dataclass(frozen=True)
class Faults:
    """Each fault is off at 0."""

    drop: float = field(default=0.0, metadata={"help": "share of serial bytes that get lost"})
    corrupt: float = field(default=0.0, metadata={"help": "share of serial bytes of which one bit flips"})
    stall: float = field(default=0.0, metadata={"help": "seconds that the line stands still, every five seconds"})
    slow: int = field(default=0, metadata={"help": "bytes a second that the line carries"})
    camera: int = field(default=0, metadata={"help": "every so manieth frame times out"})
    no_camera: int = field(default=0, metadata={"help": "1: no camera is found"})
    memory: int = field(default=0, metadata={"help": "bytes of the system heap that are taken by something else"})
    reboot: int = field(default=0, metadata={"help": "the chip resets at this frame, once"})
    seed: int = field(default=0, metadata={"help": "another seed, other bytes"})

    def __post_init__(self) -> None:
        for name in ("drop", "corrupt"):
            if not 0 <= getattr(self, name) <= 1:
                raise BoardError(f"fault {name}={getattr(self, name)}: a share, from 0 to 1")
        for entry in fields(self):
            if getattr(self, entry.name) < 0:
                raise BoardError(f"fault {entry.name}={getattr(self, entry.name)}: must not be negative")

    @classmethod
    def parse(cls, texts: tuple[str, ...]) -> Faults:
        """From `name=number` texts; BoardError names what is wrong with one."""
        kinds = {entry.name: type(entry.default) for entry in fields(cls)}
        values = {}
        for text in texts:
            name, _, number = text.partition("=")
            if name not in kinds:
                raise BoardError(f"fault {text}: no such fault; there are {', '.join(kinds)}")
            try:
                values[name] = kinds[name](number)
            except ValueError:
                raise BoardError(f"fault {text}: expected a number, such as {name}={kinds[name](1)}") from None
        return cls(**values)


class Noise:
    """Loses and damages the bytes of one direction of a line."""

    def __init__(self, faults: Faults, direction: str) -> None:
        self._faults = faults
        self._random = random.Random(f"{faults.seed} {direction}")

    def __call__(self, data: bytes) -> bytes:
        """What arrives of what was sent."""
        faults = self._faults
        if not (faults.drop or faults.corrupt):
            return data
        arrived = bytearray()
        for byte in data:
            if self._random.random() < faults.drop:
                continue
            if self._random.random() < faults.corrupt:
                byte ^= 1 << self._random.randrange(8)
            arrived.append(byte)
        return bytes(arrived)
