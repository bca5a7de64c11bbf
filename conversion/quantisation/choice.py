"""How a conversion rounds the weights: by the rounding that is shipped for them, calibrated on photos, or plainly."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from conversion.errors import RoundingError
from conversion.posenet_weights import PoseNetWeights
from conversion.progress import Talk
from conversion.quantisation import calibration
from conversion.quantisation.known import shipped
from conversion.quantisation.known.shipped import Shipped
from conversion.quantisation.result import QuantisedNetwork

SHIPPED, FULL, FAST = "shipped", "full", "fast"
NAMES = (SHIPPED, FULL, FAST)


@dataclass(frozen=True)
class Choice:
    """What was chosen: its name, and what the card says of the photos behind it.

    `pictures`, uint8 [N, H, W, 3], calibrate our rounding or nncase's; those of a shipped network only go to nncase.
    """

    name: str
    pictures: np.ndarray
    photos: Mapping
    network: QuantisedNetwork | None = None


def choose(name: str | None, weights: PoseNetWeights, folder: Path | None, size: tuple[int, int], talk: Talk) -> Choice:
    """The rounding called `name`; for None what is shipped for the weights, and else "full".

    `folder` holds photos to calibrate on anew, `size` (width, height) is what nncase compiles. RoundingError if a
    shipped rounding is asked for that cannot be had, PhotoError for photos.
    """
    if name == SHIPPED and folder is not None:
        raise RoundingError(f"quantisation {SHIPPED} and calibration {folder}: give one of the two")
    if name in (None, SHIPPED) and folder is None:
        found = _shipped(name, weights, size, talk)
        if found is not None:
            return Choice(SHIPPED, found.network.pictures, _photos(found), found.network)
    chosen = name or FULL
    pictures = calibration.calibrating(folder, *size, chosen)
    return Choice(chosen, pictures, calibration.description(folder, chosen))


def _shipped(name: str | None, weights: PoseNetWeights, size: tuple[int, int], talk: Talk) -> Shipped | None:
    """What is shipped; None where it cannot be had and nobody asked for it by name."""
    try:
        found = shipped.find(weights)
    except RoundingError as error:
        if name == SHIPPED:
            raise
        talk(f"note: {error}; calibrating instead")
        return None
    if found is not None and found.size == size:
        return found
    if name == SHIPPED:
        other = found and "the shipped rounding is for {}x{}, where every V3 is compiled".format(*found.size)
        reason = other or f"no rounding is shipped for these weights ({weights.origin})"
        raise RoundingError(f"{reason}; leave --quantisation out to calibrate")
    return None


def _photos(found: Shipped) -> Mapping:
    """For the model card: the photos that the shipped rounding was computed on."""
    photos = found.description["photos"]
    return {
        "photos": f"of people, before it was shipped with posenet-maix (recipe {found.description['recipe']})",
        "count": photos["count"],
        "sha256": photos["sha256"],
    }
