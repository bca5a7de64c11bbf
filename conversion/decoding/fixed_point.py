"""The integers that stand for a head's scale on the board: multiplier, shift and sigmoid table."""

from __future__ import annotations

import math

from conversion.errors import ModelFormatError

# Positions in 1/64 pixel, scores in Q15; firmware/pose_decoder.py computes with both.
STEPS_PER_PIXEL = 64
SCORE_ONE = 1 << 15
MULTIPLIER_BITS = range(16, 25)
MAX_SHIFT = 39


def multiplier_and_shift(scale: float) -> tuple[int, int]:
    """(multiplier, shift) with multiplier / 2**shift nearest to `scale` (pixels per step of a byte) in 1/64 pixel.

    The multiplier has 16 to 24 bits; of equally good ones it is the smallest. The decoder computes
    ((q - zero_point) * multiplier + (1 << (shift - 1))) >> shift, a distance in 1/64 pixel, rounded half up.
    ModelFormatError for a scale that no such pair stands for.
    """
    if not (math.isfinite(scale) and scale > 0):
        raise ModelFormatError(f"head scale {scale} is not a positive number; quantise the model again")
    wanted = scale * STEPS_PER_PIXEL
    _, exponent = math.frexp(wanted)
    pairs = []
    for bits in MULTIPLIER_BITS:
        shift = bits - exponent
        multiplier = round(math.ldexp(wanted, shift))
        if 0 < shift <= MAX_SHIFT and multiplier.bit_length() in MULTIPLIER_BITS:
            pairs.append((multiplier, shift))
    if not pairs:
        raise ModelFormatError(f"head scale {scale} pixels is beyond the decoder's range; quantise the model again")
    return min(pairs, key=lambda pair: (abs(math.ldexp(pair[0], -pair[1]) - wanted), pair[0]))


def sigmoid_table(scale: float, zero_point: int) -> list[int]:
    """256 scores in Q15: the sigmoid of the logit (byte - zero_point) * scale, rounded to nearest; never falling."""
    return [round(SCORE_ONE * _sigmoid((byte - zero_point) * scale)) for byte in range(256)]


def _sigmoid(logit: float) -> float:
    """1 / (1 + e^-logit), in the form whose exponential cannot overflow."""
    if logit < 0:
        power = math.exp(logit)
        return power / (1 + power)
    return 1 / (1 + math.exp(-logit))
