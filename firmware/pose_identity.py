"""Who of this frame is who of the frames before, in integers, so that a person keeps one colour on the LCD."""

from array import array

# Keypoints that are compared. Wrists and ankles move most, and eyes are next to the nose.
PARTS = bytes((0, 3, 4, 5, 6, 7, 8, 11, 12, 13, 14))
COUNT = len(PARTS)
# A keypoint is compared from this score (of 255) on, and two people from so many that both have.
LEAST_SCORE = 51
LEAST_COMMON = 3
# 1/64 of a person's size: the mean distance, |dx| + |dy|, of two sights of one person.
LARGEST_DISTANCE = 32
LEAST_SIZE = 256
# People that are remembered, and for how many frames that do not show them. For the first of these their way is
# followed on as it was.
MOST = 16
LONGEST_ABSENCE = 30
MOST_STEPS = 6
NOBODY = 255
NONE = 1 << 20


class People:
    """After `identify`, `numbers[n]` is who pose n is: the least number that nobody else has had lately."""

    def __init__(self, most_poses):
        self.numbers = bytearray(most_poses)
        # Of each person: keypoints where they were seen last (1/16 pixel), which of them (bits), the size, the way in a
        # frame (1/64 pixel), and frames since then.
        self._xs = array("h", [0] * (MOST * COUNT))
        self._ys = array("h", [0] * (MOST * COUNT))
        self._seen = array("H", [0] * MOST)
        self._size = array("i", [0] * MOST)
        self._x_way = array("i", [0] * MOST)
        self._y_way = array("i", [0] * MOST)
        self._absent = bytearray([NOBODY] * MOST)
        self._distances = array("i", [0] * (most_poses * MOST))

    def identify(self, poses, count):
        """Gives the first `count` poses their numbers; the nearest pair is matched first."""
        absent = self._absent
        numbers = self.numbers
        for who in range(MOST):
            if absent[who] != NOBODY:
                absent[who] = absent[who] + 1 if absent[who] < LONGEST_ABSENCE else NOBODY
        for n in range(count):
            numbers[n] = NOBODY
            for who in range(MOST):
                self._distances[n * MOST + who] = NONE if absent[who] == NOBODY else self._distance(poses[n], who)
        for _ in range(count):
            if not self._match(poses, count):
                break
        for n in range(count):
            if numbers[n] == NOBODY:
                numbers[n] = self._newcomer(poses[n], n)

    def _match(self, poses, count):
        """Takes the nearest pair; whether there was one."""
        distances = self._distances
        nearest = LARGEST_DISTANCE
        found = -1
        for at in range(count * MOST):
            if distances[at] < nearest:
                nearest = distances[at]
                found = at
        if found < 0:
            return False
        n = found // MOST
        who = found % MOST
        self.numbers[n] = who
        for at in range(MOST):
            distances[n * MOST + at] = NONE
        for at in range(count):
            distances[at * MOST + who] = NONE
        self._follow(poses[n], who)
        return True

    def _distance(self, pose, who):
        """How far a pose is from where a person is expected, in 1/64 of the person's size."""
        steps = self._absent[who]
        if steps > MOST_STEPS:
            steps = MOST_STEPS
        x_on = self._x_way[who] * steps >> 2
        y_on = self._y_way[who] * steps >> 2
        size = self._size[who]
        seen = self._seen[who]
        first = who * COUNT
        common = 0
        total = 0
        for n in range(COUNT):
            part = PARTS[n]
            if seen >> n & 1 and pose.scores[part] >= LEAST_SCORE:
                dx = pose.x16[part] - self._xs[first + n] - x_on
                dy = pose.y16[part] - self._ys[first + n] - y_on
                far = (dx if dx >= 0 else -dx) + (dy if dy >= 0 else -dy)
                total += far if far < size else size
                common += 1
        if common < LEAST_COMMON:
            return NONE
        return 64 * total // (common * size)

    def _follow(self, pose, who):
        """Takes a pose as a person's; a quarter of its way is that of this frame, the rest what it was."""
        first = who * COUNT
        seen = self._seen[who]
        common = 0
        dx = 0
        dy = 0
        for n in range(COUNT):
            part = PARTS[n]
            if seen >> n & 1 and pose.scores[part] >= LEAST_SCORE:
                dx += pose.x16[part] - self._xs[first + n]
                dy += pose.y16[part] - self._ys[first + n]
                common += 1
        common *= self._absent[who]
        self._x_way[who] = 3 * self._x_way[who] + 4 * dx // common >> 2
        self._y_way[who] = 3 * self._y_way[who] + 4 * dy // common >> 2
        self._remember(pose, who)

    def _newcomer(self, pose, n):
        """The least number that is free, else that of who was away longest; pose n's own place where all are there."""
        absent = self._absent
        who = 0
        for other in range(MOST):
            if absent[other] > absent[who]:
                who = other
        if not absent[who]:
            return n % MOST
        self._x_way[who] = 0
        self._y_way[who] = 0
        self._remember(pose, who)
        return who

    def _remember(self, pose, who):
        first = who * COUNT
        seen = 0
        left = top = 32767
        right = bottom = -32768
        for n in range(COUNT):
            part = PARTS[n]
            if pose.scores[part] < LEAST_SCORE:
                continue
            seen |= 1 << n
            x = pose.x16[part]
            y = pose.y16[part]
            self._xs[first + n] = x
            self._ys[first + n] = y
            left = x if x < left else left
            right = x if x > right else right
            top = y if y < top else top
            bottom = y if y > bottom else bottom
        self._seen[who] = seen
        self._absent[who] = 0
        size = right - left if right - left > bottom - top else bottom - top
        self._size[who] = size if size > LEAST_SIZE else LEAST_SIZE
