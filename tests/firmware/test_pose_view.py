"""Windows of the frame: always in it, large enough for who is in them, and where things lie in them."""

from __future__ import annotations

from array import array
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversion.decoding.board_zoom import pose_view

FRAME = (640, 480)
SIZES = ((320, 240), (256, 192), (224, 224), (384, 256))
views = st.sampled_from(SIZES).map(lambda size: (size, pose_view.View(*size)))
PIXEL = 256


@st.composite
def boxes(draw: st.DrawFn) -> tuple[int, int, int, int]:
    """Of keypoints: partly outside, where they like to be."""
    left, top = draw(st.integers(-50 * PIXEL, 690 * PIXEL)), draw(st.integers(-50 * PIXEL, 530 * PIXEL))
    return left, top, left + draw(st.integers(0, 700 * PIXEL)), top + draw(st.integers(0, 550 * PIXEL))


def chosen(view: pose_view.View, box: tuple[int, int, int, int]) -> array:
    window = array("i", [0, 0, 0])
    view.choose(*box, window)
    return window


def samples(window: array, size: tuple[int, int], axis: int) -> list[int]:
    """Where the network's pixels lie in the frame, along x (0) or y (1)."""
    return [window[axis] + window[2] * n for n in range(size[axis])]


@pytest.mark.parametrize(
    ("size", "full", "fitted"),
    [
        ((320, 240), [128, 128, 512], (320, 240)),
        ((256, 192), [192, 192, 640], (256, 192)),
        ((224, 224), [238, 238, 732], (224, 168)),
        ((384, 256), [160, 112, 480], (341, 256)),
    ],
)
def test_the_full_window_shows_the_whole_frame(size: tuple[int, int], full: list[int], fitted: tuple[int, int]) -> None:
    """At 320x240 each of its pixels is the mean of 2x2 of the frame's."""
    view = pose_view.View(*size)
    assert (list(view.full), (view.width, view.height)) == (full, fitted)
    assert view.is_full(view.full)
    for axis in (0, 1):
        inside = [at for at in samples(view.full, size, axis) if at < FRAME[axis] * PIXEL]
        assert len(inside) == fitted[axis]
        # Its first and last pixels begin and end less than two of the frame's pixels from the frame's ends.
        assert inside[0] - full[2] // 2 + PIXEL // 2 < 2 * PIXEL
        assert FRAME[axis] * PIXEL - (inside[-1] + full[2] // 2 + PIXEL // 2) < 2 * PIXEL


@given(views, boxes())
def test_no_sample_is_one_that_the_warp_mixes_with_other_memory(
    view: tuple[tuple[int, int], pose_view.View], box: tuple[int, int, int, int]
) -> None:
    """It reads the right and the lower neighbour of every pixel in the frame, and the last ones have none."""
    size, view = view
    for window in (view.full, chosen(view, box)):
        for axis in (0, 1):
            at = samples(window, size, axis)
            assert at[0] >= 0
            assert not [x for x in at if (FRAME[axis] - 1) * PIXEL <= x < FRAME[axis] * PIXEL]


@given(views, boxes())
def test_a_window_lies_in_the_frame_and_is_worth_having(
    view: tuple[tuple[int, int], pose_view.View], box: tuple[int, int, int, int]
) -> None:
    size, view = view
    window = chosen(view, box)
    if view.is_full(window):
        needed = max(Fraction(333, 256) * (box[2 + axis] - box[axis]) / size[axis] for axis in (0, 1))
        assert needed >= view.full[2] * 7 // 8
        return
    assert 128 <= window[2] <= view.full[2] * 7 // 8
    for axis in (0, 1):
        # Where the network's picture is larger than the frame (224x224), the window begins with the frame.
        fits = window[2] * (size[axis] - 1) < (FRAME[axis] - 1) * PIXEL
        assert not fits or samples(window, size, axis)[-1] < (FRAME[axis] - 1) * PIXEL
        assert fits or window[axis] < 2 * PIXEL + (window[2] - PIXEL) // 2


@given(views, st.integers(60, 580), st.integers(60, 420), st.integers(0, 60), st.integers(0, 60))
def test_who_is_in_the_frame_is_in_the_middle_of_the_window(
    view: tuple[tuple[int, int], pose_view.View], x: int, y: int, half_width: int, half_height: int
) -> None:
    size, view = view
    box = tuple(PIXEL * end for end in (x - half_width, y - half_height, x + half_width, y + half_height))
    window = chosen(view, box)
    assert not view.is_full(window)
    assert view.holds(*box, window)
    for axis in (0, 1):
        width = window[2] * size[axis]
        middle = window[axis] + width // 2
        at_an_end = window[axis] == 0 or window[axis] + width >= (FRAME[axis] - 2) * PIXEL
        assert at_an_end or abs(middle - (box[axis] + box[2 + axis]) // 2) <= 1
        assert window[axis] <= box[axis]
        assert box[2 + axis] <= window[axis] + width


WINDOW = array("i", [100 * PIXEL, 100 * PIXEL, 256])  # 320x240 of the frame's own pixels, from (100, 100)


@pytest.mark.parametrize(
    ("box", "stays"),
    [
        ((120, 115, 400, 325), True),
        ((119, 115, 399, 325), False),
        ((121, 114, 400, 325), False),
        ((120, 115, 401, 325), False),
        ((120, 115, 400, 326), False),
        # Small in it: 1.3 times 139 pixels are three quarters of 240 and more, 1.3 times 137 are not.
        ((200, 150, 240, 289), True),
        ((200, 150, 240, 287), False),
    ],
)
def test_a_window_stays_while_who_is_in_it_is_well_inside(box: tuple[int, int, int, int], stays: bool) -> None:
    view = pose_view.View(320, 240)
    assert view.holds(*(PIXEL * end for end in box), WINDOW) == stays


def test_a_side_at_the_frame_s_edge_does_not_count() -> None:
    view = pose_view.View(320, 240)
    top_left = array("i", [0, 0, 256])
    bottom_right = array("i", [639 * PIXEL - 1 - 319 * 256, 479 * PIXEL - 1 - 239 * 256, 256])
    assert view.holds(0, 0, 299 * PIXEL, 224 * PIXEL, top_left)
    assert not view.holds(0, 0, 301 * PIXEL, 224 * PIXEL, top_left)
    assert view.holds(340 * PIXEL, 255 * PIXEL, 640 * PIXEL, 480 * PIXEL, bottom_right)
    assert not view.holds(336 * PIXEL, 255 * PIXEL, 640 * PIXEL, 480 * PIXEL, bottom_right)


@given(views, boxes(), boxes())
def test_a_window_that_moves_fits_better(
    view: tuple[tuple[int, int], pose_view.View], first: tuple[int, ...], then: tuple[int, ...]
) -> None:
    """What is chosen anew for a box inside the frame holds it: no window moves twice for one place."""
    _, view = view
    window = chosen(view, first)
    if min(then) >= 0 and then[2] <= 638 * PIXEL and then[3] <= 478 * PIXEL:
        if not view.holds(*then, window):
            view.choose(*then, window)
        assert view.is_full(window) or view.holds(*then, window)


@given(views, st.lists(st.integers(-700 * PIXEL, 1300 * PIXEL), min_size=17, max_size=17))
def test_what_goes_out_is_a_sixteenth_of_a_pixel_rounded_half_up_and_keeps_the_order(
    view: tuple[tuple[int, int], pose_view.View], places: list[int]
) -> None:
    _, view = view
    xs = array("i", sorted(places))
    x16, y16 = array("h", [0] * 17), array("h", [0] * 17)
    view.tell(xs, xs, x16, y16)
    x0, _, step = view.full
    assert list(x16) == [int((Fraction(16 * (x - x0), step) + Fraction(1, 2)).__floor__()) for x in xs]
    assert list(x16) == sorted(x16)


def test_outlines_are_in_pixels_of_the_full_picture() -> None:
    view = pose_view.View(320, 240)
    assert view.outline(view.full) == (0, 0, 320, 240)
    assert view.outline(WINDOW) == (49, 49, 160, 120)
    large = pose_view.View(224, 224)
    assert large.outline(array("i", [0, 0, 600])) == (0, 0, 183, 168)


def test_a_frame_of_the_network_s_own_size_is_not_scaled() -> None:
    assert list(pose_view.View(320, 240, 320, 240).full) == [0, 0, 256]
    assert list(pose_view.View(256, 192, 320, 240).full) == [32, 32, 320]


def test_a_window_as_high_as_the_frame_begins_with_it() -> None:
    """240 lines of 240, one for one."""
    window = array("i", [0, 0, 0])
    pose_view.View(320, 240, 640, 240).choose(300 * PIXEL, 100 * PIXEL, 340 * PIXEL, 140 * PIXEL, window, least=PIXEL)
    assert list(window[1:]) == [0, PIXEL]
