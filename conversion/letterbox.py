"""How a photo lies in the network's picture, and the way back: one rule for all who fit, draw or measure.

A photo is scaled without distortion and lies top left; the rest is black. Positions are those of Pillow's resizing,
whose pixels are areas: whole numbers are centres of pixels on both sides, and x + 1/2 is what scales.
"""

from __future__ import annotations

import numpy as np

Size = tuple[int, int]


def fitted_size(photo: Size, picture: Size) -> Size:
    """Width and height that a photo of that width and height takes up in a picture."""
    scale = min(picture[0] / photo[0], picture[1] / photo[1])
    return max(1, round(photo[0] * scale)), max(1, round(photo[1] * scale))


def scaled(keypoints: np.ndarray, factors: float | np.ndarray) -> np.ndarray:
    """Keypoints [..., 3] (x, y, score) of a picture after it was resized by `factors`, float64."""
    result = np.array(keypoints, np.float64)
    result[..., :2] = (result[..., :2] + 0.5) * factors - 0.5
    return result


def to_photo(keypoints: np.ndarray, photo: Size, picture: Size) -> np.ndarray:
    """Keypoints [..., 3] (x, y, score) of a letterboxed picture (width, height) in pixels of the upright photo."""
    return scaled(keypoints, np.divide(photo, fitted_size(photo, picture)))
