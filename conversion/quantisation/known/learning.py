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
# Photos, and views of them in turn, at this size.
PICTURES = 192
SIZE = (256, 192)
# The background of these weights lies below 0: cut so, offsets lose less than at 56 px each way, and have finer steps.
OFFSET_REACH_PX = (60.0, 44.0)


def learn(
    weights: PoseNetWeights, folder: Path, reaching: np.ndarray, report: Report
) -> tuple[QuantisedNetwork, Mapping[str, Coding]]:
    """The quantised network, with those of the `reaching` pictures that nncase needs, and how its maps are coded.

    PhotoError names what fails.
    """
    pictures = calibration.from_folder(folder, *SIZE, PICTURES, PICTURES)
    work = Calibration(weights, pictures, reaching, OFFSET_REACH_PX)
    return work.run(report), work.codings
