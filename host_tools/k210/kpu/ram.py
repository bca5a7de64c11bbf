"""Feature maps in the KPU's RAM, by a layer's own registers: which bytes they are, whether they fit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import as_strided

from host_tools.k210.kpu.sums import LINE_BYTES, RAM_BYTES


@dataclass(frozen=True)
class Place:
    """A map of [channels, height, width] from a line on: channels that share a line, lines a channel and a row."""

    line: int
    channels: int
    height: int
    width: int
    group: int
    channel_lines: int
    row_lines: int

    @property
    def sound(self) -> bool:
        """Whether rows and channels fit into what the registers leave for them."""
        fits = self.width <= self.row_lines * (LINE_BYTES // self.group)
        return fits and self.height * self.row_lines <= self.channel_lines

    @property
    def groups(self) -> int:
        """Groups of channels, the last one perhaps not full."""
        return -(-self.channels // self.group)

    @property
    def start(self) -> int:
        """First byte."""
        return self.line * LINE_BYTES

    @property
    def end(self) -> int:
        """Byte behind the last one."""
        channels = (self.groups - 1) * self.channel_lines + (self.height - 1) * self.row_lines
        return self.start + channels * LINE_BYTES + (self.group - 1) * (LINE_BYTES // self.group) + self.width

    def read(self, ram: np.ndarray) -> np.ndarray:
        """uint8 [C, H, W], a copy; addresses go round at the end of the RAM."""
        if self.end > RAM_BYTES:
            return ram[self._addresses()]
        whole = self._view(ram).reshape(-1, self.height, self.width)
        return whole[: self.channels]

    def write(self, ram: np.ndarray, planes: np.ndarray) -> None:
        """Put uint8 [C, H, W] there."""
        if self.end > RAM_BYTES:
            ram[self._addresses()] = planes
            return
        view, full = self._view(ram), self.channels // self.group
        view[:full] = planes[: full * self.group].reshape(full, self.group, self.height, self.width)
        rest = self.channels - full * self.group
        if rest:
            view[full, :rest] = planes[full * self.group :]

    def _view(self, ram: np.ndarray) -> np.ndarray:
        shape = (self.groups, self.group, self.height, self.width)
        strides = (self.channel_lines * LINE_BYTES, LINE_BYTES // self.group, self.row_lines * LINE_BYTES, 1)
        return as_strided(ram[self.start :], shape, strides)

    def _addresses(self) -> np.ndarray:
        channel, y, x = np.ogrid[: self.channels, : self.height, : self.width]
        found = self.start + channel // self.group * self.channel_lines * LINE_BYTES
        found = found + channel % self.group * (LINE_BYTES // self.group) + y * self.row_lines * LINE_BYTES + x
        return found % RAM_BYTES
