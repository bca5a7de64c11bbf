"""tfjs's multi-pose decoder in MicroPython floats, to measure what integers gain: its functions, its early exits.

It is what a maker would write who ports posenet's decodeMultiplePoses to a board: heads are array('f') in real units,
[channels, rows, columns]; the threshold is a logit, so that no sigmoid is taken for a cell; positions are (y, x) pairs
of floats. Ties and plateaus are ordered as in firmware/pose_decoder.py, so both find the same poses.
"""

from math import exp, floor

try:
    from uheapq import heappop, heappush
except ImportError:
    from heapq import heappop, heappush

PARTS = 17
EDGES = 16
STRIDE = 16
REFINEMENTS = 2
PARENT = (0, 1, 0, 2, 0, 5, 7, 5, 11, 13, 0, 6, 8, 6, 12, 14)
CHILD = (1, 3, 2, 4, 5, 7, 9, 11, 13, 15, 6, 8, 10, 12, 14, 16)


class FloatDecoder:
    """Decodes array('f') heads of `rows` x `columns` cells into [(score, [(y, x, score) or None] * 17)]."""

    def __init__(self, rows, columns, max_poses=5, root_logit=0.0, nms_radius=20.0):
        self.rows = rows
        self.columns = columns
        self.cells = rows * columns
        self.max_poses = max_poses
        self.root_logit = root_logit
        self.squared_radius = nms_radius * nms_radius

    def decode(self, heatmap, offsets, forward, backward):
        """The poses, best root first."""
        poses = []
        queue = self.roots(heatmap)
        while queue and len(poses) < self.max_poses:
            negative_logit, part, row, column = heappop(queue)
            position = self.image_position(part, row, column, offsets)
            if self.claimed(poses, part, position):
                continue
            keypoints = [None] * PARTS
            keypoints[part] = position + (-negative_logit,)
            self.grow(keypoints, heatmap, offsets, forward, backward)
            keypoints = [(y, x, 1 / (1 + exp(-logit))) for y, x, logit in keypoints]
            poses.append((self.instance_score(poses, keypoints), keypoints))
        return poses

    def roots(self, heatmap):
        """Local maxima at or above the threshold."""
        queue = []
        threshold = self.root_logit
        at = 0
        for part in range(PARTS):
            for row in range(self.rows):
                for column in range(self.columns):
                    logit = heatmap[at]
                    at += 1
                    if logit < threshold:
                        continue
                    if self.is_local_maximum(heatmap, part, row, column, logit):
                        heappush(queue, (-logit, part, row, column))
        return queue

    def is_local_maximum(self, heatmap, part, row, column, logit):
        """Greater than the neighbours before it in row-major order, not less than those after it."""
        here = part * self.cells + row * self.columns + column
        first = max(column - 1, 0)
        last = min(column + 1, self.columns - 1)
        for y in range(max(row - 1, 0), min(row + 2, self.rows)):
            line = part * self.cells + y * self.columns
            for at in range(line + first, line + last + 1):
                other = heatmap[at]
                if other > logit or (other == logit and at < here):
                    return False
        return True

    def image_position(self, part, row, column, offsets):
        """Where in the picture a cell's offset points to, as (y, x)."""
        at = part * self.cells + row * self.columns + column
        return row * STRIDE + offsets[at], column * STRIDE + offsets[at + PARTS * self.cells]

    def cell_near(self, y, x):
        """The (row, column) nearest to a position, inside of the grid."""
        row = floor(y / STRIDE + 0.5)
        column = floor(x / STRIDE + 0.5)
        return min(max(row, 0), self.rows - 1), min(max(column, 0), self.columns - 1)

    def claimed(self, poses, part, position):
        """Whether a pose already has this part within the radius."""
        for _, keypoints in poses:
            other = keypoints[part]
            dy = other[0] - position[0]
            dx = other[1] - position[1]
            if dy * dy + dx * dx <= self.squared_radius:
                return True
        return False

    def grow(self, keypoints, heatmap, offsets, forward, backward):
        """Backward along the edges to the root of the tree, then forward to all leaves."""
        for edge in range(EDGES - 1, -1, -1):
            if keypoints[CHILD[edge]] and not keypoints[PARENT[edge]]:
                keypoints[PARENT[edge]] = self.traverse(
                    edge, keypoints[CHILD[edge]], PARENT[edge], heatmap, offsets, backward
                )
        for edge in range(EDGES):
            if keypoints[PARENT[edge]] and not keypoints[CHILD[edge]]:
                keypoints[CHILD[edge]] = self.traverse(
                    edge, keypoints[PARENT[edge]], CHILD[edge], heatmap, offsets, forward
                )

    def traverse(self, edge, source, target, heatmap, offsets, displacements):
        """From one keypoint to the next: displaced, then refined."""
        y, x, _ = source
        row, column = self.cell_near(y, x)
        at = edge * self.cells + row * self.columns + column
        y += displacements[at]
        x += displacements[at + EDGES * self.cells]
        for _ in range(REFINEMENTS):
            row, column = self.cell_near(y, x)
            y, x = self.image_position(target, row, column, offsets)
        row, column = self.cell_near(y, x)
        return y, x, heatmap[target * self.cells + row * self.columns + column]

    def instance_score(self, poses, keypoints):
        """Mean score of the parts that no earlier pose claims."""
        total = 0.0
        for part in range(PARTS):
            y, x, score = keypoints[part]
            if not self.claimed(poses, part, (y, x)):
                total += score
        return total / PARTS
