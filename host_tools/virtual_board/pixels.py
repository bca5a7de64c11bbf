"""RGB565 as MaixPy stores it: red's five bits, green's six, blue's five, the byte with red first."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

from conversion.test_card import planes_of

STORED = np.dtype(">u2")


def to_words(rgb: np.ndarray) -> np.ndarray:
    """uint8 [H, W, 3] as RGB565 words, uint16 [H, W]: the top bits of each colour."""
    wide = rgb.astype(np.uint16)
    return (wide[..., 0] >> 3) << 11 | (wide[..., 1] >> 2) << 5 | wide[..., 2] >> 3


def to_rgb(words: np.ndarray) -> np.ndarray:
    """RGB565 words, [H, W], as uint8 [H, W, 3]."""
    return np.ascontiguousarray(planes_of(words).transpose(1, 2, 0))


def stored(words: np.ndarray) -> bytes:
    """Words as the bytes of an image."""
    return words.astype(STORED).tobytes()


def words_of(data: bytes, width: int, height: int) -> np.ndarray:
    """An image's bytes as words, uint16 [H, W]."""
    return np.frombuffer(data, STORED, width * height).reshape(height, width).astype(np.uint16)


def encode(words: np.ndarray, kind: str, **options: int) -> bytes:
    """An image file of Pillow's format `kind`."""
    memory = io.BytesIO()
    Image.fromarray(to_rgb(words)).save(memory, kind, **options)
    return memory.getvalue()


def png(rgb: np.ndarray) -> bytes:
    """uint8 [H, W, 3] as a PNG."""
    memory = io.BytesIO()
    Image.fromarray(rgb).save(memory, "PNG")
    return memory.getvalue()
