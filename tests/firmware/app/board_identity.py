"""Runs under MicroPython and CPython: who is who of people who walk, where their labels stand, what that leaves behind.

Prints a line a frame; under MicroPython last `heap N`, the bytes that some frames left on the heap.
"""

import gc
import sys

import pose_identity
import pose_labels

FRAMES = 40
PARTS = 17


class Pose:
    """A person whose keypoints stand on a slope."""

    def __init__(self):
        self.x16 = [0] * PARTS
        self.y16 = [0] * PARTS
        self.scores = bytearray([200] * PARTS)

    def stand(self, x, y):
        """At 1/16 pixels."""
        for part in range(PARTS):
            self.x16[part] = x + 37 * (part & 3)
            self.y16[part] = y + 90 * part


def step(people, labels, poses, frame):
    """One frame: three people, of whom two cross."""
    poses[0].stand(400 + 70 * frame, 500)
    poses[1].stand(3900 - 61 * frame, 520 + (frame & 3))
    poses[2].stand(2500, 600 - 16 * (frame % 7))
    count = 2 + (frame % 9 != 4)
    people.identify(poses, count)
    labels.clear(0, 14, 180, 135)
    for n in range(count):
        labels.add(poses[n].x16[0] >> 4, poses[n].y16[0] >> 4, 32)
    return count


people = pose_identity.People(32)
labels = pose_labels.Labels(32, 12)
poses = [Pose(), Pose(), Pose()]
for frame in range(FRAMES):
    count = step(people, labels, poses, frame)
    print(list(people.numbers[:count]), [(labels.xs[n], labels.ys[n], labels.there[n]) for n in range(count)])
if sys.implementation.name == "micropython":
    gc.collect()
    gc.disable()
    before = gc.mem_alloc()
    for frame in range(FRAMES):
        step(people, labels, poses, frame)
    print("heap", gc.mem_alloc() - before)
