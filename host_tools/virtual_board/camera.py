"""What the camera looks at: a photo, a folder of photos, an animation, or a photo that it pans and zooms over."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Protocol

import numpy as np
from PIL import Image

from conversion import photos
from conversion.card import turned
from host_tools.errors import BoardError

# A pan over a photo: frames until it begins anew, and how much of the photo is seen at least.
PAN_FRAMES = 120
PAN_LEAST = 0.6
_KEPT_FRAMES = 8


class Scene(Protocol):
    """Something to look at."""

    def picture(self, number: int, width: int, height: int) -> np.ndarray:
        """Frame `number` (from 0) as uint8 [height, width, 3] RGB."""


class Photo:
    """One photo, always the same: fitted into the frame, top left, the rest black."""

    def __init__(self, photo: Image.Image) -> None:
        self._photo = photo
        self._fitted = lru_cache(_KEPT_FRAMES)(lambda width, height: photos.letterbox(photo, width, height))

    def picture(self, number: int, width: int, height: int) -> np.ndarray:
        return self._fitted(width, height)


class Folder:
    """The photos of a folder by name, one a frame, again and again."""

    def __init__(self, folder: Path) -> None:
        self._paths = photos.in_folder(folder)
        self._scene = lru_cache(_KEPT_FRAMES)(lambda path: Photo(photos.read(path)))

    def picture(self, number: int, width: int, height: int) -> np.ndarray:
        return self._scene(self._paths[number % len(self._paths)]).picture(number, width, height)


class Animation:
    """The frames of an animated GIF, PNG or WebP, again and again."""

    def __init__(self, animation: Image.Image) -> None:
        self._animation = animation

    def picture(self, number: int, width: int, height: int) -> np.ndarray:
        return photos.letterbox(photos.frame(self._animation, number), width, height)


class PanAndZoom:
    """A camera that wanders over a photo: the frame is always full, the picture upright and undistorted."""

    def __init__(self, photo: Image.Image) -> None:
        self._photo = photos.upright(photo)

    def picture(self, number: int, width: int, height: int) -> np.ndarray:
        angle = 2 * math.pi * number / PAN_FRAMES
        zoom = 1 - (1 - PAN_LEAST) * (0.5 - 0.5 * math.cos(angle))
        full = min(self._photo.width / width, self._photo.height / height)
        seen = full * width * zoom, full * height * zoom
        left = (self._photo.width - seen[0]) * (0.5 + 0.5 * math.sin(angle))
        top = (self._photo.height - seen[1]) * (0.5 - 0.5 * math.cos(2 * angle)) * 0.5
        box = (left, top, left + seen[0], top + seen[1])
        return np.asarray(self._photo.resize((width, height), Image.Resampling.BILINEAR, box))


class Lying:
    """A scene as a camera puts it into memory that is turned by 90 degrees and mirrored in one axis: rows and columns
    exchanged, which is what a turned kmodel is made for."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene

    def picture(self, number: int, width: int, height: int) -> np.ndarray:
        return np.ascontiguousarray(self._scene.picture(number, height, width).swapaxes(0, 1))


def mounted(scene: Scene, card: Mapping) -> Scene:
    """The scene before a camera that is mounted as the kmodel of this (device) card wants it."""
    return Lying(scene) if turned(card) else scene


def look_at(path: Path) -> Scene:
    """The scene that a photo, an animation or a folder gives; BoardError or PhotoError says what to give instead."""
    if path.is_dir():
        return Folder(path)
    if path.suffix.lower() in photos.VIDEOS:
        raise BoardError(f"{path}: {photos.VIDEO_ADVICE.format(path.name)}")
    if not path.is_file():
        raise BoardError(f"{path}: no such photo or folder to point the camera at")
    photo = photos.read(path)
    # Its frames are read when their turn comes, so the file stays open.
    animation = photos.animation(path)
    return Photo(photo) if animation is None else Animation(animation)
