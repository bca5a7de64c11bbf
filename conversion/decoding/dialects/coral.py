"""What the custom operator in Coral's files computes (PosenetDecoderOp): a PersonLab decoder on the CPU, in floats.

It differs from tfjs's: heads are sampled bilinearly, positions are in cells, a pose grows best part first along edges
in both directions with five refinements, poses whose mean score is low are dropped, and the final scores come from a
comparison with the better poses only. Source: project-posenet's and libcoral's posenet_decoder, read for the facts.
"""

from __future__ import annotations

import heapq
import math
import struct
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from flatbuffers import flexbuffers

from conversion.decoding.dialects.tfjs import CHAIN, EDGES, PARTS, sigmoid
from conversion.decoding.pose import Pose
from conversion.errors import ModelFormatError

Heads = Mapping[str, np.ndarray]
Point = tuple[float, float]

REFINEMENTS = 5
# The operator turns its threshold into a logit with this guard against a division by zero.
_GUARD = 1e-6
_OPTION_NAMES = ("max_detections", "score_threshold", "nms_radius", "stride")
# What reading a damaged flexbuffer raises.
_DAMAGE = (ValueError, LookupError, TypeError, struct.error)

# For each part its neighbours in the tree: (part, head of the displacement, edge).
_NEIGHBOURS = tuple(
    [(child, "displacement_fwd", edge) for edge, (parent, child) in enumerate(CHAIN) if parent == part]
    + [(parent, "displacement_bwd", edge) for edge, (parent, child) in enumerate(CHAIN) if child == part]
    for part in range(PARTS)
)


@dataclass(frozen=True)
class DecoderOptions:
    """The operator's options; the defaults are those in the published file for 481x353."""

    max_detections: int = 10
    score_threshold: float = 0.2
    nms_radius: float = 10.0
    stride: int = 16

    @classmethod
    def from_custom_options(cls, data: bytes) -> DecoderOptions:
        """The options as the TFLite file holds them, a flexbuffer map; ModelFormatError if it is not one of these."""
        try:
            found = flexbuffers.GetRoot(data).AsMap
            numbers = {name: found[name] for name in _OPTION_NAMES}
            if not all(number.IsNumeric for number in numbers.values()):
                raise ValueError("not numbers")
            options = cls(
                max_detections=numbers["max_detections"].AsInt,
                score_threshold=numbers["score_threshold"].AsFloat,
                nms_radius=numbers["nms_radius"].AsFloat,
                stride=numbers["stride"].AsInt,
            )
        except _DAMAGE as error:
            raise ModelFormatError(f"the decoder's options are damaged ({error}); fetch the file again") from None
        sensible = options.max_detections > 0 and options.stride > 0
        if not (sensible and 0 < options.score_threshold < 1 and 0 <= options.nms_radius < math.inf):
            raise ModelFormatError(f"the decoder's options make no sense: {options}; fetch the file again")
        return options


def decode(heads: Heads, options: DecoderOptions) -> list[Pose]:
    """Poses by falling score. `heads` are float [C, rows, columns] in real units, by the names of `network.HEADS`."""
    cells = {name: values if name == "heatmap" else values / options.stride for name, values in heads.items()}
    radius = options.nms_radius / options.stride
    found: list[Pose] = []
    for part, point in _roots(cells, options.score_threshold):
        if len(found) == options.max_detections:
            break
        if _near_any(found, part, point, radius):
            continue
        keypoints = _grow(cells, part, point)
        score = float(keypoints[:, 2].mean())
        if score >= options.score_threshold:
            found.append(Pose(score, keypoints))
    return _in_pixels(_rescored(found, radius), options)


def _roots(heads: Heads, threshold: float) -> list[tuple[int, Point]]:
    """Local maxima as (part, (y, x) in cells), best first."""
    heatmap = heads["heatmap"]
    least = -math.log(1 / (threshold + _GUARD) - 1)
    padded = np.pad(heatmap, ((0, 0), (1, 1), (1, 1)), constant_values=-np.inf)
    around = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(1, 2)).max(axis=(3, 4))
    found = np.argwhere((heatmap >= least) & (heatmap >= around))
    order = np.argsort(-heatmap[tuple(found.T)], kind="stable")
    return [(int(part), _offset_point(heads, part, row, column)) for part, row, column in found[order]]


def _offset_point(heads: Heads, part: int, row: int, column: int) -> Point:
    offset = heads["offset"]
    return _clamped(row + offset[part, row, column], column + offset[part + PARTS, row, column], offset)


def _clamped(y: float, x: float, head: np.ndarray) -> Point:
    rows, columns = head.shape[1:]
    return min(max(float(y), 0.0), rows - 1.0), min(max(float(x), 0.0), columns - 1.0)


def _sample(head: np.ndarray, channel: int, point: Point) -> float:
    """Bilinear between the four cells around a point that lies inside of the grid."""
    y, x = point
    top, left = int(y), int(x)
    bottom, right = min(top + 1, head.shape[1] - 1), min(left + 1, head.shape[2] - 1)
    down, across = y - top, x - left
    upper = head[channel, top, left] * (1 - across) + head[channel, top, right] * across
    lower = head[channel, bottom, left] * (1 - across) + head[channel, bottom, right] * across
    return float(upper * (1 - down) + lower * down)


def _score(heads: Heads, part: int, point: Point) -> float:
    return float(sigmoid(_sample(heads["heatmap"], part, point)))


def _near_any(poses: list[Pose], part: int, point: Point, radius: float) -> bool:
    y, x = point
    return any((p.keypoints[part, 0] - x) ** 2 + (p.keypoints[part, 1] - y) ** 2 <= radius**2 for p in poses)


def _grow(heads: Heads, root: int, point: Point) -> np.ndarray:
    """All keypoints, [17, 3] x, y in cells and score: always on from the best part whose place is known."""
    keypoints = np.full((PARTS, 3), np.nan)
    waiting = [(-_score(heads, root, point), root, point)]
    while waiting:
        negative_score, part, (y, x) = heapq.heappop(waiting)
        if not np.isnan(keypoints[part, 2]):
            continue
        keypoints[part] = x, y, -negative_score
        for neighbour, head, edge in _NEIGHBOURS[part]:
            if np.isnan(keypoints[neighbour, 2]):
                there = _displaced(heads, (y, x), heads[head], edge, neighbour)
                heapq.heappush(waiting, (-_score(heads, neighbour, there), neighbour, there))
    return keypoints


def _displaced(heads: Heads, source: Point, displacement: np.ndarray, edge: int, target: int) -> Point:
    """Where a neighbour in the tree is: displaced, then pulled by its own offsets."""
    y, x = source
    offset = heads["offset"]
    point = _clamped(
        y + _sample(displacement, edge, source), x + _sample(displacement, edge + EDGES, source), displacement
    )
    for _ in range(REFINEMENTS):
        y, x = point
        point = _clamped(y + _sample(offset, target, point), x + _sample(offset, target + PARTS, point), offset)
    return point


def _rescored(poses: list[Pose], radius: float) -> list[Pose]:
    """The mean over the parts that no better pose has within the radius; `poses` in any order, result likewise."""
    ordered = sorted(poses, key=lambda pose: -pose.score)
    rescored = []
    for rank, pose in enumerate(ordered):
        free = [
            not _near_any(ordered[:rank], part, (pose.keypoints[part, 1], pose.keypoints[part, 0]), radius)
            for part in range(PARTS)
        ]
        rescored.append(Pose(float(pose.keypoints[free, 2].sum() / PARTS), pose.keypoints))
    return rescored


def _in_pixels(poses: list[Pose], options: DecoderOptions) -> list[Pose]:
    kept = [pose for pose in poses if pose.score >= options.score_threshold]
    scale = np.array([options.stride, options.stride, 1.0])
    return [Pose(pose.score, pose.keypoints * scale) for pose in sorted(kept, key=lambda pose: -pose.score)]
