"""Frames a second: those that arrive, and those that the board computes."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from host_tools.serial_link import Frame

WINDOW_SECONDS = 3.0
_MOST = 1000
# Frames that lay together in a buffer, and are read at once, say nothing of a rate.
_LEAST_SECONDS = 0.1


@dataclass
class Rates:
    """Over the last three seconds of one source."""

    _frames: deque[tuple[float, int, int]] = field(default_factory=lambda: deque(maxlen=_MOST))

    def add(self, at: float, frame: Frame) -> None:
        """A frame that arrived at `at` (seconds)."""
        if self._frames and (frame.number <= self._frames[-1][1] or frame.t_ms < self._frames[-1][2]):
            self._frames.clear()
        self._frames.append((at, frame.number, frame.t_ms))

    def arriving(self, now: float) -> float:
        """Frames that arrived in a second; 0 where fewer than two did within the window, or all of them at once."""
        self._drop_old(now)
        if not self._frames or self._frames[-1][0] - self._frames[0][0] < _LEAST_SECONDS:
            return 0.0
        return self._over(0, len(self._frames) - 1)

    def computed(self, now: float) -> float:
        """Frames that the board computed in a second of its own clock, sent or not."""
        self._drop_old(now)
        count = self._frames[-1][1] - self._frames[0][1] if self._frames else 0
        return self._over(2, count, 1000)

    def _over(self, column: int, count: int, unit: int = 1) -> float:
        if len(self._frames) < 2:
            return 0.0
        length = (self._frames[-1][column] - self._frames[0][column]) / unit
        return count / length if length > 0 else 0.0

    def _drop_old(self, now: float) -> None:
        while self._frames and self._frames[0][0] < now - WINDOW_SECONDS:
            self._frames.popleft()
