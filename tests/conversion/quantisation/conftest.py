"""What the tests of quantisation share: one small calibration."""

from __future__ import annotations

from pathlib import Path

import pytest

from conversion import files
from conversion.posenet_weights import PoseNetWeights
from conversion.quantisation.layerwise import Calibration
from conversion.quantisation.result import QuantisedNetwork
from tests.conversion.quantisation import small


@pytest.fixture(scope="session")
def weights() -> PoseNetWeights:
    return small.weights()


@pytest.fixture(scope="session")
def quantised(weights: PoseNetWeights, cache_folder: Path) -> QuantisedNetwork:
    """The random network, calibrated once a session, in one of its processes and in no other process."""
    kept = cache_folder / "tests" / "quantised.npz"
    if not kept.exists():
        files.write(kept, Calibration(weights, small.pictures(6)).run(lambda what, done, total: None).to_bytes())
    return QuantisedNetwork.from_bytes(kept.read_bytes())
