"""The machine: layouts in KPU RAM, noise, main memory, outputs, and what it says to wrong input."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversion.errors import ConversionError, SizeError
from conversion.feature_map import RAM_BYTES, FeatureMap
from conversion.kmodel import v3
from conversion.kmodel.assemble import assemble
from conversion.kmodel.plan import plan
from conversion.kmodel.v3 import ConvLayer, DequantiseLayer, Output, V3Model
from conversion.kpu import memory
from conversion.kpu.simulator import Kpu
from tests.conversion.kmodel import networks
from tests.conversion.kpu import layers, literal
from tests.conversion.kpu.lively import lively

PICTURE = np.random.default_rng(2).integers(0, 256, (3, 64, 64), np.uint8)
NETWORK = lively(networks.as_compiled(seed=2, channel_divisor=8, width=64, height=64), PICTURE)
MODEL = assemble(NETWORK, plan(NETWORK, 64, 64))


def identity(channels: int, height: int, width: int) -> V3Model:
    """One 1x1 layer that copies its picture."""
    source = FeatureMap(channels, height, width)
    layer = networks.layer(np.random.default_rng(0), source, channels, 1, False, 1)
    layer = replace(
        layer,
        registers=replace(layer.registers, arg_x=0),
        weights=np.eye(channels, dtype=np.uint8).tobytes(),
        batch_norm=layers.pack_batch_norm([1] * channels, [0] * channels, [0] * channels),
    )
    return layers.single(layer)


def picture(channels: int, height: int, width: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (channels, height, width), np.uint8)


@given(st.integers(1, 9), st.integers(4, 9), st.one_of(layers.WIDTHS, st.sampled_from((16, 32, 64, 128, 192))))
def test_maps_lie_in_ram_where_the_chip_looks_for_them(channels: int, height: int, width: int) -> None:
    kpu = Kpu(identity(channels, height, width))
    shown = picture(channels, height, width)
    assert kpu.run(shown)[0].tobytes() == shown.tobytes()
    for line in (0, kpu.input_map.lines):
        assert np.array_equal(kpu.ram[literal.addresses(line, channels, height, width)], shown)


def test_a_whole_network_gives_the_literal_bytes() -> None:
    outputs = [output.tobytes() for output in Kpu(MODEL).run(PICTURE)[1:]]
    assert outputs == literal.run_file(v3.write(MODEL), PICTURE)[1:]
    assert min(len(set(output)) for output in outputs) > 30


def test_results_do_not_depend_on_the_noise_or_on_what_ran_before() -> None:
    first, second = Kpu(MODEL, seed=1), Kpu(MODEL, seed=2)
    assert not np.array_equal(first.ram, second.ram)
    expected = [output.tobytes() for output in first.run(PICTURE)[1:]]
    second.run(255 - PICTURE)
    assert [output.tobytes() for output in second.run(PICTURE)[1:]] == expected
    assert len(first.ram) == RAM_BYTES


def test_a_destination_is_noise_before_the_layer_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    """A layer that copies its source onto itself copies noise: on the chip, what it reads last may be its own."""
    model = identity(3, 8, 40)
    first = model.layers[0]
    source = first.layer.registers.image_src_addr
    onto_itself = replace(first.layer, registers=replace(first.layer.registers, image_dst_addr=source))
    shown = picture(3, 8, 40)
    assert Kpu(model).run(shown)[0].tobytes() == shown.tobytes()
    monkeypatch.setattr(memory, "check", lambda model: None)
    copied = Kpu(replace(model, layers=(replace(first, layer=onto_itself),))).run(shown)[0]
    assert (copied != shown.ravel()).mean() > 0.9


def test_memory_starts_random() -> None:
    assert len(np.unique(Kpu(MODEL).ram)) == len(np.unique(Kpu(MODEL).main_memory)) == 256


def test_a_result_is_not_changed_by_later_runs() -> None:
    kpu = Kpu(MODEL)
    outputs = kpu.run(PICTURE)
    copies = [output.copy() for output in outputs]
    kpu.run(255 - PICTURE)
    assert all(np.array_equal(output, copy) for output, copy in zip(outputs, copies, strict=True))


def test_output_0_is_the_block_that_the_heads_lie_in() -> None:
    block, *heads = Kpu(MODEL).run(PICTURE)
    for entry, head in zip(MODEL.outputs[1:], heads, strict=True):
        assert block[entry.address : entry.address + entry.size].tobytes() == head.tobytes()


def test_the_trace_gives_every_layer() -> None:
    kpu = Kpu(MODEL)
    results = list(kpu.trace(PICTURE))
    assert [number for number, _ in results] == list(range(len(MODEL.layers)))
    values = PICTURE
    for (number, result), layer in zip(results[: len(NETWORK.body)], MODEL.convolutions, strict=False):
        parts = layer.layer
        values = literal.compute(parts.registers.pack(), parts.weights, parts.batch_norm, parts.activation, values)
        assert np.array_equal(result, values), f"layer {number}"
    heads = kpu.run(PICTURE)[1:]
    for (_, result), head in zip(results[-len(heads) :], heads, strict=True):
        assert result.tobytes() == head.tobytes()


def test_the_last_word_of_a_transfer_is_written_whole() -> None:
    """Two heads of 25 bytes, side by side: what is sent first is spoilt if it lies behind what is sent next."""
    first = identity(1, 5, 5).layers[0]
    model = V3Model((first, replace(first, main_memory=25)), (Output(0, 25), Output(25, 25)), 64, 0)
    source = first.layer.registers.image_src_addr
    second = replace(first.layer, registers=replace(first.layer.registers, image_dst_addr=source + 20))
    model = replace(model, layers=(first, ConvLayer(second, 25)))
    shown = picture(1, 5, 5)
    assert [output.tobytes() for output in Kpu(model).run(shown)] == [shown.tobytes()] * 2
    swapped = replace(model, layers=(ConvLayer(second, 25), first))
    assert Kpu(swapped).run(shown)[1].tobytes() != shown.tobytes()


def test_dequantising_makes_floats() -> None:
    conv = identity(2, 4, 4)
    model = replace(
        conv,
        layers=(*conv.layers, DequantiseLayer(0, 32, 32, 0.25, -3.5)),
        outputs=(Output(32, 128),),
        main_memory_bytes=160,
    )
    shown = picture(2, 4, 4)
    (values,) = Kpu(v3.read(v3.write(model), "floats")).run(shown)
    assert np.array_equal(values.view(np.float32), shown.reshape(-1) * np.float32(0.25) - np.float32(3.5))
    assert values.tobytes() == literal.run_file(v3.write(model), shown)[0]


@pytest.mark.parametrize(
    ("wrong", "got"),
    [
        (np.zeros((3, 64, 65), np.uint8), "uint8 3 x 64 x 65"),
        (np.zeros((64, 64, 3), np.uint8), "uint8 64 x 64 x 3"),
        (np.zeros((1, 3, 64, 64), np.uint8), "uint8 1 x 3 x 64 x 64"),
        (np.zeros((3, 64, 64), np.float32), "float32 3 x 64 x 64"),
    ],
)
def test_another_picture_is_refused_in_one_line(wrong: np.ndarray, got: str) -> None:
    with pytest.raises(SizeError, match=rf"^the model takes uint8 planes of 3 x 64 x 64 .*, got {got}$"):
        Kpu(MODEL).run(wrong)


SMALL = v3.write(identity(2, 4, 5))


@given(st.lists(st.tuples(st.integers(0, len(SMALL) - 1), st.integers(0, 255)), min_size=1, max_size=4))
def test_damaged_files_run_or_are_refused(changes: list[tuple[int, int]]) -> None:
    data = bytearray(SMALL)
    for position, value in changes:
        data[position] = value
    try:
        model = v3.read(bytes(data), "damaged")
        kpu = Kpu(model)
    except ConversionError:
        return
    source = kpu.input_map
    shown = picture(source.channels, source.height, source.width)
    outputs = kpu.run(shown)
    assert [len(output) for output in outputs] == [output.size for output in model.outputs]
