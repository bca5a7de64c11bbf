"""Draws the graph as SVG: a box a block, as high as its map and as wide as its channels, heads at the end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from html import escape

from conversion.feature_map import FeatureMap
from conversion.inspection import blocks, layout, text_format
from conversion.inspection.blocks import Block
from conversion.inspection.layout import GAP, LINE, MARGIN, NARROWEST, SOLID, Box, cut
from conversion.inspection.model import Inspection, Layer, Tensor

COLOURS = {
    blocks.CONVOLUTION: "#b4551b",
    blocks.DEPTHWISE: "#3f7d75",
    blocks.POINTWISE: "#3d6a9e",
    blocks.HEAD: "#337a45",
    blocks.LEFT_OUT: "#9aa39c",
    blocks.OTHER: "#8a8578",
    blocks.CUSTOM: "#7a5595",
    blocks.HIDDEN: "#5c2a2a",
}
_WORDS = {
    blocks.CONVOLUTION: "dense convolution",
    blocks.DEPTHWISE: "depthwise",
    blocks.POINTWISE: "1x1 convolution",
    blocks.HEAD: "head",
    blocks.LEFT_OUT: "head that is left out of the kmodel",
    blocks.OTHER: "other operator",
    blocks.CUSTOM: "custom operator",
    blocks.HIDDEN: "Edge TPU program",
}
_INK, _FAINT, _EDGE, _STRIDE = "#333", "#666", "#aaa49a", "#b3431e"
_BANDS = ("#f4f3ef", "#fbfaf8")
# Share of a separable block's width that is its depthwise layer.
_STRIPE = 0.36
# Looking for boxes behind every edge would take minutes in a file of thousands of operators.
_MOST_LOOKED_AT = 300
# How far a wide drawing may shrink to fit a window before it is scrolled: letters stay readable.
_LEAST_SHARE = 0.75


def svg(inspection: Inspection) -> str:
    """The drawing; every box links to the row of its first layer in the page's table (#layer-N) and has a tooltip.

    Every text is escaped. An inspection without layers gives an empty text.
    """
    if not inspection.layers:
        return ""
    found = blocks.grouped(inspection)
    source = inspection.inputs[0] if inspection.inputs else Tensor("input", "", ())
    picture = source.map or next((layer.reads for layer in inspection.layers if layer.reads), None)
    drawn = layout.laid_out(found, inspection, picture)
    outputs = _outputs(inspection, found)
    width, height = drawn.width, drawn.height
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}" '
            f'height="{height:.0f}" style="max-width:{width:.0f}px;min-width:{_LEAST_SHARE * width:.0f}px" '
            f'font-family="system-ui, DejaVu Sans, sans-serif" font-size="12" fill="{_INK}" role="img" '
            f'aria-label="the network as blocks">',
            *_bands(drawn.boxes, height),
            *_edges(drawn.boxes, drawn.picture),
            *_input(drawn.picture, source, picture),
            *(line for box in drawn.boxes for line in _block(box, outputs)),
            *_legend(found, height),
            "</svg>",
        ]
    )


def _outputs(inspection: Inspection, found: Sequence[Block]) -> dict[int, list[Tensor]]:
    """Output tensors by the number of the first layer of the block that gives them."""
    block_of = {layer.number: block.all_layers[0].number for block in found for layer in block.all_layers}
    given: dict[int, list[Tensor]] = {}
    for tensor in inspection.outputs:
        if tensor.layer in block_of:
            given.setdefault(block_of[tensor.layer], []).append(tensor)
    return given


def _bands(boxes: Sequence[Box], height: float) -> Iterator[str]:
    """A band behind neighbouring columns whose maps have one size, with the size and its share of the picture."""
    in_column = Counter(box.block.column for box in boxes)
    alone = [box for box in boxes if in_column[box.block.column] == 1 and box.block.kind in SOLID and box.block.writes]
    for number, run in enumerate(_runs(alone)):
        left, right = run[0].x - GAP / 2, run[-1].x + run[-1].width + GAP / 2
        fill = _BANDS[number % 2]
        yield f'<rect x="{left:.1f}" y="8" width="{right - left:.1f}" height="{height - 44:.1f}" fill="{fill}" rx="4"/>'
        size = run[0].block.writes
        yield _text((left + right) / 2, height - 42, f"{size.width}x{size.height}", 11, "middle", _INK)
        if right - left > 2 * NARROWEST:
            yield _text((left + right) / 2, height - 54, f"1/{run[0].block.scale}", 10, "middle", _FAINT)


def _runs(boxes: Sequence[Box]) -> Iterator[list[Box]]:
    """Neighbouring columns of one map size."""
    run: list[Box] = []
    for box in boxes:
        if run and (_side(box) != _side(run[-1]) or box.block.column != run[-1].block.column + 1):
            yield run
            run = []
        run.append(box)
    if run:
        yield run


def _side(box: Box) -> tuple[int, int]:
    return box.block.writes.height, box.block.writes.width


def _edges(boxes: Sequence[Box], picture: Box) -> Iterator[str]:
    for box in boxes:
        for source in box.block.sources:
            giver = picture if source < 0 else boxes[source]
            yield _edge(giver, box, _in_the_way(giver, box, boxes))
        if box.block.stride > 1:
            badge = _text(box.x - GAP / 2, box.middle - 14, f"÷{box.block.stride}", 11, "middle", _STRIDE, bold=True)
            yield f"<g>{badge}<title>stride {box.block.stride}</title></g>"


def _in_the_way(giver: Box, box: Box, boxes: Sequence[Box]) -> bool:
    """Whether a straight line would run behind a box between the two."""
    between = range(giver.block.column + 1, box.block.column)
    if not between or len(boxes) > _MOST_LOOKED_AT:
        return bool(between)
    low, high = sorted((giver.middle, box.middle))
    return any(one.block.column in between and one.y < high + 8 and one.y + one.height > low - 8 for one in boxes)


def _edge(giver: Box, box: Box, around: bool) -> str:
    x1, y1, x2, y2 = giver.x + giver.width, giver.middle, box.x, box.middle
    bend = 26 + 5 * (box.block.column - giver.block.column) if around else 0
    half = max(12.0, (x2 - x1) / 2)
    curve = f"{x1 + half:.1f},{y1 + bend:.1f} {x2 - half:.1f},{y2 + bend:.1f} {x2:.1f},{y2:.1f}"
    return (
        f'<path d="M{x1:.1f},{y1:.1f} C{curve}" fill="none" stroke="{_EDGE}" stroke-width="1.6"/>'
        f'<path d="M{x2:.1f},{y2:.1f} l-6,-3.5 v7 z" fill="{_EDGE}"/>'
    )


def _input(box: Box, tensor: Tensor, picture: FeatureMap | None) -> Iterator[str]:
    yield (
        f'<rect x="{box.x:.1f}" y="{box.y:.1f}" width="{box.width}" height="{box.height:.1f}" fill="#fff" '
        f'stroke="{_FAINT}" rx="3"/>'
    )
    yield _text(box.centre, box.y - 8, tensor.name[:10], 11, "middle", _INK)
    yield _text(box.centre, box.middle, str(picture.channels) if picture else "", 13, "middle", _INK, bold=True)
    yield _text(box.centre, box.middle + 15, tensor.dtype, 10, "middle", _FAINT)
    if picture:
        size = f"{picture.width}x{picture.height}"
        yield _text(box.centre, box.y + box.height + 13, size, 10, "middle", _FAINT)


def _block(box: Box, outputs: dict[int, list[Tensor]]) -> Iterator[str]:
    first = box.block.all_layers[0].number
    yield f'<a href="#layer-{first}"><g><title>{escape(_tooltip(box.block))}</title>'
    yield from _solid(box) if box.block.kind in SOLID else _text_box(box)
    yield "</g></a>"
    if box.block.kind in (blocks.CUSTOM, blocks.HIDDEN):
        for place, tensor in enumerate(outputs.get(first, [])):
            y = box.y + 14 + LINE * place
            yield _text(box.x + box.width + 10, y, f"→ {cut(tensor.name)}", 11, "start", _INK)


def _solid(box: Box) -> Iterator[str]:
    block, centre = box.block, box.centre
    yield _text(centre, box.y - 6, _title(block), 10, "middle", _FAINT)
    if block.kind == blocks.SEPARABLE:
        split = _STRIPE * box.width
        yield from _stripes(box, split)
        yield _rectangle(box.x + split, box.y, box.width - split, box.height, COLOURS[blocks.POINTWISE])
        centre = box.x + (split + box.width) / 2
    else:
        yield _rectangle(box.x, box.y, box.width, box.height, COLOURS[block.kind])
        kernel = text_format.kernel(block.layers[-1].convolution)
        yield _text(centre, box.middle + 18, kernel, 9, "middle", "#fff")
    yield _text(centre, box.middle + 4, str(block.channels), 13, "middle", "#fff", bold=True)
    if block.after:
        more = f"+{len(block.after)} op{'s' if len(block.after) > 1 else ''}"
        yield _text(box.centre, box.y + box.height + 12, more, 9, "middle", _FAINT)


def _title(block: Block) -> str:
    """The block's number in the network, or its layer's in the file."""
    name = block.layers[-1].name
    number = "".join(filter(str.isdigit, name))
    if block.kind == blocks.SEPARABLE and number:
        return f"block {number}"
    return name or f"#{block.layers[0].number}"


def _stripes(box: Box, width: float) -> Iterator[str]:
    """The depthwise layer: one stripe, with lines between the parts that it runs in."""
    yield _rectangle(box.x, box.y, width - 1.5, box.height, COLOURS[blocks.DEPTHWISE])
    parts = box.block.parts
    for part in range(1, parts):
        y = box.y + box.height * part / parts
        yield (
            f'<line x1="{box.x:.1f}" x2="{box.x + width - 1.5:.1f}" y1="{y:.1f}" y2="{y:.1f}" stroke="#fff" '
            'stroke-opacity=".6"/>'
        )
    kernel = text_format.kernel(box.block.layers[0].convolution)
    yield (
        f'<text transform="translate({box.x + width / 2 + 2.5:.1f},{box.middle:.1f}) rotate(-90)" '
        f'text-anchor="middle" font-size="10" fill="#fff" stroke="{COLOURS[blocks.DEPTHWISE]}" stroke-width="3" '
        f'paint-order="stroke">{escape(kernel)}</text>'
    )


def _text_box(box: Box) -> Iterator[str]:
    colour = COLOURS[box.block.kind]
    dash = ' stroke-dasharray="5 3"' if box.block.kind == blocks.LEFT_OUT else ""
    yield (
        f'<rect x="{box.x:.1f}" y="{box.y:.1f}" width="{box.width:.1f}" height="{box.height:.1f}" rx="5" fill="#fff" '
        f'stroke="{colour}" stroke-width="1.5"{dash}/>'
    )
    yield f'<rect x="{box.x:.1f}" y="{box.y:.1f}" width="7" height="{box.height:.1f}" rx="3" fill="{colour}"/>'
    for place, line in enumerate(box.lines):
        y = box.y + 18 + LINE * place
        yield _text(box.x + 15, y, line, 12 if place == 0 else 11, "start", _INK, bold=place == 0)


def _tooltip(block: Block) -> str:
    lines = [_about(layer) for layer in block.all_layers]
    if block.parts > 1:
        lines.append(f"the depthwise layer runs in {block.parts} parts")
    return "\n".join(lines)


def _about(layer: Layer) -> str:
    shapes = f"{text_format.layer_map(layer, 'reads')} → {text_format.layer_map(layer, 'writes')}"
    work = f"{layer.parameters:,} parameters, {text_format.millions(layer.macs.useful)} MACs" if layer.macs else ""
    name = f"{layer.number}: {layer.label}"
    return " · ".join(filter(None, [name, layer.type, text_format.kernel_and_stride(layer), shapes, work]))


def _legend(found: Sequence[Block], height: float) -> Iterator[str]:
    kinds = {block.kind for block in found}
    if blocks.SEPARABLE in kinds:
        kinds |= {blocks.DEPTHWISE, blocks.POINTWISE}
    x = float(MARGIN)
    for kind in (kind for kind in COLOURS if kind in kinds):
        yield f'<rect x="{x:.1f}" y="{height - 20:.1f}" width="11" height="11" rx="2" fill="{COLOURS[kind]}"/>'
        yield _text(x + 16, height - 10, _WORDS[kind], 11, "start", _INK)
        x += 34 + 6.3 * len(_WORDS[kind])
    yield _text(x, height - 10, "numbers: channels · height of a box: rows of its map", 11, "start", _FAINT)


def _rectangle(x: float, y: float, width: float, height: float, colour: str) -> str:
    return (
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{max(1.0, width):.1f}" height="{max(1.0, height):.1f}" rx="3" '
        f'fill="{colour}"/>'
    )


def _text(x: float, y: float, text: str, size: int, anchor: str, colour: str, bold: bool = False) -> str:
    weight = ' font-weight="600"' if bold else ""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}" fill="{colour}"{weight}>'
        f"{escape(text)}</text>"
    )
