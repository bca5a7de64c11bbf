"""Back from the letterboxed picture to the photo: keypoints as the annotations have them."""

from __future__ import annotations

import numpy as np

Size = tuple[int, int]


def fitted_size(photo: Size, picture: Size) -> Size:
    """Width and height that a photo takes up in the picture that `photos.letterbox` makes of it."""
    scale = min(picture[0] / photo[0], picture[1] / photo[1])
    return max(1, round(photo[0] * scale)), max(1, round(photo[1] * scale))


def to_photo(keypoints: np.ndarray, photo: Size, picture: Size) -> np.ndarray:
    """Keypoints [..., 3] (x, y, score) of a picture (width, height) in pixels of the upright photo; any floats.

    The inverse of Pillow's resizing, whose pixels are areas: x + 1/2 scales. Whole numbers are centres of pixels on
    both sides.
    """
    scale = np.divide(photo, fitted_size(photo, picture))
    result = np.array(keypoints, np.float64)
    result[..., :2] = (result[..., :2] + 0.5) * scale - 0.5
    return result
