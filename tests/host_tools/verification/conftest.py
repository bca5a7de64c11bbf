"""A small model with its files, a photo, and boards that run it, whole or damaged."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from host_tools.verification import model as models
from host_tools.verification.model import Model
from tests.host_tools.verification import small


@pytest.fixture(scope="session")
def kmodel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """small.kmodel with its card, as `make kmodel` writes them."""
    return small.write(tmp_path_factory.mktemp("model") / "small.kmodel")


@pytest.fixture(scope="session")
def model(kmodel: Path) -> Model:
    """The same, as verify has it."""
    return models.load(kmodel)


@pytest.fixture(scope="session")
def photo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A photo of another size than the model's."""
    pixels = np.random.default_rng(3).integers(0, 256, (9, 7, 3)).astype(np.uint8)
    path = tmp_path_factory.mktemp("photo") / "photo.png"
    Image.fromarray(pixels).resize((210, 270), Image.Resampling.BICUBIC).save(path)
    return path
