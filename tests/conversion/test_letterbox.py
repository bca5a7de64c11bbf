"""The letterbox: from the picture back to the photo, for numbers and for what is drawn."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from conversion import photos
from conversion.letterbox import fitted_size, to_photo

SIDES = st.integers(1, 5000)
PICTURES = st.tuples(st.integers(4, 32), st.integers(4, 16)).map(lambda cells: (16 * cells[0], 16 * cells[1]))


@given(st.tuples(SIDES, SIDES), PICTURES, st.tuples(st.floats(0, 1), st.floats(0, 1)))
def test_back_and_forth_is_the_same_point(
    photo: tuple[int, int], picture: tuple[int, int], place: tuple[float, float]
) -> None:
    """`place` is a share of the photo, whose edges are half a pixel outside of the outermost pixels' centres."""
    inside = np.array(place) * fitted_size(photo, picture) - 0.5
    keypoint = to_photo(np.array([*inside, 0.7]), photo, picture)
    np.testing.assert_allclose(keypoint[:2], np.array(place) * photo - 0.5, atol=1e-6)
    assert keypoint[2] == 0.7


@given(st.tuples(st.integers(1, 300), st.integers(1, 300)), PICTURES)
def test_the_size_is_that_of_the_letterbox(photo: tuple[int, int], picture: tuple[int, int]) -> None:
    white = photos.letterbox(Image.new("RGB", photo, "white"), *picture).all(2)
    assert (white.any(0).sum(), white.any(1).sum()) == fitted_size(photo, picture)


@pytest.mark.parametrize("photo", [(640, 480), (427, 640), (500, 375), (120, 90)])
@pytest.mark.parametrize("centre", [(0.3, 0.6), (0.72, 0.25)])
def test_a_spot_is_found_where_it_was(photo: tuple[int, int], centre: tuple[float, float]) -> None:
    """Pillow itself says where a spot of a photo gets to; half a pixel of the picture would be 1 px of 640x480."""
    width, height = photo
    x, y = centre[0] * width, centre[1] * height
    columns, rows = np.meshgrid(np.arange(width), np.arange(height))
    radius = min(photo) / 20
    spot = 255 * np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / (2 * radius**2))
    picture = photos.letterbox(Image.fromarray(spot.astype(np.uint8)), 320, 240)[..., 0].astype(float)
    at = [(picture.sum(axis) @ np.arange(picture.shape[1 - axis])) / picture.sum() for axis in (0, 1)]
    np.testing.assert_allclose(to_photo(np.array([*at, 1.0]), photo, (320, 240))[:2], (x, y), atol=0.1)
