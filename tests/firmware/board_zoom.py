"""Runs under MicroPython and CPython: windows of frames with people who wander, and every integer of every result.

The poses are made by integers alone, as if a decoder had found them; with `heap` it prints what a frame leaves behind.
"""

import gc
import sys
from array import array

import pose_decoder
import pose_zoom

FRAMES = 32
PEOPLE = 5


class Dice:
    """Numbers that look random, the same everywhere."""

    def __init__(self, seed):
        self._value = seed

    def roll(self, sides):
        """From 0 to sides - 1."""
        self._value = (self._value * 1103515245 + 12345) & 0x7FFFFFFF
        return (self._value >> 8) % sides


def found(poses, count, window, dice):
    """Fills the first `count` poses with people of the frame as they lie in a window."""
    x0, y0, step = window
    for n in range(count):
        pose = poses[n]
        left = 256 * (40 + 110 * n + dice.roll(30))
        top = 256 * (60 + 20 * n + dice.roll(30))
        for part in range(pose_decoder.PARTS):
            pose.x64[part] = (left + 256 * (part % 5 * 9 + dice.roll(3)) - x0) * 64 // step
            pose.y64[part] = (top + 256 * (part * 9 + dice.roll(3)) - y0) * 64 // step
            pose.scores[part] = 30 + dice.roll(226)
        pose.score_sum = 60000 + dice.roll(400000)
        pose.score = pose.score_sum * 255 // (17 * 32768)


def frame(zoom, poses, count, dice):
    """One frame."""
    zoom.begin()
    while zoom.more():
        found(poses, count, zoom.window, dice)
        zoom.take(poses, count)
    return zoom.finish()


def show(width, height, mode, smooth):
    """Every integer of some frames, and of the state after them."""
    zoom = pose_zoom.Zoom(width, height)
    zoom.configure(mode, smooth, PEOPLE)
    poses = [pose_decoder.Pose() for _ in range(PEOPLE)]
    dice = Dice(width + 7 * mode)
    for n in range(FRAMES):
        # Fewer people for a while: windows come and go.
        count = frame(zoom, poses, dice.roll(PEOPLE + 1) if n % 8 < 6 else n % 2, dice)
        print("frame", zoom.runs, width, height, mode, smooth, n, count, list(zoom.windows[: 3 * zoom.runs]))
        for pose in zoom.poses[:count]:
            print(pose.score, list(pose.x16), list(pose.y16), list(pose.scores))
    state = array("i", [0] * zoom.state_size())
    zoom.save(state)
    print(list(state))


def heap(mode):
    """Bytes that the worst of some frames of five people leaves behind, all but what the decoder leaves."""
    zoom = pose_zoom.Zoom(320, 240)
    zoom.configure(mode, 1, PEOPLE)
    poses = [pose_decoder.Pose() for _ in range(PEOPLE)]
    state = array("i", [0] * 1200)
    dice = Dice(3)
    worst = 0
    for n in range(FRAMES):
        gc.collect()
        gc.disable()
        before = gc.mem_alloc()
        zoom.save(state)
        zoom.begin()
        used = gc.mem_alloc() - before
        while zoom.more():
            found(poses, PEOPLE, zoom.window, dice)
            before = gc.mem_alloc()
            zoom.take(poses, PEOPLE)
            used += gc.mem_alloc() - before
        before = gc.mem_alloc()
        zoom.finish()
        used += gc.mem_alloc() - before
        gc.enable()
        if n > 1:
            worst = max(worst, used)
    print(mode, worst)


if sys.argv[1:] == ["heap"]:
    for each in range(pose_zoom.MOST + 1):
        heap(each)
else:
    for size in ((320, 240), (256, 192), (224, 224), (384, 256)):
        for each in range(pose_zoom.MOST + 1):
            show(size[0], size[1], each, each & 1)
            show(size[0], size[1], each, 1)
