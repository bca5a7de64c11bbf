"""The network as a TensorFlow graph, stride-2 layers padded symmetrically as the KPU computes them; its TFLite export.

Why symmetric: TensorFlow's SAME pads only right and bottom at even sizes, the KPU samples windows centred on even
pixels. With one pixel of padding on every side the graph needs no CPU operator and keeps the network's own grid.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from conversion import input_pixels, network
from conversion.posenet_weights import ConvWeights, PoseNetWeights
from conversion.quiet_tensorflow import tf

SYMMETRIC_PADS = {spec.name: ((1, 1), (1, 1)) for spec in network.BODY if spec.stride == 2}

_BATCH = 16  # pictures at once: bounds the memory for feature maps

Heads = dict[str, np.ndarray]
Pads = dict[str, tuple[tuple[int, int], tuple[int, int]]]


def build(
    weights: PoseNetWeights,
    width: int,
    height: int,
    pads: Pads | None = SYMMETRIC_PADS,
    pad_pixel: float | None = None,
) -> Callable[[np.ndarray], Heads]:
    """The network at one size as a function: uint8 [N, H, W, 3] -> float32 [N, C, h, w] per head, in real units.

    `pads` gives the ((top, bottom), (left, right)) padding of each stride-2 layer; None leaves them to TensorFlow's
    SAME. `pad_pixel` pads the picture with that pixel not the normalised value 0 (the KPU: input_pixels.PAD_PIXEL).
    """
    normalisation = weights.normalisation
    border = 0.0 if pad_pixel is None else pad_pixel * normalisation.scale + normalisation.offset

    # There is no Python to be translated in it; TensorFlow's translator leaves files behind when it is stopped.
    @tf.function(autograph=False, input_signature=[tf.TensorSpec([None, height, width, 3], tf.float32)])
    def forward(pixels: tf.Tensor) -> dict[str, tf.Tensor]:
        heads = _layers(pixels * normalisation.scale + normalisation.offset, weights, pads, border)
        return {name: tf.transpose(head, (0, 3, 1, 2)) for name, head in heads.items()}

    def run(images: np.ndarray) -> Heads:
        batches = [
            forward(tf.constant(images[start : start + _BATCH], tf.float32)) for start in range(0, len(images), _BATCH)
        ]
        return {name: np.concatenate([batch[name].numpy() for batch in batches]) for name in network.HEAD_NAMES}

    return run


def to_tflite(
    weights: PoseNetWeights, width: int, height: int, head_limits: tuple[float, float] | None = None
) -> bytes:
    """The graph that nncase compiles: byte input_pixels.PAD_PIXEL is 0 in it, the rest is moved into the first bias.

    Outputs come in the order of `network.HEADS` (their names sort so, which is what nncase goes by). `head_limits`
    clips them: nncase takes a head's range from what it reaches.
    """
    shifted = _with_shifted_input(weights)

    @tf.function(autograph=False, input_signature=[tf.TensorSpec([1, height, width, 3], tf.float32, name="image")])
    def forward(image: tf.Tensor) -> dict[str, tf.Tensor]:
        heads = _layers(image, shifted, SYMMETRIC_PADS, 0.0)
        if head_limits is not None:
            heads = {name: tf.clip_by_value(head, *head_limits) for name, head in heads.items()}
        return {f"head{number}_{name}": heads[name] for number, name in enumerate(network.HEAD_NAMES)}

    converter = tf.lite.TFLiteConverter.from_concrete_functions([forward.get_concrete_function()])
    return converter.convert()


def _with_shifted_input(weights: PoseNetWeights) -> PoseNetWeights:
    """Weights for input (p - input_pixels.PAD_PIXEL) * scale: what it lacks to p * scale + offset goes into a bias."""
    first = weights.body["conv0"]
    bias = first.bias + first.kernel.astype(np.float64).sum((0, 1, 2)) * input_pixels.rest(weights.normalisation)
    body = {**weights.body, "conv0": ConvWeights(first.kernel, bias.astype(np.float32))}
    return replace(weights, body=body)


def _layers(x: tf.Tensor, weights: PoseNetWeights, pads: Pads | None, border: float) -> dict[str, tf.Tensor]:
    for spec in network.BODY:
        layer = weights.body[spec.name]
        padding = "SAME"
        if border and spec is network.BODY[0]:
            x, padding = _padded(x, pads[spec.name], border), "VALID"
        elif pads is not None and spec.name in pads:
            x, padding = _padded(x, pads[spec.name], 0.0), "VALID"
        if spec.kind == "depthwise":
            x = tf.nn.depthwise_conv2d(x, layer.kernel, (1, spec.stride, spec.stride, 1), padding)
        else:
            x = tf.nn.conv2d(x, layer.kernel, spec.stride, padding)
        x = tf.nn.relu6(tf.nn.bias_add(x, layer.bias))
    return {
        name: tf.nn.bias_add(tf.nn.conv2d(x, head.kernel, 1, "SAME"), head.bias) for name, head in weights.heads.items()
    }


def _padded(x: tf.Tensor, pad: tuple[tuple[int, int], tuple[int, int]], border: float) -> tf.Tensor:
    return tf.pad(x, ((0, 0), *pad, (0, 0)), constant_values=border)
