"""The shipped rounding: sound, small, as near the float network as it says, and never taken when it is damaged."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import platformdirs
import pytest

from conversion import metrics, photos
from conversion import weights as weights_files
from conversion.errors import RoundingError
from conversion.outside import reading
from conversion.posenet_weights import PoseNetWeights
from conversion.quantisation import choice, emulation, nncase_weights
from conversion.quantisation.known import shipped
from conversion.ship_rounding import MOST_BYTES
from conversion.weights import known
from tests.conversion.quantisation import test_layerwise as layerwise_tests
from tests.conversion.quantisation.known import making
from tests.samples import sample

# At 320x240, on the 60 photos of COCO val2017 that measure.
LEAST_DB = {"heatmap": 36.0, "offset": 22.8, "displacement_fwd": 30.0, "displacement_bwd": 30.3}
MOST_PX = {"median": 0.32, "p90": 0.78}


def description() -> dict:
    return json.loads((shipped.FOLDER / shipped.DESCRIPTION).read_text())


def test_the_files_belong_together_and_are_small() -> None:
    data = (shipped.FOLDER / shipped.CODES).read_bytes()
    assert description()["file"] == {"bytes": len(data), "sha256": reading.sha256(data)}
    assert len(data) + (shipped.FOLDER / shipped.DESCRIPTION).stat().st_size <= MOST_BYTES


def test_it_is_for_both_tfjs_forms() -> None:
    assert [entry["name"] for entry in description()["weights"]] == [
        each.name for each in known.published() if each.form.startswith("tfjs")
    ]


def test_notice_names_what_it_derives_from(root: Path) -> None:
    notice = (root / "NOTICE").read_text(encoding="utf-8")
    found = description()
    assert f"{found['photos']['count']} photos" in notice
    assert shipped.CODES in notice


def test_the_figures_that_it_reached_keep_to_the_bars() -> None:
    """Measured by the command that wrote the file; `make reproduce` measures them again."""
    figures = description()["figures"]
    assert figures["set"]["images"] == 60
    for head, least in LEAST_DB.items():
        assert figures["sqnr_db"][head] >= least, head
    for name, most in MOST_PX.items():
        assert round(figures["displacement_px"][name], 2) <= most, name


@pytest.fixture(scope="module")
def published(request: pytest.FixtureRequest) -> PoseNetWeights:
    """The published weights: shared ones, else those that a `make kmodel` here has fetched; nothing is fetched."""
    shared = Path(os.environ.get("POSENET_SHARED") or Path(__file__).parents[5] / "shared") / "models" / "tfjs-graph"
    fetched = platformdirs.user_cache_path("posenet-maix", appauthor=False) / "weights" / known.default().name
    folder = next((each for each in (shared, fetched) if (each / "model-stride16.json").is_file()), None)
    if folder is None:
        pytest.skip(f"no published weights: neither {shared} nor {fetched} holds them (make kmodel fetches them)")
    return weights_files.load(folder)


def test_published_weights_get_it_and_nncase_can_be_fed_with_it(published: PoseNetWeights) -> None:
    found = shipped.find(published)
    assert found.size == (256, 192)
    assert sum(layer.codes.size for layer in found.network.layers.values()) == found.description["codes"]["count"]
    fed = nncase_weights.weights(found.network)
    assert fed.body["conv0"].kernel.shape == published.body["conv0"].kernel.shape


def test_it_is_near_the_float_network_on_the_sample_photo(published: PoseNetWeights) -> None:
    """One photo, at half the size so that it takes seconds: no more than the bars less 3 dB can be asked of it."""
    picture = photos.letterbox(photos.bundled(photos.SAMPLE), 256, 192)[None]
    found = metrics.sqnr_db(
        layerwise_tests.float_heads(published, picture), emulation.run(shipped.find(published).network, picture)
    )
    assert all(found[head] >= least - 3 for head, least in LEAST_DB.items()), found


@pytest.fixture(scope="module")
def made(weights: PoseNetWeights, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A rounding as it is shipped; not to be changed."""
    folder = tmp_path_factory.mktemp("shipped")
    making.ship(folder, making.rounding(weights), weights)
    return folder


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    """The same, to be damaged."""
    return shutil.copytree(made, tmp_path / "shipped")


def test_weights_that_it_is_for_get_it(weights: PoseNetWeights, folder: Path) -> None:
    found = shipped.find(weights, folder)
    assert found.size == making.SIZE
    assert shipped.codes_sha256(found.network.layers) == found.description["codes"]["sha256"]


@pytest.mark.parametrize("layer", ["conv0", "offset"])
def test_changed_weights_never_get_it(weights: PoseNetWeights, folder: Path, layer: str) -> None:
    assert shipped.find(making.with_one_number_changed(weights, layer), folder) is None


def flipped(file: Path) -> None:
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 16
    file.write_bytes(data)


def said_otherwise(*path: str) -> Callable[[Path], None]:
    """A description that says something else there than what is so."""

    def change(folder: Path) -> None:
        file = folder / shipped.DESCRIPTION
        found = inner = json.loads(file.read_text())
        for name in path[:-1]:
            inner = inner[name]
        inner[path[-1]] = "0" * 64
        file.write_text(json.dumps(found))

    return change


DAMAGE: dict[str, Callable[[Path], None]] = {
    "a bit of the codes": lambda folder: flipped(folder / shipped.CODES),
    "half of the codes": lambda folder: os.truncate(folder / shipped.CODES, 5000),
    "no codes": lambda folder: (folder / shipped.CODES).unlink(),
    "no description": lambda folder: (folder / shipped.DESCRIPTION).unlink(),
    "a description that is none": lambda folder: (folder / shipped.DESCRIPTION).write_text("{"),
    "an empty description": lambda folder: (folder / shipped.DESCRIPTION).write_text("{}"),
    "a list": lambda folder: (folder / shipped.DESCRIPTION).write_text("[]"),
    "codes of another file": said_otherwise("file", "sha256"),
    "codes that come out otherwise": said_otherwise("codes", "sha256"),
    "another format": said_otherwise("format"),
}


@pytest.mark.parametrize("damage", sample(DAMAGE, 0, 3, 8))
def test_a_damaged_one_is_one_line_and_the_weights_are_calibrated(
    damage: str, weights: PoseNetWeights, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    DAMAGE[damage](folder)
    with pytest.raises(RoundingError, match=r"^shipped rounding: .") as raised:
        shipped.find(weights, folder)
    assert "\n" not in str(raised.value)

    honest = shipped.find
    monkeypatch.setattr(shipped, "find", lambda weights: honest(weights, folder))
    said: list[str] = []
    found = choice.choose(None, weights, None, making.SIZE, said.append)
    assert (found.name, found.network, len(found.pictures)) == (choice.FULL, None, 246)
    assert len(said) == 1
    assert said[0].endswith("; calibrating instead")
    with pytest.raises(RoundingError):
        choice.choose(choice.SHIPPED, weights, None, making.SIZE, said.append)
