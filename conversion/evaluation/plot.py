"""Draws an evaluation as SVG: AP from stage to stage; below it, where there are any, AP by zoom and SQNR by layer."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from html import escape

from conversion.evaluation.result import Evaluation, signed
from conversion.printing import counted

_WIDTH, _LEFT, _RIGHT = 900, 64, 24
_TOP, _PANEL, _GAP, _BOTTOM = 96, 260, 116, 84
_BAR = 74
_INK, _PALE, _GRID, _LOSS, _GAIN, _WEIGHTS, _KPU = "#333", "#9ecae1", "#ddd", "#c0392b", "#337a45", "#6a51a3", "#e6843c"
_AP_STEPS = (0.01, 0.02, 0.05, 0.1, 0.2)
_DB_STEP = 10
# About so many lines behind a panel.
_LINES = 6


def svg(evaluation: Evaluation) -> str:
    """One picture without anything from outside."""
    panels = [draw for draw, there in ((_zoom, evaluation.zoom), (_layers, evaluation.layers)) if there]
    pitch = _PANEL + _GAP
    height = _TOP + pitch * (1 + len(panels)) - (_GAP - _BOTTOM if evaluation.layers else 0)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" height="{height}" '
        f'font-family="system-ui, DejaVu Sans, sans-serif" font-size="12" fill="{_INK}">',
        f'<rect width="{_WIDTH}" height="{height}" fill="#fff"/>',
        *_heading(evaluation),
        *_waterfall(evaluation),
        *(part for number, draw in enumerate(panels, start=1) for part in draw(evaluation, _TOP + pitch * number)),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _heading(evaluation: Evaluation) -> list[str]:
    coco, (width, height) = evaluation.coco, evaluation.size
    chosen = f", {coco.choice['where']}" if coco.choice["where"] else ""
    where = f"{counted(coco.persons, 'person')} on {counted(len(coco.photos), 'photo')} of {coco.file}{chosen}"
    return [
        _text(_LEFT, 26, f"COCO keypoint AP at {width}x{height}, stage by stage", size=17, weight="bold"),
        _text(_LEFT, 46, f"{evaluation.model}, sha256 {evaluation.model_sha256[:16]}…", size=11),
        _text(_LEFT, 62, where, size=11),
    ]


def _waterfall(evaluation: Evaluation) -> list[str]:
    stages = list(evaluation.precision.items())
    y, parts = _ap_panel(_TOP, max(found.ap for _, found in stages))
    pitch = (_WIDTH - _LEFT - _RIGHT) / len(stages)
    before = None
    for number, (stage, found) in enumerate(stages):
        x = _LEFT + pitch * number + (pitch - _BAR) / 2
        parts.append(_rect(x, y(found.ap), _BAR, y(0) - y(found.ap), _PALE, f"{stage}: AP {found.ap:.3f}"))
        if before is not None:
            parts += _change(x, pitch, y, before, found.ap)
        parts.append(_text(x + _BAR / 2, y(0) + 18, stage, anchor="middle", weight="bold"))
        figures = f"AP {found.ap:.3f}, AR {found.ar:.3f}"
        parts.append(_text(x + _BAR / 2, y(0) + 35, figures, anchor="middle", size=11))
        before = found.ap
    return parts


def _ap_panel(top: int, greatest: float) -> tuple[Callable[[float], float], list[str]]:
    """The scale of a panel that shows AP, and its lines."""
    step = next((step for step in _AP_STEPS if greatest <= step * _LINES), _AP_STEPS[-1])
    end = step * max(1, math.ceil(greatest * 1.05 / step))
    y = _scale(top, end)
    return y, _grid(y, [step * number for number in range(round(end / step) + 1)], "{:.2f}")


def _zoom(evaluation: Evaluation, top: int) -> list[str]:
    """AP of each value of `zoom` and of floats on larger pictures; a whisker is 95 % of the change to zoom 0."""
    bars = [(f"zoom {each.zoom}", _PALE, each) for each in evaluation.zoom]
    bars += [("float {}x{}".format(*each.size), _GRID, each) for each in evaluation.larger]
    basis = evaluation.zoom[0].precision.ap
    y, parts = _ap_panel(top, max(max(each.precision.ap, basis + each.difference.high) for *_, each in bars))
    parts.append(
        _text(_LEFT, top - 34, "AP with windows of the VGA frame, 95 % of the change to zoom 0", size=15, weight="bold")
    )
    pitch = (_WIDTH - _LEFT - _RIGHT) / len(bars)
    for number, (name, colour, each) in enumerate(bars):
        x = _LEFT + pitch * number + (pitch - _BAR) / 2
        ap = each.precision.ap
        parts.append(_rect(x, y(ap), _BAR, y(0) - y(ap), colour, f"{name}: AP {ap:.3f}"))
        low, high = (y(basis + end) for end in (each.difference.low, each.difference.high))
        middle = x + _BAR / 2
        if low != high:
            parts.append(
                f'<path d="M{middle - 6:.1f},{low:.1f}h12M{middle:.1f},{low:.1f}V{high:.1f}m-6,0h12" '
                f'stroke="{_INK}" fill="none"/>'
            )
        parts.append(_text(middle, y(0) + 18, name, anchor="middle", weight="bold"))
        figures = f"AP {ap:.3f}, AR {each.precision.ar:.3f}"
        parts.append(_text(middle, y(0) + 35, figures, anchor="middle", size=11))
    return parts


def _change(x: float, pitch: float, y: Callable[[float], float], before: float, now: float) -> list[str]:
    """The step from the stage before: a line at its height, what was lost or won, and how much that is."""
    colour = _LOSS if now < before else _GAIN
    top, bottom = sorted((y(before), y(now)))
    reach = x - (pitch - _BAR)
    return [
        f'<line x1="{reach:.1f}" x2="{x + _BAR:.1f}" y1="{y(before):.1f}" y2="{y(before):.1f}" stroke="{_INK}" '
        f'stroke-dasharray="3 3"/>',
        _rect(x, top, _BAR, max(bottom - top, 1), colour, f"{now - before:+.4f}"),
        _text(x + _BAR / 2, top - 6, signed(now - before, 3), anchor="middle", colour=colour, weight="bold"),
    ]


def _layers(evaluation: Evaluation, top: int) -> list[str]:
    rows = evaluation.layers
    curves = (
        ("the kmodel's weights, activations not rounded", _WEIGHTS, [row.weights_db for row in rows]),
        ("the KPU", _KPU, [row.kpu_db for row in rows]),
    )
    greatest = max((value for *_, values in curves for value in values if math.isfinite(value)), default=_DB_STEP)
    end = _DB_STEP * max(1, math.ceil(greatest / _DB_STEP))
    y = _scale(top, end)
    pitch = (_WIDTH - _LEFT - _RIGHT) / len(rows)
    parts = [_text(_LEFT, top - 34, "SQNR after each layer against the float network, dB", size=15, weight="bold")]
    parts += _grid(y, list(range(0, end + 1, _DB_STEP)), "{:.0f}")
    for number, (name, colour, values) in enumerate(curves):
        x = _LEFT + 330 * number
        parts.append(
            f'<line x1="{x}" x2="{x + 24}" y1="{top - 15}" y2="{top - 15}" stroke="{colour}" stroke-width="2.5"/>'
        )
        parts.append(_text(x + 30, top - 11, name))
        parts += _curve([_LEFT + pitch * (index + 0.5) for index in range(len(rows))], y, values, colour, end)
    for number, row in enumerate(rows):
        at = f"{_LEFT + pitch * (number + 0.5) + 4:.1f},{top + _PANEL + 12}"
        parts.append(
            f'<text transform="translate({at}) rotate(-60)" text-anchor="end" font-size="11">{escape(row.name)}</text>'
        )
    return parts


def _curve(
    xs: Sequence[float], y: Callable[[float], float], values: Sequence[float], colour: str, end: float
) -> list[str]:
    """A line with a dot a layer; values that are not finite end at the panel's."""
    heights = [y(min(max(value, 0), end)) for value in values]
    points = " ".join(f"{x:.1f},{height:.1f}" for x, height in zip(xs, heights, strict=True))
    dots = [
        f'<circle cx="{x:.1f}" cy="{height:.1f}" r="3" fill="{colour}"><title>{value:.1f} dB</title></circle>'
        for x, height, value in zip(xs, heights, values, strict=True)
    ]
    return [f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>', *dots]


def _scale(top: int, end: float) -> Callable[[float], float]:
    return lambda value: top + _PANEL * (1 - value / end)


def _grid(y: Callable[[float], float], values: Sequence[float], form: str) -> list[str]:
    parts = []
    for value in values:
        parts.append(
            f'<line x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y(value):.1f}" y2="{y(value):.1f}" stroke="{_GRID}"/>'
        )
        parts.append(_text(_LEFT - 8, y(value) + 4, form.format(value), anchor="end", size=11))
    return parts


def _rect(x: float, y: float, width: float, height: float, colour: str, title: str) -> str:
    return (
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" fill="{colour}">'
        f"<title>{escape(title)}</title></rect>"
    )


def _text(
    x: float, y: float, text: str, anchor: str = "start", size: int = 12, weight: str = "normal", colour: str = _INK
) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}" font-weight="{weight}" '
        f'fill="{colour}">{escape(text)}</text>'
    )
