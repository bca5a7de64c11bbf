"""Skeletons on photos: the right pixels change, everything stays in the picture."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from conversion import network
from conversion.decoding import overlay
from conversion.decoding.pose import Pose
from tests.firmware import synthetic

GREY = (90, 90, 90)


def pose(x: float, top: float, height: float, score: float = 0.9) -> Pose:
    keypoints = synthetic.person(x, top, height)
    return Pose(score, np.concatenate([keypoints, np.full((len(keypoints), 1), score)], axis=1))


def photo(width: int = 320, height: int = 240) -> Image.Image:
    return Image.new("RGB", (width, height), GREY)


def pixel_is(picture: Image.Image, point: np.ndarray, colour: tuple[int, int, int]) -> bool:
    return np.abs(np.array(picture.getpixel(tuple(np.round(point).astype(int)))) - colour).max() < 40


def test_every_line_and_joint_is_drawn_in_the_person_s_colour() -> None:
    people = [pose(90, 30, 200), pose(230, 30, 200)]
    drawn = overlay.skeletons(photo(), people)
    assert drawn.size == (320, 240)
    for person, colour in zip(people, overlay.COLOURS, strict=False):
        for first, second in network.SKELETON:
            middle = (person.keypoints[first, :2] + person.keypoints[second, :2]) / 2
            assert pixel_is(drawn, middle, colour)
        for part in range(5, 17):
            assert pixel_is(drawn, person.keypoints[part, :2], (255, 255, 255))


def test_the_photo_itself_stays_as_it_was() -> None:
    original = photo()
    overlay.skeletons(original, [pose(160, 20, 200)])
    assert np.array_equal(np.asarray(original), np.asarray(photo()))


def test_nothing_is_drawn_without_poses_or_confident_parts() -> None:
    for people in ([], [pose(160, 20, 200, score=0.49)]):
        assert np.array_equal(np.asarray(overlay.skeletons(photo(), people)), np.asarray(photo()))
    shown = overlay.skeletons(photo(), [pose(160, 20, 200, score=0.49)], part_score=0.4)
    assert not np.array_equal(np.asarray(shown), np.asarray(photo()))


def test_hidden_parts_take_their_lines_with_them() -> None:
    person = pose(160, 20, 200)
    person.keypoints[9, 2] = 0.1
    drawn = overlay.skeletons(photo(), [person])
    forearm = (person.keypoints[7, :2] + person.keypoints[9, :2]) / 2
    assert pixel_is(drawn, forearm, GREY)
    assert pixel_is(drawn, person.keypoints[9, :2], GREY)
    upper_arm = (person.keypoints[5, :2] + person.keypoints[7, :2]) / 2
    assert pixel_is(drawn, upper_arm, overlay.COLOURS[0])


def test_poses_of_a_letterboxed_picture_lie_where_its_pixels_came_from() -> None:
    """Pixel x of the picture is pixels 3x to 3x + 2 of the photo, so its centre is 3x + 1; half a pixel would show."""
    person = pose(160, 20, 200)
    for picture, factor in (((320, 240), 3.0), ((480, 240), 3.0), ((960, 720), 1.0)):
        drawn = np.asarray(overlay.skeletons(photo(960, 720), [person], picture)).astype(float)
        for part in range(5, 17):
            expected = (person.keypoints[part, :2] + 0.5) * factor - 0.5
            np.testing.assert_allclose(_white_spot(drawn, expected), expected, atol=0.3)


def _white_spot(drawn: np.ndarray, near: np.ndarray) -> np.ndarray:
    """(x, y) of the middle of the white spot near a point: what is lighter than the person's colour."""
    left, top = np.round(near).astype(int) - 5
    blue = np.clip(drawn[top : top + 11, left : left + 11, 2] - 150, 0, None)
    return np.array([blue.sum(0) @ np.arange(11), blue.sum(1) @ np.arange(11)]) / blue.sum() + (left, top)


def test_edges_are_smooth() -> None:
    """Below the label there are more colours than the ground's, the person's, white and the outline."""
    drawn = np.asarray(overlay.skeletons(photo(), [pose(160, 20, 200)]))[60:]
    assert len(np.unique(drawn.reshape(-1, 3), axis=0)) > 20


@pytest.mark.parametrize("x", [-30, 0, 319, 350])
@pytest.mark.parametrize("top", [-80, 0, 230])
def test_people_beyond_the_border_are_no_error_and_their_label_is_whole(x: float, top: float) -> None:
    drawn = np.asarray(overlay.skeletons(photo(), [pose(x, top, 200)])).astype(int)
    assert drawn.shape == (240, 320, 3)
    assert _label_height(drawn) >= 11


def _label_height(pixels: np.ndarray) -> int:
    """Rows that hold a long run of the first colour: the label's box."""
    coloured = (np.abs(pixels - overlay.COLOURS[0]).max(axis=2) < 10).sum(axis=1)
    return int((coloured >= 8).sum())


def test_large_photos_do_not_take_large_memory() -> None:
    assert overlay._smoothing((320, 240)) == 4
    width, height = 6000, 4000
    assert overlay._smoothing((width, height)) ** 2 * width * height <= 24_000_000


def test_side_by_side_shows_all_pictures_and_captions() -> None:
    pictures = [("float", photo(400, 300)), ("kmodel, a rather long caption for a small picture", photo(40, 300))]
    row = overlay.side_by_side(pictures, height=300)
    assert row.height > 300
    pixels = np.asarray(row)
    grey = (pixels == GREY).all(axis=2)
    assert grey.any(axis=0).sum() == 440
    below = pixels[np.flatnonzero(grey.any(axis=1)).max() + 1 :]
    written = (below.max(axis=2) > 200).any(axis=0)
    middle = np.flatnonzero(grey.any(axis=0))[:400].max()
    assert written[:middle].any()
    assert written[middle:].any()
    # The caption keeps off the border.
    assert not written[:8].any()
    assert not written[-8:].any()
