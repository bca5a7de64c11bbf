"""The photos that calibrate and measure a conversion: a user's folder, or those that scikit-image ships."""

from __future__ import annotations

import io
import itertools
from pathlib import Path

import numpy as np

from conversion import photos
from conversion.keeping import kept
from conversion.quantisation import views

# What scikit-image ships: two photos with a person, everyday scenes, and patterns. How often each is varied when the
# weights are rounded, and how many collages there are besides. Without the patterns behind the people, every head
# loses 1 dB on other photos.
PEOPLE = ("astronaut.png", "camera.png")
SCENES = ("chelsea.png", "coffee.png", "rocket.jpg", "motorcycle_left.png")
PATTERNS = (
    "brick.png", "grass.png", "gravel.png", "coins.png", "moon.png", "hubble_deep_field.jpg", "ihc.png", "retina.jpg",
    "page.png", "clock_motion.png", "color.png", "text.png",
)  # fmt: skip
_VIEWS = ((PEOPLE, 60), (SCENES, 10))
_COLLAGES = 80
_SEED = 1
# Of a user's folder: nncase only takes ranges from photos, our rounding learns from them, and from views of them where
# they are few.
MOST_PHOTOS = {"full": 192, "fast": 16}
_ENOUGH_PICTURES = 192


def calibrating(folder: Path | None, width: int, height: int, quantisation: str) -> np.ndarray:
    """Pictures to calibrate on, uint8 [N, height, width, 3]: those of a folder's photos, else of scikit-image's.

    For "fast" quantisation 16 photos at most; for "full" `bundled` or `from_folder`. PhotoError names what fails.
    """
    if quantisation == "fast":
        return pictures(folder, width, height, MOST_PHOTOS[quantisation])
    if folder is None:
        return bundled(width, height)
    return from_folder(folder, width, height, MOST_PHOTOS[quantisation])


def bundled(width: int, height: int) -> np.ndarray:
    """Scikit-image's photos, many views of them and collages, the same every time: uint8 [N, height, width, 3].

    Drawing them takes seconds: they are kept.
    """
    return kept("calibration", _bundled, width, height, read=lambda data: _drawn(data, width, height))


def _drawn(data: bytes, width: int, height: int) -> np.ndarray:
    """The pictures that `_bundled` has drawn; ValueError for anything else."""
    found = np.load(io.BytesIO(data))
    if not isinstance(found, np.ndarray) or found.dtype != np.uint8 or found.shape[1:] != (height, width, 3):
        raise ValueError("other pictures")
    return found


def _bundled(width: int, height: int) -> bytes:
    """`bundled` as a .npy file."""
    random = np.random.default_rng(_SEED)
    loaded = {name: photos.bundled(name) for name in PEOPLE + SCENES + PATTERNS}
    whole = [photos.letterbox(loaded[name], width, height) for name in PEOPLE + SCENES]
    varied = [
        views.view(loaded[name], random, width, height)
        for names, times in _VIEWS
        for name in names
        for _ in range(times)
    ]
    # People twice as often as scenes: a collage is where they stand beside and in front of other things.
    insets = [loaded[name] for name in PEOPLE + PEOPLE + SCENES]
    collages = [views.collage(list(loaded.values()), insets, random, width, height) for _ in range(_COLLAGES)]
    packed = io.BytesIO()
    np.save(packed, np.stack(whole + varied + collages))
    return packed.getvalue()


def from_folder(folder: Path, width: int, height: int, limit: int, enough: int = _ENOUGH_PICTURES) -> np.ndarray:
    """Up to `limit` photos of a folder, evenly chosen, and views of them in turn until there are `enough` pictures.

    uint8 [N, height, width, 3], the photos as they are first. PhotoError names what fails.
    """
    random = np.random.default_rng(_SEED)
    chosen = _chosen(folder, limit)
    result = [photos.letterbox(photos.read(path), width, height) for path in chosen]
    for path in itertools.islice(itertools.cycle(chosen), max(0, enough - len(chosen))):
        result.append(views.view(photos.read(path), random, width, height))
    return np.stack(result)


def pictures(folder: Path | None, width: int, height: int, limit: int) -> np.ndarray:
    """Up to `limit` photos as they are, evenly chosen: uint8 [N, height, width, 3]. PhotoError names what fails."""
    if folder is None:
        return np.stack([photos.letterbox(photos.bundled(name), width, height) for name in (PEOPLE + SCENES)[:limit]])
    return np.stack([photos.letterbox(photos.read(path), width, height) for path in _chosen(folder, limit)])


def description(folder: Path | None, quantisation: str) -> dict:
    """For the model card: which photos, and how many."""
    if folder is None:
        source = "bundled with scikit-image" + (", varied" if quantisation == "full" else "")
        return {"photos": source, "count": len(PEOPLE + SCENES)}
    return {"photos": "a folder of the user's", "count": len(_chosen(folder, MOST_PHOTOS[quantisation]))}


def _chosen(folder: Path, limit: int) -> list[Path]:
    found = photos.in_folder(folder)
    count = min(limit, len(found))
    return [found[index * len(found) // count] for index in range(count)]
