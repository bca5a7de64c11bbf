"""What the tests of evaluation share: a small network, its weights file, a kmodel made of it by plain rounding."""

from __future__ import annotations

from pathlib import Path

import pytest

from conversion import weights as weights_files
from conversion.weights.model import PoseNetWeights
from tests.evaluation import plain_kmodel
from tests.weights import weight_files

SIZE = (64, 64)


@pytest.fixture(scope="session")
def weights_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tfjs graph model of random numbers."""
    folder = tmp_path_factory.mktemp("weights")
    return weight_files.write_tfjs_graph(folder, weight_files.random_weights()).parent


@pytest.fixture(scope="session")
def weights(weights_folder: Path) -> PoseNetWeights:
    """The weights in it."""
    return weights_files.load(weights_folder)


@pytest.fixture(scope="session")
def kmodel(weights: PoseNetWeights, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The weights as a kmodel of 64x64 with its card; not to be written to."""
    return plain_kmodel.write(tmp_path_factory.mktemp("kmodel"), weights, *SIZE, weights.origin.files)
