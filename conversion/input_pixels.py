"""How pixels enter the KPU: the byte that pads the picture, and the real values that bytes stand for."""

from __future__ import annotations

from conversion.posenet_weights import Normalisation

# The pixel whose normalised value is 0, which TensorFlow's own zero padding stands for, is not an integer for the
# float files (127.5). The KPU pads with a byte; both kinds of weights use this one.
PAD_PIXEL = 128


def value_range(normalisation: Normalisation) -> tuple[float, float]:
    """Values of the bytes 0 and 255 in the graph that nncase gets, where byte PAD_PIXEL is exactly 0.

    [-256/255, 254/255] for the float files, [-1, 127/128] for Coral's.
    """
    return -PAD_PIXEL * normalisation.scale, (255 - PAD_PIXEL) * normalisation.scale


def rest(normalisation: Normalisation) -> float:
    """What the network's own normalisation adds to that graph's input: it is moved into the first layer's bias."""
    return PAD_PIXEL * normalisation.scale + normalisation.offset
