"""tfjs-models' posenet 2.2.2 decoders in floats: single pose, and the greedy multi-pose decoder.

Two things that tfjs leaves open are settled as in the firmware's decoder, so that both find the same poses in the same
order: equal scores go by part, row, column ascending, and a plateau of the heatmap counts once, at its first cell in
row-major order. Scores are compared as logits, whose order is that of the sigmoid.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from conversion import network
from conversion.decoding.pose import Pose

Heads = Mapping[str, np.ndarray]

# The tree along which a pose grows (tfjs: poseChain), parent and child of each edge.
CHAIN = (
    (0, 1), (1, 3), (0, 2), (2, 4), (0, 5), (5, 7), (7, 9), (5, 11),
    (11, 13), (13, 15), (0, 6), (6, 8), (8, 10), (6, 12), (12, 14), (14, 16),
)  # fmt: skip
PARTS = len(network.KEYPOINTS)
EDGES = len(CHAIN)
REFINEMENTS = 2
STRIDE = network.OUTPUT_STRIDE


def decode_single(heads: Heads) -> Pose:
    """One pose: each part where its heatmap is highest, first in row-major order; its score is the parts' mean.

    `heads` are float [C, rows, columns] in real units (logits and input pixels), by the names of `network.HEADS`.
    """
    heatmap, offset = heads["heatmap"], heads["offset"]
    keypoints = np.empty((PARTS, 3))
    for part in range(PARTS):
        row, column = np.unravel_index(np.argmax(heatmap[part]), heatmap[part].shape)
        keypoints[part] = *_position(offset, part, row, column)[::-1], sigmoid(heatmap[part, row, column])
    return Pose(float(keypoints[:, 2].mean()), keypoints)


def decode(heads: Heads, max_poses: int = 5, root_score: float = 0.5, nms_radius: float = 20.0) -> list[Pose]:
    """Several poses, best root first. `heads` as in `decode_single`; the radius is in input pixels, inclusive.

    The score of a pose is the mean over its parts, where those that an earlier pose has within the radius count 0.
    """
    poses: list[Pose] = []
    for part, row, column in roots(heads["heatmap"], root_score):
        if len(poses) == max_poses:
            break
        y, x = _position(heads["offset"], part, row, column)
        if _claimed(poses, part, x, y, nms_radius):
            continue
        keypoints = _grow(heads, part, (y, x), float(heads["heatmap"][part, row, column]))
        free = [not _claimed(poses, part, *keypoints[part, :2], nms_radius) for part in range(PARTS)]
        poses.append(Pose(float(keypoints[free, 2].sum() / PARTS), keypoints))
    return poses


def roots(heatmap: np.ndarray, root_score: float) -> list[tuple[int, int, int]]:
    """Local maxima (part, row, column) of at least `root_score`, in the order in which poses grow from them."""
    padded = np.pad(heatmap, ((0, 0), (1, 1), (1, 1)), constant_values=-np.inf)
    rows, columns = heatmap.shape[1:]
    peak = sigmoid(heatmap) >= root_score
    for down in (0, 1, 2):
        for right in (0, 1, 2):
            neighbour = padded[:, down : down + rows, right : right + columns]
            before = (down, right) < (1, 1)
            peak &= heatmap > neighbour if before else heatmap >= neighbour
    found = np.argwhere(peak)
    order = np.lexsort((found[:, 2], found[:, 1], found[:, 0], -heatmap[tuple(found.T)]))
    return [tuple(int(index) for index in place) for place in found[order]]


def sigmoid(logits: np.ndarray | float) -> np.ndarray | float:
    """1 / (1 + e^-x), without overflow at logits far below zero."""
    return 0.5 * (1 + np.tanh(0.5 * np.asarray(logits, float)))


def _position(offset: np.ndarray, part: int, row: int, column: int) -> tuple[float, float]:
    """Where the offset of a cell points to, (y, x) in input pixels."""
    return row * STRIDE + float(offset[part, row, column]), column * STRIDE + float(offset[part + PARTS, row, column])


def _cell_near(y: float, x: float, shape: tuple[int, int]) -> tuple[int, int]:
    """The cell nearest to a position, rounded half up and clamped into the grid."""
    row, column = np.floor(y / STRIDE + 0.5), np.floor(x / STRIDE + 0.5)
    return int(np.clip(row, 0, shape[0] - 1)), int(np.clip(column, 0, shape[1] - 1))


def _claimed(poses: list[Pose], part: int, x: float, y: float, radius: float) -> bool:
    return any((pose.keypoints[part, 0] - x) ** 2 + (pose.keypoints[part, 1] - y) ** 2 <= radius**2 for pose in poses)


def _grow(heads: Heads, root: int, position: tuple[float, float], logit: float) -> np.ndarray:
    """All keypoints, [17, 3] x, y, score: backward along the edges to the tree's root, then forward to its leaves."""
    points = {root: (*position, logit)}
    for edge in reversed(range(EDGES)):
        parent, child = CHAIN[edge]
        if child in points and parent not in points:
            points[parent] = _traverse(heads, edge, points[child], parent, "displacement_bwd")
    for edge, (parent, child) in enumerate(CHAIN):
        if parent in points and child not in points:
            points[child] = _traverse(heads, edge, points[parent], child, "displacement_fwd")
    return np.array([(points[part][1], points[part][0], sigmoid(points[part][2])) for part in range(PARTS)])


def _traverse(
    heads: Heads, edge: int, source: tuple[float, float, float], target: int, displacement: str
) -> tuple[float, float, float]:
    """(y, x, logit) of `target`: displaced from its neighbour in the tree, then refined by its own offsets."""
    heatmap = heads["heatmap"][target]
    y, x, _ = source
    row, column = _cell_near(y, x, heatmap.shape)
    y += float(heads[displacement][edge, row, column])
    x += float(heads[displacement][edge + EDGES, row, column])
    for _ in range(REFINEMENTS):
        y, x = _position(heads["offset"], target, *_cell_near(y, x, heatmap.shape))
    return y, x, float(heatmap[_cell_near(y, x, heatmap.shape)])
