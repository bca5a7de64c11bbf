"""What the tests of quantisation share: one small calibration."""

from __future__ import annotations

import pytest

from conversion.posenet_weights import PoseNetWeights
from conversion.quantisation.layerwise import Calibration
from conversion.quantisation.result import QuantisedNetwork
from tests.conversion.quantisation import small


@pytest.fixture(scope="session")
def weights() -> PoseNetWeights:
    return small.weights()


@pytest.fixture(scope="session")
def quantised(weights: PoseNetWeights) -> QuantisedNetwork:
    """The random network, calibrated in this process."""
    return Calibration(weights, small.pictures(6)).run(lambda what, done, total: None)
