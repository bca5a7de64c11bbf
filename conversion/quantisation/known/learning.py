"""The recipe of the shipped rounding: a calibration that may take its time, on a folder of photos and views of them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from conversion.posenet_weights import PoseNetWeights
from conversion.progress import Report
from conversion.quantisation import calibration
from conversion.quantisation.channel_duplication import Coding
from conversion.quantisation.layerwise import Calibration
from conversion.quantisation.result import QuantisedNetwork

# Counted up whenever the same photos would give other codes.
RECIPE = 1
# Where photos are seen: larger than nncase compiles, as the default kmodel sees them.
SIZE = (320, 240)
PICTURES = 192


def learn(
    weights: PoseNetWeights, folder: Path, reaching: np.ndarray, report: Report
) -> tuple[QuantisedNetwork, Mapping[str, Coding]]:
    """The quantised network, with those of the `reaching` pictures that nncase needs, and how its maps are coded.

    PhotoError names what fails.
    """
    pictures = calibration.from_folder(folder, *SIZE, PICTURES)
    work = Calibration(weights, pictures, reaching)
    return work.run(report), work.codings
