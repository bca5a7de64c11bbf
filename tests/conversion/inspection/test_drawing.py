"""Blocks and their places: what belongs together is one box, no two boxes overlap, everything lies in the picture."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from conversion.feature_map import FeatureMap
from conversion.inspection import blocks, inspect, layout
from conversion.inspection.model import INPUT, Convolution, Inspection, Layer, Tensor
from conversion.kmodel import v3
from conversion.kmodel.assemble import assemble
from conversion.kmodel.plan import plan
from tests.conversion.kmodel.networks import posenet_like


def kmodel(folder: Path) -> Inspection:
    network = posenet_like()
    path = folder / "m.kmodel"
    path.write_bytes(v3.write(assemble(network, plan(network, 320, 240))))
    return inspect(path)


def test_posenet_s_blocks(tmp_path: Path) -> None:
    found = blocks.grouped(kmodel(tmp_path))
    assert [block.kind for block in found] == ["convolution", *["separable"] * 13, *["head"] * 4]
    assert [block.channels for block in found[:4]] == [24, 48, 96, 96]
    assert [block.stride for block in found[:8]] == [2, 1, 2, 1, 2, 1, 2, 1]
    assert [block.parts for block in found[:8]] == [1, 1, 3, 1, 6, 1, 12, 1]
    assert found[13].scale == 16
    assert [block.column for block in found] == [*range(1, 15), 15, 15, 15, 15]
    assert [block.sources for block in found[14:]] == [[13]] * 4


def test_coral_s_joined_heads_and_decoder(coral_file: Path) -> None:
    found = blocks.grouped(inspect(coral_file))
    assert [block.kind for block in found[-6:]] == ["head"] * 4 + ["other", "custom"]
    assert found[-1].column == found[-2].column + 1


def graph(reads_of: list[list[int]], kinds: list[str]) -> Inspection:
    """Layers of these kinds, each reading these earlier ones."""
    shapes = {"conv": (3, 3), "depthwise": (3, 3), "pointwise": (1, 1)}
    layers = []
    for number, (reads, kind) in enumerate(zip(reads_of, kinds, strict=True)):
        convolution = None
        if kind in shapes:
            convolution = Convolution(shapes[kind], (1, 1), (1, 1), "SAME", "none", kind == "depthwise")
        layer = Layer(
            number, kind.upper(), tuple(sorted(set(reads))), writes=FeatureMap(8, 4, 4), convolution=convolution
        )
        layers.append(layer)
    picture = Tensor("picture", "uint8", (1, 3, 8, 8), "NCHW")
    return Inspection(Path("x"), "test", (), (picture,), (), tuple(layers))


@st.composite
def graphs(draw: st.DrawFn) -> Inspection:
    count = draw(st.integers(1, 25))
    kinds = draw(st.lists(st.sampled_from(["conv", "depthwise", "pointwise", "other"]), min_size=count, max_size=count))
    sources = [draw(st.lists(st.integers(INPUT, number - 1), max_size=3)) for number in range(count)]
    return graph(sources, kinds)


@given(graphs())
def test_any_graph_is_placed_without_overlap(inspection: Inspection) -> None:
    found = blocks.grouped(inspection)
    numbers = [layer.number for block in found for layer in block.all_layers]
    assert sorted(numbers) == list(range(len(inspection.layers))), "every layer is in one block"
    assert all(found[source].column < block.column for block in found for source in block.sources if source >= 0)
    drawn = layout.laid_out(found, inspection, inspection.inputs[0].map)
    boxes = [drawn.picture, *drawn.boxes]
    for number, box in enumerate(boxes):
        assert box.x >= 0
        assert box.y >= 0
        assert box.x + box.width <= drawn.width
        assert box.y + box.height <= drawn.height
        for other in boxes[:number]:
            apart_across = box.x >= other.x + other.width or other.x >= box.x + box.width
            apart_down = box.y >= other.y + other.height or other.y >= box.y + box.height
            assert apart_across or apart_down


def test_operators_without_weights_join_the_convolution_that_they_follow() -> None:
    found = blocks.grouped(graph([[-1], [0], [1], [2], [2]], ["other", "conv", "other", "pointwise", "pointwise"]))
    assert [(len(block.before), len(block.layers), len(block.after)) for block in found] == [
        (1, 1, 1), (0, 1, 0), (0, 1, 0),
    ]  # fmt: skip
