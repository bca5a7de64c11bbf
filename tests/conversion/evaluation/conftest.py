"""What the tests of evaluation share: a small network, its weights file, a kmodel made of it by plain rounding."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from conversion import weights as weights_files
from conversion.evaluation import coco
from conversion.evaluation.bootstrap import Difference
from conversion.evaluation.chain import KMODEL_STAGES
from conversion.evaluation.displacement import Displacement
from conversion.evaluation.layers import LayerLoss
from conversion.evaluation.oks import Alone, Precision
from conversion.evaluation.result import Evaluation, FalsePositives
from conversion.posenet_weights import PoseNetWeights
from tests.conversion.evaluation import coco_sets, plain_kmodel
from tests.conversion.weights import weight_files

SIZE = (64, 64)
HEADS = ("heatmap", "offset", "displacement_fwd", "displacement_bwd")


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


@pytest.fixture
def evaluation(tmp_path: Path) -> Evaluation:
    """Figures of a kmodel, made up."""
    people = coco_sets.document([coco_sets.image(1, split="a<b")], [coco_sets.person(1, 10, 10)])
    path, photos = coco_sets.write(tmp_path / "set", people)
    return Evaluation(
        model="a & b.kmodel",
        model_sha256="ab" * 32,
        size=(320, 240),
        coco=coco.read(path, photos, "split=a<b"),
        precision={stage: Precision(0.127 - 0.004 * n, 0.34, 0.07, 0.2) for n, stage in enumerate(KMODEL_STAGES)},
        differences={stage: Difference(-0.004, -0.0101, 0.0021) for stage in KMODEL_STAGES[2:]},
        alone={stage: Alone(24, 0.61) for stage in KMODEL_STAGES},
        sqnr_db={**dict.fromkeys(HEADS[1:], 23.456), "heatmap": math.inf},
        displacement=Displacement(628, 0.31234, 0.7, 0.05, 4, 0.3, 0.61, (0.58123, 0.93)),
        layers=[LayerLoss("conv0", 24, 42.0, 41.0), LayerLoss("depthwise1", 12, math.inf, -math.inf)],
        false_positives={stage: FalsePositives(20, 2, 3) for stage in KMODEL_STAGES},
    )
