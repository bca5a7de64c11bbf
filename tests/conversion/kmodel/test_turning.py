"""Turned networks: byte for byte the upright network on the turned picture, at the size of the preset and others."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from conversion import photos, pipeline, portrait, presets, weights
from conversion.kmodel import plan, sampling, turning, v3
from conversion.kmodel.kpu_network import KpuNetwork
from conversion.kmodel.plan import HEIGHTS, SIZE_STEP, WIDTHS
from conversion.kpu.posenet import Simulation
from conversion.pipeline import Recipe
from conversion.progress import silent
from conversion.quantisation import calibration, choice
from tests.conversion.evaluation import plain_kmodel
from tests.conversion.kmodel import networks
from tests.conversion.kpu.lively import lively
from tests.conversion.kpu.running import model, noise
from tests.conversion.weights import weight_files

PRESET = presets.PRESETS["portrait"]
SMALL = lively(networks.as_compiled(seed=6, channel_divisor=4, width=96, height=80), noise(96, 80))


@pytest.fixture
def tall(monkeypatch: pytest.MonkeyPatch) -> None:
    """The KPU's own limit of 256 rows lifted: nobody has run more, and no kmodel is made with more."""
    monkeypatch.setattr(plan, "HEIGHTS", range(HEIGHTS[0], WIDTHS[-1] + 1, SIZE_STEP))


def differing(network: KpuNetwork, width: int, height: int, pictures: list[np.ndarray], turn=turning.turned) -> int:
    """Bytes of the heads that differ between the turned network, on pictures that lie in memory of that size, and the
    upright one on the same as people stand in them; planes uint8 [3, width, height]."""
    lying = Simulation(model(sampling.early(turn(network)), width, height), "turned", True)
    standing = Simulation(model(sampling.early(network), height, width), "upright")
    assert lying.picture == (standing.width, standing.height)
    count = 0
    for picture in pictures:
        found, expected = lying.upright(lying.heads(lying.in_memory(picture))), standing.heads(picture)
        count += sum(int((found[name] != expected[name]).sum()) for name in expected)
    return count


@pytest.mark.parametrize(("width", "height"), [(96, 80), (64, 128), (144, 64), (272, 80)])
@pytest.mark.usefixtures("tall")
def test_a_turned_network_is_the_upright_one_on_the_turned_picture(width: int, height: int) -> None:
    """At maps that share a line by four, by two and not at all, on either side."""
    assert differing(SMALL, width, height, [noise(height, width), 255 - noise(height, width)]) == 0


def only_kernels(network: KpuNetwork) -> KpuNetwork:
    return replace(turning.turned(network), heads=network.heads)


def only_heads(network: KpuNetwork) -> KpuNetwork:
    return replace(turning.turned(network), body=network.body)


@pytest.mark.parametrize("half", [only_kernels, only_heads])
@pytest.mark.usefixtures("tall")
def test_half_of_it_is_not_enough(half) -> None:
    cells = (96 // 16) * (80 // 16) * 115
    assert differing(SMALL, 96, 80, [noise(80, 96)], half) > cells // 4


def test_turned_twice_is_as_it_was() -> None:
    turned = turning.turned(SMALL)
    assert turned != SMALL
    assert turning.turned(turned) == SMALL


def test_the_same_in_a_file() -> None:
    """Parts that run dense, too: what is read back from a turned file is the upright network's."""
    upright = model(sampling.early(SMALL), 96, 80)
    turned = model(sampling.early(turning.turned(SMALL)), 96, 80)
    assert turning.turned_file(turned) == upright
    assert v3.write(turned) != v3.write(upright)


def people(request: pytest.FixtureRequest, count: int) -> list[np.ndarray]:
    """Upright pictures of the preset's size, planes: photos of people, else what scikit-image ships."""
    try:
        paths: list[Path] = request.getfixturevalue("people_photos")[:count]
        found = [photos.read(path) for path in paths]
    except pytest.skip.Exception:
        found = [photos.bundled(name) for name in calibration.PEOPLE + calibration.SCENES]
    return [photos.planes(photos.letterbox(photo, *portrait.size(PRESET.size))) for photo in found]


@pytest.mark.usefixtures("tall")
def test_the_published_network_at_the_size_of_the_preset(request: pytest.FixtureRequest) -> None:
    try:
        source = weights.load(request.getfixturevalue("tfjs_graph_dir"))
    except pytest.skip.Exception:
        source = weight_files.random_weights()
    assert differing(plain_kmodel.as_compiled(source), *PRESET.size, people(request, 3)) == 0


@pytest.mark.soak
@pytest.mark.usefixtures("tall")
def test_the_shipped_rounding_turned_on_twenty_photos(tfjs_graph_dir: Path, request: pytest.FixtureRequest) -> None:
    """As `make kmodel PRESET=portrait` makes it: the same codes."""
    recipe = Recipe(Path(), *PRESET.size, tfjs_graph_dir, turned=True)
    made = pipeline.convert(recipe, False, silent)
    assert made.card["quantisation"]["recipe"] == choice.SHIPPED
    upright = pipeline.convert(replace(recipe, turned=False), False, silent)
    assert turning.turned_file(v3.read(made.data, "turned")) == v3.read(upright.data, "upright")
    network = turning.turned(made.compiled.network)
    standing = Simulation(model(network, *portrait.size(PRESET.size)), "upright")
    lying = Simulation(v3.read(made.data, "turned"), "turned", True)
    for picture in people(request, 20):
        found, expected = lying.upright(lying.heads(lying.in_memory(picture))), standing.heads(picture)
        assert all(np.array_equal(found[name], expected[name]) for name in expected)


@pytest.mark.soak
@pytest.mark.usefixtures("tall")
@pytest.mark.parametrize("width", WIDTHS)
def test_every_size_turned_on_noise(width: int) -> None:
    """A network of few channels, which fits KPU RAM at any size."""
    for height in HEIGHTS:
        assert differing(SMALL, width, height, [noise(height, width)]) == 0, f"{width}x{height}"
