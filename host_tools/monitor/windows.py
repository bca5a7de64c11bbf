"""Where the network looked closer, as rectangles to be drawn over its picture."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from conversion.decoding.board_zoom import pose_view


def outlines(windows: Sequence[tuple[int, int, int]], size: tuple[int, int], turned: bool = False) -> list[list[int]]:
    """[x, y, width, height] in pixels of the model's picture, of each window of a frame but the full one; none where
    the model's size is not known. Picture and outlines stand where it is `turned`; windows are always the camera's."""
    if turned:
        lying = outlines(windows, (size[1], size[0]))
        return [[top, left, height, width] for left, top, width, height in lying]
    if not windows or not all(size):
        return []
    view = _view(*size)
    return [list(view.outline(window)) for window in windows if not view.is_full(window)]


@lru_cache(maxsize=16)
def _view(width: int, height: int) -> pose_view.View:
    """As the board has it: for the whole frame of its camera."""
    return pose_view.View(width, height)
