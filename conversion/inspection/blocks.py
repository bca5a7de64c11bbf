"""Layers as the blocks that a reader thinks in, placed in columns: what the drawing shows as one box each."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from conversion.feature_map import FeatureMap
from conversion.inspection.model import Inspection, Layer
from conversion.weights import coral, topology

CONVOLUTION, DEPTHWISE, POINTWISE, SEPARABLE = "convolution", "depthwise", "pointwise", "separable"
# A picture has fewer rows: what is beyond comes from a damaged file.
_MOST_SCALE = 1 << 16
HEAD, LEFT_OUT, OTHER, CUSTOM, HIDDEN = "head", "left out", "other", "custom", "hidden"


@dataclass
class Block:
    """Layers that are drawn as one box.

    `before` and `after` are operators that only move or rescale what a convolution reads or gives; `column` counts
    from the input (0) along the longest way, `row` from the top of the column; `scale` is the picture's rows for one
    of its own.
    """

    kind: str
    layers: list[Layer]
    before: list[Layer] = field(default_factory=list)
    after: list[Layer] = field(default_factory=list)
    sources: list[int] = field(default_factory=list)
    column: int = 0
    row: int = 0
    scale: int = 1

    @property
    def all_layers(self) -> list[Layer]:
        """Every layer in it, in order."""
        return [*self.before, *self.layers, *self.after]

    @property
    def writes(self) -> FeatureMap | None:
        """The map that its convolution gives."""
        return self.layers[-1].writes

    @property
    def channels(self) -> int:
        """Channels that it gives; of a layer in parts, all of them."""
        if self.kind != SEPARABLE and self.layers[-1].part:
            return sum(layer.writes.channels for layer in self.layers if layer.writes)
        return self.writes.channels if self.writes else 0

    @property
    def stride(self) -> int:
        """Input rows for one that it gives; parts of a layer count once."""
        strides = [layer.convolution.stride[0] for layer in self.layers if layer.convolution and layer.begins]
        return min(_MOST_SCALE, math.prod(strides))

    @property
    def parts(self) -> int:
        """Runs of the KPU that a layer in it takes; 1 for an undivided one."""
        return max(
            (sum(one.name == layer.name for one in self.layers) for layer in self.layers if layer.part), default=1
        )


def grouped(inspection: Inspection) -> list[Block]:
    """The blocks in order; `sources` are places in this list, below 0 the inputs."""
    layers = inspection.layers
    readers = _readers(layers)
    blocks: list[Block] = []
    block_of: dict[int, int] = {}
    for layer in layers:
        joined = _joined(layer, layers, blocks, block_of, readers)
        if joined is None:
            blocks.append(Block(kind(layer), [layer]))
            joined = len(blocks) - 1
        block_of[layer.number] = joined
    for place, block in enumerate(blocks):
        sources = {source if source < 0 else block_of[source] for layer in block.all_layers for source in layer.sources}
        block.sources = sorted(sources - {place})
    return _placed(blocks)


def _readers(layers: Sequence[Layer]) -> Mapping[int, list[int]]:
    readers: dict[int, list[int]] = {}
    for layer in layers:
        for source in layer.sources:
            readers.setdefault(source, []).append(layer.number)
    return readers


def kind(layer: Layer) -> str:
    """What a layer is drawn as; a depthwise one and the pointwise one behind it make a SEPARABLE block together."""
    if layer.name in topology.LEFT_OUT:
        return LEFT_OUT
    if topology.head_role(layer.name):
        return HEAD
    if layer.convolution is None:
        names = {coral.EDGE_TPU: HIDDEN}
        return names.get(layer.type, CUSTOM if "custom options" in layer.details else OTHER)
    if layer.convolution.depthwise:
        return DEPTHWISE
    return POINTWISE if layer.convolution.kernel == (1, 1) else CONVOLUTION


def _joined(
    layer: Layer,
    layers: Sequence[Layer],
    blocks: list[Block],
    block_of: Mapping[int, int],
    readers: Mapping[int, list[int]],
) -> int | None:
    """The block that a layer belongs to, which takes it in; None if it begins one of its own."""
    sources = [source for source in layer.sources if source >= 0]
    places = {block_of[source] for source in sources}
    if layer.part and _same_name(layer, layers):
        place = block_of[layer.number - 1]
        blocks[place].layers.append(layer)
        return place
    if len(places) != 1 or len(sources) != len(layer.sources):
        return None
    place = places.pop()
    only_reader = all(readers[source] == [layer.number] for source in sources)
    if not only_reader or not _takes_in(blocks[place], layer):
        return None
    return place


def _same_name(layer: Layer, layers: Sequence[Layer]) -> bool:
    return layer.number > 0 and layers[layer.number - 1].name == layer.name


def _takes_in(block: Block, layer: Layer) -> bool:
    """Whether the block takes the layer in: depthwise and pointwise become one, and operators without weights join
    the convolution before them (or, at the very beginning, the one behind them)."""
    found, last = kind(layer), block.layers[-1]
    if found == POINTWISE and block.kind == DEPTHWISE and not block.after:
        block.kind = SEPARABLE
        block.layers.append(layer)
    elif found == OTHER and block.kind not in (CUSTOM, HIDDEN):
        (block.after if last.convolution else block.layers).append(layer)
    elif block.kind == OTHER and layer.convolution and all(len(one.sources) == 1 for one in block.layers):
        block.kind, block.before, block.layers = found, block.layers, [layer]
    else:
        return False
    return True


def _placed(blocks: list[Block]) -> list[Block]:
    """Columns by the longest way from the input, rows by the mean row of what a block reads."""
    for block in blocks:
        given = [blocks[source] for source in block.sources if source >= 0]
        block.column = 1 + max((one.column for one in given), default=0)
        block.scale = min(_MOST_SCALE, block.stride * max((one.scale for one in given), default=1))
    columns: dict[int, list[Block]] = {}
    for block in blocks:
        columns.setdefault(block.column, []).append(block)
    for column in sorted(columns):
        columns[column].sort(key=lambda block: _mean_row(block, blocks))
        for row, block in enumerate(columns[column]):
            block.row = row
    return blocks


def _mean_row(block: Block, blocks: list[Block]) -> float:
    rows = [blocks[source].row for source in block.sources if source >= 0]
    return sum(rows) / len(rows) if rows else 0.0
