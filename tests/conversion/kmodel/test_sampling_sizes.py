"""Where a stride of 2 is taken changes no head: the published network on photos, and every size there is on noise."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from conversion import photos, weights
from conversion.errors import KpuMemoryError
from conversion.kmodel import sampling
from conversion.kmodel.kpu_network import KpuNetwork
from conversion.kmodel.plan import HEIGHTS, WIDTHS
from conversion.quantisation import calibration
from tests.conversion import sizes
from tests.conversion.evaluation import plain_kmodel
from tests.conversion.kpu.running import heads, model, noise
from tests.conversion.weights import weight_files
from tests.samples import sample

PHOTOS = 20


@pytest.fixture(scope="module")
def published(request: pytest.FixtureRequest) -> KpuNetwork:
    """The published weights rounded plainly, else random ones, as nncase would compile them."""
    try:
        folder = request.getfixturevalue("tfjs_graph_dir")
    except pytest.skip.Exception:
        return plain_kmodel.as_compiled(weight_files.random_weights())
    return plain_kmodel.as_compiled(weights.load(folder))


@pytest.fixture(scope="module")
def pictures(request: pytest.FixtureRequest) -> list[Image.Image]:
    """Twenty photos of people, else what scikit-image ships and noise."""
    try:
        paths: list[Path] = request.getfixturevalue("people_photos")
    except pytest.skip.Exception:
        shipped = [photos.bundled(name) for name in calibration.PEOPLE + calibration.SCENES]
        drawn = [Image.fromarray(np.moveaxis(noise(320, 240 + n), 0, 2)) for n in range(PHOTOS - len(shipped))]
        return shipped + drawn
    return [photos.read(path) for path in paths[:PHOTOS]]


# Each size with a share of the photos, and with all of them in `make soak`.
CASES = [
    *sample(((*size, slice(number, None, len(sizes.SIZES))) for number, size in enumerate(sizes.SIZES)), 0, 4, 8),
    *(pytest.param(*size, slice(None), marks=pytest.mark.soak, id=f"{size}-all") for size in sizes.SIZES),
]


@pytest.mark.parametrize(("width", "height", "share"), CASES)
def test_the_published_network_gives_the_same_heads_on_photos(
    width: int, height: int, share: slice, published: KpuNetwork, pictures: list[Image.Image]
) -> None:
    assert len(pictures) == PHOTOS
    pictures = pictures[share]
    planes = [photos.planes(photos.letterbox(picture, width, height)) for picture in pictures]
    early, late = model(sampling.early(published), width, height), model(published, width, height)
    assert len(early.layers) > len(late.layers)
    found = heads(early, planes)
    assert found == heads(late, planes)
    assert len(found) == len(pictures) * 115 * (width // 16) * (height // 16)


@pytest.mark.soak
@pytest.mark.parametrize("width", WIDTHS)
def test_every_size_gives_the_same_heads_on_noise(width: int, published: KpuNetwork) -> None:
    for height in HEIGHTS:
        try:
            early = model(sampling.early(published), width, height)
        except KpuMemoryError:
            assert width > 384
            assert height > 224
            continue
        shown = [noise(width, height)]
        assert heads(early, shown) == heads(model(published, width, height), shown), f"{width}x{height}"
