"""The simulator against nncase's own, without nncase: small networks that it compiled and ran.

`python -m tests.golden.regenerate_kpu` makes tests/golden/kpu/ anew; the files hold what nncase 1.9.0.20230322 gave.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from conversion.kmodel import v3, v5
from conversion.kmodel.assemble import assemble
from conversion.kmodel.kpu_network import KpuNetwork
from conversion.kmodel.layer import KpuLayer
from conversion.kmodel.plan import plan
from conversion.kmodel.v3 import ConvLayer, Output, V3Model
from conversion.kpu.arithmetic import LayerArithmetic
from conversion.kpu.simulator import Kpu
from tests.conversion.kpu import literal
from tests.golden import regenerate_kpu
from tests.golden.regenerate_kpu import GoldenNetwork

NAMES = [network.name for network in regenerate_kpu.NETWORKS]


@dataclass(frozen=True)
class Golden:
    """One file: the network as nncase compiled it, and what nncase made of the pictures, [N, C, h, w] a head."""

    made_from: GoldenNetwork
    network: KpuNetwork
    heads: list[np.ndarray]
    relinked_heads: list[np.ndarray]

    @property
    def layers(self) -> list[KpuLayer]:
        return [*self.network.body, *(head.layer for head in self.network.heads)]


def load(made_from: GoldenNetwork) -> Golden:
    with np.load(regenerate_kpu.FOLDER / f"{made_from.name}.npz") as stored:
        network = v5.read(stored["kmodel"].tobytes(), made_from.name)
        heads, relinked = (
            [stored[name] for name in sorted(stored.files) if name.startswith(kind)]
            for kind in ("head_", "relinked_head_")
        )
    return Golden(made_from, network, heads, relinked)


GOLDEN = {network.name: load(network) for network in regenerate_kpu.NETWORKS}


def of_picture(heads: list[np.ndarray], number: int) -> list[bytes]:
    return [head[number].tobytes() for head in heads]


def at_nncase_addresses(network: KpuNetwork) -> V3Model:
    """The network as a V3 model that uses KPU RAM just as nncase planned it."""
    layers = [ConvLayer(layer, None) for layer in network.body]
    outputs, address = [], 0
    for head in network.heads:
        layers.append(ConvLayer(head.layer, address))
        outputs.append(Output(address, head.layer.destination.bytes))
        address += -(-head.layer.destination.bytes // 8) * 8
    return V3Model(tuple(layers), tuple(outputs), address, 0)


@pytest.mark.parametrize("name", NAMES)
def test_the_simulator_gives_the_bytes_of_nncase(name: str) -> None:
    golden = GOLDEN[name]
    kpu = Kpu(v3.read(v3.write(at_nncase_addresses(golden.network)), name))
    for number, picture in enumerate(golden.made_from.pictures()):
        assert [output.tobytes() for output in kpu.run(picture)] == of_picture(golden.heads, number)


@pytest.mark.parametrize("name", NAMES)
def test_the_literal_kpu_gives_the_bytes_of_nncase(name: str) -> None:
    """The oracle of the other tests is itself held against nncase."""
    golden = GOLDEN[name]
    data = v3.write(at_nncase_addresses(golden.network))
    assert literal.run_file(data, golden.made_from.pictures()[0]) == of_picture(golden.heads, 0)


def test_relinked_layers_give_what_nncase_gives_at_that_size() -> None:
    golden = GOLDEN["posenet_like"]
    assert golden.relinked_heads
    resized = golden.made_from.resized()
    for made_from, heads in ((golden.made_from, golden.heads), (resized, golden.relinked_heads)):
        planned = plan(golden.network, made_from.width, made_from.height)
        kpu = Kpu(v3.read(v3.write(assemble(golden.network, planned)), "relinked"))
        for number, picture in enumerate(made_from.pictures()):
            block, *outputs = kpu.run(picture)
            assert [output.tobytes() for output in outputs] == of_picture(heads, number)
            assert block[: len(outputs[0])].tobytes() == outputs[0].tobytes()


@pytest.mark.parametrize("name", NAMES)
def test_the_heads_are_worth_comparing(name: str) -> None:
    for head in GOLDEN[name].heads + GOLDEN[name].relinked_heads:
        assert len(np.unique(head)) > 60
        assert not np.array_equal(head[0], head[1])


def test_together_they_cover_what_nncase_makes() -> None:
    layers = [layer for golden in GOLDEN.values() for layer in golden.layers]
    assert {layer.destination.groups for layer in layers} == {1, 2, 4}
    assert {layer.destination.row_lines for layer in layers} == {1, 2}
    assert {layer.registers.pool_type for layer in layers} == {0, 1, 5}
    assert {(layer.depthwise, layer.kernel) for layer in layers} == {(False, 1), (False, 3), (True, 3)}
    assert max(layer.registers.load_time for layer in layers) > 1
    assert any(layer.destination.channels % layer.destination.groups for layer in layers)
    prepared = [LayerArithmetic(layer, "golden").activation for layer in layers]
    assert {activation.fast for activation in prepared} == {True, False}
    assert {activation.table.rises for activation in prepared} == {True, False}


@pytest.mark.soak
@pytest.mark.parametrize("name", NAMES)
def test_nncase_still_gives_what_is_kept(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with np.load(regenerate_kpu.FOLDER / f"{name}.npz") as stored:
        kept = {array: stored[array] for array in stored.files}
    monkeypatch.setattr(regenerate_kpu, "FOLDER", tmp_path)
    with np.load(regenerate_kpu.regenerate(GOLDEN[name].made_from)) as stored:
        assert sorted(stored.files) == sorted(kept)
        assert all(np.array_equal(stored[array], kept[array]) for array in kept)
