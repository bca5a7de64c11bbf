"""Writes the report of a conversion: one page with the picture, the figures, the layers and the map of KPU RAM."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from PIL import Image

from conversion import card, files, photos
from conversion.decoding import board_decoder, overlay
from conversion.decoding.dialects import tfjs
from conversion.kmodel import kpu_network, plan, sampling
from conversion.kmodel.layer import KpuLayer
from conversion.pipeline import Kmodel
from conversion.report import accuracy, ram_map, summary, tables, templates

SKELETON = "skeleton.png"
RAM_MAP = "kpu-ram.svg"


def write(kmodel: Kmodel, folder: Path) -> Path:
    """Write page, picture and map into `folder`; gives the page's path. Each file is written whole or not at all."""
    network, planned = kmodel.compiled.network, kmodel.plan
    page, drawn_map = render(kmodel.card, network, planned, summary.facts(kmodel))
    files.write_png(folder / SKELETON, skeletons(kmodel))
    files.write(folder / RAM_MAP, drawn_map.encode())
    files.write(folder / accuracy.PAGE, page.encode())
    return folder / accuracy.PAGE


def render(
    the_card: Mapping, network: kpu_network.KpuNetwork, planned: plan.RamPlan, facts: summary.Facts, plot: str = ""
) -> tuple[str, str]:
    """The page as HTML, and the map of KPU RAM in it; `plot` is that of the figures in the card, where `evaluate` has
    put some."""
    rows = tables.layer_rows(network, planned)
    drawn_map = ram_map.svg(rows, planned)
    page = templates.load("page.html.j2").render(
        card=the_card,
        facts=facts,
        skeleton=SKELETON,
        ram_map=drawn_map,
        splits=_splits(network, planned),
        rows=rows,
        shape=tables.shape,
        accuracy=accuracy.section(the_card, plot),
    )
    return page, drawn_map


def skeletons(kmodel: Kmodel) -> Image.Image:
    """The sample photo twice, with the people that a board would show: from the float network's heads, and from the
    simulated kmodel's."""
    photo = photos.upright(photos.bundled(photos.SAMPLE))
    size = card.picture(kmodel.card)
    least = board_decoder.ON_BOARD["pose_score"]
    from_float = [pose for pose in tfjs.decode(kmodel.sample_float_heads) if pose.score >= least]
    on_board = board_decoder.decode(kmodel.sample_heads, kmodel.card, **board_decoder.ON_BOARD)
    from_kmodel = board_decoder.upright(on_board, kmodel.card)
    return overlay.side_by_side(
        [
            ("float network", overlay.skeletons(photo, from_float, size)),
            ("kmodel on the simulated KPU", overlay.skeletons(photo, from_kmodel, size)),
        ]
    )


def _splits(network: kpu_network.KpuNetwork, planned: plan.RamPlan) -> list[str]:
    body = network.body
    return [
        f"{tables.layer_name(number, len(body))} runs in {parts} parts{_why(body[number])}."
        for number, parts in planned.split_layers.items()
    ]


def _why(layer: KpuLayer) -> str:
    if sampling.runs_dense(layer):
        return ", dense layers of few channels each: only such drop the pixels that its stride of 2 skips"
    return ": what it reads and writes does not fit at once"
