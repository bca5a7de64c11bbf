"""Zoom: which windows of the camera's frame the network looks at, and who is there. Integers only, on board and host.

    zoom = pose_zoom.Zoom(320, 240)            # the network's picture; the frame is 640x480
    zoom.configure(mode=1, smooth=0, max_poses=5)
    # each frame:
    zoom.begin()
    while zoom.more():
        # make the network's picture of zoom.window (x0, y0, step: see pose_view), run the network, decode:
        zoom.take(decoder.poses, decoder.decode(heads))
    for n in range(zoom.finish()):
        zoom.poses[n]                          # score, x16, y16, scores: as a decoder's Pose

What the next frame looks at follows from what `save` writes and from the heads of each run, and from nothing else: a
host that loads these integers and decodes these heads gets the same windows and the same poses, bit for bit.

* FOLLOW (1): one window round everybody, chosen by the frame before; the full window where nobody is followed. While
  the window is not the full one, every INTERVAL-th frame has a second run with that, which finds who has come; they are
  not shown, but the next window has them in it.
* 2 to 4: the full window, then 1 to 3 windows of the same frame, each round one person, best first. What a window shows
  takes that person's place, and who is seen for the first time is added.
* OFF (0): the full window alone.
"""

from array import array

import pose_people
import pose_smooth
import pose_view
from pose_decoder import MAX_POSES, PARTS, const

OFF = const(0)
FOLLOW = const(1)
# Full window and three windows: one more than its number of windows.
MOST = const(4)
# A frame has at most so many runs of the network, each of which has a window of three integers.
MAX_RUNS = const(4)
# Every 16th frame is looked at as a whole.
INTERVAL = const(16)
# Who comes near a side of the window shows less of themselves for some frames, and is as tall as before: the window of
# `follow` shrinks when they were small in it for so many frames in a row.
PATIENCE = const(8)
# 0.15 in 1/32768, summed over 17 parts: who gets a window.
FOLLOWED = const(83555)

# What `save` writes: mode, smooth, max_poses, frames since the last full window, frames in which everybody was small,
# the number of windows, three windows; the number of tracks, and for each the 17 x and 17 y.
_WINDOWS_AT = const(6)
_TRACKS_AT = const(15)
_TRACK = const(34)
# The longest one.
MOST_STATE = const(16 + 34 * 32)


class Zoom:
    """The rule, for one size of the network's picture and one of the frame.

    `window` is where the next run looks. `windows` are those of the frame's runs one after another, `runs` how many.
    `poses[:count]` are the people, as `finish` left them. All of them are overwritten by the next frame.
    """

    def __init__(self, width, height, frame_width=pose_view.FRAME_WIDTH, frame_height=pose_view.FRAME_HEIGHT):
        self.view = pose_view.View(width, height, frame_width, frame_height)
        self.mode = OFF
        self.smooth = 0
        self.max_poses = 1
        self.window = array("i", self.view.full)
        self.windows = array("i", [0] * (3 * MAX_RUNS))
        self.runs = 0
        self._crowd = pose_people.Crowd()
        self.poses = self._crowd.poses
        self.count = 0
        self._smoother = pose_smooth.Smoother()
        # What the frame before left: windows, and how long ago the full one was looked at.
        self._kept = [array("i", [0, 0, 0]) for _ in range(MAX_RUNS - 1)]
        self._kept_count = 0
        self._since = 0
        self._small = 0
        # The windows of this frame after the full one, and whom each of them is for (-1: whoever is in it).
        self._planned = [array("i", [0, 0, 0]) for _ in range(MAX_RUNS - 1)]
        self._targets = array("i", [0] * (MAX_RUNS - 1))
        self._planned_count = 0
        # Of the kept windows, a bit each: is one of the planned ones.
        self._taken = 0

    def configure(self, mode, smooth, max_poses):
        """Sets mode (OFF, FOLLOW, 2 to 4), whether to smooth, and how many people a frame has at most, as the decoder
        has it. Another mode begins with the full window, other smoothing anew."""
        if mode != self.mode:
            self._kept_count = 0
            self._since = 0
            self._small = 0
        if mode != self.mode or smooth != self.smooth:
            self._smoother.count = 0
        self.mode = mode
        self.smooth = smooth
        self.max_poses = max_poses
        self._crowd.reserve(2 * max_poses)

    def begin(self):
        """Begins a frame."""
        self.runs = 0
        self.count = 0
        self._crowd.count = 0
        self._planned_count = 0

    def more(self):
        """Whether the frame needs another run of the network: in `window`."""
        run = self.runs
        if self.mode == FOLLOW:
            if run == 0:
                self.window[:] = self._kept[0] if self._kept_count else self.view.full
                return True
            if run == 1 and self._kept_count and self._since + 1 >= INTERVAL:
                self.window[:] = self.view.full
                return True
            return False
        if run == 0:
            self.window[:] = self.view.full
            return True
        if run <= self._planned_count:
            self.window[:] = self._planned[run - 1]
            return True
        return False

    def take(self, poses, count):
        """Takes the first `count` of a decoder's poses over, found in `window`."""
        run = self.runs
        crowd = self._crowd
        crowd.place(poses, count, self.window)
        if run == 0:
            crowd.count = self.count = count
            if self.mode > FOLLOW:
                self._plan()
        elif self.mode == FOLLOW:
            crowd.add(count)
        else:
            target = self._targets[run - 1]
            if not crowd.merge(count, target) and target < 0:
                # Nobody was there for whom the window was kept: the next frame does without.
                self._planned[run - 1][2] = 0
            self.count = crowd.count
        for n in range(3):
            self.windows[3 * run + n] = self.window[n]
        self.runs = run + 1

    def finish(self):
        """Ends a frame: orders, smooths and rounds the people, and chooses the next one's window. Their number."""
        if self.mode == FOLLOW:
            self._follow()
        elif self.mode:
            self._keep()
            self._crowd.order()
        people = self.poses
        self.count = count = min(self.count, self.max_poses)
        if self.smooth:
            self._smoother.smooth(people, count)
        for n in range(count):
            person = people[n]
            self.view.tell(person.xs, person.ys, person.x16, person.y16)
        return count

    def state_size(self):
        """How many integers `save` writes: what the next `begin` starts from, so ask before it."""
        return _TRACKS_AT + 1 + _TRACK * self._smoother.count

    def save(self, into):
        """Writes the state into an array("i") of at least `state_size()`."""
        into[0] = self.mode
        into[1] = self.smooth
        into[2] = self.max_poses
        into[3] = self._since
        into[4] = self._small
        into[5] = self._kept_count
        at = _WINDOWS_AT
        for window in self._kept:
            for n in range(3):
                into[at] = window[n]
                at += 1
        into[at] = self._smoother.count
        at += 1
        for n in range(self._smoother.count):
            track = self._smoother.tracks[n]
            for part in range(PARTS):
                into[at + part] = track.xs[part]
                into[at + PARTS + part] = track.ys[part]
            at += _TRACK

    def load(self, values):
        """Takes a state over that `save` wrote; ValueError if it is none."""
        count = values[_TRACKS_AT] if len(values) > _TRACKS_AT else -1
        if not (0 <= count <= MAX_POSES and len(values) >= _TRACKS_AT + 1 + _TRACK * count):
            raise ValueError("zoom state: %d integers are none; the board runs another version" % len(values))
        if not (OFF <= values[0] <= MOST and 1 <= values[2] <= MAX_POSES and 0 <= values[5] < MAX_RUNS):
            raise ValueError("zoom state: mode %d, %d poses, %d windows" % (values[0], values[2], values[5]))
        self.configure(values[0], values[1], values[2])
        self._since = values[3]
        self._small = values[4]
        self._kept_count = values[5]
        at = _WINDOWS_AT
        for window in self._kept:
            for n in range(3):
                window[n] = values[at]
                at += 1
        at += 1
        self._smoother.reserve(count)
        self._smoother.count = count
        for n in range(count):
            track = self._smoother.tracks[n]
            for part in range(PARTS):
                track.xs[part] = values[at + part]
                track.ys[part] = values[at + PARTS + part]
            at += _TRACK

    # One window round everybody.

    def _follow(self):
        """Chooses the next frame's window: this one, if everybody who is followed is well inside."""
        people = self.poses
        box = None
        for n in range(self._crowd.count):
            person = people[n]
            if person.score_sum >= FOLLOWED and person.size:
                if box is None:
                    box = person
                    left = person.left
                    top = person.top
                    right = person.right
                    bottom = person.bottom
                else:
                    left = min(left, person.left)
                    top = min(top, person.top)
                    right = max(right, person.right)
                    bottom = max(bottom, person.bottom)
        kept = self._kept[0]
        self._since = self._since + 1 if self._kept_count and self.runs == 1 else 0
        if box is None:
            kept[:] = self.view.full
        elif self._kept_count:
            self._move(left, top, right, bottom, kept)
        else:
            self.view.choose(left, top, right, bottom, kept)
        self._kept_count = 0 if self.view.is_full(kept) else 1
        if not self._kept_count:
            self._small = 0

    def _move(self, left, top, right, bottom, window):
        """Changes the window where it is not good enough for that box: it moves at once, and shrinks with patience."""
        view = self.view
        self._small = self._small + 1 if view.small(left, top, right, bottom, window) else 0
        if self._small >= PATIENCE:
            view.choose(left, top, right, bottom, window)
            self._small = 0
        elif not view.inside(left, top, right, bottom, window):
            view.choose(left, top, right, bottom, window, window[2])

    # Several windows.

    def _plan(self):
        """Chooses windows round the best people; what is left of the last frame's is looked at again."""
        view = self.view
        planned = self._planned
        most = self.mode - 1
        count = 0
        self._taken = 0
        while count < most:
            at = self._crowd.best(0, self.count, FOLLOWED)
            if at < 0:
                break
            person = self.poses[at]
            person.seen = True
            if not person.size or self._is_target(person, count):
                continue
            window = planned[count]
            if not self._old(person, window):
                view.choose(person.left, person.top, person.right, person.bottom, window)
                if view.is_full(window):
                    continue
            self._targets[count] = at
            count += 1
        for n in range(self._kept_count):
            if count < most and not self._taken >> n & 1:
                planned[count][:] = self._kept[n]
                self._targets[count] = -1
                count += 1
        self._planned_count = count

    def _is_target(self, person, count):
        """Whether that is one of the first so many targets, found once more."""
        for n in range(count):  # noqa: SIM110 - a generator would cost heap
            if not pose_people.is_other(self.poses[self._targets[n]], person):
                return True
        return False

    def _old(self, person, window):
        """Sets `window` to one of the last frame's that will do, and that nobody has yet."""
        for n in range(self._kept_count):
            kept = self._kept[n]
            if not self._taken >> n & 1 and self.view.holds(person.left, person.top, person.right, person.bottom, kept):
                self._taken |= 1 << n
                window[:] = kept
                return True
        return False

    def _keep(self):
        """The windows that were of use are what the next frame begins with."""
        count = 0
        for n in range(self._planned_count):
            if self._planned[n][2]:
                self._kept[count][:] = self._planned[n]
                count += 1
        self._kept_count = count
