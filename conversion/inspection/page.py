"""An inspection as one self-contained page: the graph drawn, tables, and for a kmodel the map of KPU RAM."""

from __future__ import annotations

import functools
from collections.abc import Sequence

import jinja2
from markupsafe import Markup

from conversion.feature_map import RAM_LINES
from conversion.inspection import blocks, drawing, tabular, text_format
from conversion.inspection.model import Inspection, Layer
from conversion.kmodel.plan import RamPlan, Step
from conversion.report import ram_map, tables
from conversion.report.tables import LayerRow

# Runs of the KPU that a map is still readable with; real models have up to some 130.
_MOST_RUNS = 256
_COLOUR_OF = {**drawing.COLOURS, blocks.SEPARABLE: drawing.COLOURS[blocks.POINTWISE]}


def render(inspection: Inspection) -> str:
    """The whole page as HTML: no script, nothing fetched. Every text from a file is escaped."""
    drawn_map = _ram_map(inspection.layers)
    return _template().render(
        inspection=inspection,
        facts=text_format.facts(inspection),
        figures=_figures(inspection),
        # Both drawings escape what they take from the file.
        graph=Markup(drawing.svg(inspection)),
        ram_map=Markup(drawn_map) if drawn_map else None,
        tensors=[("Inputs", tabular.tensors(inspection.inputs)), ("Outputs", tabular.tensors(inspection.outputs))],
        layers=tabular.layers(inspection, full=True),
        rows=_rows(inspection.layers),
        totals=_totals(inspection),
    )


@functools.cache
def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("conversion", "inspection"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("page.html.j2")


def _figures(inspection: Inspection) -> list[tuple[str, str]]:
    """The numbers in large letters: (number, what it is)."""
    figures = [(f"{inspection.bytes / 1e6:,.2f} MB", "on disk"), (str(len(inspection.layers)), "layers")]
    if inspection.parameters:
        figures.append((f"{inspection.parameters / 1e6:,.3f} M", "parameters"))
    if inspection.macs.useful:
        what = "MACs of use" if inspection.runs_on_kpu else "MACs"
        figures.append((text_format.millions(inspection.macs.useful), what))
    if inspection.memory and inspection.runs_on_kpu:
        figures.append((f"{inspection.memory.kpu_ram_bytes // 1024} KiB", "of 2048 KiB KPU RAM"))
        figures.append((f"{1000 * inspection.seconds:.1f} ms", "on the KPU, estimated"))
    if inspection.inputs:
        figures.append((text_format.tensor_shape(inspection.inputs[0]), f"input, {inspection.inputs[0].dtype}"))
    return figures


def _rows(layers: Sequence[Layer]) -> list[dict[str, object]]:
    """For each layer its number, its colour, and its parameters and MACs in percent of the largest, by column."""
    most_macs = max((layer.macs.useful for layer in layers if layer.macs), default=0)
    most_parameters = max((layer.parameters for layer in layers), default=0)
    return [
        {
            "number": layer.number,
            "colour": _COLOUR_OF[blocks.kind(layer)],
            "shares": {
                tabular.MACS.title: _percent(layer.macs.useful if layer.macs else 0, most_macs),
                tabular.PARAMETERS.title: _percent(layer.parameters, most_parameters),
            },
        }
        for layer in layers
    ]


def _percent(part: int, whole: int) -> int:
    return round(100 * part / whole) if whole else 0


def _totals(inspection: Inspection) -> dict[str, str]:
    """The sums under the table, by column."""
    return {
        tabular.LABEL.title: "together",
        tabular.PARAMETERS.title: text_format.count(inspection.parameters),
        "bytes": text_format.count(inspection.parameter_bytes),
        tabular.MACS.title: text_format.millions(inspection.macs.useful),
        "executed": text_format.millions(inspection.macs.executed),
        tabular.TIME.title: f"{1e6 * inspection.seconds:,.0f}",
    }


def _ram_map(layers: Sequence[Layer]) -> str | None:
    """The map over the runs of the KPU; None for a file without them, or with such as no chip has room for."""
    runs = [layer for layer in layers if layer.regions]
    inside = all(max(region.end for region in layer.regions) <= RAM_LINES for layer in runs)
    if not runs or not inside or len(runs) > _MOST_RUNS:
        return None
    steps = tuple(Step(layer.number, range(layer.writes.channels), *layer.regions) for layer in runs)
    heads = _heads(runs)
    peak = max(region.end for layer in runs for region in layer.regions)
    plan = RamPlan(runs[0].regions[0], steps[: len(runs) - heads], steps[len(runs) - heads :], peak)
    return ram_map.svg([_ram_row(layer) for layer in runs], plan)


def _heads(runs: Sequence[Layer]) -> int:
    """How many runs at the end no other run reads."""
    read = {source for layer in runs for source in layer.sources}
    count = 0
    while count < len(runs) and runs[-1 - count].number not in read:
        count += 1
    return count


def _ram_row(layer: Layer) -> LayerRow:
    source, destination = layer.regions
    convolution = layer.convolution
    return LayerRow(
        name=layer.name or f"layer {layer.number}",
        part=layer.part,
        kind=tables.kind(convolution.depthwise, convolution.kernel[0]),
        stride=convolution.stride[0],
        source=source,
        destination=destination,
        weight_bytes=layer.parameter_bytes,
        macs_useful=layer.macs.useful,
        macs_executed=layer.macs.executed,
        seconds=layer.seconds,
    )
