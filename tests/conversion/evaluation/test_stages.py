"""The stages on one photo: each is what its name says, and keypoints come back to where the photo has them."""

from pathlib import Path

import numpy as np
import pytest

from conversion import card, letterbox, photos
from conversion.decoding import board_decoder
from conversion.decoding.dialects import tfjs
from conversion.errors import PhotoError
from conversion.evaluation import stages
from conversion.evaluation.chain import (
    FLOAT,
    FLOAT_STAGES,
    INTEGER,
    KMODEL,
    KMODEL_STAGES,
    PADDED,
    ROUNDED,
    VOTED,
    Setup,
)
from conversion.evaluation.coco import AnnotationError, CocoPhoto
from conversion.evaluation.stages import Run, Stages
from conversion.kpu import posenet
from conversion.kpu.posenet import real_values
from conversion.posenet_weights import PoseNetWeights
from conversion.tensorflow import graph
from tests.conversion.evaluation.conftest import SIZE


@pytest.fixture(scope="module")
def of_kmodel(weights: PoseNetWeights, kmodel: Path) -> Stages:
    data = kmodel.read_bytes()
    return Stages(Setup(weights, *SIZE, data, card.read_for(kmodel, data)))


@pytest.fixture(scope="module")
def photo(tmp_path_factory: pytest.TempPathFactory) -> CocoPhoto:
    path = tmp_path_factory.mktemp("photo") / "photo.png"
    picture = photos.bundled(photos.SAMPLE).convert("RGB").crop((100, 0, 420, 240))
    picture.save(path)
    return CocoPhoto(5, path, picture.size)


@pytest.fixture(scope="module")
def run(of_kmodel: Stages, photo: CocoPhoto) -> Run:
    return of_kmodel.run(photos.read(photo.path))


def test_the_published_network_runs_one_pixel_larger(of_kmodel: Stages, run: Run, photo: CocoPhoto) -> None:
    """There its own padding and ours are the same network."""
    assert of_kmodel.size(FLOAT) == (65, 65)
    picture = photos.letterbox(photos.read(photo.path), 65, 65)
    ours = graph.build(of_kmodel.setup.weights, 65, 65)(picture[None])
    for name, head in run.heads[FLOAT].items():
        assert head.shape[1:] == (5, 5)
        np.testing.assert_allclose(head, ours[name][0], atol=1e-4)


def test_the_padded_network_runs_at_the_kmodel_s_size(of_kmodel: Stages, run: Run, photo: CocoPhoto) -> None:
    picture = photos.letterbox(photos.read(photo.path), *SIZE)
    ours = graph.build(of_kmodel.setup.weights, *SIZE)(picture[None])
    assert all((head == ours[name][0]).all() for name, head in run.heads[PADDED].items())


def test_the_kmodel_stages_are_the_simulation(of_kmodel: Stages, run: Run, photo: CocoPhoto, kmodel: Path) -> None:
    planes = photos.planes(photos.letterbox(photos.read(photo.path), *SIZE))
    raw = posenet.open_kmodel(kmodel).heads(planes)
    real = real_values(raw, of_kmodel.setup.card)
    for name in raw:
        assert (run.raw[name] == raw[name]).all()
        assert (run.heads[KMODEL][name] == real[name]).all()
    poses = of_kmodel.poses(run, **board_decoder.EVALUATION)
    assert poses.keys() == set(KMODEL_STAGES)
    for one, other in zip(
        poses[INTEGER], board_decoder.decode(raw, of_kmodel.setup.card, **board_decoder.EVALUATION), strict=True
    ):
        assert one.wire == other.wire
    assert of_kmodel.singles(run)[INTEGER].wire == board_decoder.decode_single(raw, of_kmodel.setup.card).wire
    voted = board_decoder.decode(raw, of_kmodel.setup.card, vote=8, **board_decoder.EVALUATION)
    assert [pose.wire for pose in poses[VOTED]] == [pose.wire for pose in voted]
    assert of_kmodel.singles(run)[VOTED].wire == board_decoder.decode_single(raw, of_kmodel.setup.card, vote=8).wire


def test_rounded_weights_lie_between(run: Run) -> None:
    """Nearer to the kmodel, whose weights they are, than to the float network."""
    float_, rounded, kmodel = (run.heads[stage]["offset"] for stage in (PADDED, ROUNDED, KMODEL))
    assert 0 < np.abs(rounded - kmodel).mean() < np.abs(float_ - kmodel).mean()


def test_files_of_a_fixed_size_and_bare_weights_run_by_their_weights(weights: PoseNetWeights, run: Run) -> None:
    """The same network, whichever way its file is run."""
    origin = type(weights.origin)("some other form", None, {})
    bare = Stages(Setup(type(weights)(weights.body, weights.heads, weights.normalisation, origin), *SIZE))
    assert bare.setup.stages == FLOAT_STAGES
    photo = photos.bundled(photos.SAMPLE)
    published = Stages(Setup(weights, *SIZE)).run(photo)
    for name, head in bare.run(photo).heads[FLOAT].items():
        np.testing.assert_allclose(head, published.heads[FLOAT][name], atol=1e-4)


def test_findings_are_in_the_photo_s_pixels(of_kmodel: Stages, run: Run, photo: CocoPhoto) -> None:
    findings = stages.examine(of_kmodel, photo)
    assert findings.photo == 5
    for stage in (FLOAT, PADDED):
        expected = tfjs.decode_single(run.heads[stage])
        placed = letterbox.to_photo(expected.keypoints, photo.size, of_kmodel.size(stage))
        np.testing.assert_allclose(findings.singles[stage].keypoints, placed)
        assert findings.singles[stage].score == expected.score
    assert findings.heads.keys() == run.heads[KMODEL].keys()
    assert findings.heads["offset"].db > 3
    assert len(findings.layers) == 27


def test_floats_have_no_losses_of_a_kmodel(weights: PoseNetWeights, photo: CocoPhoto) -> None:
    findings = stages.examine(Stages(Setup(weights, *SIZE)), photo)
    assert findings.poses.keys() == set(FLOAT_STAGES)
    assert (findings.heads, len(findings.moved), findings.layers) == ({}, 0, [])


def test_a_photo_of_another_size_than_annotated(of_kmodel: Stages, photo: CocoPhoto) -> None:
    with pytest.raises(AnnotationError, match="the photo has 320x240 pixels, the annotations are for 640x480"):
        stages.examine(of_kmodel, CocoPhoto(5, photo.path, (640, 480)))


def test_a_damaged_photo(of_kmodel: Stages, tmp_path: Path) -> None:
    (tmp_path / "photo.jpg").write_bytes(b"\xff\xd8 nothing")
    with pytest.raises(PhotoError, match=r"photo\.jpg"):
        stages.examine(of_kmodel, CocoPhoto(1, tmp_path / "photo.jpg", (1, 1)))
    with pytest.raises(PhotoError, match=r"photo\.jpg"):
        stages.count_poses(of_kmodel, tmp_path / "photo.jpg")


def test_false_poses_are_counted_with_the_default_threshold(of_kmodel: Stages, run: Run, photo: CocoPhoto) -> None:
    counts = stages.count_poses(of_kmodel, photo.path)
    assert counts == {stage: len(poses) for stage, poses in of_kmodel.poses(run, max_poses=5, root_score=0.5).items()}
    assert max(counts.values()) > 0
