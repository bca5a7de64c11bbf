"""Which rounding a conversion takes, and what it refuses in one line."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from conversion.errors import RoundingError
from conversion.posenet_weights import PoseNetWeights
from conversion.progress import silent
from conversion.quantisation import choice
from conversion.quantisation.known import shipped
from tests.conversion.quantisation.known import making


@pytest.fixture
def known(weights: PoseNetWeights, tmp_path: Path) -> Iterator[None]:
    """A rounding is shipped for the random weights."""
    making.ship(tmp_path, making.rounding(weights), weights)
    honest = shipped.find
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shipped, "find", lambda weights: honest(weights, tmp_path))
        yield


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    Image.new("RGB", (90, 60), (40, 40, 200)).save(tmp_path / "photo.png")
    return tmp_path


@pytest.mark.usefixtures("known")
@pytest.mark.parametrize("name", [None, "shipped"])
def test_known_weights_get_the_shipped_one(name: str | None, weights: PoseNetWeights) -> None:
    found = choice.choose(name, weights, None, making.SIZE, silent)
    assert found.name == "shipped"
    assert found.network is not None
    assert found.pictures is found.network.pictures
    assert found.photos["count"] == 1
    assert len(found.photos["sha256"]) == 64


@pytest.mark.usefixtures("known")
def test_asked_for_anew_they_are_calibrated(weights: PoseNetWeights, folder: Path) -> None:
    full = choice.choose("full", weights, None, making.SIZE, silent)
    assert (full.name, full.network, len(full.pictures)) == ("full", None, 246)
    own = choice.choose(None, weights, folder, making.SIZE, silent)
    assert (own.name, own.network, own.photos) == ("full", None, {"photos": "a folder of the user's", "count": 1})
    fast = choice.choose("fast", weights, None, making.SIZE, silent)
    assert (fast.name, fast.network, len(fast.pictures)) == ("fast", None, 6)


@pytest.mark.usefixtures("known")
def test_at_another_size_there_is_none(weights: PoseNetWeights) -> None:
    assert choice.choose(None, weights, None, (64, 64), silent).name == "full"
    with pytest.raises(RoundingError, match="is for 64x48, where every V3 is compiled; leave --quantisation out"):
        choice.choose("shipped", weights, None, (64, 64), silent)


def test_unknown_weights_are_calibrated_without_a_word(weights: PoseNetWeights) -> None:
    said: list[str] = []
    assert choice.choose(None, weights, None, making.SIZE, said.append).name == "full"
    assert said == []


def test_asked_for_unknown_weights_it_is_refused(weights: PoseNetWeights) -> None:
    with pytest.raises(RoundingError, match="no rounding is shipped for these weights"):
        choice.choose("shipped", weights, None, making.SIZE, silent)


def test_it_cannot_be_had_together_with_photos(weights: PoseNetWeights, folder: Path) -> None:
    with pytest.raises(RoundingError, match=r"quantisation shipped and calibration .*: give one of the two"):
        choice.choose("shipped", weights, folder, making.SIZE, silent)
