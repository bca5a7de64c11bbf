"""The graph: equal to the published network where it must be, unequal elsewhere, and a moved padding is found out."""

import tempfile
from pathlib import Path

import numpy as np
import pytest

from conversion import input_pixels, network, photos
from conversion import weights as weights_files
from conversion.errors import ProofError
from conversion.posenet_weights import FLOAT_NORMALISATION, Normalisation, PoseNetWeights
from conversion.tensorflow import graph, proof, published
from tests.conversion.weights.weight_files import random_weights, write_tfjs_graph
from tests.samples import sample

COMPILED = (256, 192)


@pytest.fixture(scope="module")
def random_network(tmp_path_factory: pytest.TempPathFactory) -> PoseNetWeights:
    return weights_files.load(write_tfjs_graph(tmp_path_factory.mktemp("graph"), random_weights()).parent)


@pytest.fixture(scope="module")
def random_tflite(random_network: PoseNetWeights) -> bytes:
    return graph.to_tflite(random_network, *COMPILED)


def test_tensorflow_writes_no_files_of_its_own(
    random_network: PoseNetWeights, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its translator of Python does, `__autograph_generated_file…`, and they stay where a command is stopped."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    graph.build(random_network, 64, 64)(photo(64, 64))
    graph.to_tflite(random_network, 64, 64)
    assert not list(tmp_path.rglob("*autograph*"))


def photo(width: int, height: int) -> np.ndarray:
    return photos.letterbox(photos.bundled(photos.SAMPLE), width, height)[None]


def test_the_published_network_is_proved_equal(tfjs_graph_dir: Path) -> None:
    weights = weights_files.load(tfjs_graph_dir)
    shown = proof.prove(weights, graph.to_tflite(weights, *COMPILED))
    assert set(shown.published) == {"321x241", "225x225"}
    assert set(shown.tflite) == {"256x192"}
    assert max(max(heads.values()) for heads in shown.published.values()) <= 1e-4
    assert max(shown.tflite["256x192"].values()) <= 1e-3


def test_so_is_a_random_network_of_its_structure(random_network: PoseNetWeights, random_tflite: bytes) -> None:
    shown = proof.prove(random_network, random_tflite)
    assert {name for heads in shown.published.values() for name in heads} == set(network.HEAD_NAMES)


@pytest.mark.parametrize("layer", sample(sorted(graph.SYMMETRIC_PADS), 1))
def test_one_padding_moved_fails_the_proof(layer: str, random_network: PoseNetWeights, random_tflite: bytes) -> None:
    moved = {**graph.SYMMETRIC_PADS, layer: ((0, 2), (1, 1))}
    with pytest.raises(ProofError, match="the published network and the re-padded one disagree at 321x241"):
        proof.prove(random_network, random_tflite, moved)


def test_a_tflite_file_of_other_weights_fails_the_proof(random_network: PoseNetWeights) -> None:
    other = graph.to_tflite(random_weights(seed=2), *COMPILED)
    with pytest.raises(ProofError, match="the TFLite file for nncase disagree at 256x192"):
        proof.prove(random_network, other)


@pytest.mark.parametrize("size", [(256, 192), (320, 240)])
def test_at_other_sizes_the_published_padding_is_another_network(
    size: tuple[int, int], random_network: PoseNetWeights
) -> None:
    theirs, ours = (
        published.published(random_network).run(photo(*size)),
        graph.build(random_network, *size)(photo(*size)),
    )
    assert all(theirs[name].shape == ours[name].shape for name in network.HEAD_NAMES)
    assert min(proof.differences(theirs, ours).values()) > 0.1


def test_heads_have_the_grid_of_the_resolution_formula(random_network: PoseNetWeights) -> None:
    heads = graph.build(random_network, 321, 241)(photo(321, 241))
    grid = (network.resolution(241), network.resolution(321))
    assert {name: head.shape for name, head in heads.items()} == {
        head.name: (1, head.channels, *grid) for head in network.HEADS
    }


def test_pictures_do_not_depend_on_their_batch(random_network: PoseNetWeights) -> None:
    pictures = np.random.default_rng(0).integers(0, 256, (19, 64, 64, 3), np.uint8)
    run = graph.build(random_network, 64, 64)
    one_by_one = [run(picture[None])["offset"][0] for picture in pictures]
    np.testing.assert_allclose(run(pictures)["offset"], np.stack(one_by_one), atol=1e-3)


@pytest.mark.parametrize(
    ("normalisation", "expected"),
    [(FLOAT_NORMALISATION, (-256 / 255, 254 / 255)), (Normalisation(1 / 128, -1.0), (-1.0, 127 / 128))],
)
def test_the_padding_byte_is_zero_in_the_graph_for_nncase(
    normalisation: Normalisation, expected: tuple[float, float]
) -> None:
    low, high = input_pixels.value_range(normalisation)
    assert (low, high) == pytest.approx(expected, abs=1e-12)
    assert low + input_pixels.PAD_PIXEL * (high - low) / 255 == pytest.approx(0, abs=1e-12)
    for pixel in (0, 77, 255):
        in_graph = low + pixel * (high - low) / 255 + input_pixels.rest(normalisation)
        assert in_graph == pytest.approx(pixel * normalisation.scale + normalisation.offset, abs=1e-12)
