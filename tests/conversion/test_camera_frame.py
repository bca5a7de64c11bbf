"""A photo as a VGA frame, and the board's warp, against the C code's arithmetic written down pixel by pixel."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from conversion import camera_frame, photos
from conversion.decoding.board_zoom import pose_view


def test_a_photo_lies_top_left_and_the_rest_is_black() -> None:
    planes = camera_frame.of_photo(Image.new("RGB", (300, 480), (200, 100, 50)))
    assert (planes.shape, planes.dtype) == ((3, 480, 640), np.uint8)
    assert (planes[:, :, :300] == np.array([200, 100, 50])[:, None, None]).all()
    assert not planes[:, :, 300:].any()


def test_the_full_window_at_320x240_is_the_mean_of_2x2() -> None:
    frame = camera_frame.of_photo(photos.bundled(photos.SAMPLE))
    view = pose_view.View(320, 240)
    wide = frame.astype(int)
    mean = (wide[:, ::2, ::2] + wide[:, 1::2, ::2] + wide[:, ::2, 1::2] + wide[:, 1::2, 1::2]) // 4
    assert (camera_frame.warp(frame, view.full, (320, 240)) == mean).all()


def test_a_window_of_the_frame_s_own_pixels_is_a_piece_of_it() -> None:
    frame = camera_frame.of_photo(photos.bundled(photos.SAMPLE))
    piece = camera_frame.warp(frame, (100 * 256, 50 * 256, 256), (320, 240))
    assert (piece == frame[:, 50:290, 100:420]).all()


@given(
    seed=st.integers(0, 1 << 32),
    window=st.tuples(st.integers(-3000, 3000), st.integers(-3000, 3000), st.integers(60, 900)),
)
def test_every_pixel_is_what_the_c_code_computes(seed: int, window: tuple[int, int, int]) -> None:
    planes = np.random.default_rng(seed).integers(0, 256, (2, 7, 9), dtype=np.uint8)
    made = camera_frame.warp(planes, window, (5, 4))
    x0, y0, step = window
    for channel, i, j in np.ndindex(made.shape):
        # The matrix is exact in single precision, so that its sums are these integers.
        x, y = x0 + step * j, y0 + step * i
        ix, iy = x >> 8, y >> 8
        value = 0
        if 0 <= ix < 9 and 0 <= iy < 7:
            around = {
                (dy, dx): int(planes[channel, iy + dy, ix + dx]) if iy + dy < 7 and ix + dx < 9 else 0
                for dy in (0, 1)
                for dx in (0, 1)
            }
            u, v = x & 255, y & 255
            top = (256 - u) * around[0, 0] + u * around[0, 1]
            bottom = (256 - u) * around[1, 0] + u * around[1, 1]
            value = (256 - v) * top + v * bottom >> 16
        assert made[channel, i, j] == value


@pytest.mark.parametrize("window", [(-(1 << 20), 0, 256), (1 << 20, 0, 256)])
def test_outside_of_the_frame_is_black(window: tuple[int, int, int]) -> None:
    assert not camera_frame.warp(np.full((3, 20, 30), 255, np.uint8), window, (16, 16)).any()
