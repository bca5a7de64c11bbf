"""Smooth keypoints in integers: who stands does not tremble, who moves does not lag.

A one-euro filter (Casiez, Roussel, Vogel, CHI 2012) that counts frames, not seconds: how much of a change is taken over
grows with the change itself.
"""

from array import array

import pose_people
from pose_decoder import PARTS, const

# In 1/256: at least a quarter of a change is taken over, and all of one of about 3 % of the person's size.
STILL = const(64)
ALL = const(256)
SPEED = const(6000)


class Track:
    """Where somebody's keypoints are, smoothed."""

    def __init__(self):
        self.xs = array("i", [0] * PARTS)
        self.ys = array("i", [0] * PARTS)


class Smoother:
    """Follows people from frame to frame and smooths their keypoints: y += (x - y) * a >> 8 for each coordinate, where
    a grows with |x - y| from STILL to ALL.

    `tracks[:count]` are those of the last frame, in the order of its people; who is not seen in a frame begins anew.
    """

    def __init__(self):
        self.tracks = []
        self.count = 0

    def reserve(self, count):
        """Makes room for so many tracks."""
        while len(self.tracks) < count:
            self.tracks.append(Track())

    def smooth(self, people, count):
        """Moves the first `count` people, best first, to where they are smoothed; who has no size stays."""
        tracks = self.tracks
        before = self.count
        known = 0
        new = 0
        for n in range(count):
            person = people[n]
            if not person.size:
                continue
            at = self._nearest(person, known, before)
            if at >= 0:
                track = tracks[at]
                tracks[at] = tracks[known]
                tracks[known] = track
                known += 1
                _follow(track.xs, person.xs, person.size)
                _follow(track.ys, person.ys, person.size)
            else:
                self.reserve(before + new + 1)
                track = tracks[before + new]
                new += 1
                track.xs[:] = person.xs
                track.ys[:] = person.ys
        for n in range(new):
            track = tracks[known + n]
            tracks[known + n] = tracks[before + n]
            tracks[before + n] = track
        self.count = known + new

    def _nearest(self, person, begin, end):
        """The track that is the same person's, or -1."""
        at = -1
        least = pose_people.SAME
        while begin < end:
            d = pose_people.distance(person, self.tracks[begin])
            if d < least:
                least = d
                at = begin
            begin += 1
        return at


def _follow(smoothed, raw, size):
    """Moves `smoothed` towards `raw`, and `raw` to where it is then."""
    for n in range(PARTS):
        d = raw[n] - smoothed[n]
        share = STILL + (d if d >= 0 else -d) * SPEED // size
        raw[n] = smoothed[n] = smoothed[n] + (d * (share if share < ALL else ALL) >> 8)
