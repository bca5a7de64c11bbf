"""Where the boxes of the drawing lie: columns from left to right, each as high as what it reads from."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from conversion.feature_map import FeatureMap
from conversion.inspection import blocks, text_format
from conversion.inspection.blocks import Block
from conversion.inspection.model import Inspection, Tensor
from conversion.report import tables

# Blocks that are drawn as a solid box with channels; the others are boxes of text.
SOLID = (blocks.CONVOLUTION, blocks.DEPTHWISE, blocks.POINTWISE, blocks.SEPARABLE)
GAP, LINE = 20, 15
MARGIN = 16
_ROW_GAP = 32
_HIGHEST, _LOWEST, NARROWEST = 176, 40, 44
# Pixels of a letter, on the safe side.
_LETTER, _BOLD_LETTER = 6.6, 8.2
_INPUT_WIDTH = 56
_TOP, _BOTTOM = 34, 62
_LEGEND_WIDTH = 760
_MOST_LINES = 6
_LONGEST = 26


@dataclass(frozen=True)
class Box:
    """A block with its place; `lines` are the text of one that is not SOLID."""

    block: Block
    lines: tuple[str, ...]
    x: float
    y: float
    width: float
    height: float

    @property
    def middle(self) -> float:
        """Half its height."""
        return self.y + self.height / 2

    @property
    def centre(self) -> float:
        """Half its width."""
        return self.x + self.width / 2


@dataclass(frozen=True)
class Layout:
    """The picture's box, the blocks' boxes in their order, and the size of the whole."""

    picture: Box
    boxes: tuple[Box, ...]
    width: float
    height: float


def laid_out(found: Sequence[Block], inspection: Inspection, picture: FeatureMap | None) -> Layout:
    """Places for all blocks; `picture` is the input's map, None for an input that is none."""
    columns: dict[int, list[int]] = {}
    for place, block in enumerate(found):
        columns.setdefault(block.column, []).append(place)
    sizes = [_size(block, picture) for block in found]
    heights = {column: _stacked(sizes, places) for column, places in columns.items()}
    start_height = _height(picture, picture)
    inner = max(*heights.values(), start_height)
    middle = _TOP + inner / 2
    start = Box(Block("input", []), (), MARGIN, middle - start_height / 2, _INPUT_WIDTH, start_height)
    placed: dict[int, Box] = {}
    x = MARGIN + _INPUT_WIDTH + GAP
    for column, height in sorted(heights.items()):
        places = sorted(columns[column], key=lambda place: found[place].row)
        read = [placed[source].middle for place in places for source in found[place].sources if source >= 0]
        wanted = (sum(read) / len(read) if read else middle) - height / 2
        top = min(max(_TOP, wanted), _TOP + inner - height)
        placed |= _column(found, places, sizes, x, top)
        x += max(sizes[place].width for place in places) + GAP
    boxes = tuple(placed[place] for place in range(len(found)))
    width = max(_LEGEND_WIDTH, x + _right_of(found, inspection.outputs))
    return Layout(start, boxes, width, _TOP + inner + _BOTTOM)


@dataclass(frozen=True)
class _Size:
    width: float
    height: float
    lines: tuple[str, ...] = ()


def _column(
    found: Sequence[Block], places: Sequence[int], sizes: Sequence[_Size], x: float, y: float
) -> dict[int, Box]:
    """Boxes of one column below each other: solid ones centred, text boxes all of one width."""
    wide = max(sizes[place].width for place in places)
    placed = {}
    for place in places:
        size = sizes[place]
        width = size.width if found[place].kind in SOLID else wide
        placed[place] = Box(found[place], size.lines, x + (wide - width) / 2, y, width, size.height)
        y += size.height + _ROW_GAP
    return placed


def _stacked(sizes: Sequence[_Size], places: Sequence[int]) -> float:
    return sum(sizes[place].height + _ROW_GAP for place in places) - _ROW_GAP


def _right_of(found: Sequence[Block], outputs: Sequence[Tensor]) -> float:
    """Room for the names of the outputs that a custom operator gives."""
    last = max(block.column for block in found)
    ends_so = any(block.kind in (blocks.CUSTOM, blocks.HIDDEN) for block in found if block.column == last)
    longest = max((len(cut(tensor.name)) for tensor in outputs), default=0)
    return _LETTER * (longest + 2) if ends_so else 0


def _size(block: Block, picture: FeatureMap | None) -> _Size:
    if block.kind in SOLID:
        return _Size(_width(block.channels), _height(block.writes, picture))
    lines = tuple(cut(line) for line in _lines(block) if line)
    longest = max(_BOLD_LETTER * len(lines[0]), *(_LETTER * len(line) for line in lines))
    return _Size(30 + longest, LINE * len(lines) + 12, lines)


def _height(found: FeatureMap | None, picture: FeatureMap | None) -> float:
    """As the square root of the map's height, so that 240 rows and 15 are both boxes one can read."""
    if found is None or picture is None or picture.height < 1 or found.height < 1:
        return _LOWEST
    share = math.sqrt(min(1.0, found.height / picture.height))
    return min(_HIGHEST, max(_LOWEST, _HIGHEST * share))


def _width(channels: int) -> float:
    return NARROWEST + 4 * min(8.0, max(0.0, math.log2(max(1, channels)) - 4))


def _lines(block: Block) -> Iterator[str]:
    """What stands in a box of text: name, shape, and what is special about it."""
    if block.kind in (blocks.HEAD, blocks.LEFT_OUT):
        yield from _head_lines(block)
        return
    layer = block.layers[-1]
    names = [one.type for one in block.layers]
    yield from names[: _MOST_LINES - 2]
    if len(names) > _MOST_LINES - 2:
        yield f"and {len(names) - _MOST_LINES + 2} more"
    if layer.writes:
        yield tables.shape(layer.writes)
    options = layer.details.get("custom options")
    if isinstance(options, dict):
        # Names with an underscore are the converter's own.
        public = [(name, value) for name, value in options.items() if not name.startswith("_")]
        yield from (text_format.option(name, value) for name, value in public[:_MOST_LINES])


def _head_lines(block: Block) -> Iterator[str]:
    layer = block.layers[-1]
    yield layer.label
    yield tables.shape(layer.writes) if layer.writes else ""
    quantisation = next((one.quantisation for one in block.all_layers if one.quantisation), None)
    limits = quantisation.limits("uint8") if quantisation else None
    if limits:
        yield f"{limits[0]:.4g} to {limits[1]:.4g}"


def cut(text: str) -> str:
    """A text that fits a box; of a long one the end, where names differ."""
    return text if len(text) <= _LONGEST else f"…{text[1 - _LONGEST :]}"
