"""Skeletons as braille dots, two by four in each character of a terminal."""

from __future__ import annotations

import itertools
import operator
from collections.abc import Sequence

import numpy as np
from rich.color import Color
from rich.style import Style
from rich.text import Text

from conversion import network
from conversion.decoding import overlay
from host_tools.serial_link import Pose, units

DOTS_X, DOTS_Y = 2, 4
# 64 of 255 is also what the firmware draws on the LCD (draw_score).
PART_SCORE = 64
# Unicode, "Braille Patterns": the bit of each dot of a character, [row, column].
_BRAILLE = 0x2800
_BITS = np.array([[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]])
_NOBODY = -1
_STYLES = tuple(Style(color=Color.from_rgb(*colour)) for colour in overlay.COLOURS)


def style(person: int) -> Style:
    """The colour of a person, by a number from 0 (the place in the frame, or the id)."""
    return _STYLES[person % len(_STYLES)]


def cells(size: tuple[int, int], columns: int, rows: int) -> tuple[int, int]:
    """The largest number of columns and rows within those given that keeps the shape of a picture of `size`."""
    scale = _scale(size, columns, rows)
    return (
        min(columns, max(1, -int(-size[0] * scale // DOTS_X))),
        min(rows, max(1, -int(-size[1] * scale // DOTS_Y))),
    )


def _scale(size: tuple[int, int], columns: int, rows: int) -> float:
    """Dots per pixel: dots are about square, as a character is about twice as high as wide."""
    return min(columns * DOTS_X / size[0], rows * DOTS_Y / size[1])


def draw(
    poses: Sequence[Pose],
    size: tuple[int, int],
    columns: int,
    rows: int,
    people: Sequence[int] | None = None,
    part_score: int = PART_SCORE,
) -> Text:
    """The poses of a picture of `size` (pixels), as `rows` lines of `columns` characters.

    `people` are the numbers that choose their colours, their places if None. Keypoints below `part_score` (of 255), and
    the lines to them, are left out; so is what lies outside of the picture. The first person is in front.
    """
    dots = np.full((rows * DOTS_Y, columns * DOTS_X), _NOBODY)
    factor = _scale(size, columns, rows) / units.PER_PIXEL
    for place in reversed(range(len(poses))):
        keypoints = np.array(poses[place].keypoints)
        _draw_pose(dots, keypoints[:, :2] * factor, keypoints[:, 2] >= part_score, place)
    return _text(dots, people if people is not None else range(len(poses)))


def _draw_pose(dots: np.ndarray, places: np.ndarray, processed: np.ndarray, person: int) -> None:
    for a, b in network.SKELETON:
        if processed[a] and processed[b]:
            _set(dots, _line(places[a], places[b]), person)
    for place in places[processed]:
        _set(dots, place + np.array([[0, 0], [1, 0], [0, 1], [1, 1]]), person)


def _line(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Points from a to b, at most a dot apart."""
    return np.linspace(a, b, 2 + int(np.abs(b - a).max()))


def _set(dots: np.ndarray, points: np.ndarray, person: int) -> None:
    places = np.floor(points).astype(int)
    inside = ((places >= 0) & (places < dots.shape[::-1])).all(axis=1)
    dots[places[inside, 1], places[inside, 0]] = person


def _text(dots: np.ndarray, people: Sequence[int]) -> Text:
    """Dots as characters; one with dots of several persons has the colour of the one in front."""
    rows, columns = dots.shape[0] // DOTS_Y, dots.shape[1] // DOTS_X
    blocks = dots.reshape(rows, DOTS_Y, columns, DOTS_X).transpose(0, 2, 1, 3)
    patterns = ((blocks != _NOBODY) * _BITS).sum(axis=(2, 3))
    behind_all = len(people)
    in_front = np.where(blocks == _NOBODY, behind_all, blocks).min(axis=(2, 3))
    text = Text(no_wrap=True)
    for row in range(rows):
        text.append("\n" if row else "")
        for person, run in itertools.groupby(zip(in_front[row], patterns[row], strict=True), operator.itemgetter(0)):
            characters = "".join(chr(_BRAILLE + pattern) for _, pattern in run)
            if person == behind_all:
                text.append(" " * len(characters))
            else:
                text.append(characters, style(people[person]))
    return text
