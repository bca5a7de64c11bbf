"""The numbers that the quantised network, the KPU and nncase must agree on."""

from __future__ import annotations

from conversion import input_pixels, network
from conversion.network import LayerSpec

LARGEST_BYTE = 255
RELU_CEILING = 6.0
# The real value of a byte of an activation in the graph that nncase gets.
BYTE_STEP = RELU_CEILING / LARGEST_BYTE

LOWEST_CODE, HIGHEST_CODE = -128, 127
# nncase 1.9 (quantizer.cpp, kpu_conv2d.cpp) takes a channel's weights to reach from -r to r, r being the largest of
# them and at least 0.01, and spreads 255 steps over that.
LEAST_REACH = 0.01
REACH_STEPS = 127.5


def zero_point(spec: LayerSpec) -> int:
    """The byte that stands for 0 in a layer's input, and that the KPU pads it with."""
    return input_pixels.PAD_PIXEL if spec is network.BODY[0] else 0
