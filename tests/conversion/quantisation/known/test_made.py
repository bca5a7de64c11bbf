"""A kmodel made of a shipped rounding: proved like any other, and named for what it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from conversion import pipeline
from conversion import weights as weights_files
from conversion.pipeline import Kmodel, Recipe
from conversion.posenet_weights import PoseNetWeights
from conversion.progress import silent
from conversion.quantisation import calibration
from conversion.quantisation.choice import SHIPPED, Choice
from conversion.quantisation.known import learning, packing, shipped
from conversion.quantisation.result import QuantisedNetwork
from conversion.report import summary
from conversion.ship_rounding import computed
from conversion.weights import known
from tests.conversion.quantisation.test_bars import CODES, published
from tests.conversion.weights.weight_files import write_tfjs_graph

PHOTOS = {"photos": "of people, before it was shipped", "count": 109, "sha256": "ab" * 32}


@pytest.fixture(scope="module")
def made(weights: PoseNetWeights, quantised: QuantisedNetwork, tmp_path_factory: pytest.TempPathFactory) -> Kmodel:
    """At another size than it is compiled at, on a cache that does not know it: nothing may be calibrated."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(calibration, "calibrating", None)
        rounding = Choice(SHIPPED, quantised.pictures, PHOTOS, quantised)
        recipe = Recipe(tmp_path_factory.mktemp("build"), 128, 96)
        # From a file: the network is proved against what is published there.
        read = weights_files.load(write_tfjs_graph(tmp_path_factory.mktemp("weights"), weights).parent)
        return pipeline.rounded(recipe, read, rounding, False, silent)


@pytest.mark.soak
def test_every_code_is_read_back_from_the_compiled_file(made: Kmodel) -> None:
    assert made.compiled.codes == CODES
    assert made.compiled.agreement.values > 0


def test_card_and_summary_name_it(made: Kmodel) -> None:
    assert made.card["quantisation"]["recipe"] == "shipped"
    assert made.card["calibration"] == PHOTOS
    facts = dict(summary.facts(made))
    assert facts["rounding"] == "shipped, from 109 photos: of people, before it was shipped"
    assert f"{CODES:,} codes compared" in " ".join(text for _, text in summary.facts(made))


@pytest.mark.soak
def test_the_recipe_gives_the_very_bytes_that_are_shipped(shared: Path) -> None:
    weights = [published(shared, each) for each in ("tfjs-graph", "tfjs-checkpoint")]
    if not (shared / "photos" / "people").is_dir():
        pytest.skip("no photos of people")
    packed = computed(weights[0], shared / "photos" / "people")
    assert packing.pack(packed, weights) == (shipped.FOLDER / shipped.CODES).read_bytes()
    assert shipped.find(weights[0]).description["recipe"] == learning.RECIPE
    assert known.default().name == shipped.find(weights[0]).description["weights"][0]["name"]
