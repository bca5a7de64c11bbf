"""A frame through its windows: the runs of the network that the rule asks for, who is found, and what a host needs to
follow it."""

import gc
from array import array

import pose_decoder
import pose_engine
import pose_errors
import pose_zoom
import utime
from pose_errors import PoseError

WINDOW_COLOUR = (160, 160, 160)
# What a block for the host begins with: how many integers the state has.
HEADER = 4
# Of a frame at most, but for several windows: follow has a second run now and then.
FEWEST_RUNS = 2
NOT_WHOLE = -1


class Look:
    """How frames of a source are looked at, by the setting `zoom` (0: as they are).

    `runs` and `windows` (three integers each) are those of the last frame, `warp_us` is what making these pictures and
    the one that is shown took.
    """

    def __init__(self, frames, card, zoom):
        self._frames = frames
        self._card = card
        self.zoom = zoom
        self._wide = frames.wide
        if self._wide:
            self.rule = pose_zoom.Zoom(card.width, card.height)
        else:
            self.rule = pose_zoom.Zoom(card.width, card.height, card.width, card.height)
        self.windows = self.rule.windows
        self._outlined = array("i", [0, 0, 0])
        self.warp_us = 0
        self._block = None
        self._size = 0
        # Whether the block lies where the frame would be shown.
        self.in_picture = False

    @property
    def runs(self):
        """Windows of the last frame; none where the source has no window."""
        return self.rule.runs if self._wide else 0

    def configure(self, smooth, max_poses):
        """Takes settings over that may change from frame to frame."""
        self.rule.configure(self.zoom, smooth, max_poses)

    def run(self, engine, picture, mode, keep):
        """Runs the network on a frame as the rule wants, `engine` has the people then; the picture to be shown. With
        `keep`, state and heads are written into the block of `reserve`; where that is the picture's own, there is none
        to be shown."""
        rule = self.rule
        kpu = decode = warp = 0
        self._size = 0
        if keep:
            self._keep_state()
        rule.begin()
        while rule.more():
            if self._wide:
                begin = utime.ticks_us()
                picture = self._frames.look(rule.window)
                warp += utime.ticks_diff(utime.ticks_us(), begin)
            found = engine.run(picture, mode)
            kpu += engine.stages[pose_engine.KPU]
            decode += engine.stages[pose_engine.DECODE]
            if keep:
                self._keep_heads(engine.heads)
            begin = utime.ticks_us()
            rule.take(engine.poses, found)
            decode += utime.ticks_diff(utime.ticks_us(), begin)
        begin = utime.ticks_us()
        engine.count = rule.finish()
        engine.poses = rule.poses
        engine.stages[pose_engine.KPU] = kpu
        engine.stages[pose_engine.DECODE] = decode + utime.ticks_diff(utime.ticks_us(), begin)
        if keep and self.in_picture:
            picture = None
        elif self._wide:
            begin = utime.ticks_us()
            picture = self._frames.show()
            warp += utime.ticks_diff(utime.ticks_us(), begin)
        self.warp_us = warp
        return picture

    def outline(self, picture):
        """Draws a thin frame round what the network saw closer."""
        view = self.rule.view
        window = self._outlined
        for n in range(self.runs):
            for at in range(3):
                window[at] = self.windows[3 * n + at]
            if not view.is_full(window):
                x, y, width, height = view.outline(window)
                picture.draw_rectangle(x, y, width, height, color=WINDOW_COLOUR, thickness=1)

    # What the host recomputes a frame from.

    def reserve(self):
        """Takes memory for the block of a frame. With zoom that is where the frame would be shown, which a large heap
        would hardly have once more; else a piece of the heap, once. PoseError if there is none."""
        size = HEADER + 4 * (self.rule.state_size() + 2 * pose_decoder.PARTS * self.rule.max_poses)
        size += max(self.zoom, FEWEST_RUNS) * sum(self._card.head_bytes)
        pixels = self._frames.pixels() if self._wide else b""
        self.in_picture = len(pixels) >= size
        if self.in_picture:
            self._block = pixels
        elif self._block is None or len(self._block) < size:
            self._block = None
            gc.collect()
            try:
                self._block = bytearray(size)
            except MemoryError:
                raise PoseError(pose_errors.MEMORY, "no piece of %d KiB of the heap for heads" % (size >> 10))

    @property
    def whole(self):
        """Whether the block holds all of the last frame."""
        return self._size > 0

    def block(self):
        """The number of integers of the state (little-endian), these, then the heads of each run."""
        return memoryview(self._block)[: self._size]

    def _keep_state(self):
        state = array("i", [0] * self.rule.state_size())
        self.rule.save(state)
        self._add(bytearray(array("i", [len(state)])))
        self._add(bytearray(state))

    def _keep_heads(self, heads):
        for head in heads:
            self._add(head)

    def _add(self, data):
        end = self._size + len(data)
        if end > len(self._block):
            self._size = NOT_WHOLE
        if self._size >= 0:
            self._block[self._size : end] = data
            self._size = end
