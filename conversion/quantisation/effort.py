"""How much a calibration looks at and tries: enough for a user who waits, or for a rounding that is computed once."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Effort:
    """`dense_samples` and `depthwise_samples` are the positions of a map that a layer's statistics are taken from.

    Of a dense layer's channels each is tried with every one of `shares`, its scale as shares of the one that just holds
    its largest weight, and improved by so many `sweeps` of descent.
    """

    dense_samples: int
    depthwise_samples: int
    shares: tuple[float, ...]
    sweeps: int


# More of anything changes the result of some hundred photos by little more than chance does, and takes longer.
USUAL = Effort(40_000, 8_000, (1.0, 0.94, 0.88, 0.82, 0.76), 1)
THOROUGH = Effort(120_000, 24_000, tuple(1 - 0.0375 * step for step in range(9)), 3)
