"""People in a camera's frame, and heads as a perfect network gives them of any window of it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from conversion.decoding.board_zoom import pose_decoder, pose_zoom
from tests.firmware import synthetic

PIXEL = 256


class Scene:
    """A board whose camera sees drawn people; `people` [17, 2] each, in pixels of the frame.

    `noise` is how wrong the network's offsets are, in its own pixels (standard deviation): the more of the frame it
    sees, the more of the frame's pixels that is. Somebody shorter than `least` of its pixels is not seen.
    """

    def __init__(
        self, mode: int, size: tuple[int, int] = (320, 240), noise: float = 0.0, least: float = 0.0, smooth: int = 0
    ) -> None:
        self.card = synthetic.card(*size)
        self.decoder = pose_decoder.PoseDecoder(self.card)
        self.rule = pose_zoom.Zoom(*size)
        self.rule.configure(mode, smooth, self.decoder.max_poses)
        self._size, self._noise, self._least = size, noise, least
        self._random = np.random.default_rng(1)

    def heads(self, people: Sequence[np.ndarray], window: Sequence[int]) -> list[bytes]:
        """The four heads of a window; parts that lie outside of it are hidden."""
        x0, y0, step = window
        there = []
        for person in people:
            places = (person * PIXEL - (x0, y0)) / step
            inside = ((places >= 0) & (places < self._size)).all(axis=1)
            if inside.any() and np.ptp(places[inside, 1]) >= self._least:
                there.append(np.where(inside[:, None], places, np.nan))
        heads = synthetic.drawn(there, self.card)
        heads["offset"] = heads["offset"] + self._random.normal(0, self._noise, heads["offset"].shape)
        return synthetic.buffers(synthetic.quantised(heads, self.card))

    def look(self, people: Sequence[np.ndarray]) -> list[tuple[int, int, int]]:
        """One frame: the windows of its runs. The people found are `found`."""
        self.rule.begin()
        while self.rule.more():
            heads = self.heads(people, self.rule.window)
            self.rule.take(self.decoder.poses, self.decoder.decode(heads))
        self.rule.finish()
        flat = list(self.rule.windows[: 3 * self.rule.runs])
        return [tuple(flat[at : at + 3]) for at in range(0, len(flat), 3)]

    @property
    def found(self) -> list[np.ndarray]:
        """The people of the last frame, [17, 2] in pixels of the frame, from what goes out."""
        x0, y0, step = self.rule.view.full
        poses = self.rule.poses[: self.rule.count]
        return [(np.stack([pose.x16, pose.y16], axis=1).astype(float) * step / 16 + (x0, y0)) / PIXEL for pose in poses]
