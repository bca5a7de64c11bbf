"""The camera: a sensor that looks at a scene, and the buffers that its frames are written to."""

from __future__ import annotations

import numpy as np

from conversion.test_card import planes_of
from host_tools.virtual_board import pixels, timing
from host_tools.virtual_board.camera import Scene
from host_tools.virtual_board.hardware import MOVES_WINDOW
from host_tools.virtual_board.memory import OutOfMemoryError, SystemHeap

# What frames without memory are made of.
_NOTHING = 0xA5
# What MaixPy rounds its two buffers up to.
_PIXELS_ALIGNMENT, _PLANES_ALIGNMENT = 128, 64


class NotReadyError(Exception):
    """A snapshot before reset() and set_framesize()."""


class ImageSensor:
    """One sensor; `kind` is None where none is fitted."""

    def __init__(self, kind: str | None, scene: Scene) -> None:
        self.kind = kind
        self._scene = scene
        self.frames = 0
        self.power_off()

    def look_at(self, scene: Scene) -> None:
        """Turn the camera to another scene."""
        self._scene = scene

    def power_off(self) -> None:
        """Everything is forgotten; the heap too."""
        self._blocks: list[int] = []
        self._slots = 1
        self._slot = 0
        self.found = False
        self.running = True
        self._size = self._window = (0, 0, 0, 0)
        self._asked: int | None = None
        # The size for which there was no memory, and whether it was asked for once more since.
        self._refused: tuple[int, int] | None = None
        self._empty = False
        self.flipped = self.mirrored = False
        self.words: list[np.ndarray | None] = [None, None]
        self.planes: list[np.ndarray | None] = [None, None]

    def reset(self, heap: SystemHeap, double: bool) -> bool:
        """Look for the sensor and free the buffers; whether one was found."""
        self._give(heap)
        frames = self.frames
        self.power_off()
        self.frames = frames
        self._slots = 2 if double else 1
        self.found = self.kind is not None
        return self.found

    def set_size(self, heap: SystemHeap, width: int, height: int) -> None:
        """Take buffers for frames of that size; OutOfMemoryError, and none taken, if there is no room. As the firmware
        knows the size from then on, asking once more succeeds, without any memory."""
        self._empty = self._refused == (width, height)
        if self._empty:
            self._size = self._window = (0, 0, width, height)
            return
        self._give(heap)
        try:
            for _ in range(self._slots):
                for size, alignment in ((2, _PIXELS_ALIGNMENT), (3, _PLANES_ALIGNMENT)):
                    self._blocks.append(heap.take(-(-size * width * height // alignment) * alignment))
        except OutOfMemoryError:
            self._give(heap)
            self._refused = (width, height)
            raise
        self._refused = None
        self._size = self._window = (0, 0, width, height)

    def set_window(self, x: int, y: int, width: int, height: int) -> None:
        """Frames are a part of the sensor's picture from now on: where asked for, or the top left."""
        if self.kind != MOVES_WINDOW:
            x = y = 0
        self._window = (x, y, width, height)

    def ready(self, now: int) -> int:
        """When a frame that is asked for now will be whole. The camera writes a frame after it was asked for, from the
        next one's start on; with two buffers it does so while the program works on the one before."""
        asked = now if self._asked is None or self._slots == 1 else self._asked
        moment = max(now, timing.frame_start(asked) + timing.CAMERA_FRAME_US)
        self._asked = moment
        return moment

    def snapshot(self) -> tuple[int, int, int]:
        """Take the next frame: its width, height and slot. The planes and the RGB565 picture are independent of each
        other from then on. NotReadyError if the sensor was not set up."""
        if not (self.found and (self._blocks or self._empty)):
            raise NotReadyError
        self._slot = (self._slot + 1) % self._slots
        picture = self._scene.picture(self.frames, *self._size[2:])
        self.frames += 1
        if self.mirrored:
            picture = picture[:, ::-1]
        if self.flipped:
            picture = picture[::-1]
        x, y, width, height = self._window
        if self._empty:
            picture = np.full_like(picture, _NOTHING)
        part = picture[y : y + height, x : x + width]
        self.words[self._slot] = pixels.to_words(part)
        self.planes[self._slot] = np.ascontiguousarray(part.transpose(2, 0, 1))
        return width, height, self._slot

    def derive_planes(self, slot: int, data: bytes) -> None:
        """Fill a buffer's planes from its pixels, as pix_to_ai()."""
        _, _, width, height = self._window
        self.planes[slot] = planes_of(pixels.words_of(data, width, height))

    def _give(self, heap: SystemHeap) -> None:
        for block in self._blocks:
            heap.give(block)
        self._blocks = []
