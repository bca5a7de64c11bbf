"""Each published form becomes a verified kmodel; forms of the same weights give the same one.

The table in conversion/README.md is `python -m tests.conversion.forms SHARED/models`. These are real files; without
them it skips.
"""

from pathlib import Path

import numpy as np
import pytest

from conversion import network, photos, pipeline
from conversion.decoding.dialects import tfjs
from conversion.kpu.posenet import Simulation, real_values
from conversion.pipeline import Kmodel, Recipe
from tests.conversion import forms
from tests.conversion.forms import Converted

SIZE = (320, 240)


@pytest.fixture(scope="module")
def models(shared: Path) -> Path:
    return shared / "models"


@pytest.fixture(scope="module")
def converted(models: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Converted]:
    """Every form by name, with plain rounding."""
    made = forms.converted(models, tmp_path_factory.mktemp("forms"))
    return {one.form.name: one for one in made}


def made(path: Path, tmp_path: Path) -> Kmodel:
    return pipeline.convert(Recipe(tmp_path, *SIZE, path, quantisation="fast"), False, lambda message: None)


@pytest.mark.soak
def test_coral_s_file_becomes_a_kmodel_that_sees_the_person(models: Path, tmp_path: Path) -> None:
    kmodel = made(models / forms.CORAL, tmp_path)
    assert kmodel.card["source"]["form"] == "Coral quantised TFLite"
    assert kmodel.compiled.proof.published_db["481x353"]["heatmap"] >= 35
    assert forms.Converted(forms.Form("Coral", models), "", kmodel).keypoints >= 5


@pytest.mark.soak
def test_every_form_is_recognised_imported_and_converted(converted: dict[str, Converted]) -> None:
    recognised = [one.recognised for one in converted.values()]
    assert recognised == [
        "tfjs graph model", "tfjs checkpoint", "frozen graph", "TFLite float", "Coral quantised TFLite",
    ]  # fmt: skip
    for one in converted.values():
        assert one.made.card["kmodel"]["bytes"] == 1_375_888
        assert one.keypoints >= 5, one.form.name
        worst = [max(heads.values()) for heads in one.made.compiled.proof.published.values()]
        assert all(difference <= 1e-3 for difference in worst)


@pytest.mark.soak
def test_files_of_the_same_weights_give_the_same_kmodel(converted: dict[str, Converted]) -> None:
    same = [one.made.data for name, one in converted.items() if "checkpoint" in name]
    assert len(same) == 3
    assert same[0] == same[1] == same[2]


@pytest.mark.soak
def test_checkpoint_and_graph_model_differ_by_their_last_bits_only(
    converted: dict[str, Converted], people_photos: list[Path]
) -> None:
    graph_model, checkpoint = (converted[name].made for name in ("tfjs graph model", "tfjs checkpoint"))
    assert graph_model.card["layers"] == checkpoint.card["layers"]
    assert len(graph_model.data) == len(checkpoint.data)
    picture = photos.planes(photos.letterbox(photos.read(people_photos[0]), *SIZE))
    ours, theirs = (_heads(kmodel, picture) for kmodel in (graph_model, checkpoint))
    off = np.concatenate([np.abs(ours[name].astype(int) - theirs[name]).ravel() for name in network.HEAD_NAMES])
    print(f"bytes that differ: {(off > 0).mean():.1%}, by more than 2: {(off > 2).mean():.2%}, at most by {off.max()}")
    assert (off <= 2).mean() >= 0.99
    for name, value in graph_model.card["quantisation"]["sqnr_db"].items():
        assert abs(value - checkpoint.card["quantisation"]["sqnr_db"][name]) <= 0.5


def _heads(kmodel: Kmodel, picture: np.ndarray) -> dict[str, np.ndarray]:
    from conversion.kmodel import v3

    return Simulation(v3.read(kmodel.data, "test"), "test").heads(picture)


@pytest.mark.soak
def test_keypoints_of_float_and_kmodel_are_the_same_person(converted: dict[str, Converted]) -> None:
    for one in converted.values():
        from_float = tfjs.decode_single(one.made.sample_float_heads)
        heads = {name: head[0] for name, head in _batch(one.made).items()}
        from_kmodel = tfjs.decode_single(heads)
        seen = from_float.keypoints[:, 2] > 0.5
        off = np.hypot(*(from_float.keypoints - from_kmodel.keypoints)[seen, :2].T)
        assert np.median(off) < 4, one.form.name


def _batch(kmodel: Kmodel) -> dict[str, np.ndarray]:
    return real_values({name: head[None] for name, head in kmodel.sample_heads.items()}, kmodel.card)
