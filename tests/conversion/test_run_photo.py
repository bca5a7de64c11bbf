"""What `simulate` says of a photo: where keypoints are in the picture and in the photo, and the scale between them."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from conversion.run_photo import Result


@pytest.fixture
def result() -> Result:
    """A photo of twice the picture's height, so that it takes 320 of its columns."""
    heads = {name: np.zeros((1, 1, 1), np.uint8) for name in ("heatmap", "offset")}
    return Result("aa", "bb", Image.new("RGB", (640, 480)), (320, 240), heads, [])


def test_the_scale_leads_from_the_models_picture_to_the_photo(result: Result) -> None:
    made = result.to_dict()
    assert (made["size"], made["photo"], made["photo_scale"]) == ([320, 240], [640, 480], [2.0, 2.0])
    pose = SimpleNamespace(keypoints=np.array([[10.0, 20.0, 0.5]] * 17))
    # Whole numbers are centres of pixels: (10 + 1/2) * 2 - 1/2.
    assert result.in_photo(pose)[0].tolist() == [20.5, 40.5, 0.5]


def test_a_photo_of_another_shape_has_one_scale_for_both_directions_but_for_rounding() -> None:
    result = Result("aa", "bb", Image.new("RGB", (1000, 333)), (320, 240), {}, [])
    across, down = result.to_dict()["photo_scale"]
    assert across == 3.125
    assert down == pytest.approx(333 / 107, abs=1e-6)
