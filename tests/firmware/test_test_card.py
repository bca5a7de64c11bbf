"""The test card: the same on every Python, all of it RGB565, noise everywhere, people whom the network sees."""

from __future__ import annotations

from array import array
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversion import test_card as card_picture
from firmware import pose_selftest
from tests.firmware import board_python, synthetic

# CRC-32 of the RGB565 words, little endian. They change only if the drawing does, and then every published test vector
# is void. `PYTHONPATH=firmware python tests/firmware/board_card.py SIZE...` prints them anew.
GOLDEN = {
    "320x240": 1954195535,
    "256x192": 1718609161,
    "224x224": 1343902591,
    "64x256": 978903451,
    "512x64": 1357926443,
    "512x256": 263637011,
    "64x64": 1860370416,
}


def words(width: int, height: int) -> np.ndarray:
    row = array("H", [0] * width)
    rows = []
    for y in range(height):
        pose_selftest.draw_row(y, width, height, row)
        rows.append(np.array(row))
    return np.stack(rows)


def test_golden_checksums_on_both_pythons() -> None:
    expected = "".join(f"{size} {crc}\n" for size, crc in GOLDEN.items())
    assert board_python.run_in_cpython("board_card.py", *GOLDEN) == expected
    assert board_python.run("board_card.py", *GOLDEN) == expected


@given(width=st.integers(4, 32), height=st.integers(4, 16), y=st.data())
def test_every_size_is_drawn_within_the_row(width: int, height: int, y: st.DataObject) -> None:
    """The caller's buffer is filled to the last word, not beyond, and by 16-bit words only."""
    width, height = 16 * width, 16 * height
    line = y.draw(st.integers(0, height - 1))
    row = array("L", [1 << 20] * (width + 2))
    pose_selftest.draw_row(line, width, height, row)
    assert list(row[width:]) == [1 << 20] * 2
    assert max(row[:width]) < 1 << 16


def test_planes_are_what_pix_to_ai_makes_of_rgb565() -> None:
    planes = card_picture.draw(320, 240)
    assert planes.shape == (3, 240, 320)
    assert planes.dtype == np.uint8
    red, green, blue = planes.astype(int)
    back = ((red * 31 + 127) // 255 << 11) | ((green * 63 + 127) // 255 << 5) | (blue * 31 + 127) // 255
    assert np.array_equal(back, words(320, 240))


def test_all_channel_levels_widen_as_in_the_design() -> None:
    levels = np.arange(1 << 16, dtype=np.uint16).reshape(256, 256)
    red, green, blue = card_picture.planes_of(levels)
    for plane, steps in ((red, 31), (green, 63), (blue, 31)):
        values = np.unique(plane)
        assert len(values) == steps + 1
        assert (values[0], values[-1]) == (0, 255)
        assert np.abs(values - np.arange(steps + 1) * 255 / steps).max() <= 0.5


def test_noise_is_everywhere_and_has_no_pattern() -> None:
    """Neighbouring pixels of the plain ground differ; the stripe at the right takes about all values."""
    picture = words(320, 240)
    ground = picture[:, :30]
    assert (ground[:, 1:] != ground[:, :-1]).mean() > 0.95
    assert (ground[1:] != ground[:-1]).mean() > 0.95
    stripe = picture[:, 280:]
    assert len(np.unique(stripe)) > 0.9 * (1 << 16) * (1 - np.exp(-stripe.size / (1 << 16)))
    for bit in range(16):
        assert 0.45 < ((stripe >> bit) & 1).mean() < 0.55


def test_no_channel_overflows_into_its_neighbour() -> None:
    """Colours leave room for noise and shading: red and blue 3..25, green 6..50."""
    for _, colours in pose_selftest.FIGURES:
        for colour in (*colours, pose_selftest.GROUND):
            assert 3 <= colour >> 11 <= 25
            assert 6 <= (colour >> 5) & 63 <= 50
            assert 3 <= colour & 31 <= 25


@pytest.mark.parametrize(("width", "height"), [(320, 240), (256, 192)])
def test_the_network_sees_the_drawn_people(width: int, height: int, tfjs_graph_dir: Path) -> None:
    from conversion import weights
    from conversion.decoding import board_decoder
    from conversion.tensorflow import graph

    run = graph.build(weights.load(tfjs_graph_dir), width, height)
    pixels = np.moveaxis(card_picture.draw(width, height), 0, -1)
    heads = {name: values[0] for name, values in run(pixels[None]).items()}
    the_card = synthetic.card(width, height)
    poses = board_decoder.decode(synthetic.quantised(heads, the_card), the_card, pose_score=0.5)
    assert len(poses) == 2
    noses = sorted(pose.keypoints[0, 0] for pose in poses)
    expected = [width * 7 / 8 * quarter for quarter in (0.25, 0.75)]
    assert np.abs(np.array(noses) - expected).max() < 8
