"""The check of memory use and its negative controls: each fault is named, and shows where the check is left out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversion.errors import KpuMemoryError, ModelFormatError
from conversion.feature_map import RAM_LINES, FeatureMap
from conversion.kmodel.assemble import assemble
from conversion.kmodel.plan import HEIGHTS, WIDTHS, plan
from conversion.kmodel.registers import Registers
from conversion.kmodel.v3 import ConvLayer, DequantiseLayer, Output, V3Model
from conversion.kpu import memory
from conversion.kpu.simulator import Kpu
from tests.conversion.kmodel import networks
from tests.conversion.kpu.lively import lively

WIDTH, HEIGHT = 96, 64
# So few lines that the second depthwise layer must run in two parts, as it must at 320x240 with all channels
# while it computes every pixel.
SPLIT_LINES = 1200
FIRST_PART, SECOND_PART = 3, 4
PICTURE = np.random.default_rng(9).integers(0, 256, (3, HEIGHT, WIDTH), np.uint8)
NETWORK = lively(networks.as_compiled(seed=4, channel_divisor=2), PICTURE)
HEADS = len(NETWORK.heads)
FULL_NETWORK = networks.posenet_like()


@pytest.fixture(scope="module")
def whole() -> V3Model:
    """Planned with all of KPU RAM."""
    return assemble(NETWORK, plan(NETWORK, WIDTH, HEIGHT))


@pytest.fixture(scope="module")
def split() -> V3Model:
    """Planned with so little that one layer runs in parts."""
    return assemble(NETWORK, plan(NETWORK, WIDTH, HEIGHT, SPLIT_LINES))


@pytest.fixture(scope="module")
def expected(whole: V3Model) -> list[bytes]:
    return [head.tobytes() for head in Kpu(whole).run(PICTURE)[1:]]


def words(model: V3Model, number: int) -> Registers:
    return model.layers[number].layer.registers


def moved(model: V3Model, number: int, **fields: int) -> V3Model:
    """The model with other registers in one layer."""
    conv = model.layers[number]
    changed = replace(conv, layer=replace(conv.layer, registers=replace(conv.layer.registers, **fields)))
    return replace(model, layers=(*model.layers[:number], changed, *model.layers[number + 1 :]))


def swapped(model: V3Model, first: int, second: int) -> V3Model:
    layers = list(model.layers)
    layers[first], layers[second] = layers[second], layers[first]
    return replace(model, layers=tuple(layers))


def share_that_differs(model: V3Model, expected: list[bytes]) -> float:
    """Run a model without the check: the share of head bytes that come out otherwise."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(memory, "check", lambda model: None)
        heads = Kpu(model).run(PICTURE)[1:]
    right = np.frombuffer(b"".join(expected), np.uint8)
    return float((np.concatenate(heads) != right).mean())


def test_a_split_layer_gives_the_same_heads(split: V3Model, expected: list[bytes]) -> None:
    assert words(split, FIRST_PART).i_ch_num + words(split, SECOND_PART).i_ch_num == words(split, 5).i_ch_num
    assert [head.tobytes() for head in Kpu(split).run(PICTURE)[1:]] == expected
    assert min(len(set(head)) for head in expected) > 20


@given(st.sampled_from(WIDTHS), st.sampled_from(HEIGHTS))
def test_every_plan_passes_the_check(width: int, height: int) -> None:
    """With all channels: the largest sizes need the layer that runs in parts."""
    try:
        planned = plan(FULL_NETWORK, width, height)
    except KpuMemoryError:
        return
    memory.check(assemble(FULL_NETWORK, planned))


def test_parts_in_the_wrong_order(split: V3Model, expected: list[bytes]) -> None:
    wrong = swapped(split, FIRST_PART, SECOND_PART)
    with pytest.raises(
        KpuMemoryError, match=r"^layer 3 overwrites line 384, which layer 2 wrote and nothing has read$"
    ):
        memory.check(wrong)
    assert share_that_differs(wrong, expected) > 0.5


def test_a_layer_that_is_not_split_where_it_should_be(whole: V3Model, expected: list[bytes]) -> None:
    destination = words(whole, 3).image_src_addr - 384
    wrong = moved(moved(whole, 3, image_dst_addr=destination), 4, image_src_addr=destination)
    with pytest.raises(
        KpuMemoryError, match=r"^layer 3 writes lines \d+ to \d+ over its own source, lines \d+ to \d+$"
    ):
        memory.check(wrong)
    assert share_that_differs(wrong, expected) > 0.5


def test_a_head_over_the_features(whole: V3Model, expected: list[bytes]) -> None:
    head = len(whole.layers) - HEADS
    wrong = moved(whole, head, image_dst_addr=words(whole, head).image_src_addr)
    with pytest.raises(KpuMemoryError, match=rf"^layer {head} writes .* over its own source"):
        memory.check(wrong)
    assert share_that_differs(wrong, expected) > 0.5


def test_features_that_a_layer_between_the_heads_overwrites(whole: V3Model, expected: list[bytes]) -> None:
    """After the first head a layer that reads that head's lines and writes into what the second head will read."""
    second = len(whole.layers) - HEADS + 1
    head = whole.layers[second - 1].layer
    stray = networks.layer(np.random.default_rng(0), head.destination, 17, 1, False, 1)
    features, lines = head.registers.image_src_addr, head.registers.image_dst_addr
    registers = replace(stray.registers, image_src_addr=lines, image_dst_addr=features)
    layers = (*whole.layers[:second], ConvLayer(replace(stray, registers=registers), None), *whole.layers[second:])
    wrong = replace(whole, layers=layers)
    with pytest.raises(KpuMemoryError, match=rf"^layer {second + 1} reads what .* but layer {second} has overwritten"):
        memory.check(wrong)
    assert share_that_differs(wrong, expected) > 0.3


def test_heads_may_share_their_lines(whole: V3Model, expected: list[bytes]) -> None:
    model = whole
    for number in range(len(whole.layers) - HEADS, len(whole.layers)):
        model = moved(model, number, image_dst_addr=words(whole, len(whole.layers) - HEADS).image_dst_addr)
    assert [head.tobytes() for head in Kpu(model).run(PICTURE)[1:]] == expected


def test_a_part_that_reads_one_channel_early(split: V3Model, expected: list[bytes]) -> None:
    channel = words(split, SECOND_PART).channel_switch_addr
    wrong = moved(split, SECOND_PART, image_src_addr=words(split, SECOND_PART).image_src_addr - channel)
    with pytest.raises(
        KpuMemoryError, match=r"^layer 4 writes lines 384 to 767 over its own source, lines 736 to 1119$"
    ):
        memory.check(wrong)
    assert share_that_differs(wrong, expected) > 0.5


def test_a_part_that_writes_one_channel_early(split: V3Model, expected: list[bytes]) -> None:
    channel = words(split, SECOND_PART).wb_channel_switch_addr
    wrong = moved(split, SECOND_PART, image_dst_addr=words(split, SECOND_PART).image_dst_addr - channel)
    with pytest.raises(KpuMemoryError, match=r"^layer 4 overwrites line 352, which layer 3 wrote"):
        memory.check(wrong)
    assert share_that_differs(wrong, expected) > 0.5


def test_a_part_that_is_missing(split: V3Model) -> None:
    rest = (*split.layers[:SECOND_PART], *split.layers[SECOND_PART + 1 :])
    with pytest.raises(KpuMemoryError, match=r"^layer 4 overwrites line 768, which layer 2 wrote"):
        memory.check(replace(split, layers=rest))


def test_lines_that_nothing_has_written(whole: V3Model) -> None:
    with pytest.raises(KpuMemoryError, match=r"^layer 1 reads lines 20000 to 20383; nothing has written line 20000"):
        memory.check(moved(whole, 1, image_src_addr=20_000))


@pytest.mark.parametrize(("field", "what"), [("image_src_addr", "reads"), ("image_dst_addr", "would write")])
def test_lines_beyond_the_end(whole: V3Model, field: str, what: str) -> None:
    with pytest.raises(KpuMemoryError, match=rf"^layer 2 {what} lines 32700 to \d+; KPU RAM ends at line 32767$"):
        memory.check(moved(whole, 2, **{field: 32_700}))
    with pytest.raises(KpuMemoryError, match=r"^the picture would write lines 32700 to"):
        memory.check(moved(whole, 0, image_src_addr=32_700))


def chain(*maps: FeatureMap, lines: tuple[int, ...], sources: tuple[int, ...]) -> V3Model:
    """1x1 layers that each write the next map to its line, reading its own from where `sources` says."""
    generator = np.random.default_rng(0)
    layers = []
    for source, result, read, write in zip(maps[:-1], maps[1:], sources, lines, strict=True):
        layer = networks.layer(generator, source, result.channels, 1, False, 1)
        registers = replace(layer.registers, image_src_addr=read, image_dst_addr=write)
        layers.append(ConvLayer(replace(layer, registers=registers), None))
    size = -(-maps[-1].bytes // 8) * 8
    layers[-1] = replace(layers[-1], main_memory=0)
    return V3Model(tuple(layers), (Output(0, size),), size, 0)


def test_channels_that_nothing_reads() -> None:
    model = chain(narrow(5), narrow(6), narrow(2), lines=(100, 200), sources=(0, 100))
    reader = networks.layer(np.random.default_rng(0), narrow(4), 2, 1, False, 1)
    placed = replace(reader, registers=replace(reader.registers, image_src_addr=100, image_dst_addr=200))
    wrong = replace(model, layers=(model.layers[0], ConvLayer(placed, 0)))
    with pytest.raises(
        KpuMemoryError, match=r"^the model ends with line 106, which layer 0 wrote and nothing has read$"
    ):
        memory.check(wrong)


def narrow(channels: int, width: int = 12) -> FeatureMap:
    """Four channels share its lines."""
    return FeatureMap(channels, 6, width)


def test_channels_that_share_lines_must_all_be_there() -> None:
    memory.check(chain(narrow(5), narrow(6), narrow(2), lines=(100, 200), sources=(0, 100)))
    model = chain(narrow(5), narrow(6), narrow(2), lines=(100, 200), sources=(0, 100))
    wider = replace(narrow(6), channels=7)
    reader = networks.layer(np.random.default_rng(0), wider, 2, 1, False, 1)
    placed = replace(reader, registers=replace(reader.registers, image_src_addr=100, image_dst_addr=200))
    wrong = replace(model, layers=(model.layers[0], ConvLayer(placed, 0)))
    with pytest.raises(
        KpuMemoryError, match=r"^layer 1 reads channels of 12x6 from line 106, where layer 0 has put no"
    ):
        memory.check(wrong)


def test_a_map_of_another_size_is_not_what_is_read() -> None:
    model = chain(narrow(4), narrow(4), narrow(4), lines=(100, 200), sources=(0, 100))
    reader = networks.layer(np.random.default_rng(0), narrow(4, width=11), 4, 1, False, 1)
    placed = replace(reader, registers=replace(reader.registers, image_src_addr=100, image_dst_addr=200))
    with pytest.raises(KpuMemoryError, match=r"^layer 1 reads channels of 11x6 .* \(its 12x6 map lies at lines 100"):
        memory.check(replace(model, layers=(model.layers[0], ConvLayer(placed, 0))))


def test_the_middle_of_a_channel_is_not_where_one_begins() -> None:
    wrong = chain(narrow(4), narrow(16), narrow(4), lines=(100, 200), sources=(0, 100))
    reader = networks.layer(np.random.default_rng(0), narrow(4), 4, 1, False, 1)
    placed = replace(reader, registers=replace(reader.registers, image_src_addr=103, image_dst_addr=200))
    with pytest.raises(KpuMemoryError, match=r"^layer 1 reads channels of 12x6 from line 103"):
        memory.check(replace(wrong, layers=(wrong.layers[0], ConvLayer(placed, 0))))


def with_main_memory(*rest: DequantiseLayer, outputs: tuple[Output, ...], size: int = 2048) -> V3Model:
    """One layer that writes 4 * 6 * 12 = 288 bytes at byte 8 of main memory, and what follows it."""
    model = chain(narrow(3), narrow(4), lines=(100,), sources=(0,))
    layers = (replace(model.layers[0], main_memory=8), *rest)
    return V3Model(layers, outputs, size, 0)


def test_main_memory_is_handed_out_only_where_it_was_written() -> None:
    memory.check(with_main_memory(outputs=(Output(8, 288), Output(1, 302), Output(290, 6))))
    for number, output in enumerate((Output(0, 100), Output(8, 296), Output(1000, 8))):
        with pytest.raises(ModelFormatError, match=r"^output 1 hands out main memory that no layer has written"):
            memory.check(with_main_memory(outputs=(Output(8, 288), output)))
        assert number < 3


def test_dequantising_needs_bytes_and_room() -> None:
    outputs = (Output(8, 288),)
    memory.check(with_main_memory(DequantiseLayer(8, 296, 288, 1.0, 0.0), outputs=(Output(296, 4 * 288),)))
    with pytest.raises(ModelFormatError, match=r"^layer 1 dequantises main memory that no layer has written"):
        memory.check(with_main_memory(DequantiseLayer(8, 300, 289, 1.0, 0.0), outputs=outputs))
    with pytest.raises(ModelFormatError, match=r"^layer 1 dequantises main memory onto itself"):
        memory.check(with_main_memory(DequantiseLayer(8, 295, 288, 1.0, 0.0), outputs=outputs))


def test_whole_words_must_fit_main_memory() -> None:
    model = chain(FeatureMap(3, 5, 5), FeatureMap(1, 5, 5), lines=(100,), sources=(0,))
    memory.check(model)
    assert model.main_memory_bytes == 32
    with pytest.raises(ModelFormatError, match=r"^layer 0 is sent to main memory in words of 8 bytes, beyond its 25"):
        memory.check(replace(model, main_memory_bytes=25, outputs=(Output(0, 25),)))


def test_the_first_layer_must_take_a_picture(whole: V3Model) -> None:
    with pytest.raises(ModelFormatError, match=r"^layer 0 is not a convolution"):
        memory.check(replace(whole, layers=(DequantiseLayer(0, 8, 1, 1.0, 0.0), *whole.layers)))


def test_the_largest_map_may_end_with_the_ram() -> None:
    whole_ram = FeatureMap(64, 128, 256)
    assert whole_ram.lines == RAM_LINES
    model = chain(FeatureMap(1, 4, 4), FeatureMap(1, 4, 4), lines=(RAM_LINES - 4,), sources=(0,))
    memory.check(model)
