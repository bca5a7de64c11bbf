"""Through TensorFlow, nncase and back: every code survives, and what does not is noticed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from conversion import network, photos
from conversion.errors import CompilerError
from conversion.kmodel import assemble, v5
from conversion.kmodel.kpu_network import Head, KpuNetwork
from conversion.kmodel.plan import plan
from conversion.kpu.simulator import Kpu
from conversion.nncase import compiler
from conversion.quantisation import emulation, quantise
from conversion.quantisation.result import QuantisedNetwork
from tests.conversion.quantisation import small

CODES = 1_251_024


@pytest.fixture(scope="module")
def compiled(quantised: QuantisedNetwork) -> KpuNetwork:
    tflite = quantise.to_tflite(quantised, *small.SIZE)
    kmodel = compiler.compile_kmodel(tflite, quantise.planes(quantised), quantise.input_range(quantised))
    return v5.read(kmodel, "the kmodel")


def test_every_code_is_read_back_from_the_compiled_network(compiled: KpuNetwork, quantised: QuantisedNetwork) -> None:
    assert quantise.verify(compiled, quantised) == CODES


def test_the_kpu_computes_the_quantised_network(compiled: KpuNetwork, quantised: QuantisedNetwork) -> None:
    """Not byte for byte: the KPU rounds batch norm on the way. By layers that adds up to a few bytes at the heads."""
    real = quantise.with_head_scales(compiled, quantised)
    kpu = Kpu(assemble.assemble(real, plan(real, *small.SIZE)))
    pictures = small.pictures(3, seed=5)
    emulated = emulation.run(quantised, pictures)
    for number, planes in enumerate(photos.planes(pictures)):
        for name, head, output in zip(network.HEAD_NAMES, real.heads, kpu.run(planes)[1:], strict=True):
            expected = emulated[name][number] / head.scale + head.zero_point
            difference = np.abs(output.reshape(expected.shape) - expected)
            assert difference.mean() < 1.5, name
            assert difference.max() < 16, name


def test_heads_get_their_real_scales(compiled: KpuNetwork, quantised: QuantisedNetwork) -> None:
    real = quantise.with_head_scales(compiled, quantised)
    for name, head in zip(network.HEAD_NAMES, real.heads, strict=True):
        assert (head.scale, head.zero_point) == (
            quantised.head_scales[name].scale,
            quantised.head_scales[name].zero_point,
        )
    assert real.body == compiled.body


@pytest.mark.parametrize("place", ["body", "heads"])
def test_one_changed_code_is_noticed(compiled: KpuNetwork, quantised: QuantisedNetwork, place: str) -> None:
    layer = compiled.body[7] if place == "body" else compiled.heads[1].layer
    weights = bytearray(layer.weights)
    weights[100] ^= 1
    changed = replace(layer, weights=bytes(weights))
    if place == "body":
        spoilt = replace(compiled, body=(*compiled.body[:7], changed, *compiled.body[8:]))
    else:
        spoilt = replace(compiled, heads=(compiled.heads[0], Head(changed, 1.0, 0), *compiled.heads[2:]))
    name = network.BODY[7].name if place == "body" else "offset"
    with pytest.raises(CompilerError, match=f"^layer {name}: 1 of {len(weights)} weights changed in nncase$"):
        quantise.verify(spoilt, quantised)


def test_another_range_is_noticed(compiled: KpuNetwork, quantised: QuantisedNetwork) -> None:
    """A channel's batch norm multiplied by 1.03: what nncase does where no photo saturates a layer."""
    layer = compiled.body[3]
    words = np.frombuffer(layer.batch_norm, "<u8").copy()
    multiplier = int(words[5] & 0xFFFFFF)
    words[5] = (int(words[5]) & ~0xFFFFFF) | int(multiplier * 1.03)
    spoilt = replace(
        compiled, body=(*compiled.body[:3], replace(layer, batch_norm=words.tobytes()), *compiled.body[4:])
    )
    with pytest.raises(CompilerError, match=r"^layer depthwise2: nncase's ranges are not the chosen ones"):
        quantise.verify(spoilt, quantised)


def test_a_head_that_is_not_in_bytes_is_refused(compiled: KpuNetwork, quantised: QuantisedNetwork) -> None:
    spoilt = replace(compiled, heads=(*compiled.heads[:3], Head(compiled.heads[3].layer, 0.998, 0)))
    with pytest.raises(CompilerError, match=r"^head displacement_bwd: nncase gave it scale 0.998 and zero point 0"):
        quantise.with_head_scales(spoilt, quantised)


def test_a_network_of_other_layers_is_refused(compiled: KpuNetwork, quantised: QuantisedNetwork) -> None:
    with pytest.raises(CompilerError, match="nncase made 26 layers and 4 heads, not 27 and 4"):
        quantise.verify(replace(compiled, body=compiled.body[:-1]), quantised)
