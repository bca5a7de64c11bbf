"""Poses from PoseNet's four uint8 heads, in integers only: the same numbers on the board, MicroPython and CPython.

The algorithm is that of tfjs-models posenet 2.2.2 (its single and its multi-pose decoder) in fixed point:

* Heads are uint8 [channels, rows, columns]; the card gives each a zero point, a multiplier and a shift.
  ((q - zero_point) * multiplier) >> shift, rounded half up, is a distance in 1/64 pixel.
* Cell (row, column) sits at pixel (16 row, 16 column); the cell near a position is found by rounding half up, clamped.
* Scores are Q15 (32768 is 1.0) from the card's sigmoid table; roots are chosen and ordered by their heatmap byte.
* A root is a byte at or above the threshold, greater than its neighbours before it in row-major order and not less
  than those after it, so that a plateau has one root: its first cell. Byte 0 never is one.
* Roots are taken by byte descending, then part, row and column ascending.
* With `vote`, each keypoint of a pose that is kept moves to the mean of what the 3x3 cells around it say (cell and
  offset), weighted by the scores of these cells, of those that say a place within so many pixels of it in x and in y.
  Scores, and which poses there are, stay as they were. tfjs has no such step.

No float is made, and nothing that stays: each frame costs a few hundred bytes of heap, whatever is in the picture.
"""

from array import array

try:
    from uheapq import heappop, heappush
except ImportError:
    from heapq import heappop, heappush
try:
    from micropython import const
except ImportError:

    def const(value):
        """CPython has no compile-time constants."""
        return value


PARTS = const(17)
EDGES = const(16)
HEAD_NAMES = ("heatmap", "offset", "displacement_fwd", "displacement_bwd")
HEAD_CHANNELS = (17, 34, 32, 32)

# The tree along which a pose grows (tfjs: poseChain): edge e leads from part PARENT[e] to part CHILD[e].
PARENT = bytes((0, 1, 0, 2, 0, 5, 7, 5, 11, 13, 0, 6, 8, 6, 12, 14))
CHILD = bytes((1, 3, 2, 4, 5, 7, 9, 11, 13, 15, 6, 8, 10, 12, 14, 16))

# Positions are in 1/64 pixel inside, a cell is 16 pixels wide.
CELL_SHIFT = const(10)
CELL = const(1024)
PIXEL = const(64)
ONE = const(32768)
# How often a position is refined by the offset head after a displacement (tfjs: offsetRefineStep).
REFINEMENTS = const(2)

# Roots wait as one integer each: 255 - byte, then 5 bits of part and 6 bits each of row and column.
MAX_CELLS = const(64)
# Results are 16 bits in 1/16 pixel, up to 2047: a picture of 64 cells and this distance stay below.
MAX_DISTANCE = const(65472)
# A root and a displacement reach less than 128 cells out of the grid. Adding this much to a position before the shift
# gives the index of the cell near it, rounded half up and counted from 128 cells before the grid.
OUTSIDE = const(128)
BELOW = const(131584)
MAX_POSES = const(32)
MAX_RADIUS = const(1023)
# A cell away: what says a place further off speaks of another one.
MAX_VOTE = const(16)

# tfjs: maxDetections, scoreThreshold (Q15) and nmsRadius (pixels); it has no threshold for whole poses, and no vote.
DEFAULTS = (5, 16384, 20, 0, 0)


def _walk(root):
    """The steps from one part to all others, as tfjs takes them: edge e forward is e, backward e + EDGES."""
    known = [part == root for part in range(PARTS)]
    steps = []
    for edge in range(EDGES - 1, -1, -1):
        if known[CHILD[edge]] and not known[PARENT[edge]]:
            known[PARENT[edge]] = True
            steps.append(edge + EDGES)
    for edge in range(EDGES):
        if known[PARENT[edge]] and not known[CHILD[edge]]:
            known[CHILD[edge]] = True
            steps.append(edge)
    return bytes(steps)


WALKS = tuple([_walk(part) for part in range(PARTS)])


def _zeros(typecode, count):
    return array(typecode, [0] * count)


class Pose:
    """A found pose; the decoder overwrites it in its next call.

    `score` in 1/255, and for each of the 17 parts `x16`, `y16` in 1/16 input pixel and `scores` in 1/255, all rounded
    half up. Finer: `x64`, `y64` in 1/64 pixel, `score_sum` (Q15, summed over the 17 parts) and `heat`, the heatmap's
    bytes. A position can lie outside of the picture.
    """

    def __init__(self):
        self.score = 0
        self.x16 = _zeros("h", PARTS)
        self.y16 = _zeros("h", PARTS)
        self.scores = bytearray(PARTS)
        self.score_sum = 0
        self.x64 = _zeros("i", PARTS)
        self.y64 = _zeros("i", PARTS)
        self.heat = bytearray(PARTS)
        self.cells = _zeros("H", PARTS)


def _distances(head, name):
    """The distance in 1/64 pixel that each of the 256 bytes of a head stands for."""
    zero_point = head["zero_point"]
    multiplier = head["multiplier"]
    shift = head["shift"]
    if not (0 <= zero_point <= 255 and 0 < multiplier < 1 << 24 and 0 < shift < 40):
        raise ValueError("card: %s has no usable zero_point, multiplier and shift; make the card again" % name)
    half = 1 << (shift - 1)
    values = [((byte - zero_point) * multiplier + half) >> shift for byte in range(256)]
    if values[0] < -MAX_DISTANCE or values[255] > MAX_DISTANCE:
        raise ValueError("card: %s reaches beyond %d pixels; make the card again" % (name, MAX_DISTANCE // PIXEL))
    return array("i", values)


def _nearest(cells):
    """The row (or column) of the grid nearest to each one from OUTSIDE before to OUTSIDE after the largest grid."""
    return bytes([min(max(cell - OUTSIDE, 0), cells - 1) for cell in range(MAX_CELLS + 2 * OUTSIDE)])


def _checked_sigmoid(values):
    """The 256 scores of the card, Q15, as an array."""
    if len(values) != 256 or list(values) != sorted(values) or values[0] < 0 or values[255] > ONE:
        raise ValueError("card: sigmoid must be 256 scores that rise from 0 to 32768; make the card again")
    return array("H", values)


def _checked(name, value, low, high):
    if not low <= value <= high:
        raise ValueError("%s is %d, must be from %d to %d" % (name, value, low, high))
    return value


def _cells_of(card, side):
    size = card["input"][side]
    if size % 16 or not 0 < size <= 16 * MAX_CELLS:
        raise ValueError("card: %s %d must be a multiple of 16, up to %d" % (side, size, 16 * MAX_CELLS))
    return size // 16


class PoseDecoder:
    """Decodes the heads of one model.

    `card` holds `input` {width, height} in pixels, `heads`, a list of {zero_point, multiplier, shift} in the order of
    HEAD_NAMES, and `sigmoid`; integers only, ValueError says what is wrong. `poses` are the results, overwritten by
    each call; the call returns how many of them, from the first on, are valid.
    """

    def __init__(self, card):
        self.columns = columns = _cells_of(card, "width")
        self.rows = rows = _cells_of(card, "height")
        if len(card["heads"]) != len(HEAD_NAMES):
            raise ValueError("card: %d heads, must be %d; make the card again" % (len(card["heads"]), len(HEAD_NAMES)))
        self.sigmoid = _checked_sigmoid(card["sigmoid"])
        self._scores = bytes([(score * 255 + ONE // 2) // ONE for score in self.sigmoid])
        self._offset, self._forward, self._backward = [
            _distances(card["heads"][n], HEAD_NAMES[n]) for n in range(1, len(HEAD_NAMES))
        ]
        self._heat = bytearray(PARTS * rows * columns)
        # Views made once: a slice made in the loop would cost heap.
        heat = memoryview(self._heat)
        self._lines = [heat[at : at + columns] for at in range(0, len(heat), columns)]
        self._outside = bytes(columns)
        # A bit for each part of a pose whose position a cell's offset gave.
        self._reached = _zeros("I", rows * columns)
        self._none_reached = _zeros("I", rows * columns)
        self._row_near = _nearest(rows)
        self._column_near = _nearest(columns)
        # No two roots lie in one 2x2 block. Deleting by slice keeps the list's memory, clear() would give it back.
        self._queue = [0] * (PARTS * ((rows + 1) // 2) * ((columns + 1) // 2))
        self.poses = []
        self.configure(*DEFAULTS)

    def configure(self, max_poses=None, root_score=None, nms_radius=None, pose_score=None, vote=None):
        """Changes what is not None: scores in Q15, `nms_radius` and `vote` in pixels; ValueError leaves everything as
        it was.

        A pose grows from a root of `root_score` or more that lies further than `nms_radius` from the same part of all
        poses before. Poses below `pose_score` are left out of the result, after they took part in this and in the
        count of `max_poses`. `vote` is how far from a keypoint its neighbours may say it is to have a vote, 0 for none.
        """
        max_poses = self.max_poses if max_poses is None else _checked("max_poses", max_poses, 1, MAX_POSES)
        root_score = self.root_score if root_score is None else _checked("root_score", root_score, 1, ONE)
        nms_radius = self.nms_radius if nms_radius is None else _checked("nms_radius", nms_radius, 0, MAX_RADIUS)
        pose_score = self.pose_score if pose_score is None else _checked("pose_score", pose_score, 0, ONE)
        vote = self.vote if vote is None else _checked("vote", vote, 0, MAX_VOTE)
        self.max_poses, self.root_score = max_poses, root_score
        self.nms_radius, self.pose_score = nms_radius, pose_score
        self.vote = vote
        while len(self.poses) < max_poses:
            self.poses.append(Pose())
        self._near = (nms_radius * PIXEL) * (nms_radius * PIXEL)
        threshold = 1
        while threshold < 256 and self.sigmoid[threshold] < root_score:
            threshold += 1
        self._threshold = threshold

    def decode(self, heads):
        """Finds several poses; `heads` are four buffers in the order of HEAD_NAMES. Returns the number of poses."""
        offset, forward, backward = self._take(heads)
        self._find_roots()
        queue = self._queue
        reached = self._reached
        reached[:] = self._none_reached
        distances = self._offset
        columns = self.columns
        part_size = self.rows * columns
        x_half = PARTS * part_size
        claimed = self._claimed
        found = 0
        while queue and found < self.max_poses:
            root = heappop(queue)
            part = root >> 12 & 31
            row = root >> 6 & 63
            column = root & 63
            cell = row * columns + column
            if reached[cell] >> part & 1:
                # Its position is that of an earlier pose's part, which claims it.
                continue
            at = part * part_size + cell
            y = (row << CELL_SHIFT) + distances[offset[at]]
            x = (column << CELL_SHIFT) + distances[offset[at + x_half]]
            if not claimed(part, y, x, found):
                pose = self.poses[found]
                pose.y64[part] = y
                pose.x64[part] = x
                pose.heat[part] = self._heat[at]
                self._grow(pose, part, offset, forward, backward)
                self._finish(pose, found)
                found += 1
        return self._keep(found, offset)

    def decode_single(self, heads):
        """Finds one pose, each part where its heatmap is highest (first in row-major order): 1, or 0 if it is below
        `pose_score`."""
        offset = self._take(heads)[0]
        pose = self.poses[0]
        for part in range(PARTS):
            cell = self._highest(part)
            at = part * self.rows * self.columns + cell
            pose.heat[part] = self._heat[at]
            pose.y64[part] = (cell // self.columns << CELL_SHIFT) + self._offset[offset[at]]
            pose.x64[part] = (cell % self.columns << CELL_SHIFT) + self._offset[offset[at + len(self._heat)]]
        self._finish(pose, 0)
        return self._keep(1, offset)

    def _highest(self, part):
        """The cell where a part's heatmap is highest, the first of equals; only the line that has it is searched."""
        first = part * self.rows
        highest = -1
        row = 0
        for n in range(self.rows):
            value = max(self._lines[first + n])
            if value > highest:
                highest = value
                row = n
        at = row * self.columns
        for value in self._lines[first + row]:
            if value == highest:
                return at
            at += 1

    def _take(self, heads):
        """Copies the heatmap; returns views of the other three heads."""
        views = [memoryview(head) for head in heads]
        for n in range(len(HEAD_NAMES)):
            size = HEAD_CHANNELS[n] * self.rows * self.columns
            if len(views[n]) < size:
                raise ValueError("%s: %d bytes, the card says %d" % (HEAD_NAMES[n], len(views[n]), size))
        heat = views[0]
        self._heat[:] = heat if len(heat) == len(self._heat) else heat[: len(self._heat)]
        return views[1:]

    def _find_roots(self):
        """Queues the local maxima of the heatmap."""
        del self._queue[:]
        threshold = self._threshold
        lines = self._lines
        rows = self.rows
        last = self.columns - 1
        highest = max
        n = 0
        hot = False
        for line in lines:
            # Most lines end here. The line after a hot one is likely hot, and going through it costs less than asking.
            if hot or highest(line) >= threshold:
                hot = False
                x = 0
                for value in line:
                    if value >= threshold:
                        if not hot:
                            hot = True
                            row = n % rows
                            above = lines[n - 1] if row else self._outside
                            below = lines[n + 1] if row + 1 < rows else self._outside
                        if (
                            value > above[x]
                            and value >= below[x]
                            and (x == 0 or (value > line[x - 1] and value > above[x - 1] and value >= below[x - 1]))
                            and (x == last or (value >= line[x + 1] and value > above[x + 1] and value >= below[x + 1]))
                        ):
                            heappush(self._queue, 255 - value << 17 | n // rows << 12 | row << 6 | x)
                    x += 1  # noqa: SIM113 - enumerate() makes a tuple of every cell
            n += 1  # noqa: SIM113

    def _claimed(self, part, y, x, count):
        """Whether one of the first `count` poses has this part within the NMS radius (inclusive)."""
        while count:
            count -= 1
            pose = self.poses[count]
            dy = pose.y64[part] - y
            dx = pose.x64[part] - x
            if dy * dy + dx * dx <= self._near:
                return True
        return False

    def _grow(self, pose, root, offset, forward, backward):
        """Sets the other 16 parts, walking the tree from the root: a displacement, then refinements by the offsets."""
        ys = pose.y64
        xs = pose.x64
        cells = pose.cells
        row_near = self._row_near
        column_near = self._column_near
        forward_distances = self._forward
        backward_distances = self._backward
        distances = self._offset
        reached = self._reached
        columns = self.columns
        part_size = self.rows * columns
        x_half = PARTS * part_size
        x_displacements = EDGES * part_size
        row = row_near[ys[root] + BELOW >> CELL_SHIFT]
        cells[root] = row * columns + column_near[xs[root] + BELOW >> CELL_SHIFT]
        for step in WALKS[root]:
            if step < EDGES:
                source = PARENT[step]
                target = CHILD[step]
                at = step * part_size + cells[source]
                y = ys[source] + forward_distances[forward[at]]
                x = xs[source] + forward_distances[forward[at + x_displacements]]
            else:
                step -= EDGES
                source = CHILD[step]
                target = PARENT[step]
                at = step * part_size + cells[source]
                y = ys[source] + backward_distances[backward[at]]
                x = xs[source] + backward_distances[backward[at + x_displacements]]
            first = target * part_size
            refined_in = -1
            left = REFINEMENTS
            while True:
                row = row_near[y + BELOW >> CELL_SHIFT]
                column = column_near[x + BELOW >> CELL_SHIFT]
                cell = row * columns + column
                # A second look at the same cell gives the same position.
                if cell == refined_in or not left:
                    break
                at = first + cell
                y = (row << CELL_SHIFT) + distances[offset[at]]
                x = (column << CELL_SHIFT) + distances[offset[at + x_half]]
                refined_in = cell
                left -= 1
            reached[refined_in] |= 1 << target
            ys[target] = y
            xs[target] = x
            cells[target] = cell
            pose.heat[target] = self._heat[first + cell]

    def _finish(self, pose, count):
        """Scores a pose, without the parts that the first `count` poses claim."""
        ys = pose.y64
        xs = pose.x64
        heat = pose.heat
        sigmoid = self.sigmoid
        total = 0
        for part in range(PARTS):
            value = heat[part]
            if not count or not self._claimed(part, ys[part], xs[part], count):
                total += sigmoid[value]
            pose.scores[part] = self._scores[value]
        pose.score_sum = total
        pose.score = (total * 510 + PARTS * ONE) // (2 * PARTS * ONE)

    def _keep(self, found, offset):
        """Moves the poses of `pose_score` or more to the front, in their order, and finishes them; their number."""
        least = self.pose_score * PARTS
        poses = self.poses
        kept = 0
        for n in range(found):
            if poses[n].score_sum >= least:
                poses[n], poses[kept] = poses[kept], poses[n]
                if self.vote:
                    self._refine(poses[kept], offset)
                self._round(poses[kept])
                kept += 1
        return kept

    def _refine(self, pose, offset):
        """Moves each keypoint to where the cells around it say that it is."""
        ys = pose.y64
        xs = pose.x64
        gate = self.vote * PIXEL
        columns = self.columns
        last_row = self.rows - 1
        last_column = columns - 1
        row_near = self._row_near
        column_near = self._column_near
        distances = self._offset
        sigmoid = self.sigmoid
        heat = self._heat
        x_half = len(heat)
        first = 0
        for part in range(PARTS):
            y = ys[part]
            x = xs[part]
            row = row_near[y + BELOW >> CELL_SHIFT]
            column = column_near[x + BELOW >> CELL_SHIFT]
            left = column - 1 if column else 0
            right = column + 1 if column < last_column else column
            line = row - 1 if row else 0
            end = row + 1 if row < last_row else row
            sum_y = 0
            sum_x = 0
            weights = 0
            while line <= end:
                at = first + line * columns + left
                dy_line = (line << CELL_SHIFT) - y
                dx_cell = (left << CELL_SHIFT) - x
                n = left
                while n <= right:
                    dy = dy_line + distances[offset[at]]
                    if -gate <= dy <= gate:
                        dx = dx_cell + distances[offset[at + x_half]]
                        if -gate <= dx <= gate:
                            weight = sigmoid[heat[at]]
                            sum_y += weight * dy
                            sum_x += weight * dx
                            weights += weight
                    at += 1
                    dx_cell += CELL
                    n += 1
                line += 1
            if weights:
                ys[part] = y + (2 * sum_y + weights) // (2 * weights)
                xs[part] = x + (2 * sum_x + weights) // (2 * weights)
            first += self.rows * columns

    def _round(self, pose):
        """What goes out, in 1/16 pixel."""
        ys = pose.y64
        xs = pose.x64
        for part in range(PARTS):
            pose.y16[part] = ys[part] + 2 >> 2
            pose.x16[part] = xs[part] + 2 >> 2
