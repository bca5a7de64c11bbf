"""Pictures for nncase, which takes every range from what it meets: views of scikit-image's photos, each by a number.

The photos that a shipped rounding was calibrated on are not shipped. nncase needs but a few pictures that take every
layer to the ends of its range, whatever they show.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from conversion import photos
from conversion.quantisation import calibration, views

# So many are there to choose from: enough to go nearly as far as photos of people do.
POOL = 144
_SEED = 2
_NAMES = calibration.PEOPLE + calibration.PEOPLE + calibration.SCENES + calibration.PATTERNS


def drawn(numbers: Iterable[int], width: int, height: int) -> np.ndarray:
    """The pictures of these numbers, uint8 [N, height, width, 3]: each depends on its number and the size alone."""
    return np.stack([_drawn(number, width, height) for number in numbers])


def _drawn(number: int, width: int, height: int) -> np.ndarray:
    photo = photos.bundled(_NAMES[number % len(_NAMES)])
    return views.view(photo, np.random.default_rng((_SEED, number)), width, height)
