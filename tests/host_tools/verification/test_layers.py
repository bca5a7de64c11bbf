"""Where to look: ranges of the kmodel that do what they are said to, and layers that can be at fault."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from conversion import network
from conversion.feature_map import RAM_BYTES
from conversion.kmodel import v3
from conversion.kmodel.assemble import assemble
from conversion.kmodel.plan import plan
from conversion.kpu.posenet import Simulation
from host_tools.verification import comparison, layers
from host_tools.verification.model import Model
from tests.conversion.kmodel.networks import posenet_like
from tests.host_tools.virtual_board import kmodels


def planes() -> np.ndarray:
    return np.random.default_rng(9).integers(0, 256, (3, kmodels.HEIGHT, kmodels.WIDTH), np.uint8)


def changed_by(model: Model, at: int) -> list[tuple[str, tuple[int, ...]]]:
    """The heads and channels that change with one byte of the kmodel."""
    data = bytearray(model.data)
    data[at] ^= 0x55
    other = Simulation(v3.read(bytes(data), "changed"), "changed")
    difference = comparison.compare_heads(model.simulation.heads(planes()), other.heads(planes()))
    return [(head.name, head.channels) for head in difference.heads] if difference else []


@pytest.mark.parametrize("head", network.HEADS, ids=network.HEAD_NAMES)
@pytest.mark.parametrize("channel", [1, 12])
def test_weights_and_batch_norm_of_a_channel_are_where_they_are_said_to_be(
    model: Model, head: network.HeadSpec, channel: int
) -> None:
    """Changed bytes at both ends change this channel, those beside it the neighbours."""
    weights, batch_norm = layers.parameters_of(model, head.name, channel)
    assert batch_norm[1] - batch_norm[0] == 8
    its, before, behind = ([(head.name, (channel + off,))] for off in (0, -1, 1))
    assert changed_by(model, weights[0]) == changed_by(model, weights[1] - 1) == its
    assert changed_by(model, weights[0] - 1) == before
    assert changed_by(model, weights[1]) == behind
    assert changed_by(model, batch_norm[0] + 1) == its


def test_the_table_has_every_layer_with_its_places(model: Model) -> None:
    places = layers.table(model, network.HEAD_NAMES)
    names = dict.fromkeys(place.name.split()[0] for place in places)
    assert list(names) == [spec.name for spec in network.BODY] + list(network.HEAD_NAMES)
    for place, conv in zip(places, model.kmodel.convolutions, strict=True):
        start, end = place.parameters
        for block in (conv.layer.weights, conv.layer.batch_norm, conv.layer.activation):
            assert block in model.data[start:end]
        for first, behind in (place.kpu_source, place.kpu_result):
            assert 0 <= first < behind <= RAM_BYTES
    memory = [place.main_memory for place in places if place.main_memory]
    assert memory == [(output.address, output.address + output.size) for output in model.kmodel.outputs[1:]]


@pytest.mark.parametrize("wrong", [("offset",), ("heatmap", "displacement_bwd"), network.HEAD_NAMES])
def test_if_one_head_is_right_all_layers_before_the_heads_are(model: Model, wrong: tuple[str, ...]) -> None:
    suspects = {place.name.split()[0] for place in layers.table(model, wrong) if place.suspect}
    body = {spec.name for spec in network.BODY}
    assert suspects == (set(wrong) if len(wrong) < 4 else body | set(wrong))


def test_the_parts_of_a_layer_that_is_split_are_numbered(tmp_path: Path) -> None:
    full = posenet_like(0, channel_divisor=1, width=320, height=240)
    kmodel = assemble(full, plan(full, 320, 240))
    model = Model(tmp_path, v3.write(kmodel), kmodel, {}, Simulation(kmodel, "split"))
    names = [place.name for place in layers.table(model, ("offset",))]
    assert names[3:7] == ["depthwise2 1/3", "depthwise2 2/3", "depthwise2 3/3", "pointwise2"]
    whole = [name for name in names if " " not in name]
    in_parts = ("depthwise2", "depthwise4", "depthwise6")
    assert whole == [spec.name for spec in network.BODY if spec.name not in in_parts] + list(network.HEAD_NAMES)
    assert [place.name for place in layers.table(model, ("offset",)) if place.suspect] == ["offset"]
