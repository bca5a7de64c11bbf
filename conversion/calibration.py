"""The photos that calibrate and measure a conversion: a user's folder, or those that scikit-image ships."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from conversion import photos

# Two with a person in them, then everyday scenes: plain quantisation needs the range of values, not many people.
BUNDLED = ("astronaut.png", "camera.png", "chelsea.png", "coffee.png", "rocket.jpg")


def pictures(folder: Path | None, width: int, height: int, limit: int) -> np.ndarray:
    """Up to `limit` photos, evenly chosen, letterboxed: uint8 [N, height, width, 3]. PhotoError names what fails."""
    return np.stack([photos.letterbox(photo, width, height) for photo in _chosen(folder, limit)])


def _chosen(folder: Path | None, limit: int) -> list[Image.Image]:
    if folder is None:
        return [photos.bundled(name) for name in BUNDLED[:limit]]
    found = photos.in_folder(folder)
    return (
        [photos.read(found[index * len(found) // limit]) for index in range(limit)]
        if len(found) > limit
        else [photos.read(path) for path in found]
    )


def description(folder: Path | None, limit: int) -> dict:
    """For the model card: which photos."""
    if folder is None:
        return {"photos": "bundled with scikit-image", "count": min(limit, len(BUNDLED))}
    return {"photos": "a folder of the user's", "count": min(limit, len(photos.in_folder(folder)))}
