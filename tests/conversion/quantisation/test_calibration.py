"""The pictures that calibrate: many from few photos, the same every time, and one clear line for what is no photo."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from conversion import photos
from conversion.errors import PhotoError
from conversion.quantisation import calibration, views
from tests.conversion.quantisation import small

SIZE = (64, 48)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Ten photos, told apart by their colour."""
    for number in range(10):
        Image.new("RGB", (90, 60), (25 * number, 40, 200)).save(tmp_path / f"{number}.png")
    return tmp_path


@pytest.mark.soak
def test_the_bundled_photos_make_many_different_pictures() -> None:
    pictures = calibration.bundled(*small.SIZE)
    assert pictures.shape == (246, 64, 64, 3)
    assert pictures.dtype == np.uint8
    assert len({picture.tobytes() for picture in pictures}) == 246
    assert (pictures[0] == photos.letterbox(photos.bundled("astronaut.png"), *small.SIZE)).all()


@pytest.mark.soak
def test_they_are_the_same_every_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = calibration.bundled(*small.SIZE)
    monkeypatch.setenv("POSENET_MAIX_CACHE", str(tmp_path))
    assert (calibration.bundled(*small.SIZE) == first).all()


def test_a_folder_s_photos_come_first_as_they_are_and_views_make_up_for_their_number(folder: Path) -> None:
    pictures = calibration.from_folder(folder, *SIZE, 128)
    assert pictures.shape == (112 + 80, 48, 64, 3)
    for number in range(10):
        expected = photos.letterbox(photos.read(folder / f"{number}.png"), *SIZE)
        assert (pictures[number] == expected).all()
    assert (calibration.from_folder(folder, *SIZE, 128) == pictures).all()


def test_of_many_photos_evenly_chosen_ones_are_taken(folder: Path) -> None:
    pictures = calibration.from_folder(folder, *SIZE, 5)
    assert [int(picture[0, 0, 0]) for picture in pictures[:5]] == [0, 50, 100, 150, 200]


def test_photos_as_they_are_number_no_more_than_asked(folder: Path) -> None:
    assert len(calibration.calibrating(folder, *SIZE, "fast")) == 10
    assert len(calibration.pictures(folder, *SIZE, 4)) == 4
    assert len(calibration.pictures(None, *SIZE, 4)) == 4


def test_a_damaged_photo_is_named(folder: Path) -> None:
    (folder / "5.png").write_bytes(b"\x89PNG\r\n\x1a\n and no more")
    with pytest.raises(PhotoError, match=r"5\.png: not a readable photo"):
        calibration.from_folder(folder, *SIZE, 128)


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PhotoError, match="no photos in this folder"):
        calibration.from_folder(tmp_path, *SIZE, 128)


@pytest.mark.parametrize("size", [(1, 1), (3, 400), (2000, 8)])
def test_photos_of_any_shape_have_views(size: tuple[int, int]) -> None:
    random = np.random.default_rng(0)
    photo = Image.new("L", size, 200)
    for _ in range(20):
        assert views.view(photo, random, *SIZE).shape == (48, 64, 3)
        assert views.collage([photo], [photo], random, *SIZE).shape == (48, 64, 3)
