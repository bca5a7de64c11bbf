"""Skeletons drawn on photos, and pictures side by side with captions, for reports and for `simulate --overlay`."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from conversion import letterbox, network
from conversion.decoding.pose import Pose
from conversion.letterbox import Size

# One colour a person, told apart on skin, grass and sky, and by most colour-blind readers.
COLOURS = ((255, 196, 0), (0, 190, 255), (255, 92, 92), (64, 224, 128), (214, 130, 255), (255, 150, 60))
OUTLINE = (16, 16, 16)
PAPER = (24, 26, 30)
INK = (240, 240, 240)
LABEL_INK = (10, 10, 10)
PART_SCORE = 0.5
LABEL_ABOVE = 1.4

# Shapes are drawn so many times larger and scaled down, which smooths their edges; less for photos that would take
# too much memory.
_SMOOTHING = 4
_LARGEST_CANVAS = 24_000_000


def skeletons(
    photo: Image.Image, poses: Sequence[Pose], picture: Size | None = None, part_score: float = PART_SCORE
) -> Image.Image:
    """A copy of `photo` (RGB) with every pose drawn on it: lines, joints, and the pose's score above its head.

    `picture` is the size (width, height) of the picture that the photo was letterboxed into and the poses were found
    in; None if they are in pixels of the photo. Parts below `part_score` are left out, and the lines to them.
    """
    if picture is not None:
        poses = [Pose(pose.score, letterbox.to_photo(pose.keypoints, photo.size, picture)) for pose in poses]
    factor = _smoothing(photo.size)
    canvas = Image.new("RGBA", (photo.width * factor, photo.height * factor))
    drawing = ImageDraw.Draw(canvas)
    width = _line_width(photo.size) * factor
    people = list(zip(poses, (COLOURS[n % len(COLOURS)] for n in range(len(poses))), strict=True))
    for pose, colour in reversed(people):
        _draw_pose(drawing, letterbox.scaled(pose.keypoints, factor), part_score, colour, width)
    smooth = canvas.resize(photo.size, Image.Resampling.BOX)
    result = Image.alpha_composite(photo.convert("RGBA"), smooth)
    labels = ImageDraw.Draw(result)
    for pose, colour in reversed(people):
        _draw_label(labels, pose, part_score, colour, result.size)
    return result.convert("RGB")


def side_by_side(pictures: Sequence[tuple[str, Image.Image]], height: int = 360) -> Image.Image:
    """(caption, picture) pairs in a row, each `height` pixels high, captions below, on dark paper."""
    gap = 12
    font = ImageFont.load_default(size=18)
    fitted = [(caption, _fitted(picture, height, font, caption)) for caption, picture in pictures]
    total = sum(picture.width + gap for _, picture in fitted) + gap
    row = Image.new("RGB", (total, height + 2 * gap + 30), PAPER)
    drawing = ImageDraw.Draw(row)
    left = gap
    for caption, picture in fitted:
        row.paste(picture, (left, gap))
        drawing.text((left + picture.width / 2, gap + height + 20), caption, INK, font, anchor="mm")
        left += picture.width + gap
    return row


def _fitted(picture: Image.Image, height: int, font: ImageFont.FreeTypeFont, caption: str) -> Image.Image:
    """The picture at that height, on paper as wide as its caption needs."""
    scaled = picture.convert("RGB").resize(
        (max(1, round(picture.width * height / picture.height)), height), Image.Resampling.LANCZOS
    )
    width = max(scaled.width, math.ceil(font.getlength(caption)))
    paper = Image.new("RGB", (width, height), PAPER)
    paper.paste(scaled, ((width - scaled.width) // 2, 0))
    return paper


def _smoothing(size: tuple[int, int]) -> int:
    return max(1, min(_SMOOTHING, math.isqrt(_LARGEST_CANVAS // (size[0] * size[1]))))


def _line_width(size: tuple[int, int]) -> float:
    return max(2.0, min(size) / 90)


def _draw_pose(
    drawing: ImageDraw.ImageDraw, keypoints: np.ndarray, part_score: float, colour: tuple[int, int, int], width: float
) -> None:
    """Lines with a dark edge, then joints on top; `keypoints` and `width` in pixels of the drawing."""
    seen = keypoints[:, 2] >= part_score
    lines = [(tuple(keypoints[a, :2]), tuple(keypoints[b, :2])) for a, b in network.SKELETON if seen[a] and seen[b]]
    for ink, extra in ((OUTLINE, 0.7), (colour, 0.0)):
        for line in lines:
            drawing.line(line, (*ink, 255), round(width * (1 + extra)))
    for x, y, _ in keypoints[seen]:
        for ink, radius in ((OUTLINE, 1.25), (colour, 0.95), ((255, 255, 255), 0.45)):
            drawing.circle((x, y), width * radius, (*ink, 255))


def _draw_label(
    drawing: ImageDraw.ImageDraw, pose: Pose, part_score: float, colour: tuple[int, int, int], size: tuple[int, int]
) -> None:
    """The score in a box above the topmost part seen, moved into the picture where it would stick out."""
    seen = pose.keypoints[pose.keypoints[:, 2] >= part_score]
    if not len(seen):
        return
    font = ImageFont.load_default(size=max(11, min(size) // 22))
    text = f"{pose.score:.2f}"
    x, y, _ = seen[np.argmin(seen[:, 1])]
    y -= LABEL_ABOVE * font.size
    left, top, right, bottom = drawing.textbbox((x, y), text, font, anchor="mm")
    margin = font.size / 4
    dx = _inside(left - margin, right + margin, size[0])
    dy = _inside(top - margin, bottom + margin, size[1])
    box = (left - margin + dx, top - margin + dy, right + margin + dx, bottom + margin + dy)
    drawing.rounded_rectangle(box, margin, colour, OUTLINE)
    drawing.text((x + dx, y + dy), text, LABEL_INK, font, anchor="mm")


def _inside(low: float, high: float, limit: int) -> float:
    """By how much an interval must move to lie in 0..limit - 1."""
    return max(0.0, -low) - max(0.0, high - (limit - 1))
