"""Many different pictures from few photos: cut out, mirrored, turned, relit, put side by side. The same every time."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageOps

from conversion import photos

# A view shows at least this share of a photo's width and height; a third of them is cut to another shape.
_LEAST_SHARE = 0.35
_RESHAPED = 0.3
_TURN_DEGREES = 15.0
# Light: gamma between e^-0.25 and e^0.25, exposure, and a cast of each colour.
_GAMMA = 0.25
_EXPOSURE = (0.8, 1.1)
_CAST = 0.05
# A collage puts this many smaller views, of this size of the picture, onto another.
_INSETS = (2, 4)
_INSET_SHARE = (0.3, 0.8)


def view(photo: Image.Image, random: np.random.Generator, width: int, height: int) -> np.ndarray:
    """One view of a photo, letterboxed: uint8 [height, width, 3]."""
    turn = float(random.uniform(-_TURN_DEGREES, _TURN_DEGREES))
    picture = _cut_out(photos.upright(photo).rotate(turn, Image.Resampling.BILINEAR), random)
    if random.random() < 0.5:
        picture = ImageOps.mirror(picture)
    light = photos.letterbox(picture, width, height) / 255.0
    light = light ** np.exp(random.uniform(-_GAMMA, _GAMMA)) * random.uniform(*_EXPOSURE)
    light *= 1 + random.uniform(-_CAST, _CAST, 3)
    return np.clip(np.rint(light * 255), 0, 255).astype(np.uint8)


def _cut_out(photo: Image.Image, random: np.random.Generator) -> Image.Image:
    share = random.uniform(_LEAST_SHARE, 1.0)
    other = random.uniform(_LEAST_SHARE, 1.0) if random.random() < _RESHAPED else share
    width, height = max(1, int(photo.width * share)), max(1, int(photo.height * other))
    left, top = (int(random.integers(0, rest + 1)) for rest in (photo.width - width, photo.height - height))
    return photo.crop((left, top, left + width, top + height))


def collage(
    grounds: Sequence[Image.Image], insets: Sequence[Image.Image], random: np.random.Generator, width: int, height: int
) -> np.ndarray:
    """A view of one photo with smaller views of others on it, some over its edge: uint8 [height, width, 3]."""
    picture = Image.fromarray(view(grounds[random.integers(len(grounds))], random, width, height))
    for _ in range(random.integers(*_INSETS)):
        share = random.uniform(*_INSET_SHARE)
        size = (max(16, int(width * share)), max(16, int(height * share)))
        inset = Image.fromarray(view(insets[random.integers(len(insets))], random, *size))
        left = int(random.integers(-inset.width // 3, width - inset.width // 2))
        top = int(random.integers(-inset.height // 3, height - inset.height // 2))
        picture.paste(inset, (left, top))
    return np.asarray(picture)
