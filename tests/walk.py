"""A person a third of the frame high who walks, jumps and leaves: where somebody is in each of 300 VGA frames."""

from __future__ import annotations

from collections.abc import Iterator

FRAMES = 300
# Pixels of the frame, from the top of the hair to the soles.
HEIGHT = 150
# Half of how wide somebody is, arms included.
HALF_WIDTH = 32
FRAME = (640, 480)

# (frames, pixels right and down a frame, jump to (x, top) first or None). A jump is what a camera sees that misses some
# frames, or of somebody who runs past.
_LEGS = (
    (40, 0, 0, (150, 180)),
    (50, 6, 0, None),
    (10, 0, 0, None),
    (20, 0, 0, (110, 220)),
    (40, 9, -1, None),
    (20, 0, 1, (420, 60)),
    (30, 12, 0, None),
    (15, 0, 0, None),
    (35, 10, 0, (-120, 200)),
    (20, 0, 0, None),
    (20, -3, 1, (500, 150)),
)


def places() -> Iterator[tuple[int, int]]:
    """(x of the middle, y of the top) for each frame."""
    x = y = 0
    for frames, right, down, jump in _LEGS:
        x, y = jump or (x, y)
        for _ in range(frames):
            yield x, y
            x, y = x + right, y + down


def wholly_there(x: int, y: int) -> bool:
    """Whether all of the person is in the frame."""
    return HALF_WIDTH <= x <= FRAME[0] - HALF_WIDTH and 0 <= y <= FRAME[1] - HEIGHT


class Watched:
    """What a board made of the walk, frame by frame, and the figures that it is held to."""

    def __init__(self) -> None:
        self.errors: list[float] = []
        self.windows: list[tuple[int, ...]] = []
        self._lost = [0]
        # Frames since the person came back, this one included, while still not found.
        self._coming_back = 0
        self.until_found = 0

    def saw(self, place: tuple[int, int], window: tuple[int, ...], error: float | None) -> None:
        """One frame: its first window, and how far the person's keypoints are off (None: not found)."""
        self.windows.append(window)
        if not wholly_there(*place):
            self._coming_back = 1
            return
        if self._coming_back:
            self.until_found = max(self.until_found, self._coming_back)
            self._coming_back += 1
        elif error is None:
            self._lost[-1] += 1
        if error is not None:
            self.errors.append(error)
            self._coming_back = 0
            self._lost.append(0)

    @property
    def longest_lost(self) -> int:
        """Frames in a row in which somebody who was there before was not found."""
        return max(self._lost)

    @property
    def window_changes(self) -> int:
        """Frames whose window is another one than that of the frame before."""
        return sum(before != after for before, after in zip(self.windows, self.windows[1:], strict=False))
