"""People in the camera's frame: a decoder's pose placed there, who is the same person, who is new. Integers only.

Positions are in 1/256 pixel of the frame (`pose_view`).
"""

from array import array

from pose_decoder import MAX_POSES, PARTS, const

# A keypoint is sure from 0.2 on (in 1/255), and somebody has a size from so many sure ones on.
SURE = const(51)
LEAST_SURE = const(3)
# Distances are in 1/64 of the size of who they are measured from, and end there.
FAR = const(64)
# Nearer than this on average: the same person, seen again.
SAME = const(32)
# A size is never less than a pixel.
LEAST_SIZE = const(256)
# Found once more rather than another person: as near as this to somebody, from either of the two.
OTHER = const(12)
# 0.2 in 1/32768, summed over 17 parts: who is seen for the first time in a window is somebody.
SOMEBODY = const(111418)


def _zeros(typecode):
    return array(typecode, [0] * PARTS)


class Person:
    """Somebody in the frame; overwritten by each frame.

    As of a decoder's Pose, and for whoever takes those: `score`, `scores`, `x16`, `y16` (of the full window's picture,
    set when the frame is finished) and `score_sum`. `xs`, `ys` lie in the frame; `left`, `top`, `right`, `bottom` is
    the box of the sure keypoints and `size` its larger side, 0 where too few are sure.
    """

    def __init__(self):
        self.score = 0
        self.score_sum = 0
        self.x16 = _zeros("h")
        self.y16 = _zeros("h")
        self.scores = bytearray(PARTS)
        self.xs = _zeros("i")
        self.ys = _zeros("i")
        self.left = self.top = self.right = self.bottom = 0
        self.size = 0
        # Whether somebody has looked at it already, where they are gone through.
        self.seen = False

    def place(self, pose, window):
        """Takes a decoder's pose over, which it found in a window.

        Rounded up, so that a pose of the full window goes out as the decoder itself rounds it.
        """
        x0, y0, step = window
        xs = self.xs
        ys = self.ys
        scores = self.scores
        pose_xs = pose.x64
        pose_ys = pose.y64
        self.score = pose.score
        self.score_sum = pose.score_sum
        scores[:] = pose.scores
        self.seen = False
        sure = 0
        for n in range(PARTS):
            xs[n] = x = x0 - (-pose_xs[n] * step >> 6)
            ys[n] = y = y0 - (-pose_ys[n] * step >> 6)
            if scores[n] >= SURE:
                if not sure:
                    left = right = x
                    top = bottom = y
                elif x < left:
                    left = x
                elif x > right:
                    right = x
                if y < top:
                    top = y
                elif y > bottom:
                    bottom = y
                sure += 1
        self.size = 0
        if sure >= LEAST_SURE:
            self.left = left
            self.top = top
            self.right = right
            self.bottom = bottom
            self.size = max(right - left, bottom - top, LEAST_SIZE)


def distance(person, other):
    """How far the keypoints of `other` are from the sure ones of a person, on average, in 1/64 of the person's size;
    FAR at most, and for somebody without size."""
    size = person.size
    if not size:
        return FAR
    scores = person.scores
    xs = person.xs
    ys = person.ys
    other_xs = other.xs
    other_ys = other.ys
    total = 0
    count = 0
    for n in range(PARTS):
        if scores[n] >= SURE:
            dx = xs[n] - other_xs[n]
            dy = ys[n] - other_ys[n]
            d = (dx if dx >= 0 else -dx) + (dy if dy >= 0 else -dy)
            total += d if d < size else size
            count += 1
    return total * FAR // (count * size)


def is_other(person, other):
    """Whether two poses are of two people."""
    return distance(person, other) >= OTHER and distance(other, person) >= OTHER


class Crowd:
    """The people of a frame: `poses[:count]`, and behind them who is still to be looked at."""

    def __init__(self):
        self.poses = []
        self.count = 0

    def reserve(self, count):
        """Makes room for so many."""
        while len(self.poses) < count:
            self.poses.append(Person())

    def place(self, poses, found, window):
        """Places the first `found` of a decoder's poses behind `count`."""
        self.reserve(self.count + found)
        for n in range(found):
            self.poses[self.count + n].place(poses[n], window)

    def best(self, begin, end, least):
        """Who has the highest score of those from `begin` to `end` who are not seen yet; -1 if it is below `least`."""
        at = -1
        for n in range(begin, end):
            person = self.poses[n]
            if not person.seen and person.score_sum >= least:
                at = n
                least = person.score_sum + 1
        return at

    def add(self, found):
        """Counts those of the `found` people behind `count` in who are somebody, and nobody known. How many."""
        people = self.poses
        before = self.count
        end = before + found
        while self.count < MAX_POSES:
            at = self.best(self.count, end, SOMEBODY)
            if at < 0:
                break
            person = people[at]
            person.seen = True
            if self._is_new(person):
                people[at] = people[self.count]
                people[self.count] = person
                self.count += 1
        return self.count - before

    def _is_new(self, person):
        for n in range(self.count):  # noqa: SIM110 - a generator would cost heap
            if not is_other(self.poses[n], person):
                return False
        return True

    def merge(self, found, target):
        """Puts what a window shows, the `found` people behind `count`, in the target's place (-1: nobody's), and adds
        who is new. How many are new."""
        people = self.poses
        if target >= 0:
            person = people[target]
            at = self._same(person, found)
            if at >= 0:
                people[target] = people[at]
                found -= 1
                people[at] = people[self.count + found]
                people[self.count + found] = person
        return self.add(found)

    def _same(self, person, found):
        """Where among the `found` people behind `count` that person is, -1 for nowhere: near, and sure."""
        at = -1
        most = -1
        for n in range(self.count, self.count + found):
            d = distance(person, self.poses[n])
            if d < SAME:
                value = (FAR - d) * self.poses[n].score_sum
                if value > most:
                    most = value
                    at = n
        return at

    def order(self):
        """Best first."""
        people = self.poses
        for n in range(1, self.count):
            person = people[n]
            at = n
            while at and people[at - 1].score_sum < person.score_sum:
                people[at] = people[at - 1]
                at -= 1
            people[at] = person
