"""Small kmodels that run in a few milliseconds, and the device cards that go with them."""

from __future__ import annotations

import zlib
from functools import cache

import numpy as np

from conversion import card, network
from conversion.decoding import board_decoder, fixed_point
from conversion.kmodel import v3
from conversion.kmodel.assemble import assemble
from conversion.kmodel.plan import plan
from conversion.kmodel.v3 import DequantiseLayer, Output, V3Model
from tests.conversion.kmodel.networks import posenet_like
from tests.conversion.kpu.lively import lively

WIDTH, HEIGHT = 96, 80


@cache
def model(seed: int = 0) -> V3Model:
    """PoseNet's layers with few random channels, whose heads depend on every pixel."""
    noise = np.random.default_rng(seed).integers(0, 256, (3, HEIGHT, WIDTH), np.uint8)
    small = lively(posenet_like(seed, channel_divisor=8, width=WIDTH, height=HEIGHT), noise)
    return assemble(small, plan(small, WIDTH, HEIGHT))


@cache
def kmodel(seed: int = 0) -> bytes:
    """Its file."""
    return v3.write(model(seed))


def float_kmodel() -> bytes:
    """A model whose last layer makes floats of the heatmap."""
    made = model()
    start, count = made.main_memory_bytes, made.outputs[1].size
    dequantise = DequantiseLayer(made.outputs[1].address, start, count, scale=0.5, bias=-3.0)
    return v3.write(V3Model((*made.layers, dequantise), (Output(start, 4 * count),), start + 4 * count, 0))


def model_card(seed: int = 0) -> dict:
    """The model card of kmodel(seed), as far as tools read it."""
    multiplier, shift = fixed_point.multiplier_and_shift(0.125)
    numbers = {"scale": 0.125, "zero_point": 128, "multiplier": multiplier, "shift": shift}
    shape = {"height": HEIGHT // 16, "width": WIDTH // 16}
    data = kmodel(seed)
    return {
        "format": card.FORMAT,
        "kmodel": {**card.kmodel_entry("small.kmodel", data), "crc32": zlib.crc32(data)},
        "input": {"width": WIDTH, "height": HEIGHT},
        "heads": [
            {"name": spec.name, "index": index, "channels": spec.channels, **shape, **numbers}
            for index, spec in enumerate(network.HEADS, start=1)
        ],
        "sigmoid": fixed_point.sigmoid_table(0.125, 128),
        "memory": {"kpu_ram_bytes": 0, "main_memory_bytes": model(seed).main_memory_bytes},
    }


def device_card(seed: int = 0) -> dict:
    """The device card of kmodel(seed)."""
    return board_decoder.device_card(model_card(seed))
