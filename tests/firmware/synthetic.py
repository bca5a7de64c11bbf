"""Heads drawn for people at known places, and quantised by a card: decoding them has known answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from conversion import network
from conversion.decoding import fixed_point
from conversion.decoding.dialects.tfjs import CHAIN, EDGES, PARTS

Heads = dict[str, np.ndarray]

# (scale, zero point) of each head, about those of a real model.
TYPICAL = {
    "heatmap": (0.0745, 134),
    "offset": (0.392, 128),
    "displacement_fwd": (1.118, 94),
    "displacement_bwd": (1.0, 180),
}
# Every distance is a whole number of 1/64 pixels, and exact in float: integers and floats must agree to the bit.
EXACT = {
    "heatmap": (0.0625, 128),
    "offset": (25 / 64, 128),
    "displacement_fwd": (71 / 64, 94),
    "displacement_bwd": (1.0, 180),
}

# A person standing, facing us, in fractions of the height; x from the middle, the person's left at our right.
_FIGURE = np.array([
    (0.000, 0.07), (0.015, 0.055), (-0.015, 0.055), (0.035, 0.065), (-0.035, 0.065), (0.10, 0.18), (-0.10, 0.18),
    (0.15, 0.34), (-0.15, 0.34), (0.17, 0.49), (-0.17, 0.49), (0.06, 0.52), (-0.06, 0.52), (0.065, 0.74),
    (-0.065, 0.74), (0.07, 0.95), (-0.07, 0.95),
])  # fmt: skip

PEAK_LOGIT, FALL_PX, GROUND_LOGIT = 6.0, 12.0, -9.0


def card(width: int, height: int, parameters: Mapping[str, tuple[float, int]] = TYPICAL) -> dict:
    """The entries of a model card that decoding needs, for a picture size."""
    heads = []
    for index, spec in enumerate(network.HEADS, start=1):
        scale, zero_point = parameters[spec.name]
        multiplier, shift = fixed_point.multiplier_and_shift(scale)
        heads.append(
            {
                "name": spec.name,
                "index": index,
                "channels": spec.channels,
                "height": height // 16,
                "width": width // 16,
                "scale": scale,
                "zero_point": zero_point,
                "multiplier": multiplier,
                "shift": shift,
            }
        )
    sigmoid = fixed_point.sigmoid_table(*parameters["heatmap"])
    return {"input": {"width": width, "height": height}, "heads": heads, "sigmoid": sigmoid}


def person(x: float, top: float, height: float) -> np.ndarray:
    """Keypoints [17, 2] (x, y) in pixels of somebody whose middle is at `x` and whose hair begins at `top`."""
    return _FIGURE * height + (x, top)


def crowd(width: int, height: int, count: int = 3) -> list[np.ndarray]:
    """People side by side who fill the picture, all of each in it."""
    tall = min(height * 0.9, width / count * 2)
    return [person(width * (2 * n + 1) / (2 * count), height * (0.03 + 0.013 * n), tall) for n in range(count)]


def drawn(people: Sequence[np.ndarray], the_card: Mapping) -> Heads:
    """Float heads [C, rows, columns] as a perfect network would give them: each cell speaks of the nearest person.

    A part that is nan is hidden.
    """
    rows, columns = the_card["input"]["height"] // 16, the_card["input"]["width"] // 16
    cells = np.stack(np.meshgrid(np.arange(columns), np.arange(rows)), axis=-1) * 16.0
    heads = {spec.name: np.zeros((spec.channels, rows, columns)) for spec in network.HEADS}
    heads["heatmap"][:] = GROUND_LOGIT
    if not len(people):
        return heads
    everyone = np.stack(people)
    for part in range(PARTS):
        there, distance = _nearest(everyone[:, part], cells)
        heads["heatmap"][part] = np.maximum(
            PEAK_LOGIT - (np.nan_to_num(distance, posinf=1e3) / FALL_PX) ** 2, GROUND_LOGIT
        )
        vectors = everyone[there, part] - cells
        heads["offset"][part], heads["offset"][part + PARTS] = vectors[..., 1], vectors[..., 0]
    for edge, (parent, child) in enumerate(CHAIN):
        for name, source, target in (("displacement_fwd", parent, child), ("displacement_bwd", child, parent)):
            there, _ = _nearest(everyone[:, source], cells)
            vectors = everyone[there, target] - everyone[there, source]
            heads[name][edge], heads[name][edge + EDGES] = vectors[..., 1], vectors[..., 0]
    return {name: np.nan_to_num(values) for name, values in heads.items()}


def _nearest(points: np.ndarray, cells: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For each cell, which of the points [N, 2] is nearest, and how far; hidden ones are infinitely far."""
    distances = np.nan_to_num(np.linalg.norm(points[:, None, None] - cells, axis=-1), nan=np.inf)
    return distances.argmin(axis=0), distances.min(axis=0)


def quantised(heads: Mapping[str, np.ndarray], the_card: Mapping) -> Heads:
    """Float heads as the bytes of a model with this card."""
    return {
        entry["name"]: np.clip(
            np.floor(heads[entry["name"]] / entry["scale"] + entry["zero_point"] + 0.5), 0, 255
        ).astype(np.uint8)
        for entry in the_card["heads"]
    }


def dequantised(heads: Mapping[str, np.ndarray], the_card: Mapping) -> Heads:
    """What the bytes stand for, in real units."""
    return {
        entry["name"]: (heads[entry["name"]].astype(float) - entry["zero_point"]) * entry["scale"]
        for entry in the_card["heads"]
    }


def noise(seed: int, the_card: Mapping, levels: int = 256, low: int = 0) -> Heads:
    """Random bytes; few `levels` make ties and plateaus, a heatmap from `low` up makes many roots."""
    random = np.random.default_rng(seed)
    rows, columns = the_card["input"]["height"] // 16, the_card["input"]["width"] // 16
    heads = {
        spec.name: random.integers(0, 256, (spec.channels, rows, columns)).astype(np.uint8) for spec in network.HEADS
    }
    steps = np.linspace(low, 255, levels).astype(np.uint8)
    heads["heatmap"] = steps[random.integers(0, levels, heads["heatmap"].shape)]
    return heads


def buffers(heads: Mapping[str, np.ndarray]) -> list[bytes]:
    """The heads as the firmware's decoder takes them."""
    return [heads[name].tobytes() for name in network.HEAD_NAMES]
