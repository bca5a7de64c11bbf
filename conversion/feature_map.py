"""How a feature map lies in KPU RAM: 64-byte lines, rows padded to whole lines, narrow maps several channels a line.

Source: the address arithmetic of the Kendryte SDK's kpu.c; read there and confirmed by running it.
"""

from __future__ import annotations

from dataclasses import dataclass

LINE_BYTES = 64
RAM_BYTES = 2 * 1024 * 1024
RAM_LINES = RAM_BYTES // LINE_BYTES


@dataclass(frozen=True)
class FeatureMap:
    """A map of channels x height x width bytes, as the KPU stores it."""

    channels: int
    height: int
    width: int

    @property
    def groups(self) -> int:
        """Channels that share a line: 4 up to 16 pixels wide, 2 up to 32, else 1."""
        if self.width <= 16:
            return 4
        return 2 if self.width <= 32 else 1

    @property
    def row_lines(self) -> int:
        """Lines that one row of one channel group takes."""
        return -(-self.width // LINE_BYTES) if self.groups == 1 else 1

    @property
    def row_pitch(self) -> int:
        """Bytes from one channel to the next within a line."""
        return LINE_BYTES // self.groups

    @property
    def group_lines(self) -> int:
        """Lines of one channel group: the registers' channel switch address."""
        return self.row_lines * self.height

    @property
    def lines(self) -> int:
        """Lines of the whole map."""
        return self.group_lines * -(-self.channels // self.groups)

    @property
    def bytes(self) -> int:
        """Bytes of the map when it lies densely in main memory."""
        return self.channels * self.height * self.width


@dataclass(frozen=True)
class Region:
    """A feature map at a line of KPU RAM."""

    line: int
    map: FeatureMap

    @property
    def end(self) -> int:
        """The first line behind it."""
        return self.line + self.map.lines
