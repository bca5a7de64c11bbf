"""The network read back from a kmodel: the weights that went in, and the KPU's results but for their rounding."""

import numpy as np
import pytest

from conversion import network, photos
from conversion.errors import UnsupportedModelError
from conversion.evaluation import readback
from conversion.kmodel import assemble, v3
from conversion.kmodel.plan import plan
from conversion.kmodel.v3 import V3Model
from conversion.kpu.simulator import Kpu
from conversion.posenet_weights import PoseNetWeights
from tests.conversion.evaluation import plain_kmodel

BYTE = 6 / 255


def model(weights: PoseNetWeights, width: int, height: int) -> V3Model:
    the_network = plain_kmodel.kpu_network(weights)
    made = assemble.assemble(the_network, plan(the_network, width, height))
    return v3.read(v3.write(made), "a test")


def picture(width: int, height: int) -> np.ndarray:
    return photos.letterbox(photos.bundled(photos.SAMPLE), width, height)


def test_weights_and_biases_come_back(weights: PoseNetWeights) -> None:
    found = readback.read(model(weights, 64, 64), "a test")
    assert [layer.spec.kind for layer in found.body] == [spec.kind for spec in network.BODY]
    for spec, layer in zip(network.BODY[1:], found.body[1:], strict=True):
        kernel = weights.body[spec.name].kernel.reshape(layer.kernel.shape)
        step = np.abs(kernel).max(0) / 127
        np.testing.assert_allclose(layer.kernel * layer.gain / 65536, kernel, atol=step.max() * 0.51, rtol=1e-3)
        bias = (layer.rest * layer.gain + layer.offset) / 65536 * BYTE
        np.testing.assert_allclose(bias, weights.body[spec.name].bias, atol=1e-3)


def test_slopes_are_in_bytes(weights: PoseNetWeights) -> None:
    layer = readback.read(model(weights, 64, 64), "a test").body[2]
    kernel = weights.body["pointwise1"].kernel.reshape(1, *layer.slopes.shape[1:])
    assert np.abs(layer.slopes - kernel).max() < np.abs(kernel).max() / 120


def test_the_first_layer_is_the_kpu_s_within_half_a_byte(weights: PoseNetWeights) -> None:
    made = model(weights, 64, 64)
    pixels = picture(64, 64)
    _, result = next(Kpu(made).trace(photos.planes(pixels)))
    exact = readback.read(made, "a test").body[0](pixels[None].astype(np.float32))
    assert np.abs(np.moveaxis(exact[0], -1, 0) - result).max() <= 0.51


def test_each_layer_is_the_kpu_s_within_half_a_byte_where_it_reads_the_same_bytes(weights: PoseNetWeights) -> None:
    """Layers that run in parts are put together in the right order, dense ones as the depthwise ones that they are."""
    made = model(weights, 320, 240)
    pixels = picture(320, 240)
    results = dict(Kpu(made).trace(photos.planes(pixels)))
    found = readback.read(made, "a test")
    assert len(made.layers) == len(network.BODY) + len(network.HEADS) + 2 + 5 + 11
    source = pixels[None].astype(np.float32)
    for layer in found.body:
        result = np.concatenate([results[number] for number in layer.numbers]).transpose(1, 2, 0)
        off = np.abs(layer(source)[0] - result)
        # Near the top nncase's tables round once more.
        assert off[result < 250].max() <= 0.52, layer.spec
        assert off.max() <= 1.6
        source = result[None].astype(np.float32)


def test_layers_that_are_not_ours_are_refused(weights: PoseNetWeights) -> None:
    made = model(weights, 64, 64)
    first = made.layers[0]
    registers = type(first.layer.registers)(**{**vars(first.layer.registers), "pool_type": 1})
    layer = v3.ConvLayer(type(first.layer)(**{**vars(first.layer), "registers": registers}), None)
    with pytest.raises(UnsupportedModelError, match="layer 0 pools by type 1"):
        readback.read(V3Model((layer, *made.layers[1:]), made.outputs, made.main_memory_bytes, 0), "a test")
    dequantise = v3.DequantiseLayer(0, 0, 1, 1.0, 0.0)
    with pytest.raises(UnsupportedModelError, match="is no convolution"):
        readback.read(V3Model((*made.layers, dequantise), made.outputs, made.main_memory_bytes, 0), "a test")
