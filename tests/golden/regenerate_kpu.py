"""Makes the golden vectors of the KPU simulator anew: `python -m tests.golden.regenerate_kpu` (TensorFlow and nncase).

Each small network of `NETWORKS` with seeded weights is exported by TensorFlow, compiled by nncase, and run on seeded
pictures by nncase.Simulator. Kept in tests/golden/kpu/NAME.npz are the kmodel V5 (bits that nncase leaves
uninitialised cleared) and the bytes behind the simulator's outputs; where a network names another size, also what
nncase's simulator gives there with the same parameters.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from conversion.kmodel import v5
from conversion.nncase import agreement, compiler
from tests.conversion.kpu.transplant import transplant

FOLDER = Path(__file__).parent / "kpu"
PICTURES = 2
CALIBRATION_PICTURES = 4
INPUT_RANGE = (-1.0, 127 / 128)


@dataclass(frozen=True)
class Step:
    """One operator: "conv" and "depthwise" are 3x3, "pointwise" 1x1, "maxpool" 2x2; then an activation."""

    kind: str
    channels: int = 0
    stride: int = 1
    activation: str = "relu6"


@dataclass(frozen=True)
class GoldenNetwork:
    """A chain of steps on a picture of width x height, and the channels and activation of each head at its end."""

    name: str
    seed: int
    width: int
    height: int
    steps: tuple[Step, ...]
    heads: tuple[tuple[int, str], ...]
    relinked: tuple[int, int] | None = None

    def resized(self) -> GoldenNetwork:
        """The same network at its other size."""
        return replace(self, width=self.relinked[0], height=self.relinked[1])

    def pictures(self, count: int = PICTURES, first_seed: int = 1000) -> np.ndarray:
        """uint8 [N, 3, H, W]: soft shapes with noise, from integers alone so that every machine draws the same."""
        generator = np.random.default_rng(first_seed + self.seed)
        y, x = np.mgrid[: self.height, : self.width]
        slopes = generator.integers(-9, 10, (count, 3, 2, 1, 1))
        waves = (slopes[:, :, 0] * y + slopes[:, :, 1] * x) % 256
        noise = generator.integers(0, 96, (count, 3, self.height, self.width))
        return np.clip(np.minimum(waves, 255 - waves) + noise, 0, 255).astype(np.uint8)


NETWORKS = (
    # Maps 48, 24 and 12 wide: one, two and four channels share a line; channel counts that leave lines half empty.
    GoldenNetwork(
        "posenet_like", 1, 96, 64,
        (
            Step("conv", 9, 2), Step("depthwise"), Step("pointwise", 15),
            Step("depthwise"), Step("pointwise", 22, 2), Step("depthwise"), Step("pointwise", 21),
            Step("depthwise"), Step("pointwise", 30, 2), Step("depthwise"), Step("pointwise", 31),
        ),
        ((17, "none"), (34, "none"), (5, "none")),
        relinked=(160, 80),
    ),
    # Rows of two lines, a dense 3x3 layer whose weights take two loads, max-pooling behind a convolution.
    GoldenNetwork(
        "loads_and_max_pooling", 2, 144, 40,
        (
            Step("conv", 8, 1, "none"), Step("maxpool", activation="relu6"),
            Step("pointwise", 32), Step("conv", 128, 2), Step("pointwise", 12),
        ),
        ((6, "none"),),
    ),
    # Activations whose tables are no straight line, and one that falls below zero.
    GoldenNetwork(
        "curved_activations", 3, 32, 32,
        (Step("conv", 8, 2, "leaky_relu"), Step("depthwise", activation="sigmoid"), Step("pointwise", 12)),
        ((7, "sigmoid"), (6, "tanh")),
    ),
)  # fmt: skip


def tflite(network: GoldenNetwork) -> bytes:
    """The network with seeded weights as a float TFLite file."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import tensorflow as tf

    forward = _forward(tf, network, np.random.default_rng(network.seed))
    shape = tf.TensorSpec((1, network.height, network.width, 3), tf.float32)
    function = tf.function(forward, input_signature=(shape,)).get_concrete_function()
    return tf.lite.TFLiteConverter.from_concrete_functions([function]).convert()


def _forward(tf, network: GoldenNetwork, generator: np.random.Generator) -> Callable:
    channels, layers = 3, []
    for step in network.steps:
        layers.append((step, *_weights(generator, step.kind, channels, step.channels)))
        channels = step.channels or channels
    heads = [
        (Step("pointwise", count, 1, activation), *_weights(generator, "pointwise", channels, count))
        for count, activation in network.heads
    ]

    def forward(x):
        for layer in layers:
            x = _apply(tf, x, *layer)
        return {f"head{number}": _apply(tf, x, *head) for number, head in enumerate(heads)}

    return forward


def _weights(generator: np.random.Generator, kind: str, inputs: int, outputs: int) -> tuple[np.ndarray, np.ndarray]:
    shapes = {
        "conv": (3, 3, inputs, outputs),
        "depthwise": (3, 3, inputs, 1),
        "pointwise": (1, 1, inputs, outputs),
        "maxpool": (0,),
    }
    shape = shapes[kind]
    taps = 9 if kind == "depthwise" else max(int(np.prod(shape[:-1])), 1)
    kernel = generator.normal(0.2, 1.6, shape) / np.sqrt(taps)
    return kernel.astype(np.float32), generator.normal(0.5, 0.5, outputs or inputs).astype(np.float32)


def _apply(tf, x, step: Step, kernel: np.ndarray, bias: np.ndarray):
    activations = {
        "none": lambda value: value,
        "relu6": tf.nn.relu6,
        "leaky_relu": tf.nn.leaky_relu,
        "sigmoid": tf.sigmoid,
        "tanh": tf.tanh,
    }
    if step.kind == "maxpool":
        return activations[step.activation](tf.nn.max_pool2d(x, 2, 2, "VALID"))
    padding = "SAME"
    if step.kind == "conv" and step.stride == 2:
        x, padding = tf.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0))), "VALID"
    if step.kind == "depthwise":
        x = tf.nn.depthwise_conv2d(x, kernel, (1, 1, 1, 1), padding)
    else:
        x = tf.nn.conv2d(x, kernel, step.stride, padding)
    return activations[step.activation](tf.nn.bias_add(x, bias))


def regenerate(network: GoldenNetwork) -> Path:
    """Compile and run one network; write its file."""
    kmodel = _compiled(network)
    arrays = {f"head_{number}": head for number, head in enumerate(_heads(kmodel, network))}
    if network.relinked:
        resized = network.resized()
        heads = _heads(transplant(kmodel, _compiled(resized)), resized)
        arrays |= {f"relinked_head_{number}": head for number, head in enumerate(heads)}
    path = FOLDER / f"{network.name}.npz"
    np.savez_compressed(path, kmodel=np.frombuffer(kmodel, np.uint8), **arrays)
    return path


def _compiled(network: GoldenNetwork) -> bytes:
    calibration = network.pictures(CALIBRATION_PICTURES, first_seed=0)
    return v5.masked(compiler.compile_kmodel(tflite(network), calibration, INPUT_RANGE), network.name)


def _heads(kmodel: bytes, network: GoldenNetwork) -> list[np.ndarray]:
    """The bytes that nncase's simulator gives, uint8 [N, C, h, w] a head."""
    simulated = compiler.simulate(kmodel, network.pictures())
    return agreement.head_bytes(simulated, v5.read(kmodel, network.name).heads)


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for golden in NETWORKS:
        written = regenerate(golden)
        print(f"{written}: {written.stat().st_size} bytes")
