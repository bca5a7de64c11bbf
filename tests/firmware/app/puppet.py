"""A kmodel that sees one person whose pose the light decides: one in the dark, another in full light.

PoseNet's layers with made-up parameters: the body carries brightness through (0 in the dark, 255 in the light), the
heads turn it into displacements. So tests know which keypoints must come out, and can make a person move.
"""

from __future__ import annotations

import struct
from dataclasses import replace

import numpy as np
from PIL import Image

from conversion import network
from conversion.decoding.dialects.tfjs import CHAIN, EDGES, PARTS
from conversion.kmodel.kpu_network import Head, KpuNetwork
from conversion.kmodel.layer import KpuLayer
from tests.conversion.kmodel import networks
from tests.firmware.app.virtual import Model, model_of

DARK = Image.new("RGB", (320, 240), (0, 0, 0))
LIGHT = Image.new("RGB", (320, 240), (255, 255, 255))
CHANNEL_DIVISOR = 8
ONE = 1 << 15
# A byte of a position is a pixel, 128 is none.
SCALE, ZERO = 1.0, 128
HEAT_SCALE = 0.0625
NOSE = 0
# Logits: only the nose starts a pose, the others are seen clearly enough to be drawn and counted.
NOSE_LOGIT, PART_LOGIT = 5.0, -0.25

# Somebody standing: keypoints (x, y) on multiples of 16 pixels, from the nose on.
STANDING = np.array([
    (112, 48), (112, 32), (96, 32), (128, 48), (80, 48), (144, 80), (80, 80), (160, 112), (64, 112), (160, 144),
    (64, 144), (128, 144), (96, 144), (128, 176), (96, 176), (128, 208), (96, 208),
])  # fmt: skip


def moved(**places: tuple[int, int]) -> np.ndarray:
    """STANDING with keypoints elsewhere, by their names."""
    pose = STANDING.copy()
    for name, place in places.items():
        pose[network.KEYPOINTS.index(name)] = place
    return pose


HAND_UP = moved(leftElbow=(160, 64), leftWrist=(160, 32))
SQUATTING = moved(leftHip=(128, 176), rightHip=(96, 176))


def model(in_light: np.ndarray = STANDING, in_dark: np.ndarray = STANDING, size: tuple[int, int] = (320, 240)) -> Model:
    """The kmodel of a person who stands like this in the dark and like that in the light, nose in the same place."""
    width, height = size
    base = networks.posenet_like(0, CHANNEL_DIVISOR, width, height)
    body = tuple(_bright(layer) for layer in base.body)
    values = [_bytes(pose) for pose in (in_dark, in_light)]
    heads = tuple(
        Head(_answer(head.layer, *(value[spec.name] for value in values)), _scale(spec.name), ZERO)
        for head, spec in zip(base.heads, network.HEADS, strict=True)
    )
    return model_of(KpuNetwork(body, heads), width, height, "puppet.kmodel")


def wire(pose: np.ndarray) -> list[tuple[int, int]]:
    """Its keypoints as the board sends them, in 1/16 pixel."""
    return [(16 * int(x), 16 * int(y)) for x, y in pose]


def _scale(head: str) -> float:
    return HEAT_SCALE if head == "heatmap" else SCALE


def _bytes(pose: np.ndarray) -> dict[str, np.ndarray]:
    """The heads' bytes, the same in every cell: the nose is an offset, the rest displacements along the tree."""
    heat = np.full(PARTS, round(PART_LOGIT / HEAT_SCALE) + ZERO)
    heat[NOSE] = round(NOSE_LOGIT / HEAT_SCALE) + ZERO
    offset = np.full(2 * PARTS, ZERO)
    offset[[NOSE, PARTS + NOSE]] += pose[NOSE][::-1]
    steps = np.array([pose[child] - pose[parent] for parent, child in CHAIN])
    forward = ZERO + np.concatenate([steps[:, 1], steps[:, 0]])
    assert len(forward) == 2 * EDGES
    return {"heatmap": heat, "offset": offset, "displacement_fwd": forward, "displacement_bwd": 2 * ZERO - forward}


def _bright(layer: KpuLayer) -> KpuLayer:
    """The mean of what it reads, doubled, so that light stays light at the padded border too."""
    channels = layer.registers.o_ch_num
    multiplier = 2 * ONE // layer.taps
    return replace(layer, weights=bytes([129]) * len(layer.weights), batch_norm=_batch_norm([multiplier] * channels, 0))


def _answer(layer: KpuLayer, dark: np.ndarray, light: np.ndarray) -> KpuLayer:
    """`dark` where all features are 0, `light` where they are 255."""
    change = light - dark
    most = 255 * layer.taps
    # Weights are 128 + 1 or 128 - 1, less 128 in the KPU.
    weights = np.repeat((128 + np.sign(change)).astype(np.uint8), layer.taps).tobytes()
    multipliers = [-(-abs(int(step)) * ONE // most) for step in change]
    return replace(layer, weights=weights, batch_norm=_batch_norm(multipliers, dark))


def _batch_norm(multipliers: list[int], adds: np.ndarray | int) -> bytes:
    adds = np.broadcast_to(adds, len(multipliers))
    return b"".join(
        struct.pack("<Q", multiplier | int(add) << 24 | 15 << 56)
        for multiplier, add in zip(multipliers, adds, strict=True)
    )
