"""The network as data, and PoseNet's resolution formula."""

import pytest

from conversion import network


# PoseNet's own sizes: the article's 513 and the published TFLite files' 257x353 and 353x481.
@pytest.mark.parametrize(("size", "cells"), [(513, 33), (257, 17), (353, 23), (481, 31), (321, 21), (225, 15)])
def test_resolution_and_its_inverse_at_posenet_s_sizes(size: int, cells: int) -> None:
    assert network.resolution(size) == cells
    assert network.input_size(cells) == size


@pytest.mark.parametrize("size", range(64, 513, 16))
def test_resolution_at_the_kpu_s_sizes_is_a_sixteenth(size: int) -> None:
    assert network.resolution(size) == size // 16


def test_other_output_strides() -> None:
    assert network.resolution(257, 32) == 9
    assert network.input_size(9, 32) == 257


def test_the_body_is_mobilenet_075() -> None:
    assert [layer.stride for layer in network.BODY] == [2, 1, 1, 2, 1, 1, 1, 2, 1, 1, 1, 2] + [1] * 15
    assert sum(layer.stride == 2 for layer in network.BODY) == 4
    assert network.BODY[0].kernel_shape == (3, 3, 3, 24)
    assert network.BODY[-1].kernel_shape == (1, 1, 384, 384)
    assert all(one.out_channels == two.in_channels for one, two in zip(network.BODY, network.BODY[1:], strict=False))


def test_it_has_the_published_number_of_parameters() -> None:
    layers = [(layer.kernel_shape, layer.out_channels) for layer in network.BODY]
    layers += [((1, 1, network.FEATURE_CHANNELS, head.channels), head.channels) for head in network.HEADS]
    count = sum(a * b * c * d + bias for (a, b, c, d), bias in layers)
    assert 4 * count == 5_032_780, "bytes of the published shards"
