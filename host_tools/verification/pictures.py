"""What the KPU may have been given instead of the picture: the slips that camera buffers and byte orders invite."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import permutations

import numpy as np

from conversion.test_card import draw, planes_of

Planes = Callable[[], np.ndarray]
_COLOURS = ("red", "green", "blue")


def slips(words: np.ndarray) -> Iterator[tuple[str, Planes]]:
    """(what happened, planes uint8 [3, H, W]) for each way of getting RGB565 words, uint16 [H, W], wrong.

    The likely ones come first.
    """
    yield "the two bytes of each pixel are swapped", lambda: planes_of(words.byteswap())
    yield "red and blue are swapped", lambda: _planes(words)[[2, 1, 0]]
    yield (
        "the two bytes of each pixel are swapped, and red and blue as well",
        lambda: planes_of(words.byteswap())[[2, 1, 0]],
    )
    yield "the KPU got an empty (black) picture: pix_to_ai() did not fill its planes", lambda: _planes(words) * 0
    yield "the KPU got the test card: pix_to_ai() did not fill its planes", lambda: draw(*words.shape[::-1])
    yield "neighbouring pixels are swapped in pairs", lambda: planes_of(_pairs_swapped(words))
    yield from _turned(words)
    yield from _shifted(words)
    yield from _widened(words)
    for order in list(permutations(range(3)))[1:]:
        if order != (2, 1, 0):
            names = ", ".join(_COLOURS[colour] for colour in order)
            yield f"the planes come in the order {names}", lambda order=order: _planes(words)[list(order)]
    yield "the planes are negative (255 - value)", lambda: 255 - _planes(words)
    yield "the planes are signed (value - 128)", lambda: _planes(words) ^ 0x80


def _planes(words: np.ndarray) -> np.ndarray:
    return planes_of(words)


def _pairs_swapped(words: np.ndarray) -> np.ndarray:
    return words.reshape(-1, 2)[:, ::-1].reshape(words.shape)


def _turned(words: np.ndarray) -> Iterator[tuple[str, Planes]]:
    yield "the picture is mirrored", lambda: planes_of(words[:, ::-1])
    yield "the picture is upside down", lambda: planes_of(words[::-1])
    yield "the picture is turned by half", lambda: planes_of(words[::-1, ::-1])


def _shifted(words: np.ndarray) -> Iterator[tuple[str, Planes]]:
    """By a byte, a pixel, a row; what comes in at the edge is what went out at the other, or zero."""
    stored = words.astype(">u2").tobytes()
    row = 2 * words.shape[1]
    for name, distance in (("row", row), ("pixel", 2), ("byte", 1)):
        for direction, by in (("later", distance), ("earlier", -distance)):
            rolled = stored[-by:] + stored[:-by]
            empty = bytes(distance)
            filled = empty + stored[:-distance] if by > 0 else stored[distance:] + empty
            text = f"the pixels lie one {name} {direction} in the buffer"
            yield text, lambda data=rolled: _planes_of_bytes(data, words.shape)
            yield f"{text}, with zeros at the edge", lambda data=filled: _planes_of_bytes(data, words.shape)


def _planes_of_bytes(stored: bytes, shape: tuple[int, ...]) -> np.ndarray:
    return planes_of(np.frombuffer(stored, ">u2").reshape(shape).astype(np.uint16))


def _widened(words: np.ndarray) -> Iterator[tuple[str, Planes]]:
    """Other ways to make 8 bits of five and six."""
    wide = words.astype(np.uint32)
    channels = wide >> 11, wide >> 5 & 63, wide & 31
    bits = 5, 6, 5

    def padded() -> np.ndarray:
        return np.stack([value << 8 - count for value, count in zip(channels, bits, strict=True)]).astype(np.uint8)

    def repeated() -> np.ndarray:
        pairs = zip(channels, bits, strict=True)
        return np.stack([value << 8 - count | value >> 2 * count - 8 for value, count in pairs]).astype(np.uint8)

    yield "pix_to_ai() widens colours by zero bits, not as this firmware should", padded
    yield "pix_to_ai() widens colours by repeating bits, not as this firmware should", repeated
