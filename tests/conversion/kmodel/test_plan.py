"""The KPU RAM planner: published figures, the rules that keep maps apart, and sizes that cannot be."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversion import card
from conversion.errors import KpuMemoryError, SizeError
from conversion.feature_map import RAM_LINES, FeatureMap
from conversion.kmodel import plan as planning
from conversion.kmodel.assemble import assemble
from conversion.kmodel.kpu_network import Head, KpuNetwork
from conversion.kmodel.layer import check
from conversion.kmodel.plan import RamPlan, placed_layers
from conversion.kpu import memory
from tests.conversion.kmodel.networks import as_compiled, layer, posenet_like

NETWORK = posenet_like()
AS_COMPILED = as_compiled()


def plan(width: int, height: int, lines: int = RAM_LINES) -> RamPlan:
    return planning.plan(NETWORK, width, height, lines)


@pytest.mark.parametrize(
    ("width", "groups", "row_lines", "lines"),
    [(16, 4, 1, 5 * 7), (17, 2, 1, 9 * 7), (32, 2, 1, 9 * 7), (33, 1, 1, 17 * 7), (65, 1, 2, 17 * 14)],
)
def test_a_map_takes_the_lines_that_the_kpu_gives_it(width: int, groups: int, row_lines: int, lines: int) -> None:
    feature_map = FeatureMap(17, 7, width)
    assert (feature_map.groups, feature_map.row_lines, feature_map.lines) == (groups, row_lines, lines)


# Layers, bytes of main memory and KiB of KPU RAM as the planning experiments found them.
@pytest.mark.parametrize(
    ("width", "height", "layers", "main_memory", "peak_kib"),
    [
        (160, 128, 49, 9_200, 576),
        (224, 224, 49, 22_544, 1008),
        (256, 192, 49, 22_080, 864),
        (320, 192, 49, 27_600, 1296),
        (320, 224, 49, 32_200, 1512),
        (320, 240, 49, 34_504, 1620),
        (320, 256, 49, 36_800, 1728),
        (384, 256, 49, 44_160, 1728),
        (512, 224, 49, 51_520, 2016),
    ],
)
def test_known_sizes(width: int, height: int, layers: int, main_memory: int, peak_kib: int) -> None:
    the_plan = plan(width, height)
    assert len(the_plan.steps) == layers
    assert assemble(NETWORK, the_plan).main_memory_bytes == main_memory
    assert the_plan.peak_bytes == peak_kib * 1024


@pytest.mark.parametrize(
    ("width", "height", "layers", "peak_kib"), [(256, 192, 31, 1152), (320, 240, 32, 1800), (512, 224, 32, 2016)]
)
def test_known_sizes_as_nncase_compiles_it(width: int, height: int, layers: int, peak_kib: int) -> None:
    the_plan = planning.plan(AS_COMPILED, width, height)
    assert (len(the_plan.steps), the_plan.peak_bytes) == (layers, peak_kib * 1024)


def test_the_layers_that_drop_pixels_run_in_equal_parts_of_16_channels() -> None:
    the_plan = plan(320, 240)
    assert the_plan.split_layers == {3: 3, 7: 6, 11: 12}
    assert {len(step.channels) for step in the_plan.body if step.number in the_plan.split_layers} == {16}


def test_useful_work_does_not_count_what_is_dropped() -> None:
    """9 products a channel and pixel kept; the dense layers execute 16 times as many on four times the pixels."""
    useful, executed = card.work(NETWORK, plan(320, 240))
    late_useful, late_executed = card.work(AS_COMPILED, planning.plan(AS_COMPILED, 320, 240))
    pixels = {48: 160 * 120, 96: 80 * 60, 192: 40 * 30}
    dropped = sum(9 * channels * count * 3 // 4 for channels, count in pixels.items())
    assert useful == late_useful - dropped
    assert round(useful / 1e5) == 5335
    dense = sum(9 * 15 * channels * count for channels, count in pixels.items())
    pointwise = sum(
        channels * outputs * pixels[channels] * 3 // 4 for channels, outputs in ((48, 96), (96, 192), (192, 384))
    )
    assert executed == late_executed + dense - pointwise


def test_a_layer_that_does_not_fit_is_split_in_two_as_nncase_compiles_it() -> None:
    first, second = [step for step in planning.plan(AS_COMPILED, 320, 240).body if step.number == 3]
    assert (first.channels, second.channels) == (range(24), range(24, 48))
    assert planning.plan(AS_COMPILED, 320, 240).split_layers == {3: 2}
    assert planning.plan(AS_COMPILED, 320, 224).split_layers == {}
    assert (first.source.line, first.destination.line) == (11_520, 0)
    assert (second.source.line, second.destination.line) == (20_160, 8_640)


sizes = st.tuples(st.sampled_from(list(planning.WIDTHS)), st.sampled_from(list(planning.HEIGHTS)))


@given(sizes)
def test_no_layer_writes_what_it_or_a_later_part_still_reads(size: tuple[int, int]) -> None:
    the_plan = _plan_or_none(*size)
    if the_plan is None:
        return
    for position, step in enumerate(the_plan.steps):
        assert max(step.source.end, step.destination.end) <= the_plan.peak_lines <= RAM_LINES
        later = [step, *(other for other in the_plan.steps[position + 1 :] if _same_source(step, other, the_plan))]
        written = range(step.destination.line, step.destination.end)
        for reader in later:
            read = range(reader.source.line, reader.source.end)
            assert written.stop <= read.start or read.stop <= written.start, (step, reader)


def _same_source(step: planning.Step, other: planning.Step, the_plan: RamPlan) -> bool:
    return other.number == step.number or (step in the_plan.heads and other in the_plan.heads)


@given(sizes)
def test_every_layer_reads_what_the_layer_before_it_wrote(size: tuple[int, int]) -> None:
    the_plan = _plan_or_none(*size)
    if the_plan is None:
        return
    groups = itertools.groupby(the_plan.body, key=lambda step: step.number)
    written = (the_plan.picture.line, the_plan.picture.end, the_plan.picture.map.channels)
    for _, group in groups:
        steps = sorted(group, key=lambda step: step.channels.start)
        assert (steps[0].source.line, steps[-1].source.end, _channels(steps, "source")) == written
        for one, following in itertools.pairwise(steps):
            assert one.source.end == following.source.line
            assert one.destination.end == following.destination.line
            assert len(one.channels) % one.source.map.groups == 0
        written = (steps[0].destination.line, steps[-1].destination.end, _channels(steps, "destination"))
    for head in the_plan.heads:
        assert (head.source.line, head.source.end, head.source.map.channels) == written


def _channels(steps: list[planning.Step], side: str) -> int:
    return sum(getattr(step, side).map.channels for step in steps)


def _plan_or_none(width: int, height: int) -> RamPlan | None:
    try:
        return plan(width, height)
    except KpuMemoryError:
        return None


@given(sizes)
def test_placed_layers_are_sound(size: tuple[int, int]) -> None:
    the_plan = _plan_or_none(*size)
    for number, placed in enumerate(placed_layers(NETWORK, the_plan) if the_plan else ()):
        check(placed, f"layer {number}")
        assert placed.registers.pack()


def test_placed_layers_neither_interrupt_nor_send() -> None:
    """The firmware sets both bits where it needs them."""
    busy = [replace(layer, registers=replace(layer.registers, int_en=1, send_data_out=1)) for layer in NETWORK.body]
    for placed in placed_layers(replace(NETWORK, body=tuple(busy)), plan(320, 240)):
        assert (placed.registers.int_en, placed.registers.send_data_out) == (0, 0)


def test_which_sizes_fit() -> None:
    fitting = {(w, h) for w in planning.WIDTHS for h in planning.HEIGHTS if _plan_or_none(w, h)}
    expected = {(w, h) for w in planning.WIDTHS for h in planning.HEIGHTS if w <= 384 or h <= 224}
    assert fitting == expected


def test_a_size_that_does_not_fit_names_layer_figures_and_the_nearest_that_does() -> None:
    with pytest.raises(KpuMemoryError, match=r"512x256 .* layer 2 needs 2304 KiB of 2048 KiB; .* is 512x224"):
        plan(512, 256)


@pytest.mark.parametrize(("width", "height"), [(240, 320), (321, 241), (48, 64), (528, 240), (0, 0), (-16, 64)])
def test_a_size_that_the_kpu_does_not_take_names_the_nearest(width: int, height: int) -> None:
    with pytest.raises(SizeError, match=r"multiples of 16.*nearest such size is \d+x\d+"):
        plan(width, height)


def test_parts_run_downwards_when_their_source_lies_low() -> None:
    generator = np.random.default_rng(0)
    conv = layer(generator, FeatureMap(3, 64, 320), 24, 3, False, 2)
    pointwise = layer(generator, conv.destination, 48, 1, False, 1)
    depthwise = layer(generator, pointwise.destination, 48, 3, True, 1)
    the_plan = planning.plan(KpuNetwork((conv, pointwise, depthwise), ()), 320, 64, lines=7200)
    first, second = the_plan.body[2:]
    assert first.source.line < the_plan.peak_lines // 2, "the source of this layer lies low"
    assert (first.channels, second.channels) == (range(24, 48), range(24))
    assert first.destination.line >= second.source.end
    assert second.destination.end == first.destination.line


def small(width: int, channels: tuple[int, int, int], heads: tuple[int, ...] = ()) -> KpuNetwork:
    """A picture whose width and height are divided by 4, a wide depthwise layer, and heads of so many channels."""
    generator = np.random.default_rng(0)
    first = layer(generator, FeatureMap(3, 64, width), channels[0], 3, False, 2)
    second = layer(generator, first.destination, channels[1], 3, False, 2)
    third = layer(generator, second.destination, channels[2], 1, False, 1)
    last = layer(generator, third.destination, channels[2], 3, True, 1)
    outputs = [Head(layer(generator, last.destination, count, 1, False, 1), 1.0, 0) for count in heads]
    return KpuNetwork((first, second, third, last), tuple(outputs))


@pytest.mark.parametrize("width", [64, 80, 128, 192])
def test_as_few_parts_as_fit_each_of_whole_channel_groups(width: int) -> None:
    """With ever less memory a layer runs in ever more parts, until not one more group of channels fits."""
    network = small(width, (4, 8, 50), (1,))
    source = network.body[-1].source
    groups = -(-source.channels // source.groups)
    others = max(layer.source.lines + layer.destination.lines for layer in network.body[:-1])
    counts = set()
    for lines in range(2 * source.lines, max(others, source.lines + source.group_lines) - 1, -1):
        the_plan = planning.plan(network, width, 64, lines)
        parts = sorted((step for step in the_plan.body if step.number == 3), key=lambda step: step.channels.start)
        # Together with the source, the largest part must fit: so many groups of channels.
        largest = max(count for count in range(1, groups + 1) if source.lines + count * source.group_lines <= lines)
        assert len(parts) == -(-groups // largest)
        assert the_plan.peak_lines <= lines
        assert [channel for part in parts for channel in part.channels] == list(range(source.channels))
        for one, following in itertools.pairwise(parts):
            assert len(one.channels) % source.groups == 0
            assert one.source.end == following.source.line
            assert one.destination.end == following.destination.line
        memory.check(assemble(network, the_plan))
        counts.add(len(parts))
    assert {1, 2, 3} <= counts
    if others < source.lines + source.group_lines:
        with pytest.raises(KpuMemoryError, match="layer 3 needs"):
            planning.plan(network, width, 64, source.lines + source.group_lines - 1)


@pytest.mark.parametrize("heads", [(200, 200, 200), (600,)])
def test_heads_may_be_what_needs_most(heads: tuple[int, ...]) -> None:
    """They fill the memory that is left to the last line; with one line less the last of them is named."""
    network = small(64, (4, 8, 16), heads)
    the_plan = planning.plan(network, 64, 64)
    maps = [the_plan.heads[0].source.map, *(step.destination.map for step in the_plan.heads)]
    assert the_plan.peak_lines == sum(one.lines for one in maps)
    assert planning.plan(network, 64, 64, the_plan.peak_lines) == the_plan
    memory.check(assemble(network, the_plan))
    needed = the_plan.peak_lines * 64 // 1024
    with pytest.raises(KpuMemoryError, match=rf"layer {3 + len(heads)} needs {needed} KiB"):
        planning.plan(network, 64, 64, the_plan.peak_lines - 1)
