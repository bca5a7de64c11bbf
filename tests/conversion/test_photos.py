"""Photos: the letterbox of the contract, EXIF orientation, and files that are no photos."""

import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from conversion import photos
from conversion.errors import PhotoError


@pytest.mark.parametrize(
    ("photo", "picture", "inside"),
    [((640, 480), (320, 240), (320, 240)), ((512, 512), (320, 240), (240, 240)), ((1000, 100), (320, 240), (320, 32))],
)
def test_a_photo_is_fitted_top_left_and_the_rest_is_black(
    photo: tuple[int, int], picture: tuple[int, int], inside: tuple[int, int]
) -> None:
    fitted = photos.letterbox(Image.new("RGB", photo, (200, 100, 50)), *picture)
    assert fitted.shape == (picture[1], picture[0], 3)
    assert fitted.dtype == np.uint8
    assert (fitted[: inside[1], : inside[0]] == (200, 100, 50)).all()
    assert not fitted[inside[1] :].any()
    assert not fitted[:, inside[0] :].any()


def test_a_photo_a_thousand_times_wider_than_high_keeps_a_row() -> None:
    assert photos.letterbox(Image.new("RGB", (4000, 1), "white"), 320, 240)[0].all()


def test_the_camera_s_orientation_is_applied(tmp_path: Path) -> None:
    lying = Image.new("RGB", (60, 40))
    lying.paste("red", (0, 0, 30, 40))
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90 degrees clockwise
    lying.save(tmp_path / "lying.jpg", exif=exif, quality=95)
    fitted = photos.letterbox(photos.read(tmp_path / "lying.jpg"), 64, 96)
    assert fitted[20, 30, 0] > 200, "what was left is now at the top"
    assert fitted[80, 30, 0] < 50


@pytest.mark.parametrize("mode", ["L", "RGBA", "P", "CMYK", "I;16", "1"])
def test_every_kind_of_picture_becomes_rgb(mode: str) -> None:
    assert photos.letterbox(Image.new(mode, (64, 48)), 64, 64).shape == (64, 64, 3)


def test_sixteen_bits_of_grey_keep_their_range(tmp_path: Path) -> None:
    wide = np.linspace(0, 65535, 64, dtype=np.uint16).reshape(8, 8)
    Image.fromarray(wide).save(tmp_path / "wide.png")
    photo = np.asarray(photos.read(tmp_path / "wide.png"))
    assert photo[0, 0].tolist() == [0, 0, 0]
    assert photo[-1, -1].tolist() == [255, 255, 255]
    assert np.abs(photo[..., 0] - wide / 257).max() <= 0.5
    assert (photos.letterbox(Image.fromarray(wide), 8, 8) == photo).all()


@pytest.mark.parametrize("mode", ["F", "I"])
def test_numbers_without_a_known_white_are_refused(mode: str) -> None:
    with pytest.raises(ValueError, match="of unknown range"):
        photos.letterbox(Image.new(mode, (8, 8), 70000), 8, 8)


@pytest.mark.parametrize("read", [photos.read, photos.animation])
def test_a_picture_that_is_too_large_shall_be_made_smaller(read: Callable, tmp_path: Path) -> None:
    Image.new("L", (13000, 13000)).save(tmp_path / "large.png")
    with warnings.catch_warnings():
        # Pillow's own remark on it would stand before the one line.
        warnings.simplefilter("error")
        with pytest.raises(PhotoError, match=r"large.png: too large \(13000x13000 pixels.*make it smaller"):
            read(tmp_path / "large.png")


def test_a_format_that_is_not_read_is_named(tmp_path: Path) -> None:
    Image.new("F", (64, 48)).save(tmp_path / "floats.tif")
    with pytest.raises(
        PhotoError, match=r"floats.tif: not a readable photo \(it is none of JPEG, PNG, WEBP, GIF, BMP\)"
    ):
        photos.read(tmp_path / "floats.tif")


def test_planes_are_channels_first() -> None:
    picture = np.arange(2 * 4 * 3, dtype=np.uint8).reshape(2, 4, 3)
    assert (photos.planes(picture)[1] == picture[..., 1]).all()
    assert photos.planes(picture[None]).shape == (1, 3, 2, 4)
    assert photos.planes(picture).flags.c_contiguous


@pytest.mark.parametrize("content", [b"", b"not a photo", b"\xff\xd8\xff\xe0" + bytes(50)])
def test_a_file_that_is_no_photo_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "photo.jpg"
    path.write_bytes(content)
    with pytest.raises(PhotoError, match=r"photo.jpg: not a readable photo"):
        photos.read(path)


def test_a_photo_cut_off_is_named(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (200, 200, 3), np.uint8)
    Image.fromarray(noise).save(tmp_path / "whole.jpg")
    (tmp_path / "cut.jpg").write_bytes((tmp_path / "whole.jpg").read_bytes()[:3000])
    with pytest.raises(PhotoError, match=r"cut.jpg: not a readable photo"):
        photos.read(tmp_path / "cut.jpg")


def test_a_missing_photo_and_an_absurdly_large_one_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(PhotoError, match="no such photo"):
        photos.read(tmp_path / "absent.png")
    Image.new("L", (300, 300)).save(tmp_path / "large.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    with pytest.raises(PhotoError, match=r"large.png"):
        photos.read(tmp_path / "large.png")


def test_a_folder_gives_its_photos_by_name(tmp_path: Path) -> None:
    for name in ("b.png", "a.JPG", "c.txt"):
        (tmp_path / name).write_bytes(b"")
    assert [path.name for path in photos.in_folder(tmp_path)] == ["a.JPG", "b.png"]


def test_a_folder_without_photos_and_no_folder_at_all_are_named(tmp_path: Path) -> None:
    with pytest.raises(PhotoError, match="no photos in this folder"):
        photos.in_folder(tmp_path)
    with pytest.raises(PhotoError, match="cannot be read as a folder"):
        photos.in_folder(tmp_path / "absent")
